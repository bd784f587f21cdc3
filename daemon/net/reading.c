/*
 * reading: see reading.h.
 *
 * Tests: tests/unit/net/test_connection.c, tests/unit/net/test_incomplete.c.
 */
#include "daemon/net/reading.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>

#include "daemon/call/commits.h"
#include "daemon/call/dispatch.h"

/* There is a lot to send in the middle of the input: sends it. True if the session must pause. */
static bool must_pause(struct connection *connection)
{
    struct session *session = &connection->session;
    if (!connection->gone) {
        if (connection_send(connection) != STREAM_BROKEN) {
            connection->paused = connection_unread(connection) > CONNECTION_HIGH;
            return connection->paused;
        }
        connection->gone = true;
        session_dirty(session);
    }
    session_drop_output(session);
    service_drain(session->service);
    return false;
}

/* True if there may be more of a message than what stands in the window. */
static bool has_more(const struct message *message)
{
    return (message->exts & SCAN_DESCRIPTOR) != 0 || message->size > INPUT_LARGE;
}

/* Runs the message that was taken last, which names descriptors or is large. Of what it names of
 * the descriptors that came with it, and of its memory, the service takes what it needs; the rest
 * is closed and freed. True if the next message has to wait until this one is done: of large ones a
 * session has one at a time, which nothing overtakes. */
static bool run_with_more(struct connection *connection, struct message *message)
{
    struct net *net = connection->net;
    uint64_t unfinished = connection->session.unfinished;
    struct descriptor_set *set = NULL;
    if ((message->exts & SCAN_DESCRIPTOR) != 0) {
        size_t at = input_position(&net->input) - message->size;
        set = descriptors_take(&connection->stream.descriptors, connection->session.user, at);
    }
    struct passed passed = {0};
    if (set != NULL) {
        passed = (struct passed){
            .count = set->count, .fds = set->fds, .lost = set->lost, .refusal = &set->refusal};
    }
    (void)input_detach(&net->input, message, &passed.memory, &passed.size);
    service_run(net->service, &connection->session, message, &passed, net->now);
    descriptor_set_free(set, connection->session.user);
    if (passed.memory != NULL) {
        jobs_free(&net->service->jobs, passed.memory, passed.size);
    }
    connection->alone = message->size > INPUT_LARGE && connection->session.unfinished > unfinished;
    connection->held_up |= connection->alone;
    return connection->alone;
}

/* True if the next message has to wait: the session has had its turn, or many of its calls are held
 * up. */
static bool must_stop(struct connection *connection)
{
    struct net *net = connection->net;
    struct service *service = net->service;
    service->credit = NET_TURN_STEPS;
    if (session_is_held_up(&connection->session)) {
        connection->held_up = true;
    } else if (session_must_wait_for_disk(&connection->session)) {
        connection->stalled = true;
    } else if (net_turn_is_over(net)) {
        connection->later = true;
        TAILQ_INSERT_TAIL(&net->later, connection, turn);
    }
    return connection->held_up || connection->later || connection->stalled;
}

/* Runs every complete message in the window, or as many as may be. 0: it was stopped before the
 * end; MESSAGE_MORE: there is no complete one left; or what is wrong with the next one. */
static int run_messages(struct connection *connection)
{
    struct net *net = connection->net;
    struct service *service = net->service;
    struct message message;
    for (;;) {
        if (__builtin_expect(service->credit < 0, 0) && must_stop(connection)) {
            return 0;
        }
        service->credit -= NET_MESSAGE_STEPS;
        int status = input_next(&net->input, service->accounts.limits.max_message, &message);
        if (status != 0) {
            return status;
        }
        if (__builtin_expect(has_more(&message), 0)) {
            if (run_with_more(connection, &message)) {
                return 0;
            }
        } else {
            service_run(service, &connection->session, &message, NULL, net->now);
        }
        if (__builtin_expect(connection_unread(connection) > CONNECTION_HIGH, 0) &&
            must_pause(connection)) {
            return 0;
        }
    }
}

/* What came cannot be run, now or ever. */
static void refuse_input(struct connection *connection, int error)
{
    char text[128];
    if (error == ERR_TOO_LARGE) {
        (void)snprintf(text, sizeof(text),
                       "a message is larger than the limit max_message, %" PRIu64 " bytes",
                       connection->net->service->accounts.limits.max_message);
    } else {
        (void)snprintf(text, sizeof(text),
                       "what came is not a MessagePack-RPC message of at most %d containers "
                       "within each other",
                       MESSAGE_DEPTH);
    }
    connection_fail(connection, error, text);
}

/* What is kept is charged whatever the limits say, so that a large message can come at all; but no
 * further than what one message takes, whose memory may have just been doubled. */
