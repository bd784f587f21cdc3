/* invariants: see invariants.h. */
#include "tests/history/invariants.h"

#include <inttypes.h>
#include <string.h>

#include "client/ipcclient.h"

const char *verdict_name(enum verdict verdict)
{
    static const char *const names[VERDICTS] = {
        "linearizable", "undecided", "not linearizable", "lost", "twice", "two holders",
    };
    return names[verdict];
}

static bool is_delivery(const struct operation *operation)
{
    return operation->verb == GET && is_done(operation);
}

/* Deliveries of one item must be told apart by their count. */
static enum verdict look_for_twice(const struct history *history, char why[TEXT_MAX])
{
    for (unsigned i = 0; i < history->count; i++) {
        const struct operation *one = &history->operations[i];
        for (unsigned k = i + 1; k < history->count && is_delivery(one); k++) {
            const struct operation *other = &history->operations[k];
            bool same = is_delivery(other) && one->results[0] == other->results[0];
            bool marked = history->type == TYPE_JOINABLE && one->results[2] != other->results[2];
            if (same && !marked) {
                (void)snprintf(why, TEXT_MAX,
                               "%" PRId64 " was delivered to process %u and to process %u%s",
                               one->results[0], one->process, other->process,
                               history->type == TYPE_JOINABLE ? " with the same count" : "");
                return TWICE;
            }
        }
    }
    return EXPLAINED;
}

static bool is_emptied(const struct history *history)
{
    for (unsigned i = history->count; i-- > 0;) {
        const struct operation *operation = &history->operations[i];
        if (operation->verb == GET && operation->process == 0) {
            return is_answered(operation) && operation->status == IPCC_ERR_EMPTY;
        }
    }
    return false;
}

/* The last delivery of a value, or NULL. */
static const struct operation *last_delivery(const struct history *history, int64_t value)
{
    const struct operation *last = NULL;
    for (unsigned i = 0; i < history->count; i++) {
        const struct operation *operation = &history->operations[i];
        bool delivers = is_delivery(operation) && operation->results[0] == value;
        if (delivers && (last == NULL || operation->results[2] > last->results[2])) {
            last = operation;
        }
    }
    return last;
}

/* True if a task_done of the delivery's ticket may have been run. */
static bool may_be_finished(const struct history *history, const struct operation *delivery)
{
    for (unsigned i = 0; i < history->count; i++) {
        const struct operation *operation = &history->operations[i];
        if (operation->verb == TASK_DONE && operation->arguments[0] == delivery->results[1] &&
            (!is_answered(operation) || operation->status == 0)) {
            return true;
        }
    }
    return false;
}

/* A call of a killed process that may have taken a value with it: each can take one. Of those that
 * will do, the one that died last is left for others. */
static bool take_with_it(const struct history *history, const struct operation *put,
                         bool used[PROCESSES_MAX])
{
    bool always = history->type == TYPE_JOINABLE;
    for (unsigned i = 0; i < history->count; i++) {
        const struct operation *get = &history->operations[i];
        if (get->verb != GET || is_answered(get) || used[get->process]) {
            continue;
        }
        const struct operation *end = history_end_of(history, get->process);
        if (end == NULL || always || end->arguments[0] >= put->begin) {
            used[get->process] = true;
            return true;
        }
    }
    return false;
}

/* True if it is plain where the value of a put is now. */
static bool is_accounted_for(const struct history *history, const struct operation *put)
{
    const struct operation *delivery = last_delivery(history, put->arguments[0]);
    if (history->type == TYPE_QUEUE) {
        return delivery != NULL;
    }
    return delivery != NULL && (may_be_finished(history, delivery) ||
                                (history->options.discard && delivery->process != 0));
}

/* Puts are looked at from the last to the first: the later one is, the fewer of the dead can have
 * taken it. Of a joinable queue nobody takes anything along unless that counts as done. */
static enum verdict look_for_lost(const struct history *history, char why[TEXT_MAX])
{
    bool used[PROCESSES_MAX] = {false};
    bool can_go = history->type == TYPE_QUEUE || history->options.discard;
    for (unsigned i = history->count; i-- > 0;) {
        const struct operation *put = &history->operations[i];
        if (put->verb != PUT || !is_done(put) || is_accounted_for(history, put) ||
            (can_go && take_with_it(history, put, used))) {
            continue;
        }
        (void)snprintf(why, TEXT_MAX,
                       "%" PRId64 ", put by process %u, was neither delivered nor left at the end",
                       put->arguments[0], put->process);
        return LOST;
    }
    return EXPLAINED;
}

/* The moment until which the lock was surely held that was acquired then: the next call that can
 * have released it, or the end of its holder. */
static int64_t held_until(const struct history *history, const struct operation *acquire)
{
    int64_t until = UNANSWERED;
    for (unsigned i = 0; i < history->count; i++) {
        const struct operation *other = &history->operations[i];
        bool own = other->process == acquire->process;
        bool may_release = other->verb == LOCK_RELEASE && other->end >= acquire->begin &&
                           (own ? other->begin >= acquire->end : history->options.anyone);
        bool ends = is_end(other) && own && !history->options.keep;
        if ((may_release || ends) && other->begin < until) {
            until = other->begin;
        }
    }
    return until;
}

static enum verdict look_for_two_holders(const struct history *history, char why[TEXT_MAX])
{
    for (unsigned i = 0; i < history->count; i++) {
        const struct operation *one = &history->operations[i];
        if (one->verb != LOCK_ACQUIRE || !is_done(one)) {
            continue;
        }
        int64_t until = held_until(history, one);
        for (unsigned k = 0; k < history->count; k++) {
            const struct operation *other = &history->operations[k];
            if (other->verb == LOCK_ACQUIRE && is_done(other) && other->process != one->process &&
                other->begin > one->end && other->end < until) {
                (void)snprintf(why, TEXT_MAX,
                               "process %u held the lock when process %u was given it",
                               one->process, other->process);
                return TWO_HOLDERS;
            }
        }
    }
    return EXPLAINED;
}

enum verdict invariants_check(const struct history *history, char why[TEXT_MAX])
{
    enum verdict verdict = EXPLAINED;
    if (history->type == TYPE_LOCK) {
        return look_for_two_holders(history, why);
    }
    if (history->type == TYPE_QUEUE || history->type == TYPE_JOINABLE) {
        verdict = look_for_twice(history, why);
        if (verdict == EXPLAINED && is_emptied(history)) {
            verdict = look_for_lost(history, why);
        }
    }
    return verdict;
}
