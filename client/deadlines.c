/*
 * deadlines: see deadlines.h.
 *
 * Tests: tests/unit/client/test_async.c.
 */
#include "client/deadlines.h"

#include "client/callback.h"
#include "client/clock.h"
#include "client/ending.h"
#include "client/request.h"

int64_t deadlines_next(const struct ipcc *conn)
{
    int64_t deadline = conn->flight.deadline;
    if (conn->connect_deadline < deadline) {
        deadline = conn->connect_deadline;
    }
    if (conn->link.state == LINK_CONNECTING && conn->link.retry_at < deadline) {
        deadline = conn->link.retry_at;
    }
    return deadline;
}

void deadlines_connect(struct ipcc *conn, int64_t now)
{
    if (conn->link.state == LINK_DOWN) {
        return;
    }
    if (conn->end_code != 0 && conn->link.state == LINK_CONNECTING) {
        ending_run(conn, conn->end_code, conn->end_message);
    } else if (now >= conn->connect_deadline) {
        char path[ADDRESS_TEXT];
        char text[MESSAGE_TEXT];
        message_format(
            text, "ipcd at %s did not %s within %lld ms", address_text(&conn->link.address, path),
            conn->link.state == LINK_UP ? "answer the greeting" : "accept the connection",
            (long long)conn->connect_timeout_ms);
        ending_run(conn, IPCC_ERR_CONNECT, text);
    } else if (conn->link.state == LINK_CONNECTING && now >= conn->link.retry_at) {
        int status = link_connect(&conn->link);
        if (status < 0) {
            ending_run(conn, status, ipcc_last_message());
        }
    }
}

void deadlines_calls(struct ipcc *conn, int64_t now)
{
    static const struct ipcc_reply nothing;
    if (now < conn->flight.deadline) {
        return;
    }
    /* Callbacks may start calls with deadlines meanwhile: those lower it themselves. */
    conn->flight.deadline = NEVER;
    for (uint32_t i = 0; i < conn->flight.count; i++) {
        struct slot *slot = &conn->flight.slots[i];
        if (slot->kind != SLOT_ASYNC) {
            continue;
        }
        if (slot->deadline > now) {
            if (slot->deadline < conn->flight.deadline) {
                conn->flight.deadline = slot->deadline;
            }
            continue;
        }
        slot->kind = SLOT_ABANDONED;
        struct slot expired = *slot;
        request_cancel(conn, i);
        int status =
            error_set(IPCC_ERR_NO_ANSWER, "the daemon did not answer within the guard time");
        callback_run(conn, &expired, status, &nothing);
    }
}
