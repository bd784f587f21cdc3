/*
 * barrier: see barrier.h.
 *
 * Tests: tests/unit/methods/test_barrier.c.
 */
#include "daemon/objects/barrier.h"

#include <stdlib.h>

#include "daemon/objects/row_form.h"
#include "daemon/objects/waits.h"
#include "daemon/objects/watch.h"

static void tell(struct barrier *barrier, enum event_name event, uint32_t count)
{
    if (object_is_watched(&barrier->object, event)) {
        const union detail detail = {.uint = count};
        object_tell(&barrier->object, event, &detail);
    }
}

static size_t barrier_describe(const struct object *object, struct buffer *out, uint64_t now)
{
    const struct barrier *barrier = (const struct barrier *)object;
    pack_key_uint(out, "parties", barrier->options.parties);
    pack_key_bool(out, "broken", barrier->broken);
    pack_string(out, "timeout");
    if (barrier->options.timeout_ms >= 0) {
        pack_int(out, barrier->options.timeout_ms);
    } else {
        pack_nil(out);
    }
    return 3;
}

/* One that waits goes away: the others would wait for it in vain. */
static void barrier_wait_ended(struct object *object, uint64_t arrival)
{
    struct barrier *barrier = barrier_of(object);
    if (barrier_outcome(barrier, arrival) == BARRIER_WAITS) {
        barrier_break(barrier);
    }
}

static void barrier_save_options(const struct object *object, struct buffer *out)
{
    const struct barrier *barrier = (const struct barrier *)object;
    pack_uint(out, barrier->options.parties);
    pack_int(out, barrier->options.timeout_ms);
    pack_uint(out, barrier->arrived);
    pack_uint(out, barrier->generation);
    pack_uint(out, barrier->failed);
    pack_bool(out, barrier->broken);
}

static int barrier_make(const struct object_options *common, struct row *row, struct object **out)
{
    struct barrier is = {0};
    struct barrier *barrier;
    is.options.parties = (uint32_t)row_below(row, (uint64_t)BARRIER_PARTIES_MAX + 1);
    is.options.timeout_ms = row_int(row);
    is.arrived = (uint32_t)row_below(row, is.options.parties);
    is.generation = (uint32_t)row_below(row, UINT64_C(1) << 32);
    is.failed = (uint32_t)row_below(row, UINT64_C(1) << 32);
    is.broken = row_bool(row);
    int status = row_close(row, "a barrier");
    status = status < 0 ? status : barrier_new(common, &is.options, &barrier);
    if (status == 0) {
        barrier->arrived = is.arrived;
        barrier->generation = is.generation;
        barrier->failed = is.failed;
        barrier->broken = is.broken;
        *out = &barrier->object;
    }
    return status;
}

const struct object_type barrier_type = {
    .kind = OBJECT_BARRIER,
    .size = sizeof(struct barrier),
    .describe = barrier_describe,
    .wait_ended = barrier_wait_ended,
    .save_options = barrier_save_options,
    .make = barrier_make,
};

int barrier_new(const struct object_options *common, const struct barrier_options *options,
                struct barrier **out)
{
    struct barrier *barrier = calloc(1, sizeof(*barrier));
    if (barrier == NULL) {
        return ERR_MEMORY;
    }
    int status = object_init(&barrier->object, &barrier_type, common);
    if (status < 0) {
        free(barrier);
        return status;
    }
    barrier->options = *options;
    barrier->generation = 1;
    *out = barrier;
    return 0;
}

bool barrier_is_complete(const struct barrier *barrier)
{
    return barrier->arrived + 1 == barrier->options.parties;
}

void barrier_pass(struct barrier *barrier)
{
    barrier->generation++;
    barrier->arrived = 0;
    tell(barrier, EVENT_pass, barrier->options.parties);
    object_changed(&barrier->object);
}

uint64_t barrier_arrive(struct barrier *barrier)
{
    uint64_t arrival = (uint64_t)barrier->generation << 32 | barrier->arrived++;
    tell(barrier, EVENT_wait, barrier->arrived);
    return arrival;
}

enum barrier_outcome barrier_outcome(const struct barrier *barrier, uint64_t arrival)
{
    uint32_t generation = (uint32_t)(arrival >> 32);
    if (generation == barrier->generation) {
        return BARRIER_WAITS;
    }
    return generation == barrier->failed ? BARRIER_FAILED : BARRIER_PASSED;
}

/* Those who wait fail; it is broken from now on, or not. */
static void fail_generation(struct barrier *barrier, bool broken)
{
    uint32_t waiting = barrier->arrived;
    bool changed = waiting > 0 || broken != barrier->broken;
    if (waiting > 0) {
        barrier->failed = barrier->generation++;
        barrier->arrived = 0;
    }
    barrier->broken = broken;
    if (changed) {
        tell(barrier, broken ? EVENT_break : EVENT_reset, waiting);
        object_changed(&barrier->object);
    }
}

void barrier_break(struct barrier *barrier)
{
    fail_generation(barrier, true);
}

void barrier_reset(struct barrier *barrier)
{
    fail_generation(barrier, false);
}
