/*
 * list_sort: see list.h. Tests: tests/unit/objects/test_list_sort.c.
 *
 * A merge sort, which is stable. Each value stands beside a number, its rank, that sorts as the
 * value does or is equal where the value's first 64 bits do not decide; so most comparisons touch
 * neither the value nor its blob. Sorted stretches are left alone: a sorted list takes one pass.
 */
#include "daemon/objects/list.h"

#include <math.h>
#include <stdlib.h>

#include "daemon/objects/bulk.h"
#include "proto/value.h"

enum {
    RUN_SHORT = 12,             /* a run this short is sorted by insertion */
    STRETCH = PACE_STRETCH / 2, /* so many steps are said together */
};

struct ranked {
    uint64_t rank;
    union cell cell;
};

/* A double as a number that sorts in the same way; NaN is the largest, and -0.0 is 0.0. */
static uint64_t rank_of_double(double value)
{
    uint64_t bits;
    if (isnan(value)) {
        return UINT64_MAX;
    }
    value += 0.0;
    memcpy(&bits, &value, sizeof(bits));
    return bits >> 63 ? ~bits : bits | UINT64_C(1) << 63;
}

/* The first eight bytes as a number; a shorter run is followed by zeros. */
static uint64_t rank_of_run(const uint8_t *bytes, size_t len)
{
    uint64_t rank = 0;
    for (size_t i = 0; i < 8; i++) {
        rank = rank << 8 | (i < len ? bytes[i] : 0);
    }
    return rank;
}

/* An integer is ranked by the double next to it: rounding never turns the order round. */
static uint64_t rank_of(struct slice value)
{
    struct header header;
    if (header_read(value.data, value.len, &header) != 0) {
        return 0;
    }
    switch (header.kind) {
    case KIND_INT:
        return rank_of_double((double)header.i);
    case KIND_UINT:
        return rank_of_double((double)header.u);
    case KIND_FLOAT:
        return rank_of_double(header.f);
    default:
        return rank_of_run(value.data + header.size, header.length);
    }
}

/* How to sort, and what has been done so far without saying so. */
struct sorting {
    bool reverse;
    struct pace *pace;
    size_t steps;
};

/* So many steps have been done: gives way if it is time. */
static inline void stepped(struct sorting *sorting, size_t steps)
{
    sorting->steps += steps;
    if (sorting->steps >= STRETCH) {
        pace_step(sorting->pace, sorting->steps);
        sorting->steps = 0;
    }
}

/* Where the ranks do not decide: the values do. */
static int compare_values(const struct ranked *a, const struct ranked *b, struct sorting *sorting)
{
    struct slice left = cell_value(&a->cell).bytes;
    struct slice right = cell_value(&b->cell).bytes;
    int order = 0;
    (void)value_compare(left, right, &order);
    stepped(sorting, 2 + (left.len < right.len ? left.len : right.len) / PACE_STEP_BYTES);
    return order;
}

/* True if a must come before b, which stands before it now. `reverse` is that of sorting. */
static inline bool before(const struct ranked *a, const struct ranked *b, bool reverse,
                          struct sorting *sorting)
{
    if (a->rank != b->rank) {
        return (a->rank < b->rank) != reverse;
    }
    int order = compare_values(a, b, sorting);
    return reverse ? order > 0 : order < 0;
}

static void sort_short(struct ranked *run, size_t len, struct sorting *sorting)
{
    const bool reverse = sorting->reverse;
    for (size_t i = 1; i < len; i++) {
        struct ranked moving = run[i];
        size_t at = i;
        for (; at > 0 && before(&moving, &run[at - 1], reverse, sorting); at--) {
            run[at] = run[at - 1];
        }
        run[at] = moving;
    }
    stepped(sorting, 2 * len);
}

/* Merges run[0, half) and run[half, len), both sorted; `spare` has room for the first half. */
static void merge(struct ranked *run, size_t half, size_t len, struct ranked *spare,
                  struct sorting *sorting)
{
    const bool reverse = sorting->reverse;
    bulk_move(spare, run, half * sizeof(*run), sorting->pace);
    struct ranked *left = spare;
    struct ranked *left_end = spare + half;
    struct ranked *right = run + half;
    struct ranked *right_end = run + len;
    while (left < left_end) {
        struct ranked *begin = run;
        struct ranked *stretch_end = run + STRETCH;
        while (left < left_end && run != stretch_end) {
            bool take_right = right < right_end && before(right, left, reverse, sorting);
            *run++ = take_right ? *right++ : *left++;
        }
        stepped(sorting, (size_t)(run - begin));
    }
}

/* Recursion is as deep as the length has bits. */
static void sort_run(struct ranked *run, size_t len, struct ranked *spare, struct sorting *sorting)
{
    if (len <= RUN_SHORT) {
        sort_short(run, len, sorting);
        return;
    }
    size_t half = len / 2;
    sort_run(run, half, spare, sorting);
    sort_run(run + half, len - half, spare, sorting);
    if (before(&run[half], &run[half - 1], sorting->reverse, sorting)) {
        merge(run, half, len, spare, sorting);
    }
}

/* 0 if all values can be ordered among each other, else ERR_TYPE. */
static int check_order(const struct list *list, struct pace *pace)
{
    struct sorting sorting = {.pace = pace};
    int order;
    for (uint32_t i = 1; i < list_len(list); i++) {
        struct slice first = list_at(list, 0).bytes;
        struct slice other = list_at(list, i).bytes;
        if (value_compare(first, other, &order) != 0) {
            return ERR_TYPE;
        }
        size_t shorter = first.len < other.len ? first.len : other.len;
        stepped(&sorting, 1 + shorter / PACE_STEP_BYTES);
    }
    return 0;
}

int list_sort(struct list *list, bool reverse, struct pace *pace)
{
    size_t len = list_len(list);
    int status = check_order(list, pace);
    if (status != 0 || len < 2) {
        return status;
    }
    size_t size = (len + len / 2) * sizeof(struct ranked);
    struct ranked *run = malloc(size);
    if (run == NULL) {
        return ERR_MEMORY;
    }
    for (uint32_t i = 0; i < len; i++) {
        run[i] = (struct ranked){rank_of(list_at(list, i).bytes), *cells_at(&list->cells, i)};
        pace_each(pace, i);
    }
    struct sorting sorting = {.reverse = reverse, .pace = pace};
    sort_run(run, len, run + len, &sorting);
    for (uint32_t i = 0; i < len; i++) {
        *cells_at(&list->cells, i) = run[i].cell;
        pace_each(pace, i);
    }
    bulk_free(run, size, pace);
    list_changed(list, EVENT_sort, 0, 0, 0);
    return 0;
}

uint64_t list_sort_steps(const struct list *list)
{
    uint64_t len = list_len(list);
    unsigned levels = len < 2 ? 0 : 64 - (unsigned)__builtin_clzll(len);
    return (2 * len + list->object.bytes / PACE_STEP_BYTES) * levels;
}
