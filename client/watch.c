/* watch: object.watch and object.unwatch. What comes of them is in notification.c. */
#include "client/typed.h"

enum { EVENTS_MAX = 64 };

int ipcc_object_watch(struct ipcc *conn, const char *name, const char *const *events)
{
    struct ipcc_value names[EVENTS_MAX];
    size_t count = 0;
    if (name == NULL) {
        return error_set(IPCC_ERR_ARGUMENT, "object.watch needs a name, not NULL");
    }
    for (; events != NULL && events[count] != NULL; count++) {
        if (count == EVENTS_MAX) {
            return error_set(IPCC_ERR_ARGUMENT, "object.watch: no type has %d events", EVENTS_MAX);
        }
        names[count] = ipcc_str(events[count]);
    }
    struct ipcc_value chosen = events != NULL ? ipcc_array(names, count) : ipcc_none();
    return typed_call_nil(conn, &(struct typed_call){"object.watch", {ipcc_str(name), chosen}, 0});
}

int ipcc_object_unwatch(struct ipcc *conn, const char *name)
{
    if (name == NULL) {
        return error_set(IPCC_ERR_ARGUMENT, "object.unwatch needs a name, not NULL");
    }
    return typed_call_nil(conn, &(struct typed_call){"object.unwatch", {ipcc_str(name)}, 0});
}
