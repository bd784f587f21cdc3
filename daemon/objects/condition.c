/*
 * condition: see condition.h.
 *
 * Tests: tests/unit/methods/test_condition.c.
 */
#include "daemon/objects/condition.h"

#include <stdlib.h>

#include "daemon/objects/registry.h"
#include "daemon/objects/row_form.h"
#include "daemon/objects/waits.h"
#include "daemon/objects/watch.h"

static void condition_clear(struct object *object, struct pace *pace)
{
    struct condition *condition = condition_of(object);
    struct object *lock = condition->lock;
    if (lock == NULL) {
        return;
    }
    if (!condition->orphaned) {
        TAILQ_REMOVE(&lock_of(lock)->conditions, condition, of_lock);
    }
    condition->lock = NULL;
    object_lose_dependent(lock);
}

static size_t condition_describe(const struct object *object, struct buffer *out, uint64_t now)
{
    const struct condition *condition = (const struct condition *)object;
    pack_string(out, "lock");
    if (condition->lock != NULL) {
        pack_str(out, object_name(condition->lock));
    } else {
        pack_nil(out);
    }
    pack_key_uint(out, "sleepers", condition->sleepers);
    return 2 + mutex_describe(condition->mutex, out);
}

static void condition_abandon(struct object *object, struct tie *tie, uint64_t now,
                              struct pace *pace)
{
    mutex_abandon(&condition_of(object)->own, tie);
}

static size_t condition_describe_claims(const struct tie *tie, struct buffer *out)
{
    return mutex_describe_claim(&condition_of(tie->object)->own, out);
}

/* A notification goes to somebody who sleeps, or there is nobody to whom it could matter. */
static void condition_wait_ended(struct object *object, uint64_t note)
{
    struct condition *condition = condition_of(object);
    if (condition_state(note) == CONDITION_ASLEEP) {
        condition_expire(condition);
    } else if (condition_state(note) == CONDITION_NOTIFIED) {
        (void)condition_notify(condition, 1);
    }
}

/* Calls of a condition wait for its lock too. */
static struct object *condition_waits_elsewhere(const struct object *object)
{
    return ((const struct condition *)object)->lock;
}

/* Which lock it goes by: how that is found again. */
enum condition_lock { LOCK_OWN, LOCK_NUMBERED, LOCK_DELETED };

static void condition_save_options(const struct object *object, struct buffer *out)
{
    const struct condition *condition = (const struct condition *)object;
    const struct object *lock = condition->lock;
    if (lock == NULL) {
        pack_uint(out, LOCK_OWN);
    } else if (!lock->deleted) {
        pack_uint(out, LOCK_NUMBERED);
        pack_uint(out, lock->entry.seq);
    } else {
        pack_uint(out, LOCK_DELETED);
        pack_str(out, object_name(lock)); /* it is still to be named */
    }
    mutex_save(&condition->own, out);
    pack_uint(out, condition->sleepers);
    pack_uint(out, condition->notified);
}

/* A lock that was deleted: in no registry, and kept by its condition alone. */
static int make_deleted(const struct object_options *common, struct slice name, struct lock **out)
{
    struct object_options options = *common;
    options.name = name;
    int status = lock_new(&options, &(struct mutex_options){0}, out);
    if (status == 0) {
        (*out)->object.deleted = true;
    }
    return status;
}

/* The lock that is told of, with a reference; NULL: none. */
static int find_lock(const struct object_options *common, struct row *row, struct lock **out)
{
    *out = NULL;
    enum condition_lock which = (enum condition_lock)row_below(row, LOCK_DELETED + 1);
    if (which == LOCK_DELETED) {
        struct slice name = row_bytes(row);
        row->bad = row->bad || name.len == 0 || name.len > OBJECT_NAME_MAX;
        return row->bad ? ERR_VALUE : make_deleted(common, name, out);
    }
    if (which == LOCK_NUMBERED) {
        uint64_t number = row_uint(row);
        struct object *lock = registry_from(row->reader->registry, number);
        if (lock == NULL || lock->entry.seq != number || lock->type != &lock_type) {
            return ERR_VALUE;
        }
        *out = lock_of(object_ref(lock));
    }
    return row->bad ? ERR_VALUE : 0;
}

