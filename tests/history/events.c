/* events: the events of a history; see search.h. */
#include <stdlib.h>
#include <string.h>

#include "tests/history/search.h"

const struct model *model_of(enum type type)
{
    static const struct model *const models[TYPES] = {
        [TYPE_QUEUE] = &model_queue, [TYPE_JOINABLE] = &model_joinable,
        [TYPE_LOCK] = &model_lock,   [TYPE_SEMAPHORE] = &model_semaphore,
        [TYPE_DICT] = &model_dict,
    };
    return models[type];
}

static int add(struct events *events, enum happening happening, const struct operation *operation,
               int64_t end)
{
    struct event *event = &events->list[events->count];
    *event = (struct event){
        .happening = happening,
        .operation = operation,
        .begin = operation->begin,
        .end = end,
        .answered = end != UNANSWERED,
        .optional = end == UNANSWERED,
        .before = -1,
    };
    return (int)events->count++;
}

/* The end of a process comes after all its answers, and its unanswered call before it or never. */
static void add_end(struct events *events, const struct model *model,
                    const struct operation *operation)
{
    int64_t begin = operation->begin;
    unsigned calls = events->count;
    bool died = model->wants_deaths && operation->verb == KILLED;
    int death = died ? add(events, DIED, operation, operation->arguments[0]) : -1;
    int end = add(events, ENDED, operation, operation->end);
    for (unsigned i = 0; i < calls; i++) {
        struct event *event = &events->list[i];
        if (event->operation->process != operation->process) {
            continue;
        }
        if (!event->answered) {
            event->before = end;
        } else if (event->end >= begin) {
            begin = event->end + 1;
        }
    }
    events->list[end].begin = begin;
    if (died) {
        events->list[death].begin = begin;
    }
}

/* The end of the daemon comes after everything that was called before, and that can happen only
 * before it. */
static void add_crash(struct events *events, const struct operation *operation)
{
    int crash = add(events, ENDED, operation, operation->end);
    for (int i = 0; i < crash; i++) {
        struct event *event = &events->list[i];
        if (event->begin <= operation->end && (event->before < 0 || event->happening == CALL)) {
            event->before = crash;
        }
    }
}

void events_of(const struct history *history, int64_t key, struct events *events)
{
    const struct model *model = model_of(history->type);
    events->count = 0;
    for (unsigned i = 0; i < history->count; i++) {
        const struct operation *operation = &history->operations[i];
        if (!is_end(operation) && (key == NO_VALUE || operation->arguments[0] == key)) {
            (void)add(events, CALL, operation, operation->end);
        }
    }
    for (unsigned i = 0; i < history->count; i++) {
        if (is_end(&history->operations[i]) && history->operations[i].verb != CRASHED) {
            add_end(events, model, &history->operations[i]);
        }
    }
    for (unsigned i = 0; i < history->count; i++) {
        if (history->operations[i].verb == CRASHED) {
            add_crash(events, &history->operations[i]);
        }
    }
}
