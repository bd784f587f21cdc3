/*
 * mutex: see mutex.h.
 *
 * Tests: tests/unit/methods/test_lock.c, tests/unit/methods/test_condition.c.
 */
#include "daemon/objects/mutex.h"

#include "daemon/objects/row_form.h"
#include "daemon/objects/waits.h"
#include "daemon/objects/watch.h"

static bool owner_equal(const struct owner *a, const struct owner *b)
{
    if (a->kind != b->kind) {
        return false;
    }
    switch (a->kind) {
    case KIND_INT:
        return a->i == b->i;
    case KIND_UINT:
        return a->u == b->u;
    case KIND_STR:
        return a->len == b->len && memcmp(a->name, b->name, a->len) == 0;
    default:
        return true;
    }
}

bool mutex_held_by(const struct mutex *mutex, const struct holder *holder)
{
    return mutex->depth > 0 && mutex->holder.session == holder->session &&
           owner_equal(&mutex->holder.owner, &holder->owner);
}

bool mutex_is_open_to(const struct mutex *mutex, const struct holder *holder)
{
    return mutex->depth == 0 || (mutex->options.recursive && mutex_held_by(mutex, holder));
}

/* `abandoned` is told only of a release. */
static void tell(struct mutex *mutex, enum event_name event, bool abandoned)
{
    if (object_is_watched(mutex->object, event)) {
        const union detail details[] = {
            {.uint = mutex->holder.session}, {.uint = mutex->depth}, {.is = abandoned}};
        object_tell(mutex->object, event, details);
    }
}

void mutex_take(struct mutex *mutex, struct tie *tie, const struct holder *holder, uint64_t depth)
{
    if (mutex->depth == 0) {
        mutex->holder = *holder;
        mutex->tie = tie;
        tie_claim(tie, 1);
        mutex->since = tie->since;
    }
    mutex->depth = depth;
    tell(mutex, EVENT_acquire, false);
}

static struct tie *release(struct mutex *mutex, uint64_t levels, bool abandoned)
{
    if (!object_check(mutex->object, mutex->depth >= levels, "it is released more than held")) {
        return NULL;
    }
    mutex->depth -= levels;
    tell(mutex, EVENT_release, abandoned);
    if (mutex->depth > 0) {
        return NULL;
    }
    object_changed(mutex->object);
    struct tie *tie = mutex->tie;
    mutex->tie = NULL;
    if (tie != NULL) {
        tie->holding = 0;
    }
    return tie;
}

struct tie *mutex_release(struct mutex *mutex, uint64_t levels)
{
    return release(mutex, levels, false);
}

struct tie *mutex_break(struct mutex *mutex)
{
    mutex->abandoned = true;
    return release(mutex, mutex->depth, true);
}

void mutex_abandon(struct mutex *mutex, struct tie *tie)
{
    if (!object_check(mutex->object, mutex->tie == tie,
                      "its holder does not know that it has it")) {
        return;
    }
    if (mutex->options.keep && !mutex->object->deleted) {
        tie->holding = 0;
        mutex->tie = NULL;
        return;
    }
    (void)mutex_break(mutex);
}

static void pack_owner_id(const struct owner *owner, struct buffer *out)
{
    switch (owner->kind) {
    case KIND_INT:
        pack_int(out, owner->i);
        break;
    case KIND_UINT:
        pack_uint(out, owner->u);
        break;
    case KIND_STR:
        pack_str(out, (struct slice){(const uint8_t *)owner->name, owner->len});
        break;
    default:
        pack_nil(out);
    }
}

static void pack_owner(const struct owner *owner, struct buffer *out)
{
    pack_string(out, "owner");
    pack_owner_id(owner, out);
}

size_t mutex_describe(const struct mutex *mutex, struct buffer *out)
{
    pack_key_uint(out, "depth", mutex->depth);
    pack_string(out, "holder");
    if (mutex->depth == 0) {
        pack_nil(out);
        pack_string(out, "held_since");
        pack_nil(out);
        return 3;
    }
    pack_map(out, 2);
    pack_key_uint(out, "session", mutex->holder.session);
    pack_owner(&mutex->holder.owner, out);
    pack_string(out, "held_since");
    pack_timestamp(out, mutex->since.tv_sec, (uint32_t)mutex->since.tv_nsec);
    return 3;
}

size_t mutex_describe_claim(const struct mutex *mutex, struct buffer *out)
{
    pack_key_uint(out, "depth", mutex->depth);
    pack_owner(&mutex->holder.owner, out);
    return 2;
}

void mutex_save(const struct mutex *mutex, struct buffer *out)
{
    pack_bool(out, mutex->options.recursive);
    pack_bool(out, mutex->options.keep);
    pack_bool(out, mutex->options.anyone);
    pack_bool(out, mutex->abandoned);
    pack_uint(out, mutex->depth);
    if (mutex->depth > 0) {
        pack_uint(out, mutex->holder.session);
        pack_uint(out, mutex->holder.owner.kind);
        pack_owner_id(&mutex->holder.owner, out);
        row_pack_date(out, mutex->since);
    }
}

static void load_owner(struct owner *owner, struct row *row)
{
    struct slice name;
    owner->kind = (enum kind)row_below(row, KIND_STR + 1);
    switch (owner->kind) {
    case KIND_INT:
        owner->i = row_int(row);
        break;
    case KIND_UINT:
        owner->u = row_uint(row);
        break;
    case KIND_STR:
        name = row_bytes(row);
        owner->len = (uint8_t)(name.len <= OWNER_NAME_MAX ? name.len : 0);
        memcpy(owner->name, name.data, owner->len);
        break;
    default:
        (void)row_bytes(row);
    }
}

void mutex_load(struct mutex *mutex, struct row *row)
{
    mutex->options.recursive = row_bool(row);
    mutex->options.keep = row_bool(row);
    mutex->options.anyone = row_bool(row);
    mutex->abandoned = row_bool(row);
    mutex->depth = row_uint(row);
    if (mutex->depth > 0) {
        mutex->holder.session = row_uint(row);
        load_owner(&mutex->holder.owner, row);
        mutex->since = row_date(row);
    }
}

int mutex_load_claim(struct mutex *mutex, struct tie *tie)
{
    if (mutex->depth == 0 || mutex->tie != NULL) {
        return ERR_VALUE;
    }
    mutex->tie = tie;
    return 0;
}
