/*
 * methods/atomic: calls that are run one after the other with nothing in between.
 *
 * They are run like requests (call_run_within), but their results are packed on their own, until it
 * is known whether they are the answer or the detail of an error. What is checked before the first
 * call runs is the form of the entries only; whether a method, a param or an object is right turns
 * out when its call is run.
 *
 * A batch begins when nobody holds any of the objects that it names. One that may take long is done
 * in steps, and holds all of them, so that there is nothing in between for them either; and what it
 * opens itself (open.c), or what others have given a name that it names (lookup.c).
 */
#include "daemon/methods/atomic.h"
#include "daemon/methods/methods.h"

#include <stdio.h>
#include <stdlib.h>

#include "daemon/call/engine.h"
#include "daemon/objects/walk.h"
#include "proto/value.h"

enum {
    CALLS_MAX = 10000,   /* in one batch */
    CALL_STEPS = 24,     /* what a call costs, in steps of pace.h, */
    BYTES_PER_STEP = 16, /* besides what there is to do for its params */
};

bool atomic_read_entry(const struct param *entry, struct message *out, struct pace *pace)
{
    if (entry->header.kind != KIND_ARRAY || entry->header.count != 2) {
        return false;
    }
    struct slice rest = slice_from(entry->raw, entry->header.size);
    struct param method = walk_next(&rest, pace);
    struct param params = walk_next(&rest, pace);
    if ((method.header.kind != KIND_STR && method.header.kind != KIND_BIN) ||
        params.header.kind != KIND_ARRAY) {
        return false;
    }
    out->msgid = 0; /* it is not answered by itself */
    out->method = slice_from(method.raw, method.header.size);
    out->nparams = params.header.count;
    rest = slice_from(params.raw, params.header.size);
    for (unsigned i = 0; i < out->nparams && i < MESSAGE_PARAMS_MAX; i++) {
        out->params[i] = walk_next(&rest, pace);
    }
    return true;
}

/* The error of a batch that is not what one of its calls was refused with. */
static int fail_batch(struct batch *batch, int error, const char *text)
{
    batch->error = error;
    (void)snprintf(batch->text, sizeof(batch->text), "%s", text);
    return error;
}

/* *index is set to the first entry that has not the right form. */
static int check_form(const struct param *calls, struct batch *batch, uint32_t *index,
                      struct pace *pace)
{
    struct slice rest = slice_from(calls->raw, calls->header.size);
    for (*index = 0; *index < calls->header.count; (*index)++) {
        struct param entry = walk_next(&rest, pace);
        struct message message;
        if (!atomic_read_entry(&entry, &message, pace)) {
            return fail_batch(batch, ERR_BAD_REQUEST,
                              "it must be [method, params], a str and an array; nothing was run");
        }
    }
    return 0;
}

/* The objects that the calls name, each once, and how many steps it may take to run them. */
struct named {
    struct object **objects; /* owned array of references, in the order of their numbers */
    size_t count;
    size_t cap;
    uint64_t steps;
};

static int add_name(struct named *named, const struct call *call, const struct param *name)
{
    struct object *object = name->header.kind == KIND_STR
                                ? registry_find(&call->service->registry, param_bytes(name))
                                : NULL;
    if (object == NULL) {
        return 0;
    }
    if (named->count == named->cap) {
        size_t cap = named->cap * 2 + 8;
        struct object **objects = realloc(named->objects, cap * sizeof(struct object *));
        if (objects == NULL) {
            return ERR_MEMORY;
        }
        named->objects = objects;
        named->cap = cap;
    }
    named->objects[named->count++] = object_ref(object);
    named->steps += object->type->weight == NULL ? 0 : object->type->weight(object);
    return 0;
}

/* What one call names. */
static int add_names(struct named *named, const struct call *call, const struct message *message)
{
    const struct method_index *index = &call->service->index;
    const struct method *method = method_index_find(index, message->method);
    const struct method_signature *signature =
        method == NULL ? NULL : &index->signatures[method->id];
    if (signature == NULL || signature->count == 0 || message->nparams == 0) {
        return 0;
    }
    const struct param *first = &message->params[0];
    if (signature->params[0].type != PARAM_OBJECTS || first->header.kind != KIND_ARRAY) {
        return add_name(named, call, first);
    }
    struct slice rest = slice_from(first->raw, first->header.size);
    int status = 0;
    for (uint32_t i = 0; i < first->header.count && status == 0; i++) {
        struct param name = value_next(&rest);
        status = add_name(named, call, &name);
    }
    return status;
}

static int by_number(const void *a, const void *b)
{
    const struct object *x = *(struct object *const *)a;
    const struct object *y = *(struct object *const *)b;
    return x->entry.seq < y->entry.seq ? -1 : x->entry.seq > y->entry.seq;
}

/* Finds the objects that all calls name, whose form has been checked. 0 or ERR_MEMORY. */
static int find_named(const struct call *call, struct named *named)
{
    const struct param *calls = &call->params[0];
    struct slice rest = slice_from(calls->raw, calls->header.size);
    int status = 0;
    named->steps = calls->raw.len / BYTES_PER_STEP;
    for (uint32_t i = 0; i < calls->header.count && status == 0; i++) {
        struct param entry = walk_next(&rest, call->pace);
        struct message message;
        (void)atomic_read_entry(&entry, &message, call->pace);
        status = add_names(named, call, &message);
        named->steps += CALL_STEPS;
    }
    if (named->count > 0) {
        qsort(named->objects, named->count, sizeof(struct object *), by_number);
    }
    return status;
}

