/* Tests of proto/header. */
#include "proto/header.h"

#include "tests/support/bytes.h"
#include "tests/support/unit.h"

#include <math.h>
#include <stdlib.h>

/* The specification's table of first bytes: what follows the first byte within the header is
 * `field` bytes of length, count or number, and for an ext a type behind it. */
struct format {
    unsigned from;
    unsigned to;
    enum kind kind;
    unsigned field;
};

static const struct format formats[] = {
    {0x00, 0x7f, KIND_INT, 0},   {0x80, 0x8f, KIND_MAP, 0},   {0x90, 0x9f, KIND_ARRAY, 0},
    {0xa0, 0xbf, KIND_STR, 0},   {0xc0, 0xc0, KIND_NIL, 0},   {0xc2, 0xc3, KIND_BOOL, 0},
    {0xc4, 0xc4, KIND_BIN, 1},   {0xc5, 0xc5, KIND_BIN, 2},   {0xc6, 0xc6, KIND_BIN, 4},
    {0xc7, 0xc7, KIND_EXT, 1},   {0xc8, 0xc8, KIND_EXT, 2},   {0xc9, 0xc9, KIND_EXT, 4},
    {0xca, 0xca, KIND_FLOAT, 4}, {0xcb, 0xcb, KIND_FLOAT, 8}, {0xcc, 0xcc, KIND_INT, 1},
    {0xcd, 0xcd, KIND_INT, 2},   {0xce, 0xce, KIND_INT, 4},   {0xcf, 0xcf, KIND_INT, 8},
    {0xd0, 0xd0, KIND_INT, 1},   {0xd1, 0xd1, KIND_INT, 2},   {0xd2, 0xd2, KIND_INT, 4},
    {0xd3, 0xd3, KIND_INT, 8},   {0xd4, 0xd8, KIND_EXT, 0},   {0xd9, 0xd9, KIND_STR, 1},
    {0xda, 0xda, KIND_STR, 2},   {0xdb, 0xdb, KIND_STR, 4},   {0xdc, 0xdc, KIND_ARRAY, 2},
    {0xdd, 0xdd, KIND_ARRAY, 4}, {0xde, 0xde, KIND_MAP, 2},   {0xdf, 0xdf, KIND_MAP, 4},
    {0xe0, 0xff, KIND_INT, 0},
};

static const struct format *format_of(unsigned first)
{
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
        if (first >= formats[i].from && first <= formats[i].to) {
            return &formats[i];
        }
    }
    return NULL;
}

/* What the low bits of a first byte say, where there is no field behind it. */
static unsigned low_bits(unsigned first)
{
    if (first >= 0xd4 && first <= 0xd8) {
        return 1U << (first - 0xd4);
    }
    return first >= 0xa0 ? first & 0x1f : first & 0x0f;
}

static void check_header(const struct header *header, unsigned first, const struct format *format,
                         unsigned field)
{
    bool is_run = format->kind == KIND_STR || format->kind == KIND_BIN || format->kind == KIND_EXT;
    bool is_container = format->kind == KIND_ARRAY || format->kind == KIND_MAP;
    unsigned number = format->field == 0 ? low_bits(first) : field;
    assert_int_equal(header->kind, format->kind);
    assert_int_equal(header->length, is_run ? number : 0);
    assert_int_equal(header->count, is_container ? number : 0);
    if (format->kind == KIND_EXT) {
        assert_int_equal(header->ext_type, -3);
    }
}

static void header_reads_every_first_byte(void **state)
{
    for (unsigned first = 0; first < 256; first++) {
        const struct format *format = format_of(first);
        if (format == NULL) {
            assert_int_equal(first, 0xc1);
            continue;
        }
        uint8_t bytes[10] = {(uint8_t)first};
        unsigned size = 1 + format->field;
        bytes[format->field] = 5; /* the lowest byte of the field, if there is one */
        bytes[0] = (uint8_t)first;
        if (format->kind == KIND_EXT) {
            bytes[size++] = 0xfd;
        }
        for (unsigned len = 0; len <= size; len++) {
            uint8_t *exact = exact_copy(bytes, len);
            struct header header;
            assert_int_equal(header_read(exact, len, &header), len < size ? HEADER_MORE : 0);
            if (len == size) {
                assert_int_equal(header.size, size);
                check_header(&header, first, format, 5);
            }
            free(exact);
        }
    }
}

