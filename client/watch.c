/* watch: object.watch, object.unwatch, and the notifications that come of it. */
#include "client/typed.h"

enum { EVENTS_MAX = 64, NAME_ROOM = 256, EVENT_ROOM = 64 };

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

int ipcc_on_watch_event(struct ipcc *conn, ipcc_watch_event_fn *told, void *data)
{
    int status = connection_enter(conn);
    if (status < 0) {
        return status;
    }
    (void)pthread_mutex_lock(&conn->lock);
    conn->event_told = told;
    conn->event_data = data;
    (void)pthread_mutex_unlock(&conn->lock);
    return 0;
}

/* The next value of a walk as a text with a NUL. False: it is none. */
static bool next_text(struct ipcc_walk *walk, char *text, size_t room)
{
    struct ipcc_value value;
    if (!ipcc_walk_next(walk, &value) || value.kind != IPCC_STR || value.length >= room) {
        return false;
    }
    memcpy(text, value.as.str, value.length);
    text[value.length] = '\0';
    return true;
}

/* Takes apart [name, event, detail]. */
static bool read_event(const struct ipcc_value *params, char name[NAME_ROOM],
                       char event[EVENT_ROOM], struct ipcc_value *detail)
{
    struct ipcc_walk walk = ipcc_walk_of(params);
    return next_text(&walk, name, NAME_ROOM) && next_text(&walk, event, EVENT_ROOM) &&
           ipcc_walk_next(&walk, detail);
}

bool event_take(struct ipcc *conn, const struct ipcc_value *method, const struct ipcc_value *params)
{
    char name[NAME_ROOM];
    char event[EVENT_ROOM];
    struct ipcc_value detail;
    ipcc_watch_event_fn *told = conn->event_told;
    void *data = conn->event_data;
    if (told == NULL || !ipcc_value_is_str(method, "object.event") ||
        !read_event(params, name, event, &detail)) {
        return false;
    }
    struct ipcc_watch_event happened = {.object = name, .event = event, .detail = &detail};
    struct callback frame;
    callback_enter(conn, &frame);
    told(conn, &happened, data);
    callback_leave(conn, &frame);
    return true;
}
