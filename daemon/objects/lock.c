/*
 * lock: see lock.h.
 *
 * Tests: tests/unit/methods/test_lock.c.
 */
#include "daemon/objects/condition.h"

#include <stdlib.h>

#include "daemon/objects/row_form.h"

static size_t lock_describe(const struct object *object, struct buffer *out, uint64_t now)
{
    const struct mutex *mutex = &((const struct lock *)object)->mutex;
    pack_key_bool(out, "recursive", mutex->options.recursive);
    pack_key_string(out, "on_disconnect", mutex->options.keep ? "keep" : "release");
    pack_key_string(out, "release_by", mutex->options.anyone ? "anyone" : "owner");
    pack_key_bool(out, "abandoned", mutex->abandoned);
    return 4 + mutex_describe(mutex, out);
}

static void lock_abandon(struct object *object, struct tie *tie, uint64_t now, struct pace *pace)
{
    mutex_abandon(&lock_of(object)->mutex, tie);
}

static size_t lock_describe_claims(const struct tie *tie, struct buffer *out)
{
    return mutex_describe_claim(&lock_of(tie->object)->mutex, out);
}

/* The conditions that go by it. */
static struct object *lock_next_dependent(struct object *object)
{
    struct lock *lock = lock_of(object);
    struct condition *condition = TAILQ_FIRST(&lock->conditions);
    if (condition == NULL) {
        return NULL;
    }
    TAILQ_REMOVE(&lock->conditions, condition, of_lock);
    condition->orphaned = true;
    return &condition->object;
}

static void lock_save_options(const struct object *object, struct buffer *out)
{
    mutex_save(&((const struct lock *)object)->mutex, out);
}

static int lock_make(const struct object_options *common, struct row *row, struct object **out)
{
    struct mutex mutex = {0};
    struct lock *lock;
    mutex_load(&mutex, row);
    int status = row_close(row, "a lock");
    status = status < 0 ? status : lock_new(common, &mutex.options, &lock);
    if (status == 0) {
        mutex.object = &lock->object;
        lock->mutex = mutex;
        *out = &lock->object;
    }
    return status;
}

static int lock_load_claims(struct tie *tie, struct row *row)
{
    return mutex_load_claim(&lock_of(tie->object)->mutex, tie);
}

const struct object_type lock_type = {
    .kind = OBJECT_LOCK,
    .size = sizeof(struct lock),
    .describe = lock_describe,
    .abandon = lock_abandon,
    .describe_claims = lock_describe_claims,
    .next_dependent = lock_next_dependent,
    .save_options = lock_save_options,
    .make = lock_make,
    .load_claims = lock_load_claims,
};

int lock_new(const struct object_options *common, const struct mutex_options *options,
             struct lock **out)
{
    struct lock *lock = calloc(1, sizeof(*lock));
    if (lock == NULL) {
        return ERR_MEMORY;
    }
    int status = object_init(&lock->object, &lock_type, common);
    if (status < 0) {
        free(lock);
        return status;
    }
    TAILQ_INIT(&lock->conditions);
    lock->mutex.object = &lock->object;
    lock->mutex.options = *options;
    *out = lock;
    return 0;
}
