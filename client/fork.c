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
 * every connection in a state that holds together: but for ipcc.in, which a reader may be changing
 * without the lock.
 * Without the lock a reader also receives, so that it may block: descriptors that another thread
 * has from the kernel at the moment of the fork, and has not noted yet, stay open in the child.
 *
 * This is the only state that the library shares between connections.
 */
#include "client/internal.h"

#include <unistd.h>

static struct {
    pthread_mutex_t lock; /* taken before any connection's */
    LIST_HEAD(, ipcc) connections;
    atomic_uint forks;
    int watch_error;
} all = {.lock = PTHREAD_MUTEX_INITIALIZER, .connections = LIST_HEAD_INITIALIZER(all.connections)};

static void close_descriptor(int *fd)
{
    if (*fd >= 0) {
        (void)close(*fd);
        *fd = -1;
    }
}

static void before_fork(void)
{
    struct ipcc *conn;
    (void)pthread_mutex_lock(&all.lock);
    LIST_FOREACH (conn, &all.connections, link_all) {
        (void)pthread_mutex_lock(&conn->lock);
    }
}

static void unlock_all(void)
{
    struct ipcc *conn;
    LIST_FOREACH (conn, &all.connections, link_all) {
        (void)pthread_mutex_unlock(&conn->lock);
    }
    (void)pthread_mutex_unlock(&all.lock);
}

static void after_fork_in_child(void)
{
    struct ipcc *conn;
    LIST_FOREACH (conn, &all.connections, link_all) {
        close_descriptor(&conn->fd);
        close_descriptor(&conn->wake_fd);
        close_descriptor(&conn->interrupt_fd);
        descriptors_clear(conn);
    }
    (void)atomic_fetch_add_explicit(&all.forks, 1, memory_order_relaxed);
    unlock_all();
}

static void watch_once(void)
{
    all.watch_error = pthread_atfork(before_fork, unlock_all, after_fork_in_child);
}

int fork_watch(struct ipcc *conn)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, watch_once);
    if (all.watch_error != 0) {
        return error_set(IPCC_ERR_NO_MEMORY, "no memory to be told of forks");
    }
    (void)pthread_mutex_lock(&all.lock);
    conn->forks = atomic_load_explicit(&all.forks, memory_order_relaxed);
    LIST_INSERT_HEAD(&all.connections, conn, link_all);
    conn->watched = true;
    (void)pthread_mutex_unlock(&all.lock);
    return 0;
}

void fork_unwatch(struct ipcc *conn)
{
    if (conn->watched) {
        (void)pthread_mutex_lock(&all.lock);
        LIST_REMOVE(conn, link_all);
        (void)pthread_mutex_unlock(&all.lock);
    }
}

bool fork_happened(const struct ipcc *conn)
{
    return conn->forks != atomic_load_explicit(&all.forks, memory_order_relaxed);
}
