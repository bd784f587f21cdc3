/*
 * several: see several.h.
 *
 * Tests: tests/hosts/test_get_any.py.
 */
#include "daemon/engine/several.h"

#include <stdlib.h>

#include "daemon/engine/answer.h"
#include "daemon/engine/asking.h"
#include "daemon/engine/mailbox.h"
#include "daemon/engine/taken.h"

enum { TRIES_MOST = 16 }; /* as in away.c */

enum pass { PASS_CHECK, PASS_ASK, PASS_WAIT };

/* One of the places. */
struct leg {
    struct several *several;
    struct lane *lane;   /* used */
    struct buffer names; /* owned: an array, packed: those of its tag */
    size_t head;         /* of names: where it begins, */
    uint32_t count;      /* and how many it has */
    struct op op;        /* the call; */
    struct op end;       /* wait.cancel */
    unsigned tries;
    bool is_shut; /* all of its queues are shut down and over; */
    bool stays;   /* which its op says */
    bool waits;
    bool is_ahead; /* the outbox has ended its wait before the reply to its op has come */
};

struct several {
    struct engine *engine;
    struct call *call; /* NULL: it is over */
    struct several_listener listener;
    uint64_t wait;
    uint64_t deadline; /* of the ops */
    struct leg *legs;  /* owned array */
    uint32_t count;
    enum pass pass;
    uint32_t next;      /* the first leg that the pass has not come to */
    unsigned under_way; /* ops */
    bool is_told;       /* that it waits everywhere */
    bool is_ending;     /* counted in engine->ending */
};

bool several_is_needed(const struct engine *engine, const struct call *call)
{
    return call->method->id == METHOD_queue_get_any && asking_is_apart(engine, call);
}

/* ---- made and freed ---------------------------------------------------------------------------
 */

/* The call as it would be of the queues of one place. */
struct call_there {
    struct call call;
    struct param params[MESSAGE_PARAMS_MAX];
};

static struct call *call_of(const struct leg *leg, struct call_there *out)
{
    const struct call *whole = leg->several->call;
    struct slice names = buffer_slice(&leg->names);
    out->call = *whole;
    out->call.params = out->params;
    out->params[0] = value_next(&names);
    out->params[1] = whole->params[1];
    return &out->call;
}

static void release(struct several *several)
{
    if (several->call != NULL || several->under_way > 0) {
        return;
    }
    for (uint32_t i = 0; i < several->count; i++) {
        struct leg *leg = &several->legs[i];
        op_deinit(&leg->op);
        op_deinit(&leg->end);
        buffer_deinit(&leg->names);
        lane_unuse(leg->lane);
    }
    several->engine->ending -= several->is_ending;
    free(several->legs);
    free(several);
}

/* The leg of that lane; made if there is none yet. */
static struct leg *leg_in(struct several *several, struct lane *lane)
{
    for (uint32_t i = 0; i < several->count; i++) {
        if (several->legs[i].lane == lane) {
            return &several->legs[i];
        }
    }
    struct leg *leg = &several->legs[several->count++];
    leg->several = several;
    leg->lane = lane;
    lane_use(lane);
    op_init(&leg->op, "", (struct slice){0});
    op_init(&leg->end, "", (struct slice){0});
    leg->head = pack_array_begin(&leg->names);
    return leg;
}

static int deal_names_out(struct several *several)
{
    const struct param *names = &several->call->params[0];
    struct slice rest = slice_from(names->raw, names->header.size);
    bool failed = false;
    for (uint32_t i = 0; i < names->header.count; i++) {
        struct param name = value_next(&rest);
        struct lane *lane = lanes_of_name(&several->engine->lanes, param_bytes(&name));
        if (lane == NULL) {
            return ERR_MEMORY;
        }
        struct leg *leg = leg_in(several, lane);
        pack_raw(&leg->names, name.raw);
        leg->count++;
    }
    for (uint32_t i = 0; i < several->count; i++) {
        pack_array_end(&several->legs[i].names, several->legs[i].head, several->legs[i].count);
        failed |= several->legs[i].names.failed;
    }
    return failed ? ERR_MEMORY : 0;
}

static void leg_done(struct op *op, const struct outcome *outcome);
static void end_done(struct op *op, const struct outcome *outcome);

static int encode(struct leg *leg)
{
    struct several *several = leg->several;
    struct call_there there;
    struct call *call = call_of(leg, &there);
    struct op *op = &leg->op;
    op_deinit(op);
    op_init(op, call->method->name, asking_name(call));
    op->session = call->session->id;
    op->wait = several->wait;
    op->deadline = several->deadline;
    op->done = leg_done;
    op_init(&leg->end, "wait.cancel", (struct slice){0});
    argument_uint(&leg->end.first.arguments, several->wait);
    leg->end.session = op->session;
    leg->end.done = end_done;
    int status = asking_encode(several->engine, call, &op->first);
    several->call->refused = call->refused;
    return status;
}

