/*
 * index: the method table prepared for dispatch: a hash of the names, the signatures decoded, the
 * kind of object that each method works on. Made once at start-up.
 */
#pragma once

#include "daemon/objects/object.h"
#include "proto/method.h"

enum { METHOD_SLOTS = 512 };

struct method_index {
    struct method_signature signatures[METHOD_COUNT];
    uint8_t kinds[METHOD_COUNT]; /* enum object_kind; OBJECT_KINDS: any */
    uint8_t lens[METHOD_COUNT];  /* of the names */
    uint8_t slots[METHOD_SLOTS]; /* id + 1 by hash of the name; 0: free */
};

void method_index_init(struct method_index *index);

/* The method of that name, or NULL. */
const struct method *method_index_find(const struct method_index *index, struct slice name);
