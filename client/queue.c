/*
 * queue: a function for each row of the method table that begins with "queue".
 *
 * Tests: tests/system/test_client_queue.c.
 */
#include "client/handle.h"
#include "client/reply.h"
#include "client/ipcclient/result.h"

#include <stdlib.h>

enum { GET_ANY_MAX = 1000 }; /* the daemon's limit */

static const struct handle *of(const struct ipcc_queue *queue)
{
    return queue != NULL ? &queue->handle : NULL;
}

static int queue_options(struct option_map *map, const struct ipcc_queue_options *options)
{
    static const char *const orders[] = {NULL, "fifo", "lifo", "priority"};
    static const char *const on_disconnects[] = {NULL, "requeue", "discard"};
    /* Given as unbounded is given as 0, which option_int would take for not given. */
    option_value(map, "maxsize",
                 options->maxsize == 0 ? ipcc_none()
                                       : ipcc_int(options->maxsize < 0 ? 0 : options->maxsize));
    option_true(map, "joinable", options->joinable);
    option_int(map, "lease_ms", options->lease_ms);
    option_int(map, "max_deliveries", options->max_deliveries);
    option_str(map, "dead_letter", options->dead_letter);
    int status = option_open(map, &options->open);
    if (status == 0) {
        status = option_choice(map, "order", options->order, orders, 4);
    }
    if (status == 0) {
        status = option_choice(map, "on_disconnect", options->on_disconnect, on_disconnects, 3);
    }
    return status < 0 ? status : CHECK_RESERVED(options);
}

int ipcc_queue_open(struct ipcc *conn, const char *name, const struct ipcc_queue_options *options,
                    struct ipcc_queue **queue)
{
    struct option_map map = {.count = 0};
    int status = options != NULL ? queue_options(&map, options) : 0;
    if (status == 0) {
        status = handle_open(conn, "queue.open", name, &map, (struct handle **)queue);
    }
    if (status == 0 && options != NULL && options->ahead) {
        status = ipcc_ahead_new(conn, &(*queue)->handle.ahead);
        if (status < 0) {
            (void)ipcc_queue_close(*queue);
            *queue = NULL;
        }
    }
    return status;
}

int ipcc_queue_close(struct ipcc_queue *queue)
{
    return handle_close((struct handle *)queue);
}

const char *ipcc_queue_name(const struct ipcc_queue *queue)
{
    return queue != NULL ? queue->handle.name : NULL;
}

int ipcc_queue_put(struct ipcc_queue *queue, struct ipcc_value value, int64_t timeout_ms,
                   const struct ipcc_put_options *options)
{
    struct option_map map = {.count = 0};
    if (options != NULL) {
        option_value(&map, "priority", options->priority);
        option_int(&map, "delay_ms", options->delay_ms);
        option_int(&map, "ttl_ms", options->ttl_ms);
        option_true(&map, "head", options->head);
        int status = CHECK_RESERVED(options);
        if (status < 0) {
            return status;
        }
    }
    return handle_call_nil(
        of(queue), &(struct typed_call){"queue.put",
                                        {value, timeout_value(timeout_ms), option_map_value(&map)},
                                        timeout_ms});
}

int ipcc_queue_put_many(struct ipcc_queue *queue, struct ipcc_value values, int64_t timeout_ms,
                        uint64_t *count)
{
    return handle_call_uint(
        of(queue),
        &(struct typed_call){"queue.put_many", {values, timeout_value(timeout_ms)}, timeout_ms},
        count);
}

/* An item that is reserved, or else that of a call, with which some may be. */
static int get_ahead(struct ipcc_queue *queue, struct typed_call *call, struct ipcc_reply *reply)
{
    struct ipcc_ahead *ahead = queue->handle.ahead;
    int status = timeout_check(call->timeout_ms);
    if (status == 0) {
        status = ipcc_ahead_take(ahead, reply);
    }
    if (status == IPCC_ERR_EMPTY) {
        call->params[1] = ipcc_ahead_options(ahead);
        status = handle_call(of(queue), call, reply);
        if (status == 0) {
            ipcc_ahead_keep(ahead, reply);
        }
    }
    return status;
}

int ipcc_queue_get(struct ipcc_queue *queue, int64_t timeout_ms, struct ipcc_item *item,
                   struct ipcc_reply *reply)
{
    struct typed_call call = {"queue.get", {timeout_value(timeout_ms)}, timeout_ms};
    reply_clear(reply);
    if (item == NULL) {
        return error_set(IPCC_ERR_ARGUMENT, "queue.get needs a place for the item");
    }
    int status = queue != NULL && queue->handle.ahead != NULL && reply != NULL
                     ? get_ahead(queue, &call, reply)
                     : handle_call_reply(of(queue), &call, reply);
    if (status < 0) {
        return status;
    }
    return ipcc_value_item(&reply->value, item) == 0 ? 0
                                                     : wrong_answer(call.method, "an item", reply);
}

/* The names of the queues, which must be of one connection. ARGUMENT. */
static int queue_names(struct ipcc_queue *const *queues, size_t count, struct ipcc_value *names)
{
    for (size_t i = 0; i < count; i++) {
        if (queues[i] == NULL || queues[i]->handle.conn != queues[0]->handle.conn) {
            return error_set(IPCC_ERR_ARGUMENT,
                             queues[i] == NULL
                                 ? "queue.get_any needs handles, and number %zu is NULL"
                                 : "queue.get_any: queue number %zu is of another "
                                   "connection than the first",
                             i);
        }
        names[i] = ipcc_str(queues[i]->handle.name);
    }
    return 0;
}

