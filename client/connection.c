/*
 * connection: the struct from its making to its end: options, forks, closing, and what the daemon
 * said of the session.
 *
 * The struct outlives ipcc_close while there are handles, whose functions then answer LOST. A
 * forked child never takes the lock, of which it does not know who held it.
 */
#include "client/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

/* How many forks lie between the first process that used the library and this one. A connection
 * remembers the count at its opening. */
static atomic_uint fork_count;

static void count_fork(void)
{
    atomic_fetch_add_explicit(&fork_count, 1, memory_order_relaxed);
}

static int watch_error;

static void watch_forks_once(void)
{
    watch_error = pthread_atfork(NULL, NULL, count_fork);
}

static int watch_forks(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, watch_forks_once);
    return watch_error == 0 ? 0 : error_set(IPCC_ERR_NO_MEMORY, "no memory to be told of forks");
}

bool connection_is_forked(const struct ipcc *conn)
{
    return conn->fork_count != atomic_load_explicit(&fork_count, memory_order_relaxed);
}

int connection_enter(const struct ipcc *conn)
{
    if (conn == NULL) {
        return error_set(IPCC_ERR_ARGUMENT, "the connection is NULL");
    }
    if (connection_is_forked(conn)) {
        return error_set(IPCC_ERR_FORKED,
                         "the connection belongs to the parent process; a forked child "
                         "opens one of its own with ipcc_open");
    }
    return 0;
}

int connection_enter_blocking(const struct ipcc *conn)
{
    int status = connection_enter(conn);
    if (status < 0) {
        return status;
    }
    for (const struct callback *at = thread_state()->callback; at != NULL; at = at->outer) {
        if (at->conn == conn) {
            return error_set(IPCC_ERR_BUSY,
                             "a callback cannot wait for its own connection, which waits "
                             "for the callback; use ipcc_call_async");
        }
    }
    return 0;
}

/* ---- made and freed -------------------------------------------------------------------------- */

static int check_options(const struct ipcc_options *options)
{
    if (options->connect_timeout_ms < IPCC_FOREVER) {
        return error_set(IPCC_ERR_ARGUMENT,
                         "connect_timeout_ms must be milliseconds, or IPCC_FOREVER");
    }
    if (options->guard_ms < 0) {
        return error_set(IPCC_ERR_ARGUMENT, "guard_ms must be milliseconds, or 0 for none");
    }
    return CHECK_RESERVED(options);
}

static int copy_options(struct ipcc *conn, const struct ipcc_options *options)
{
    conn->connect_timeout_ms =
        options->connect_timeout_ms != 0 ? options->connect_timeout_ms : CONNECT_TIMEOUT_MS;
    conn->guard_ms = options->guard_ms;
    /* A message has no more bytes: the scanner counts elements in 32 bits. */
    conn->max_message = options->max_message != 0 && options->max_message < UINT32_MAX
                            ? options->max_message
                            : UINT32_MAX;
    conn->reconnect = options->reconnect;
    conn->client =
        strdup(options->client != NULL ? options->client : program_invocation_short_name);
    conn->client_version = strdup(options->client_version != NULL ? options->client_version : "");
    if (conn->client == NULL || conn->client_version == NULL) {
        return error_set(IPCC_ERR_NO_MEMORY, "no memory for a connection");
    }
    return address_find(conn, options->path);
}

int connection_new(struct ipcc **conn, const struct ipcc_options *options)
{
    static const struct ipcc_options defaults;
    if (conn == NULL) {
        return error_set(IPCC_ERR_ARGUMENT, "there must be a place for the connection");
    }
    options = options != NULL ? options : &defaults;
    int status = check_options(options);
    status = status < 0 ? status : watch_forks();
    if (status < 0) {
        return status;
    }
    struct ipcc *made = calloc(1, sizeof(*made));
    if (made == NULL) {
        return error_set(IPCC_ERR_NO_MEMORY, "no memory for a connection");
    }
    (void)pthread_mutex_init(&made->lock, NULL);
    made->fork_count = atomic_load_explicit(&fork_count, memory_order_relaxed);
    atomic_init(&made->references, 1);
    atomic_init(&made->inside, 0);
    TAILQ_INIT(&made->waiters);
    made->fd = -1;
    made->wake_fd = -1;
    made->connect_deadline = NEVER;
    made->flight.deadline = NEVER;
    status = copy_options(made, options);
    if (status < 0) {
        connection_unref(made);
        return status;
    }
    *conn = made;
    return 0;
}

