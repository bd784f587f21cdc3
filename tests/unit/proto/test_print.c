/* Tests of proto/print: value_print. */
#include "proto/value.h"

#include "tests/support/bytes.h"
#include "tests/support/random_value.h"
#include "tests/support/unit.h"

static void expect_print(const char *hex, size_t limit, const char *expected)
{
    struct buffer bytes = bytes_of_hex(hex);
    struct buffer out = {0};
    value_print(buffer_slice(&bytes), limit, &out);
    assert_int_equal(buffer_append(&out, "", 1), 0);
    assert_string_equal((const char *)out.data, expected);
    buffer_deinit(&bytes);
    buffer_deinit(&out);
}

struct row {
    const char *hex;
    const char *text;
};

static void check_rows(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        expect_print(rows[i].hex, 1000, rows[i].text);
    }
}

static void print_shows_scalars_as_json(void **state)
{
    static const struct row rows[] = {
        {"c0", "null"},
        {"c2", "false"},
        {"c3", "true"},
        {"05", "5"},
        {"cc05", "5"},
        {"d38000000000000000", "-9223372036854775808"},
        {"cfffffffffffffffff", "18446744073709551615"},
        {"a568656c6c6f", "\"hello\""},
        {"a0", "\"\""},
    };
    check_rows(rows, sizeof(rows) / sizeof(rows[0]));
}

static void print_shows_floats_so_that_they_read_back(void **state)
{
    static const struct row rows[] = {
        {"cb3ff0000000000000", "1.0"},
        {"cb8000000000000000", "-0.0"},
        {"cb3fb999999999999a", "0.1"},
        {"cb3fd3333333333334", "0.30000000000000004"},
        {"cb7fefffffffffffff", "1.7976931348623157e+308"},
        {"cb0000000000000001", "4.94065645841247e-324"},
        {"ca3dcccccd", "0.10000000149011612"},
        {"cb444b1ae4d6e2ef50", "1e+21"},
        {"cb7ff8000000000000", "NaN"},
        {"cb7ff0000000000000", "Infinity"},
        {"cbfff0000000000000", "-Infinity"},
    };
    check_rows(rows, sizeof(rows) / sizeof(rows[0]));
}

static void print_escapes_what_is_no_plain_text(void **state)
{
    static const struct row rows[] = {
        {"a4225c2f27", "\"\\\"\\\\/'\""},
        {"a30a0d09", "\"\\n\\r\\t\""},
        {"a500011b1f7f", "\"\\u0000\\u0001\\u001b\\u001f\\u007f\""},
        {"a4c280c29f", "\"\\u0080\\u009f\""}, /* controls of two bytes */
        {"a4c2a0c3a4", "\"\xc2\xa0ä\""},      /* and what is none */
        {"a4f09f9880", "\"😀\""},
        {"a3ff61c3", "\"\\xffa\\xc3\""},     /* no UTF-8 */
        {"a3eda080", "\"\\xed\\xa0\\x80\""}, /* a surrogate */
        {"a2c0af", "\"\\xc0\\xaf\""},        /* overlong */
    };
    check_rows(rows, sizeof(rows) / sizeof(rows[0]));
}

static void print_shows_bin_and_ext_as_bytes(void **state)
{
    static const struct row rows[] = {
        {"c400", "b\"\""},
        {"c4066100ff225c0a", "b\"a\\x00\\xff\\\"\\\\\\x0a\""},
        {"c402c3a4", "b\"\\xc3\\xa4\""},
        {"d40571", "ext(5, b\"q\")"},
        {"d50171e9", "reference(\"q\\xe9\")"},
        {"d4020f", "descriptor(15)"},
        {"c70002", "ext(2, b\"\")"},
        {"d6ff00000001", "ext(-1, b\"\\x00\\x00\\x00\\x01\")"},
        {"c70080", "ext(-128, b\"\")"},
    };
    check_rows(rows, sizeof(rows) / sizeof(rows[0]));
}

