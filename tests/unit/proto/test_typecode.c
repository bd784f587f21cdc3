/* Tests of proto/typecode: numbers to items and back, and additions, for every typecode. What is
 * expected is worked out with the C types that the typecodes stand for. */
#include "proto/typecode.h"

#include "tests/support/unit.h"

#include <float.h>
#include <limits.h>
#include <math.h>

static struct header of_int(int64_t i)
{
    return (struct header){.kind = KIND_INT, .i = i};
}

static struct header of_uint(uint64_t u)
{
    return u > INT64_MAX ? (struct header){.kind = KIND_UINT, .u = u} : of_int((int64_t)u);
}

static struct header of_float(double f)
{
    return (struct header){.kind = KIND_FLOAT, .f = f};
}

static struct header of_bool(bool b)
{
    return (struct header){.kind = KIND_BOOL, .b = b};
}

static int encode(char code, struct header number, uint64_t *bits)
{
    return typecode_encode(typecode_find(code), &number, bits);
}

/* The number must come back as it was, by way of memory that holds something else before. */
static void check_keeps(char code, struct header number)
{
    const struct typecode *type = typecode_find(code);
    _Alignas(8) uint8_t memory[16];
    uint64_t bits;
    struct header back;
    memset(memory, 0x55, sizeof(memory));
    assert_int_equal(typecode_encode(type, &number, &bits), 0);
    typecode_store(type, memory, bits);
    assert_int_equal(typecode_load(type, memory), bits);
    typecode_decode(type, typecode_load(type, memory), &back);
    assert_int_equal(back.kind, number.kind);
    if (number.kind == KIND_BOOL) {
        assert_int_equal(back.b, number.b);
    } else {
        assert_int_equal(back.u, number.u);
    }
    for (size_t i = type->size; i < sizeof(memory); i++) {
        assert_int_equal(memory[i], 0x55); /* and nothing beside the item has changed */
    }
}

static void check_refuses(char code, struct header number, int error)
{
    uint64_t bits = 77;
    assert_int_equal(encode(code, number, &bits), error);
    assert_int_equal(bits, 77);
}

static void there_are_thirteen_typecodes(void **state)
{
    static const char codes[] = "bBhHiIlLqQfd?";
    static const size_t sizes[] = {
        sizeof(char),  sizeof(char),   sizeof(short), sizeof(short),     sizeof(int),
        sizeof(int),   sizeof(long),   sizeof(long),  sizeof(long long), sizeof(long long),
        sizeof(float), sizeof(double), sizeof(bool)};
    unsigned found = 0;
    for (int code = CHAR_MIN; code <= CHAR_MAX; code++) {
        found += typecode_find((char)code) != NULL;
    }
    assert_int_equal(found, sizeof(codes) - 1);
    for (size_t i = 0; i < found; i++) {
        assert_int_equal(typecode_find(codes[i])->code, codes[i]);
        assert_int_equal(typecode_find(codes[i])->size, sizes[i]);
    }
}

static void integers_are_kept_up_to_the_limits_of_their_type(void **state)
{
    static const struct {
        char code;
        int64_t least;
        uint64_t most;
    } rows[] = {
        {'b', SCHAR_MIN, SCHAR_MAX}, {'B', 0, UCHAR_MAX},     {'h', SHRT_MIN, SHRT_MAX},
        {'H', 0, USHRT_MAX},         {'i', INT_MIN, INT_MAX}, {'I', 0, UINT_MAX},
        {'l', LONG_MIN, LONG_MAX},   {'L', 0, ULONG_MAX},     {'q', LLONG_MIN, LLONG_MAX},
        {'Q', 0, ULLONG_MAX},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char code = rows[i].code;
        check_keeps(code, of_int(rows[i].least));
        check_keeps(code, of_int(0));
        check_keeps(code, of_int(1));
        check_keeps(code, of_uint(rows[i].most));
        if (rows[i].least != INT64_MIN) {
            check_refuses(code, of_int(rows[i].least - 1), ERR_RANGE);
        }
        if (rows[i].most != UINT64_MAX) {
            check_refuses(code, of_uint(rows[i].most + 1), ERR_RANGE);
            check_refuses(code, of_uint(UINT64_MAX), ERR_RANGE);
        }
        check_refuses(code, of_float(1.0), ERR_TYPE);
        uint64_t bits = 0;
        assert_int_equal(encode(code, of_bool(true), &bits), 0); /* as Python counts */
        assert_int_equal(bits, 1);
        check_refuses(code, (struct header){.kind = KIND_NIL}, ERR_TYPE);
        check_refuses(code, (struct header){.kind = KIND_STR}, ERR_TYPE);
    }
}

