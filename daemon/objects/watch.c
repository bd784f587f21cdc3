/*
 * watch: see watch.h.
 *
 * Tests: tests/unit/methods/test_watch.c, test_watch_events.c and test_watch_model.c there.
 */
#include "daemon/objects/watch.h"

#include <stdlib.h>

#include "daemon/objects/allocation.h"
#include "daemon/objects/registry.h"
#include "daemon/objects/row_form.h"
#include "proto/message.h"

_Static_assert(EVENT_NAMES <= 32, "watch.events has a bit for each event");

/* What the details of each type's events are; NULL: the type has no such event. */
static const char *const details_of[OBJECT_KINDS][EVENT_NAMES] = {
#define EVENT_NAME(name)
#define EVENT(type, name, details, summary) [OBJECT_##type][EVENT_##name] = details,
#include "proto/events.def"
#undef EVENT
#undef EVENT_NAME
};

enum { KEEP = 4096 }; /* a buffer of at most this size is used again */

uint32_t object_type_events(const struct object_type *type)
{
    uint32_t events = 0;
    for (int event = 0; event < EVENT_NAMES; event++) {
        events |= (details_of[type->kind][event] != NULL ? UINT32_C(1) : 0) << event;
    }
    return events;
}

/* Watches. */

/* What it costs with the events that it keeps. */
static uint64_t cost_of(const struct watcher *watcher)
{
    return allocation_cost(sizeof(*watcher)) + allocation_cost(watcher->events.cap);
}

static void look_who_watches(struct object *object)
{
    const struct watch *watch;
    object->watched = 0;
    LIST_FOREACH (watch, &object->watches, of_object) {
        object->watched |= watch->events;
    }
}

struct watcher *watcher_new(struct session *session, struct tally *charged,
                            struct watcher_list *pending)
{
    struct watcher *watcher = malloc(sizeof(*watcher));
    if (watcher != NULL) {
        *watcher = (struct watcher){.session = session,
                                    .pending = pending,
                                    .charged = charged,
                                    .charge = {.tally = charged}};
        TAILQ_INIT(&watcher->owing);
        charge_set_always(&watcher->charge, cost_of(watcher));
    }
    return watcher;
}

void watcher_free(struct watcher *watcher)
{
    if (watcher == NULL) {
        return;
    }
    struct watch *watch;
    while ((watch = TAILQ_FIRST(&watcher->owing)) != NULL) {
        watch_free(watch);
    }
    if (watcher->is_told) {
        TAILQ_REMOVE(watcher->pending, watcher, link);
    }
    charge_release(&watcher->charge);
    buffer_deinit(&watcher->events);
    free(watcher);
}

/* A watch that wants nothing yet. */
static int watch_new(struct watcher *watcher, struct tie *tie)
{
    struct charge charge = {.tally = watcher->charged};
    int status = charge_set(&charge, allocation_cost(sizeof(struct watch)));
    if (status < 0) {
        return status;
    }
    struct watch *watch = malloc(sizeof(*watch));
    if (watch == NULL) {
        charge_release(&charge);
        return ERR_MEMORY;
    }
    *watch = (struct watch){.watcher = watcher,
                            .object = object_ref(tie->object),
                            .tie = tie,
                            .charge = charge,
                            .end = EVENT_NAMES};
    tie->watch = watch;
    LIST_INSERT_HEAD(&tie->object->watches, watch, of_object);
    return 0;
}

int watch_set(struct watcher *watcher, struct tie *tie, uint32_t events)
{
    int status = tie->watch == NULL ? watch_new(watcher, tie) : 0;
    if (status < 0) {
        return status;
    }
    tie->watch->events = events | UINT32_C(1) << EVENT_renamed; /* or it would not know the rest */
    look_who_watches(tie->object);
    return 0;
}

/* It hears nothing more. */
static void detach(struct watch *watch)
{
    LIST_REMOVE(watch, of_object);
    watch->tie->watch = NULL;
    watch->tie = NULL;
    look_who_watches(watch->object);
}

static void owe(struct watch *watch, bool owing)
{
    if (owing == watch->is_owing) {
        return;
    }
    watch->is_owing = owing;
    if (owing) {
        TAILQ_INSERT_TAIL(&watch->watcher->owing, watch, owing);
    } else {
        TAILQ_REMOVE(&watch->watcher->owing, watch, owing);
    }
}

void watch_free(struct watch *watch)
{
    if (watch->tie != NULL) {
        detach(watch);
    }
    owe(watch, false);
    charge_release(&watch->charge);
    object_unref(watch->object);
    free(watch);
}

/* Telling. */

/* The word of a list of words at *spec, which goes on to the next; false at its end. */
static bool next_detail(const char **spec, struct slice *name, char *type)
{
    size_t len = strcspn(*spec, ":");
    if (len == 0) {
        return false;
    }
    *name = (struct slice){(const uint8_t *)*spec, len};
    *type = (*spec)[len + 1];
    *spec += len + strcspn(*spec + len, " ");
    *spec += strspn(*spec, " ");
    return true;
}

