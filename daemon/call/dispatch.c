/*
 * dispatch: from a decoded message to a handler's answer: the method is found, the params are
 * checked against its signature, the object is found, permission is checked, the handler runs.
 */
#include <inttypes.h>
#include <stdio.h>

#include "daemon/call/service.h"
#include "proto/value.h"

#define METHOD(type, verb, ...) call_handler method_##type##_##verb;
#include "proto/methods.def"
#undef METHOD

static call_handler *const handlers[METHOD_COUNT] = {
#define METHOD(type, verb, ...) [METHOD_##type##_##verb] = method_##type##_##verb,
#include "proto/methods.def"
#undef METHOD
};

bool param_fits(const struct header *header, enum param_type type)
{
    switch (type) {
    case PARAM_OBJECT:
    case PARAM_NAME:
    case PARAM_STR:
        return header->kind == KIND_STR;
    case PARAM_VALUE:
        return true;
    case PARAM_BOOL:
        return header->kind == KIND_BOOL;
    case PARAM_INT:
    case PARAM_OPTINT:
        return header->kind == KIND_INT;
    case PARAM_UINT:
    case PARAM_COUNT:
    case PARAM_MS:
    case PARAM_TIMEOUT:
        return header->kind == KIND_INT && header->i >= 0;
    case PARAM_NUMBER:
        return header->kind == KIND_INT || header->kind == KIND_UINT || header->kind == KIND_FLOAT;
    case PARAM_ARRAY:
    case PARAM_OBJECTS:
        return header->kind == KIND_ARRAY;
    case PARAM_MAP:
        return header->kind == KIND_MAP;
    case PARAM_OWNER:
        return header->kind == KIND_INT || header->kind == KIND_UINT || header->kind == KIND_STR;
    }
    return false;
}

/* Packs "param NAME of METHOD must be WHAT, not VALUE". */
static int refuse_param(struct call *call, const struct method_param *param,
                        const struct param *given)
{
    struct buffer shown = {0};
    value_print(given->raw, 64, &shown);
    int status = call_fail(call, ERR_BAD_REQUEST, "%s: param %.*s must be %s, not %s %.*s",
                           call->method->name, (int)param->name.len, (const char *)param->name.data,
                           param_type_name(param->type), kind_name(given->header.kind),
                           (int)shown.len, (const char *)shown.data);
    buffer_deinit(&shown);
    return status;
}

static int refuse_count(struct call *call, const struct method_signature *signature, unsigned count)
{
    if (count > signature->count) {
        return call_fail(call, ERR_BAD_REQUEST, "%s takes at most %u params (%s), not %u",
                         call->method->name, signature->count, call->method->params, count);
    }
    const struct method_param *missing = &signature->params[count];
    return call_fail(call, ERR_BAD_REQUEST, "%s: param %.*s is missing; it must be %s",
                     call->method->name, (int)missing->name.len, (const char *)missing->name.data,
                     param_type_name(missing->type));
}

/* Checks the params against the signature; one that means its default gets raw.len 0. */
static int check_params(struct call *call, const struct method_signature *signature, unsigned count)
{
    if (__builtin_expect(count > signature->count || count < signature->required, 0)) {
        return refuse_count(call, signature, count);
    }
    for (unsigned i = 0; i < count; i++) {
        const struct method_param *param = &signature->params[i];
        struct param *given = &call->params[i];
        if (__builtin_expect(param_fits(&given->header, param->type), 1)) {
            continue;
        }
        bool may_be_nil = param->optional || param->type == PARAM_OPTINT;
        if (given->header.kind != KIND_NIL || !may_be_nil) {
            return refuse_param(call, param, given);
        }
        given->raw.len = 0;
    }
    for (unsigned i = count; i < signature->count; i++) {
        call->params[i] = (struct param){0};
    }
    return 0;
}

static int refuse_object(struct call *call, const struct param *name, const struct object *object)
{
    struct buffer shown = {0};
    value_print(name->raw, 64, &shown);
    if (object == NULL) {
        (void)call_fail(call, ERR_NOT_FOUND, "there is no object %.*s", (int)shown.len,
                        (const char *)shown.data);
    } else {
        (void)call_fail(call, ERR_WRONG_TYPE, "%.*s is a %s; %s needs a %s", (int)shown.len,
                        (const char *)shown.data, object->type->name, call->method->name,
                        call->method->type);
    }
    buffer_deinit(&shown);
    return object == NULL ? ERR_NOT_FOUND : ERR_WRONG_TYPE;
}

static int refuse_access(struct call *call, const struct object *object, const char *missing)
{
    return call_fail(call, ERR_DENIED,
                     "%s needs %s on \"%s\", which user %u and group %u own with mode 0%o; "
                     "the caller is user %u",
                     call->method->name, missing, object->name, (unsigned)object->uid,
                     (unsigned)object->gid, (unsigned)object->mode,
                     (unsigned)call->session->credentials.uid);
}

