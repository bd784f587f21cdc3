/* Fault: what a session has taken goes back in the wrong order. */
#include "daemon/objects/queue.h"
#include "tests/history/faults/ties.h"

static void give_back(struct tie *tie)
{
    struct item *item;
    struct queue *queue = (struct queue *)tie->object;
    if (tie->object->type->kind == OBJECT_QUEUE && !queue->options.discard) {
        while ((item = TAILQ_FIRST(&tie->taken)) != NULL) {
            queue_give_back(queue, item, 0, tie->session->service->now, NULL);
        }
    }
}

void __wrap_session_end(struct session *session, void (*ended)(struct session *session))
{
    each_tie(session, give_back);
    __real_session_end(session, ended);
}
