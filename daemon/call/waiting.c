/* waiting: see waiting.h. */
#include "daemon/call/waiting.h"

#include <assert.h>
#include <limits.h>

#include "daemon/call/commits.h"
#include "daemon/call/engine.h"
#include "daemon/call/running.h"

enum {
    SERVED_AT_ONCE = 256, /* waits of one object that are asked in one go */
    RETRY_STEPS = 32,     /* what asking one costs, in steps of pace.h */
};

static void go_on(struct parked *parked, int status);

/* A call goes without what it waited for: its object may have to know. */
static void tell_wait_ended(const struct call *call)
{
    struct object *object = call->object;
    if (object != NULL && object->type->wait_ended != NULL && !object->deleted &&
        !object_is_sealed(object)) {
        object->type->wait_ended(object, call->progress);
    }
}

/* It is about to leave what it waits on: those behind it may be able to go on then. */
static void serve_rest(struct parked *parked)
{
    unsigned count;
    struct wait *waits = parked_waits(parked, &count);
    for (unsigned i = 0; i < count; i++) {
        if (waits[i].object != NULL) {
            object_ready(waits[i].object);
        }
    }
}

/* Runs the handler, with an output of its own if the call is done in steps. */
static int try_parked(struct parked *parked, struct output *out)
{
    struct call *call = &parked->call;
    call->now = call->service->now;
    call->out = out;
    call->start = output_mark(out);
    call->refused = false;
    return call_try(call);
}

/* Refusing and ending. */

void call_finish(struct call *call, int status)
{
    if (status < 0) {
        tell_wait_ended(call);
    }
    (void)call_complete(call, status);
    parked_free(parked_of(call));
}

/* Ends one that stands nowhere with an error that its handler has not packed. */
static void refuse(struct parked *parked, int error)
{
    struct call *call = &parked->call;
    call->out = &call->session->output;
    call->start = output_mark(call->out);
    call_finish(call, error);
}

void call_cancel(struct call *call, int error, const char *text)
{
    call->service->figures[call->method->id].errors++;
    if (!call->notification) {
        struct output *output = &call->session->output;
        struct output_mark start = output_mark(output);
        message_error(&output->bytes, call->msgid, error, text, (struct slice){0});
        session_hold(call->session, call_commit(call), output_since(output, start));
        session_dirty(call->session);
    }
    call_drop(call);
}

void call_take_up(struct call *call)
{
    parked_leave(parked_of(call));
    call->now = call->service->now;
    call->out = &call->session->output;
    call->start = output_mark(call->out);
    call->refused = false;
}

void call_wait_away(struct call *call, uint64_t deadline)
{
    if (call->session->closing) {
        call_cancel(call, ERR_CANCELLED, "the connection ends");
    } else if (parked_wait_away(parked_of(call), deadline) < 0) {
        call_cancel(call, ERR_LIMIT, "there is no memory for one more call that waits");
    }
}

/* The engine is not to end it any more. */
static void forget_away(struct parked *parked)
{
    const struct engine_api *engine = parked->call.service->engine;
    if (parked_is_away(parked)) {
        parked_leave(parked);
        engine->forget(engine->data, &parked->call);
    }
}

void call_drop(struct call *call)
{
    forget_away(parked_of(call));
    serve_rest(parked_of(call));
    tell_wait_ended(call);
    parked_free(parked_of(call));
}

/* Steps. */

/* The call's memory, while it is in progress, counts as an answer that is not read. */
static void charge_answer(struct job *job, void *data)
{
    struct call *call = data;
    struct output *out = call->out;
    struct charge *charge = &parked_of(call)->answer;
    if (charge_set(charge, JOB_COST + output_cost(out)) < 0) {
        out->overfull = call->method->needs == METHOD_NEEDS_READ; /* it is refused; see running.c */
        call->over = out->overfull;
    }
}

static void run_steps(struct job *job, void *data)
{
    struct parked *parked = data;
    struct call *call = &parked->call;
    struct output out = {0};
    call->pace = &job->pace;
    int status = try_parked(parked, &out);
    call->pace = NULL;
    job->paused = NULL;
    charge_release(&parked->answer);
    job_release(job);
    if (status > 0) {
        go_on(parked, status);
    } else {
        if (status < 0) {
            tell_wait_ended(call);
        }
        parked_forget(parked, &job->pace);
        parked_free(parked);
    }
    output_forget(&out, &job->pace);
}

/* A job does it, which holds its object from now on. */
static int begin_steps(struct parked *parked)
{
    struct call *call = &parked->call;
    struct job *job = job_new(&call->service->jobs, run_steps, parked);
    int status = job == NULL ? ERR_MEMORY : 0;
    if (status == 0 && call->object != NULL && !call->object->deleted) {
        status = job_hold_first(job, call->object);
        if (status < 0) {
            job_abandon(job);
        }
    }
    if (status == 0) {
        job->paused = charge_answer;
        /* Without asking: what is long may be what makes room. */
        parked->answer.tally = &call->session->charged;
        charge_set_always(&parked->answer, JOB_COST);
        parked_run(parked);
    }
    return status;
}

