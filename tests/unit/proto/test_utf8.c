/* Tests of proto/utf8 and of value_is_utf8. */
#include "proto/utf8.h"
#include "proto/value.h"

#include "tests/support/bytes.h"
#include "tests/support/unit.h"

#include <stdlib.h>

/* The UTF-8 of a number as the scheme itself gives it, whether it may be written or not. */
static size_t encode(uint32_t code, uint8_t out[4])
{
    if (code < 0x80) {
        out[0] = (uint8_t)code;
        return 1;
    }
    size_t tail = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    for (size_t i = tail; i > 0; i--) {
        out[i] = (uint8_t)(0x80 | (code & 0x3f));
        code >>= 6;
    }
    out[0] = (uint8_t)((0xff00U >> (tail + 1)) | code);
    return tail + 1;
}

static void utf8_accepts_every_character_and_nothing_beyond(void **state)
{
    for (uint32_t code = 0; code < 0x200000; code++) {
        uint8_t bytes[4];
        size_t len = encode(code, bytes);
        bool surrogate = code >= 0xd800 && code <= 0xdfff;
        bool good = code <= 0x10ffff && !surrogate;
        if (utf8_character(bytes, len) != (good ? len : 0)) {
            print_error("U+%04X\n", code);
            fail();
        }
    }
}

static void utf8_refuses_characters_that_are_cut_off(void **state)
{
    static const uint32_t codes[] = {0x80, 0x7ff, 0x800, 0xffff, 0x10000, 0x10ffff};
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        uint8_t bytes[4];
        size_t len = encode(codes[i], bytes);
        for (size_t part = 0; part < len; part++) {
            uint8_t *exact = exact_copy(bytes, part);
            assert_int_equal(utf8_character(exact, part), 0);
            free(exact);
        }
    }
}

static void utf8_refuses_every_other_pair_of_bytes(void **state)
{
    for (unsigned first = 0x80; first < 0x100; first++) {
        for (unsigned second = 0; second < 0x100; second++) {
            uint8_t bytes[2] = {(uint8_t)first, (uint8_t)second};
            bool good = first >= 0xc2 && first <= 0xdf && (second & 0xc0) == 0x80;
            assert_int_equal(utf8_character(bytes, 2), good ? 2 : 0);
        }
    }
}

static void utf8_refuses_overlong_forms_and_bad_tails(void **state)
{
    static const char *const rows[] = {
        "c080",     "c1bf",     "e08080",   "e09fbf", "f0808080",   "f08fbfbf",
        "f4908080", "f5808080", "eda080",   "edbfbf", "f888808080", "fc8480808080",
        "80",       "bf",       "fe",       "ff",     "e28261",     "e26182",
        "f09f9861", "f09f6180", "f0619880", "c3c3",   "e2c282",     "f09fc280",
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct buffer bytes = bytes_of_hex(rows[i]);
        assert_int_equal(utf8_character(bytes.data, bytes.len), 0);
        assert_false(value_is_utf8(buffer_slice(&bytes)));
        buffer_deinit(&bytes);
    }
}

static void text_is_utf8_up_to_its_exact_end(void **state)
{
    static const char text[] = "häufig: naïve Größe, 8 bytes at a time – 日本語 and 😀";
    for (size_t len = 0; len < sizeof(text); len++) {
        uint8_t *exact = exact_copy((const uint8_t *)text, len);
        bool cut = (text[len] & 0xc0) == 0x80;
        assert_int_equal(value_is_utf8((struct slice){exact, len}), !cut);
        free(exact);
    }
}

static void text_with_one_bad_byte_is_not_utf8_wherever_it_is(void **state)
{
    for (size_t len = 1; len < 40; len++) {
        for (size_t bad = 0; bad < len; bad++) {
            uint8_t *exact = malloc(len);
            assert_non_null(exact);
            memset(exact, 'a', len);
            assert_true(value_is_utf8((struct slice){exact, len}));
            exact[bad] = 0xff;
            assert_false(value_is_utf8((struct slice){exact, len}));
            free(exact);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(utf8_accepts_every_character_and_nothing_beyond),
        cmocka_unit_test(utf8_refuses_characters_that_are_cut_off),
        cmocka_unit_test(utf8_refuses_every_other_pair_of_bytes),
        cmocka_unit_test(utf8_refuses_overlong_forms_and_bad_tails),
        cmocka_unit_test(text_is_utf8_up_to_its_exact_end),
        cmocka_unit_test(text_with_one_bad_byte_is_not_utf8_wherever_it_is),
    };
    return cmocka_run_group_tests_name("utf8", tests, NULL, NULL);
}