static int check_access(struct call *call, const struct object *object)
{
    const struct credentials *peer = &call->session->credentials;
    uid_t self = call->service->self;
    switch (call->method->needs) {
    case METHOD_NEEDS_NONE:
        return 0;
    case METHOD_NEEDS_READ:
        return access_granted(peer, self, object->uid, object->gid, object->mode, ACCESS_READ)
                   ? 0
                   : refuse_access(call, object, "the read bit");
    case METHOD_NEEDS_WRITE:
        return access_granted(peer, self, object->uid, object->gid, object->mode, ACCESS_WRITE)
                   ? 0
                   : refuse_access(call, object, "the write bit");
    case METHOD_NEEDS_OWNER:
        return access_owner(peer, self, object->uid)
                   ? 0
                   : refuse_access(call, object, "the owner's right");
    }
    return ERR_INTERNAL;
}

/* The object of that name, if it is of the method's type and the caller has the right to it. */
static int find_object(struct call *call, const struct param *name, struct object **out)
{
    struct object *object = registry_find(&call->service->registry, param_bytes(name));
    enum object_kind kind = call->service->index.kinds[call->method->id];
    if (object == NULL || (kind != OBJECT_KINDS && object->type->kind != kind)) {
        return refuse_object(call, name, object);
    }
    *out = object;
    return check_access(call, object);
}

/* Checks each object of an array of names as if it were the only one. */
static int check_objects(struct call *call, const struct method_param *param)
{
    const struct param *names = &call->params[0];
    if (names->header.count == 0 || names->header.count > CALL_OBJECTS_MAX) {
        return call_fail(call, ERR_BAD_REQUEST, "%s: param %.*s must have 1 to %d names, not %u",
                         call->method->name, (int)param->name.len, (const char *)param->name.data,
                         CALL_OBJECTS_MAX, (unsigned)names->header.count);
    }
    struct slice rest = slice_from(names->raw, names->header.size);
    int status = 0;
    for (uint32_t i = 0; i < names->header.count && status == 0; i++) {
        struct param name = value_next(&rest);
        struct object *object;
        status = name.header.kind == KIND_STR ? find_object(call, &name, &object)
                                              : refuse_param(call, param, names);
    }
    return status;
}

static int find_objects(struct call *call, const struct method_signature *signature)
{
    if (signature->count == 0) {
        return 0;
    }
    switch (signature->params[0].type) {
    case PARAM_OBJECT:
        return find_object(call, &call->params[0], &call->object);
    case PARAM_OBJECTS:
        return check_objects(call, &signature->params[0]);
    default:
        return 0;
    }
}

/* The sentence for a handler's bare error code. */
static void default_refusal(struct call *call, int error)
{
    struct buffer text = {0};
    if (error == ERR_LIMIT) {
        refusal_print(&call->service->accounts.refusal, &text);
    } else {
        const char *meaning = error_meaning(error);
        (void)buffer_append(&text, meaning, strlen(meaning));
        if (call->object != NULL) {
            (void)buffer_append(&text, ": \"", 3);
            (void)buffer_append(&text, call->object->name, call->object->name_len);
            (void)buffer_append(&text, "\"", 1);
        }
    }
    (void)call_fail(call, error, "%.*s", (int)text.len, (const char *)text.data);
    buffer_deinit(&text);
}

/* An answer that its session could never be given. A reader can ask for less at a time. */
static int check_size(struct call *call)
{
    if (__builtin_expect(!call_is_over(call) || call->method->needs != METHOD_NEEDS_READ, 1)) {
        return 0;
    }
    return call_fail(call, ERR_TOO_LARGE,
                     "%s: the answer is longer than max_output, %" PRIu64
                     " bytes; ask for a part at a time (dict.scan, list.slice, queue.peek)",
                     call->method->name, call->service->accounts.limits.max_output);
}

/* Completes what the handler has packed. */
static int settle(struct call *call, int status)
{
    struct output *out = call->out;
    if (__builtin_expect(out->bytes.failed, 0)) {
        status = ERR_MEMORY;
        call->refused = false;
    } else if (__builtin_expect(out->crowded, 0)) {
        output_give_back(out, call->start);
        status = call_fail(call, ERR_TOO_LARGE,
                           "%s: the answer would carry more than %d descriptors; ask for fewer "
                           "values at a time",
                           call->method->name, DESCRIPTORS_PER_MESSAGE);
    } else if (status == 0) {
        status = check_size(call);
    }
    if (__builtin_expect(status < 0, 0)) {
        call->service->figures[call->method->id].errors++;
        if (!call->refused) {
            output_give_back(out, call->start);
            default_refusal(call, status);
        }
    }
    if (__builtin_expect(call->batch != NULL, 0)) {
        return status; /* its answer is that of the whole batch */
    }
    if (__builtin_expect(call->notification, 0)) {
        output_rewind(out, call->start);
        return status;
    }
    output_seal(out, call->start);
    session_dirty(call->session);
    return status;
}

int call_try(struct call *call)
{
    int status = handlers[call->method->id](call);
    return status == CALL_WAIT ? status : settle(call, status);
}

