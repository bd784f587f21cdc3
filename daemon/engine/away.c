/*
 * away: see away.h.
 *
 * Tests: tests/unit/engine/test_hosts.c; tests/unit/methods/, the suite "engine".
 */
#include "daemon/engine/away.h"

#include <stdlib.h>

#include "daemon/engine/answer.h"
#include "daemon/engine/asking.h"
#include "daemon/engine/guest.h"
#include "daemon/engine/listing.h"
#include "daemon/engine/mailbox.h"
#include "daemon/engine/several.h"
#include "daemon/engine/taken.h"
#include "daemon/engine/together.h"

enum {
    SPARES_MOST = 1024,
    SPARE_BYTES = 2048, /* of its op, and not more, are kept with a spare one */
    TRIES_MOST = 16, /* an object that changes its owner or mode more often while it is asked for */
    NS_PER_MS = 1000000,
};

static uint32_t hash_wait(uint64_t wait)
{
    return (uint32_t)(wait * 2654435769U);
}

static bool has_number(const struct ordered_entry *entry, const void *key)
{
    return ((const struct away *)entry)->op.wait == *(const uint64_t *)key;
}

static void op_done(struct op *op, const struct outcome *outcome);

/* The one whose op has that number and is under way: it is served before its reply has come. */
static struct away *find_under_way(const struct lane *lane, uint64_t wait)
{
    struct op *op;
    TAILQ_FOREACH (op, &lane->sent, link) {
        if (op->wait == wait && op->done == op_done) {
            return (struct away *)((char *)op - offsetof(struct away, op));
        }
    }
    return NULL;
}

struct away *away_waiting(const struct engine *engine, const struct lane *lane, uint64_t wait)
{
    uint32_t position = ordered_find(&engine->waits, hash_wait(wait), has_number, &wait);
    return position != ORDERED_NONE ? (struct away *)engine->waits.entries[position]
           : wait != 0              ? find_under_way(lane, wait)
                                    : NULL;
}

/* Making and freeing. */

static struct away *away_new(struct engine *engine)
{
    struct away *away = SLIST_FIRST(&engine->spares);
    if (away != NULL) {
        SLIST_REMOVE_HEAD(&engine->spares, spare);
        engine->nspares--;
    } else {
        away = calloc(1, sizeof(*away));
        if (away == NULL) {
            return NULL;
        }
        op_init(&away->op, "", (struct slice){0});
    }
    away->engine = engine;
    return away;
}

void away_free_spares(struct engine *engine)
{
    struct away *away;
    while ((away = SLIST_FIRST(&engine->spares)) != NULL) {
        SLIST_REMOVE_HEAD(&engine->spares, spare);
        op_deinit(&away->op);
        free(away);
    }
}

/* It is kept for another call, or freed. */
static void away_keep(struct engine *engine, struct away *away)
{
    struct op_part *part = &away->op.first;
    bool is_small = away->op.parts == part && away->op.count == 1 &&
                    part->arguments.bytes.cap + part->version.cap <= SPARE_BYTES;
    op_deinit(&away->end);
    if (engine->nspares >= SPARES_MOST || !is_small) {
        op_deinit(&away->op);
        free(away);
        return;
    }
    struct op_part kept = {.arguments.bytes = part->arguments.bytes, .version = part->version};
    *away = (struct away){.op = {.count = 1, .parts = &away->op.first, .first = kept}};
    SLIST_INSERT_HEAD(&engine->spares, away, spare);
    engine->nspares++;
}

static void away_release(struct away *away)
{
    struct engine *engine = away->engine;
    if (away->call != NULL || away->op.lane != NULL || away->end.lane != NULL) {
        return;
    }
    if (away->is_known) {
        uint32_t position = ordered_from_seq(&engine->waits, away->entry.seq);
        (void)ordered_remove(&engine->waits, position, hash_wait(away->op.wait), NULL);
    }
    engine->ending -= away->is_ending;
    if (away->lane != NULL) {
        lane_unuse(away->lane);
    }
    away_keep(engine, away);
}

/* It is found by its number from now on. */
static int note_wait(struct away *away)
{
    struct engine *engine = away->engine;
    int status = ordered_append(&engine->waits, hash_wait(away->op.wait), &away->entry);
    away->is_known = status == 0;
    return status;
}

/* It has nothing to do with its call any more. */
static void let_go(struct away *away)
{
    if (away->call != NULL) {
        parked_of(away->call)->away = NULL;
        away->call = NULL;
    }
}

/* Ends the call, whose answer has been packed or which is refused with `status`. */
static void finish(struct away *away, int status)
{
    struct call *call = away->call;
    let_go(away);
    call_finish(call, status);
}