/* True if all of them may be used now; one that has a pace waits until that is so. */
static bool enter_all(struct call *call, const struct named *named)
{
    bool may = true;
    for (size_t i = 0; i < named->count && may; i++) {
        if (call->pace == NULL) {
            may = call_may_enter(call, named->objects[i]);
        } else if (!named->objects[i]->deleted) {
            call_hold(call, named->objects[i]);
        }
    }
    return may;
}

/* True if one of the calls is about an object that lives elsewhere. */
static bool names_one_away(const struct call *call)
{
    const struct method_index *index = &call->service->index;
    const struct param *calls = &call->params[0];
    struct slice rest = slice_from(calls->raw, calls->header.size);
    bool away = false;
    for (uint32_t i = 0; i < calls->header.count && !away; i++) {
        struct param entry = walk_next(&rest, call->pace);
        struct message message;
        (void)atomic_read_entry(&entry, &message, call->pace);
        const struct method *method = method_index_find(index, message.method);
        if (method == NULL || message.nparams == 0) {
            continue;
        }
        struct param name = message.params[0];
        if (name.header.kind == KIND_ARRAY && name.header.count > 0) {
            struct slice names = slice_from(name.raw, name.header.size);
            name = value_next(&names);
        }
        away =
            name.header.kind == KIND_STR && engine_takes(call->service, method, param_bytes(&name));
    }
    return away;
}

/* Sees to it that the calls can be run with nothing in between. 0; CALL_PACED, CALL_HELD_UP; or
 * ERR_MEMORY. */
static int enter(struct call *call)
{
    struct named named = {0};
    int status = find_named(call, &named);
    if (status == 0 && call_needs_pace(call, named.steps)) {
        status = CALL_PACED;
    } else if (status == 0 && !enter_all(call, &named)) {
        status = CALL_HELD_UP;
    }
    while (named.count > 0) {
        object_unref(named.objects[--named.count]);
    }
    free(named.objects);
    return status;
}

/* Runs the calls up to the first error; *index is set to how many there were before it. */
static int run_all(const struct call *call, struct batch *batch, uint32_t *index)
{
    const struct param *calls = &call->params[0];
    const struct limits *limits = &call->service->accounts.limits;
    struct slice rest = slice_from(calls->raw, calls->header.size);
    int status = 0;
    for (*index = 0; *index < calls->header.count; (*index)++) {
        struct param entry = walk_next(&rest, call->pace);
        struct message message;
        if (output_pending(&batch->results) > limits->max_message) {
            return fail_batch(batch, ERR_TOO_LARGE,
                              "the results so far are longer than max_message");
        }
        (void)atomic_read_entry(&entry, &message, call->pace);
        pace_step(call->pace, CALL_STEPS);
        status = call_run_within(call, &message, batch);
        if (status < 0) {
            break;
        }
    }
    return status;
}

/* Packs the error up to the results. */
static void pack_refusal(struct call *call, const struct batch *batch, uint32_t index)
{
    struct buffer *out = &call->out->bytes;
    char text[CALL_TEXT_MAX + 32];
    (void)snprintf(text, sizeof(text), "atomic, call %u: %s", (unsigned)index, batch->text);
    message_error_head(out, call->msgid, batch->error, text);
    pack_map(out, 2);
    pack_key_uint(out, "index", index);
    pack_string(out, "results");
    call->refused = true;
}

void atomic_finish(struct call *call, int status, struct batch *batch, uint32_t index,
                   uint32_t count)
{
    if (status < 0) {
        pack_refusal(call, batch, index);
    } else {
        (void)call_result(call);
    }
    pack_array(&call->out->bytes, count);
    if (output_append(call->out, &batch->results, call->pace) < 0) {
        output_give_back(&batch->results, (struct output_mark){0});
    }
    if (status < 0) {
        pack_nil(&call->out->bytes);
    }
}

int method__atomic(struct call *call)
{
    if (call->batch != NULL) {
        return call_fail(call, ERR_BAD_REQUEST, "atomic cannot be one of its own calls");
    }
    if (call->params[0].header.count > CALLS_MAX) {
        return call_fail(call, ERR_TOO_LARGE, "atomic takes at most %d calls, not %u", CALLS_MAX,
                         (unsigned)call->params[0].header.count);
    }
    struct batch batch = {0};
    uint32_t index;
    uint32_t count = 0;
    int status = check_form(&call->params[0], &batch, &index, call->pace);
    if (status == 0 && call->service->engine != NULL && names_one_away(call)) {
        return CALL_AWAY;
    }
    if (status == 0) {
        int entered = enter(call);
        if (entered != 0) {
            return entered;
        }
        status = run_all(call, &batch, &index);
        count = index;
    }
    call->shows_all = batch.shows;
    atomic_finish(call, status, &batch, index, count);
    output_forget(&batch.results, call->pace);
    return status;
}
