/*
 * asking: see asking.h.
 *
 * Tests: tests/unit/engine/test_hosts.c; tests/unit/methods/, the suite "engine".
 */
#include "daemon/engine/asking.h"

#include "daemon/engine/answer.h"
#include "daemon/engine/tag.h"
#include "daemon/engine/taken.h"
#include "daemon/engine/mailbox.h"
#include "daemon/engine/watched.h"
#include "daemon/methods/object.h"
#include "daemon/methods/open.h"

bool asking_is_open(const struct call *call)
{
    return strcmp(call->method->name + strlen(call->method->type), ".open") == 0;
}

bool asking_leaves_something(const struct call *call)
{
    return (call->method->flags & METHOD_WAITS) != 0 || asking_is_open(call);
}

struct slice asking_name(const struct call *call)
{
    struct param name = call->params[0];
    if (name.header.kind == KIND_ARRAY) {
        struct slice rest = slice_from(name.raw, name.header.size);
        name = value_next(&rest);
    }
    return param_bytes(&name);
}

/* Rights. */

/* Whose the lock of a condition is, is asked too. */
static int check_other(struct call *call, const struct meta *meta)
{
    const struct credentials *peer = &call->session->credentials;
    bool granted = access_granted(peer, call->service->accounts.self, meta->other_uid,
                                  meta->other_gid, meta->other_mode, ACCESS_WRITE);
    return granted || strcmp(call->method->type, "condition") != 0
               ? 0
               : call_fail(call, ERR_DENIED, "%s needs the write bit on \"%s\", the lock, too",
                           call->method->name, meta->other);
}

/* It is the meta of one that is still to be made. */
static bool is_new(const struct meta *meta)
{
    return meta->has_other && meta->version_len > 4 && memcmp(meta->version, "new+", 4) == 0;
}

static int check_open(struct call *call, const struct open_found *found, const struct meta *meta)
{
    struct open_request request;
    int status = open_read(call, &request);
    if (status == 0 && !is_new(meta)) {
        status = open_check_right(call, &request, found);
    }
    if (status == 0 && meta->has_other) {
        status = check_other(call, meta);
    }
    return status < 0 || is_new(meta) ? status : open_check_common(call, &request, found);
}

/* May the call do what it wants to the object of that name and meta? 0, or the refusal. */
static int check_one(struct call *call, const struct param *param, struct slice name,
                     const struct meta *meta)
{
    char text[OBJECT_NAME_MAX + 1];
    size_t len = name.len < sizeof(text) ? name.len : sizeof(text) - 1;
    memcpy(text, name.data, len);
    text[len] = '\0';
    const struct open_found found = {
        {text, meta->uid, meta->gid, meta->mode}, meta->type, meta->lifetime};
    if (asking_is_open(call)) {
        return check_open(call, &found, meta);
    }
    bool any = call->service->index.kinds[call->method->id] == OBJECT_KINDS;
    if (!any && strcmp(meta->type, call->method->type) != 0) {
        return call_refuse_type(call, param, meta->type);
    }
    int status = call_check_access(call, &found.standing);
    if (status == 0 && meta->has_other) {
        status = check_other(call, meta);
    }
    if (status == 0 && call->method->id == METHOD_object_watch) {
        uint32_t events;
        status = object_read_events(call, watched_type(meta->type), &events);
    }
    if (status == 0 && call->method->id == METHOD_object_chown) {
        uid_t uid;
        gid_t gid;
        status = object_read_owner(call, &found.standing, &uid, &gid);
    }
    return status;
}

/* The one object that a call names, or one of several. *version gets its version. ERR_NOT_FOUND,
 * and nothing packed: nothing is known of it. */
