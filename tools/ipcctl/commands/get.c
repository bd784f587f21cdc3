/*
 * get: items out of a queue (get), and a look at them (peek).
 *
 * Items are taken one by one, and each is written out before the next is asked for: if the reader
 * of standard output goes away, at most one item is lost, and none of a joinable queue. What was
 * taken of one and is not done goes back at the end and counts as never taken, also if a signal is
 * the end.
 */
#include "tools/ipcctl/commands/interruption.h"
#include "tools/ipcctl/output.h"
#include "tools/ipcctl/request.h"

#include <stdio.h>
#include <unistd.h>

enum { PEEK_COUNT = 10 };

/* What queue.get answers. */
struct item {
    struct ipcc_value value;
    struct ipcc_value ticket;
    struct ipcc_value deliveries;
};

static int get_one(struct context *context, int64_t timeout_ms, struct ipcc_reply *reply)
{
    struct request request;
    request_init(&request, "queue.get");
    pack_string(request_param(&request), context->words[0]);
    request_timeout(&request, timeout_ms);
    return request_try(context, &request, reply);
}

static struct item item_of(const struct ipcc_reply *reply)
{
    struct item item = {.value = ipcc_nil(), .ticket = ipcc_nil(), .deliveries = ipcc_nil()};
    struct ipcc_walk walk = ipcc_walk_of(&reply->value);
    (void)(ipcc_walk_next(&walk, &item.value) && ipcc_walk_next(&walk, &item.ticket) &&
           ipcc_walk_next(&walk, &item.deliveries));
    return item;
}

/* True if the command shows one item at most. */
static bool shows_one(const struct context *context, int64_t standard)
{
    const struct given *count = &context->options[OPTION_COUNT];
    return !context->options[OPTION_ALL].is && (count->is ? count->number : standard) == 1;
}

static void print_item(struct context *context, const struct item *item)
{
    if (!context->options[OPTION_JSON].is) {
        (shows_one(context, 1) ? output_only : output_value)(context, &item->value);
        return;
    }
    struct buffer record = {0};
    pack_map(&record, 3);
    pack_string(&record, "value");
    value_encode(&item->value, &record);
    pack_string(&record, "ticket");
    value_encode(&item->ticket, &record);
    pack_string(&record, "deliveries");
    value_encode(&item->deliveries, &record);
    output_record(context, &record);
}

static enum status acknowledge(struct context *context, const struct ipcc_value *ticket)
{
    struct request request;
    request_init(&request, "queue.task_done");
    pack_string(request_param(&request), context->words[0]);
    value_encode(ticket, request_param(&request));
    return request_send(context, &request, NULL);
}

/* Prints an item; it counts as done only when it has been written. What is not done stays among the
 * tickets that are held. */
static enum status deliver(struct context *context, const struct ipcc_reply *reply,
                           struct buffer *held)
{
    struct item item = item_of(reply);
    size_t before = held->len;
    if (item.ticket.kind == IPCC_INT) {
        (void)buffer_append(held, &item.ticket.as.integer, sizeof(int64_t));
    }
    print_item(context, &item);
    enum status status = output_flush(context, STATUS_OK);
    if (status != STATUS_OK || item.ticket.kind != IPCC_INT || !context->options[OPTION_ACK].is) {
        return status;
    }
    status = acknowledge(context, &item.ticket);
    held->len = status == STATUS_OK ? before : held->len;
    return status;
}

static int give_back(struct context *context, int64_t ticket)
{
    struct request request;
    request_init(&request, "queue.give_back");
    pack_string(request_param(&request), context->words[0]);
    pack_int(request_param(&request), ticket);
    pack_nil(request_param(&request));
    pack_map(request_param(&request), 1);
    pack_key_bool(&request.bytes, "uncounted", true);
    return request_try(context, &request, NULL);
}

/* What is held goes back as if it had not been taken, the last one first, so that all stand as they
 * stood. An item whose lease is over has gone already; whatever else may go wrong, the daemon puts
 * back what a session leaves. */
