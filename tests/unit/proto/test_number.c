/* Tests of proto/number: value_compare and value_add. */
#include "proto/value.h"

#include "tests/support/bytes.h"
#include "tests/support/random_value.h"
#include "tests/support/unit.h"

#include <float.h>

enum { NOT_COMPARABLE = 2 };

static int order_of(struct slice a, struct slice b)
{
    int order = 77;
    int status = value_compare(a, b, &order);
    assert_int_equal(status, order == 77 ? ERR_TYPE : 0);
    return order == 77 ? NOT_COMPARABLE : order;
}

static int order_hex(const char *a, const char *b)
{
    struct buffer bytes_a = bytes_of_hex(a);
    struct buffer bytes_b = bytes_of_hex(b);
    int order = order_of(buffer_slice(&bytes_a), buffer_slice(&bytes_b));
    int back = order_of(buffer_slice(&bytes_b), buffer_slice(&bytes_a));
    assert_int_equal(back, order == NOT_COMPARABLE ? order : -order);
    buffer_deinit(&bytes_a);
    buffer_deinit(&bytes_b);
    return order;
}

struct pair {
    const char *a;
    const char *b;
    int order;
};

static void check_pairs(const struct pair *pairs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (order_hex(pairs[i].a, pairs[i].b) != pairs[i].order) {
            print_error("%s against %s\n", pairs[i].a, pairs[i].b);
            fail();
        }
    }
}

static void integers_compare_over_their_whole_range(void **state)
{
    static const struct pair pairs[] = {
        {"01", "02", -1},
        {"05", "d30000000000000005", 0},
        {"ff", "00", -1},
        {"d38000000000000000", "cf7fffffffffffffff", -1},
        {"d38000000000000000", "cfffffffffffffffff", -1},
        {"cf7fffffffffffffff", "cf8000000000000000", -1},
        {"cf8000000000000000", "cfffffffffffffffff", -1},
        {"cfffffffffffffffff", "cfffffffffffffffff", 0},
        {"ff", "cfffffffffffffffff", -1},
    };
    check_pairs(pairs, sizeof(pairs) / sizeof(pairs[0]));
}

static void integers_compare_with_floats_exactly(void **state)
{
    static const struct pair pairs[] = {
        {"01", "cb3ff0000000000000", 0},                  /* 1.0 */
        {"01", "ca3f800000", 0},                          /* 1.0 in 32 bits */
        {"01", "cb3ff8000000000000", -1},                 /* 1.5 */
        {"02", "cb3ff8000000000000", 1},                  /* 1.5 */
        {"ff", "cbbff8000000000000", 1},                  /* -1.5 */
        {"fe", "cbbff8000000000000", -1},                 /* -1.5 */
        {"00", "cb8000000000000000", 0},                  /* -0.0 */
        {"00", "cb0000000000000001", -1},                 /* the smallest of all */
        {"00", "cb8000000000000001", 1},                  /* and below zero */
        {"cf0020000000000001", "cb4340000000000000", 1},  /* 2^53 + 1 and 2^53 */
        {"cf0020000000000000", "cb4340000000000000", 0},  /* 2^53 */
        {"d3ffdfffffffffffff", "cbc340000000000000", -1}, /* -2^53 - 1 and -2^53 */
        {"cf7fffffffffffffff", "cb43e0000000000000", -1}, /* 2^63 - 1 and 2^63 */
        {"cf8000000000000000", "cb43e0000000000000", 0},  /* 2^63 */
        {"cf8000000000000001", "cb43e0000000000000", 1},  /* 2^63 + 1 */
        {"cfffffffffffffffff", "cb43f0000000000000", -1}, /* 2^64 - 1 and 2^64 */
        {"cffffffffffffff800", "cb43efffffffffffff", 0},  /* the float before it */
        {"d38000000000000000", "cbc3e0000000000000", 0},  /* -2^63 */
        {"d38000000000000000", "cbc3e0000000000001", 1},  /* the float below it */
        {"d38000000000000001", "cbc3e0000000000000", 1},  /* -2^63 + 1 */
        {"cfffffffffffffffff", "cb7ff0000000000000", -1}, /* infinity */
        {"d38000000000000000", "cbfff0000000000000", 1},  /* -infinity */
        {"cfffffffffffffffff", "cb7fefffffffffffff", -1}, /* the largest float */
        {"cfffffffffffffffff", "cbffefffffffffffff", 1},  /* the lowest one */
    };
    check_pairs(pairs, sizeof(pairs) / sizeof(pairs[0]));
}

static void floats_compare_by_number(void **state)
{
    static const struct pair pairs[] = {
        {"cb3ff0000000000000", "cb3ff8000000000000", -1},
        {"cb0000000000000000", "cb8000000000000000", 0},
        {"ca3fc00000", "cb3ff8000000000000", 0},
        {"cbfff0000000000000", "cb7ff0000000000000", -1},
        {"cb7ff0000000000000", "cb7ff0000000000000", 0},
    };
    check_pairs(pairs, sizeof(pairs) / sizeof(pairs[0]));
}

static void nan_is_neither_less_nor_greater_than_any_number(void **state)
{
    static const char *const numbers[] = {
        "00",
        "ff",
        "cfffffffffffffffff",
        "d38000000000000000",
        "cb3ff0000000000000",
        "cb7ff0000000000000",
        "cb7ff8000000000000",
    };
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        assert_int_equal(order_hex("cb7ff8000000000000", numbers[i]), 0);
        assert_int_equal(order_hex("cafff00000", numbers[i]), 0);
    }
}