static bool is_left_out(char type, const union detail *detail)
{
    return type == 'v' && detail->value.len > WATCH_KEY_MAX;
}

static void pack_detail(struct buffer *out, struct slice name, char type,
                        const union detail *detail)
{
    pack_str(out, name);
    switch (type) {
    case 'u':
        pack_uint(out, detail->uint);
        break;
    case 'b':
        pack_bool(out, detail->is);
        break;
    case 's':
        pack_string(out, detail->str);
        break;
    default:
        pack_raw(out, detail->value);
    }
}

static void pack_details(struct buffer *out, const char *spec, const union detail *details)
{
    struct slice name;
    char type;
    size_t count = 0;
    const union detail *detail = details;
    for (const char *at = spec; next_detail(&at, &name, &type); detail++) {
        count += !is_left_out(type, detail);
    }
    pack_map(out, count);
    for (detail = details; next_detail(&spec, &name, &type); detail++) {
        if (!is_left_out(type, detail)) {
            pack_detail(out, name, type, detail);
        }
    }
}

static const char *spec_of(const struct object *object, enum event_name event)
{
    const char *spec = details_of[object->type->kind][event];
    switch (event) {
    case EVENT_lost:
        return "count:uint";
    case EVENT_renamed:
        return "name:str";
    default:
        return spec != NULL ? spec : "";
    }
}

/* How much may wait to be given. */
static uint64_t most(const struct watcher *watcher)
{
    const struct limits *limits = &watcher->charged->user->accounts->limits;
    return limits->max_events < limits->max_output ? limits->max_events : limits->max_output;
}

static void announce(struct watcher *watcher)
{
    if (!watcher->is_told) {
        watcher->is_told = true;
        TAILQ_INSERT_TAIL(watcher->pending, watcher, link);
    }
}

/* Takes back what was packed behind `len`, and the room that was made for it, if that is all. */
static void drop_end(struct watcher *watcher, size_t len)
{
    struct buffer *events = &watcher->events;
    events->len = len;
    events->failed = false;
    if (len == 0) {
        buffer_deinit(events);
    }
    charge_set_always(&watcher->charge, cost_of(watcher));
}

/* Packs the notification; `packed`: its details, if they are packed already. False, and nothing is
 * packed: there is no room for it. */
static bool note(const struct watch *watch, enum event_name event, const union detail *details,
                 const struct slice *packed)
{
    struct watcher *watcher = watch->watcher;
    struct buffer *out = &watcher->events;
    size_t before = out->len;
    message_notification(out, "object.event", 3);
    pack_str(out, object_name(watch->object));
    pack_string(out, event_name(event));
    if (packed != NULL) {
        pack_raw(out, *packed);
    } else {
        pack_details(out, spec_of(watch->object, event), details);
    }
    bool fits = !out->failed && (before == 0 || out->len <= most(watcher)) &&
                charge_set(&watcher->charge, cost_of(watcher)) == 0;
    if (!fits) {
        drop_end(watcher, before);
    }
    return fits;
}

/* Tells of its end. One that is lost may have missed something: that counts as one event. */
static bool note_end(const struct watch *watch)
{
    const union detail lost = {.uint = 1};
    return note(watch, (enum event_name)watch->end, &lost, NULL);
}

/* Tells what a watch owes, and frees it if that was the end of it. False: there is no room. */
static bool note_owed(struct watch *watch)
{
    const union detail lost = {.uint = watch->lost};
    if (watch->lost > 0 && !note(watch, EVENT_lost, &lost, NULL)) {
        return false;
    }
    watch->lost = 0;
    if (watch->end == EVENT_NAMES) {
        owe(watch, false);
        return true;
    }
    if (!note_end(watch)) {
        return false;
    }
    watch_free(watch);
    return true;
}

static void tell(struct object *object, enum event_name event, const union detail *details,
                 const struct slice *packed)
{
    struct watch *watch;
    LIST_FOREACH (watch, &object->watches, of_object) {
        if ((watch->events >> event & 1U) == 0) {
            continue;
        }
        watch->watcher->shows |= object_is_durable(object);
        if (watch->is_owing && watch->watcher->events.len == 0) {
            (void)note_owed(watch); /* it was the limit of the user, or memory, that was over */
        }
        if (watch->is_owing || !note(watch, event, details, packed)) {
            watch->lost++;
            owe(watch, true);
        } else {
            announce(watch->watcher);
        }
    }
}

void object_tell(struct object *object, enum event_name event, const union detail *details)
{
    tell(object, event, details, NULL);
}

void object_tell_packed(struct object *object, enum event_name event, struct slice details)
{
    tell(object, event, NULL, &details);
}

void watch_tell_missed(struct watch *watch)
{
    watch->lost++;
    if (watch->is_owing) {
        return;
    }
    if (note_owed(watch)) {
        announce(watch->watcher);
    } else {
        owe(watch, true);
    }
}

void watch_end(struct watch *watch, enum event_name end)
{
    detach(watch);
    watch->end = (uint8_t)end;
    watch->watcher->shows |= object_is_durable(watch->object);
    announce(watch->watcher);
    if (watch->is_owing || !note_end(watch)) {
        owe(watch, true);
    } else {
        watch_free(watch);
    }
}