/* The first try of a call with `count` params. Returns 0, the error, or CALL_WAIT. */
static int begin_call(struct call *call, unsigned count)
{
    struct service *service = call->service;
    const struct method_signature *signature = &service->index.signatures[call->method->id];
    service->figures[call->method->id].calls++;
    int status = check_params(call, signature, count);
    if (status == 0) {
        status = find_objects(call, signature);
    }
    return status == 0 ? call_try(call) : settle(call, status);
}

static void refuse_request(struct session *session, uint32_t msgid, int error, const char *text)
{
    message_error(&session->output.bytes, msgid, error, text, (struct slice){0});
    session_dirty(session);
}

/* There is no method of the message's name: the text for that. */
static void print_unknown(const struct message *message, char text[CALL_TEXT_MAX])
{
    struct buffer name = {0};
    struct buffer shown = {0};
    pack_str(&name, message->method);
    value_print(buffer_slice(&name), 64, &shown);
    (void)snprintf(text, CALL_TEXT_MAX,
                   "there is no method %.*s; server.methods lists those there are", (int)shown.len,
                   (const char *)shown.data);
    buffer_deinit(&name);
    buffer_deinit(&shown);
}

/* [2, "cancel", [msgid]]: ends a waiting request; anything else by that name is ignored. */
static void run_cancel(struct session *session, const struct message *message)
{
    if (message->nparams < 1 || message->params[0].header.kind != KIND_INT) {
        return;
    }
    int64_t msgid = message->params[0].header.i;
    struct call *call = NULL;
    if (msgid >= 0 && msgid <= UINT32_MAX) {
        call = session_call(session, (uint32_t)msgid);
    }
    if (call != NULL) {
        call_cancel(call, ERR_CANCELLED, "the caller cancelled the wait");
    }
}

/* The origin of a message that has references or descriptors in it; refuses the request if there
 * can be none. */
static int make_origin(struct service *service, struct session *session,
                       const struct message *message, const struct passed *passed,
                       struct origin **out)
{
    const char *why = "out of memory";
    int status = origin_new(message, passed, &service->registry, &service->accounts, out, &why);
    if (status == 0 || message->type != MESSAGE_REQUEST) {
        return status;
    }
    struct buffer text = {0};
    if (status == ERR_LIMIT) {
        refusal_print(&service->accounts.refusal, &text);
        (void)buffer_append(&text, "", 1);
        why = text.failed ? "over the limit max_descriptors" : (const char *)text.data;
    }
    refuse_request(session, message->msgid, status, why);
    buffer_deinit(&text);
    return status;
}

static void run_message(struct service *service, struct session *session, struct message *message,
                        const struct passed *passed)
{
    const struct method *method = method_index_find(&service->index, message->method);
    bool notification = message->type == MESSAGE_NOTIFICATION;
    if (method == NULL) {
        if (notification && slice_equal(message->method, slice_of_string("cancel"))) {
            run_cancel(session, message);
        } else if (!notification) {
            char text[CALL_TEXT_MAX];
            service->unknown_methods++;
            print_unknown(message, text);
            refuse_request(session, message->msgid, ERR_UNKNOWN_METHOD, text);
        }
        return;
    }
    if (!notification && session->calls.live > 0 && session_call(session, message->msgid) != NULL) {
        refuse_request(session, message->msgid, ERR_BAD_REQUEST,
                       "this msgid belongs to a request that is still waiting; use another one");
        return;
    }
    struct origin *origin = NULL;
    if (__builtin_expect(message->exts != 0, 0) &&
        make_origin(service, session, message, passed, &origin) < 0) {
        return;
    }
    struct call call;
    call.origin = origin;
    call.service = service;
    call.session = session;
    call.method = method;
    call.object = NULL;
    call.params = message->params;
    call.out = &session->output;
    call.start = output_mark(call.out);
    call.batch = NULL;
    call.waits = NULL;
    call.nwaits = 0;
    call.pace = NULL;
    call.now = service->now;
    call.msgid = message->msgid;
    call.notification = notification;
    call.parked = false;
    call.timed_out = false;
    call.refused = false;
    call.again = false;
    call.progress = 0;
    int status = begin_call(&call, message->nparams);
    if (status == CALL_WAIT && (status = call_park(&call)) < 0) {
        (void)settle(&call, status);
    }
    origin_unref(origin);
}

int call_run_within(const struct call *outer, struct message *message, struct batch *batch)
{
    struct service *service = outer->service;
    struct call call = *outer;
    call.method = method_index_find(&service->index, message->method);
    call.object = NULL;
    call.params = message->params;
    call.out = &batch->results;
    call.start = output_mark(call.out);
    call.batch = batch;
    call.notification = false;
    call.refused = false;
    call.again = false;
    call.progress = 0;
    if (call.method != NULL) {
        return begin_call(&call, message->nparams);
    }
    char text[CALL_TEXT_MAX];
    service->unknown_methods++;
    print_unknown(message, text);
    return call_fail(&call, ERR_UNKNOWN_METHOD, "%s", text);
}

void service_run(struct service *service, struct session *session, struct message *message,
                 const struct passed *passed, uint64_t now)
{
    service_tick(service, now);
    session->ncalls++;
    if (message->type != MESSAGE_RESPONSE) {
        run_message(service, session, message, passed);
    }
    service_drain(service);
}
