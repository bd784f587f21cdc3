/* registry: see registry.h. */
#include "daemon/objects/registry.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "proto/value.h"

uint32_t hash_bytes(struct slice bytes, uint64_t seed)
{
    return (uint32_t)XXH3_64bits_withSeed(bytes.data, bytes.len, seed);
}

void registry_init(struct registry *registry, uint64_t seed)
{
    *registry = (struct registry){.seed = seed};
    ordered_init(&registry->objects);
    TAILQ_INIT(&registry->ready);
    TAILQ_INIT(&registry->leaving);
    TAILQ_INIT(&registry->changed);
}

static void leave_changed(struct registry *registry, struct object *object)
{
    object->is_changed = false;
    TAILQ_REMOVE(&registry->changed, object, changed);
}

static struct object *first_changed(const struct registry *registry,
                                    bool (*is_busy)(const struct object *object))
{
    struct object *object;
    TAILQ_FOREACH (object, &registry->changed, changed) {
        if (object->is_gone || !is_busy(object)) {
            return object;
        }
    }
    return NULL;
}

struct object *registry_next_changed(struct registry *registry,
                                     bool (*is_busy)(const struct object *object))
{
    struct object *object = first_changed(registry, is_busy);
    if (object != NULL) {
        leave_changed(registry, object);
    }
    return object;
}

bool registry_has_changed(const struct registry *registry,
                          bool (*is_busy)(const struct object *object))
{
    return first_changed(registry, is_busy) != NULL;
}

void registry_take_changed(struct registry *registry, struct object *object)
{
    leave_changed(registry, object);
}

int registry_set_next(struct registry *registry, uint64_t number)
{
    if (number < registry->objects.next_seq || number > INT64_MAX) {
        return ERR_VALUE;
    }
    registry->objects.next_seq = number;
    return 0;
}

void registry_deinit(struct registry *registry)
{
    struct object *object;
    while ((object = registry_from(registry, 0)) != NULL) {
        registry_remove(registry, object);
    }
    while ((object = TAILQ_FIRST(&registry->changed)) != NULL) {
        leave_changed(registry, object);
        object_unref(object);
    }
    ordered_deinit(&registry->objects, NULL);
}

static bool has_name(const struct ordered_entry *entry, const void *key)
{
    const struct object *object = (const struct object *)entry;
    return slice_equal(object_name(object), *(const struct slice *)key);
}

static uint32_t position_of(const struct registry *registry, struct slice name)
{
    return ordered_find(&registry->objects, hash_bytes(name, registry->seed), has_name, &name);
}

struct object *registry_find(const struct registry *registry, struct slice name)
{
    uint32_t position = position_of(registry, name);
    return position == ORDERED_NONE ? NULL : (struct object *)registry->objects.entries[position];
}

int registry_add(struct registry *registry, struct object *object)
{
    object->hash = hash_bytes(object_name(object), registry->seed);
    int status = ordered_append(&registry->objects, object->hash, &object->entry);
    if (status == 0) {
        (void)object_ref(object);
        object->registry = registry;
        registry->count[object->type->kind]++;
        if (object_is_durable(object)) {
            object_join_changed(object);
        }
    }
    return status;
}

void registry_remove(struct registry *registry, struct object *object)
{
    uint32_t position = position_of(registry, object_name(object));
    (void)ordered_remove(&registry->objects, position, object->hash, NULL);
    registry->count[object->type->kind]--;
    if (object_is_durable(object)) {
        object_join_changed(object);
        object->is_gone = true;
    }
    object_unref(object);
}

int registry_rename(struct registry *registry, struct object *object, struct slice name)
{
    uint32_t position = position_of(registry, object_name(object));
    uint32_t hash = hash_bytes(name, registry->seed);
    int status = object_set_name(object, name);
    if (status == 0) {
        ordered_rehash(&registry->objects, position, object->hash, hash);
        object->hash = hash;
    }
    return status;
}

struct object *registry_next_leaving(struct registry *registry)
{
    struct object *object = TAILQ_FIRST(&registry->leaving);
    if (object != NULL) {
        object->is_leaving = false;
        TAILQ_REMOVE(&registry->leaving, object, leaving);
    }
    return object;
}

struct object *registry_from(const struct registry *registry, uint64_t number)
{
    uint32_t position = ordered_from_seq(&registry->objects, number);
    return position == ORDERED_NONE ? NULL : (struct object *)registry->objects.entries[position];
}

/* The general category Cc of Unicode: U+0000 to U+001F and U+007F to U+009F. */
static bool is_control(const uint8_t *at, size_t len)
{
    return at[0] < 0x20 || at[0] == 0x7f || (at[0] == 0xc2 && len > 1 && at[1] < 0xa0);
}

int registry_check_name(struct slice name, const char **why)
{
    *why = NULL;
    if (name.len == 0) {
        *why = "a name has at least one byte";
    } else if (name.len > OBJECT_NAME_MAX) {
        *why = "a name has at most 255 bytes";
    } else if (!value_is_utf8(name)) {
        *why = "a name is UTF-8";
    }
    for (size_t i = 0; *why == NULL && i < name.len; i++) {
        if (is_control(name.data + i, name.len - i)) {
            *why = "a name has no control characters";
        }
    }
    return *why == NULL ? 0 : ERR_BAD_REQUEST;
}