/* ---- asking -----------------------------------------------------------------------------------
 */

static void submit(struct leg *leg)
{
    struct several *several = leg->several;
    leg->op.is_late = several->pass != PASS_WAIT;
    if (several->pass == PASS_WAIT && leg->is_shut && !leg->stays) {
        leg->stays = true;
        argument_text(&leg->op.first.arguments, "1");
    }
    several->under_way++;
    lane_submit(leg->lane, &leg->op);
}

static void begin_pass(struct several *several, enum pass pass)
{
    several->pass = pass;
    several->next = 1;
    submit(&several->legs[0]);
}

static void submit_end(struct leg *leg)
{
    leg->waits = false;
    leg->several->under_way++;
    lane_submit(leg->lane, &leg->end);
}

void several_stop(struct several *several)
{
    several->call = NULL;
    for (uint32_t i = 0; i < several->count; i++) {
        struct leg *leg = &several->legs[i];
        if (leg->waits) {
            submit_end(leg);
        } else if (leg->op.lane != NULL && lane_withdraw(&leg->op)) {
            several->under_way--;
        } else {
            leg->op.is_orphan = true;
        }
    }
    several->is_ending = true;
    several->engine->ending++;
    release(several);
}

static void finish(struct several *several, int status)
{
    const struct several_listener listener = several->listener;
    several_stop(several);
    listener.done(listener.data, status);
}

static void fail(struct several *several, bool unknown, const char *why)
{
    call_take_up(several->call);
    finish(several, answer_lost(several->call, unknown, why));
}

/* Ends it with a reply "=" or "!". */
static void answer(struct several *several, struct slice reply)
{
    struct call *call = several->call;
    call_take_up(call);
    finish(several, asking_answer(several->engine, call, NULL, reply));
}

static void answer_none(struct several *several, bool is_shut)
{
    answer(several, slice_of_string(
                        is_shut ? "!SHUT_DOWN queue.get_any: all of the queues are empty and shut "
                                  "down"
                                : "!EMPTY queue.get_any: none of the queues has an item"));
}

static bool all_legs(const struct several *several, bool (*is_so)(const struct leg *leg))
{
    uint32_t i = 0;
    while (i < several->count && is_so(&several->legs[i])) {
        i++;
    }
    return i == several->count;
}

static bool is_shut(const struct leg *leg)
{
    return leg->is_shut;
}

static bool is_waiting(const struct leg *leg)
{
    return leg->waits;
}

static bool is_without_time(const struct several *several)
{
    const struct param *timeout = &several->call->params[1];
    return timeout->raw.len > 0 && timeout->header.kind == KIND_INT && timeout->header.i == 0;
}

/* All places have been asked, and none has an item. */
static void end_asking(struct several *several)
{
    if (all_legs(several, is_shut)) {
        answer_none(several, true);
    } else if (is_without_time(several)) {
        answer_none(several, false);
    } else {
        begin_pass(several, PASS_WAIT);
    }
}

/* The leg has been dealt with in this pass. One leg is asked after the other, but for the check. */
static void go_on(struct leg *leg)
{
    struct several *several = leg->several;
    bool is_last_begun = leg == &several->legs[several->next - 1];
    if (several->pass == PASS_CHECK) {
        if (several->under_way == 0) {
            begin_pass(several, PASS_ASK);
        }
    } else if (is_last_begun && several->next < several->count) {
        submit(&several->legs[several->next++]);
    } else if (several->pass == PASS_ASK) {
        end_asking(several);
    }
}

/* ---- replies ----------------------------------------------------------------------------------
 */

/* Whether the caller may get from its queues, by what is there now. */
static int check_rights(struct leg *leg, struct slice fresh)
{
    struct several *several = leg->several;
    struct call_there there;
    struct call *call = call_of(leg, &there);
    int status = asking_check(several->engine, call, &fresh, &leg->op.first);
    several->call->refused = call->refused;
    return status;
}

/* "?" */
static void check(struct leg *leg, struct slice fresh)
{
    struct several *several = leg->several;
    answer_begin(several->call);
    int status = check_rights(leg, fresh);
    asking_forget_refusal(several->call);
    if (status < 0) {
        call_take_up(several->call);
        finish(several, check_rights(leg, fresh));
        return;
    }
    if (several->pass == PASS_CHECK) {
        go_on(leg);
    } else if (++leg->tries < TRIES_MOST) {
        submit(leg);
    } else {
        fail(several, false, "a queue changes all the time");
    }
}

