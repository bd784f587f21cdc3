/* object: the common part of all types; see object.h. */
#include "daemon/objects/object.h"

#include <stdio.h>
#include <stdlib.h>

#include "daemon/objects/allocation.h"
#include "daemon/objects/registry.h"

static uint64_t overhead(const struct object_type *type, size_t name_len)
{
    return allocation_cost(type->size) + allocation_cost(name_len + 1) + ORDERED_ENTRY_COST;
}

uint64_t object_overhead(const struct object *object)
{
    return overhead(object->type, object->name_len);
}

int object_init(struct object *object, const struct object_type *type,
                const struct object_options *options)
{
    int status = user_charge(options->user, overhead(type, options->name.len));
    if (status < 0) {
        return status;
    }
    char *name = strndup((const char *)options->name.data, options->name.len);
    if (name == NULL) {
        user_release(options->user, overhead(type, options->name.len));
        return ERR_MEMORY;
    }
    *object = (struct object){
        .type = type,
        .kind = (uint8_t)type->kind,
        .user = user_ref(options->user),
        .name = name,
        .name_len = (uint8_t)options->name.len,
        .deadline = {.at = TIME_NEVER, .position = HEAP_NONE, .of_object = true},
        .refs = 1,
        .uid = options->uid,
        .gid = options->gid,
        .mode = options->mode,
        .lifetime = options->lifetime,
        .unsaved = UNSAVED_OWN | UNSAVED_ALL,
    };
    for (size_t i = 0; i < OBJECT_CHANNELS; i++) {
        TAILQ_INIT(&object->waits[i]);
    }
    TAILQ_INIT(&object->ties);
    LIST_INIT(&object->watches);
    (void)clock_gettime(CLOCK_REALTIME, &object->created);
    return 0;
}

void object_seal(struct object *object, const char *what)
{
    struct registry *registry = object->registry;
    if (object_is_sealed(object)) {
        return;
    }
    if (registry == NULL || registry->listener.tell == NULL) {
        (void)fprintf(stderr, "object \"%s\": %s\n", object->name, what);
        abort();
    }
    object->kind = OBJECT_KINDS;
    registry->faults++;
    registry->listener.tell(registry->listener.data, object, what);
    if (object->refs > 0 && !object->deleted && !object->is_ready) {
        object->is_ready = true; /* those who wait are told (waits.h) */
        TAILQ_INSERT_TAIL(&registry->ready, object, ready);
    }
}

void object_clear(struct object *object, struct pace *pace)
{
    if (object->type->clear != NULL && !object_is_sealed(object)) {
        object->type->clear(object, pace);
    }
}

uint64_t object_due(const struct object *object)
{
    return object->type->due == NULL || object_is_sealed(object) ? TIME_NEVER
                                                                 : object->type->due(object);
}

void object_tick(struct object *object, uint64_t now, struct pace *pace)
{
    if (object->type->tick != NULL && !object_is_sealed(object)) {
        object->type->tick(object, now, pace);
    }
}

void object_join_changed(struct object *object)
{
    struct registry *registry = object->registry;
    bool lives = object->refs > 0 && !object->is_gone;
    if (registry != NULL && lives && !registry->is_loading && !object->is_changed) {
        object->is_changed = true;
        TAILQ_INSERT_TAIL(&registry->changed, object, changed);
        (void)object_ref(object);
    }
}

void object_unsaved(struct object *object, uint8_t what)
{
    if (object_is_durable(object)) {
        object->unsaved |= what;
        object_join_changed(object);
    }
}

void object_set_mode(struct object *object, uint16_t mode)
{
    object->mode = mode;
    object_unsaved(object, UNSAVED_OWN);
}

struct object *object_ref(struct object *object)
{
    object->refs++;
    return object;
}

/* True if nobody has it in a list any more. */
static bool is_unlinked(const struct object *object)
{
    for (size_t i = 0; i < OBJECT_CHANNELS; i++) {
        if (!TAILQ_EMPTY(&object->waits[i])) {
            return false;
        }
    }
    return TAILQ_EMPTY(&object->ties) && LIST_EMPTY(&object->watches) && !object->is_ready &&
           object->deadline.position == HEAP_NONE;
}

/* Frees what the type has. False if the object is sealed, before or by this: then nobody knows who
 * still points to it or to what it has, and the memory stays. */
