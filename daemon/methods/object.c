/*
 * methods/object: the handlers of object.*.
 *
 * Tests: tests/unit/methods/test_interplay.c; tests/system/test_object_list.c, test_object_open.c
 * and test_object_permission.c.
 */
#include <fnmatch.h>
#include <stdlib.h>

#include "daemon/methods/claims.h"
#include "daemon/call/watching.h"
#include "daemon/methods/group.h"
#include "daemon/methods/methods.h"
#include "daemon/methods/object.h"
#include "daemon/methods/open.h"
#include "daemon/objects/walk.h"
#include "proto/value.h"

enum {
    LIST_STANDARD = 1000, /* descriptions in an answer of object.list */
    LIST_MOST = 10000,    /* and objects that one call looks at */
    DESCRIBE_STEPS = 32,  /* what a description costs, in steps of pace.h */
    MODE_MOST = 0777,
};

#define UID_MOST (UINT32_MAX - 1) /* (uid_t)-1 is no user */

int object_read_query(struct call *call, struct object_query *query)
{
    *query = (struct object_query){.kind = OBJECT_KINDS};
    struct param given[OPTIONS_object_list];
    int status = options_read(call, 0, given);
    if (status < 0) {
        return status;
    }
    *query = (struct object_query){
        .kind = OBJECT_KINDS,
        .waiting = option_bool(&given[OPTION_object_list_waiting], false),
        .cursor = (uint64_t)option_int(&given[OPTION_object_list_cursor], 0),
        .limit = (uint64_t)option_int(&given[OPTION_object_list_limit], LIST_STANDARD)};
    if (option_given(&given[OPTION_object_list_type])) {
        query->kind = object_kind_of(option_str(&given[OPTION_object_list_type]));
        if (query->kind == OBJECT_KINDS) {
            return call_fail(call, ERR_BAD_REQUEST, "object.list: there is no type of that name");
        }
    }
    if (option_given(&given[OPTION_object_list_glob])) {
        struct slice glob = option_str(&given[OPTION_object_list_glob]);
        query->glob = strndup((const char *)glob.data, glob.len);
        return query->glob == NULL ? ERR_MEMORY : 0;
    }
    return 0;
}

static bool matches(const struct object_query *query, const struct object *object)
{
    return (query->kind == OBJECT_KINDS || object->type->kind == query->kind) &&
           (!query->waiting || object->waiting > 0) &&
           (query->glob == NULL || fnmatch(query->glob, object->name, 0) == 0);
}

/* Packs the descriptions of objects that live here, *count of them. Returns the cursor for those
 * that follow; 0: there are no more. */
static uint64_t list_here(struct call *call, const struct object_query *query, struct buffer *out,
                          uint64_t *count)
{
    const struct registry *registry = &call->service->registry;
    struct object *object = registry_from(registry, query->cursor);
    *count = 0;
    for (uint64_t seen = 0; object != NULL && *count < query->limit && seen < LIST_MOST; seen++) {
        uint64_t number = object->entry.seq;
        if (matches(query, object)) {
            object_settle(object, false);
            describe_object(object, out, call->now);
            (*count)++;
        }
        pace_step(call->pace, DESCRIBE_STEPS); /* the object may be gone then */
        object = registry_from(registry, number + 1);
    }
    return object == NULL ? 0 : object->entry.seq;
}

int method_object_list(struct call *call)
{
    call->shows_all = true;
    struct object_query query;
    int status = object_read_query(call, &query);
    if (status < 0) {
        return status;
    }
    const struct registry *registry = &call->service->registry;
    uint64_t most = query.limit < LIST_MOST ? query.limit : LIST_MOST;
    most = most < registry->objects.live ? most : registry->objects.live;
    if (call_needs_pace(call, most * DESCRIBE_STEPS)) {
        free(query.glob);
        return CALL_PACED;
    }
    struct buffer *out = call_result(call);
    pack_map(out, 2);
    pack_string(out, "objects");
    size_t at = pack_array_begin(out);
    uint64_t count;
    uint64_t cursor = list_here(call, &query, out, &count);
    bool more_away = cursor == 0 && call->service->engine != NULL && call->batch == NULL;
    free(query.glob);
    if (more_away && count == 0) {
        output_rewind(call->out, call->start);
        return CALL_AWAY;
    }
    /* What lives here is told by itself, so that an engine that is away keeps nobody from it. */
    pack_array_end(out, at, count);
    pack_key_uint(out, "cursor", more_away ? OBJECT_CURSOR_AWAY : cursor);
    return 0;
}

