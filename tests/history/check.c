/* check: see check.h. */
#include "tests/history/check.h"

#include <stdlib.h>

#include "tests/history/smallest.h"

enum { KEYS_MAX = 8 };

/* What a check works with; too large for the stack of a search. */
struct checking {
    const struct history *history;
    int64_t origin;
    FILE *report;
    unsigned long visited;
    struct events events;
    struct finding finding;
};

/* The keys of a history whose model looks at each apart; NO_VALUE for all together. */
static unsigned keys_of(const struct history *history, int64_t keys[KEYS_MAX])
{
    unsigned count = 0;
    keys[0] = NO_VALUE;
    if (!model_of(history->type)->by_key) {
        return 1;
    }
    for (unsigned i = 0; i < history->count; i++) {
        int64_t key = history->operations[i].arguments[0];
        unsigned k = 0;
        while (k < count && keys[k] != key) {
            k++;
        }
        if (k == count && count < KEYS_MAX && !is_end(&history->operations[i])) {
            keys[count++] = key;
        }
    }
    return count;
}

static enum verdict check_part(struct checking *checking, int64_t key)
{
    events_of(checking->history, key, &checking->events);
    enum outcome outcome =
        search(checking->history, &checking->events, CHECK_BUDGET, &checking->finding);
    if (checking->finding.visited > checking->visited) {
        checking->visited = checking->finding.visited;
    }
    if (outcome == FOUND) {
        return EXPLAINED;
    }
    if (outcome == NONE && checking->report != NULL) {
        show_smallest(checking->history, key, checking->origin, checking->report);
    }
    return outcome == NONE ? NOT_LINEARIZABLE : OPEN;
}

static enum verdict check_parts(struct checking *checking)
{
    int64_t keys[KEYS_MAX];
    unsigned count = keys_of(checking->history, keys);
    enum verdict verdict = EXPLAINED;
    for (unsigned i = 0; i < count && verdict != NOT_LINEARIZABLE; i++) {
        enum verdict part = check_part(checking, keys[i]);
        verdict = part != EXPLAINED ? part : verdict;
    }
    return verdict;
}

enum verdict history_check(const struct history *history, int64_t origin, FILE *report,
                           unsigned long *visited)
{
    char why[TEXT_MAX];
    struct checking *checking = calloc(1, sizeof(*checking));
    if (checking == NULL) {
        return OPEN;
    }
    checking->history = history;
    checking->origin = origin;
    checking->report = report;
    enum verdict broken = invariants_check(history, why);
    if (broken != EXPLAINED && report != NULL) {
        (void)fprintf(report, "%s: %s\n", verdict_name(broken), why);
    }
    enum verdict verdict = check_parts(checking);
    if (visited != NULL) {
        *visited = checking->visited;
    }
    free(checking);
    return broken != EXPLAINED ? broken : verdict;
}