/* The rest of it, of a condition of that lock. */
static int make_of(const struct object_options *common, struct lock *lock, struct row *row,
                   struct object **out)
{
    struct condition is = {0};
    struct condition *condition;
    mutex_load(&is.own, row);
    is.sleepers = row_uint(row);
    is.notified = row_below(row, is.sleepers + 1);
    int status = row_close(row, "a condition");
    status = status < 0 ? status : condition_new(common, lock, &condition);
    if (status < 0) {
        return status;
    }
    is.own.object = &condition->object;
    condition->own = is.own;
    condition->sleepers = is.sleepers;
    condition->notified = is.notified;
    if (lock != NULL && lock->object.deleted) {
        TAILQ_REMOVE(&lock->conditions, condition, of_lock);
        condition->orphaned = true;
    }
    *out = &condition->object;
    return 0;
}

static int condition_make(const struct object_options *common, struct row *row, struct object **out)
{
    struct lock *lock;
    int status = find_lock(common, row, &lock);
    if (status == 0) {
        status = make_of(common, lock, row, out);
        object_unref(lock == NULL ? NULL : &lock->object);
    }
    return status;
}

static int condition_load_claims(struct tie *tie, struct row *row)
{
    return mutex_load_claim(&condition_of(tie->object)->own, tie);
}

const struct object_type condition_type = {
    .kind = OBJECT_CONDITION,
    .size = sizeof(struct condition),
    .clear = condition_clear,
    .describe = condition_describe,
    .abandon = condition_abandon,
    .describe_claims = condition_describe_claims,
    .wait_ended = condition_wait_ended,
    .waits_elsewhere = condition_waits_elsewhere,
    .save_options = condition_save_options,
    .make = condition_make,
    .load_claims = condition_load_claims,
};

int condition_new(const struct object_options *common, struct lock *lock, struct condition **out)
{
    struct condition *condition = calloc(1, sizeof(*condition));
    if (condition == NULL) {
        return ERR_MEMORY;
    }
    int status = object_init(&condition->object, &condition_type, common);
    if (status < 0) {
        free(condition);
        return status;
    }
    condition->own.object = &condition->object;
    condition->own.options.recursive = true;
    condition->mutex = &condition->own;
    if (lock != NULL) {
        condition->mutex = &lock->mutex;
        condition->lock = object_ref(&lock->object);
        lock->object.dependents++;
        TAILQ_INSERT_TAIL(&lock->conditions, condition, of_lock);
    }
    *out = condition;
    return 0;
}

static void tell(struct condition *condition, enum event_name event, uint64_t count)
{
    if (object_is_watched(&condition->object, event)) {
        const union detail detail = {.uint = count};
        object_tell(&condition->object, event, &detail);
    }
}

void condition_sleep(struct condition *condition)
{
    condition->sleepers++;
    tell(condition, EVENT_wait, condition->sleepers);
}

bool condition_wake(struct condition *condition)
{
    if (condition->notified == 0) {
        return false;
    }
    condition->notified--;
    condition->sleepers--;
    return true;
}

void condition_expire(struct condition *condition)
{
    condition->sleepers--;
    if (condition->notified > condition->sleepers) {
        condition->notified = condition->sleepers;
    }
}

uint64_t condition_notify(struct condition *condition, uint64_t n)
{
    uint64_t most = condition->sleepers - condition->notified;
    uint64_t woken = n < most ? n : most;
    condition->notified += woken;
    if (woken > 0) {
        tell(condition, EVENT_notify, woken);
        object_changed(&condition->object);
    }
    return woken;
}
