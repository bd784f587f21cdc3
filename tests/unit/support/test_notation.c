/* notation: every form of the text, and what matches what. */
#include "tests/support/rpc.h"

#include <string.h>

static void packs(const char *text, const char *bytes, size_t size)
{
    msgpack_sbuffer out;
    msgpack_sbuffer_init(&out);
    const char *bad = notation_pack(text, &out);
    if (bad != NULL || out.size != size || memcmp(out.data, bytes, size) != 0) {
        fail_msg("%s does not become the bytes expected", text);
    }
    msgpack_sbuffer_destroy(&out);
}
#define PACKS(text, bytes) packs(text, bytes, sizeof(bytes) - 1)

static void scalars_are_packed_in_their_shortest_form(void **state)
{
    PACKS("nil", "\xc0");
    PACKS("true", "\xc3");
    PACKS("false", "\xc2");
    PACKS("5", "\x05");
    PACKS("-1", "\xff");
    PACKS("0xff", "\xcc\xff");
    PACKS("-32769", "\xd2\xff\xff\x7f\xff");
    PACKS("18446744073709551615", "\xcf\xff\xff\xff\xff\xff\xff\xff\xff");
    PACKS("-9223372036854775808", "\xd3\x80\0\0\0\0\0\0\0");
    PACKS("1.5", "\xcb\x3f\xf8\0\0\0\0\0\0");
    PACKS("-1e2", "\xcb\xc0\x59\0\0\0\0\0\0");
    PACKS("f32(1.5)", "\xca\x3f\xc0\0\0");
    PACKS("inf", "\xcb\x7f\xf0\0\0\0\0\0\0");
    PACKS("-inf", "\xcb\xff\xf0\0\0\0\0\0\0");
}

static void strings_know_escapes_and_repetition(void **state)
{
    PACKS("''", "\xa0");
    PACKS("'a\\n\\'\\\\\\x00\\xff'", "\xa6"
                                     "a\n'\\\0\xff");
    PACKS("'ab' * 2", "\xa4"
                      "abab");
    PACKS("b'a'", "\xc4\x01"
                  "a");
    PACKS("b''", "\xc4\x00");
}

static void containers_nest(void **state)
{
    PACKS("[]", "\x90");
    PACKS("[1, ['a']]", "\x92\x01\x91\xa1"
                        "a");
    PACKS("[nil, 1]*2", "\x94\xc0\x01\xc0\x01");
    PACKS("{}", "\x80");
    PACKS("{a: 1, 'b': 2, 3: {}}", "\x83\xa1"
                                   "a\x01\xa1"
                                   "b\x02\x03\x80");
    PACKS("{nil: 1, true: 2}", "\x82\xc0\x01\xc3\x02");
    PACKS("deep(3)", "\x91\x91\x90");
}

static void exts_and_raw_bytes_are_packed_as_they_stand(void **state)
{
    PACKS("ext(5, 'x')", "\xd4\x05x");
    PACKS("ext(-1, 'abcd')", "\xd6\xff"
                             "abcd");
    PACKS("[<cd 00 05>, 1]", "\x92\xcd\x00\x05\x01");
    PACKS("1 2", "\x01\x02");
}

static void wrong_text_is_refused_at_its_place(void **state)
{
    static const char *const wrong[] = {"[1",    "'a",           "{a 1}", "word",    "[1 2]", "<0>",
                                        "'\\q'", "ext(200, '')", "[,]",   "deep(x)", "nilly", "}"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        msgpack_sbuffer out;
        msgpack_sbuffer_init(&out);
        if (notation_pack(wrong[i], &out) == NULL) {
            fail_msg("%s was taken for a value", wrong[i]);
        }
        msgpack_sbuffer_destroy(&out);
    }
}