/* Before the answer is packed. */
static struct call *take_up(struct away *away)
{
    call_take_up(away->call);
    return away->call;
}

/* One that is not done by an op of its own has its answer packed, or is refused. */
static void others_done(void *data, int status)
{
    struct away *away = data;
    away->listing = NULL;
    away->several = NULL;
    finish(away, status);
    away_release(away);
}

static void fail(struct away *away, bool unknown, const char *why)
{
    struct call *call = take_up(away);
    finish(away, answer_lost(call, unknown, why));
}

/* Whether it may be done, by what is known; nothing is packed. */
static int try_check(struct away *away, const struct slice *fresh)
{
    struct call *call = away->call;
    answer_begin(call);
    int status = asking_check(away->engine, call, fresh, &away->op.first);
    asking_forget_refusal(call);
    return status;
}

/* The reply "?": something has another version than was said, or nothing was said. */
static void check_again(struct away *away, struct slice fresh)
{
    int status = try_check(away, &fresh);
    if (status == 0 && ++away->tries < TRIES_MOST) {
        lane_submit(away->lane, &away->op);
        return;
    }
    struct call *call = take_up(away);
    status = status == 0 ? answer_failure(call, false, "%s: the object changes all the time",
                                          call->method->name)
                         : asking_check(away->engine, call, &fresh, &away->op.first);
    finish(away, status);
}

/* Answers. */

/* Answers the call with a reply "=" or "!", and ends it. */
static void answer(struct away *away, struct slice reply)
{
    struct call *call = take_up(away);
    finish(away, asking_answer(away->engine, call, away->lane, reply));
}

static bool is_answer(struct slice reply)
{
    return reply.len > 0 && (reply.data[0] == '=' || reply.data[0] == '!');
}

/* Waiting. */

static void send_end(struct away *away, const char *verb);

static uint64_t read_limit(struct slice text, uint64_t since)
{
    int64_t ms = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9' || ms > (INT64_MAX - 9) / 10) {
            return i == 0 ? TIME_NEVER : TIME_LATEST;
        }
        ms = ms * 10 + (text.data[i] - '0');
    }
    return text.len == 0 ? TIME_NEVER : time_after(since, ms);
}

static void begin_wait(struct away *away, struct slice limit)
{
    struct call *call = away->call;
    away->state = AWAY_WAITS;
    mailbox_open(away->engine, away->lane);
    if (!away->served && !away->is_known && note_wait(away) < 0 && call != NULL) {
        call_cancel(call, ERR_LIMIT, "there is no memory for one more call that waits");
        return;
    }
    if (call == NULL) { /* its session is gone, which the engine may not know */
        if (!away->served) {
            send_end(away, "wait.cancel");
        }
        return;
    }
    if (away->why == ERR_CANCELLED) {
        send_end(away, "wait.cancel");
        return;
    }
    call_wait_away(call, read_limit(limit, parked_of(call)->since)); /* it may be gone then */
}

static void end_done(struct op *op, const struct outcome *outcome)
{
    struct away *away = (struct away *)((char *)op - offsetof(struct away, end));
    struct call *call = away->call;
    bool cancels = strcmp(op->first.verb, "wait.cancel") == 0;
    if (call == NULL) {
        away_release(away);
        return;
    }
    struct slice reply = outcome->fate == OP_DONE ? outcome->replies[0] : (struct slice){0};
    if (outcome->fate != OP_DONE && !lanes_may_send(&away->engine->lanes)) {
        return; /* what it waits for is lost with the lease: waits_lose says so */
    }
    if (outcome->fate != OP_DONE) {
        fail(away, true, outcome->why);
    } else if (is_answer(reply) && reply.data[0] == '!' &&
               answer_code(slice_from(reply, 1)) == ERR_NOT_FOUND) {
        away->why = 0; /* it was served before: the outbox has it */
    } else if (cancels && is_answer(reply)) {
        call = take_up(away);
        finish(away, call_fail(call, ERR_CANCELLED, "the caller cancelled the wait"));
    } else if (is_answer(reply)) {
        answer(away, reply);
    } else { /* it goes on without limit */
        away->why = 0;
    }
    away_release(away);
}

/* Ends the wait in the engine. */
static void send_end(struct away *away, const char *verb)
{
    if (away->end.lane != NULL) {
        return;
    }
    op_deinit(&away->end);
    op_init(&away->end, verb, (struct slice){0});
    argument_uint(&away->end.first.arguments, away->op.wait);
    away->end.session = away->op.session;
    away->end.done = end_done;
    lane_submit(away->lane, &away->end);
}