/* "!" */
static void take_refusal(struct leg *leg, struct slice reply)
{
    struct several *several = leg->several;
    int code = answer_code(slice_from(reply, 1));
    leg->is_shut = code == ERR_SHUT_DOWN;
    if (code != ERR_SHUT_DOWN && (code != ERR_EMPTY || several->pass == PASS_WAIT)) {
        answer(several, reply);
    } else if (several->pass != PASS_WAIT) {
        go_on(leg);
    } else if (all_legs(several, is_shut)) {
        answer_none(several, true);
    } else if (leg->op.lane != NULL) {
        leg->is_ahead = true;
    } else {
        submit(leg);
    }
}

static void take_wait(struct leg *leg, struct slice limit)
{
    struct several *several = leg->several;
    if (leg->is_ahead) {
        leg->is_ahead = false;
        submit(leg);
        return;
    }
    leg->waits = true;
    mailbox_open(several->engine, leg->lane);
    go_on(leg);
    if (!several->is_told && all_legs(several, is_waiting)) {
        several->is_told = true;
        several->listener.waits(several->listener.data, limit);
    }
}

/* It is over: what comes too late is not wanted. */
static void give_up(struct leg *leg, struct slice reply)
{
    struct several *several = leg->several;
    if (reply.len > 0 && reply.data[0] == '~') {
        mailbox_open(several->engine, leg->lane);
        submit_end(leg);
    } else if (reply.len > 0 && reply.data[0] == '=') {
        taken_return(several->engine, leg->op.first.verb, part_name(&leg->op.first),
                     slice_from(reply, 1));
    }
    release(several);
}

static void leg_done(struct op *op, const struct outcome *outcome)
{
    struct leg *leg = (struct leg *)((char *)op - offsetof(struct leg, op));
    struct several *several = leg->several;
    struct slice reply = outcome->fate == OP_DONE ? outcome->replies[0] : (struct slice){0};
    char kind = reply.len > 0 ? (char)reply.data[0] : '\0';
    several->under_way--;
    if (several->call == NULL) {
        give_up(leg, reply);
    } else if (outcome->fate != OP_DONE) {
        fail(several, outcome->fate == OP_UNKNOWN, outcome->why);
    } else if (kind == '~') {
        take_wait(leg, slice_from(reply, 1));
    } else if (kind == '?') {
        check(leg, slice_from(reply, 1));
    } else if (kind == '!') {
        take_refusal(leg, reply);
    } else if (kind == '=' && outcome->unconfirmed) {
        fail(several, true, answer_unconfirmed);
    } else if (kind == '=') {
        answer(several, reply);
    } else {
        fail(several, true, "the engine answered with something else");
    }
}

static void end_done(struct op *op, const struct outcome *outcome)
{
    struct leg *leg = (struct leg *)((char *)op - offsetof(struct leg, end));
    leg->several->under_way--;
    release(leg->several);
}

void several_serve(struct several *several, const struct lane *lane, struct slice reply)
{
    for (uint32_t i = 0; i < several->count; i++) {
        struct leg *leg = &several->legs[i];
        if (leg->lane == lane) {
            leg->waits = false;
            if (reply.len > 0 && reply.data[0] == '!') {
                take_refusal(leg, reply);
            } else if (reply.len > 0 && reply.data[0] == '=') {
                answer(several, reply);
            } else {
                fail(several, true, "the engine served it with something else");
            }
            return;
        }
    }
}

/* ---- beginning --------------------------------------------------------------------------------
 */

int several_begin(struct engine *engine, struct call *call, uint64_t wait,
                  const struct several_listener *listener, struct several **out)
{
    struct several *several = calloc(1, sizeof(*several));
    struct leg *legs = calloc(call->params[0].header.count, sizeof(*legs));
    if (several == NULL || legs == NULL) {
        free(several);
        free(legs);
        return ERR_MEMORY;
    }
    *several = (struct several){
        .engine = engine, .call = call, .listener = *listener, .wait = wait, .legs = legs};
    several->deadline = time_after(engine_now(engine), (int64_t)engine->options.timeout_ms);
    int status = deal_names_out(several);
    for (uint32_t i = 0; i < several->count && status == 0; i++) {
        status = encode(&several->legs[i]);
    }
    if (status < 0) {
        several->call = NULL;
        release(several);
        return status;
    }
    several->next = several->count;
    for (uint32_t i = 0; i < several->count; i++) {
        submit(&several->legs[i]);
    }
    *out = several;
    return 0;
}
