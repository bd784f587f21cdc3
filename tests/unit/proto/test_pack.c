/* Tests of proto/pack. */
#include "proto/pack.h"

#include "tests/support/bytes.h"
#include "tests/support/unit.h"

/* Ends the test unless the buffer holds these bytes, and empties it. */
static void expect(struct buffer *buffer, const char *hex)
{
    assert_false(buffer->failed);
    assert_hex(buffer_slice(buffer), hex);
    buffer_deinit(buffer);
}

static void pack_scalars(void **state)
{
    struct buffer out = {0};
    pack_nil(&out);
    pack_bool(&out, false);
    pack_bool(&out, true);
    pack_double(&out, 1.5);
    expect(&out, "c0 c2 c3 cb3ff8000000000000");
}

struct integer {
    int64_t value;
    const char *hex;
};

static void pack_int_takes_the_shortest_form(void **state)
{
    static const struct integer rows[] = {
        {0, "00"},
        {127, "7f"},
        {128, "cc80"},
        {255, "ccff"},
        {256, "cd0100"},
        {65535, "cdffff"},
        {65536, "ce00010000"},
        {UINT32_MAX, "ceffffffff"},
        {INT64_C(1) << 32, "cf0000000100000000"},
        {INT64_MAX, "cf7fffffffffffffff"},
        {-1, "ff"},
        {-32, "e0"},
        {-33, "d0df"},
        {-128, "d080"},
        {-129, "d1ff7f"},
        {-32768, "d18000"},
        {-32769, "d2ffff7fff"},
        {INT32_MIN, "d280000000"},
        {(int64_t)INT32_MIN - 1, "d3ffffffff7fffffff"},
        {INT64_MIN, "d38000000000000000"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct buffer out = {0};
        pack_int(&out, rows[i].value);
        expect(&out, rows[i].hex);
        if (rows[i].value >= 0) {
            pack_uint(&out, (uint64_t)rows[i].value);
            expect(&out, rows[i].hex);
        }
    }
}

static void pack_uint_reaches_the_whole_range(void **state)
{
    struct buffer out = {0};
    pack_uint(&out, UINT64_MAX);
    pack_uint(&out, (uint64_t)INT64_MAX + 1);
    expect(&out, "cfffffffffffffffff cf8000000000000000");
}

static void pack_runs(void **state)
{
    struct buffer out = {0};
    pack_str(&out, slice_of_string("hi"));
    pack_string(&out, "");
    pack_string(&out, NULL);
    pack_bin(&out, slice_of_string("\x01\x02"));
    pack_bin(&out, (struct slice){NULL, 0});
    pack_str(&out, (struct slice){NULL, 0});
    expect(&out, "a26869 a0 c0 c4020102 c400 a0");
}

static void pack_runs_take_the_shortest_header(void **state)
{
    static const uint8_t zeros[65536];
    static const struct {
        size_t len;
        const char *str;
        const char *bin;
        const char *ext; /* the type is 7 */
    } rows[] = {
        {16, "b0", "c410", "d807"},
        {17, "b1", "c411", "c71107"},
        {31, "bf", "c41f", "c71f07"},
        {32, "d920", "c420", "c72007"},
        {255, "d9ff", "c4ff", "c7ff07"},
        {256, "da0100", "c50100", "c8010007"},
        {65535, "daffff", "c5ffff", "c8ffff07"},
        {65536, "db00010000", "c600010000", "c90001000007"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct slice run = {zeros, rows[i].len};
        struct buffer out = {0};
        pack_str(&out, run);
        assert_int_equal(out.len, run.len + strlen(rows[i].str) / 2);
        out.len -= run.len;
        expect(&out, rows[i].str);
        pack_bin(&out, run);
        assert_int_equal(out.len, run.len + strlen(rows[i].bin) / 2);
        out.len -= run.len;
        expect(&out, rows[i].bin);
        pack_ext(&out, 7, run);
        assert_int_equal(out.len, run.len + strlen(rows[i].ext) / 2);
        out.len -= run.len;
        expect(&out, rows[i].ext);
    }
}

static void pack_ext_of_few_bytes(void **state)
{
    struct buffer out = {0};
    pack_ext(&out, 1, slice_of_string("a"));
    pack_ext(&out, -2, slice_of_string("ab"));
    pack_ext(&out, 5, slice_of_string("abc"));
    pack_ext(&out, 5, (struct slice){NULL, 0});
    expect(&out, "d40161 d5fe6162 c70305616263 c70005");
}

static void pack_containers(void **state)
{
    struct buffer out = {0};
    pack_array(&out, 0);
    pack_array(&out, 15);
    pack_array(&out, 16);
    pack_array(&out, 65536);
    pack_map(&out, 0);
    pack_map(&out, 15);
    pack_map(&out, 16);
    pack_map(&out, 65536);
    expect(&out, "90 9f dc0010 dd00010000 80 8f de0010 df00010000");
}

static void pack_raw_copies_an_encoded_value(void **state)
{
    struct buffer out = {0};
    pack_raw(&out, slice_of_string("\x92\x01\xc0"));
    pack_raw(&out, (struct slice){NULL, 0});
    expect(&out, "9201c0");
}

static void pack_timestamp_takes_the_shortest_form(void **state)
{
    struct buffer out = {0};
    pack_timestamp(&out, 1, 0);
    expect(&out, "d6ff00000001");
    pack_timestamp(&out, 1, 5);
    expect(&out, "d7ff0000001400000001");
    pack_timestamp(&out, -1, 5);
    expect(&out, "c70cff00000005ffffffffffffffff");
}

static void pack_key_writes_key_and_value(void **state)
{
    struct buffer out = {0};
    pack_key_int(&out, "a", -1);
    pack_key_uint(&out, "b", UINT64_MAX);
    pack_key_bool(&out, "c", true);
    pack_key_str(&out, "d", slice_of_string("x"));
    pack_key_string(&out, "e", "y");
    pack_key_string(&out, "f", NULL);
    expect(&out, "a161ff a162cfffffffffffffffff a163c3 a164a178 a165a179 a166c0");
}

static void pack_begin_and_end_fill_the_count_in(void **state)
{
    struct buffer out = {0};
    size_t map = pack_map_begin(&out);
    pack_key_int(&out, "n", 1);
    pack_string(&out, "l");
    size_t array = pack_array_begin(&out);
    pack_nil(&out);
    pack_array_end(&out, array, 0x01020304);
    pack_map_end(&out, map, 2);
    expect(&out, "df00000002 a16e01 a16c dd01020304 c0");
}

static void pack_into_a_failed_buffer_changes_nothing(void **state)
{
    struct buffer out = {0};
    pack_int(&out, 1);
    assert_int_equal(buffer_reserve(&out, SIZE_MAX), -1);
    size_t map = pack_map_begin(&out);
    pack_key_string(&out, "key", "value");
    pack_bin(&out, slice_of_string("abc"));
    pack_ext(&out, 1, slice_of_string("abc"));
    pack_double(&out, 1);
    pack_timestamp(&out, 1, 1);
    pack_map_end(&out, map, 1);
    assert_true(out.failed);
    assert_hex(buffer_slice(&out), "01");
    buffer_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pack_scalars),
        cmocka_unit_test(pack_int_takes_the_shortest_form),
        cmocka_unit_test(pack_uint_reaches_the_whole_range),
        cmocka_unit_test(pack_runs),
        cmocka_unit_test(pack_runs_take_the_shortest_header),
        cmocka_unit_test(pack_ext_of_few_bytes),
        cmocka_unit_test(pack_containers),
        cmocka_unit_test(pack_raw_copies_an_encoded_value),
        cmocka_unit_test(pack_timestamp_takes_the_shortest_form),
        cmocka_unit_test(pack_key_writes_key_and_value),
        cmocka_unit_test(pack_begin_and_end_fill_the_count_in),
        cmocka_unit_test(pack_into_a_failed_buffer_changes_nothing),
    };
    return cmocka_run_group_tests_name("pack", tests, NULL, NULL);
}
