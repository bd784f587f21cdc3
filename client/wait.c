/*
 * wait: see wait.h.
 *
 * Tests: tests/unit/client/test_sync.c, tests/unit/client/test_threads.c.
 */
#include "client/wait.h"

#include "client/clock.h"
#include "client/deadlines.h"
#include "client/dispatch.h"
#include "client/interrupt.h"
#include "client/request.h"

#include <poll.h>
#include <unistd.h>

/* A signal that comes just before a thread sleeps does not wake it: who is to be asked about
 * signals is asked once more after this time. */
enum { LOOK_MS = 20 };

/* ---- as the leader --------------------------------------------------------------------------- */

/* What the reader waits for in one turn. */
struct turn {
    int interrupt_fd; /* or -1 */
    bool output;      /* room to send, besides input */
    bool spin;        /* … and may be looked for before it sleeps */
    bool look;        /* `due` is when to ask about signals, which may be a little later, too */
    bool interrupted; /* what came of it: interrupt_fd is readable */
    bool signalled;   /* … or nothing, because of a signal */
    int64_t due;
};

/* Looks for input for as long as that pays. Returns what incoming_receive does; 0: none has come.
 */
static int spin_and_receive(struct ipcc *conn, char *text)
{
    if (!spin_wanted(&conn->spin)) {
        return 0;
    }
    spin_begin(&conn->spin, clock_ns());
    do {
        int status = incoming_receive(&conn->link.in, conn->link.fd, MSG_DONTWAIT, text);
        if (status != 0) {
            spin_found(&conn->spin);
            return status;
        }
        spin_pause();
    } while (spin_goes_on(&conn->spin, clock_ns()));
    return 0;
}

/* Whether a receive that blocks is all that the turn takes: one system call less. */
static bool receive_suffices(struct link *link, const struct turn *turn)
{
    if (turn->output || turn->interrupt_fd >= 0) {
        return false;
    }
    return turn->look ? link_make_brief(link, LOOK_MS) : turn->due == NEVER && !link->brief;
}

/* Waits for the socket and receives, without the lock. Returns what incoming_receive does. */
static int wait_and_receive(struct ipcc *conn, struct turn *turn, char *text)
{
    int status = turn->spin ? spin_and_receive(conn, text) : 0;
    if (status != 0) {
        return status;
    }
    if (receive_suffices(&conn->link, turn)) {
        status = incoming_receive(&conn->link.in, conn->link.fd, 0, text);
        turn->signalled = status == 0;
        return status;
    }
    struct pollfd ready[] = {
        {.fd = conn->link.fd, .events = (short)(turn->output ? POLLIN | POLLOUT : POLLIN)},
        {.fd = turn->interrupt_fd, .events = POLLIN}};
    int count = poll(ready, 2, clock_timeout(turn->due));
    turn->interrupted = count > 0 && ready[1].revents != 0;
    turn->signalled = count < 0;
    bool input = count > 0 && (ready[0].revents & ~POLLOUT) != 0;
    return input ? incoming_receive(&conn->link.in, conn->link.fd, MSG_DONTWAIT, text) : 0;
}

/* One turn as the reader. */
static void lead_turn(struct ipcc *conn, struct waiter *waiter, int64_t deadline)
{
    char text[MESSAGE_TEXT];
    int64_t clock_due = deadlines_next(conn);
    struct turn turn = {.interrupt_fd = conn->interrupt_seen ? -1 : conn->interrupt_fd,
                        .output = conn->link.state == LINK_UP && outgoing_pending(&conn->link.out),
                        .due = clock_due < deadline ? clock_due : deadline};
    conn->reader.receiving = conn->link.state == LINK_UP && !turn.output;
    /* A signal that comes in a spin is not seen: so there is one only if signals do not matter or
     * will be asked about anyway. */
    turn.spin = conn->reader.receiving && !waiter->slept && !waiter->listening &&
                (waiter->interrupted == NULL || waiter->look_due != NEVER);
    turn.look = waiter->look_due != NEVER && turn.due == waiter->look_due;
    (void)pthread_mutex_unlock(&conn->lock);
    int status = wait_and_receive(conn, &turn, text);
    (void)pthread_mutex_lock(&conn->lock);
    conn->reader.receiving = false;
    waiter->slept = status == 0;
    if (turn.output) {
        request_send(conn);
    }
    dispatch_received(conn, status, text);
    if (turn.interrupted) {
        interrupt_waits(conn);
    }
    waiter->signalled = turn.signalled && waiter->interrupted != NULL;
    if (clock_due != NEVER) {
        int64_t now = clock_ms();
        deadlines_connect(conn, now);
        deadlines_calls(conn, now);
    }
}

static int64_t earlier(int64_t deadline, int64_t other)
{
    return deadline < other ? deadline : other;
}

static bool is_due(int64_t deadline)
{
    return deadline != NEVER && clock_ms() >= deadline;
}

