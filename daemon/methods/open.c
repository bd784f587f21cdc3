/*
 * open: see open.h.
 *
 * Tests: tests/system/test_object_open.c, tests/unit/methods/test_queue_open.c.
 */
#include "daemon/methods/open.h"

#include <inttypes.h>
#include <stdio.h>

#include "daemon/call/dispatch.h"
#include "daemon/call/engine.h"
#include "daemon/methods/group.h"
#include "proto/value.h"

/* The options that every open has. */
enum {
    CREATE = OPTION_TYPE_open_create,
    EXCLUSIVE = OPTION_TYPE_open_exclusive,
    LIFETIME = OPTION_TYPE_open_lifetime,
    MODE = OPTION_TYPE_open_mode,
    GROUP = OPTION_TYPE_open_group,
    COMMON_OPTIONS = OPTIONS_TYPE_open,
};

enum { STANDARD_MODE = 0660, MODE_MAX = 0777 };

/* Steps that a byte of the options costs at most: a pair of a dict's `initial` may have only two.
 */
enum { MAKING_STEPS = 10 };

int open_read(struct call *call, struct open_request *request)
{
    request->name = call_given(call, 0) ? call_bytes(call, 0) : (struct slice){0};
    const char *why = NULL;
    if (call_given(call, 0) && registry_check_name(request->name, &why) < 0) {
        return call_fail(call, ERR_BAD_REQUEST, "%s: %s", call->method->name, why);
    }
    int status = options_read(call, 1, request->options);
    request->lifetime = (enum lifetime)option_word(
        &request->options[LIFETIME], request->name.len > 0 ? LIFETIME_DAEMON : LIFETIME_SCOPED);
    if (status == 0 && option_int(&request->options[MODE], 0) > MODE_MAX) {
        status = call_fail(call, ERR_BAD_REQUEST,
                           "%s: option mode must be from 0 to 0777 (511 in decimal)",
                           call->method->name);
    }
    request->gid = call->session->credentials.gid;
    if (status == 0 && option_given(&request->options[GROUP])) {
        status = group_read(call, "option group", &request->options[GROUP], &request->gid);
    }
    return status;
}

int open_refuse_mismatch(struct call *call, const char *name, const char *option)
{
    return call_fail(call, ERR_MISMATCH,
                     "\"%s\" is there with another %s; object.describe shows its options", name,
                     option);
}

/* The object is there: do the options of its type that were given agree with it? */
static int compare_own(struct call *call, const struct open_type *type,
                       const struct open_request *request, const struct object *object)
{
    const struct method_signature *signature = &call->service->index.signatures[call->method->id];
    bool differs[METHOD_OPTIONS_MAX] = {false};
    if (type->differs != NULL) {
        type->differs(object, request->options + COMMON_OPTIONS, differs);
    }
    for (unsigned i = COMMON_OPTIONS; i < signature->option_count; i++) {
        if (differs[i - COMMON_OPTIONS]) {
            return open_refuse_mismatch(call, object->name, signature->options[i]->name);
        }
    }
    return 0;
}

/* Whoever has it open keeps a scoped object alive, which its owner pays for. */
static bool may_be_kept(const struct call *call, const struct standing *of)
{
    const struct credentials *peer = &call->session->credentials;
    uid_t self = call->service->accounts.self;
    return access_owner(peer, self, of->uid) ||
           access_granted(peer, self, of->uid, of->gid, of->mode, ACCESS_READ) ||
           access_granted(peer, self, of->uid, of->gid, of->mode, ACCESS_WRITE);
}

int open_check_right(struct call *call, const struct open_request *request,
                     const struct open_found *found)
{
    const struct standing *of = &found->standing;
    const char *wanted = call->method->type;
    if (strcmp(found->type, wanted) != 0) {
        return call_fail(call, ERR_WRONG_TYPE, "\"%s\" is %s %s, not %s %s", of->name,
                         type_article(found->type), found->type, type_article(wanted), wanted);
    }
    if (option_bool(&request->options[EXCLUSIVE], false)) {
        return call_fail(call, ERR_EXISTS, "\"%s\" is there already, and exclusive was asked for",
                         of->name);
    }
    if (!may_be_kept(call, of)) {
        return call_fail(call, ERR_DENIED,
                         "%s needs the read or the write bit on \"%s\", which user %u and group %u "
                         "own with mode 0%o; the caller is user %u",
                         call->method->name, of->name, (unsigned)of->uid, (unsigned)of->gid,
                         (unsigned)of->mode, (unsigned)call->session->credentials.uid);
    }
    return 0;
}

