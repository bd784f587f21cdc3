/*
 * incoming: the messages among the bytes that came, taken apart in place, and each answer given to
 * the slot of its msgid.
 *
 * A message that is not as the protocol has it ends the connection: after it nothing could be
 * trusted.
 */
#include "client/internal.h"

#include <stdlib.h>

enum {
    GIVE_BYTES = 32 * 1024, /* a result of at least so many is given away with its buffer */
    RESULT_AT_MOST = 8,     /* where it begins then: behind [1, msgid, nil */
};

static void violation(struct ipcc *conn, const char *what)
{
    char text[MESSAGE_TEXT];
    message_format(text, "the other side does not speak ipcd's protocol: %s", what);
    connection_end(conn, IPCC_ERR_PROTOCOL, text);
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

/* A large result that is all there is in the buffer is not copied: the reply takes the buffer, and
 * the connection begins a new one. */
static bool give_buffer(struct ipcc *conn, struct ipcc_reply *reply, struct slice value)
{
    struct buffer *in = &conn->in;
    size_t before = (size_t)(value.data - in->data);
    if (value.len < GIVE_BYTES || before > RESULT_AT_MOST || before + value.len < in->len) {
        return false;
    }
    /* It has room for more than has come. */
    uint8_t *fitted = realloc(in->data, in->len);
    uint8_t *owned = fitted != NULL ? fitted : in->data;
    *reply = (struct ipcc_reply){.value = value_decode((struct slice){owned + before, value.len}),
                                 .owned = owned};
    *in = (struct buffer){0};
    return true;
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
    if (value.len > 0 && !give_buffer(conn, &waiter->reply, value) &&
        reply_set(&waiter->reply, value) < 0) {
        answer->status = IPCC_ERR_NO_MEMORY;
        message_format(waiter->message, "no memory for an answer of %zu bytes", value.len);
    } else if (value.len > 0) {
        waiter->reply.descriptors = answer->descriptors;
        answer->descriptors = NULL;
    }
    waiter_finish(conn, waiter, answer->status);
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
        answer->status = connection_greeted(conn, answer->value, answer->text);
    }
    if (answer->status < 0) {
        connection_end(conn, answer->status, answer->text);
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
        connection_end(conn, code, text);
    }
}

static void notify(struct ipcc *conn, const struct ipcc_value *method,
                   const struct ipcc_value *params)
{
    ipcc_notify_fn *told = conn->notify;
    void *data = conn->notify_data;
    if (told == NULL) {
        return;
    }
    struct callback frame;
    callback_enter(conn, &frame);
    told(conn, method, params, data);
    callback_leave(conn, &frame);
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
    if (!event_take(conn, &name, &raw)) {
        notify(conn, &name, &raw);
    }
    listeners_finish(conn, 0, NULL);
}

static void take_message(struct ipcc *conn, const struct message *message, size_t at)
{
    struct ipcc_descriptors *descriptors =
        (message->exts & SCAN_DESCRIPTOR) != 0 ? descriptors_take(conn, at) : NULL;
    switch (message->type) {
    case MESSAGE_RESPONSE:
        take_response(conn, message, &descriptors);
        break;
    case MESSAGE_NOTIFICATION:
        take_notification(conn, message, conn->in.data + at);
        break;
    case MESSAGE_REQUEST:
        violation(conn, "it sends requests");
        break;
    }
    descriptors_free(descriptors);
}

/* Decodes the message at `at`. MESSAGE_MORE: it is not whole. Else as message_decode. */
static int next_message(struct ipcc *conn, size_t at, struct message *out)
{
    const uint8_t *data = conn->in.data + at;
    size_t len = conn->in.len - at;
    if (len == 0) {
        return MESSAGE_MORE;
    }
    if (!conn->scanning) {
        int status = message_decode(data, len, SCAN_DEPTH_MAX, conn->max_message, out);
        if (status != MESSAGE_MORE) {
            return status;
        }
        scan_init(&conn->scan, SCAN_DEPTH_MAX, conn->max_message);
        conn->scanning = true;
    }
    int status = scan_run(&conn->scan, data, len);
    if (status == 0) {
        conn->scanning = false;
        status = message_decode(data, len, SCAN_DEPTH_MAX, conn->max_message, out);
    }
    return status;
}

/* What a decoding error means for the connection. */
static void bad_message(struct ipcc *conn, int status)
{
    if (status == ERR_TOO_LARGE) {
        char text[MESSAGE_TEXT];
        message_format(text, "the daemon sends a message of more than max_message, %zu bytes",
                       conn->max_message);
        connection_end(conn, IPCC_ERR_TOO_LARGE, text);
    } else {
        violation(conn, "what it sends is no MessagePack-RPC message");
    }
}

static void take_messages(struct ipcc *conn)
{
    size_t at = 0;
    while (conn->end_code == 0) {
        struct message message;
        int status = next_message(conn, at, &message);
        if (status == MESSAGE_MORE) {
            break;
        }
        if (status < 0) {
            bad_message(conn, status);
            break;
        }
        take_message(conn, &message, at);
        at = conn->in.len > 0 ? at + message.size : 0;
    }
    if (conn->front != NULL || atomic_load(&conn->came) != NULL) {
        descriptors_settle(conn, at, at < conn->in.len);
    }
    buffer_consume(&conn->in, at);
    if (conn->in.len == 0 && conn->in.cap > KEEP_CAPACITY) {
        buffer_deinit(&conn->in);
    }
}

void incoming_take(struct ipcc *conn, int status, const char *text)
{
    if (status > 0) {
        take_messages(conn);
    }
    if (status < 0 || conn->end_code != 0) {
        connection_lost(conn, status, text);
    }
}