static void header_refuses_the_unused_byte(void **state)
{
    struct header header;
    assert_int_equal(header_read((const uint8_t *)"\xc1", 1, &header), ERR_BAD_REQUEST);
    assert_int_equal(header_read((const uint8_t *)"\xc1\0\0\0\0\0\0\0\0", 9, &header),
                     ERR_BAD_REQUEST);
}

static struct header read_hex(const char *hex)
{
    struct buffer bytes = bytes_of_hex(hex);
    struct header header;
    assert_int_equal(header_read(bytes.data, bytes.len, &header), 0);
    assert_int_equal(header.size, bytes.len);
    buffer_deinit(&bytes);
    return header;
}

struct integer {
    const char *hex;
    int64_t value;
};

static void header_reads_integers_with_their_sign(void **state)
{
    static const struct integer rows[] = {
        {"00", 0},
        {"7f", 127},
        {"e0", -32},
        {"ff", -1},
        {"ccff", 255},
        {"cdffff", 65535},
        {"cd0102", 0x0102},
        {"ceffffffff", UINT32_MAX},
        {"ce01020304", 0x01020304},
        {"cf7fffffffffffffff", INT64_MAX},
        {"cf0102030405060708", INT64_C(0x0102030405060708)},
        {"d080", -128},
        {"d07f", 127},
        {"d18000", -32768},
        {"d1ffff", -1},
        {"d280000000", INT32_MIN},
        {"d27fffffff", INT32_MAX},
        {"d38000000000000000", INT64_MIN},
        {"d3ffffffffffffffff", -1},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct header header = read_hex(rows[i].hex);
        assert_int_equal(header.kind, KIND_INT);
        assert_true(header.i == rows[i].value);
    }
}

static void header_reads_what_int64_cannot_hold_as_uint(void **state)
{
    struct header header = read_hex("cf8000000000000000");
    assert_int_equal(header.kind, KIND_UINT);
    assert_true(header.u == (uint64_t)INT64_MAX + 1);
    header = read_hex("cfffffffffffffffff");
    assert_int_equal(header.kind, KIND_UINT);
    assert_true(header.u == UINT64_MAX);
}

static void header_reads_floats_of_both_widths(void **state)
{
    assert_true(read_hex("ca3fc00000").f == 1.5);
    assert_true(read_hex("cb3ff8000000000000").f == 1.5);
    assert_true(read_hex("cbc00921fb54442d18").f == -3.141592653589793);
    assert_true(isnan(read_hex("ca7fc00000").f));
    assert_true(isinf(read_hex("cbfff0000000000000").f));
}

static void header_reads_booleans(void **state)
{
    assert_false(read_hex("c2").b);
    assert_true(read_hex("c3").b);
}

static void header_reads_the_largest_lengths(void **state)
{
    assert_true(read_hex("dbffffffff").length == UINT32_MAX);
    assert_true(read_hex("c6fffffffe").length == UINT32_MAX - 1);
    assert_true(read_hex("c9ffffffff05").length == UINT32_MAX);
    assert_true(read_hex("ddffffffff").count == UINT32_MAX);
    assert_true(read_hex("df80000000").count == UINT32_C(0x80000000));
}

static void kinds_have_names(void **state)
{
    assert_string_equal(kind_name(KIND_NIL), "nil");
    assert_string_equal(kind_name(KIND_INT), "an integer");
    assert_string_equal(kind_name(KIND_UINT), "an integer");
    for (int kind = KIND_NIL; kind <= KIND_EXT; kind++) {
        for (int other = KIND_NIL; other < kind; other++) {
            if (kind != KIND_UINT || other != KIND_INT) {
                assert_string_not_equal(kind_name((enum kind)kind), kind_name((enum kind)other));
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(header_reads_every_first_byte),
        cmocka_unit_test(header_refuses_the_unused_byte),
        cmocka_unit_test(header_reads_integers_with_their_sign),
        cmocka_unit_test(header_reads_what_int64_cannot_hold_as_uint),
        cmocka_unit_test(header_reads_floats_of_both_widths),
        cmocka_unit_test(header_reads_booleans),
        cmocka_unit_test(header_reads_the_largest_lengths),
        cmocka_unit_test(kinds_have_names),
    };
    return cmocka_run_group_tests_name("header", tests, NULL, NULL);
}
