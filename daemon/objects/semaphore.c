/*
 * semaphore: see semaphore.h.
 *
 * Tests: tests/unit/methods/test_semaphore.c.
 */
#include "daemon/objects/semaphore.h"

#include <stdlib.h>

#include "daemon/objects/row_form.h"
#include "daemon/objects/waits.h"
#include "daemon/objects/watch.h"

static size_t semaphore_describe(const struct object *object, struct buffer *out, uint64_t now)
{
    const struct semaphore *semaphore = (const struct semaphore *)object;
    pack_key_int(out, "value", semaphore->value);
    pack_key_int(out, "initial", semaphore->options.initial);
    pack_key_bool(out, "bounded", semaphore->options.bounded);
    pack_key_string(out, "on_disconnect", semaphore->options.keep ? "keep" : "release");
    pack_key_int(out, "held", semaphore->held);
    return 5;
}

static void drop_claim(struct semaphore *semaphore, struct tie *tie, int64_t n)
{
    if (!object_check(&semaphore->object, (int64_t)tie->holding >= n && semaphore->held >= n,
                      "more permits come back than are held")) {
        return;
    }
    tie->holding -= (uint64_t)n;
    semaphore->held -= n;
}

/* `abandoned` is told only of a release. */
static void tell(struct semaphore *semaphore, enum event_name event, int64_t n, bool abandoned)
{
    if (object_is_watched(&semaphore->object, event)) {
        const union detail details[] = {
            {.uint = (uint64_t)semaphore->value}, {.uint = (uint64_t)n}, {.is = abandoned}};
        object_tell(&semaphore->object, event, details);
    }
}

static void semaphore_abandon(struct object *object, struct tie *tie, uint64_t now,
                              struct pace *pace)
{
    struct semaphore *semaphore = semaphore_of(object);
    int64_t n = (int64_t)tie->holding;
    drop_claim(semaphore, tie, n);
    if (!semaphore->options.keep) {
        semaphore->value += n; /* no more than the int64 that value and held came from */
        tell(semaphore, EVENT_release, n, true);
        object_changed(object);
    }
}

static size_t semaphore_describe_claims(const struct tie *tie, struct buffer *out)
{
    pack_key_uint(out, "permits", tie->holding);
    return 1;
}

static void semaphore_save_options(const struct object *object, struct buffer *out)
{
    const struct semaphore *semaphore = (const struct semaphore *)object;
    pack_int(out, semaphore->options.initial);
    pack_bool(out, semaphore->options.bounded);
    pack_bool(out, semaphore->options.keep);
    pack_int(out, semaphore->value);
}

static int semaphore_make(const struct object_options *common, struct row *row, struct object **out)
{
    struct semaphore_options options;
    struct semaphore *semaphore;
    options.initial = (int64_t)row_below(row, (uint64_t)INT64_MAX + 1);
    options.bounded = row_bool(row);
    options.keep = row_bool(row);
    int64_t value = (int64_t)row_below(row, (uint64_t)INT64_MAX + 1);
    int status = row_close(row, "a semaphore");
    status = status < 0 ? status : semaphore_new(common, &options, &semaphore);
    if (status == 0) {
        semaphore->value = value;
        *out = &semaphore->object;
    }
    return status;
}

static int semaphore_load_claims(struct tie *tie, struct row *row)
{
    struct semaphore *semaphore = semaphore_of(tie->object);
    if (tie->holding > (uint64_t)(INT64_MAX - semaphore->held)) {
        return ERR_VALUE;
    }
    semaphore->held += (int64_t)tie->holding;
    return 0;
}

const struct object_type semaphore_type = {
    .kind = OBJECT_SEMAPHORE,
    .size = sizeof(struct semaphore),
    .describe = semaphore_describe,
    .abandon = semaphore_abandon,
    .describe_claims = semaphore_describe_claims,
    .save_options = semaphore_save_options,
    .make = semaphore_make,
    .load_claims = semaphore_load_claims,
};

int semaphore_new(const struct object_options *common, const struct semaphore_options *options,
                  struct semaphore **out)
{
    struct semaphore *semaphore = calloc(1, sizeof(*semaphore));
    if (semaphore == NULL) {
        return ERR_MEMORY;
    }
    int status = object_init(&semaphore->object, &semaphore_type, common);
    if (status < 0) {
        free(semaphore);
        return status;
    }
    semaphore->options = *options;
    semaphore->value = options->initial;
    *out = semaphore;
    return 0;
}

void semaphore_acquire(struct semaphore *semaphore, struct tie *tie, int64_t n)
{
    if (!object_check(&semaphore->object, n <= semaphore->value,
                      "it has fewer permits than taken")) {
        return;
    }
    semaphore->value -= n;
    semaphore->held += n;
    tie_claim(tie, (uint64_t)n);
    tell(semaphore, EVENT_acquire, n, false);
}

/* How much of n a tie holds. */
static int64_t part_of(const struct tie *tie, int64_t n)
{
    return (int64_t)tie->holding < n ? (int64_t)tie->holding : n;
}

/* How much more than the initial value there is and is held. */
static int64_t excess(const struct semaphore *semaphore)
{
    uint64_t all = (uint64_t)semaphore->value + (uint64_t)semaphore->held;
    uint64_t initial = (uint64_t)semaphore->options.initial;
    return all > initial ? (int64_t)(all - initial) : 0;
}

/* Takes what there is too much of a bounded semaphore off those who hold it. */
static int take_off_others(struct semaphore *semaphore)
{
    int64_t rest = excess(semaphore);
    int status = rest > 0 ? SEMAPHORE_IDLE_TIES : 0;
    struct tie *tie = TAILQ_FIRST(&semaphore->object.ties);
    for (; rest > 0; tie = TAILQ_NEXT(tie, of_object)) {
        int64_t part = part_of(tie, rest);
        drop_claim(semaphore, tie, part);
        rest -= part;
    }
    return status;
}

int semaphore_release(struct semaphore *semaphore, struct tie *tie, int64_t n)
{
    int64_t own = tie == NULL ? 0 : part_of(tie, n);
    if (semaphore->options.bounded && n > semaphore->options.initial - semaphore->value) {
        return ERR_VALUE;
    }
    if (!semaphore->options.bounded && n - own > INT64_MAX - semaphore->held - semaphore->value) {
        return ERR_RANGE;
    }
    if (own > 0) {
        drop_claim(semaphore, tie, own);
    }
    semaphore->value += n;
    tell(semaphore, EVENT_release, n, false);
    object_changed(&semaphore->object);
    return semaphore->options.bounded ? take_off_others(semaphore) : 0;
}

struct tie *semaphore_idle_tie(const struct semaphore *semaphore)
{
    struct tie *tie;
    TAILQ_FOREACH (tie, &semaphore->object.ties, of_object) {
        if (tie_is_idle(tie)) {
            return tie;
        }
    }
    return NULL;
}