/* Reads for all until the waiter's own call is done, or a signal came; then passes the role on. */
static void lead(struct ipcc *conn, struct waiter *waiter, int64_t deadline)
{
    bool due = false; /* that it is not yet has just been seen, or one more turn does not matter */
    while (waiter_state(waiter) != WAITER_DONE && !waiter->signalled && !due) {
        lead_turn(conn, waiter, deadline);
        due = waiter_state(waiter) != WAITER_DONE && is_due(deadline);
    }
    reader_leave(&conn->reader);
}

/* ---- as the flusher -------------------------------------------------------------------------- */

static void ask_to_flush(struct ipcc *conn)
{
    if (outgoing_pending(&conn->link.out)) {
        reader_ask_to_flush(&conn->reader);
    }
}

/* Sends as room comes, as long as another thread reads and the own call is not done. */
static void flush(struct ipcc *conn, struct waiter *waiter, int64_t deadline)
{
    uint32_t epoch = conn->link.epoch;
    int fd = conn->link.fd;
    reader_flush_begin(&conn->reader, waiter);
    while (conn->link.epoch == epoch && conn->reader.reading && outgoing_pending(&conn->link.out) &&
           waiter_state(waiter) != WAITER_DONE && !waiter->signalled && !is_due(deadline)) {
        reader_await_room(&conn->reader, &conn->lock, fd, deadline);
        if (conn->link.epoch == epoch) {
            request_send(conn);
        }
    }
    if (conn->link.epoch != epoch) {
        (void)close(fd); /* see link_down */
        return;
    }
    conn->reader.flusher = NULL;
    ask_to_flush(conn);
}

/* ---- waiting --------------------------------------------------------------------------------- */

/* Gives up on a call. Its answer will be dropped when it comes. */
static int abandon(struct ipcc *conn, struct waiter *waiter, uint32_t msgid)
{
    if (waiter->listening) {
        listeners_remove(&conn->reader, waiter);
        return error_set(IPCC_ERR_TIMEOUT, "no event came in this time");
    }
    conn->flight.slots[msgid].kind = SLOT_ABANDONED;
    if (!waiter->cancelled) {
        request_cancel(conn, msgid);
        request_send(conn);
    }
    return error_set(IPCC_ERR_NO_ANSWER, "the daemon did not answer within the guard time");
}

/* Asks the caller whether a signal ends the call, without the reader's role, since the caller may
 * use the connection. True: the call is given up. */
static bool ask(struct ipcc *conn, struct waiter *waiter, uint32_t msgid)
{
    waiter->signalled = false;
    waiter->look_due = NEVER;
    (void)pthread_mutex_unlock(&conn->lock);
    bool stop = waiter->interrupted(waiter->interrupted_data);
    (void)pthread_mutex_lock(&conn->lock);
    if (!stop || waiter_state(waiter) == WAITER_DONE) {
        return false;
    }
    if (waiter->cancelled) {
        return true;
    }
    waiter->cancelled = true;
    interrupt_call(conn, msgid);
    request_send(conn);
    return false;
}

/* One turn of waiting, in whichever role. True: the call is done, and the lock not held. */
static bool wait_turn(struct ipcc *conn, struct waiter *waiter, int64_t deadline)
{
    if (!conn->reader.reading) {
        conn->reader.reading = true;
        lead(conn, waiter, deadline);
    } else if (outgoing_pending(&conn->link.out) && reader_needs_flusher(&conn->reader)) {
        flush(conn, waiter, deadline);
    } else {
        enum waiter_state state = reader_follow(&conn->reader, &conn->lock, waiter, deadline);
        if (state == WAITER_LEAD) {
            lead(conn, waiter, deadline);
        }
        return state == WAITER_DONE;
    }
    return false;
}

int wait_for_answer(struct ipcc *conn, struct waiter *waiter, uint32_t msgid, int64_t deadline)
{
    waiter->look_due = waiter->interrupted != NULL ? deadline_in(LOOK_MS) : NEVER;
    bool asked = false;
    while (waiter_state(waiter) != WAITER_DONE) {
        if (is_due(deadline) || (asked && ask(conn, waiter, msgid))) {
            waiter->status = abandon(conn, waiter, msgid);
            break;
        }
        if (!asked && wait_turn(conn, waiter, earlier(deadline, waiter->look_due))) {
            return waiter->status;
        }
        asked =
            waiter_state(waiter) != WAITER_DONE && (waiter->signalled || is_due(waiter->look_due));
    }
    ask_to_flush(conn);
    (void)pthread_mutex_unlock(&conn->lock);
    return waiter->status;
}

int wait_enter(struct ipcc *conn)
{
    int cancellation;
    (void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancellation);
    atomic_fetch_add(&conn->inside, 1);
    (void)pthread_mutex_lock(&conn->lock);
    return cancellation;
}

void wait_leave(struct ipcc *conn, int cancellation)
{
    atomic_fetch_sub(&conn->inside, 1);
    (void)pthread_setcancelstate(cancellation, NULL);
}