int method_object_describe(struct call *call)
{
    struct buffer *out = call_result(call);
    size_t at = pack_map_begin(out);
    size_t count = pack_description(call->object, out, call->now);
    if (call_bool(call, 1, false)) {
        count += pack_claims(out, call->object, call->now);
    }
    pack_map_end(out, at, count);
    return 0;
}

int method_object_delete(struct call *call)
{
    struct object *object = call->object;
    uint64_t weight = object->type->weight == NULL ? 0 : object->type->weight(object);
    if (call_needs_pace(call, weight + object->waiting)) {
        return CALL_PACED;
    }
    service_delete(call->service, object, call->pace);
    return call_answer_nil(call);
}

int method_object_close(struct call *call)
{
    (void)session_close(call->session, call->object);
    return call_answer_nil(call);
}

/* Who has what rights has changed: they hold at once. */
static void check_who_has_it(struct call *call)
{
    service_check_watches(call->service, call->object);
    object_close_denied(call->object);
}

int object_check_mode(struct call *call)
{
    int64_t mode = call_int(call, 1, 0);
    if (mode < 0 || mode > MODE_MOST) {
        return call_fail(call, ERR_BAD_REQUEST,
                         "object.chmod: param mode must be from 0 to 0777 (511 in decimal)");
    }
    return 0;
}

int method_object_chmod(struct call *call)
{
    int status = object_check_mode(call);
    if (status < 0) {
        return status;
    }
    object_set_mode(call->object, (uint16_t)call_int(call, 1, 0));
    check_who_has_it(call);
    return call_answer_nil(call);
}

int object_read_owner(struct call *call, const struct standing *of, uid_t *uid, gid_t *gid)
{
    const struct credentials *peer = &call->session->credentials;
    uid_t self = call->service->accounts.self;
    int64_t wanted = call_int(call, 1, of->uid);
    *uid = (uid_t)wanted;
    *gid = of->gid;
    if (wanted > UID_MOST) {
        return call_fail(call, ERR_BAD_REQUEST,
                         "object.chown: param uid must be from 0 to %u, not %lld", UID_MOST,
                         (long long)wanted);
    }
    int status = call_given(call, 2) ? group_read(call, "param gid", &call->params[2], gid) : 0;
    if (status < 0) {
        return status;
    }
    if (*uid != of->uid && peer->uid != 0 && peer->uid != self) {
        return call_fail(
            call, ERR_DENIED,
            "object.chown: only root and the daemon's own user (%u) may give \"%s\" to "
            "another user; the caller is user %u",
            (unsigned)self, of->name, (unsigned)peer->uid);
    }
    return *gid == of->gid ? 0 : group_check(call, *gid);
}

int method_object_chown(struct call *call)
{
    const struct object *object = call->object;
    const struct standing of = {object->name, object->uid, object->gid, object->mode};
    uid_t uid;
    gid_t gid;
    int status = object_read_owner(call, &of, &uid, &gid);
    if (status < 0) {
        return status;
    }
    struct user *user = accounts_user(&call->service->accounts, uid);
    status = user == NULL ? ERR_MEMORY : object_chown(call->object, user, gid);
    user_unref(user);
    if (status < 0) {
        return status;
    }
    check_who_has_it(call);
    return call_answer_nil(call);
}