static void charge_input(struct connection *connection)
{
    const struct rest *rest = connection->stream.rest;
    struct session *session = &connection->session;
    if (rest == NULL) {
        return;
    }
    charge_set_always(&connection->input_charge, rest_cost(rest));
    uint64_t slack = 2 * session->user->accounts->limits.max_message + INPUT_SIZE;
    if (user_check_bytes(session->user, slack) < 0) {
        struct buffer why = {0};
        static const char with[] = ", with messages that are not whole";
        refusal_print(&session->user->accounts->refusal, &why);
        (void)buffer_append(&why, with, sizeof(with));
        connection_fail(connection, ERR_LIMIT, why.failed ? with : (const char *)why.data);
        buffer_deinit(&why);
    }
}

/* Opens the window on what is kept. */
static bool open_window(struct connection *connection)
{
    charge_release(&connection->input_charge);
    if (input_open(&connection->net->input, &connection->stream.rest) < 0) {
        connection_fail(connection, ERR_MEMORY, "out of memory for a message");
        return false;
    }
    return true;
}

/* Closes it; `status` is what run_messages has left it at. */
static void close_window(struct connection *connection, int status)
{
    struct input *input = &connection->net->input;
    struct stream *stream = &connection->stream;
    descriptors_shift(&stream->descriptors, connection->session.user, input_position(input),
                      status == MESSAGE_MORE);
    if (status < 0) {
        input->at = input->len;
    }
    if (input_close(input, &stream->rest) < 0) {
        connection_fail(connection, ERR_MEMORY, "out of memory for an incomplete message");
    } else if (status < 0) {
        refuse_input(connection, status);
    } else {
        charge_input(connection);
    }
}

/* Bytes have come: is there a message that is not whole, and can go on? */
static void note_incomplete(struct connection *connection, int status)
{
    struct incomplete_list *list = &connection->net->incomplete;
    if (status == MESSAGE_MORE && connection->stream.rest != NULL && !connection->closing) {
        incomplete_heard(list, &connection->incomplete, connection->net->now);
    } else {
        incomplete_forget(list, &connection->incomplete);
    }
}

static void run_window(struct connection *connection)
{
    struct net *net = connection->net;
    struct output *output = &connection->session.output;
    net->now = net_clock();
    net->service->credit = NET_TURN_STEPS;
    pool_take(&net->pool, output);
    int status = run_messages(connection);
    close_window(connection, status);
    note_incomplete(connection, status);
    if (output_pending(output) == 0) {
        pool_give(&net->pool, output);
    }
}

bool connection_read(struct connection *connection)
{
    if (!open_window(connection)) {
        return false;
    }
    int len =
        stream_receive(&connection->stream, connection->session.user, &connection->net->input);
    if (len > 0) {
        run_window(connection);
        return !connection->closing && !connection_is_stopped(connection);
    }
    close_window(connection, MESSAGE_MORE);
    if (len == ERR_MEMORY) {
        connection_fail(connection, len, "out of memory for descriptors");
    } else if (len != STREAM_BLOCKED) {
        connection->gone |= len == STREAM_BROKEN;
        connection_close(connection);
    }
    return false;
}

/* Its event may not have been handled yet, so it is asked once more. */
static void give_up(struct connection *connection)
{
    (void)connection_read(connection);
    if (connection->stream.rest != NULL && !connection->incomplete.listed &&
        !connection_is_stopped(connection)) {
        connection_fail(connection, ERR_TIMEOUT,
                        "a message was begun, and no byte of it has come for 30 seconds");
    }
}

void connection_give_up(struct net *net)
{
    struct incomplete *one;
    while ((one = incomplete_take(&net->incomplete, net->now)) != NULL) {
        give_up(
            (struct connection *)(void *)((char *)one - offsetof(struct connection, incomplete)));
    }
}

void connection_resume(struct connection *connection)
{
    connection->paused = false;
    connection->held_up = false;
    connection->stalled = false;
    connection->alone = false;
    if (connection->later) {
        connection->later = false;
        TAILQ_REMOVE(&connection->net->later, connection, turn);
    }
    if (connection->stream.rest != NULL && !connection->closing && open_window(connection)) {
        run_window(connection);
        session_dirty(&connection->session);
    }
}

bool connection_finish_input(struct connection *connection)
{
    if (connection->paused && connection->gone && !connection->closing) {
        connection_resume(connection);
    }
    while (!connection->closing && !connection_is_stopped(connection) && connection->reads > 0) {
        connection->reads--;
        if (!connection_read(connection)) {
            break;
        }
    }
    return !connection->later && !connection->held_up && !connection->stalled;
}
