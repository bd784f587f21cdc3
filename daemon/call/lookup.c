/*
 * lookup: see lookup.h.
 *
 * Tests: tests/unit/methods/, whole calls.
 */
#include "daemon/call/lookup.h"

#include "daemon/call/engine.h"
#include "proto/value.h"

enum {
    BOOL = 1U << KIND_BOOL,
    INT = 1U << KIND_INT,
    UINT = 1U << KIND_UINT,
    FLOAT = 1U << KIND_FLOAT,
    STR = 1U << KIND_STR,
    ARRAY = 1U << KIND_ARRAY,
    MAP = 1U << KIND_MAP,
    ANY = (1U << (KIND_EXT + 1)) - 1,
    NOT_NEGATIVE = 1U << (KIND_EXT + 1), /* no kind: of an INT */
};

static const uint16_t fitting[] = {
    [PARAM_OBJECT] = STR,
    [PARAM_OBJECTS] = ARRAY,
    [PARAM_NAME] = STR,
    [PARAM_VALUE] = ANY,
    [PARAM_STR] = STR,
    [PARAM_BOOL] = BOOL,
    [PARAM_INT] = INT,
    [PARAM_OPTINT] = INT,
    [PARAM_UINT] = INT | NOT_NEGATIVE,
    [PARAM_COUNT] = INT | NOT_NEGATIVE,
    [PARAM_NUMBER] = INT | UINT | FLOAT,
    [PARAM_MS] = INT | NOT_NEGATIVE,
    [PARAM_TIMEOUT] = INT | NOT_NEGATIVE,
    [PARAM_ARRAY] = ARRAY,
    [PARAM_MAP] = MAP,
    [PARAM_OWNER] = INT | UINT | STR,
    [PARAM_GROUP] = INT | NOT_NEGATIVE | STR,
    [PARAM_SESSION] = INT | NOT_NEGATIVE | STR,
};

bool param_fits(const struct header *header, enum param_type type)
{
    unsigned kinds = fitting[type];
    return (kinds >> header->kind & 1U) != 0 &&
           ((kinds & NOT_NEGATIVE) == 0 || header->kind != KIND_INT || header->i >= 0);
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

int call_check_params(struct call *call, unsigned count)
{
    const struct method_signature *signature = &call->service->index.signatures[call->method->id];
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

int call_refuse_missing(struct call *call, const struct param *name)
{
    struct buffer shown = {0};
    value_print(name->raw, 64, &shown);
    (void)call_fail(call, ERR_NOT_FOUND, "there is no object %.*s", (int)shown.len,
                    (const char *)shown.data);
    buffer_deinit(&shown);
    return ERR_NOT_FOUND;
}

int call_refuse_type(struct call *call, const struct param *name, const char *type)
{
    struct buffer shown = {0};
    value_print(name->raw, 64, &shown);
    (void)call_fail(call, ERR_WRONG_TYPE, "%.*s is %s %s; %s needs %s %s", (int)shown.len,
                    (const char *)shown.data, type_article(type), type, call->method->name,
                    type_article(call->method->type), call->method->type);
    buffer_deinit(&shown);
    return ERR_WRONG_TYPE;
}

static int refuse_object(struct call *call, const struct param *name, const struct object *object)
{
    if (object != NULL && object_is_sealed(object)) {
        return call_refuse_sealed(call, object);
    }
    return object == NULL ? call_refuse_missing(call, name)
                          : call_refuse_type(call, name, object_type_name(object));
}

/* Whether the caller may do what the method needs on something that has these. */
static inline bool may_access(const struct call *call, uid_t uid, gid_t gid, mode_t mode)
{
    const struct credentials *peer = &call->session->credentials;
    uid_t self = call->service->accounts.self;
    switch (call->method->needs) {
    case METHOD_NEEDS_NONE:
        return true;
    case METHOD_NEEDS_READ:
        return access_granted(peer, self, uid, gid, mode, ACCESS_READ);
    case METHOD_NEEDS_WRITE:
        return access_granted(peer, self, uid, gid, mode, ACCESS_WRITE);
    case METHOD_NEEDS_OWNER:
        return access_owner(peer, self, uid);
    }
    return false;
}

static int refuse_access(struct call *call, const struct standing *of)
{
    static const char *const missing[] = {[METHOD_NEEDS_NONE] = "no right",
                                          [METHOD_NEEDS_READ] = "the read bit",
                                          [METHOD_NEEDS_WRITE] = "the write bit",
                                          [METHOD_NEEDS_OWNER] = "the owner's right"};
    return call_fail(call, ERR_DENIED,
                     "%s needs %s on \"%s\", which user %u and group %u own with mode 0%o; "
                     "the caller is user %u",
                     call->method->name, missing[call->method->needs], of->name, (unsigned)of->uid,
                     (unsigned)of->gid, (unsigned)of->mode,
                     (unsigned)call->session->credentials.uid);
}

int call_check_access(struct call *call, const struct standing *of)
{
    return may_access(call, of->uid, of->gid, of->mode) ? 0 : refuse_access(call, of);
}

/* The object of that name, if it is of the method's type and the caller has the right to it, and
 * nobody holds it (else CALL_HELD_UP). CALL_AWAY: it lives elsewhere. */
static int find_object(struct call *call, const struct param *name, struct object **out)
{
    struct object *object = registry_find(&call->service->registry, param_bytes(name));
    enum object_kind kind = call->service->index.kinds[call->method->id];
    if (object == NULL && engine_takes(call->service, call->method, param_bytes(name))) {
        return CALL_AWAY;
    }
    if (object == NULL || (kind != OBJECT_KINDS && object->kind != kind)) {
        return refuse_object(call, name, object);
    }
    if (__builtin_expect(!may_access(call, object->uid, object->gid, object->mode), 0)) {
        const struct standing of = {object->name, object->uid, object->gid, object->mode};
        return refuse_access(call, &of);
    }
    *out = object;
    if (!call_may_enter(call, object)) {
        return CALL_HELD_UP;
    }
    if (call->batch != NULL && call->pace != NULL) {
        call_hold(call, object); /* which others may have made, or renamed, since the batch began */
    }
    return 0;
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
    uint32_t away = 0;
    for (uint32_t i = 0; i < names->header.count && status == 0; i++) {
        struct param name = value_next(&rest);
        struct object *object;
        status = name.header.kind == KIND_STR ? find_object(call, &name, &object)
                                              : refuse_param(call, param, names);
        call->shows_all |= status == 0 && object_is_durable(object);
        if (status == CALL_AWAY) {
            away++;
            status = 0;
        }
    }
    if (status == 0 && away > 0) {
        status = away == names->header.count ? CALL_AWAY : call_refuse_mixed(call);
    }
    return status;
}

int call_refuse_mixed(struct call *call)
{
    return call_fail(call, ERR_UNSUPPORTED,
                     "%s: objects that live in the engine and objects of this daemon's cannot be "
                     "in one call; object.describe says of each where it lives",
                     call->method->name);
}

int call_find_objects(struct call *call)
{
    const struct method_signature *signature = &call->service->index.signatures[call->method->id];
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