static void print_shows_containers(void **state)
{
    static const struct row rows[] = {
        {"90", "[]"},
        {"80", "{}"},
        {"93 01 a161 c0", "[1, \"a\", null]"},
        {"82 a161 01 02 91 c3", "{\"a\": 1, 2: [true]}"},
        {"92 91 91 01 80", "[[[1]], {}]"},
    };
    check_rows(rows, sizeof(rows) / sizeof(rows[0]));
}

static void print_cuts_off_at_the_limit(void **state)
{
    expect_print("a568656c6c6f", 7, "\"hello\"");
    expect_print("a568656c6c6f", 6, "\"hello…");
    expect_print("a568656c6c6f", 3, "\"he…");
    expect_print("a568656c6c6f", 0, "…");
    expect_print("a4f09f9880", 4, "\"…"); /* a character is not cut in two */
    expect_print("a30001 02", 10, "\"\\u0000…");
    expect_print("93 01 02 03", 4, "[1, …");
    expect_print("cfffffffffffffffff", 5, "…");
    expect_print("82 01 02 03 04", 6, "{1: 2…");
}

static void print_of_a_huge_container_stops_at_the_limit(void **state)
{
    struct buffer bytes = bytes_of_hex("dd00100000");
    for (unsigned i = 0; i < 0x100000; i++) {
        assert_int_equal(buffer_append(&bytes, "\x01", 1), 0);
    }
    struct buffer out = {0};
    value_print(buffer_slice(&bytes), 5, &out);
    assert_bytes(buffer_slice(&out), slice_of_string("[1, 1…"));
    buffer_deinit(&bytes);
    buffer_deinit(&out);
}

static bool has_control(struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        bool c1 = text.data[i] == 0xc2 && i + 1 < text.len && text.data[i + 1] < 0xa0;
        if (text.data[i] < 0x20 || text.data[i] == 0x7f || c1) {
            return true;
        }
    }
    return false;
}

/* Random values, with strs made of any bytes, at every limit. */
static void print_is_clean_text_whatever_the_value(void **state)
{
    static const struct random_shape shape = {
        .max_depth = 4, .max_count = 4, .max_run = 20, .any_form = true};
    struct random random = random_from_seed(1);
    for (unsigned i = 0; i < 5000; i++) {
        struct buffer bytes = {0};
        append_hex(&bytes, "92 aa");
        for (unsigned j = 0; j < 10; j++) {
            uint8_t byte = (uint8_t)(random_below(&random, 2) == 0 ? 0xc2 : random_next(&random));
            assert_int_equal(buffer_append(&bytes, &byte, 1), 0);
        }
        random_value(&random, &shape, &bytes);
        size_t limit = random_below(&random, 200);
        struct buffer out = {0};
        value_print(buffer_slice(&bytes), limit, &out);
        assert_false(out.failed);
        assert_true(out.len <= limit + strlen("…"));
        assert_true(value_is_utf8(buffer_slice(&out)));
        assert_false(has_control(buffer_slice(&out)));
        buffer_deinit(&bytes);
        buffer_deinit(&out);
    }
}

static void print_into_a_failed_buffer_adds_nothing(void **state)
{
    struct buffer bytes = bytes_of_hex("93 01 a161 c0");
    struct buffer out = {.failed = true};
    value_print(buffer_slice(&bytes), 100, &out);
    assert_int_equal(out.len, 0);
    buffer_deinit(&bytes);
    buffer_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(print_shows_scalars_as_json),
        cmocka_unit_test(print_shows_floats_so_that_they_read_back),
        cmocka_unit_test(print_escapes_what_is_no_plain_text),
        cmocka_unit_test(print_shows_bin_and_ext_as_bytes),
        cmocka_unit_test(print_shows_containers),
        cmocka_unit_test(print_cuts_off_at_the_limit),
        cmocka_unit_test(print_of_a_huge_container_stops_at_the_limit),
        cmocka_unit_test(print_is_clean_text_whatever_the_value),
        cmocka_unit_test(print_into_a_failed_buffer_adds_nothing),
    };
    return cmocka_run_group_tests_name("print", tests, NULL, NULL);
}