static bool empty(struct object *object)
{
    if (!object_check(object, is_unlinked(object), "it is in use without a reference")) {
        return false;
    }
    object_clear(object, NULL);
    if (object->type->deinit != NULL && !object_is_sealed(object)) {
        object->type->deinit(object);
    }
    (void)object_check(object, object->bytes == 0, "its contents are gone and still charged");
    return !object_is_sealed(object);
}

void object_unref(struct object *object)
{
    if (object == NULL || --object->refs > 0) {
        return;
    }
    bool empties = empty(object);
    object_release(object, object->bytes);
    user_release(object->user, object_overhead(object));
    user_unref(object->user);
    if (empties) {
        free(object->name);
        free(object);
    }
}

void object_leave(struct object *object)
{
    if (!object->is_leaving) {
        object->is_leaving = true;
        TAILQ_INSERT_TAIL(&object->registry->leaving, object, leaving);
        (void)object_ref(object);
    }
}

bool object_may_be_kept(const struct object *object, const struct credentials *peer)
{
    uid_t self = object->user->accounts->self;
    return access_owner(peer, self, object->uid) ||
           access_granted(peer, self, object->uid, object->gid, object->mode, ACCESS_READ) ||
           access_granted(peer, self, object->uid, object->gid, object->mode, ACCESS_WRITE);
}

int object_chown(struct object *object, struct user *user, gid_t gid)
{
    struct descriptor *descriptors[OBJECT_DESCRIPTORS];
    bool made = object->type->descriptors != NULL && !object_is_sealed(object);
    unsigned count = made ? object->type->descriptors(object, descriptors) : 0;
    uint64_t counts[RESOURCE_COUNT] = {
        [RESOURCE_BYTES] = object->bytes + object_overhead(object),
        [RESOURCE_OBJECTS] = 1,
        [RESOURCE_STORED] = object_is_durable(object) ? object->bytes : 0,
    };
    for (unsigned i = 0; i < count; i++) {
        counts[RESOURCE_DESCRIPTORS] += descriptors[i]->fd >= 0;
    }
    int status = user == object->user ? 0 : user_hand_over(object->user, user, counts);
    if (status < 0) {
        return status;
    }
    for (unsigned i = 0; i < count; i++) {
        descriptor_set_user(descriptors[i], user);
    }
    (void)user_ref(user);
    user_unref(object->user);
    object->user = user;
    object->uid = user->uid;
    object->gid = gid;
    object_unsaved(object, UNSAVED_OWN);
    return 0;
}

void object_check_orphan(struct object *object)
{
    if (!object_is_kept(object) && object->lifetime == LIFETIME_SCOPED && !object->deleted) {
        object_leave(object);
    }
}

void object_let_go(struct object *object)
{
    object->contained--;
    object_check_orphan(object);
    object_unref(object);
}

void object_lose_dependent(struct object *object)
{
    object->dependents--;
    object_check_orphan(object);
    object_unref(object);
}

int object_charge(struct object *object, uint64_t bytes)
{
    int status = user_charge(object->user, bytes);
    if (status == 0 && object_is_durable(object)) {
        status = user_take(object->user, RESOURCE_STORED, bytes);
        if (status < 0) {
            user_release(object->user, bytes);
        }
    }
    if (status == 0) {
        object->bytes += bytes;
    }
    return status;
}

void object_charge_always(struct object *object, uint64_t bytes)
{
    user_charge_always(object->user, bytes);
    if (object_is_durable(object)) {
        user_take_always(object->user, RESOURCE_STORED, bytes);
    }
    object->bytes += bytes;
}

void object_release(struct object *object, uint64_t bytes)
{
    if (!object_check(object, object->bytes >= bytes, "more is released than was charged")) {
        bytes = object->bytes;
    }
    user_release(object->user, bytes);
    if (object_is_durable(object)) {
        user_give_back(object->user, RESOURCE_STORED, bytes);
    }
    object->bytes -= bytes;
}

int object_recharge(struct object *object, uint64_t before, uint64_t after)
{
    if (after > before) {
        return object_charge(object, after - before);
    }
    object_release(object, before - after);
    return 0;
}

const char *lifetime_name(enum lifetime lifetime)
{
    switch (lifetime) {
    case LIFETIME_DAEMON:
        return "daemon";
    case LIFETIME_SCOPED:
        return "scoped";
    case LIFETIME_DURABLE:
        return "durable";
    }
    return "daemon";
}