void connection_ref(struct ipcc *conn)
{
    atomic_fetch_add(&conn->references, 1);
}

void connection_unref(struct ipcc *conn)
{
    if (atomic_fetch_sub(&conn->references, 1) > 1) {
        return;
    }
    (void)pthread_mutex_destroy(&conn->lock);
    free(conn->client);
    free(conn->client_version);
    free(conn);
}

/* ---- ended and closed ------------------------------------------------------------------------ */

int ipcc_disconnect(struct ipcc *conn)
{
    int status = connection_enter(conn);
    if (status < 0) {
        return status;
    }
    (void)pthread_mutex_lock(&conn->lock);
    connection_end(conn, IPCC_ERR_LOST, "the connection was ended by ipcc_disconnect");
    if (!conn->reading && conn->link != LINK_DOWN) {
        conn->reading = true;
        connection_lost(conn, conn->end_code, conn->end_message);
        reader_leave(conn);
    }
    (void)pthread_mutex_unlock(&conn->lock);
    return 0;
}

static void free_contents(struct ipcc *conn)
{
    if (conn->fd >= 0) {
        (void)close(conn->fd);
    }
    if (conn->wake_fd >= 0) {
        (void)close(conn->wake_fd);
    }
    conn->fd = -1;
    conn->wake_fd = -1;
    conn->link = LINK_DOWN;
    conn->closed = true;
    buffer_deinit(&conn->out);
    buffer_deinit(&conn->in);
    buffer_deinit(&conn->greeting);
    flight_deinit(&conn->flight);
}

/* In a forked child. If another thread of the parent was at work on the connection at the moment of
 * the fork, its memory may be half changed, and is left alone. */
static void close_copy(struct ipcc *conn)
{
    if (!conn->reading && pthread_mutex_trylock(&conn->lock) == 0) {
        free_contents(conn);
        (void)pthread_mutex_unlock(&conn->lock);
        connection_unref(conn);
    } else if (conn->fd >= 0) {
        (void)close(conn->fd);
    }
}

int ipcc_close(struct ipcc *conn)
{
    if (conn == NULL) {
        return 0;
    }
    if (connection_is_forked(conn)) {
        close_copy(conn);
        return 0;
    }
    int status = connection_enter_blocking(conn);
    if (status < 0) {
        return status;
    }
    (void)pthread_mutex_lock(&conn->lock);
    if (conn->reading || atomic_load(&conn->inside) > 0) {
        (void)pthread_mutex_unlock(&conn->lock);
        return error_set(IPCC_ERR_BUSY,
                         "the connection cannot be closed while threads are in calls on "
                         "it; ipcc_disconnect ends those");
    }
    conn->closed = true;
    conn->reading = true;
    connection_lost(conn, IPCC_ERR_LOST, "the connection was closed");
    conn->reading = false;
    free_contents(conn);
    (void)pthread_mutex_unlock(&conn->lock);
    connection_unref(conn);
    return 0;
}

/* ---- what the daemon said of the session ----------------------------------------------------- */

static int no_session(const struct ipcc *conn)
{
    return error_set(IPCC_ERR_LOST, conn->link == LINK_DOWN
                                        ? "there is no session: the connection is lost"
                                        : "there is no session yet: the connection is being made");
}

int ipcc_session(struct ipcc *conn, uint64_t *session)
{
    int status = connection_enter(conn);
    if (status < 0) {
        return status;
    }
    (void)pthread_mutex_lock(&conn->lock);
    if (!conn->greeted) {
        status = no_session(conn);
    } else if (session != NULL) {
        *session = conn->session;
    }
    (void)pthread_mutex_unlock(&conn->lock);
    return status;
}

int ipcc_greeting(struct ipcc *conn, struct ipcc_reply *reply)
{
    int status = connection_enter(conn);
    if (status < 0) {
        return status;
    }
    (void)pthread_mutex_lock(&conn->lock);
    struct ipcc_reply copy = {0};
    if (!conn->greeted) {
        status = no_session(conn);
    } else if (reply_set(&copy, buffer_slice(&conn->greeting)) < 0) {
        status = error_set(IPCC_ERR_NO_MEMORY, "no memory for a copy of the greeting");
    }
    (void)pthread_mutex_unlock(&conn->lock);
    if (status == 0 && reply != NULL) {
        *reply = copy;
    } else {
        ipcc_reply_free(&copy);
    }
    return status;
}
