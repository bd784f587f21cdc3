/*
 * session: see session.h.
 *
 * Tests: tests/system/test_client_session.c.
 */
#include "client/session.h"

#include "client/clock.h"
#include "client/reply.h"
#include "client/request.h"
#include "client/value.h"

/* Makes server.hello the first request. */
static int send_greeting(struct ipcc *conn, struct waiter *waiter)
{
    struct ipcc_value pairs[] = {ipcc_str("client"), ipcc_str(conn->client), ipcc_str("version"),
                                 ipcc_str(conn->client_version)};
    struct ipcc_value options = ipcc_map(pairs, conn->client_version[0] != '\0' ? 2 : 1);
    struct ipcc_request request = {.method = "server.hello", .params = &options, .nparams = 1};
    struct slot *slot;
    uint32_t msgid;
    int status = request_add(conn, &request, &slot, &msgid);
    if (status == 0) {
        slot->greeting = true;
        slot->waiter = waiter;
        slot->kind = waiter != NULL ? SLOT_BLOCKING : SLOT_ABANDONED;
    }
    return status;
}

void session_forget(struct ipcc *conn)
{
    conn->greeted = false;
    conn->connect_deadline = NEVER;
    link_down(&conn->link, conn->reader.flusher != NULL);
    conn->reader.flusher = NULL;
}

int session_start(struct ipcc *conn, struct waiter *waiter)
{
    if (conn->link.state != LINK_DOWN) {
        return 0;
    }
    if (conn->closed || (conn->link.epoch > 0 && !conn->reconnect)) {
        return error_set(IPCC_ERR_LOST, "the connection is %s: %s",
                         conn->closed ? "closed" : "lost", conn->end_message);
    }
    int status = link_connect(&conn->link);
    if (status < 0) {
        return status;
    }
    conn->end_code = 0;
    conn->max_request = MESSAGE_SIZE;
    conn->connect_deadline = deadline_in(conn->connect_timeout_ms);
    status = send_greeting(conn, waiter);
    if (status < 0) {
        session_forget(conn);
    }
    return status;
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

int session_greeted(struct ipcc *conn, struct slice result, char *text)
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

/* ---- what the daemon said of the session ----------------------------------------------------- */

static int no_session(const struct ipcc *conn)
{
    return error_set(IPCC_ERR_LOST, conn->link.state == LINK_DOWN
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
