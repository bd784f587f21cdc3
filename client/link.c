/*
 * link: a connection going up and coming down: connecting, the greeting, loss.
 *
 * Taking one down is the reader's alone. Everybody else asks for it (connection_end), which shuts
 * the socket down, so that a reader who waits for input gets the end of the stream.
 */
#include "client/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* ---- connecting ------------------------------------------------------------------------------ */

/* The path as it was given, for messages. */
static const char *address_text(const struct ipcc *conn, char text[sizeof(conn->address.sun_path)])
{
    memcpy(text, conn->address.sun_path, sizeof(conn->address.sun_path));
    if (text[0] == '\0') {
        text[0] = '@';
    }
    text[sizeof(conn->address.sun_path) - 1] = '\0';
    return text;
}

/* A connected descriptor; -EAGAIN: the daemon's backlog is full; or another negative errno. */
static int connect_socket(const struct ipcc *conn)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return -errno;
    }
    /* Blocking from then on, for a reader that waits in its receive; all else says MSG_DONTWAIT. */
    if (connect(fd, (const struct sockaddr *)&conn->address, conn->address_len) < 0 ||
        fcntl(fd, F_SETFL, 0) < 0) {
        int error = -errno;
        (void)close(fd);
        return error == -EINPROGRESS ? -EAGAIN : error;
    }
    return fd;
}

static int connect_failed(const struct ipcc *conn, int error)
{
    char path[sizeof(conn->address.sun_path)];
    bool system = error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
    return error_set(system ? IPCC_ERR_SYSTEM : IPCC_ERR_CONNECT,
                     "cannot connect to ipcd at %s: %s", address_text(conn, path), strerror(error));
}

/* One attempt. 0: it is up, or will be tried again. */
static int try_connect(struct ipcc *conn)
{
    int fd = connect_socket(conn);
    if (fd == -EAGAIN) {
        conn->link = LINK_CONNECTING;
        conn->retry_at = clock_ms() + CONNECT_RETRY_MS;
        return 0;
    }
    if (fd < 0) {
        return connect_failed(conn, -fd);
    }
    conn->fd = fd;
    conn->link = LINK_UP;
    return 0;
}

/* Makes server.hello the first request. */
static int send_greeting(struct ipcc *conn, struct waiter *waiter)
{
    struct ipcc_value pairs[] = {ipcc_str("client"), ipcc_str(conn->client), ipcc_str("version"),
                                 ipcc_str(conn->client_version)};
    struct ipcc_value options = ipcc_map(pairs, conn->client_version[0] != '\0' ? 2 : 1);
    struct ipcc_request request = {.method = "server.hello", .params = &options, .nparams = 1};
    struct slot *slot;
    uint32_t msgid;
    int status = stream_request(conn, &request, &slot, &msgid);
    if (status == 0) {
        slot->greeting = true;
        slot->waiter = waiter;
        slot->kind = waiter != NULL ? SLOT_BLOCKING : SLOT_ABANDONED;
    }
    return status;
}

/* Forgets everything that belonged to the connection, but for the calls in flight. */
static void take_down(struct ipcc *conn)
{
    conn->link = LINK_DOWN;
    conn->epoch++;
    conn->greeted = false;
    conn->connect_deadline = NEVER;
    if (conn->fd >= 0) {
        /* A thread that polls the descriptor for room to send closes it itself: until then its
         * number must not be given to another file. The shutdown wakes it. */
        (void)shutdown(conn->fd, SHUT_RDWR);
        if (conn->flusher == NULL) {
            (void)close(conn->fd);
        }
    }
    conn->flusher = NULL;
    conn->fd = -1;
    conn->send_failed = false;
    conn->sent = 0;
    buffer_deinit(&conn->out);
    buffer_deinit(&conn->in);
    descriptors_clear(conn);
    conn->scanning = false;
}

int connection_start(struct ipcc *conn, struct waiter *waiter)
{
    if (conn->link != LINK_DOWN) {
        return 0;
    }
    if (conn->closed || (conn->epoch > 0 && !conn->reconnect)) {
        return error_set(IPCC_ERR_LOST, "the connection is %s: %s",
                         conn->closed ? "closed" : "lost", conn->end_message);
    }
    int status = try_connect(conn);
    if (status < 0) {
        return status;
    }
    conn->end_code = 0;
    conn->max_request = MESSAGE_SIZE;
    conn->connect_deadline = deadline_in(conn->connect_timeout_ms);
    status = send_greeting(conn, waiter);
    if (status < 0) {
        take_down(conn);
    }
    return status;
}

