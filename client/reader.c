/*
 * reader: see reader.h.
 *
 * Tests: tests/unit/client/test_async.c.
 */
#include "client/reader.h"

#include "client/clock.h"
#include "client/error.h"

#include <errno.h>
#include <linux/futex.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* How long a flusher without an eventfd (no descriptor was free) goes without looking around.
 */
enum { BLIND_FLUSH_MS = 20 };

void reader_init(struct reader *reader)
{
    *reader = (struct reader){.wake_fd = -1};
    TAILQ_INIT(&reader->waiters);
    TAILQ_INIT(&reader->listeners);
}

/* ---- futexes --------------------------------------------------------------------------------- */

static void futex_wake(_Atomic uint32_t *word)
{
    (void)syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

/* Sleeps while *word is `value`, until woken, or `deadline`, or for no reason. True if that was a
 * signal. */
static bool futex_wait(_Atomic uint32_t *word, uint32_t value, int64_t deadline)
{
    struct timespec until = {.tv_sec = deadline / 1000, .tv_nsec = deadline % 1000 * 1000000};
    return syscall(SYS_futex, word, FUTEX_WAIT_BITSET_PRIVATE, value,
                   deadline == NEVER ? NULL : &until, NULL, FUTEX_BITSET_MATCH_ANY) < 0 &&
           errno == EINTR;
}

/* Changes a waiter's state. From here on a finished waiter may be gone: the wake-up then hits
 * nothing, or a futex that expects to wake for no reason. */
static void waiter_set(struct reader *reader, struct waiter *waiter, enum waiter_state state)
{
    bool asleep = waiter->listed;
    if (asleep) {
        TAILQ_REMOVE(&reader->waiters, waiter, link);
        waiter->listed = false;
    }
    _Atomic uint32_t *word = &waiter->state;
    atomic_store_explicit(word, state, memory_order_release);
    if (asleep) {
        futex_wake(word);
    }
}

/* ---- the roles ------------------------------------------------------------------------------- */

static void wake_flusher(struct reader *reader)
{
    uint64_t one = 1;
    if (reader->wake_fd >= 0) {
        /* It fails only when it is full, and then the flusher wakes anyway. */
        ssize_t written = write(reader->wake_fd, &one, sizeof(one));
        (void)written;
    }
}

void reader_leave(struct reader *reader)
{
    struct waiter *next = TAILQ_FIRST(&reader->waiters);
    if (next != NULL) {
        waiter_set(reader, next, WAITER_LEAD);
        return;
    }
    reader->reading = false;
    if (reader->flusher != NULL) {
        wake_flusher(reader);
    }
}

bool reader_needs_flusher(const struct reader *reader)
{
    return reader->receiving && reader->flusher == NULL;
}

void reader_ask_to_flush(struct reader *reader)
{
    struct waiter *next = TAILQ_FIRST(&reader->waiters);
    if (next != NULL && reader_needs_flusher(reader)) {
        waiter_set(reader, next, WAITER_FLUSH);
    }
}

void waiter_finish(struct reader *reader, struct waiter *waiter, int status)
{
    bool asked = waiter_state(waiter) == WAITER_FLUSH;
    bool flushing = reader->flusher == waiter;
    waiter->status = status;
    waiter_set(reader, waiter, WAITER_DONE);
    if (flushing) {
        wake_flusher(reader);
    }
    if (asked) {
        reader_ask_to_flush(reader);
    }
}

/* ---- listening ------------------------------------------------------------------------------- */

void listeners_add(struct reader *reader, struct waiter *waiter)
{
    waiter->listening = true;
    TAILQ_INSERT_TAIL(&reader->listeners, waiter, listener);
}

void listeners_remove(struct reader *reader, struct waiter *waiter)
{
    TAILQ_REMOVE(&reader->listeners, waiter, listener);
    waiter->listening = false;
}

void listeners_finish(struct reader *reader, int status, const char *message)
{
    struct waiter *waiter;
    while ((waiter = TAILQ_FIRST(&reader->listeners)) != NULL) {
        listeners_remove(reader, waiter);
        if (status < 0) {
            message_format(waiter->message, "%s", message);
        }
        waiter_finish(reader, waiter, status);
    }
}

/* ---- waiting --------------------------------------------------------------------------------- */

enum waiter_state reader_follow(struct reader *reader, pthread_mutex_t *lock, struct waiter *waiter,
                                int64_t deadline)
{
    TAILQ_INSERT_TAIL(&reader->waiters, waiter, link);
    waiter->listed = true;
    (void)pthread_mutex_unlock(lock);
    while (waiter_state(waiter) == WAITER_PENDING && !waiter->signalled &&
           (deadline == NEVER || clock_ms() < deadline)) {
        waiter->signalled =
            futex_wait(&waiter->state, WAITER_PENDING, deadline) && waiter->interrupted != NULL;
    }
    if (waiter_state(waiter) == WAITER_DONE) {
        return WAITER_DONE;
    }
    (void)pthread_mutex_lock(lock);
    enum waiter_state state = waiter_state(waiter);
    if (state == WAITER_DONE) {
        return WAITER_PENDING; /* for the caller to find out with the lock held */
    }
    if (state == WAITER_PENDING) {
        TAILQ_REMOVE(&reader->waiters, waiter, link);
        waiter->listed = false;
    } else {
        atomic_store_explicit(&waiter->state, WAITER_PENDING, memory_order_relaxed);
    }
    return state;
}

void reader_flush_begin(struct reader *reader, struct waiter *waiter)
{
    reader->flusher = waiter;
    if (reader->wake_fd < 0) {
        reader->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    }
}

void reader_await_room(struct reader *reader, pthread_mutex_t *lock, int fd, int64_t deadline)
{
    struct pollfd ready[] = {{.fd = fd, .events = POLLOUT},
                             {.fd = reader->wake_fd, .events = POLLIN}};
    int timeout = clock_timeout(deadline);
    if (reader->wake_fd < 0 && (timeout < 0 || timeout > BLIND_FLUSH_MS)) {
        timeout = BLIND_FLUSH_MS;
    }
    struct waiter *flusher = reader->flusher; /* the caller; nobody is when the link is lost */
    (void)pthread_mutex_unlock(lock);
    bool signalled = poll(ready, 2, timeout) < 0 && errno == EINTR;
    uint64_t count;
    if ((ready[1].revents & POLLIN) != 0) {
        ssize_t taken = read(ready[1].fd, &count, sizeof(count));
        (void)taken;
    }
    (void)pthread_mutex_lock(lock);
    flusher->signalled = signalled && flusher->interrupted != NULL;
}
