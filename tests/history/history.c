/* history: see history.h. */
#include "tests/history/history.h"

#include <stdlib.h>
#include <string.h>

const struct verb_row verb_rows[VERBS] = {
    [PUT] = {"queue.put", "at", 1, 0, false},
    [GET] = {"queue.get", "t", 0, 3, false},
    [QSIZE] = {"queue.qsize", "", 0, 1, true},
    [TASK_DONE] = {"queue.task_done", "a", 1, 1, false},
    [GIVE_BACK] = {"queue.give_back", "a", 1, 0, false},
    [JOIN] = {"queue.join", "t", 0, 0, true},
    [LOCK_ACQUIRE] = {"lock.acquire", "t", 0, 2, false},
    [LOCK_RELEASE] = {"lock.release", "", 0, 1, false},
    [LOCKED] = {"lock.locked", "", 0, 1, true},
    [SEMAPHORE_ACQUIRE] = {"semaphore.acquire", "ta", 1, 1, false},
    [SEMAPHORE_RELEASE] = {"semaphore.release", "a", 1, 1, false},
    [SEMAPHORE_VALUE] = {"semaphore.value", "", 0, 1, true},
    [DICT_GET] = {"dict.get", "a", 1, 1, true},
    [DICT_SET] = {"dict.set", "ab", 2, 1, false},
    [DICT_CAS] = {"dict.cas", "aBC", 3, 1, false},
    [DICT_DELETE] = {"dict.delete", "a", 1, 0, false},
    [DICT_INCR] = {"dict.incr", "ab", 2, 1, false},
    [CLOSED] = {".closed", "", 0, 0, false},
    [KILLED] = {".killed", "", 1, 0, false},
    [CRASHED] = {".crashed", "", 1, 0, false},
};

static const char *const type_names[TYPES] = {"queue", "joinable", "lock", "semaphore", "dict"};

const char *type_name(enum type type)
{
    return type_names[type];
}

enum type type_of(const char *name)
{
    for (unsigned i = 0; i < TYPES; i++) {
        if (strcmp(name, type_names[i]) == 0) {
            return (enum type)i;
        }
    }
    return TYPES;
}

const struct operation *history_end_of(const struct history *history, unsigned process)
{
    const struct operation *crash = NULL;
    for (unsigned i = 0; i < history->count; i++) {
        const struct operation *operation = &history->operations[i];
        if (operation->verb == CRASHED) {
            crash = operation;
        } else if (operation->process == process && is_end(operation)) {
            return operation;
        }
    }
    return crash;
}

static int compare(const void *a, const void *b)
{
    const struct operation *x = a;
    const struct operation *y = b;
    if (x->begin != y->begin) {
        return x->begin < y->begin ? -1 : 1;
    }
    if (x->end != y->end) {
        return x->end < y->end ? -1 : 1;
    }
    return (int)x->process - (int)y->process;
}

void history_sort(struct history *history)
{
    qsort(history->operations, history->count, sizeof(history->operations[0]), compare);
}
