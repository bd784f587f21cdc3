/*
 * dispatch: see dispatch.h.
 *
 * Tests: tests/unit/client/test_async.c, tests/unit/client/test_async_end.c.
 */
#include "client/dispatch.h"

#include "client/callback.h"
#include "client/ending.h"
#include "client/notification.h"
#include "client/reply.h"
#include "client/session.h"
#include "client/value.h"
#include "proto/error.h"

static void violation(struct ipcc *conn, const char *what)
{
    char text[MESSAGE_TEXT];
    message_format(text, "the other side does not speak ipcd's protocol: %s", what);
    ending_request(conn, IPCC_ERR_PROTOCOL, text);
}

/* Takes apart [code, message, detail?], an error or the params of goodbye. A code, with its message
 * in `text`; 0: it is not that. */
static int read_error(struct slice code, struct slice message, char *text)
{
    struct ipcc_value name = value_decode(code);
    struct ipcc_value words = value_decode(message);
    if (name.kind != IPCC_STR || words.kind != IPCC_STR) {
        return 0;
    }
    int length = words.length < MESSAGE_TEXT ? (int)words.length : MESSAGE_TEXT;
    int error = error_from_name((struct slice){name.as.data, name.length});
    if (error != 0) {
        message_format(text, "%.*s", length, words.as.str);
        return error;
    }
    message_format(text, "%.*s: %.*s", name.length < 64 ? (int)name.length : 64, name.as.str,
                   length, words.as.str);
    return IPCC_ERR_OTHER;
}

/* The encoding of the next element of a container; empty when there is none. */
static struct slice next_raw(struct ipcc_walk *walk)
{
    const uint8_t *start = walk->at;
    bool there = ipcc_walk_next(walk, NULL);
    return (struct slice){start, there ? (size_t)(walk->at - start) : 0};
}

/* What came under a msgid. */
struct answer {
    int status;
    struct slice value;                   /* the result, or the detail of an error; or empty */
    struct ipcc_descriptors *descriptors; /* owned; or NULL */
    char text[MESSAGE_TEXT];              /* of an error */
};

/* What an answer says: 0 and the result, or the daemon's code, its message and the detail if there
 * is one. 1: it is no answer. */
static int read_answer(const struct message *message, struct slice *value, char *text)
{
    const struct param *error = &message->params[0];
    if (error->header.kind == KIND_NIL) {
        *value = message->params[1].raw;
        return 0;
    }
    struct ipcc_value array = value_decode(error->raw);
    struct ipcc_walk walk = ipcc_walk_of(&array);
    struct slice code = next_raw(&walk);
    struct slice words = next_raw(&walk);
    *value = next_raw(&walk);
    int status =
        error->header.kind == KIND_ARRAY && words.len > 0 ? read_error(code, words, text) : 0;
    return status < 0 ? status : 1;
}

/* What has happened to a call on this side, for its answer: its descriptors may have been held up,
 * or its wait interrupted. */
static void settle_answer(struct answer *answer, const struct slot *slot)
{
    if (slot->unpassed != 0 && answer->status == IPCC_ERR_BAD_REQUEST) {
        answer->status = IPCC_ERR_SYSTEM;
        message_format(answer->text, "the call's file descriptors cannot be passed on: %s",
                       strerror(slot->unpassed));
    }
    if (slot->interrupted && answer->status == IPCC_ERR_CANCELLED) {
        answer->status = IPCC_ERR_INTERRUPTED;
        message_format(answer->text, "the wait was interrupted, and nothing was taken");
    }
    if (answer->descriptors != NULL && answer->descriptors->cut) {
        answer->value = (struct slice){0};
        if (answer->status == 0) {
            answer->status = IPCC_ERR_SYSTEM;
            message_format(answer->text,
                           "the answer has file descriptors, for which this process has no room: "
                           "it has as many open as RLIMIT_NOFILE allows");
        }
    }
}

static void answer_waiter(struct ipcc *conn, struct waiter *waiter, struct answer *answer)
{
    struct slice value = answer->value;
    if (answer->status < 0) {
        message_format(waiter->message, "%s", answer->text);
    }
    bool given =
        value.len >= INCOMING_LARGE && incoming_give(&conn->link.in, &waiter->reply, value);
    if (value.len > 0 && !given && reply_set(&waiter->reply, value) < 0) {
        answer->status = IPCC_ERR_NO_MEMORY;
        message_format(waiter->message, "no memory for an answer of %zu bytes", value.len);
    } else if (value.len > 0) {
        waiter->reply.descriptors = answer->descriptors;
        answer->descriptors = NULL;
    }
    waiter_finish(&conn->reader, waiter, answer->status);
}

