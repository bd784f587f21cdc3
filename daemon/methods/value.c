/*
 * methods/value: the handlers of value.*; the operations are in daemon/objects/shared.h.
 *
 * Tests: tests/unit/methods/test_shared.c.
 */
#include "daemon/methods/methods.h"
#include "daemon/methods/shared.h"

static int make_value(struct call *call, const struct object_options *common,
                      const struct param *given, struct object **out)
{
    const struct param *initial = &given[OPTION_value_open_initial];
    struct shared *shared;
    uint64_t bits = 0;
    int status = shared_make(call, common, &given[OPTION_value_open_typecode], 1, &shared);
    if (status < 0) {
        return status;
    }
    if (option_given(initial) && initial->header.kind != KIND_NIL) {
        status = shared_read(call, shared->item, initial, &bits);
    }
    if (status < 0) {
        object_unref(&shared->object);
        return status;
    }
    shared_set(shared, 0, bits);
    *out = &shared->object;
    return 0;
}

static void value_differs(const struct object *object, const struct param *given, bool *differs)
{
    differs[OPTION_value_open_typecode] =
        shared_differs((const struct shared *)object, &given[OPTION_value_open_typecode]);
}

int method_value_open(struct call *call)
{
    static const struct open_type type = {
        .type = &shared_value_type,
        .make = make_value,
        .differs = value_differs,
    };
    return open_object(call, &type);
}

int method_value_map(struct call *call)
{
    return shared_answer_map(call);
}

int method_value_get(struct call *call)
{
    return shared_answer_get(call, 0);
}

int method_value_set(struct call *call)
{
    return shared_answer_set(call, 0, 1);
}

int method_value_add(struct call *call)
{
    return shared_answer_add(call, 0, 1);
}