int open_check_common(struct call *call, const struct open_request *request,
                      const struct open_found *found)
{
    const struct param *options = request->options;
    const struct standing *of = &found->standing;
    if (option_given(&options[LIFETIME]) && found->lifetime != request->lifetime) {
        return open_refuse_mismatch(call, of->name, "lifetime");
    }
    if (option_given(&options[MODE]) && of->mode != options[MODE].header.i) {
        return open_refuse_mismatch(call, of->name, "mode");
    }
    if (option_given(&options[GROUP]) && of->gid != request->gid) {
        return open_refuse_mismatch(call, of->name, "group");
    }
    return 0;
}

/* The object is there: may it be opened like this? */
static int check_existing(struct call *call, const struct open_type *type,
                          const struct open_request *request, const struct object *object)
{
    if (object_is_sealed(object)) {
        return call_refuse_sealed(call, object);
    }
    const struct open_found found = {
        {object->name, object->uid, object->gid, object->mode},
        object_type_name(object),
        object->lifetime,
    };
    int status = open_check_right(call, request, &found);
    if (status == 0 && type->may_open != NULL) {
        status = type->may_open(call, object);
    }
    if (status == 0) {
        status = open_check_common(call, request, &found);
    }
    return status < 0 ? status : compare_own(call, type, request, object);
}

/* An object that is to be durable: 0 if it can be. */
static int refuse_durable(struct call *call, const struct open_request *request, bool can_last,
                          bool stores)
{
    if (!can_last) {
        const char *kind = call->method->type;
        return call_fail(call, ERR_BAD_REQUEST,
                         "%s %s cannot be durable: a queue, dict, namespace or list can",
                         type_article(kind), kind);
    }
    if (request->name.len == 0) {
        return call_fail(call, ERR_BAD_REQUEST,
                         "a durable object needs a name, by which it is found after a restart");
    }
    if (!stores) {
        return call_fail(call, ERR_STORAGE,
                         "there is no durable store: the daemon has to be started with --state "
                         "DIRECTORY; lifetimes \"daemon\" and \"scoped\" need none");
    }
    return 0;
}

int open_check_creation(struct call *call, const struct open_request *request, bool can_last,
                        bool stores)
{
    if (!option_bool(&request->options[CREATE], true)) {
        struct buffer shown = {0};
        value_print(call_value(call, 0), 64, &shown);
        (void)call_fail(call, ERR_NOT_FOUND, "there is no object %.*s, and create was false",
                        (int)shown.len, (const char *)shown.data);
        buffer_deinit(&shown);
        return ERR_NOT_FOUND;
    }
    if (request->name.len > 0 && request->name.data[0] == '#') {
        return call_fail(call, ERR_BAD_REQUEST,
                         "names that begin with # are given by the daemon: ask for nil");
    }
    int status =
        request->lifetime == LIFETIME_DURABLE ? refuse_durable(call, request, can_last, stores) : 0;
    return status < 0 ? status : group_check(call, request->gid);
}

/* Puts a new object into the registry and the session's open ones; drops it if that fails.
 * ERR_EXISTS: while it was being made, in steps, somebody else has entered one of its name. */
static int enter(struct call *call, struct object *object)
{
    struct service *service = call->service;
    bool is_late =
        call->pace != NULL && registry_find(&service->registry, object_name(object)) != NULL;
    int status = is_late ? ERR_EXISTS : registry_add(&service->registry, object);
    if (status == 0) {
        status = session_open(call->session, object, false);
        if (status < 0) {
            registry_remove(&service->registry, object);
        }
    }
    if (status < 0) {
        object_clear(object, call->pace);
        object_unref(object);
        return status;
    }
    object_unref(object); /* the registry has its own */
    if (call->batch != NULL && call->pace != NULL) {
        call_hold(call, object); /* nothing may come between the calls of a batch */
    }
    return 0;
}

