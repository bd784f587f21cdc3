/*
 * interrupt: a signal handler ends the waits of a connection.
 *
 * The handler sets ipcc.interrupted, which every call that would wait looks at before it is sent,
 * and then makes ipcc.interrupt_fd readable, which wakes the reader. In this order: a call that saw
 * the flag unset finds the descriptor readable at last. The reader cancels at the daemon what waits
 * there. The daemon's answer decides, so that a result which had left before is not lost.
 */
#include "client/interrupt.h"

#include "client/request.h"

#include <errno.h>
#include <unistd.h>

int interrupt_refuse(void)
{
    return error_set(IPCC_ERR_INTERRUPTED, "the connection is interrupted: there is no waiting on "
                                           "it until ipcc_resume");
}

void interrupt_call(struct ipcc *conn, uint32_t msgid)
{
    conn->flight.slots[msgid].interrupted = true;
    request_cancel(conn, msgid);
}

void interrupt_waits(struct ipcc *conn)
{
    conn->interrupt_seen = true;
    /* An ipcc_resume between the handler's two steps has unset it. */
    atomic_store(&conn->interrupted, true);
    for (uint32_t i = 0; i < conn->flight.count; i++) {
        const struct slot *slot = &conn->flight.slots[i];
        if (slot->kind == SLOT_BLOCKING && slot->wait != CALL_NEVER_WAITS && !slot->interrupted) {
            interrupt_call(conn, i);
        }
    }
    listeners_finish(&conn->reader, IPCC_ERR_INTERRUPTED, "the wait for events was interrupted");
    request_send(conn);
}

/* In a signal handler: nothing here may take a lock, or touch what is kept for a thread. */
int ipcc_interrupt(struct ipcc *conn)
{
    if (conn == NULL) {
        return IPCC_ERR_ARGUMENT;
    }
    /* A child may get the signal before its handlers of fork have run, and shares the eventfd. */
    if (conn->process != getpid()) {
        return IPCC_ERR_FORKED;
    }
    if (conn->interrupt_fd < 0) {
        return IPCC_ERR_ARGUMENT;
    }
    int error = errno;
    uint64_t one = 1;
    atomic_store(&conn->interrupted, true);
    /* It fails only when it is full, and then it is readable anyway. */
    ssize_t written = write(conn->interrupt_fd, &one, sizeof(one));
    (void)written;
    errno = error;
    return 0;
}

int ipcc_resume(struct ipcc *conn)
{
    int status = connection_enter(conn);
    if (status < 0) {
        return status;
    }
    if (conn->interrupt_fd < 0) {
        return error_set(IPCC_ERR_ARGUMENT,
                         "the connection was opened without ipcc_options.interruptible");
    }
    (void)pthread_mutex_lock(&conn->lock);
    uint64_t count;
    atomic_store(&conn->interrupted, false);
    ssize_t taken = read(conn->interrupt_fd, &count, sizeof(count));
    (void)taken;
    conn->interrupt_seen = false;
    (void)pthread_mutex_unlock(&conn->lock);
    return 0;
}
