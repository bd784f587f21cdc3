/*
 * tie: see tie.h.
 *
 * Tests: tests/unit/objects/test_object.c, tests/unit/methods/test_sealed.c.
 */
#include "daemon/objects/tie.h"

void tie_abandon(struct tie *tie, uint64_t now, struct pace *pace)
{
    struct object *object = tie->object;
    object_settle(object, true); /* what goes back may go to the head */
    if (!object_is_sealed(object)) {
        object->type->abandon(object, tie, now, pace);
        (void)object_check(object, tie->holding == 0, "a session that has ended still holds it");
    }
    tie->holding = 0;
}
