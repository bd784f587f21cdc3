/*
 * watched: see watched.h.
 *
 * Tests: tests/unit/methods/test_watch.c and test_watch_events.c, the suite "engine".
 */
#include "daemon/engine/watched.h"

#include <stdlib.h>

#include "daemon/call/watching.h"
#include "daemon/methods/object.h"

/* Numbers of stand-ins, by which sessions have them in order: no other object has such a one. */
#define FIRST_NUMBER (UINT64_C(1) << 62)

struct watched {
    struct ordered_entry entry; /* engine->watched */
    struct object *object;      /* a reference */
    struct lane *lane;          /* used */
    uint32_t hash;
};

static const struct object_type types[OBJECT_KINDS] = {
#define TYPE(kind_, ...) [OBJECT_##kind_] = {.kind = OBJECT_##kind_, .size = sizeof(struct object)},
#include "proto/types.def"
#undef TYPE
};

const struct object_type *watched_type(const char *name)
{
    enum object_kind kind = object_kind_of(slice_of_string(name));
    return kind == OBJECT_KINDS ? NULL : &types[kind];
}

static bool has_name(const struct ordered_entry *entry, const void *key)
{
    return slice_equal(object_name(((const struct watched *)entry)->object),
                       *(const struct slice *)key);
}

static struct watched *find(const struct engine *engine, struct slice name)
{
    uint32_t hash = hash_bytes(name, engine->metas.seed);
    uint32_t position = ordered_find(&engine->watched, hash, has_name, &name);
    return position == ORDERED_NONE ? NULL : (struct watched *)engine->watched.entries[position];
}

static void watched_free(struct engine *engine, struct watched *watched)
{
    uint32_t position = ordered_from_seq(&engine->watched, watched->entry.seq);
    (void)ordered_remove(&engine->watched, position, watched->hash, NULL);
    object_unref(watched->object);
    lane_unuse(watched->lane);
    free(watched);
}

/* It costs the daemon itself; what watching costs, the session. */
static struct object *stand_in_new(struct engine *engine, const struct call *call,
                                   const struct meta *meta)
{
    struct accounts *accounts = &engine->service->accounts;
    struct user *user = accounts_user(accounts, accounts->self);
    const struct object_options options = {.name = call_bytes(call, 0),
                                           .user = user,
                                           .uid = meta->uid,
                                           .gid = meta->gid,
                                           .mode = meta->mode,
                                           .lifetime = LIFETIME_DAEMON};
    struct object *object = user == NULL ? NULL : calloc(1, sizeof(*object));
    if (object != NULL && object_init(object, watched_type(meta->type), &options) < 0) {
        free(object);
        object = NULL;
    }
    user_unref(user);
    if (object != NULL) {
        object->entry.seq = FIRST_NUMBER + engine->last_watched++;
    }
    return object;
}

static struct watched *watched_make(struct engine *engine, const struct call *call,
                                    const struct meta *meta, struct lane *lane)
{
    struct slice name = call_bytes(call, 0);
    struct watched *watched = find(engine, name);
    if (watched != NULL) {
        return watched;
    }
    watched = calloc(1, sizeof(*watched));
    struct object *object = watched == NULL ? NULL : stand_in_new(engine, call, meta);
    if (object == NULL) {
        free(watched);
        return NULL;
    }
    *watched = (struct watched){
        .object = object, .lane = lane, .hash = hash_bytes(name, engine->metas.seed)};
    if (ordered_append(&engine->watched, watched->hash, &watched->entry) < 0) {
        object_unref(object);
        free(watched);
        return NULL;
    }
    lane_use(lane);
    return watched;
}

/* Tells those who watch it, or one session only, that they may have missed something. */
static void tell_missed(const struct watched *watched, const struct session *session)
{
    struct watch *watch;
    LIST_FOREACH (watch, &watched->object->watches, of_object) {
        if (session == NULL || watch->tie->session == session) {
            watch_tell_missed(watch);
        }
    }
}

int watched_answer(struct engine *engine, struct call *call, const struct meta *meta,
                   struct lane *lane)
{
    uint32_t events;
    if (call->method->id == METHOD_object_unwatch) {
        struct watched *watched = find(engine, call_bytes(call, 0));
        if (watched != NULL) {
            session_unwatch(call->session, watched->object);
        }
        return call_answer_nil(call);
    }
    int status =
        meta == NULL ? ERR_MEMORY : object_read_events(call, watched_type(meta->type), &events);
    if (status < 0) {
        return status;
    }
    struct watched *watched = watched_make(engine, call, meta, lane);
    if (watched == NULL) {
        return ERR_MEMORY;
    }
    status = session_watch(call->session, watched->object, events);
    if (status < 0) {
        engine->has_unwatched = true; /* it may be that nobody watches it */
        return status;
    }
    if (call->batch != NULL) { /* what the batch did next may have come before this */
        tell_missed(watched, call->session);
    }
    return call_answer_nil(call);
}