static int check_name(struct engine *engine, struct call *call, const struct param *name,
                      struct slice *fresh, struct slice *version)
{
    struct meta meta;
    const struct meta *known;
    if (fresh == NULL) {
        known = metas_find(&engine->metas, param_bytes(name));
    } else if (meta_read(fresh, &meta) < 0) {
        return answer_failure(call, false, "%s: the engine answered with what is no meta",
                              call->method->name);
    } else {
        metas_remember(&engine->metas, param_bytes(name), &meta);
        known = metas_find(&engine->metas, param_bytes(name));
    }
    if (known == NULL) {
        return ERR_NOT_FOUND;
    }
    *version = meta_version(known);
    return check_one(call, name, param_bytes(name), known);
}

static int check_names(struct engine *engine, struct call *call, struct slice *fresh,
                       struct buffer *version)
{
    const struct param *names = &call->params[0];
    struct slice rest = slice_from(names->raw, names->header.size);
    struct header header;
    int status = 0;
    if (fresh != NULL && header_read(fresh->data, fresh->len, &header) == 0) {
        *fresh = slice_from(*fresh, header.size); /* an array of metas */
    }
    pack_array(version, names->header.count);
    for (uint32_t i = 0; i < names->header.count && status == 0; i++) {
        struct param name = value_next(&rest);
        struct slice one = {0};
        status = check_name(engine, call, &name, fresh, &one);
        pack_str(version, one);
    }
    return status;
}

int asking_check(struct engine *engine, struct call *call, const struct slice *fresh,
                 struct op_part *part)
{
    struct slice rest = fresh == NULL ? (struct slice){0} : *fresh;
    struct slice *fresh_rest = fresh == NULL ? NULL : &rest;
    if (call->params[0].header.kind != KIND_ARRAY) {
        struct slice one = {0};
        int status = check_name(engine, call, &call->params[0], fresh_rest, &one);
        part_set_version(part, status == 0 ? one : (struct slice){0});
        return status;
    }
    struct buffer version = {0};
    int status = check_names(engine, call, fresh_rest, &version);
    part_set_version(part, status == 0 ? buffer_slice(&version) : (struct slice){0});
    buffer_deinit(&version);
    return status;
}

/* Answers. */

static int answer_open_missing(struct call *call)
{
    struct open_request request;
    int status = open_read(call, &request);
    enum object_kind kind = call->service->index.kinds[call->method->id];
    bool lasts = kind == OBJECT_QUEUE || kind == OBJECT_DICT || kind == OBJECT_NAMESPACE ||
                 kind == OBJECT_LIST;
    return status < 0 ? status : open_check_creation(call, &request, lasts, true);
}

static int refuse(struct engine *engine, struct call *call, struct slice refusal)
{
    int code = answer_code(refusal);
    if (code == ERR_NOT_FOUND) {
        metas_forget(&engine->metas, asking_name(call));
        int status = 0;
        if (asking_is_open(call)) {
            status = answer_open_missing(call);
        } else if (call->params[0].header.kind == KIND_STR) {
            status = call_refuse_missing(call, &call->params[0]);
        }
        if (status < 0) {
            return status;
        }
    }
    return answer_refusal(call, refusal, asking_name(call));
}

static bool is_described(const struct call *call)
{
    return asking_is_open(call) || call->method->id == METHOD_object_describe;
}

static int pack_description_of(struct engine *engine, struct call *call, struct slice prefix,
                               struct slice result)
{
    struct buffer host = {0};
    struct meta meta;
    cluster_describe(engine->cluster, prefix, &host);
    int status = answer_description(call, result, buffer_slice(&host), &meta);
    if (status == 0) {
        metas_remember(&engine->metas, asking_name(call), &meta);
    }
    buffer_deinit(&host);
    return status;
}

/* What changes an object itself makes what is remembered of it useless. */
static void note_change(struct engine *engine, const struct call *call)
{
    if (call->method->needs == METHOD_NEEDS_OWNER && strcmp(call->method->type, "object") == 0) {
        metas_forget(&engine->metas, asking_name(call));
    }
}