static void floats_take_integers_too(void **state)
{
    static const double numbers[] = {0.0, -0.0, 1.5, -2.25, 0x1p100, INFINITY, -INFINITY, NAN};
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        check_keeps('f', of_float(numbers[i]));
        check_keeps('d', of_float(numbers[i]));
    }
    check_keeps('d', of_float(DBL_MAX));
    check_keeps('d', of_float(DBL_TRUE_MIN));
    check_keeps('d', of_float(0.1));
    uint64_t bits;
    struct header back;
    assert_int_equal(encode('f', of_float(0.1), &bits), 0);
    typecode_decode(typecode_find('f'), bits, &back);
    assert_true(back.f == (double)0.1F);
    assert_int_equal(encode('d', of_uint(UINT64_MAX), &bits), 0);
    typecode_decode(typecode_find('d'), bits, &back);
    assert_true(back.f == 0x1p64);
    assert_int_equal(encode('f', of_int(INT64_MIN), &bits), 0);
    typecode_decode(typecode_find('f'), bits, &back);
    assert_true(back.f == -0x1p63);
    assert_int_equal(encode('d', of_bool(true), &bits), 0);
    typecode_decode(typecode_find('d'), bits, &back);
    assert_true(back.f == 1.0);
    check_refuses('f', (struct header){.kind = KIND_BIN}, ERR_TYPE);
}

static void float_of_32_bits_refuses_what_would_become_infinite(void **state)
{
    check_keeps('f', of_float((double)FLT_MAX));
    check_refuses('f', of_float(0x1p128), ERR_RANGE);
    check_refuses('f', of_float(-DBL_MAX), ERR_RANGE);
    uint64_t bits;
    assert_int_equal(encode('f', of_float(DBL_TRUE_MIN), &bits), 0); /* rounds to 0 */
    assert_int_equal(bits, 0);
}

static void booleans_are_whether_a_number_is_true(void **state)
{
    uint64_t bits;
    struct header back;
    check_keeps('?', of_bool(true));
    check_keeps('?', of_bool(false));
    const struct header yes[] = {of_int(1),         of_int(2),           of_int(-1),
                                 of_int(INT64_MIN), of_uint(UINT64_MAX), of_float(0.25),
                                 of_float(NAN),     of_float(-1)};
    for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
        assert_int_equal(encode('?', yes[i], &bits), 0);
        assert_int_equal(bits, 1);
    }
    const struct header no[] = {of_int(0), of_float(0.0), of_float(-0.0)};
    for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++) {
        assert_int_equal(encode('?', no[i], &bits), 0);
        assert_int_equal(bits, 0);
    }
    check_refuses('?', (struct header){.kind = KIND_STR}, ERR_TYPE);
    for (uint64_t byte = 0; byte < 256; byte++) { /* whatever stands in memory */
        typecode_decode(typecode_find('?'), byte, &back);
        assert_int_equal(back.kind, KIND_BOOL);
        assert_int_equal(back.b, byte != 0);
    }
}

/* first + delta must be sum, in memory and in the answer. */
static void check_sum(char code, struct header first, struct header delta, struct header sum)
{
    const struct typecode *type = typecode_find(code);
    uint64_t memory = 0;
    uint64_t bits;
    uint64_t expected;
    assert_int_equal(typecode_encode(type, &first, &bits), 0);
    assert_int_equal(typecode_encode(type, &sum, &expected), 0);
    typecode_store(type, &memory, bits);
    assert_int_equal(typecode_add(type, &memory, &delta, &bits), 0);
    assert_int_equal(bits, expected);
    assert_int_equal(typecode_load(type, &memory), expected);
}

