/*
 * methods/queue_get: the handlers that take items: queue.get, queue.get_many, queue.get_any.
 *
 * An item leaves its queue only when there is room for it in the answer, so that nothing is lost
 * for want of memory. One of a joinable queue hangs on the session's tie from then on.
 *
 * Tests: tests/unit/methods/test_queue.c, tests/unit/methods/test_get_any.c.
 */
#include "daemon/objects/queue.h"
#include "daemon/methods/methods.h"
#include "daemon/methods/options.h"

enum {
    STEPS_GET = 32,  /* what taking an item takes, in steps */
    STEPS_LOOK = 16, /* to find a queue, to look at it and to wait on it */
};

/* Takes the queue's next item, which queue_head has shown, for the tie (joinable) or for good, and
 * packs [value, ticket, deliveries], with the queue's name in front if the call has named several;
 * one more element is to follow if some are wanted ahead. */
static int deliver(struct call *call, struct queue *queue, struct delivery *head, struct tie *tie,
                   uint64_t ahead)
{
    struct buffer *out = &call->out->bytes;
    int status = output_reserve_taken(call->out, head->value);
    if (status == 0 && tie != NULL) {
        status = queue_take_head(queue, tie, call->now, head, call->pace);
    }
    if (status < 0) {
        return status;
    }
    pack_array(out, call->object != NULL && ahead == 0 ? 3 : 4);
    if (call->object == NULL) {
        pack_str(out, object_name(&queue->object));
    }
    if (tie != NULL) {
        call_pack_value(call, head->value);
        pack_uint(out, head->ticket);
    } else {
        rank_ref(&head->meta.rank);
        call_pack_taken(call, &queue->object, &head->meta, sizeof(head->meta), head->value);
        queue_drop_head(queue);
        pack_nil(out);
    }
    pack_uint(out, head->meta.deliveries);
    return 0;
}

/* For a joinable queue the tie that is to hold what is taken; NULL in *out for a plain one. */
static int holder(struct call *call, struct queue *queue, struct tie **out)
{
    *out = NULL;
    if (queue->options.joinable) {
        *out = session_tie_make(call->session, &queue->object);
        return *out == NULL ? ERR_MEMORY : 0;
    }
    return 0;
}

static void pack_reserved(void *data, const struct delivery *item)
{
    struct buffer *out = data;
    pack_array(out, 3);
    (void)buffer_append(out, item->value.bytes.data, item->value.bytes.len);
    if (item->ticket > 0) {
        pack_uint(out, item->ticket);
    } else {
        pack_nil(out);
    }
    pack_uint(out, item->meta.deliveries);
}

/* Whether an item that comes now is for nobody but the caller. */
static bool is_alone(const struct call *call)
{
    const struct wait *first = TAILQ_FIRST(&call->object->waits[QUEUE_GETTERS]);
    return call->batch == NULL && !call->notification && call->pace == NULL &&
           (first == NULL ||
            (call->waited && first->call == call && TAILQ_NEXT(first, link) == NULL));
}

/* Reserves items for the caller and packs [slot, generation, items], or nil. */
static void pack_ahead(struct call *call, uint64_t most)
{
    struct queue *queue = queue_of(call->object);
    struct ahead_page *page = call->session->page;
    struct tie *tie = session_tie(call->session, call->object);
    struct buffer *out = &call->out->bytes;
    unsigned slot;
    uint32_t generation;
    uint32_t count = 0;
    if (tie != NULL && tie->open && is_alone(call)) {
        count = queue_reserve(queue, tie, page, most, call->now, &slot, &generation);
    }
    if (count == 0) {
        pack_nil(out);
        return;
    }
    pack_array(out, 3);
    pack_uint(out, slot);
    pack_uint(out, generation);
    pack_array(out, count);
    queue_show_reserved(queue, pack_reserved, out);
}

/* Answers with the queue's next item, which queue_head has shown, and with some more `ahead`. */
static int take(struct call *call, struct queue *queue, struct delivery *head, uint64_t ahead)
{
    struct tie *tie = NULL;
    if (queue->options.joinable && call->object != NULL &&
        call_needs_pace(call, queue_take_steps(queue))) {
        return CALL_PACED;
    }
    int status = call_need_room(call, head->value);
    if (status == 0) {
        status = holder(call, queue, &tie);
    }
    if (status < 0) {
        return status;
    }
    (void)call_result(call);
    status = deliver(call, queue, head, tie, ahead);
    if (status == 0 && ahead > 0) {
        pack_ahead(call, ahead);
    }
    if (tie != NULL) {
        session_tie_check(tie);
    }
    return status;
}

/* What the queue has for a call: ERR_EMPTY also if others come before it. */
static int look(struct call *call, struct queue *queue, struct delivery *head)
{
    int status = queue_head(queue, head);
    return status == 0 && call_is_behind_on(call, &queue->object, QUEUE_GETTERS) ? ERR_EMPTY
                                                                                 : status;
}

