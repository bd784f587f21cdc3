/*
 * steps: a pace that gives way as often as it can, for tests: each time it looks whether the object
 * is sound, and it remembers how many steps there were between.
 */
#pragma once

#include "daemon/objects/object.h"
#include "daemon/objects/pace.h"

struct steps {
    struct pace pace;
    const struct object *object;               /* NULL: there is none yet */
    void (*walk)(const struct object *object); /* touches all that is in it; NULL: nothing */
    uint64_t count;                            /* steps done, up to the last pause */
    uint64_t longest;                          /* between two pauses */
    unsigned pauses;
};

void steps_init(struct steps *steps, const struct object *object,
                void (*walk)(const struct object *object));