/* What comes for it from now on goes back. */
static void end_several(struct away *away, int why)
{
    struct call *call = take_up(away);
    several_stop(away->several);
    away->several = NULL;
    finish(away, why == ERR_CANCELLED
                     ? call_fail(call, why, "the caller cancelled the wait")
                     : call_fail(call, ERR_EMPTY, "%s: none of the queues has an item",
                                 call->method->name));
    away_release(away);
}

void away_cancel(struct call *call, int why)
{
    struct away *away = parked_of(call)->away;
    if (away->several != NULL) {
        end_several(away, why);
        return;
    }
    if (why == ERR_CANCELLED && away->state == AWAY_ASKED && !away->op.is_sent) { /* or a listing */
        call_cancel(call, ERR_CANCELLED, "the caller cancelled the wait");
        return;
    }
    away->why = why;
    if (away->state == AWAY_WAITS) {
        send_end(away, why == ERR_TIMEOUT ? "wait.timeout" : "wait.cancel");
    }
}

/* What its session sent before it went is done; but nobody takes anything for it, or waits. */
static bool is_done_anyway(const struct away *away)
{
    const char *verb = away->op.parts[0].verb;
    return away->op.wait == 0 || strncmp(verb, "queue.put", strlen("queue.put")) == 0;
}

void away_forget(struct call *call)
{
    struct away *away = parked_of(call)->away;
    let_go(away);
    away->op.is_orphan = true;
    if (away->listing != NULL) {
        listing_stop(away->listing);
        away->listing = NULL;
    } else if (away->several != NULL) {
        several_stop(away->several);
        away->several = NULL;
    } else if (away->state == AWAY_WAITS) {
        if (!away->served) {
            send_end(away, "wait.cancel");
        }
    } else if (away->op.lane != NULL && !away->op.is_sent) {
        if (is_done_anyway(away)) {
            away->op.is_late = true;
        } else {
            (void)lane_withdraw(&away->op);
        }
    }
    if (away->op.lane != NULL) {
        away->is_ending = true;
        away->engine->ending++;
    }
    away_release(away);
}

void away_serve(struct away *away, const struct lane *lane, struct slice reply)
{
    if (away->several != NULL) {
        several_serve(away->several, lane, reply);
        return;
    }
    away->served = true;
    if (away->call != NULL && is_answer(reply)) {
        answer(away, reply);
    } else if (away->call != NULL) {
        fail(away, true, "the engine served it with something else");
    }
    away_release(away);
}

void away_lose(struct away *away, const char *why)
{
    if (away->several != NULL) {
        several_stop(away->several);
        away->several = NULL;
    }
    away->served = true;
    if (away->call != NULL) {
        fail(away, false, why);
    }
    away_release(away);
}

/* Who watches is answered when nothing can be missed any more: until the channel is subscribed to
 * it is asked for again. */
static bool must_listen_first(const struct away *away)
{
    return away->call->method->id == METHOD_object_watch && !away->lane->mailbox.confirmed;
}

/* Replies. */

/* Nobody is there to take what a part was answered. */
static void give_back(struct away *away, const struct op_part *part, struct slice reply)
{
    if (reply.len > 0 && reply.data[0] == '=') {
        taken_return(away->engine, part->verb, part_name(part), slice_from(reply, 1));
    }
}

static void op_done(struct op *op, const struct outcome *outcome)
{
    struct away *away = (struct away *)((char *)op - offsetof(struct away, op));
    struct slice reply = outcome->fate == OP_DONE ? outcome->replies[0] : (struct slice){0};
    if (reply.len > 0 && reply.data[0] == '~') {
        begin_wait(away, slice_from(reply, 1));
    } else if (away->call == NULL) {
        give_back(away, &op->first, reply);
    } else if (outcome->fate != OP_DONE) {
        fail(away, outcome->fate == OP_UNKNOWN, outcome->why);
    } else if (outcome->unconfirmed) {
        fail(away, true, answer_unconfirmed);
    } else if (reply.len > 0 && reply.data[0] == '?') {
        check_again(away, slice_from(reply, 1));
    } else if (is_answer(reply) && must_listen_first(away)) {
        lane_submit(away->lane, op);
    } else if (is_answer(reply)) {
        answer(away, reply);
    } else {
        fail(away, true, "the engine answered with something else");
    }
    away_release(away);
}

/* Of a batch. */
static void together_done(struct op *op, const struct outcome *outcome)
{
    struct away *away = (struct away *)((char *)op - offsetof(struct away, op));
    struct engine *engine = away->engine;
    if (away->call == NULL) {
        for (size_t i = 0; i < outcome->count && i < op->count; i++) {
            give_back(away, &op->parts[i], outcome->replies[i]);
        }
    } else if (outcome->fate != OP_DONE) {
        fail(away, outcome->fate == OP_UNKNOWN, outcome->why);
    } else if (outcome->unconfirmed) {
        fail(away, true, answer_unconfirmed);
    } else if (together_must_ask_again(engine, away->call, op, outcome) && op->count > 0 &&
               ++away->tries < TRIES_MOST) {
        lane_submit(away->lane, op);
        return;
    } else {
        struct call *call = take_up(away);
        finish(away, together_answer(engine, call, away->lane, op, outcome));
    }
    away_release(away);
}