/* What is done elsewhere. */

static int begin_away(struct parked *parked)
{
    const struct engine_api *engine = parked->call.service->engine;
    int status = parked_go_away(parked);
    if (status == 0) {
        status = engine->begin(engine->data, &parked->call);
        if (status < 0) {
            parked_leave(parked);
        }
    }
    return status;
}

/* Holds. */

/* It is let in, for the first time: it begins. */
static void enter_first(struct visitor *visitor)
{
    struct parked *parked = (struct parked *)((char *)visitor - offsetof(struct parked, visitor));
    struct call *call = &parked->call;
    parked_leave(parked);
    object_unref(call->object);
    call->object = NULL;
    call->now = call->service->now;
    call->out = &call->session->output;
    call->start = output_mark(call->out);
    int status = call_begin(call, parked->memory != NULL);
    if (call->object != NULL) {
        (void)object_ref(call->object); /* it is there until the next drain at least */
    }
    if (status <= 0) {
        parked_free(parked);
    } else {
        go_on(parked, status);
    }
}

/* What a parked call that stands nowhere does next, when its handler has answered `status`, which
 * is no end, or it cannot even begin. 0, or an error. */
static int stand(struct parked *parked, int status)
{
    struct call *call = &parked->call;
    switch (status) {
    case CALL_WAIT:
        status = parked_wait(parked);
        if (status == 0 && call->session->closing) {
            call_cancel(call, ERR_CANCELLED, "the connection ends");
        } else if (status == 0 && call->wish.again) {
            call->wish.again = false;
            (void)try_parked(parked, &call->session->output);
        }
        return status;
    case CALL_PACED:
        return begin_steps(parked);
    case CALL_HELD_UP:
        parked_hold_up(parked, call->held_up_by, enter_first);
        return 0;
    case CALL_AWAY:
        return begin_away(parked);
    default:
        return status;
    }
}

static void go_on(struct parked *parked, int status)
{
    status = stand(parked, status);
    if (status < 0) {
        refuse(parked, status);
    }
}

int call_suspend(struct call *call, int status, struct passed *passed)
{
    struct parked *parked;
    if (status != CALL_WAIT) {
        call->wish = (struct wish){0};
    }
    int error = parked_new(call, status == CALL_WAIT, passed, &parked);
    if (error < 0) {
        return error;
    }
    error = stand(parked, status);
    if (error < 0) {
        call->refused = parked->call.refused; /* by an engine, in words */
        parked_free(parked);
    }
    return error;
}

int call_move(struct call *call, struct object *object, unsigned channel)
{
    struct parked *parked = parked_of(call);
    wait_leave(&parked->wait);
    wait_enter(&parked->wait, object, channel);
    visitor_leave(&parked->visitor); /* its time was up when the object was held */
    heap_remove(&call->service->deadlines, &parked->deadline);
    call->wish.timeout_ms = CALL_FOREVER;
    call->timed_out = false;
    object_ready(object);
    return CALL_WAIT;
}

/* Asking again. */

/* How far asking may go, and how far it went. */
struct serving {
    struct pace *pace; /* of the job that does it; NULL: in one go */
    unsigned left;     /* waits that may still be asked in one go; 0: it is to be gone on with */
    struct parked *begins; /* it is to be done in steps, which nobody may overtake: asking ends; it
                              stands nowhere. NULL: none */
};

/* The object is free for the call that is to be done in steps, if there is one. */
static void begin(const struct serving *serving)
{
    if (serving->begins != NULL) {
        go_on(serving->begins, CALL_PACED);
    }
}

/* Runs the handler of a call that waits again, asked by one of the places where it waits. True if
 * it has left that one: it has ended, or waits elsewhere now. */
static bool retry(struct wait *wait, struct serving *serving)
{
    struct call *call = wait->call;
    struct parked *parked = parked_of(call);
    const struct object *object = wait->object;
    unsigned channel = wait->channel;
    if (__builtin_expect(call->session->gone, 0)) {
        call_drop(call);
        return true;
    }
    if (__builtin_expect(object->deleted || (call->object != NULL && call->object->deleted), 0)) {
        call_cancel(call, ERR_DELETED, "the object was deleted while the call waited");
        return true;
    }
    if (__builtin_expect(object_is_sealed(object), 0)) {
        call_cancel(call, ERR_INTERNAL,
                    "the object was sealed while the call waited: a fault of the "
                    "daemon's own was found in it, its log says which");
        return true;
    }
    parked->woken_by = wait;
    call->service->retries++;
    call->service->credit -= RETRY_STEPS;
    int status = try_parked(parked, &call->session->output);
    if (status == CALL_WAIT && call->wish.by_key && !call->timed_out) {
        wait_leave(wait); /* its key has gone again */
        if (wait_enter_asleep(wait, call->object, call->wish.channel, call->wish.hash) < 0) {
            refuse(parked, ERR_MEMORY);
        }
        return true;
    }
    if (status == CALL_WAIT) {
        return wait->object != object || wait->channel != channel;
    }
    if (status == CALL_PACED) {
        parked_leave(parked);
        serving->begins = parked;
        return true;
    }
    if (status > 0) {
        parked_leave(parked);
        go_on(parked, status);
        return true;
    }
    if (status < 0) {
        tell_wait_ended(call);
    }
    parked_free(parked);
    return true;
}