static void check_no_sum(char code, struct header first, struct header delta, int error)
{
    const struct typecode *type = typecode_find(code);
    uint64_t memory = 0;
    uint64_t before;
    uint64_t bits;
    assert_int_equal(typecode_encode(type, &first, &before), 0);
    typecode_store(type, &memory, before);
    assert_int_equal(typecode_add(type, &memory, &delta, &bits), error);
    assert_int_equal(typecode_load(type, &memory), before);
}

static void sums_stay_within_the_type(void **state)
{
    check_sum('b', of_int(-100), of_int(227), of_int(127));
    check_sum('B', of_int(255), of_int(-255), of_int(0));
    check_sum('h', of_int(-1), of_int(1), of_int(0));
    check_sum('q', of_int(INT64_MIN), of_uint(UINT64_MAX), of_int(INT64_MAX));
    check_sum('Q', of_uint(UINT64_MAX), of_int(INT64_MIN), of_uint(INT64_MAX));
    check_sum('Q', of_int(1), of_uint(UINT64_MAX - 1), of_uint(UINT64_MAX));
    check_sum('d', of_float(0.5), of_int(2), of_float(2.5));
    check_sum('d', of_float(0), of_uint(UINT64_MAX), of_float(0x1p64));
    check_sum('f', of_float(0.5), of_float(0.25), of_float(0.75));
    check_sum('d', of_float(DBL_MAX), of_float(DBL_MAX), of_float(INFINITY));
    check_no_sum('b', of_int(127), of_int(1), ERR_RANGE);
    check_no_sum('b', of_int(-128), of_int(-1), ERR_RANGE);
    check_no_sum('B', of_int(0), of_int(-1), ERR_RANGE);
    check_no_sum('I', of_int(0), of_uint(UINT64_MAX), ERR_RANGE);
    check_no_sum('q', of_int(INT64_MAX), of_int(1), ERR_RANGE);
    check_no_sum('q', of_int(INT64_MIN), of_int(-1), ERR_RANGE);
    check_no_sum('Q', of_uint(UINT64_MAX), of_uint(UINT64_MAX), ERR_RANGE);
    check_no_sum('f', of_float((double)FLT_MAX), of_float((double)FLT_MAX), ERR_RANGE);
}

static void what_is_no_number_is_not_added(void **state)
{
    check_no_sum('i', of_int(1), of_float(1), ERR_TYPE);
    check_no_sum('d', of_int(1), (struct header){.kind = KIND_NIL}, ERR_TYPE);
    check_no_sum('?', of_bool(true), of_int(1), ERR_TYPE);
    check_no_sum('?', of_bool(true), of_bool(true), ERR_TYPE);
}

static void exchange_tells_what_was_there(void **state)
{
    static const char codes[] = "BHIQ";
    for (size_t i = 0; i < sizeof(codes) - 1; i++) {
        const struct typecode *type = typecode_find(codes[i]);
        uint64_t memory = 0;
        uint64_t expected = 5;
        assert_false(typecode_exchange(type, &memory, &expected, 7));
        assert_int_equal(expected, 0);
        assert_true(typecode_exchange(type, &memory, &expected, 7));
        assert_int_equal(typecode_load(type, &memory), 7);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(there_are_thirteen_typecodes),
        cmocka_unit_test(integers_are_kept_up_to_the_limits_of_their_type),
        cmocka_unit_test(floats_take_integers_too),
        cmocka_unit_test(float_of_32_bits_refuses_what_would_become_infinite),
        cmocka_unit_test(booleans_are_whether_a_number_is_true),
        cmocka_unit_test(sums_stay_within_the_type),
        cmocka_unit_test(what_is_no_number_is_not_added),
        cmocka_unit_test(exchange_tells_what_was_there),
    };
    return cmocka_run_group_tests_name("typecode", tests, NULL, NULL);
}