static void give_all_back(struct context *context, const struct buffer *held)
{
    int error = 0;
    for (size_t end = held->len; end > 0 && (error == 0 || error == IPCC_ERR_VALUE);
         end -= sizeof(int64_t)) {
        int64_t ticket;
        memcpy(&ticket, held->data + end - sizeof(ticket), sizeof(ticket));
        error = give_back(context, ticket);
    }
}

/* Whether an error is the expected end after `taken` items: there are no more. */
static bool is_end(const struct context *context, int error, uint64_t taken)
{
    return taken > 0 && (error == IPCC_ERR_EMPTY ||
                         (error == IPCC_ERR_SHUT_DOWN && context->options[OPTION_ALL].is));
}

/* Takes and prints items, until there are enough, no more, or it fails. */
static enum status take(struct context *context, struct buffer *held)
{
    const struct given *given = context->options;
    const struct given *wait = &given[OPTION_WAIT];
    int64_t timeout_ms = wait->text != NULL ? wait->number : request_patience(context);
    uint64_t most = given[OPTION_COUNT].is ? (uint64_t)given[OPTION_COUNT].number : 1;
    enum status status = STATUS_OK;
    for (uint64_t taken = 0; status == STATUS_OK && (taken < most || given[OPTION_ALL].is);
         taken++) {
        struct ipcc_reply reply;
        int error = get_one(context, wait->is ? timeout_ms : 0, &reply);
        if (error == IPCC_ERR_INTERRUPTED) {
            return STATUS_FAILED; /* the signal says it all */
        }
        if (error < 0) {
            return is_end(context, error, taken) ? STATUS_OK : report_call(context, error);
        }
        status = deliver(context, &reply, held);
        ipcc_reply_free(&reply);
    }
    return status;
}

enum status run_get(struct context *context)
{
    struct interruption interruption;
    struct buffer held = {0};
    context->interruptible = true;
    int error = request_connect(context);
    if (error < 0) {
        return report_call(context, error);
    }
    interruption_begin(&interruption, context->conn);
    enum status status = take(context, &held);
    give_all_back(context, &held);
    interruption_end(&interruption);
    if (held.len > 0 && status == STATUS_OK && isatty(STDERR_FILENO) != 0) {
        (void)fprintf(stderr, "ipcctl: the ticket ends with ipcctl, and the queue has the item "
                              "again, as it was; take it for good with --ack\n");
    }
    buffer_deinit(&held);
    return status;
}

static void print_peeked(struct context *context, const struct ipcc_value *value, int64_t position)
{
    if (!context->options[OPTION_JSON].is) {
        (shows_one(context, PEEK_COUNT) ? output_only : output_value)(context, value);
        return;
    }
    struct buffer record = {0};
    pack_map(&record, 2);
    pack_key_int(&record, "position", position);
    pack_string(&record, "value");
    value_encode(value, &record);
    output_record(context, &record);
}

/* Prints the values from *position on, `count` at most, and moves it. 0 or an IPCC_ERR_ code. */
static int peek_step(struct context *context, int64_t *position, int64_t count)
{
    struct request request;
    struct ipcc_reply reply;
    request_init(&request, "queue.peek");
    pack_string(request_param(&request), context->words[0]);
    pack_int(request_param(&request), *position);
    pack_int(request_param(&request), count);
    int error = request_try(context, &request, &reply);
    if (error < 0) {
        return error;
    }
    struct ipcc_walk walk = ipcc_walk_of(&reply.value);
    struct ipcc_value value;
    while (ipcc_walk_next(&walk, &value)) {
        print_peeked(context, &value, (*position)++);
    }
    ipcc_reply_free(&reply);
    return 0;
}

enum status run_peek(struct context *context)
{
    const struct given *given = context->options;
    int64_t position = given[OPTION_START].number;
    int64_t left = given[OPTION_ALL].is     ? INT64_MAX
                   : given[OPTION_COUNT].is ? given[OPTION_COUNT].number
                                            : PEEK_COUNT;
    int64_t before;
    do { /* the daemon bounds its answers: what is missing may come with the next one */
        before = position;
        int error = peek_step(context, &position, left);
        if (error < 0) {
            return report_call(context, error);
        }
        left -= position - before;
    } while (left > 0 && position > before && context->write_error == 0);
    return STATUS_OK;
}