void call_ask(struct call *call)
{
    if (try_parked(parked_of(call), &call->session->output) <= 0) {
        parked_free(parked_of(call));
    }
}

/* Asks the waits of one channel in order. True if one of them has left it. The cursor is kept by
 * the object, as those that are next may go while others are at work. */
static bool serve_channel(struct object *object, unsigned channel, struct serving *serving)
{
    bool all = ((unsigned)object->ask_all >> channel & 1U) != 0;
    bool served = false;
    bool over = false;
    object->cursor = TAILQ_FIRST(&object->waits[channel]);
    while (!over && object->cursor != NULL && !object->cursor->asleep && serving->left > 0) {
        struct wait *wait = object->cursor;
        object->cursor = TAILQ_NEXT(wait, link);
        bool left = retry(wait, serving);
        served |= left;
        over = !left && !all;
        if (serving->begins != NULL) {
            serving->left = 0;
        } else if (serving->pace != NULL) {
            pace_step(serving->pace, RETRY_STEPS);
        } else {
            serving->left--;
        }
    }
    if (serving->left > 0) {
        object->ask_all &= (uint8_t) ~(1U << channel);
    }
    object->cursor = NULL;
    return served;
}

/* Asks until nobody can be served any more. True if that is so. */
static bool serve(struct object *object, struct serving *serving)
{
    bool served = object->waiting > 0;
    while (served && serving->left > 0) {
        served = false;
        for (unsigned channel = 0; channel < OBJECT_CHANNELS; channel++) {
            if (!TAILQ_EMPTY(&object->waits[channel])) {
                served |= serve_channel(object, channel, serving);
            }
        }
    }
    return serving->left > 0;
}

static void set_timer(struct service *service, struct object *object)
{
    uint64_t at = object_due(object);
    if (at == object->deadline.at) {
        return;
    }
    object->deadline.at = at;
    if (at == UINT64_MAX) {
        heap_remove(&service->deadlines, &object->deadline);
    } else if (object->deadline.position != HEAP_NONE) {
        heap_update(&service->deadlines, &object->deadline);
    } else if (heap_push(&service->deadlines, &object->deadline) < 0) {
        object->deadline.at = UINT64_MAX; /* no memory: the next change of the object tries again */
    }
}

static void serve_in_steps(struct job *job, void *data)
{
    struct object *object = data;
    struct serving serving = {.pace = &job->pace, .left = 1};
    (void)serve(object, &serving);
    job_release(job); /* the object is served once more then, and its timer set */
    begin(&serving);
    object_unref(object);
}

void object_serve(struct service *service, struct object *object)
{
    struct serving serving = {.left = SERVED_AT_ONCE};
    if (__builtin_expect(object_is_sealed(object), 0)) {
        object_ask_all(object);
        object_unready(object); /* that is what is done now */
    }
    if (!serve(object, &serving) && serving.begins == NULL) {
        struct job *job = job_new(&service->jobs, serve_in_steps, object);
        if (job != NULL && job_hold_first(job, object) == 0) {
            (void)object_ref(object);
            return;
        }
        if (job != NULL) {
            job_abandon(job);
        }
        serving.left = UINT_MAX; /* no memory for a job: in one go */
        (void)serve(object, &serving);
    }
    if (serving.begins != NULL) {
        begin(&serving);
        object_ready(object); /* it is gone on with when the job has let the object go */
        return;
    }
    if (object->deleted) {
        return;
    }
    if (object->type->pass_on != NULL && !object_is_sealed(object)) {
        object->type->pass_on(object, service->now);
    }
    set_timer(service, object);
}

/* Time. */

/* The object that a job has worked on is free again, or nearly. */
static void enter_late(struct visitor *visitor)
{
    struct parked *parked = (struct parked *)((char *)visitor - offsetof(struct parked, visitor));
    call_time_out(&parked->call);
}

void call_time_out(struct call *call)
{
    struct parked *parked = parked_of(call);
    const struct engine_api *engine = call->service->engine;
    unsigned count;
    struct wait *waits = parked_waits(parked, &count);
    heap_remove(&call->service->deadlines, &parked->deadline);
    if (parked_is_away(parked)) {
        engine->cancel(engine->data, call, ERR_TIMEOUT);
        return;
    }
    for (unsigned i = 0; i < count; i++) {
        if (waits[i].object != NULL && object_is_busy(waits[i].object)) {
            parked->visitor.enter = enter_late;
            visitor_stand(&parked->visitor, waits[i].object);
            return;
        }
    }
    serve_rest(parked);
    call->timed_out = true;
    struct serving serving = {0};
    bool left = retry(waits, &serving);
    begin(&serving);
    assert(left);
    (void)left;
}
