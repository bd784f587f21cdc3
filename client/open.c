/*
 * open: opening, ending and closing connections.
 *
 * Tests: tests/unit/client/test_typed.c.
 */
#include "client/clock.h"
#include "client/embedded.h"
#include "client/ending.h"
#include "client/request.h"
#include "client/session.h"
#include "client/wait.h"

/* Connects and waits for the greeting. Called with the lock held, returns without it. */
static int greet_and_wait(struct ipcc *conn, struct waiter *waiter)
{
    int status = session_start(conn, waiter);
    if (status < 0) {
        (void)pthread_mutex_unlock(&conn->lock);
        return status;
    }
    request_send(conn);
    return wait_for_answer(conn, waiter, 0, NEVER);
}

/* What comes of opening a connection, if it came to this `status` at first: a daemon is started if
 * it may be and there is none. True: connecting is worth another try. */
static bool start_embedded(struct ipcc *conn, int *status)
{
    /* Once a connection has stood and was lost, or took too long, there is a daemon. */
    bool nobody = *status == IPCC_ERR_CONNECT && conn->link.epoch == 0;
    if (!nobody || !conn->embedded) {
        return false;
    }
    *status = embedded_start(&conn->link.address, conn->connect_timeout_ms);
    return *status == 0;
}

/* In a forked child: the descriptors are closed already. The bytes that a reader of the parent's
 * was just changing stay behind. */
static void close_copy(struct ipcc *conn)
{
    if (conn->reader.reading) {
        conn->link.in.bytes = (struct buffer){0};
    }
    connection_empty(conn);
    connection_unref(conn);
}

int ipcc_close(struct ipcc *conn)
{
    if (conn == NULL) {
        return 0;
    }
    if (fork_happened(&conn->fork)) {
        close_copy(conn);
        return 0;
    }
    int status = connection_enter_blocking(conn, thread_state());
    if (status < 0) {
        return status;
    }
    (void)pthread_mutex_lock(&conn->lock);
    if (conn->reader.reading || atomic_load(&conn->inside) > 0) {
        (void)pthread_mutex_unlock(&conn->lock);
        return error_set(IPCC_ERR_BUSY,
                         "the connection cannot be closed while threads are in calls on "
                         "it; ipcc_disconnect ends those");
    }
    conn->closed = true;
    conn->reader.reading = true;
    ending_run(conn, IPCC_ERR_LOST, "the connection was closed");
    conn->reader.reading = false;
    connection_empty(conn);
    (void)pthread_mutex_unlock(&conn->lock);
    connection_unref(conn);
    return 0;
}

int ipcc_disconnect(struct ipcc *conn)
{
    int status = connection_enter(conn);
    if (status < 0) {
        return status;
    }
    (void)pthread_mutex_lock(&conn->lock);
    ending_request(conn, IPCC_ERR_LOST, "the connection was ended by ipcc_disconnect");
    if (!conn->reader.reading && conn->link.state != LINK_DOWN) {
        conn->reader.reading = true;
        ending_run(conn, conn->end_code, conn->end_message);
        reader_leave(&conn->reader);
    }
    (void)pthread_mutex_unlock(&conn->lock);
    return 0;
}

int ipcc_open(struct ipcc **conn, const struct ipcc_options *options)
{
    struct ipcc *opened = NULL;
    int status = connection_new(conn != NULL ? &opened : NULL, options);
    if (status < 0) {
        return status;
    }
    struct waiter waiter = {.message = thread_state()->message};
    int cancellation = wait_enter(opened);
    status = greet_and_wait(opened, &waiter);
    if (start_embedded(opened, &status)) {
        (void)pthread_mutex_lock(&opened->lock);
        status = greet_and_wait(opened, &waiter);
    }
    wait_leave(opened, cancellation);
    ipcc_reply_free(&waiter.reply);
    if (status < 0) {
        (void)ipcc_close(opened);
        return status;
    }
    *conn = opened;
    return 0;
}

/* Connects, and leaves the greeting to be waited for. */
static int greet(struct ipcc *conn)
{
    (void)pthread_mutex_lock(&conn->lock);
    int status = session_start(conn, NULL);
    request_send(conn);
    (void)pthread_mutex_unlock(&conn->lock);
    return status;
}

int ipcc_open_async(struct ipcc **conn, const struct ipcc_options *options)
{
    struct ipcc *opened = NULL;
    int status = connection_new(conn != NULL ? &opened : NULL, options);
    if (status < 0) {
        return status;
    }
    status = greet(opened);
    if (start_embedded(opened, &status)) {
        status = greet(opened);
    }
    if (status < 0) {
        (void)ipcc_close(opened);
        return status;
    }
    *conn = opened;
    return 0;
}

_Static_assert((int)IPCC_ADDRESS_SIZE == (int)ADDRESS_TEXT, "room for any path");

int ipcc_address(struct ipcc *conn, char *path, size_t size)
{
    char text[ADDRESS_TEXT];
    int status = connection_enter(conn);
    if (status < 0) {
        return status;
    }
    if (path == NULL || size == 0) {
        return error_set(IPCC_ERR_ARGUMENT, "ipcc_address needs room for the path");
    }
    (void)address_text(&conn->link.address, text); /* stays as it is once it is open */
    size_t length = strlen(text);
    if (length >= size) {
        return error_set(IPCC_ERR_RANGE,
                         "the socket's path has %zu bytes, and there is room for %zu", length,
                         size - 1);
    }
    memcpy(path, text, length + 1);
    return 0;
}
