/*
 * fork: what becomes of connections in a child of the process.
 *
 * The child gets a copy of everything, but the session is the parent's. So that the daemon sees the
 * session's end when the parent ends, however long its children live, the child's copies of the
 * sockets are closed right at the fork, and those of descriptors that are on their way in values,
 * so that nobody waits for the end of a file that only a child still has open. From then on the
 * connections answer FORKED there: each remembers the count of forks at its opening, and the count
 * is another one in the child.
 *
 * All locks are taken before a fork and let go of after it on both sides, so that the child finds
 * every connection in a state that holds together: but for what came, which a reader may be
 * changing without the lock. Without the lock a reader also receives, so that it may block:
 * descriptors that another thread has from the kernel at the moment of the fork, and has not noted
 * yet, stay open in the child.
 *
 * Besides the embedded daemon of the process (embedded.c), which is told of forks as well, this is
 * the only state that the library shares between connections.
 */
#include "client/fork.h"

#include "client/error.h"
#include "client/ipcclient/error.h"

#include <stdatomic.h>

static struct {
    pthread_mutex_t lock; /* taken before any connection's */
    LIST_HEAD(, fork_watch) watches;
    atomic_uint forks;
    int watch_error;
} all = {.lock = PTHREAD_MUTEX_INITIALIZER, .watches = LIST_HEAD_INITIALIZER(all.watches)};

static void before_fork(void)
{
    struct fork_watch *watch;
    (void)pthread_mutex_lock(&all.lock);
    LIST_FOREACH (watch, &all.watches, link) {
        (void)pthread_mutex_lock(watch->lock);
    }
}

static void unlock_all(void)
{
    struct fork_watch *watch;
    LIST_FOREACH (watch, &all.watches, link) {
        (void)pthread_mutex_unlock(watch->lock);
    }
    (void)pthread_mutex_unlock(&all.lock);
}

static void after_fork_in_child(void)
{
    struct fork_watch *watch;
    LIST_FOREACH (watch, &all.watches, link) {
        watch->in_child(watch);
    }
    (void)atomic_fetch_add_explicit(&all.forks, 1, memory_order_relaxed);
    unlock_all();
}

static void watch_once(void)
{
    all.watch_error = pthread_atfork(before_fork, unlock_all, after_fork_in_child);
}

static bool are_counted(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, watch_once);
    return all.watch_error == 0;
}

int fork_watch(struct fork_watch *watch)
{
    if (!are_counted()) {
        return error_set(IPCC_ERR_NO_MEMORY, "no memory to be told of forks");
    }
    (void)pthread_mutex_lock(&all.lock);
    watch->forks = atomic_load_explicit(&all.forks, memory_order_relaxed);
    LIST_INSERT_HEAD(&all.watches, watch, link);
    watch->watched = true;
    (void)pthread_mutex_unlock(&all.lock);
    return 0;
}

void fork_unwatch(struct fork_watch *watch)
{
    if (watch->watched) {
        (void)pthread_mutex_lock(&all.lock);
        LIST_REMOVE(watch, link);
        (void)pthread_mutex_unlock(&all.lock);
    }
}

unsigned fork_count(void)
{
    return are_counted() ? atomic_load_explicit(&all.forks, memory_order_relaxed) + 1 : 0;
}

bool fork_happened(const struct fork_watch *watch)
{
    return watch->forks != atomic_load_explicit(&all.forks, memory_order_relaxed);
}