/* Takes apart [queue, value, ticket, deliveries]. False: it is none, or of another queue. */
static bool decode_any(const struct ipcc_value *answer, const struct ipcc_value *names,
                       size_t count, struct ipcc_item *item)
{
    struct ipcc_value name;
    struct ipcc_item found;
    if (ipcc_value_any_item(answer, &name, &found) < 0) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (ipcc_value_is_str(&name, names[i].as.str)) {
            *item = found;
            item->queue = i;
            return true;
        }
    }
    return false;
}

int ipcc_queue_get_any(struct ipcc_queue *const *queues, size_t count, int64_t timeout_ms,
                       struct ipcc_item *item, struct ipcc_reply *reply)
{
    reply_clear(reply);
    if (queues == NULL || count == 0 || count > GET_ANY_MAX || item == NULL || reply == NULL) {
        return error_set(IPCC_ERR_ARGUMENT,
                         "queue.get_any needs 1 to %d queues, an item and a reply", GET_ANY_MAX);
    }
    struct ipcc_value *names = calloc(count, sizeof(*names));
    if (names == NULL) {
        return error_set(IPCC_ERR_NO_MEMORY, "no memory for the names of %zu queues", count);
    }
    int status = queue_names(queues, count, names);
    if (status == 0) {
        struct typed_call call = {
            "queue.get_any", {ipcc_array(names, count), timeout_value(timeout_ms)}, timeout_ms};
        status = typed_call(queues[0]->handle.conn, &call, reply);
    }
    if (status == 0 && !decode_any(&reply->value, names, count, item)) {
        status = wrong_answer("queue.get_any", "an item of one of the queues", reply);
    }
    free(names);
    return status;
}

int ipcc_queue_get_many(struct ipcc_queue *queue, size_t max, int64_t timeout_ms,
                        struct ipcc_reply *reply)
{
    return handle_call_reply(of(queue),
                             &(struct typed_call){"queue.get_many",
                                                  {ipcc_uint(max), timeout_value(timeout_ms)},
                                                  timeout_ms},
                             reply);
}

static struct ipcc_value ticket_value(int64_t ticket)
{
    return ticket == IPCC_NO_TICKET ? ipcc_none() : ipcc_int(ticket);
}

int ipcc_queue_task_done(struct ipcc_queue *queue, int64_t ticket, uint64_t *unfinished)
{
    return handle_call_uint(
        of(queue), &(struct typed_call){"queue.task_done", {ticket_value(ticket)}, 0}, unfinished);
}

int ipcc_queue_give_back(struct ipcc_queue *queue, int64_t ticket, int64_t delay_ms)
{
    struct ipcc_value delay = delay_ms != 0 ? ipcc_int(delay_ms) : ipcc_none();
    return handle_call_nil(of(queue),
                           &(struct typed_call){"queue.give_back", {ipcc_int(ticket), delay}, 0});
}

int ipcc_queue_give_back_uncounted(struct ipcc_queue *queue, int64_t ticket, int64_t delay_ms)
{
    struct option_map map = {.count = 0};
    option_true(&map, "uncounted", true);
    return handle_call_nil(
        of(queue),
        &(struct typed_call){
            "queue.give_back", {ipcc_int(ticket), ipcc_int(delay_ms), option_map_value(&map)}, 0});
}

int ipcc_queue_touch(struct ipcc_queue *queue, int64_t ticket)
{
    return handle_call_nil(of(queue), &(struct typed_call){"queue.touch", {ipcc_int(ticket)}, 0});
}

int ipcc_queue_taken(struct ipcc_queue *queue, size_t start, size_t count, struct ipcc_reply *reply)
{
    return handle_call(of(queue),
                       &(struct typed_call){"queue.taken", {ipcc_uint(start), ipcc_uint(count)}, 0},
                       reply);
}

int ipcc_queue_join(struct ipcc_queue *queue, int64_t timeout_ms)
{
    return handle_call_nil(
        of(queue), &(struct typed_call){"queue.join", {timeout_value(timeout_ms)}, timeout_ms});
}

int ipcc_queue_qsize(struct ipcc_queue *queue, uint64_t *size)
{
    return handle_call_uint(of(queue), &(struct typed_call){.method = "queue.qsize"}, size);
}

int ipcc_queue_empty(struct ipcc_queue *queue, bool *empty)
{
    return handle_call_bool(of(queue), &(struct typed_call){.method = "queue.empty"}, empty);
}

int ipcc_queue_full(struct ipcc_queue *queue, bool *full)
{
    return handle_call_bool(of(queue), &(struct typed_call){.method = "queue.full"}, full);
}

int ipcc_queue_peek(struct ipcc_queue *queue, size_t start, size_t count, struct ipcc_reply *reply)
{
    return handle_call(of(queue),
                       &(struct typed_call){"queue.peek", {ipcc_uint(start), ipcc_uint(count)}, 0},
                       reply);
}

int ipcc_queue_clear(struct ipcc_queue *queue, uint64_t *removed)
{
    return handle_call_uint(of(queue), &(struct typed_call){.method = "queue.clear"}, removed);
}

int ipcc_queue_pause(struct ipcc_queue *queue, int64_t ms)
{
    int status = timeout_check(ms);
    if (status < 0) {
        return status;
    }
    return handle_call_nil(of(queue), &(struct typed_call){"queue.pause", {timeout_value(ms)}, 0});
}

int ipcc_queue_resume(struct ipcc_queue *queue)
{
    return handle_call_nil(of(queue), &(struct typed_call){.method = "queue.resume"});
}

int ipcc_queue_shutdown(struct ipcc_queue *queue, bool immediate)
{
    return handle_call_nil(of(queue),
                           &(struct typed_call){"queue.shutdown", {ipcc_bool(immediate)}, 0});
}
