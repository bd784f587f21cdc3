/*
 * event: see event.h.
 *
 * Tests: tests/unit/methods/test_event.c.
 */
#include "daemon/objects/event.h"

#include <stdlib.h>

#include "daemon/objects/row_form.h"
#include "daemon/objects/waits.h"

static size_t event_describe(const struct object *object, struct buffer *out, uint64_t now)
{
    pack_key_bool(out, "set", ((const struct event *)object)->set);
    return 1;
}

static void event_save_options(const struct object *object, struct buffer *out)
{
    const struct event *event = (const struct event *)object;
    pack_uint(out, event->sets);
    pack_bool(out, event->set);
}

static int event_make(const struct object_options *common, struct row *row, struct object **out)
{
    struct event *event;
    uint64_t sets = row_uint(row);
    bool set = row_bool(row);
    int status = row_close(row, "an event");
    status = status < 0 ? status : event_object_new(common, &event);
    if (status == 0) {
        event->sets = sets;
        event->set = set;
        *out = &event->object;
    }
    return status;
}

const struct object_type event_type = {
    .kind = OBJECT_EVENT,
    .size = sizeof(struct event),
    .describe = event_describe,
    .save_options = event_save_options,
    .make = event_make,
};

int event_object_new(const struct object_options *common, struct event **out)
{
    struct event *event = calloc(1, sizeof(*event));
    if (event == NULL) {
        return ERR_MEMORY;
    }
    int status = object_init(&event->object, &event_type, common);
    if (status < 0) {
        free(event);
        return status;
    }
    *out = event;
    return 0;
}

static void tell(struct event *event, enum event_name change)
{
    if (object_is_watched(&event->object, change)) {
        object_tell(&event->object, change, NULL);
    }
}

bool event_object_set(struct event *event)
{
    if (event->set) {
        return false;
    }
    event->set = true;
    event->sets++;
    tell(event, EVENT_set);
    object_changed(&event->object);
    return true;
}

void event_object_clear(struct event *event)
{
    if (event->set) {
        event->set = false;
        tell(event, EVENT_clear);
    }
}
