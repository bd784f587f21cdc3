/*
 * loading: objects are made of rows; see saving.h.
 *
 * Tests: tests/unit/objects/test_rows.c, tests/fuzz/fuzz_rows.c.
 */
#include "daemon/objects/saving.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "daemon/objects/barrier.h"
#include "daemon/objects/condition.h"
#include "daemon/objects/dict.h"
#include "daemon/objects/event.h"
#include "daemon/objects/list.h"
#include "daemon/objects/pipe.h"
#include "daemon/objects/queue.h"
#include "daemon/objects/row_form.h"
#include "daemon/objects/semaphore.h"
#include "daemon/objects/shared.h"
#include "daemon/objects/waits.h"

static const char of_registry[] = "the list of objects";

/* The types whose objects can be made of rows. */
static const struct object_type *const types[OBJECT_KINDS] = {
    [OBJECT_QUEUE] = &queue_type,         [OBJECT_DICT] = &dict_type,
    [OBJECT_NAMESPACE] = &namespace_type, [OBJECT_LOCK] = &lock_type,
    [OBJECT_SEMAPHORE] = &semaphore_type, [OBJECT_CONDITION] = &condition_type,
    [OBJECT_EVENT] = &event_type,         [OBJECT_BARRIER] = &barrier_type,
    [OBJECT_VALUE] = &shared_value_type,  [OBJECT_ARRAY] = &shared_array_type,
    [OBJECT_LIST] = &list_type,           [OBJECT_PIPE] = &pipe_type,
};

void loading_begin(struct row_reader *reader)
{
    reader->registry->is_loading = true;
    reader->accounts->is_loading = true;
    reader->why[0] = '\0';
    reader->status = 0;
}

/* What becomes of a row. */
static int say(struct row_reader *reader, int status)
{
    if (reader->status == 0) {
        reader->status = status;
    }
    return status;
}

static int refuse(struct row_reader *reader, const char *what, uint64_t number)
{
    (void)snprintf(reader->why, sizeof(reader->why), "object %" PRIu64 " %s", number, what);
    return ERR_VALUE;
}

static int load_registry(struct row_reader *reader, struct slice value)
{
    struct row row;
    struct registry *registry = reader->registry;
    if (!row_open(&row, value, reader, of_registry)) {
        return ERR_VALUE;
    }
    uint64_t next = row_uint(&row);
    uint64_t anonymous = row_uint(&row);
    int status = row_close(&row, of_registry);
    if (status < 0) {
        return status;
    }
    reader->next_number = next;
    registry->anonymous = anonymous > registry->anonymous ? anonymous : registry->anonymous;
    return 0;
}

/* The common part of an object's own row, without its user. */
struct own {
    const struct object_type *type;
    struct object_options options;
    struct timespec created;
};

static bool read_lifetime(struct slice name, uint8_t *lifetime)
{
    for (int i = LIFETIME_DAEMON; i <= LIFETIME_DURABLE; i++) {
        if (slice_equal(name, slice_of_string(lifetime_name((enum lifetime)i)))) {
            *lifetime = (uint8_t)i;
            return true;
        }
    }
    return false;
}

static void read_own(struct row *row, struct own *own)
{
    enum object_kind kind = object_kind_of(row_bytes(row));
    struct object_options *options = &own->options;
    own->type = kind == OBJECT_KINDS ? NULL : types[kind];
    options->name = row_bytes(row);
    options->uid = (uid_t)row_uint(row);
    options->gid = (gid_t)row_uint(row);
    uint64_t mode = row_uint(row);
    options->mode = (uint16_t)(mode & 0777);
    bool known = read_lifetime(row_bytes(row), &options->lifetime);
    own->created.tv_sec = row_int(row);
    own->created.tv_nsec = row_int(row);
    bool fits = mode <= 0777 && options->name.len > 0 && options->name.len <= OBJECT_NAME_MAX &&
                own->created.tv_nsec >= 0 && own->created.tv_nsec < 1000000000;
    row->bad = row->bad || own->type == NULL || !known || !fits;
}

/* Makes the object and gives it its number. */
static int enter(struct row_reader *reader, const struct own *own, struct row *row)
{
    struct object *object;
    int status = own->type->make(&own->options, row, &object);
    if (status < 0) {
        return status;
    }
    object->created = own->created;
    status = registry_add(reader->registry, object);
    if (status == 0) {
        status = user_take(object->user, RESOURCE_OBJECTS, 1);
    }
    object_unref(object);
    return status;
}

static int load_object(struct row_reader *reader, uint64_t number, struct slice value)
{
    struct row row;
    struct own own;
    char what[64];
    if (number == 0) {
        return load_registry(reader, value);
    }
    (void)snprintf(what, sizeof(what), "object %" PRIu64, number);
    if (!row_open(&row, value, reader, what)) {
        return ERR_VALUE;
    }
    read_own(&row, &own);
    const char *why;
    bool good = !row.bad && registry_check_name(own.options.name, &why) == 0;
    if (!good) {
        return refuse(reader, "has an own row that is damaged", number);
    }
    if (registry_find(reader->registry, own.options.name) != NULL) {
        return refuse(reader, "has the name of another one", number);
    }
    if (registry_set_next(reader->registry, number) < 0) {
        return refuse(reader, "comes behind one with a higher number", number);
    }
    own.options.user = accounts_user(reader->accounts, own.options.uid);
    if (own.options.user == NULL) {
        return ERR_MEMORY;
    }
    int status = enter(reader, &own, &row);
    user_unref(own.options.user);
    return status == ERR_VALUE ? refuse(reader, "has options that are damaged", number) : status;
}

int loading_object(struct row_reader *reader, uint64_t number, struct slice value)
{
    return say(reader, load_object(reader, number, value));
}

static int load_row(struct row_reader *reader, uint64_t number, struct slice key,
                    struct slice value)
{
    struct object *object = registry_from(reader->registry, number);
    if (object == NULL || object->entry.seq != number) {
        return refuse(reader, "has rows, and none that says what it is", number);
    }
    if (object->type->load == NULL) {
        return refuse(reader, "has rows that its type has none of", number);
    }
    return object->type->load(object, key, value, reader);
}

int loading_row(struct row_reader *reader, uint64_t number, struct slice key, struct slice value)
{
    return say(reader, load_row(reader, number, key, value));
}

static int end_objects(struct row_reader *reader)
{
    struct object *object = registry_from(reader->registry, 0);
    int status = reader->status;
    while (object != NULL && status == 0) {
        if (object->type->loaded != NULL && !object_is_sealed(object)) {
            status = object->type->loaded(object, reader);
        }
        object->unsaved = 0;
        object_changed(object); /* time may change it */
        object = registry_from(reader->registry, object->entry.seq + 1);
    }
    return status;
}

int loading_end(struct row_reader *reader)
{
    struct registry *registry = reader->registry;
    int status = end_objects(reader);
    if (registry->objects.next_seq < reader->next_number) {
        (void)registry_set_next(registry, reader->next_number);
    }
    registry->saved_numbers = reader->next_number;
    registry->is_loading = false;
    reader->accounts->is_loading = false;
    return status;
}
