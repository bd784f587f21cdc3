/*
 * notification: see notification.h.
 *
 * Tests: tests/unit/client/test_watch.c.
 */
#include "client/notification.h"

#include "client/callback.h"

#include <string.h>

enum { NAME_ROOM = 256, EVENT_ROOM = 64 };

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

static bool tell_event(struct ipcc *conn, const struct ipcc_value *method,
                       const struct ipcc_value *params)
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

static void tell(struct ipcc *conn, const struct ipcc_value *method,
                 const struct ipcc_value *params)
{
    ipcc_notify_fn *told = conn->notify;
    void *data = conn->notify_data;
    if (told == NULL) {
        return;
    }
    struct callback frame;
    callback_enter(conn, &frame);
    told(conn, method, params, data);
    callback_leave(conn, &frame);
}

void notification_take(struct ipcc *conn, const struct ipcc_value *method,
                       const struct ipcc_value *params)
{
    if (!tell_event(conn, method, params)) {
        tell(conn, method, params);
    }
    listeners_finish(&conn->reader, 0, NULL);
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

int ipcc_on_notification(struct ipcc *conn, ipcc_notify_fn *notify, void *data)
{
    int status = connection_enter(conn);
    if (status < 0) {
        return status;
    }
    (void)pthread_mutex_lock(&conn->lock);
    conn->notify = notify;
    conn->notify_data = data;
    (void)pthread_mutex_unlock(&conn->lock);
    return 0;
}
