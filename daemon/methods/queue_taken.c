/*
 * methods/queue_taken: the handlers for what is taken from a joinable queue and not done: the
 * tickets, looking at them, and waiting until there are none; the operations are in
 * daemon/objects/queue.h.
 *
 * Tests: test_queue.c, test_queue_extremes.c, test_queue_taken.c.
 */
#include "daemon/methods/claims.h"
#include "daemon/methods/methods.h"
#include "daemon/methods/options.h"
#include "daemon/objects/queue.h"

enum { NS_PER_MS = 1000000, NS_PER_SECOND = 1000000000, TAKEN_STANDARD = 100 };

/* Refuses if the queue is not joinable. */
static int need_joinable(struct call *call)
{
    if (queue_of(call->object)->options.joinable) {
        return 0;
    }
    return call_fail(call, ERR_WRONG_TYPE,
                     "%s needs a joinable queue; \"%s\" was opened without joinable",
                     call->method->name, call->object->name);
}

/* The taken item of the ticket in param 1. */
static int find_ticket(struct call *call, struct item **out)
{
    int status = need_joinable(call);
    if (status < 0) {
        return status;
    }
    int64_t ticket = call_int(call, 1, 0);
    *out = queue_ticket(queue_of(call->object), (uint64_t)ticket);
    if (*out == NULL) {
        return call_fail(call, ERR_VALUE,
                         "%s: ticket %lld of \"%s\" is not taken: it is done, or has gone back",
                         call->method->name, (long long)ticket, call->object->name);
    }
    return 0;
}

static int oldest_taken(struct call *call, struct item **out)
{
    int status = need_joinable(call);
    if (status < 0) {
        return status;
    }
    const struct queue *queue = queue_of(call->object);
    *out = queue_oldest_taken(queue, session_tie(call->session, call->object));
    if (*out == NULL && queue->tickets.live > 0) {
        return call_fail(call, ERR_VALUE,
                         "this session has taken no item of \"%s\", which has lease_ms: give the "
                         "ticket to finish one that another session has taken",
                         call->object->name);
    }
    if (*out == NULL) {
        return call_fail(call, ERR_VALUE,
                         "task_done was called too many times: no item of \"%s\" "
                         "is taken",
                         call->object->name);
    }
    return 0;
}

/* The claim of a tie has gone: the tie as well, if it was the last. */
static void release_tie(struct tie *tie)
{
    if (tie != NULL) {
        session_tie_check(tie);
    }
}

int method_queue_task_done(struct call *call)
{
    struct item *item;
    int status = call_given(call, 1) ? find_ticket(call, &item) : oldest_taken(call, &item);
    if (status < 0) {
        return status;
    }
    if (call_needs_pace(call, queue_leave_steps(queue_of(call->object)))) {
        return CALL_PACED;
    }
    struct tie *tie = item->tie;
    uint64_t left = queue_done(queue_of(call->object), item, call->pace);
    release_tie(tie);
    return call_answer_int(call, (int64_t)left);
}

int method_queue_give_back(struct call *call)
{
    struct param given[OPTIONS_queue_give_back];
    struct item *item;
    int status = options_read(call, 3, given);
    if (status == 0) {
        status = find_ticket(call, &item);
    }
    if (status < 0) {
        return status;
    }
    struct queue *queue = queue_of(call->object);
    if (call_needs_pace(call, queue_leave_steps(queue))) {
        return CALL_PACED;
    }
    struct tie *tie = item->tie;
    if (option_bool(&given[OPTION_queue_give_back_uncounted], false)) {
        queue_uncount(queue, item);
    }
    queue_give_back(queue, item, call_int(call, 2, 0), call->now, call->pace);
    release_tie(tie);
    return call_answer_nil(call);
}

int method_queue_touch(struct call *call)
{
    struct item *item;
    int status = find_ticket(call, &item);
    if (status < 0) {
        return status;
    }
    queue_touch(queue_of(call->object), item, call->now);
    return call_answer_nil(call);
}

int method_queue_join(struct call *call)
{
    int status = need_joinable(call);
    if (status < 0) {
        return status;
    }
    if (queue_unfinished(queue_of(call->object)) > 0) {
        return call_wait(call, QUEUE_JOINERS, 1, ERR_TIMEOUT);
    }
    return call_answer_nil(call);
}

/* The wall clock's time of what was `ago` nanoseconds ago. */
static struct timespec time_ago(uint64_t ago)
{
    struct timespec time;
    (void)clock_gettime(CLOCK_REALTIME, &time);
    time.tv_sec -= (time_t)(ago / NS_PER_SECOND);
    time.tv_nsec -= (long)(ago % NS_PER_SECOND);
    if (time.tv_nsec < 0) {
        time.tv_sec--;
        time.tv_nsec += NS_PER_SECOND;
    }
    return time;
}

struct shown {
    struct call *call;
    size_t count;
};

static bool show_taken(void *data, const struct item *item)
{
    struct shown *shown = data;
    struct call *call = shown->call;
    struct stored value = stored_blob(item->value);
    if (shown->count > 0 && !call_has_room(call, value)) {
        return false;
    }
    struct buffer *out = &call->out->bytes;
    struct timespec since = time_ago(call->now - item->taken);
    uint64_t lease = queue_lease(queue_of(call->object), item);
    size_t at = pack_map_begin(out);
    pack_key_uint(out, "ticket", item->entry.seq);
    pack_string(out, "value");
    call_pack_value(call, value);
    pack_key_uint(out, "deliveries", item->meta.deliveries);
    size_t claimant = pack_claimant(out, item->tie->session);
    pack_string(out, "since");
    pack_timestamp(out, since.tv_sec, (uint32_t)since.tv_nsec);
    pack_string(out, "lease_ms");
    if (lease != TIME_NEVER) {
        uint64_t left = lease > call->now ? lease - call->now : 0; /* it may be over: see hold.h */
        pack_uint(out, left / NS_PER_MS + (left % NS_PER_MS > 0));
    } else {
        pack_nil(out);
    }
    pack_map_end(out, at, claimant + 5);
    shown->count++;
    return !call_is_long(call);
}

int method_queue_taken(struct call *call)
{
    int status = need_joinable(call);
    if (status < 0) {
        return status;
    }
    const struct queue *queue = queue_of(call->object);
    uint64_t start = (uint64_t)call_int(call, 1, 0);
    uint64_t count = (uint64_t)call_int(call, 2, TAKEN_STANDARD);
    if (call_needs_pace(call, queue_taken_steps(queue, start, count))) {
        return CALL_PACED;
    }
    struct shown shown = {.call = call};
    size_t at = pack_array_begin(call_result(call));
    queue_taken(queue, start, count, show_taken, &shown, call->pace);
    pack_array_end(&call->out->bytes, at, shown.count);
    return 0;
}
