/* engine: see engine.h. Tests: tests/unit/call/test_away.c. */
#include "daemon/call/engine.h"

/* Whether objects of the method's type can live elsewhere: not if they are memory that is shared,
 * or sockets. Methods of every type can be about one that does. */
static bool can_live_elsewhere(enum object_kind kind, const struct method *method)
{
    switch (kind) {
    case OBJECT_VALUE:
    case OBJECT_ARRAY:
    case OBJECT_PIPE:
        return false;
    case OBJECT_KINDS:
        return strcmp(method->type, "object") == 0;
    default:
        return true;
    }
}

bool engine_takes(const struct service *service, const struct method *method, struct slice name)
{
    const struct engine_api *engine = service->engine;
    return engine != NULL && name.len > 0 &&
           can_live_elsewhere(service->index.kinds[method->id], method) &&
           engine->has(engine->data, name) && registry_find(&service->registry, name) == NULL;
}
