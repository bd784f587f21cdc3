/*
 * number: the order of values and their sum; see value.h.
 *
 * Integers are never turned into doubles to compare them: a double holds 53 bits of the 64. They
 * are compared with the whole part of the float, which is exact in 64 bits, and then with what the
 * float has beyond it.
 */
#include "proto/value.h"

__extension__ typedef __int128 wide; /* holds every int64 and uint64, and the sum of any two */

static int order_of(bool less, bool greater)
{
    return (int)greater - (int)less;
}

static bool is_integer(const struct header *header)
{
    return header->kind == KIND_INT || header->kind == KIND_UINT;
}

static bool is_number(const struct header *header)
{
    return is_integer(header) || header->kind == KIND_FLOAT;
}

static wide wide_of(const struct header *header)
{
    return header->kind == KIND_UINT ? (wide)header->u : (wide)header->i;
}

static double double_of(const struct header *header)
{
    switch (header->kind) {
    case KIND_INT:
        return (double)header->i;
    case KIND_UINT:
        return (double)header->u;
    default:
        return header->f;
    }
}

static int compare_wide_double(wide a, double b)
{
    if (b != b) {
        return 0;
    }
    if (b >= 0x1p64) {
        return -1;
    }
    if (b < -0x1p63) {
        return 1;
    }
    wide whole = (wide)b;
    if (a != whole) {
        return order_of(a<whole, a> whole);
    }
    double beyond = b - (double)whole;
    return order_of(beyond > 0, beyond < 0);
}

static int compare_numbers(const struct header *a, const struct header *b)
{
    if (a->kind == KIND_INT && b->kind == KIND_INT) {
        return order_of(a->i<b->i, a->i> b->i);
    }
    if (is_integer(a) && is_integer(b)) {
        return order_of(wide_of(a) < wide_of(b), wide_of(a) > wide_of(b));
    }
    if (is_integer(a)) {
        return compare_wide_double(wide_of(a), b->f);
    }
    if (is_integer(b)) {
        return -compare_wide_double(wide_of(b), a->f);
    }
    return order_of(a->f<b->f, a->f> b->f);
}

static int compare_runs(struct slice a, struct slice b)
{
    size_t common = a.len < b.len ? a.len : b.len;
    int order = common > 0 ? memcmp(a.data, b.data, common) : 0;
    return order != 0 ? order_of(order<0, order> 0) : order_of(a.len<b.len, a.len> b.len);
}

/* The bytes of a str or bin behind its header. */
static struct slice run_of(struct slice value, const struct header *header)
{
    return (struct slice){value.data + header->size, value.len - header->size};
}

int value_compare(struct slice a, struct slice b, int *order)
{
    struct header header_a;
    struct header header_b;
    if (header_read(a.data, a.len, &header_a) != 0 || header_read(b.data, b.len, &header_b) != 0) {
        return ERR_TYPE;
    }
    if (is_number(&header_a) && is_number(&header_b)) {
        *order = compare_numbers(&header_a, &header_b);
        return 0;
    }
    if (header_a.kind == header_b.kind &&
        (header_a.kind == KIND_STR || header_a.kind == KIND_BIN)) {
        *order = compare_runs(run_of(a, &header_a), run_of(b, &header_b));
        return 0;
    }
    return ERR_TYPE;
}

int value_add(struct slice a, struct slice b, struct buffer *out)
{
    struct header header_a;
    struct header header_b;
    if (header_read(a.data, a.len, &header_a) != 0 || header_read(b.data, b.len, &header_b) != 0 ||
        !is_number(&header_a) || !is_number(&header_b)) {
        return ERR_TYPE;
    }
    if (!is_integer(&header_a) || !is_integer(&header_b)) {
        pack_double(out, double_of(&header_a) + double_of(&header_b));
        return 0;
    }
    wide sum = wide_of(&header_a) + wide_of(&header_b);
    if (sum < INT64_MIN || sum > (wide)UINT64_MAX) {
        return ERR_RANGE;
    }
    if (sum < 0) {
        pack_int(out, (int64_t)sum);
    } else {
        pack_uint(out, (uint64_t)sum);
    }
    return 0;
}