static void runs_compare_by_their_bytes(void **state)
{
    static const struct pair pairs[] = {
        {"a0", "a161", -1},   {"a161", "a161", 0},    {"a161", "d90161", 0},
        {"a161", "a162", -1}, {"a161", "a26161", -1}, {"a162", "a26161", 1},
        {"a17f", "a180", -1}, /* bytes, not signed ones */
        {"a100", "a0", 1},    {"c400", "c40100", -1}, {"c401ff", "c50001fe", 1},
    };
    check_pairs(pairs, sizeof(pairs) / sizeof(pairs[0]));
}

static void other_kinds_and_mixtures_cannot_be_ordered(void **state)
{
    static const char *const kinds[] = {
        "01", "a161", "c40161", "c0", "c2", "90", "80", "d40161",
    };
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        for (size_t j = 0; j < sizeof(kinds) / sizeof(kinds[0]); j++) {
            int expected = i == j && i < 3 ? 0 : NOT_COMPARABLE;
            assert_int_equal(order_hex(kinds[i], kinds[j]), expected);
        }
    }
    assert_int_equal(order_hex("c3", "01"), NOT_COMPARABLE);
    assert_int_equal(order_hex("c3", "cb3ff0000000000000"), NOT_COMPARABLE);
    assert_int_equal(order_hex("a131", "cb3ff0000000000000"), NOT_COMPARABLE);
}

/* A number as a long double, which holds every integer of 64 bits and every double as it is. */
static long double number_of(struct slice value)
{
    struct header header;
    assert_int_equal(header_read(value.data, value.len, &header), 0);
    return header.kind == KIND_INT    ? (long double)header.i
           : header.kind == KIND_UINT ? (long double)header.u
                                      : (long double)header.f;
}

static bool is_number(struct slice value)
{
    struct header header;
    assert_int_equal(header_read(value.data, value.len, &header), 0);
    return header.kind == KIND_INT || header.kind == KIND_UINT || header.kind == KIND_FLOAT;
}

static void numbers_compare_as_wider_floats_do(void **state)
{
    if (LDBL_MANT_DIG < 64) {
        skip();
    }
    struct random random = random_from_seed(1);
    for (unsigned i = 0; i < 200000; i++) {
        struct buffer a = {0};
        struct buffer b = {0};
        random_orderable(&random, &a);
        random_orderable(&random, &b);
        if (is_number(buffer_slice(&a)) && is_number(buffer_slice(&b))) {
            long double x = number_of(buffer_slice(&a));
            long double y = number_of(buffer_slice(&b));
            assert_int_equal(order_of(buffer_slice(&a), buffer_slice(&b)), (x > y) - (x < y));
        }
        buffer_deinit(&a);
        buffer_deinit(&b);
    }
}

struct sum {
    const char *a;
    const char *b;
    const char *sum; /* NULL: status */
    int status;
};

static void value_add_gives_the_canonical_sum(void **state)
{
    static const struct sum sums[] = {
        {"01", "02", "03", 0},
        {"cc01", "d30000000000000002", "03", 0},
        {"7f", "01", "cc80", 0},
        {"00", "ff", "ff", 0},
        {"cf7fffffffffffffff", "01", "cf8000000000000000", 0},
        {"cf8000000000000000", "ff", "cf7fffffffffffffff", 0},
        {"cfffffffffffffffff", "00", "cfffffffffffffffff", 0},
        {"cfffffffffffffffff", "d38000000000000000", "cf7fffffffffffffff", 0},
        {"cfffffffffffffffff", "01", NULL, ERR_RANGE},
        {"cfffffffffffffffff", "cfffffffffffffffff", NULL, ERR_RANGE},
        {"d38000000000000000", "00", "d38000000000000000", 0},
        {"d38000000000000000", "ff", NULL, ERR_RANGE},
        {"d38000000000000000", "d38000000000000000", NULL, ERR_RANGE},
        {"01", "cb3ff8000000000000", "cb4004000000000000", 0},
        {"cb3ff8000000000000", "01", "cb4004000000000000", 0},
        {"ca3fc00000", "ca3fc00000", "cb4008000000000000", 0},
        {"cfffffffffffffffff", "cb0000000000000000", "cb43f0000000000000", 0},
        {"cb7fefffffffffffff", "cb7fefffffffffffff", "cb7ff0000000000000", 0},
        {"c3", "01", NULL, ERR_TYPE},
        {"01", "c3", NULL, ERR_TYPE},
        {"01", "a131", NULL, ERR_TYPE},
        {"c0", "cb3ff8000000000000", NULL, ERR_TYPE},
        {"90", "90", NULL, ERR_TYPE},
    };
    for (size_t i = 0; i < sizeof(sums) / sizeof(sums[0]); i++) {
        struct buffer a = bytes_of_hex(sums[i].a);
        struct buffer b = bytes_of_hex(sums[i].b);
        struct buffer out = {0};
        assert_int_equal(value_add(buffer_slice(&a), buffer_slice(&b), &out), sums[i].status);
        assert_hex(buffer_slice(&out), sums[i].sum == NULL ? "" : sums[i].sum);
        buffer_deinit(&a);
        buffer_deinit(&b);
        buffer_deinit(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_compare_over_their_whole_range),
        cmocka_unit_test(integers_compare_with_floats_exactly),
        cmocka_unit_test(floats_compare_by_number),
        cmocka_unit_test(nan_is_neither_less_nor_greater_than_any_number),
        cmocka_unit_test(runs_compare_by_their_bytes),
        cmocka_unit_test(other_kinds_and_mixtures_cannot_be_ordered),
        cmocka_unit_test(numbers_compare_as_wider_floats_do),
        cmocka_unit_test(value_add_gives_the_canonical_sum),
    };
    return cmocka_run_group_tests_name("number", tests, NULL, NULL);
}