/* Beginning. */

/* It goes to the lane of that name. */
static int take_lane(struct away *away, struct call *call, struct slice name, bool leaves)
{
    struct engine *engine = away->engine;
    struct lane *lane = lanes_of_name(&engine->lanes, name);
    if (lane == NULL) {
        return ERR_MEMORY;
    }
    away->lane = lane;
    lane_use(lane);
    return leaves ? guest_stays(engine, call->session, lane) : 0;
}

/* What it takes of one of several objects is left in the lane of that one. */
static int stay_in_all(struct engine *engine, const struct call *call)
{
    struct slice rest = slice_from(call->params[0].raw, call->params[0].header.size);
    int status = 0;
    while (rest.len > 0 && status == 0) {
        struct param name = value_next(&rest);
        struct lane *lane = lanes_of_name(&engine->lanes, param_bytes(&name));
        status = lane == NULL ? ERR_MEMORY : guest_stays(engine, call->session, lane);
    }
    return status;
}

static int prepare(struct away *away, struct call *call)
{
    struct engine *engine = away->engine;
    op_renew(&away->op, call->method->name, asking_name(call));
    int status = asking_encode(engine, call, &away->op.first);
    if (status == 0) {
        status = take_lane(away, call, asking_name(call), asking_leaves_something(call));
    }
    if (status == 0 && call->params[0].header.kind == KIND_ARRAY) {
        status = stay_in_all(engine, call);
    }
    if (status == 0 && (call->method->flags & METHOD_WAITS) != 0) {
        away->op.wait = ++engine->last_wait;
    }
    return status;
}

static int prepare_together(struct away *away, struct call *call)
{
    bool leaves;
    op_deinit(&away->op);
    int status = together_prepare(away->engine, call, &away->op, &leaves);
    if (status == 0 && away->op.count == 0) { /* not even the first one can be begun */
        static const struct outcome nothing = {.fate = OP_DONE};
        return together_answer(away->engine, call, NULL, &away->op, &nothing);
    }
    return status < 0 ? status : take_lane(away, call, together_name(&away->op), leaves);
}

static int begin_listing(struct away *away, struct call *call)
{
    int status = listing_begin(away->engine, call, others_done, away, &away->listing);
    if (status < 0) {
        away_release(away);
        return status;
    }
    away->call = call;
    parked_of(call)->away = away;
    return 0;
}

static void waits_everywhere(void *data, struct slice limit)
{
    const struct away *away = data;
    call_wait_away(away->call, read_limit(limit, parked_of(away->call)->since)); /* as above */
}

static int begin_several(struct away *away, struct call *call)
{
    const struct several_listener listener = {waits_everywhere, others_done, away};
    int status = stay_in_all(away->engine, call);
    if (status == 0) {
        away->op.wait = ++away->engine->last_wait;
        status = note_wait(away);
    }
    if (status == 0) {
        status = several_begin(away->engine, call, away->op.wait, &listener, &away->several);
    }
    if (status < 0) {
        away_release(away);
        return status;
    }
    away->state = AWAY_WAITS;
    away->call = call;
    parked_of(call)->away = away;
    return 0;
}

int away_begin(struct engine *engine, struct call *call)
{
    const char *lost = guest_take_loss(engine, call->session->id);
    if (lost != NULL) {
        return answer_failure(call, false, "%s: nothing was done: %s", call->method->name, lost);
    }
    struct away *away = away_new(engine);
    if (away == NULL) {
        return ERR_MEMORY;
    }
    bool together = call->method->id == METHOD__atomic;
    if (call->method->id == METHOD_object_list) {
        return begin_listing(away, call);
    }
    if (several_is_needed(engine, call)) {
        return begin_several(away, call);
    }
    int status = together ? prepare_together(away, call) : prepare(away, call);
    away->op.session = call->session->id;
    away->op.deadline = time_after(call->now, (int64_t)engine->options.timeout_ms);
    away->op.done = together ? together_done : op_done;
    if (status < 0) {
        away_release(away);
        return status;
    }
    away->call = call;
    parked_of(call)->away = away;
    if (!together) {
        (void)try_check(away, NULL); /* nobody is refused by what is merely remembered */
    }
    lane_submit(away->lane, &away->op);
    return 0;
}
