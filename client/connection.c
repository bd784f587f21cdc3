/*
 * connection: the struct from its making to its end: options, forks, closing, and what the daemon
 * said of the session.
 *
 * The struct outlives ipcc_close while there are handles, whose functions then answer LOST.
 */
#include "client/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

int connection_enter(const struct ipcc *conn)
{
    if (conn == NULL) {
        return error_set(IPCC_ERR_ARGUMENT, "the connection is NULL");
    }
    if (fork_happened(conn)) {
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
    if (status < 0) {
        return status;
    }
    struct ipcc *made = calloc(1, sizeof(*made));
    if (made == NULL) {
        return error_set(IPCC_ERR_NO_MEMORY, "no memory for a connection");
    }
    (void)pthread_mutex_init(&made->lock, NULL);
    atomic_init(&made->references, 1);
    atomic_init(&made->inside, 0);
    TAILQ_INIT(&made->waiters);
    STAILQ_INIT(&made->passing);
    atomic_init(&made->came, NULL);
    TAILQ_INIT(&made->listeners);
    made->fd = -1;
    made->wake_fd = -1;
    made->interrupt_fd = -1;
    made->process = getpid();
    atomic_init(&made->interrupted, false);
    made->connect_deadline = NEVER;
    made->flight.deadline = NEVER;
    status = copy_options(made, options);
    if (status == 0 && options->interruptible) {
        status = interrupt_prepare(made);
    }
    status = status < 0 ? status : fork_watch(made);
    if (status < 0) {
        connection_unref(made);
        return status;
    }
    *conn = made;
    return 0;
}

static void close_descriptors(struct ipcc *conn)
{
    int *const descriptors[] = {&conn->fd, &conn->wake_fd, &conn->interrupt_fd};
    for (size_t i = 0; i < sizeof(descriptors) / sizeof(descriptors[0]); i++) {
        if (*descriptors[i] >= 0) {
            (void)close(*descriptors[i]);
            *descriptors[i] = -1;
        }
    }
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
    fork_unwatch(conn);
    close_descriptors(conn);
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
    close_descriptors(conn);
    conn->link = LINK_DOWN;
    conn->closed = true;
    buffer_deinit(&conn->out);
    buffer_deinit(&conn->in);
    descriptors_clear(conn);
    buffer_deinit(&conn->greeting);
    flight_deinit(&conn->flight);
}

/* In a forked child: the descriptors are closed already. The bytes that a reader of the parent's
 * was just changing stay behind. */
static void close_copy(struct ipcc *conn)
{
    if (conn->reading) {
        conn->in = (struct buffer){0};
    }
    free_contents(conn);
    connection_unref(conn);
}

int ipcc_close(struct ipcc *conn)
{
    if (conn == NULL) {
        return 0;
    }
    if (fork_happened(conn)) {
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
    reply_clear(reply);
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
