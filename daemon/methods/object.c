/* methods/object: the handlers of object.*. */
#include <fnmatch.h>
#include <stdlib.h>

#include "daemon/methods/methods.h"
#include "daemon/methods/open.h"

enum {
    LIST_STANDARD = 1000, /* descriptions in an answer of object.list */
    LIST_MOST = 10000,    /* and objects that one call looks at */
    MODE_MOST = 0777,
};

/* What object.list is asked for. */
struct query {
    char *glob; /* owned; NULL: every name */
    enum object_kind kind;
    uint64_t cursor;
    uint64_t limit;
};

static int read_query(struct call *call, struct query *query)
{
    enum { GLOB, TYPE, CURSOR, LIMIT, COUNT };
    static const struct option table[COUNT] = {[GLOB] = {"glob", PARAM_STR},
                                               [TYPE] = {"type", PARAM_STR},
                                               [CURSOR] = {"cursor", PARAM_UINT},
                                               [LIMIT] = {"limit", PARAM_COUNT}};
    struct param given[COUNT];
    int status = options_read(call, 0, table, COUNT, given);
    if (status < 0) {
        return status;
    }
    *query = (struct query){.kind = OBJECT_KINDS,
                            .cursor = (uint64_t)option_int(&given[CURSOR], 0),
                            .limit = (uint64_t)option_int(&given[LIMIT], LIST_STANDARD)};
    if (option_given(&given[TYPE])) {
        query->kind = object_kind_of(option_str(&given[TYPE]));
        if (query->kind == OBJECT_KINDS) {
            return call_fail(call, ERR_BAD_REQUEST, "object.list: there is no type of that name");
        }
    }
    if (option_given(&given[GLOB])) {
        struct slice glob = option_str(&given[GLOB]);
        query->glob = strndup((const char *)glob.data, glob.len);
        return query->glob == NULL ? ERR_INTERNAL : 0;
    }
    return 0;
}

static bool matches(const struct query *query, const struct object *object)
{
    return (query->kind == OBJECT_KINDS || object->type->kind == query->kind) &&
           (query->glob == NULL || fnmatch(query->glob, object->name, 0) == 0);
}

int method_object_list(struct call *call)
{
    struct query query = {0};
    int status = read_query(call, &query);
    if (status < 0) {
        return status;
    }
    struct buffer *out = call_result(call);
    pack_map(out, 2);
    pack_string(out, "objects");
    size_t at = pack_array_begin(out);
    uint64_t count = 0;
    struct object *object = registry_from(&call->service->registry, query.cursor);
    for (uint64_t seen = 0; object != NULL && count < query.limit && seen < LIST_MOST; seen++) {
        if (matches(&query, object)) {
            describe_object(object, out);
            count++;
        }
        object = registry_from(&call->service->registry, object->entry.seq + 1);
    }
    pack_array_end(out, at, count);
    pack_key_uint(out, "cursor", object == NULL ? 0 : object->entry.seq);
    free(query.glob);
    return 0;
}

int method_object_describe(struct call *call)
{
    describe_object(call->object, call_result(call));
    return 0;
}

int method_object_delete(struct call *call)
{
    service_delete(call->service, call->object);
    call->object = NULL;
    return call_answer_nil(call);
}

int method_object_close(struct call *call)
{
    (void)session_close(call->session, call->object);
    call->object = NULL;
    return call_answer_nil(call);
}

int method_object_chmod(struct call *call)
{
    int64_t mode = call_int(call, 1, 0);
    if (mode < 0 || mode > MODE_MOST) {
        return call_fail(call, ERR_BAD_REQUEST,
                         "object.chmod: param mode must be from 0 to 0777 (511 in decimal)");
    }
    call->object->mode = (uint16_t)mode;
    return call_answer_nil(call);
}