static void answer_callback(struct ipcc *conn, const struct slot *slot, const struct answer *answer)
{
    /* Borrowed: it ends with the callback. */
    struct ipcc_reply reply = {.value = value_decode(answer->value),
                               .descriptors = answer->descriptors};
    if (answer->status < 0) {
        (void)error_set(answer->status, "%s", answer->text);
    }
    callback_run(conn, slot, answer->status, &reply);
}

static void take_greeting(struct ipcc *conn, struct answer *answer)
{
    if (answer->status == 0) {
        answer->status = session_greeted(conn, answer->value, answer->text);
    }
    if (answer->status < 0) {
        ending_request(conn, answer->status, answer->text);
    }
}

/* What is left of the descriptors afterwards is the caller's. */
static void take_response(struct ipcc *conn, const struct message *message,
                          struct ipcc_descriptors **descriptors)
{
    struct answer answer;
    struct slot *found = flight_find(&conn->flight, message->msgid);
    answer.status = read_answer(message, &answer.value, answer.text);
    answer.descriptors = *descriptors;
    if (found == NULL || answer.status > 0) {
        violation(conn, answer.status > 0 ? "an error is not [code, message, detail?]"
                                          : "it answers a call that was not made");
        return;
    }
    struct slot slot = *found;
    flight_remove(&conn->flight, message->msgid);
    settle_answer(&answer, &slot);
    if (slot.greeting) {
        take_greeting(conn, &answer);
    }
    if (slot.kind == SLOT_BLOCKING) {
        answer_waiter(conn, slot.waiter, &answer);
    } else if (slot.kind == SLOT_ASYNC) {
        answer_callback(conn, &slot, &answer);
    }
    *descriptors = answer.descriptors;
}

static void take_goodbye(struct ipcc *conn, const struct message *message)
{
    char text[MESSAGE_TEXT];
    int code =
        message->nparams < 2 ? 0 : read_error(message->params[0].raw, message->params[1].raw, text);
    if (code == 0) {
        violation(conn, "its goodbye is not [code, message]");
    } else {
        ending_request(conn, code, text);
    }
}

static void take_notification(struct ipcc *conn, const struct message *message,
                              const uint8_t *start)
{
    if (slice_equal(message->method, slice_of_string("goodbye"))) {
        take_goodbye(conn, message);
        return;
    }
    const uint8_t *params = message->method.data + message->method.len;
    struct ipcc_value name = ipcc_strn((const char *)message->method.data, message->method.len);
    struct ipcc_value raw = ipcc_raw(params, (size_t)(start + message->size - params));
    notification_take(conn, &name, &raw);
}

static void take_message(struct ipcc *conn, const struct message *message, size_t at)
{
    struct ipcc_descriptors *descriptors =
        (message->exts & SCAN_DESCRIPTOR) != 0 ? incoming_descriptors(&conn->link.in, at) : NULL;
    switch (message->type) {
    case MESSAGE_RESPONSE:
        take_response(conn, message, &descriptors);
        break;
    case MESSAGE_NOTIFICATION:
        take_notification(conn, message, conn->link.in.bytes.data + at);
        break;
    case MESSAGE_REQUEST:
        violation(conn, "it sends requests");
        break;
    }
    descriptors_free(descriptors);
}

/* What a decoding error means for the connection. */
static void bad_message(struct ipcc *conn, int status)
{
    if (status == ERR_TOO_LARGE) {
        char text[MESSAGE_TEXT];
        message_format(text, "the daemon sends a message of more than max_message, %zu bytes",
                       conn->link.in.max_message);
        ending_request(conn, IPCC_ERR_TOO_LARGE, text);
    } else {
        violation(conn, "what it sends is no MessagePack-RPC message");
    }
}

static void take_messages(struct ipcc *conn)
{
    struct incoming *in = &conn->link.in;
    size_t at = 0;
    while (conn->end_code == 0 && at < in->bytes.len) {
        struct message message;
        int status = incoming_next(in, at, &message);
        if (status == MESSAGE_MORE) {
            break;
        }
        if (status < 0) {
            bad_message(conn, status);
            break;
        }
        take_message(conn, &message, at);
        at = in->bytes.len > 0 ? at + message.size : 0;
    }
    incoming_done(in, at);
}

void dispatch_received(struct ipcc *conn, int status, const char *text)
{
    if (status > 0) {
        take_messages(conn);
    }
    if (status < 0 || conn->end_code != 0) {
        ending_run(conn, status, text);
    }
}
