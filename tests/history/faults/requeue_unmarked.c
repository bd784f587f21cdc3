/* Fault: an item that comes back when a session ends is delivered again as if for the first time.
 */
#include "daemon/objects/queue.h"
#include "tests/history/faults/ties.h"

static void unmark(struct tie *tie)
{
    struct item *item;
    if (tie->object->type->kind == OBJECT_QUEUE) {
        TAILQ_FOREACH (item, &tie->taken, of_tie) {
            item->meta.deliveries--;
        }
    }
}

void __wrap_session_end(struct session *session, void (*ended)(struct session *session))
{
    each_tie(session, unmark);
    __real_session_end(session, ended);
}
