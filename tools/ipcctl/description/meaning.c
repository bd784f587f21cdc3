/* meaning: what the figures of an object mean; see meaning.h. */
#include "tools/ipcctl/description/meaning.h"
#include "tools/ipcctl/description/claimant.h"
#include "tools/ipcctl/description/claims.h"
#include "tools/ipcctl/request.h"
#include "tools/ipcctl/description/show.h"
#include "tools/ipcctl/terminal/text.h"

#include <inttypes.h>

/* "  3 items are ..." */
static void put_count(struct buffer *out, int64_t count, const char *one, const char *many)
{
    if (count == 1) {
        text_format(out, "  1 item is %s.\n", one);
    } else {
        text_format(out, "  %" PRId64 " items are %s.\n", count, many);
    }
}

static void put_paused(struct buffer *out, const struct ipcc_value *queue, int64_t queued)
{
    struct ipcc_value paused = field(queue, "paused");
    if (paused.kind == IPCC_INT) {
        text_put(out, "  It is paused, for ");
        text_time(out, paused.as.integer);
        text_put(out, " more: gets find nothing.\n");
    } else if (field_true(queue, "paused")) {
        text_put(out, "  It is paused: gets find nothing until it is resumed (ipcctl resume ");
        text_name(out, field_text(queue, "name"));
        text_put(out, ").\n");
    } else {
        return;
    }
    if (queued > 0) {
        put_count(out, queued, "held back", "held back");
    }
}

static void put_queue(struct context *context, struct buffer *out, const struct ipcc_value *queue)
{
    int64_t queued = field_int(queue, "queued");
    int64_t taken = field_int(queue, "taken");
    int64_t delayed = field_int(queue, "delayed");
    int64_t maxsize = field_int(queue, "maxsize");
    size_t getters = claims_waiting_in(queue, "queue.get") +
                     claims_waiting_in(queue, "queue.get_many") +
                     claims_waiting_in(queue, "queue.get_any");
    if (field_true(queue, "shut_down")) {
        text_put(out, "  It is shut down: puts fail, and gets fail once it is empty.\n");
    }
    put_paused(out, queue, queued);
    if (maxsize > 0 && queued + delayed >= maxsize) {
        text_put(out, "  It is full: puts wait until somebody gets.\n");
    }
    if (queued == 0 && getters > 0) {
        text_put(out, "  It is empty: gets wait until somebody puts.\n");
    }
    if (queued == 0 && delayed > 0) {
        put_count(out, delayed, "delayed: no get can have it yet",
                  "delayed: no get can have them yet");
    }
    if (taken > 0) {
        put_count(out, taken, "taken and not done: join waits for it; done or give-back ends that",
                  "taken and not done: join waits for them; done or give-back ends that");
    }
}

/* A lock that is held by a session that has ended; `name` is the lock's. */
static void put_left_behind(struct buffer *out, const struct ipcc_value *holder, struct slice name)
{
    text_put(out, "  Session ");
    claimant_put_session(out, holder);
    text_put(out, " held it and has ended: it stays held until it is broken (ipcctl lock break ");
    text_name(out, name);
    text_put(out, ").\n");
}

static void put_holder(struct context *context, struct buffer *out,
                       const struct ipcc_value *description, const struct ipcc_value *hold)
{
    struct ipcc_value since = field(description, "held_since");
    text_put(out, "  It is held by ");
    claimant_put(context, out, hold);
    text_put(out, ", for ");
    show_age(out, &since);
    text_put(out, ".\n");
}

static void put_lock(struct context *context, struct buffer *out, const struct ipcc_value *lock)
{
    struct ipcc_value holder = field(lock, "holder");
    struct ipcc_value hold = claims_holder(lock);
    if (hold.kind != IPCC_NONE) {
        put_holder(context, out, lock, &hold);
    } else if (holder.kind == IPCC_RAW) {
        put_left_behind(out, &holder, field_text(lock, "name"));
    } else {
        text_put(out, "  Nobody holds it.\n");
    }
    if (field_true(lock, "abandoned")) {
        text_put(out, "  Its last holder died, or it was taken from it: the next one is told.\n");
    }
}

static void put_condition(struct context *context, struct buffer *out,
                          const struct ipcc_value *condition)
{
    int64_t sleepers = field_int(condition, "sleepers");
    struct slice lock = field_text(condition, "lock");
    if (lock.len > 0) {
        text_put(out, "  It goes by the lock ");
        text_name(out, lock);
        text_put(out, ", below.\n");
    } else {
        struct ipcc_value hold = claims_holder(condition);
        if (hold.kind != IPCC_NONE) {
            put_holder(context, out, condition, &hold);
        } else {
            text_put(out, "  Nobody holds its lock.\n");
        }
    }
    if (sleepers > 0) {
        text_format(out, "  %" PRId64 " call%s until somebody notifies.\n", sleepers,
                    sleepers == 1 ? " waits" : "s wait");
    }
}

/* Permits that are taken, and that no session which could give them back has. */
static int64_t lost_permits(const struct ipcc_value *semaphore)
{
    return field_int(semaphore, "initial") - field_int(semaphore, "value") -
           field_int(semaphore, "held");
}

static void put_semaphore(struct context *context, struct buffer *out,
                          const struct ipcc_value *semaphore)
{
    int64_t lost = lost_permits(semaphore);
    if (field_int(semaphore, "value") == 0) {
        text_put(out, "  No permits are left: acquire waits until somebody releases.\n");
    }
    if (lost > 0) {
        text_format(out,
                    "  %" PRId64 " of the permits that it began with %s taken by sessions that "
                    "have ended\n  (ipcctl semaphore release ",
                    lost, lost == 1 ? "was" : "were");
        text_name(out, field_text(semaphore, "name"));
        text_format(out, " %" PRId64 " gives %s back).\n", lost, lost == 1 ? "it" : "them");
    }
}

static void put_event(struct context *context, struct buffer *out, const struct ipcc_value *event)
{
    text_put(out, field_true(event, "set") ? "  It is set: nobody has to wait.\n"
                                           : "  It is clear: waits end when somebody sets it.\n");
}

static void put_barrier(struct context *context, struct buffer *out,
                        const struct ipcc_value *barrier)
{
    if (field_true(barrier, "broken")) {
        text_put(out, "  It is broken: waits fail until it is reset (ipcctl barrier reset ");
        text_name(out, field_text(barrier, "name"));
        text_put(out, ").\n");
        return;
    }
    text_format(out, "  %" PRId64 " of %" PRId64 " parties have come.\n",
                field_int(barrier, "waiting"), field_int(barrier, "parties"));
}

void meaning_put(struct context *context, struct buffer *out, const struct ipcc_value *description)
{
    static const struct {
        const char *type;
        void (*put)(struct context *context, struct buffer *out,
                    const struct ipcc_value *description);
    } types[] = {
        {"queue", put_queue},         {"lock", put_lock},   {"condition", put_condition},
        {"semaphore", put_semaphore}, {"event", put_event}, {"barrier", put_barrier},
    };
    struct ipcc_value type = field(description, "type");
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (ipcc_value_is_str(&type, types[i].type)) {
            types[i].put(context, out, description);
        }
    }
}
