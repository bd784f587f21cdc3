/*
 * heap: a binary heap of pointers whose elements know their position, so that one in the middle can
 * be moved or removed.
 *
 * The elements belong to the caller. Each keeps its position in a uint32_t that `position` finds;
 * the heap writes HEAP_NONE there when it lets go of an element, and so must be the first value. At
 * most 2^31 elements, so that HEAP_NONE is no position.
 */
#pragma once

#include "daemon/objects/pace.h"
#include "proto/slice.h"

#define HEAP_NONE UINT32_MAX

/* What an element costs in the array of a large one, on average. */
enum { HEAP_ELEMENT_COST = 12 };

struct heap {
    void **elements; /* owned array */
    uint32_t len;
    uint32_t cap;
    bool (*before)(const void *a, const void *b); /* true if a comes out before b */
    uint32_t *(*position)(void *element);
};

void heap_deinit(struct heap *heap); /* frees the array; elements are not touched */
/* 0, or ERR_MEMORY for want of memory, or because the heap holds all it can. */
int heap_push(struct heap *heap, void *element);
/* Makes room for one more, so that the next heap_push cannot fail. 0 or ERR_MEMORY. */
int heap_reserve(struct heap *heap);
/* The first element, or NULL. */
void *heap_top(const struct heap *heap);
/* The element's key has changed. */
void heap_update(struct heap *heap, void *element);
/* Takes an element out; nothing if it is not in (its position is HEAP_NONE). */
void heap_remove(struct heap *heap, void *element);
/* Takes out and returns any element, the one that is cheapest to take; there must be one. */
void *heap_take_any(struct heap *heap);
/* Takes out every element that `keep` says false of; it may free the element. */
void heap_filter(struct heap *heap, bool (*keep)(void *data, void *element), void *data,
                 struct pace *pace);
