/*
 * ending: see ending.h.
 *
 * Tests: tests/unit/client/test_async_end.c.
 */
#include "client/ending.h"

#include "client/callback.h"
#include "client/session.h"

void ending_request(struct ipcc *conn, int code, const char *message)
{
    if (conn->link.state == LINK_DOWN || conn->end_code != 0) {
        return;
    }
    conn->end_code = code;
    message_format(conn->end_message, "%s", message);
    link_shutdown(&conn->link);
}

/* Fails one call of a connection that is gone. */
static void fail_call(struct ipcc *conn, uint32_t msgid, int code, const char *message)
{
    struct slot slot = conn->flight.slots[msgid];
    flight_remove(&conn->flight, msgid);
    if (slot.kind == SLOT_BLOCKING) {
        message_format(slot.waiter->message, "%s", message);
        waiter_finish(&conn->reader, slot.waiter, code);
    } else if (slot.kind == SLOT_ASYNC) {
        static const struct ipcc_reply nothing;
        (void)error_set(code, "%s", message);
        callback_run(conn, &slot, code, &nothing);
    }
}

void ending_run(struct ipcc *conn, int code, const char *message)
{
    char text[MESSAGE_TEXT];
    if (conn->end_code != 0) {
        code = conn->end_code;
        message = conn->end_message;
    }
    message_format(text, "%s", message);
    uint32_t epoch = conn->link.epoch;
    session_forget(conn);
    conn->end_code = code;
    memcpy(conn->end_message, text, sizeof(text));
    listeners_finish(&conn->reader, code, text);
    /* Callbacks may start calls on the next connection meanwhile: those have another epoch. */
    for (uint32_t i = 0; i < conn->flight.count; i++) {
        struct slot *slot = &conn->flight.slots[i];
        if (slot->kind != SLOT_FREE && slot->epoch == epoch) {
            fail_call(conn, i, code, text);
        }
    }
}