void connection_tick(struct ipcc *conn, int64_t now)
{
    if (conn->link == LINK_DOWN) {
        return;
    }
    if (conn->end_code != 0 && conn->link == LINK_CONNECTING) {
        connection_lost(conn, conn->end_code, conn->end_message);
    } else if (now >= conn->connect_deadline) {
        char path[sizeof(conn->address.sun_path)];
        char text[MESSAGE_TEXT];
        message_format(text, "ipcd at %s did not %s within %lld ms", address_text(conn, path),
                       conn->link == LINK_UP ? "answer the greeting" : "accept the connection",
                       (long long)conn->connect_timeout_ms);
        connection_lost(conn, IPCC_ERR_CONNECT, text);
    } else if (conn->link == LINK_CONNECTING && now >= conn->retry_at) {
        int status = try_connect(conn);
        if (status < 0) {
            connection_lost(conn, status, ipcc_last_message());
        }
    }
}

/* ---- the greeting ---------------------------------------------------------------------------- */

static int greeting_uint(const struct ipcc_value *map, const char *key, uint64_t *out)
{
    struct ipcc_value value;
    int64_t number;
    if (ipcc_map_get(map, key, &value) < 0 || ipcc_value_int(&value, &number) < 0 || number < 0) {
        return -1;
    }
    *out = (uint64_t)number;
    return 0;
}

int connection_greeted(struct ipcc *conn, struct slice result, char *text)
{
    struct ipcc_value map = value_decode(result);
    struct ipcc_value limits;
    uint64_t limit;
    if (greeting_uint(&map, "session", &conn->session) < 0) {
        message_format(text, "the daemon's answer to server.hello has no session number");
        return IPCC_ERR_PROTOCOL;
    }
    if (ipcc_map_get(&map, "limits", &limits) == 0 &&
        greeting_uint(&limits, "max_message", &limit) == 0 && limit > 0) {
        conn->max_request = limit < UINT32_MAX ? (size_t)limit : UINT32_MAX;
    }
    conn->greeting.len = 0;
    conn->greeting.failed = false;
    if (buffer_append(&conn->greeting, result.data, result.len) < 0) {
        message_format(text, "no memory for the daemon's greeting");
        return IPCC_ERR_NO_MEMORY;
    }
    conn->greeted = true;
    conn->connect_deadline = NEVER;
    return 0;
}

/* ---- lost ------------------------------------------------------------------------------------ */

void connection_end(struct ipcc *conn, int code, const char *message)
{
    if (conn->link == LINK_DOWN || conn->end_code != 0) {
        return;
    }
    conn->end_code = code;
    message_format(conn->end_message, "%s", message);
    if (conn->fd >= 0) {
        (void)shutdown(conn->fd, SHUT_RDWR);
    }
}

/* Fails one call of a connection that is gone. */
static void fail_call(struct ipcc *conn, uint32_t msgid, int code, const char *message)
{
    struct slot slot = conn->flight.slots[msgid];
    flight_remove(&conn->flight, msgid);
    if (slot.kind == SLOT_BLOCKING) {
        message_format(slot.waiter->message, "%s", message);
        waiter_finish(conn, slot.waiter, code);
    } else if (slot.kind == SLOT_ASYNC) {
        static const struct ipcc_reply nothing;
        (void)error_set(code, "%s", message);
        callback_run(conn, &slot, code, &nothing);
    }
}

void connection_lost(struct ipcc *conn, int code, const char *message)
{
    char text[MESSAGE_TEXT];
    if (conn->end_code != 0) {
        code = conn->end_code;
        message = conn->end_message;
    }
    message_format(text, "%s", message);
    uint32_t epoch = conn->epoch;
    take_down(conn);
    conn->end_code = code;
    memcpy(conn->end_message, text, sizeof(text));
    listeners_finish(conn, code, text);
    /* Callbacks may start calls on the next connection meanwhile: those have another epoch. */
    for (uint32_t i = 0; i < conn->flight.count; i++) {
        struct slot *slot = &conn->flight.slots[i];
        if (slot->kind != SLOT_FREE && slot->epoch == epoch) {
            fail_call(conn, i, code, text);
        }
    }
}
