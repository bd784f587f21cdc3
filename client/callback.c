/*
 * callback: see callback.h.
 *
 * Tests: tests/unit/client/test_async.c.
 */
#include "client/callback.h"

void callback_enter(struct ipcc *conn, struct callback *frame)
{
    struct thread_state *thread = thread_state();
    *frame = (struct callback){conn, thread->callback};
    thread->callback = frame;
    (void)pthread_mutex_unlock(&conn->lock);
}

void callback_leave(struct ipcc *conn, const struct callback *frame)
{
    thread_state()->callback = frame->outer;
    (void)pthread_mutex_lock(&conn->lock);
}

void callback_run(struct ipcc *conn, const struct slot *slot, int status,
                  const struct ipcc_reply *reply)
{
    if (slot->done == NULL) {
        return;
    }
    struct callback frame;
    callback_enter(conn, &frame);
    slot->done(conn, status, reply, slot->data);
    callback_leave(conn, &frame);
}
