/* heap: see heap.h. */
#include "daemon/objects/heap.h"

#include <stdlib.h>

#include "proto/error.h"

enum { FIRST_CAPACITY = 16, STEPS_EACH = 4 /* of heap_filter, for an element */ };

void heap_deinit(struct heap *heap)
{
    free(heap->elements);
    heap->elements = NULL;
    heap->len = 0;
    heap->cap = 0;
}

int heap_reserve(struct heap *heap)
{
    if (heap->len < heap->cap) {
        return 0;
    }
    if (heap->cap > UINT32_MAX / 2) {
        return ERR_MEMORY;
    }
    uint32_t cap = heap->cap > 0 ? heap->cap * 2 : FIRST_CAPACITY;
    void **elements = realloc(heap->elements, cap * sizeof(*elements));
    if (elements == NULL) {
        return ERR_MEMORY;
    }
    heap->elements = elements;
    heap->cap = cap;
    return 0;
}

static void set(struct heap *heap, uint32_t at, void *element)
{
    heap->elements[at] = element;
    *heap->position(element) = at;
}

static void sift_up(struct heap *heap, uint32_t at, void *element)
{
    while (at > 0) {
        uint32_t parent = (at - 1) / 2;
        if (!heap->before(element, heap->elements[parent])) {
            break;
        }
        set(heap, at, heap->elements[parent]);
        at = parent;
    }
    set(heap, at, element);
}

static void sift_down(struct heap *heap, uint32_t at, void *element)
{
    for (;;) {
        uint32_t child = 2 * at + 1;
        if (child >= heap->len) {
            break;
        }
        if (child + 1 < heap->len &&
            heap->before(heap->elements[child + 1], heap->elements[child])) {
            child++;
        }
        if (!heap->before(heap->elements[child], element)) {
            break;
        }
        set(heap, at, heap->elements[child]);
        at = child;
    }
    set(heap, at, element);
}

int heap_push(struct heap *heap, void *element)
{
    int status = heap_reserve(heap);
    if (status < 0) {
        return status;
    }
    sift_up(heap, heap->len++, element);
    return 0;
}

void *heap_top(const struct heap *heap)
{
    return heap->len > 0 ? heap->elements[0] : NULL;
}

void heap_update(struct heap *heap, void *element)
{
    uint32_t at = *heap->position(element);
    if (at > 0 && heap->before(element, heap->elements[(at - 1) / 2])) {
        sift_up(heap, at, element);
    } else {
        sift_down(heap, at, element);
    }
}

static void give_memory_back(struct heap *heap)
{
    if (heap->cap <= FIRST_CAPACITY || heap->len > heap->cap / 4) {
        return;
    }
    void **elements = realloc(heap->elements, heap->cap / 2 * sizeof(*elements));
    if (elements != NULL) {
        heap->elements = elements;
        heap->cap /= 2;
    }
}

void heap_remove(struct heap *heap, void *element)
{
    uint32_t at = *heap->position(element);
    if (at == HEAP_NONE) {
        return;
    }
    *heap->position(element) = HEAP_NONE;
    void *last = heap->elements[--heap->len];
    if (last != element) {
        set(heap, at, last);
        heap_update(heap, last);
    }
    give_memory_back(heap);
}

void *heap_take_any(struct heap *heap)
{
    void *element = heap->elements[--heap->len];
    *heap->position(element) = HEAP_NONE;
    give_memory_back(heap);
    return element;
}

void heap_filter(struct heap *heap, bool (*keep)(void *data, void *element), void *data,
                 struct pace *pace)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < heap->len; i++) {
        void *element = heap->elements[i];
        *heap->position(element) = HEAP_NONE;
        if (keep(data, element)) {
            heap->elements[kept++] = element;
        }
        pace_step(pace, STEPS_EACH);
    }
    heap->len = 0;
    for (uint32_t i = 0; i < kept; i++) {
        sift_up(heap, heap->len++, heap->elements[i]);
        pace_step(pace, STEPS_EACH);
    }
    give_memory_back(heap);
}