int object_check_new_name(struct call *call)
{
    struct slice name = call_bytes(call, 1);
    const char *why = NULL;
    if (registry_check_name(name, &why) < 0) {
        return call_fail(call, ERR_BAD_REQUEST, "object.rename: param new_name: %s", why);
    }
    if (name.data[0] == '#') {
        return call_fail(call, ERR_BAD_REQUEST,
                         "object.rename: names that begin with # are given by the daemon");
    }
    if (registry_find(&call->service->registry, name) != NULL) {
        return call_fail(call, ERR_EXISTS, "object.rename: \"%.*s\" is there already",
                         (int)name.len, (const char *)name.data);
    }
    return 0;
}

/* Whether the object may be called that, which is a good name and nobody's. */
static int check_renaming(struct call *call, struct slice name)
{
    const struct object *object = call->object;
    const char *why;
    if (object->contained > 0) {
        return call_fail(call, ERR_VALUE,
                         "object.rename: stored values name \"%s\" (%llu times), and would name "
                         "nothing then; take them out first",
                         object->name, (unsigned long long)object->contained);
    }
    bool asks = object->type->refuse_name != NULL && !object_is_sealed(object);
    why = asks ? object->type->refuse_name(object, name) : NULL;
    return why == NULL ? 0
                       : call_fail(call, ERR_VALUE, "object.rename: with the name \"%.*s\" %s",
                                   (int)name.len, (const char *)name.data, why);
}

int method_object_rename(struct call *call)
{
    struct slice name = call_bytes(call, 1);
    int status = object_check_new_name(call);
    status = status < 0 ? status : check_renaming(call, name);
    if (status == 0) {
        status = registry_rename(&call->service->registry, call->object, name);
    }
    return status < 0 ? status : call_answer_nil(call);
}

/* Packs the names of the events that a type has, for people. */
static void print_events(uint32_t events, struct buffer *out)
{
    for (int event = 0; event < EVENT_NAMES; event++) {
        if ((events >> event & 1U) != 0) {
            const char *name = event_name((enum event_name)event);
            (void)buffer_append(out, ", ", out->len > 0 ? 2 : 0);
            (void)buffer_append(out, name, strlen(name));
        }
    }
}

static int refuse_event(struct call *call, const char *type, struct slice given, uint32_t events)
{
    struct buffer shown = {0};
    struct buffer known = {0};
    value_print(given, 64, &shown);
    print_events(events, &known);
    int status = call_fail(
        call, ERR_BAD_REQUEST, "object.watch: a %s has no event %.*s; it has %.*s", type,
        (int)shown.len, (const char *)shown.data, (int)known.len, (const char *)known.data);
    buffer_deinit(&shown);
    buffer_deinit(&known);
    return status;
}

/* What is told of every object, whoever asks for what. */
static bool is_always_told(enum event_name event)
{
    return event == EVENT_renamed || event == EVENT_lost || event == EVENT_denied ||
           event == EVENT_deleted;
}

int object_read_events(struct call *call, const struct object_type *type, uint32_t *events)
{
    uint32_t all = object_type_events(type);
    *events = all;
    if (!call_given(call, 1)) {
        return 0;
    }
    const struct param *array = &call->params[1];
    struct slice rest = slice_from(array->raw, array->header.size);
    *events = 0;
    for (uint32_t i = 0; i < array->header.count; i++) {
        struct param given = walk_next(&rest, call->pace);
        enum event_name event = EVENT_NAMES;
        if (given.header.kind == KIND_STR) {
            event = event_named(slice_from(given.raw, given.header.size));
        }
        uint32_t bit = event == EVENT_NAMES ? 0 : UINT32_C(1) << event;
        if ((bit & all) == 0 && !is_always_told(event)) {
            return refuse_event(call, object_kind_name(type->kind), given.raw, all);
        }
        *events |= bit & all;
    }
    return 0;
}

int method_object_watch(struct call *call)
{
    uint32_t events;
    int status = object_read_events(call, call->object->type, &events);
    if (status == 0) {
        status = session_watch(call->session, call->object, events);
    }
    return status < 0 ? status : call_answer_nil(call);
}

int method_object_unwatch(struct call *call)
{
    session_unwatch(call->session, call->object);
    return call_answer_nil(call);
}