static bool same(const char *expected, const char *got)
{
    msgpack_sbuffer bytes[2];
    msgpack_unpacked unpacked[2];
    const char *const texts[2] = {expected, got};
    for (int i = 0; i < 2; i++) {
        msgpack_sbuffer_init(&bytes[i]);
        msgpack_unpacked_init(&unpacked[i]);
        size_t at = 0;
        assert_null(notation_pack(texts[i], &bytes[i]));
        assert_int_equal(msgpack_unpack_next(&unpacked[i], bytes[i].data, bytes[i].size, &at),
                         MSGPACK_UNPACK_SUCCESS);
    }
    bool matched = notation_match(&unpacked[0].data, &unpacked[1].data);
    for (int i = 0; i < 2; i++) {
        msgpack_unpacked_destroy(&unpacked[i]);
        msgpack_sbuffer_destroy(&bytes[i]);
    }
    return matched;
}

static void equal_values_match_however_encoded(void **state)
{
    assert_true(same("5", "<cf 00 00 00 00 00 00 00 05>"));
    assert_true(same("-5", "<d1 ff fb>"));
    assert_true(same("1.5", "f32(1.5)"));
    assert_true(same("nan", "nan"));
    assert_true(same("{a: 1, b: [2]}", "{b: [2], a: 1}"));
    assert_true(same("'x'", "<d9 01 78>"));
    assert_true(same("ext(5, 'x')", "<c7 01 05 78>"));
}

static void different_values_do_not_match(void **state)
{
    static const char *const values[] = {
        "nil", "true", "false", "0",   "1",      "-1",     "1.0", "'1'",         "b'1'",
        "''",  "[]",   "{}",    "[1]", "[1, 2]", "{1: 2}", "nan", "ext(5, '1')", "ext(6, '1')"};
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        for (size_t j = 0; j < sizeof(values) / sizeof(values[0]); j++) {
            if (same(values[i], values[j]) != (i == j)) {
                fail_msg("%s and %s", values[i], values[j]);
            }
        }
    }
    assert_false(same("0.0", "-0.0"));
    assert_false(same("{a: 1}", "{a: 1, b: 2}"));
    assert_false(same("{a: 1, b: 2}", "{a: 1}"));
}

static void patterns_match_their_kind(void **state)
{
    assert_true(same("_", "nil") && same("_", "[1]"));
    assert_true(same("_int", "5") && same("_int", "-5") && !same("_int", "5.0"));
    assert_true(same("_float", "5.0") && !same("_float", "5"));
    assert_true(same("_str", "'x'") && !same("_str", "b'x'"));
    assert_true(same("[1, _, 3]", "[1, 'x', 3]"));
    assert_true(same("[1, ...]", "[1]") && same("[1, ...]", "[1, 2]"));
    assert_false(same("[1, ...]", "[]"));
    assert_true(same("{a: _int, ...}", "{b: 2, a: 1}"));
    assert_false(same("{a: _int, ...}", "{b: 2}"));
}

static void printed_values_read_as_notation(void **state)
{
    const char *text = "[nil, true, -5, 7, 1.5000000000000000, 'a\\'b\\x01', b'c', {'k': [1]}, "
                       "ext(5, 'x')]";
    msgpack_sbuffer bytes;
    msgpack_sbuffer_init(&bytes);
    assert_null(notation_pack(text, &bytes));
    msgpack_unpacked unpacked;
    msgpack_unpacked_init(&unpacked);
    size_t at = 0;
    assert_int_equal(msgpack_unpack_next(&unpacked, bytes.data, bytes.size, &at),
                     MSGPACK_UNPACK_SUCCESS);
    char *printed = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&printed, &size);
    assert_non_null(out);
    notation_print(out, &unpacked.data);
    (void)fclose(out);
    assert_string_equal(printed, text);
    free(printed);
    msgpack_unpacked_destroy(&unpacked);
    msgpack_sbuffer_destroy(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scalars_are_packed_in_their_shortest_form),
        cmocka_unit_test(strings_know_escapes_and_repetition),
        cmocka_unit_test(containers_nest),
        cmocka_unit_test(exts_and_raw_bytes_are_packed_as_they_stand),
        cmocka_unit_test(wrong_text_is_refused_at_its_place),
        cmocka_unit_test(equal_values_match_however_encoded),
        cmocka_unit_test(different_values_do_not_match),
        cmocka_unit_test(patterns_match_their_kind),
        cmocka_unit_test(printed_values_read_as_notation),
    };
    return cmocka_run_group_tests_name("notation", tests, NULL, NULL);
}