/* The call waits for an item, for the timeout in param `i`. */
static int wait_for_item(struct call *call, unsigned i)
{
    int status = call_wait(call, QUEUE_GETTERS, i, ERR_EMPTY);
    if (status == ERR_EMPTY && queue_of(call->object)->paused) {
        return call_fail(call, status, "%s: \"%s\" is paused", call->method->name,
                         call->object->name);
    }
    return status;
}

/* How many items are wanted besides; none without a page, which the answer tells by its length. */
static int read_ahead(struct call *call, uint64_t *ahead)
{
    struct param given[OPTIONS_queue_get];
    int status = options_read(call, 2, given);
    bool has_page = call->session->page != NULL;
    *ahead = has_page ? (uint64_t)option_int(&given[OPTION_queue_get_ahead], 0) : 0;
    return status;
}

int method_queue_get(struct call *call)
{
    struct queue *queue = queue_of(call->object);
    struct delivery head;
    uint64_t ahead = 0;
    int status = __builtin_expect(call_given(call, 2), 0) ? read_ahead(call, &ahead) : 0;
    if (status == 0) {
        status = look(call, queue, &head);
    }
    if (status == ERR_EMPTY) {
        return wait_for_item(call, 1);
    }
    return status < 0 ? status : take(call, queue, &head, ahead);
}

static int refuse_any(struct call *call, int error)
{
    return call_fail(call, error, "%s: %s", call->method->name,
                     error == ERR_EMPTY ? "none of the queues has an item"
                                        : "all of the queues are empty and shut down");
}

/* True if none of the queues that a call waits on can get an item, but by one that comes back. */
static bool all_are_shut_down(struct call *call)
{
    unsigned count;
    const struct wait *waits = parked_waits(call->parked, &count);
    struct delivery head;
    bool all = true;
    for (unsigned i = 0; i < count && all; i++) {
        struct object *object = waits[i].object;
        all = object == NULL ||
              (!object_is_busy(object) && queue_head(queue_of(object), &head) == ERR_SHUT_DOWN);
    }
    return all;
}

/* A call that has waited is asked by one of its queues. One that is shut down may still get back
 * what was taken from it, so it is waited on as long as there is another one. */
static int get_from_asked(struct call *call)
{
    if (call->timed_out) {
        return refuse_any(call, ERR_EMPTY);
    }
    struct queue *queue = queue_of(call->parked->woken_by->object);
    struct delivery head;
    int status = queue_head(queue, &head);
    if (status == 0) {
        return take(call, queue, &head, 0);
    }
    if (status == ERR_SHUT_DOWN && all_are_shut_down(call)) {
        return refuse_any(call, status);
    }
    return CALL_WAIT;
}

int method_queue_get_any(struct call *call)
{
    if (call->waited) {
        return get_from_asked(call);
    }
    const struct param *names = &call->params[0];
    struct slice rest = slice_from(names->raw, names->header.size);
    struct wait_set set;
    set.channel = QUEUE_GETTERS;
    set.count = names->header.count;
    call->service->credit -= (int64_t)set.count * STEPS_LOOK;
    int refusal = ERR_SHUT_DOWN;
    for (uint32_t i = 0; i < set.count; i++) {
        struct param name = value_next(&rest);
        struct delivery head;
        set.objects[i] = registry_find(&call->service->registry, param_bytes(&name));
        int status = look(call, queue_of(set.objects[i]), &head);
        if (status == 0) {
            return take(call, queue_of(set.objects[i]), &head, 0);
        }
        if (status == ERR_EMPTY) {
            refusal = ERR_EMPTY;
        }
    }
    int status = refusal == ERR_EMPTY ? call_wait_any(call, &set, 1, ERR_EMPTY) : refusal;
    return status == refusal ? refuse_any(call, status) : status;
}

int method_queue_get_many(struct call *call)
{
    struct queue *queue = queue_of(call->object);
    uint64_t max = (uint64_t)call->params[1].header.i;
    struct delivery head;
    struct tie *tie = NULL;
    if (max == 0) {
        pack_array(call_result(call), 0);
        return 0;
    }
    if (call_needs_pace(call, (max < queue_size(queue) ? max : queue_size(queue)) * STEPS_GET)) {
        return CALL_PACED;
    }
    int status = look(call, queue, &head);
    if (status == ERR_EMPTY) {
        return wait_for_item(call, 2);
    }
    if (status == 0) {
        status = call_need_room(call, head.value);
    }
    if (status == 0) {
        status = holder(call, queue, &tie);
    }
    if (status < 0) {
        return status;
    }
    size_t at = pack_array_begin(call_result(call));
    uint64_t count = 0;
    while (count < max && !call_is_long(call) && queue_head(queue, &head) == 0 &&
           call_has_room(call, head.value) && deliver(call, queue, &head, tie, 0) == 0) {
        count++;
        pace_step(call->pace, STEPS_GET);
    }
    pack_array_end(&call->out->bytes, at, count);
    if (tie != NULL) {
        session_tie_check(tie);
    }
    return 0;
}
