/* smallest: see smallest.h. */
#include "tests/history/smallest.h"

#include <stdlib.h>

#include "tests/history/search.h"
#include "tests/history/text.h"

enum { BUDGET = 200000 };

struct smallest {
    int64_t key;
    struct history part;
    struct history tried;
    struct events events;
    struct finding finding;
};

static bool cannot_be(struct smallest *smallest, const struct history *history)
{
    events_of(history, smallest->key, &smallest->events);
    return search(history, &smallest->events, BUDGET, &smallest->finding) == NONE;
}

/* What was known at a moment. */
static void cut(const struct history *from, int64_t until, struct history *to)
{
    to->type = from->type;
    to->options = from->options;
    to->count = 0;
    for (unsigned i = 0; i < from->count; i++) {
        struct operation operation = from->operations[i];
        if (operation.begin > until) {
            continue;
        }
        if (operation.end > until) {
            operation.end = UNANSWERED;
        }
        if ((operation.verb == KILLED || operation.verb == CRASHED) &&
            operation.arguments[0] > until) {
            operation.arguments[0] = UNANSWERED;
        }
        to->operations[to->count++] = operation;
    }
}

static int compare_times(const void *a, const void *b)
{
    const int64_t *x = a;
    const int64_t *y = b;
    return *x < *y ? -1 : *x > *y;
}

/* Cuts the part off at the first moment at which it cannot be explained. */
static void shorten(struct smallest *smallest, const struct history *history)
{
    int64_t ends[HISTORY_MAX];
    for (unsigned i = 0; i < history->count; i++) {
        ends[i] = history->operations[i].end;
    }
    qsort(ends, history->count, sizeof(ends[0]), compare_times);
    smallest->part = *history;
    for (unsigned i = 0; i < history->count; i++) {
        cut(history, ends[i], &smallest->tried);
        if (cannot_be(smallest, &smallest->tried)) {
            smallest->part = smallest->tried;
            return;
        }
    }
}

static bool has_other(const struct history *history, const struct operation *operation)
{
    for (unsigned i = 0; i < history->count; i++) {
        const struct operation *other = &history->operations[i];
        if (other != operation && other->process == operation->process) {
            return true;
        }
    }
    return false;
}

/* True if a history without the operation can be explained whenever one with it can: it changed
 * nothing. That somebody waited for a semaphore explains why others waited behind, so it stays. */
static bool can_go(const struct history *history, const struct operation *operation)
{
    if (is_end(operation)) {
        return !has_other(history, operation);
    }
    if (operation->verb == SEMAPHORE_ACQUIRE || !is_answered(operation)) {
        return false;
    }
    bool is_refused_cas = operation->verb == DICT_CAS && operation->results[0] == 0;
    return verb_rows[operation->verb].looks_only || operation->status != 0 || is_refused_cas;
}

static void remove_at(struct history *history, unsigned at)
{
    history->count--;
    for (unsigned i = at; i < history->count; i++) {
        history->operations[i] = history->operations[i + 1];
    }
}

/* Other keys do not matter. */
static void keep_key(struct smallest *smallest)
{
    struct history *part = &smallest->part;
    for (unsigned i = part->count; i-- > 0;) {
        const struct operation *operation = &part->operations[i];
        if (smallest->key != NO_VALUE && !is_end(operation) &&
            operation->arguments[0] != smallest->key) {
            remove_at(part, i);
        }
    }
}

/* One pass. True if something went, after which more may go. */
static bool thin_out(struct smallest *smallest)
{
    struct history *part = &smallest->part;
    bool changed = false;
    for (unsigned i = part->count; i-- > 0;) {
        if (!can_go(part, &part->operations[i])) {
            continue;
        }
        smallest->tried = *part;
        remove_at(&smallest->tried, i);
        if (cannot_be(smallest, &smallest->tried)) {
            *part = smallest->tried;
            changed = true;
        }
    }
    return changed;
}

static void print_time(int64_t time, int64_t origin, FILE *out)
{
    if (time == UNANSWERED) {
        (void)fprintf(out, "%10s ", "?");
    } else {
        (void)fprintf(out, "%10.1f ", (double)(time - origin) / 1000);
    }
}

/* The place in the longest order of the last event of an operation, or 0. */
static unsigned place_of(const struct smallest *smallest, const struct operation *operation)
{
    const struct finding *finding = &smallest->finding;
    unsigned place = 0;
    for (unsigned i = 0; i < finding->length; i++) {
        if (smallest->events.list[finding->order[i]].operation == operation) {
            place = i + 1;
        }
    }
    return place;
}

static void print_part(const struct smallest *smallest, int64_t origin, FILE *out)
{
    const struct history *part = &smallest->part;
    for (unsigned i = 0; i < part->count; i++) {
        const struct operation *operation = &part->operations[i];
        char text[TEXT_MAX];
        char place[16] = "-";
        operation_print(operation, text);
        unsigned at = place_of(smallest, operation);
        if (at > 0) {
            (void)snprintf(place, sizeof(place), "%u", at);
        }
        print_time(operation->begin, origin, out);
        print_time(operation->end, origin, out);
        (void)fprintf(out, "%7u  %5s  %s\n", operation->process, place,
                      operation->verb == KILLED    ? "killed"
                      : operation->verb == CRASHED ? "the daemon crashed"
                                                   : text);
    }
}

void show_smallest(const struct history *history, int64_t key, int64_t origin, FILE *out)
{
    struct smallest *smallest = calloc(1, sizeof(*smallest));
    if (smallest == NULL) {
        return;
    }
    smallest->key = key;
    shorten(smallest, history);
    keep_key(smallest);
    while (thin_out(smallest)) {
    }
    (void)cannot_be(smallest, &smallest->part);
    char object[TEXT_MAX];
    object_print(history, object);
    (void)fprintf(out,
                  "The smallest part that cannot be explained, of a %s. Times are in "
                  "microseconds;\n\"order\" is the longest order that the answers allow, - stands "
                  "where none can follow.\n%10s %10s process  order\n",
                  object, "call", "answer");
    print_part(smallest, origin, out);
    (void)fprintf(out, "In that order, then: %s.\n", smallest->finding.state);
    free(smallest);
}
