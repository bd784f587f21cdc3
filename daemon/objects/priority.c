/* priority: see priority.h. */
#include "daemon/objects/priority.h"

#include <stdlib.h>

#include "daemon/objects/queue_item.h"

enum {
    STEPS_LEVEL = 3, /* what going down one level of the heap takes, roughly */
    BLOCK = 8192,    /* pointers that are moved in one go */
    ROOM_LEAST = 1024,
};

static bool before(const void *a, const void *b)
{
    const struct item_meta *x = &((const struct item *)a)->meta;
    const struct item_meta *y = &((const struct item *)b)->meta;
    int order = rank_compare(&x->rank, &y->rank);
    return order != 0 ? order < 0 : x->seq < y->seq;
}

static uint32_t *position_of(void *item)
{
    return &((struct item *)item)->heap_position;
}

void priority_init(struct priority *priority)
{
    *priority = (struct priority){.heap = {.before = before, .position = position_of}};
}

static void free_run(struct priority *priority)
{
    free(priority->run);
    priority->run = NULL;
    priority->begin = 0;
    priority->end = 0;
    priority->cap = 0;
}

void priority_deinit(struct priority *priority)
{
    heap_deinit(&priority->heap);
    free_run(priority);
}

int priority_reserve(struct priority *priority)
{
    return heap_reserve(&priority->heap);
}

int priority_push(struct priority *priority, struct item *item)
{
    return heap_push(&priority->heap, item);
}

struct item *priority_first(const struct priority *priority)
{
    struct item *top = heap_top(&priority->heap);
    if (priority_run(priority) == 0) {
        return top;
    }
    struct item *first = priority->run[priority->begin];
    return top == NULL || before(first, top) ? first : top;
}

bool priority_is_inside(const struct priority *priority, const struct item *item)
{
    return item->heap_position == HEAP_NONE && priority->run[priority->begin] != item;
}

/* The first of the run has gone: so do tombstones behind it, and the array with the last. */
static void trim(struct priority *priority, void (*bury)(void *data, struct item *item), void *data)
{
    while (priority_run(priority) > 0 && priority->run[priority->begin]->state == ITEM_DEAD) {
        bury(data, priority->run[priority->begin++]);
        priority->tombstones--;
    }
    if (priority_run(priority) == 0) {
        free_run(priority);
    }
}

void priority_remove(struct priority *priority, struct item *item,
                     void (*bury)(void *data, struct item *item), void *data)
{
    if (item->heap_position != HEAP_NONE) {
        heap_remove(&priority->heap, item);
        return;
    }
    priority->begin++;
    trim(priority, bury, data);
}

struct item *priority_take_any(struct priority *priority)
{
    if (priority->heap.len > 0) {
        return heap_take_any(&priority->heap);
    }
    if (priority_run(priority) == 0) {
        free_run(priority);
        return NULL;
    }
    struct item *item = priority->run[--priority->end];
    priority->tombstones -= item->state == ITEM_DEAD;
    return item;
}

void priority_clean(struct priority *priority, void (*bury)(void *data, struct item *item),
                    void *data, struct pace *pace)
{
    if (priority->tombstones == 0) {
        return;
    }
    uint32_t kept = priority->begin;
    for (uint32_t i = priority->begin; i < priority->end; i++) {
        struct item *item = priority->run[i];
        if (item->state == ITEM_DEAD) {
            bury(data, item);
        } else {
            priority->run[kept++] = item;
        }
        pace_step(pace, 1);
    }
    priority->end = kept;
    priority->tombstones = 0;
    trim(priority, bury, data);
}

/* Room for so many more behind the run. */
static int make_room(struct priority *priority, uint32_t more)
{
    uint32_t len = priority_run(priority);
    if (more <= priority->cap - priority->end) {
        return 0;
    }
    uint64_t cap = (uint64_t)len + more + len / 8;
    if (cap > UINT32_MAX) {
        return ERR_MEMORY;
    }
    if (priority->begin > 0) {
        memmove(priority->run, priority->run + priority->begin, len * sizeof(*priority->run));
        priority->begin = 0;
        priority->end = len;
    }
    struct item **run = realloc(priority->run, cap * sizeof(*run));
    if (run == NULL) {
        return ERR_MEMORY;
    }
    priority->run = run;
    priority->cap = (uint32_t)cap;
    return 0;
}

