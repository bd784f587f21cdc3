/*
 * list_sort: see list.h.
 *
 * A merge sort, which is stable. Each value stands beside a number, its rank, that sorts as the
 * value does or is equal where the value's first 64 bits do not decide; so most comparisons touch
 * neither the value nor its blob. Sorted stretches are left alone: a sorted list takes one pass.
 */
#include "daemon/objects/list.h"

#include <math.h>
#include <stdlib.h>

#include "proto/value.h"

enum { RUN_SHORT = 12 }; /* a run this short is sorted by insertion */

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

/* True if a must come before b, which stands before it now. */
static bool before(const struct ranked *a, const struct ranked *b, bool reverse)
{
    if (a->rank != b->rank) {
        return (a->rank < b->rank) != reverse;
    }
    int order = 0;
    (void)value_compare(cell_value(&a->cell).bytes, cell_value(&b->cell).bytes, &order);
    return reverse ? order > 0 : order < 0;
}

static void sort_short(struct ranked *run, size_t len, bool reverse)
{
    for (size_t i = 1; i < len; i++) {
        struct ranked moving = run[i];
        size_t at = i;
        for (; at > 0 && before(&moving, &run[at - 1], reverse); at--) {
            run[at] = run[at - 1];
        }
        run[at] = moving;
    }
}

/* Merges run[0, half) and run[half, len), both sorted; `spare` has room for the first half. */
static void merge(struct ranked *run, size_t half, size_t len, struct ranked *spare, bool reverse)
{
    memcpy(spare, run, half * sizeof(*run));
    struct ranked *left = spare;
    struct ranked *left_end = spare + half;
    struct ranked *right = run + half;
    struct ranked *right_end = run + len;
    while (left < left_end) {
        bool take_right = right < right_end && before(right, left, reverse);
        *run++ = take_right ? *right++ : *left++;
    }
}

/* Recursion is as deep as the length has bits. */
static void sort_run(struct ranked *run, size_t len, struct ranked *spare, bool reverse)
{
    if (len <= RUN_SHORT) {
        sort_short(run, len, reverse);
        return;
    }
    size_t half = len / 2;
    sort_run(run, half, spare, reverse);
    sort_run(run + half, len - half, spare, reverse);
    if (before(&run[half], &run[half - 1], reverse)) {
        merge(run, half, len, spare, reverse);
    }
}

/* 0 if all values can be ordered among each other, else ERR_TYPE. */
static int check_order(const struct list *list)
{
    int order;
    for (uint32_t i = 1; i < list_len(list); i++) {
        if (value_compare(list_at(list, 0).bytes, list_at(list, i).bytes, &order) != 0) {
            return ERR_TYPE;
        }
    }
    return 0;
}

int list_sort(struct list *list, bool reverse)
{
    size_t len = list_len(list);
    int status = check_order(list);
    if (status != 0 || len < 2) {
        return status;
    }
    struct ranked *run = malloc((len + len / 2) * sizeof(*run));
    if (run == NULL) {
        return ERR_MEMORY;
    }
    for (uint32_t i = 0; i < len; i++) {
        run[i] = (struct ranked){rank_of(list_at(list, i).bytes), *cells_at(&list->cells, i)};
    }
    sort_run(run, len, run + len, reverse);
    for (uint32_t i = 0; i < len; i++) {
        *cells_at(&list->cells, i) = run[i].cell;
    }
    free(run);
    list_tell(list, EVENT_sort, 0, 0, 0);
    return 0;
}
