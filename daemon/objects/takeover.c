/*
 * takeover: see takeover.h.
 *
 * Tests: tests/unit/call/test_takeover.c.
 */
#include "daemon/objects/takeover.h"

#include <stdlib.h>

#include "daemon/objects/barrier.h"
#include "daemon/objects/condition.h"
#include "daemon/objects/dict.h"
#include "daemon/objects/event.h"
#include "daemon/objects/list.h"
#include "daemon/objects/pipe.h"
#include "daemon/objects/queue.h"
#include "daemon/objects/registry.h"
#include "daemon/objects/semaphore.h"
#include "daemon/objects/shared.h"

static const struct object_type *const types[OBJECT_KINDS] = {
    [OBJECT_QUEUE] = &queue_type,         [OBJECT_DICT] = &dict_type,
    [OBJECT_NAMESPACE] = &namespace_type, [OBJECT_LIST] = &list_type,
    [OBJECT_LOCK] = &lock_type,           [OBJECT_SEMAPHORE] = &semaphore_type,
    [OBJECT_CONDITION] = &condition_type, [OBJECT_EVENT] = &event_type,
    [OBJECT_BARRIER] = &barrier_type,     [OBJECT_VALUE] = &shared_value_type,
    [OBJECT_ARRAY] = &shared_array_type,  [OBJECT_PIPE] = &pipe_type,
};

/* ---- handing over ---------------------------------------------------------------------------- */

/* Of one that is sealed no more than that: what is in it is not looked at. */
static void hand_over(const struct object *object, struct saver *saver)
{
    struct buffer *out = state_begin(saver->state, STATE_OBJECT);
    pack_uint(out, object->entry.seq);
    pack_string(out, object_type_name(object));
    pack_str(out, object_name(object));
    pack_uint(out, object->uid);
    pack_uint(out, object->gid);
    pack_uint(out, object->mode);
    pack_string(out, lifetime_name(object->lifetime));
    pack_time(out, object->created);
    pack_bool(out, object_is_sealed(object));
    if (!object_is_sealed(object)) {
        object->type->hand_over(object, saver, out);
    }
    state_end(saver->state);
}

void objects_hand_over(const struct registry *registry, struct saver *saver)
{
    const struct object *object;
    for (uint64_t number = 0; (object = registry_from(registry, number)) != NULL;) {
        hand_over(object, saver);
        number = object->entry.seq + 1;
    }
    for (uint64_t number = 0; (object = registry_from(registry, number)) != NULL;) {
        if (object->type->hand_over_contents != NULL && !object_is_sealed(object)) {
            object->type->hand_over_contents(object, saver);
        }
        number = object->entry.seq + 1;
    }
}

/* ---- taking over ----------------------------------------------------------------------------- */

static int find_lifetime(struct slice word, uint8_t *out)
{
    for (uint8_t lifetime = LIFETIME_DAEMON; lifetime <= LIFETIME_DURABLE; lifetime++) {
        if (slice_equal(word, slice_of_string(lifetime_name((enum lifetime)lifetime)))) {
            *out = lifetime;
            return 0;
        }
    }
    return ERR_VALUE;
}

/* One that was sealed is there with its name, and nothing else. */
static int make_sealed(const struct object_options *common, const struct object_type *type,
                       struct object **out)
{
    struct object *object = calloc(1, type->size);
    if (object == NULL) {
        return ERR_MEMORY;
    }
    int status = object_init(object, type, common);
    if (status < 0) {
        free(object);
        return status;
    }
    object->kind = OBJECT_KINDS;
    *out = object;
    return 0;
}

/* Puts it in under the number that it had, which is above all that are there. */
static int enter(struct registry *registry, struct object *object, uint64_t number)
{
    if (number < registry->objects.next_seq ||
        registry_find(registry, object_name(object)) != NULL) {
        return ERR_VALUE;
    }
    int status = user_take(object->user, RESOURCE_OBJECTS, 1);
    if (status < 0) {
        return status;
    }
    registry->objects.next_seq = number;
    status = registry_add(registry, object);
    if (status < 0) {
        user_give_back(object->user, RESOURCE_OBJECTS, 1);
    }
    return status;
}

/* Makes the object from the fields that are left. */
static int make(struct loader *loader, const struct object_type *type,
                const struct object_options *common, struct fields *fields, struct object **out)
{
    bool is_sealed = field_bool(fields);
    if (fields->bad) {
        return ERR_VALUE;
    }
    if (is_sealed) {
        return make_sealed(common, type, out);
    }
    int status = type->take_over(common, loader, fields, out);
    return status == 0 && fields->bad ? ERR_VALUE : status;
}

int object_take_over(struct loader *loader, struct fields *fields)
{
    struct object_options common = {0};
    struct object *object = NULL;
    uint64_t number = field_uint(fields);
    struct slice type = field_bytes(fields);
    enum object_kind kind = object_kind_of(type);
    common.name = field_bytes(fields);
    common.user = load_user(loader, fields);
    if (common.user == NULL) {
        return ERR_MEMORY;
    }
    common.uid = common.user->uid;
    common.gid = (gid_t)field_below(fields, UINT32_MAX);
    common.mode = (uint16_t)field_below(fields, 01000);
    int status = find_lifetime(field_bytes(fields), &common.lifetime);
    struct timespec created = field_time(fields);
    if (kind == OBJECT_KINDS || common.name.len == 0 || common.name.len > OBJECT_NAME_MAX) {
        status = ERR_VALUE;
    }
    status = status < 0 ? status : make(loader, types[kind], &common, fields, &object);
    if (status == 0) {
        object->created = created;
        status = enter(loader->registry, object, number);
    }
    object_unref(object);
    user_unref(common.user);
    return status;
}

int object_take_over_record(struct loader *loader, struct fields *fields)
{
    struct object *object = load_object(loader, fields);
    if (object == NULL || object_is_sealed(object) || object->type->take_over_record == NULL) {
        return ERR_VALUE;
    }
    int status = object->type->take_over_record(object, loader, fields);
    return status == 0 && fields->bad ? ERR_VALUE : status;
}
