/* Tests of proto/error. */
#include "proto/error.h"

#include "tests/support/unit.h"

struct expected {
    const char *name;
    int number;
};

/* The protocol's codes with the numbers that libipcclient promised: only rows at the end may be
 * added here. */
static const struct expected codes[] = {
    {"BAD_REQUEST", -1},  {"UNKNOWN_METHOD", -2}, {"NOT_FOUND", -3},  {"EXISTS", -4},
    {"WRONG_TYPE", -5},   {"MISMATCH", -6},       {"FULL", -7},       {"EMPTY", -8},
    {"SHUT_DOWN", -9},    {"TIMEOUT", -10},       {"CANCELLED", -11}, {"DELETED", -12},
    {"KEY", -13},         {"INDEX", -14},         {"VALUE", -15},     {"TYPE", -16},
    {"RANGE", -17},       {"NOT_OWNER", -18},     {"BROKEN", -19},    {"TOO_LARGE", -20},
    {"LIMIT", -21},       {"DENIED", -22},        {"STORAGE", -23},   {"INTERNAL", -24},
    {"UNSUPPORTED", -25}, {"ENGINE", -26},
};

enum { CODES = sizeof(codes) / sizeof(codes[0]) };

static void error_codes_keep_their_numbers_and_names(void **state)
{
    for (size_t i = 0; i < CODES; i++) {
        assert_string_equal(error_name(codes[i].number), codes[i].name);
        assert_int_equal(error_from_name(slice_of_string(codes[i].name)), codes[i].number);
    }
    assert_int_equal(ERR_BAD_REQUEST, -1);
    assert_int_equal(ERR_ENGINE, -CODES);
}

static void error_meanings_are_there_and_differ(void **state)
{
    for (size_t i = 0; i < CODES; i++) {
        assert_true(strlen(error_meaning(codes[i].number)) > 0);
        for (size_t j = 0; j < i; j++) {
            assert_string_not_equal(error_meaning(codes[i].number), error_meaning(codes[j].number));
        }
    }
}

static void error_number_that_is_none_is_internal(void **state)
{
    assert_string_equal(error_name(0), "INTERNAL");
    assert_string_equal(error_name(1), "INTERNAL");
    assert_string_equal(error_name(-CODES - 1), "INTERNAL");
    assert_string_equal(error_meaning(-1001), error_meaning(ERR_INTERNAL));
}

static void error_want_of_memory_is_a_limit_on_the_wire(void **state)
{
    assert_string_equal(error_name(ERR_MEMORY), "LIMIT");
    assert_string_equal(error_meaning(ERR_MEMORY), "out of memory");
}

static void error_from_unknown_name_is_zero(void **state)
{
    assert_int_equal(error_from_name(slice_of_string("")), 0);
    assert_int_equal(error_from_name(slice_of_string("FUL")), 0);
    assert_int_equal(error_from_name(slice_of_string("FULLY")), 0);
    assert_int_equal(error_from_name(slice_of_string("full")), 0);
    assert_int_equal(error_from_name((struct slice){NULL, 0}), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(error_codes_keep_their_numbers_and_names),
        cmocka_unit_test(error_meanings_are_there_and_differ),
        cmocka_unit_test(error_number_that_is_none_is_internal),
        cmocka_unit_test(error_want_of_memory_is_a_limit_on_the_wire),
        cmocka_unit_test(error_from_unknown_name_is_zero),
    };
    return cmocka_run_group_tests_name("error", tests, NULL, NULL);
}