int asking_answer(struct engine *engine, struct call *call, struct lane *lane, struct slice reply)
{
    struct slice rest = slice_from(reply, 1);
    if (reply.data[0] == '!') {
        return refuse(engine, call, rest);
    }
    if (is_described(call)) {
        return pack_description_of(engine, call, buffer_slice(&lane->prefix), rest);
    }
    if (call->method->id == METHOD_object_watch || call->method->id == METHOD_object_unwatch) {
        const struct meta *meta = metas_find(&engine->metas, asking_name(call));
        return watched_answer(engine, call, meta, lane);
    }
    if (taken_is_given_by(call)) {
        return taken_answer(engine, call, lane, rest);
    }
    note_change(engine, call);
    return answer_result(call, rest);
}

/* Encoding. */

void asking_forget_refusal(struct call *call)
{
    output_rewind(call->out, call->start);
    call->refused = false;
}

/* True if what is done to objects of both names can be one step. */
static bool is_together(const struct engine *engine, struct slice a, struct slice b)
{
    return engine->options.tag != NULL || tag_is_same(a, b);
}

/* In one step where there is one place only, or they have one tag. */
bool asking_is_apart(const struct engine *engine, const struct call *call)
{
    struct cluster_figures figures;
    const struct param *names = &call->params[0];
    if (names->header.kind != KIND_ARRAY) {
        return false;
    }
    struct slice first = asking_name(call);
    struct slice rest = slice_from(names->raw, names->header.size);
    bool is_apart = false;
    cluster_figures(engine->cluster, &figures);
    while (figures.is_cluster && rest.len > 0 && !is_apart) {
        struct param name = value_next(&rest);
        is_apart = !is_together(engine, first, param_bytes(&name));
    }
    return is_apart;
}

static int check_places(const struct engine *engine, struct call *call)
{
    return !asking_is_apart(engine, call)
               ? 0
               : call_fail(call, ERR_UNSUPPORTED,
                           "%s: objects in the engine that one call names must be at one place: "
                           "names that have the same {tag} are",
                           call->method->name);
}

static int check_renaming(const struct engine *engine, struct call *call)
{
    struct slice name = call_bytes(call, 1);
    int status = object_check_new_name(call);
    if (status == 0 && (!is_together(engine, call_bytes(call, 0), name) ||
                        !engine->residence.has(engine->residence.data, name))) {
        status = call_fail(call, ERR_UNSUPPORTED,
                           "object.rename: with the new name the object must live in the engine "
                           "too, and at the same place: names that have the same {tag} do");
    }
    return status;
}

static int encode_opening(struct engine *engine, struct call *call, struct op_part *part)
{
    struct open_request request;
    int status = open_read(call, &request);
    if (status < 0) {
        return status;
    }
    bool may_create = answer_open_missing(call) == 0;
    asking_forget_refusal(call);
    return encode_open(call, &engine->residence, &request, may_create, part);
}

/* Whether this daemon is told of the object's events at all. */
static int encode_watching(struct engine *engine, struct call *call, struct op_part *part)
{
    struct lane *lane = lanes_of_name(&engine->lanes, call_bytes(call, 0));
    if (lane == NULL) {
        return ERR_MEMORY;
    }
    if (call->method->id == METHOD_object_watch) {
        mailbox_open(engine, lane);
    } else if (watched_by_others(engine, call)) {
        part->verb = "object.watch"; /* as it is for the daemon */
    }
    return 0;
}

int asking_encode(struct engine *engine, struct call *call, struct op_part *part)
{
    if (asking_is_open(call)) {
        return encode_opening(engine, call, part);
    }
    int status = check_places(engine, call);
    switch (call->method->id) {
    case METHOD_object_chmod:
        status = object_check_mode(call);
        break;
    case METHOD_object_rename:
        status = check_renaming(engine, call);
        break;
    case METHOD_object_watch: /* which sessions and events, is decided here */
    case METHOD_object_unwatch:
        return encode_watching(engine, call, part);
    default:
        break;
    }
    return status < 0 ? status : encode_call(call, &engine->residence, part);
}
