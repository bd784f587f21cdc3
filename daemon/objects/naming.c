/*
 * naming: an object gets another name; see object.h.
 *
 * Tests: tests/unit/objects/test_registry.c, tests/unit/methods/test_rename.c.
 */
#include "daemon/objects/allocation.h"
#include "daemon/objects/watch.h"

#include <stdlib.h>

int object_set_name(struct object *object, struct slice name)
{
    uint8_t len = (uint8_t)name.len; /* of a name that has been checked */
    uint64_t before = allocation_cost(object->name_len + 1U);
    uint64_t after = allocation_cost(len + 1U);
    int status = after > before ? user_charge(object->user, after - before) : 0;
    if (status < 0) {
        return status;
    }
    char *copy = strndup((const char *)name.data, len);
    if (copy == NULL) {
        user_release(object->user, after > before ? after - before : 0);
        return ERR_MEMORY;
    }
    const union detail detail = {.str = copy};
    object_tell(object, EVENT_renamed, &detail);
    user_release(object->user, before > after ? before - after : 0);
    free(object->name);
    object->name = copy;
    object->name_len = len;
    object_unsaved(object, UNSAVED_OWN);
    return 0;
}
