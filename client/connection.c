/*
 * connection: the struct from its making to its end.
 *
 * The struct outlives ipcc_close while there are handles, whose functions then answer LOST.
 *
 * Tests: tests/unit/client/test_sync.c, tests/unit/client/test_async.c,
 * tests/unit/client/test_fork.c.
 */
#include "client/connection.h"

#include "client/clock.h"
#include "client/embedded.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { CONNECT_TIMEOUT_MS = 10000 }; /* ipcc_options.connect_timeout_ms when it is 0 */

int connection_enter(const struct ipcc *conn)
{
    if (conn == NULL) {
        return error_set(IPCC_ERR_ARGUMENT, "the connection is NULL");
    }
    if (fork_happened(&conn->fork)) {
        return error_set(IPCC_ERR_FORKED,
                         "the connection belongs to the parent process; a forked child "
                         "opens one of its own with ipcc_open");
    }
    return 0;
}

int connection_enter_blocking(const struct ipcc *conn, const struct thread_state *thread)
{
    int status = connection_enter(conn);
    if (status < 0) {
        return status;
    }
    for (const struct callback *at = thread->callback; at != NULL; at = at->outer) {
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

/* A message has no more than 2^32-1 bytes: the scanner counts elements in 32 bits. */
static size_t most_message(const struct ipcc_options *options)
{
    return options->max_message != 0 && options->max_message < UINT32_MAX ? options->max_message
                                                                          : UINT32_MAX;
}

static int copy_options(struct ipcc *conn, const struct ipcc_options *options)
{
    conn->connect_timeout_ms =
        options->connect_timeout_ms != 0 ? options->connect_timeout_ms : CONNECT_TIMEOUT_MS;
    conn->guard_ms = options->guard_ms;
    conn->reconnect = options->reconnect;
    conn->embedded = embedded_allowed(options->path, options->embedded);
    conn->client =
        strdup(options->client != NULL ? options->client : program_invocation_short_name);
    conn->client_version = strdup(options->client_version != NULL ? options->client_version : "");
    if (conn->client == NULL || conn->client_version == NULL) {
        return error_set(IPCC_ERR_NO_MEMORY, "no memory for a connection");
    }
    return address_find(&conn->link.address, options->path);
}

static int make_interruptible(struct ipcc *conn)
{
    conn->interrupt_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return conn->interrupt_fd >= 0 ? 0
                                   : error_set(IPCC_ERR_SYSTEM,
                                               "no descriptor for a connection to be interrupted "
                                               "by: %s",
                                               strerror(errno));
}

static void close_descriptors(struct ipcc *conn)
{
    int *const descriptors[] = {&conn->link.fd, &conn->reader.wake_fd, &conn->interrupt_fd};
    for (size_t i = 0; i < sizeof(descriptors) / sizeof(descriptors[0]); i++) {
        if (*descriptors[i] >= 0) {
            (void)close(*descriptors[i]);
            *descriptors[i] = -1;
        }
    }
}

static void close_in_child(struct fork_watch *watch)
{
    struct ipcc *conn = (struct ipcc *)(void *)((char *)watch - offsetof(struct ipcc, fork));
    close_descriptors(conn);
    outgoing_drop_descriptors(&conn->link.out);
    incoming_drop_descriptors(&conn->link.in);
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
    made->fork = (struct fork_watch){.lock = &made->lock, .in_child = close_in_child};
    link_init(&made->link, most_message(options));
    flight_init(&made->flight);
    reader_init(&made->reader);
    spin_init(&made->spin, options->spin ? SPIN_NS : 0, spin_processors);
    made->interrupt_fd = -1;
    made->process = getpid();
    atomic_init(&made->interrupted, false);
    made->connect_deadline = NEVER;
    status = copy_options(made, options);
    if (status == 0 && options->interruptible) {
        status = make_interruptible(made);
    }
    status = status < 0 ? status : fork_watch(&made->fork);
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
    fork_unwatch(&conn->fork);
    close_descriptors(conn);
    page_deinit(&conn->page);
    (void)pthread_mutex_destroy(&conn->lock);
    free(conn->client);
    free(conn->client_version);
    free(conn);
}

void connection_empty(struct ipcc *conn)
{
    close_descriptors(conn);
    conn->link.state = LINK_DOWN;
    conn->closed = true;
    outgoing_clear(&conn->link.out);
    incoming_clear(&conn->link.in);
    buffer_deinit(&conn->greeting);
    flight_deinit(&conn->flight);
}
