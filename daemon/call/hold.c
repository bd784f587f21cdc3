/* hold: see hold.h. */
#include "daemon/call/hold.h"

#include <stdlib.h>

int hold_new(struct object *object, const struct pace *holder, struct hold_list *open)
{
    struct hold *hold = malloc(sizeof(*hold));
    if (hold == NULL) {
        return ERR_MEMORY;
    }
    *hold = (struct hold){.object = object_ref(object), .open = open, .holder = holder};
    TAILQ_INIT(&hold->behind);
    object->hold = hold;
    object_settle(object, true);
    return 0;
}

/* Nobody has it and nobody stands behind it. */
static void end(struct hold *hold)
{
    struct object *object = hold->object;
    object->hold = NULL;
    free(hold);
    object_changed(object);
    object_unref(object);
}

void hold_take(struct hold *hold, const struct pace *holder)
{
    if (!hold->letting_in) {
        TAILQ_REMOVE(hold->open, hold, link);
    }
    hold->holder = holder;
    object_settle(hold->object, true);
}

void hold_release(struct hold *hold)
{
    hold->holder = NULL;
    if (hold->letting_in) {
        return; /* whoever let it in sees to the rest */
    }
    if (TAILQ_EMPTY(&hold->behind)) {
        end(hold);
    } else {
        TAILQ_INSERT_TAIL(hold->open, hold, link);
        object_changed(hold->object); /* its waiters come before the visitors */
    }
}

void visitor_stand(struct visitor *visitor, struct object *object)
{
    visitor->hold = object->hold;
    TAILQ_INSERT_TAIL(&visitor->hold->behind, visitor, link);
}

void visitor_leave(struct visitor *visitor)
{
    struct hold *hold = visitor->hold;
    if (hold == NULL) {
        return;
    }
    TAILQ_REMOVE(&hold->behind, visitor, link);
    visitor->hold = NULL;
    if (hold->holder == NULL && !hold->letting_in && TAILQ_EMPTY(&hold->behind)) {
        TAILQ_REMOVE(hold->open, hold, link);
        end(hold);
    }
}

void hold_let_in(struct hold *hold)
{
    struct visitor *visitor = TAILQ_FIRST(&hold->behind);
    TAILQ_REMOVE(hold->open, hold, link);
    TAILQ_REMOVE(&hold->behind, visitor, link);
    visitor->hold = NULL;
    hold->letting_in = true;
    visitor->enter(visitor);
    hold->letting_in = false;
    if (hold->holder != NULL) {
        return;
    }
    if (TAILQ_EMPTY(&hold->behind)) {
        end(hold);
    } else {
        TAILQ_INSERT_TAIL(hold->open, hold, link);
    }
}