void object_end_watches(struct object *object, enum event_name end)
{
    struct watch *watch;
    while ((watch = LIST_FIRST(&object->watches)) != NULL) {
        watch_end(watch, end);
    }
}

/* Giving. */

static bool move_events(struct watcher *watcher, struct buffer *out)
{
    struct buffer *events = &watcher->events;
    if (out->failed) {
        return false;
    }
    if (buffer_append(out, events->data, events->len) < 0) {
        out->failed = false; /* nothing is missing in it: they stay here for now */
        return false;
    }
    events->len = 0;
    if (events->cap > KEEP) {
        buffer_deinit(events);
    }
    charge_set_always(&watcher->charge, cost_of(watcher));
    return true;
}

bool watcher_give(struct watcher *watcher, struct buffer *out, uint64_t unsent)
{
    const struct buffer *events = &watcher->events;
    bool gave = false;
    for (;;) {
        struct watch *watch;
        while (events->len == 0 && (watch = TAILQ_FIRST(&watcher->owing)) != NULL &&
               note_owed(watch)) {
        }
        uint64_t more = events->len;
        bool fits = unsent == 0 || unsent + more <= most(watcher);
        if (more == 0 || !fits || !move_events(watcher, out)) {
            return gave;
        }
        unsent += more;
        gave = true;
    }
}

/* For the daemon that takes over. */

void watch_save(const struct watch *watch, struct buffer *out)
{
    pack_array(out, (size_t)__builtin_popcount(watch->events));
    for (int event = 0; event < EVENT_NAMES; event++) {
        if ((watch->events >> event & 1U) != 0) {
            pack_string(out, event_name((enum event_name)event));
        }
    }
}

int watch_load(struct watcher *watcher, struct tie *tie, struct row *row)
{
    uint32_t events = 0;
    uint32_t count = row_array(row);
    for (uint32_t i = 0; i < count; i++) {
        enum event_name event = event_named(row_bytes(row));
        if (event != EVENT_NAMES) { /* else it is told no more */
            events |= UINT32_C(1) << event;
        }
    }
    return row->bad ? ERR_VALUE : watch_set(watcher, tie, events);
}

/* One that is over is told of by its object's name: that may be deleted. */
static void save_owing(const struct watch *watch, struct buffer *out)
{
    bool is_over = watch->end != EVENT_NAMES;
    pack_uint(out, watch->lost);
    pack_bool(out, is_over);
    if (is_over) {
        pack_str(out, object_name(watch->object));
        pack_string(out, event_name((enum event_name)watch->end));
    } else {
        pack_uint(out, watch->object->entry.seq);
    }
}

void watcher_save(const struct watcher *watcher, struct buffer *out)
{
    const struct watch *watch;
    size_t count = 0;
    pack_bin(out, buffer_slice(&watcher->events));
    size_t at = pack_array_begin(out);
    TAILQ_FOREACH (watch, &watcher->owing, owing) {
        save_owing(watch, out);
        count++;
    }
    pack_array_end(out, at, count);
}

/* What is owed by a watch that is over is told at once, though there be no room. */
static void tell_end(struct watcher *watcher, uint64_t lost, struct slice name, struct slice end)
{
    struct buffer *out = &watcher->events;
    if (lost > 0) {
        message_notification(out, "object.event", 3);
        pack_str(out, name);
        pack_string(out, event_name(EVENT_lost));
        pack_map(out, 1);
        pack_key_uint(out, "count", lost);
    }
    message_notification(out, "object.event", 3);
    pack_str(out, name);
    pack_str(out, end);
    pack_map(out, 0);
}

static int load_owing(struct watcher *watcher, struct row *row,
                      struct tie *(*tie_to)(struct session *session, struct object *object))
{
    uint64_t lost = row_uint(row);
    if (row_bool(row)) {
        struct slice name = row_bytes(row);
        struct slice end = row_bytes(row);
        if (!row->bad) {
            tell_end(watcher, lost, name, end);
        }
        return 0;
    }
    uint64_t number = row_uint(row);
    struct object *object = registry_from(row->reader->registry, number);
    bool is_there = object != NULL && object->entry.seq == number;
    struct tie *tie = is_there ? tie_to(watcher->session, object) : NULL;
    if (tie == NULL || tie->watch == NULL) {
        return ERR_VALUE;
    }
    tie->watch->lost = lost;
    owe(tie->watch, true);
    return 0;
}

int watcher_load(struct watcher *watcher, struct row *row,
                 struct tie *(*tie_to)(struct session *session, struct object *object))
{
    struct slice events = row_bytes(row);
    int status = 0;
    (void)buffer_append(&watcher->events, events.data, events.len);
    uint32_t count = row_array(row);
    for (uint32_t i = 0; i < count && status == 0 && !row->bad; i++) {
        status = load_owing(watcher, row, tie_to);
    }
    charge_set_always(&watcher->charge, cost_of(watcher));
    if (watcher->events.failed) {
        status = ERR_MEMORY;
    }
    announce(watcher);
    return row->bad ? ERR_VALUE : status;
}
