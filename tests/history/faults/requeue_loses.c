/* Fault: what a session has taken is lost with it instead of going back to the queue. */
#include "daemon/objects/queue.h"
#include "tests/history/faults/ties.h"

static void lose(struct tie *tie)
{
    if (tie->object->type->kind != OBJECT_QUEUE) {
        return;
    }
    struct item *item;
    while ((item = TAILQ_FIRST(&tie->taken)) != NULL) {
        (void)queue_done((struct queue *)tie->object, item, NULL);
    }
}

void __wrap_session_end(struct session *session, void (*ended)(struct session *session))
{
    each_tie(session, lose);
    __real_session_end(session, ended);
}