bool watched_by_others(const struct engine *engine, const struct call *call)
{
    const struct watched *watched = find(engine, call_bytes(call, 0));
    const struct watch *watch;
    if (watched != NULL) {
        LIST_FOREACH (watch, &watched->object->watches, of_object) {
            if (watch->tie->session != call->session) {
                return true;
            }
        }
    }
    return false;
}

/* What is told. */

static bool next_str(struct slice *rest, uint32_t *left, struct slice *out)
{
    if (*left == 0 || scan_length(rest->data, rest->len) == 0) {
        return false;
    }
    (*left)--;
    struct param param = value_next(rest);
    *out = slice_from(param.raw, param.header.size);
    return param.header.kind == KIND_STR;
}

/* {name: NAME} */
static bool read_new_name(struct slice details, struct slice *name)
{
    struct header header;
    if (header_read(details.data, details.len, &header) != 0 || header.kind != KIND_MAP ||
        header.count != 1) {
        return false;
    }
    struct slice rest = slice_from(details, header.size);
    (void)value_next(&rest);
    struct param value = value_next(&rest);
    *name = slice_from(value.raw, value.header.size);
    return value.header.kind == KIND_STR && value.header.length <= OBJECT_NAME_MAX;
}

/* It is called that from now on, as far as there is memory. */
static void rename_to(struct engine *engine, struct watched *watched, struct slice name)
{
    char *copy = strndup((const char *)name.data, name.len);
    if (copy == NULL) {
        return;
    }
    uint32_t before = watched->hash;
    watched->hash = hash_bytes(name, engine->metas.seed);
    ordered_rehash(&engine->watched, ordered_from_seq(&engine->watched, watched->entry.seq), before,
                   watched->hash);
    free(watched->object->name);
    watched->object->name = copy;
    watched->object->name_len = (uint8_t)name.len;
}

void watched_event(struct engine *engine, struct slice rest, uint32_t left)
{
    struct slice name;
    struct slice word;
    struct slice details;
    if (!next_str(&rest, &left, &name) || !next_str(&rest, &left, &word) ||
        !next_str(&rest, &left, &details) ||
        scan_length(details.data, details.len) != details.len) {
        return;
    }
    enum event_name event = event_named(word);
    struct watched *watched = find(engine, name);
    struct slice new_name;
    if (watched == NULL || event == EVENT_NAMES) {
        return;
    }
    if (event == EVENT_deleted) {
        object_end_watches(watched->object, EVENT_deleted);
        watched_free(engine, watched);
        metas_forget(&engine->metas, name);
        return;
    }
    object_tell_packed(watched->object, event, details);
    if (event == EVENT_renamed && read_new_name(details, &new_name)) {
        metas_forget(&engine->metas, name);
        rename_to(engine, watched, new_name);
    }
}

void watched_meta(struct engine *engine, struct slice rest, uint32_t left)
{
    struct slice name;
    struct slice packed;
    struct meta meta;
    if (!next_str(&rest, &left, &name) || !next_str(&rest, &left, &packed) ||
        meta_read(&packed, &meta) < 0) {
        return;
    }
    struct watched *watched = find(engine, name);
    metas_remember(&engine->metas, name, &meta);
    if (watched != NULL) {
        watched->object->uid = meta.uid;
        watched->object->gid = meta.gid;
        watched->object->mode = meta.mode;
        service_check_watches(engine->service, watched->object);
        engine->has_unwatched = true;
    }
}

void watched_missed(struct engine *engine, const struct lane *lane)
{
    for (uint32_t i = 0; (i = ordered_next(&engine->watched, i)) != ORDERED_NONE; i++) {
        struct watched *watched = (struct watched *)engine->watched.entries[i];
        if (watched->lane == lane) {
            tell_missed(watched, NULL);
        }
    }
}

/* The end. */

static void unwatch_done(struct op *op, const struct outcome *outcome)
{
    op_deinit(op);
    free(op);
}

static void send_unwatch(const struct watched *watched)
{
    struct op *op = malloc(sizeof(*op));
    if (op != NULL) {
        op_init(op, "object.unwatch", object_name(watched->object));
        op->done = unwatch_done;
        lane_submit(watched->lane, op);
    }
}

void watched_sweep(struct engine *engine)
{
    engine->has_unwatched = false;
    for (uint32_t i = 0; (i = ordered_next(&engine->watched, i)) != ORDERED_NONE;) {
        struct watched *watched = (struct watched *)engine->watched.entries[i];
        uint64_t seq = watched->entry.seq;
        if (LIST_EMPTY(&watched->object->watches)) {
            send_unwatch(watched);
            watched_free(engine, watched);
        }
        i = ordered_from_seq(&engine->watched, seq + 1);
        if (i == ORDERED_NONE) {
            return;
        }
    }
}

void watched_lose(struct engine *engine)
{
    uint32_t i;
    while ((i = ordered_next(&engine->watched, 0)) != ORDERED_NONE) {
        struct watched *watched = (struct watched *)engine->watched.entries[i];
        object_end_watches(watched->object, EVENT_lost);
        watched_free(engine, watched);
    }
}