/* How many of the run come before the item; `most` of them are looked at. */
static uint32_t count_before(const struct priority *priority, const struct item *item,
                             uint32_t most)
{
    uint32_t low = 0;
    uint32_t high = most;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (before(priority->run[priority->begin + middle], item)) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* Takes out of the heap what is among the first n of all, in order, and at most `room` of them;
 * returns how many. */
static uint32_t take_first(struct priority *priority, uint64_t n, struct item **out, uint32_t room,
                           struct pace *pace)
{
    uint32_t taken = 0;
    uint32_t len = priority_run(priority);
    struct item *top;
    while (taken < room && taken < n && (top = heap_top(&priority->heap)) != NULL) {
        uint64_t rest = n - taken;
        if (rest <= len && count_before(priority, top, (uint32_t)rest) == rest) {
            break; /* there are enough before it */
        }
        heap_remove(&priority->heap, top);
        out[taken++] = top;
        pace_step(pace, (size_t)STEPS_LEVEL * (33 - (size_t)__builtin_clz(priority->heap.len | 1)));
    }
    return taken;
}

/* Moves `count` pointers of the run up by `by`, the last ones first. */
static void move_up(struct item **from, uint32_t count, uint32_t by, struct pace *pace)
{
    while (count > 0) {
        uint32_t block = count < BLOCK ? count : BLOCK;
        count -= block;
        memmove(from + count + by, from + count, block * sizeof(*from));
        pace_bytes(pace, block * sizeof(*from));
    }
}

/* Puts items, which are in order, at their places in the run, which has room. */
static void merge(struct priority *priority, struct item **items, uint32_t count, struct pace *pace)
{
    struct item **run = priority->run + priority->begin;
    uint32_t left = priority_run(priority); /* of the run, not moved yet */
    priority->end += count;
    if (count > 0 && before(run[left - 1], items[0])) {
        memcpy(run + left, items, count * sizeof(*run));
        pace_bytes(pace, count * sizeof(*run));
        return;
    }
    while (count > 0) {
        uint32_t at = count_before(priority, items[count - 1], left);
        move_up(run + at, left - at, count, pace);
        left = at;
        count--;
        run[at + count] = items[count];
        pace_step(pace, STEPS_LEVEL);
    }
}

/* A part of priority_sort: moves up to `room` items. Returns how many, or ERR_MEMORY. */
static int64_t sort_some(struct priority *priority, uint64_t n, uint32_t room, struct pace *pace)
{
    if (make_room(priority, room) < 0) {
        return ERR_MEMORY;
    }
    if (priority_run(priority) == 0) { /* then they go to their places at once */
        uint32_t taken = take_first(priority, n, priority->run + priority->end, room, pace);
        priority->end += taken;
        return taken;
    }
    struct item **items = malloc(room * sizeof(*items));
    if (items == NULL) {
        return ERR_MEMORY;
    }
    uint32_t taken = take_first(priority, n, items, room, pace);
    merge(priority, items, taken, pace);
    free(items);
    return taken;
}

int priority_sort(struct priority *priority, uint64_t n, struct pace *pace)
{
    int64_t taken;
    uint64_t room;
    do {
        uint32_t len = priority_run(priority);
        room = n < priority->heap.len ? n : priority->heap.len;
        if (len > 0 && room > ROOM_LEAST + len / 8) {
            room = ROOM_LEAST + len / 8; /* most are in the run already, as a rule */
        }
        taken = room == 0 ? 0 : sort_some(priority, n, (uint32_t)room, pace);
    } while (taken > 0 && (uint64_t)taken == room);
    return taken < 0 ? ERR_MEMORY : 0;
}