static int create(struct call *call, const struct open_type *type, struct open_request *request,
                  struct object **out)
{
    struct service *service = call->service;
    char anonymous[32];
    int status =
        open_check_creation(call, request, type->type->durable, service->commits.next != 0);
    if (status < 0) {
        return status;
    }
    status = user_take(call->session->user, RESOURCE_OBJECTS, 1);
    if (status < 0) {
        return status;
    }
    if (request->name.len == 0) {
        (void)snprintf(anonymous, sizeof(anonymous), "#%" PRIu64, ++service->registry.anonymous);
        request->name = slice_of_string(anonymous);
    }
    struct object_options common = {
        .name = request->name,
        .user = call->session->user,
        .uid = call->session->credentials.uid,
        .gid = request->gid,
        .mode = (uint16_t)option_int(&request->options[MODE], STANDARD_MODE),
        .lifetime = (uint8_t)request->lifetime,
    };
    status = type->make(call, &common, request->options + COMMON_OPTIONS, out);
    status = status < 0 ? status : enter(call, *out);
    if (status < 0) {
        user_give_back(call->session->user, RESOURCE_OBJECTS, 1);
    }
    return status;
}

/* The object of that name, or NULL. A call that is done in steps comes here with the name alone,
 * and waits until it has the object for itself, which may be another one by then. */
static struct object *find(struct call *call, const struct open_request *request)
{
    struct registry *registry = &call->service->registry;
    struct object *object = request->name.len > 0 ? registry_find(registry, request->name) : NULL;
    while (object != NULL && call->pace != NULL && call->batch == NULL &&
           object_is_held(object, call->pace)) {
        (void)object_ref(object);
        call_hold(call, object);
        object_unref(object);
        object = registry_find(registry, request->name);
    }
    return object;
}

bool open_needs_pace(struct call *call)
{
    return call_needs_pace(call, MAKING_STEPS * (uint64_t)call_value(call, 1).len);
}

int open_object(struct call *call, const struct open_type *type)
{
    struct open_request request;
    int status = open_read(call, &request);
    if (status < 0) {
        return status;
    }
    struct object *object;
    bool is_there;
    do {
        object = find(call, &request);
        is_there = object != NULL;
        if (!is_there && engine_takes(call->service, call->method, request.name)) {
            return CALL_AWAY;
        }
        status = is_there ? 0 : create(call, type, &request, &object);
    } while (status == ERR_EXISTS); /* and may have gone again, while what was made was given up */
    if (is_there) {
        if (!call_may_enter(call, object)) {
            return CALL_HELD_UP;
        }
        status = check_existing(call, type, &request, object);
        if (status == 0) {
            status = session_open(call->session, object, false);
        }
    }
    if (status == 0) {
        describe_object(object, call_result(call), call->now);
        call->shows_all = object_is_durable(object);
    }
    return status;
}

size_t pack_description(const struct object *object, struct buffer *out, uint64_t now)
{
    pack_key_str(out, "name", object_name(object));
    pack_key_string(out, "type", object_type_name(object));
    pack_key_uint(out, "owner", object->uid);
    pack_key_uint(out, "group", object->gid);
    pack_key_uint(out, "mode", object->mode);
    pack_key_string(out, "lifetime", lifetime_name(object->lifetime));
    pack_string(out, "created");
    pack_timestamp(out, object->created.tv_sec, (uint32_t)object->created.tv_nsec);
    pack_key_uint(out, "waiting", object->waiting);
    pack_key_uint(out, "bytes", object->bytes);
    pack_key_uint(out, "overhead", object_overhead(object));
    size_t pairs = 10;
    if (object_is_durable(object)) { /* what its contents take, by which its rows go, roughly */
        pack_string(out, "durable");
        pack_map(out, 2);
        pack_key_uint(out, "bytes", object->bytes);
        pack_key_string(out, "sync", object->registry->sync);
        pairs++;
    }
    if (object_is_sealed(object)) {
        pack_key_bool(out, "sealed", true);
        pairs++;
    }
    return pairs + object->type->describe(object, out, now);
}

void describe_object(const struct object *object, struct buffer *out, uint64_t now)
{
    size_t at = pack_map_begin(out);
    pack_map_end(out, at, pack_description(object, out, now));
}
