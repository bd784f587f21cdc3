/* Points of time as text and as MessagePack's timestamps: tools/ipcctl/json/moment.h. */
#include "tools/ipcctl/json/moment.h"

#include "tests/support/unit.h"

static void assert_parses(const char *text, int64_t seconds, uint32_t nanoseconds)
{
    struct moment moment = {0};
    assert_int_equal(moment_parse(slice_of_string(text), &moment), 0);
    assert_int_equal(moment.seconds, seconds);
    assert_int_equal(moment.nanoseconds, nanoseconds);
}

static void assert_prints(int64_t seconds, uint32_t nanoseconds, const char *wanted)
{
    char text[MOMENT_TEXT];
    assert_int_equal(moment_print((struct moment){seconds, nanoseconds}, text), 0);
    assert_string_equal(text, wanted);
    assert_parses(wanted, seconds, nanoseconds);
}

static void moments_print_and_parse_back(void **state)
{
    (void)state;
    assert_prints(0, 0, "1970-01-01T00:00:00Z");
    assert_prints(-1, 999999999, "1969-12-31T23:59:59.999999999Z");
    assert_prints(951782400, 1000, "2000-02-29T00:00:00.000001Z");
    assert_prints(1, 20000000, "1970-01-01T00:00:01.020Z");
    assert_prints(INT64_C(-62167219200), 0, "0000-01-01T00:00:00Z");
    assert_prints(INT64_C(253402300799), 0, "9999-12-31T23:59:59Z");
}

static void years_without_four_digits_have_no_text(void **state)
{
    (void)state;
    char text[MOMENT_TEXT];
    assert_int_equal(moment_print((struct moment){INT64_C(-62167219201), 0}, text), -1);
    assert_int_equal(moment_print((struct moment){INT64_C(253402300800), 0}, text), -1);
    assert_int_equal(moment_print((struct moment){INT64_MAX, 0}, text), -1);
    assert_int_equal(moment_print((struct moment){INT64_MIN, 0}, text), -1);
}

static void offsets_and_fractions_are_understood(void **state)
{
    (void)state;
    assert_parses("1970-01-01T01:00:00+01:00", 0, 0);
    assert_parses("1969-12-31T18:30:00-05:30", 0, 0);
    assert_parses("1970-01-01t00:00:00.5z", 0, 500000000);
    assert_parses("1970-01-01 00:00:00.000000001Z", 0, 1);
}

static void other_texts_are_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "now",
        "1970-01-01",
        "1970-01-01T00:00:00",
        "1970-01-01T00:00:00Zx",
        "1970-01-01T00:00:00.Z",
        "1970-01-01T00:00:00.1234567890Z",
        "1970-13-01T00:00:00Z",
        "1970-00-01T00:00:00Z",
        "1970-02-30T00:00:00Z",
        "2001-02-29T00:00:00Z",
        "1970-01-01T24:00:00Z",
        "1970-01-01T00:60:00Z",
        "1970-01-01T00:00:60Z",
        "1970-01-01T00:00:00+1:00",
        "1970-01-01T00:00:00+24:00",
        "70-01-01T00:00:00Z",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct moment moment;
        if (moment_parse(slice_of_string(texts[i]), &moment) == 0) {
            fail_msg("\"%s\" was taken for a time", texts[i]);
        }
    }
}

static void the_three_forms_of_timestamps_are_decoded(void **state)
{
    (void)state;
    struct moment moment;
    assert_int_equal(moment_decode((struct slice){(const uint8_t *)"\0\0\x01\0", 4}, &moment), 0);
    assert_int_equal(moment.seconds, 256);
    static const uint8_t eight[] = {0, 0, 0, 4, 0, 0, 0, 2};
    assert_int_equal(moment_decode((struct slice){eight, 8}, &moment), 0);
    assert_int_equal(moment.seconds, 2);
    assert_int_equal(moment.nanoseconds, 1);
    static const uint8_t twelve[] = {0, 0, 0, 3, 255, 255, 255, 255, 255, 255, 255, 254};
    assert_int_equal(moment_decode((struct slice){twelve, 12}, &moment), 0);
    assert_int_equal(moment.seconds, -2);
    assert_int_equal(moment.nanoseconds, 3);
    assert_int_equal(moment_decode((struct slice){twelve, 11}, &moment), -1);
    static const uint8_t over[] = {0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0};
    assert_int_equal(moment_decode((struct slice){over, 8}, &moment), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(moments_print_and_parse_back),
        cmocka_unit_test(years_without_four_digits_have_no_text),
        cmocka_unit_test(offsets_and_fractions_are_understood),
        cmocka_unit_test(other_texts_are_refused),
        cmocka_unit_test(the_three_forms_of_timestamps_are_decoded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
