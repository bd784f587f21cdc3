/*
 * sync: blocking calls, of many threads at once on one connection.
 *
 * Leader and followers. The first thread that has to wait takes the reader's role: it waits for the
 * socket and finishes the calls of all others, waking exactly the thread whose call is done. The
 * others sleep, each on a futex of its own. When the leader's own call is done it gives the role to
 * one of the sleepers, by name: the role is never free while somebody waits, so that no wake-up can
 * be lost and nobody is woken in vain. A thread that is alone costs two system calls for each call:
 * one send and one receive.
 *
 * A leader with nothing to send sits in a plain receive, from which only input wakes it. If another
 * thread's request does not fit into the socket just then, that thread becomes the flusher: it
 * waits for room itself. An eventfd, made when first needed, tells the flusher that its call is
 * done or that the role has become free.
 */
#include "client/internal.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* How long a flusher without an eventfd (no descriptor was free) goes without looking around. */
enum { BLIND_FLUSH_MS = 20 };

/* ---- futexes --------------------------------------------------------------------------------- */

static void futex_wake(_Atomic uint32_t *word)
{
    (void)syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

/* Sleeps while *word is `value`, until woken, or `deadline`, or for no reason. */
static void futex_wait(_Atomic uint32_t *word, uint32_t value, int64_t deadline)
{
    struct timespec until = {.tv_sec = deadline / 1000, .tv_nsec = deadline % 1000 * 1000000};
    (void)syscall(SYS_futex, word, FUTEX_WAIT_BITSET_PRIVATE, value,
                  deadline == NEVER ? NULL : &until, NULL, FUTEX_BITSET_MATCH_ANY);
}

static uint32_t waiter_state(struct waiter *waiter)
{
    return atomic_load_explicit(&waiter->state, memory_order_acquire);
}

/* Changes a waiter's state. From here on a finished waiter may be gone: the wake-up then hits
 * nothing, or a futex that expects to wake for no reason. */
static void waiter_set(struct ipcc *conn, struct waiter *waiter, enum waiter_state state)
{
    bool asleep = waiter->listed;
    if (asleep) {
        TAILQ_REMOVE(&conn->waiters, waiter, link);
        waiter->listed = false;
    }
    _Atomic uint32_t *word = &waiter->state;
    atomic_store_explicit(word, state, memory_order_release);
    if (asleep) {
        futex_wake(word);
    }
}

/* ---- the roles ------------------------------------------------------------------------------- */

static void wake_flusher(struct ipcc *conn)
{
    uint64_t one = 1;
    if (conn->wake_fd >= 0) {
        /* It fails only when it is full, and then the flusher wakes anyway. */
        ssize_t written = write(conn->wake_fd, &one, sizeof(one));
        (void)written;
    }
}

void reader_leave(struct ipcc *conn)
{
    struct waiter *next = TAILQ_FIRST(&conn->waiters);
    if (next != NULL) {
        waiter_set(conn, next, WAITER_LEAD);
        return;
    }
    conn->reading = false;
    if (conn->flusher != NULL) {
        wake_flusher(conn);
    }
}

/* True if something waits to be sent and nobody sees to it. */
static bool needs_flusher(const struct ipcc *conn)
{
    return stream_pending(conn) && conn->receiving && conn->flusher == NULL;
}

static void ask_to_flush(struct ipcc *conn)
{
    struct waiter *next = TAILQ_FIRST(&conn->waiters);
    if (next != NULL && needs_flusher(conn)) {
        waiter_set(conn, next, WAITER_FLUSH);
    }
}

void waiter_finish(struct ipcc *conn, struct waiter *waiter, int status)
{
    bool asked = waiter_state(waiter) == WAITER_FLUSH;
    bool flushing = conn->flusher == waiter;
    waiter->status = status;
    waiter_set(conn, waiter, WAITER_DONE);
    if (flushing) {
        wake_flusher(conn);
    }
    if (asked) {
        ask_to_flush(conn);
    }
}

/* One that is given no more time, or whose wait is over, listens no more. */
static void stop_listening(struct ipcc *conn, struct waiter *waiter)
{
    TAILQ_REMOVE(&conn->listeners, waiter, listener);
    waiter->listening = false;
}

void listeners_finish(struct ipcc *conn, int status, const char *message)
{
    struct waiter *waiter;
    while ((waiter = TAILQ_FIRST(&conn->listeners)) != NULL) {
        stop_listening(conn, waiter);
        if (status < 0) {
            message_format(waiter->message, "%s", message);
        }
        waiter_finish(conn, waiter, status);
    }
}

/* ---- waiting --------------------------------------------------------------------------------- */

static int poll_timeout(int64_t deadline)
{
    if (deadline == NEVER) {
        return -1;
    }
    int64_t left = deadline - clock_ms();
    return left <= 0 ? 0 : left < INT_MAX ? (int)left : INT_MAX;
}

/* What the reader waits for in one turn. */
struct turn {
    int interrupt_fd; /* or -1 */
    bool output;      /* room to send, besides input */
    bool interrupted; /* what came of it: interrupt_fd is readable */
    int64_t due;
};

/* Waits for the socket and receives, without the lock. Returns what stream_receive does. */
static int wait_and_receive(struct ipcc *conn, struct turn *turn, char *text)
{
    if (!turn->output && turn->due == NEVER && turn->interrupt_fd < 0) {
        return stream_receive(conn, 0, text);
    }
    struct pollfd ready[] = {
        {.fd = conn->fd, .events = (short)(turn->output ? POLLIN | POLLOUT : POLLIN)},
        {.fd = turn->interrupt_fd, .events = POLLIN}};
    int count = poll(ready, 2, poll_timeout(turn->due));
    turn->interrupted = count > 0 && ready[1].revents != 0;
    bool input = count > 0 && (ready[0].revents & ~POLLOUT) != 0;
    return input ? stream_receive(conn, MSG_DONTWAIT, text) : 0;
}

/* One turn as the reader. */
static void lead_turn(struct ipcc *conn, int64_t deadline)
{
    char text[MESSAGE_TEXT];
    int64_t clock_due = async_deadline(conn);
    struct turn turn = {.interrupt_fd = conn->interrupt_seen ? -1 : conn->interrupt_fd,
                        .output = conn->link == LINK_UP && stream_pending(conn),
                        .due = clock_due < deadline ? clock_due : deadline};
    conn->receiving = conn->link == LINK_UP && !turn.output;
    (void)pthread_mutex_unlock(&conn->lock);
    int status = wait_and_receive(conn, &turn, text);
    (void)pthread_mutex_lock(&conn->lock);
    conn->receiving = false;
    if (turn.output) {
        stream_send(conn);
    }
    incoming_take(conn, status, text);
    if (turn.interrupted) {
        interrupt_waits(conn);
    }
    if (clock_due != NEVER) {
        int64_t now = clock_ms();
        connection_tick(conn, now);
        async_expire(conn, now);
    }
}

static bool is_due(int64_t deadline)
{
    return deadline != NEVER && clock_ms() >= deadline;
}

/* Reads for all until the waiter's own call is done, then passes the role on. */
static void lead(struct ipcc *conn, struct waiter *waiter, int64_t deadline)
{
    while (waiter_state(waiter) != WAITER_DONE && !is_due(deadline)) {
        lead_turn(conn, deadline);
    }
    reader_leave(conn);
}

static void wait_for_room(struct ipcc *conn, int fd, int64_t deadline)
{
    struct pollfd ready[] = {{.fd = fd, .events = POLLOUT},
                             {.fd = conn->wake_fd, .events = POLLIN}};
    int timeout = poll_timeout(deadline);
    if (conn->wake_fd < 0 && (timeout < 0 || timeout > BLIND_FLUSH_MS)) {
        timeout = BLIND_FLUSH_MS;
    }
    (void)pthread_mutex_unlock(&conn->lock);
    (void)poll(ready, 2, timeout);
    uint64_t count;
    if ((ready[1].revents & POLLIN) != 0) {
        ssize_t taken = read(ready[1].fd, &count, sizeof(count));
        (void)taken;
    }
    (void)pthread_mutex_lock(&conn->lock);
}

/* Sends as room comes, as long as another thread reads and the own call is not done. */
static void flush(struct ipcc *conn, struct waiter *waiter, int64_t deadline)
{
    uint32_t epoch = conn->epoch;
    int fd = conn->fd;
    conn->flusher = waiter;
    if (conn->wake_fd < 0) {
        conn->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    }
    while (conn->epoch == epoch && conn->reading && stream_pending(conn) &&
           waiter_state(waiter) != WAITER_DONE && !is_due(deadline)) {
        wait_for_room(conn, fd, deadline);
        if (conn->epoch == epoch) {
            stream_send(conn);
        }
    }
    if (conn->epoch != epoch) {
        (void)close(fd); /* see take_down */
        return;
    }
    conn->flusher = NULL;
    ask_to_flush(conn);
}

/* Sleeps until the call is done or there is something to do. The lock is let go of meanwhile; true:
 * the call is done, and it has not been taken again. */
static bool follow(struct ipcc *conn, struct waiter *waiter, int64_t deadline)
{
    TAILQ_INSERT_TAIL(&conn->waiters, waiter, link);
    waiter->listed = true;
    (void)pthread_mutex_unlock(&conn->lock);
    while (waiter_state(waiter) == WAITER_PENDING && !is_due(deadline)) {
        futex_wait(&waiter->state, WAITER_PENDING, deadline);
    }
    if (waiter_state(waiter) == WAITER_DONE) {
        return true;
    }
    (void)pthread_mutex_lock(&conn->lock);
    uint32_t state = waiter_state(waiter);
    if (state == WAITER_PENDING) {
        TAILQ_REMOVE(&conn->waiters, waiter, link);
        waiter->listed = false;
    } else if (state != WAITER_DONE) {
        atomic_store_explicit(&waiter->state, WAITER_PENDING, memory_order_relaxed);
    }
    if (state == WAITER_LEAD) {
        lead(conn, waiter, deadline);
    }
    return false;
}

/* Gives up on a call. Its answer will be dropped when it comes. */
static int abandon(struct ipcc *conn, struct waiter *waiter, uint32_t msgid)
{
    if (waiter->listening) {
        stop_listening(conn, waiter);
        return error_set(IPCC_ERR_TIMEOUT, "no event came in this time");
    }
    conn->flight.slots[msgid].kind = SLOT_ABANDONED;
    stream_cancel(conn, msgid);
    stream_send(conn);
    return error_set(IPCC_ERR_NO_ANSWER, "the daemon did not answer within the guard time");
}

int waiter_wait(struct ipcc *conn, struct waiter *waiter, uint32_t msgid, int64_t deadline)
{
    while (waiter_state(waiter) != WAITER_DONE) {
        if (is_due(deadline)) {
            waiter->status = abandon(conn, waiter, msgid);
            break;
        }
        if (!conn->reading) {
            conn->reading = true;
            lead(conn, waiter, deadline);
        } else if (needs_flusher(conn)) {
            flush(conn, waiter, deadline);
        } else if (follow(conn, waiter, deadline)) {
            return waiter->status;
        }
    }
    ask_to_flush(conn);
    (void)pthread_mutex_unlock(&conn->lock);
    return waiter->status;
}

/* ---- calls ----------------------------------------------------------------------------------- */

/* The library's waiting is no cancellation point: a thread that was cancelled as the leader would
 * leave the others without one. */
static int enter_wait(struct ipcc *conn)
{
    int cancellation;
    (void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancellation);
    atomic_fetch_add(&conn->inside, 1);
    (void)pthread_mutex_lock(&conn->lock);
    return cancellation;
}

static void leave_wait(struct ipcc *conn, int cancellation)
{
    atomic_fetch_sub(&conn->inside, 1);
    (void)pthread_setcancelstate(cancellation, NULL);
}

/* Sends the request and waits. Called with the lock held, returns without it. */
static int call_and_wait(struct ipcc *conn, const struct ipcc_request *request, enum call_wait wait,
                         struct waiter *waiter)
{
    struct slot *slot;
    uint32_t msgid;
    bool interrupted = wait != CALL_NEVER_WAITS && atomic_load(&conn->interrupted);
    int status = interrupted && wait == CALL_WAITS ? interrupt_refuse() : 0;
    status = status < 0 ? status : connection_start(conn, NULL);
    status = status < 0 ? status : stream_request(conn, request, &slot, &msgid);
    if (status < 0) {
        (void)pthread_mutex_unlock(&conn->lock);
        return status;
    }
    slot->kind = SLOT_BLOCKING;
    slot->wait = wait;
    slot->waiter = waiter;
    if (interrupted) {
        interrupt_call(conn, msgid);
    }
    stream_send(conn);
    return waiter_wait(conn, waiter, msgid,
                       request->guard_ms > 0 ? deadline_in(request->guard_ms) : NEVER);
}

int call_run(struct ipcc *conn, const struct ipcc_request *request, enum call_wait wait,
             struct ipcc_reply *reply)
{
    reply_clear(reply);
    int status = connection_enter_blocking(conn);
    if (status < 0) {
        return status;
    }
    struct waiter waiter = {.message = thread_state()->message};
    int cancellation = enter_wait(conn);
    status = call_and_wait(conn, request, wait, &waiter);
    leave_wait(conn, cancellation);
    if (reply != NULL) {
        *reply = waiter.reply;
    } else {
        ipcc_reply_free(&waiter.reply);
    }
    return status;
}

int ipcc_call_request(struct ipcc *conn, const struct ipcc_request *request,
                      struct ipcc_reply *reply)
{
    return call_run(conn, request, CALL_MAY_WAIT, reply);
}

int ipcc_call(struct ipcc *conn, const char *method, const struct ipcc_value *params,
              size_t nparams, struct ipcc_reply *reply)
{
    struct ipcc_request request = {.method = method, .params = params, .nparams = nparams};
    return ipcc_call_request(conn, &request, reply);
}

/* Waits for an event. Called with the lock held, returns without it. */
static int listen_and_wait(struct ipcc *conn, struct waiter *waiter, int64_t deadline)
{
    if (conn->link == LINK_DOWN || atomic_load(&conn->interrupted)) {
        int status =
            conn->link == LINK_DOWN
                ? error_set(IPCC_ERR_LOST, "there is no connection on which events could come")
                : interrupt_refuse();
        (void)pthread_mutex_unlock(&conn->lock);
        return status;
    }
    waiter->listening = true;
    TAILQ_INSERT_TAIL(&conn->listeners, waiter, listener);
    stream_send(conn);
    return waiter_wait(conn, waiter, 0, deadline);
}

int ipcc_wait_watch_event(struct ipcc *conn, int64_t timeout_ms)
{
    int status = connection_enter_blocking(conn);
    if (status < 0) {
        return status;
    }
    if (timeout_ms < IPCC_FOREVER) {
        return error_set(IPCC_ERR_ARGUMENT, "timeout_ms must be milliseconds, or IPCC_FOREVER");
    }
    struct waiter waiter = {.message = thread_state()->message};
    int cancellation = enter_wait(conn);
    status = listen_and_wait(conn, &waiter, deadline_in(timeout_ms));
    leave_wait(conn, cancellation);
    return status;
}

/* Connects and waits for the greeting. Called with the lock held, returns without it. */
static int greet_and_wait(struct ipcc *conn, struct waiter *waiter)
{
    int status = connection_start(conn, waiter);
    if (status < 0) {
        (void)pthread_mutex_unlock(&conn->lock);
        return status;
    }
    stream_send(conn);
    return waiter_wait(conn, waiter, 0, NEVER);
}

int ipcc_open(struct ipcc **conn, const struct ipcc_options *options)
{
    struct ipcc *opened = NULL;
    int status = connection_new(conn != NULL ? &opened : NULL, options);
    if (status < 0) {
        return status;
    }
    struct waiter waiter = {.message = thread_state()->message};
    int cancellation = enter_wait(opened);
    status = greet_and_wait(opened, &waiter);
    leave_wait(opened, cancellation);
    ipcc_reply_free(&waiter.reply);
    if (status < 0) {
        (void)ipcc_close(opened);
        return status;
    }
    *conn = opened;
    return 0;
}
