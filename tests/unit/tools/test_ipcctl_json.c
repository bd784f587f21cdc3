/* JSON and MessagePack, there and back: tools/ipcctl/json/json.h. */
#include "proto/pack.h"
#include "proto/scan.h"
#include "proto/value.h"
#include "tools/ipcctl/json/json.h"

#include <math.h>
#include <stdlib.h>

#include "tests/support/unit.h"

static struct slice bytes_of(const void *data, size_t len)
{
    return (struct slice){data, len};
}

/* The JSON of a value. The caller frees it. */
static char *written(struct slice value)
{
    struct buffer out = {0};
    json_write(value, &out);
    (void)buffer_append(&out, "", 1);
    assert_false(out.failed);
    return (char *)out.data;
}

static void assert_written(struct slice value, const char *json)
{
    char *text = written(value);
    assert_string_equal(text, json);
    free(text);
}

/* The JSON text is read, and is written as `again`. */
static void assert_reads_as(const char *json, const char *again)
{
    struct buffer value = {0};
    struct json_error error;
    assert_int_equal(json_read(slice_of_string(json), &value, &error), 0);
    assert_int_equal(scan_length(value.data, value.len), value.len);
    assert_written(buffer_slice(&value), again);
    buffer_deinit(&value);
}

/* Refuses the text, with a reason that has `why` in it; returns the error. */
static struct json_error assert_refused(const char *json, const char *why)
{
    struct buffer value = {0};
    struct json_error error;
    pack_nil(&value);
    assert_int_equal(json_read(slice_of_string(json), &value, &error), -1);
    if (strstr(error.text, why) == NULL) {
        fail_msg("%s was refused with \"%s\", not \"%s\"", json, error.text, why);
    }
    assert_int_equal(value.len, 1);
    buffer_deinit(&value);
    return error;
}

static void assert_malformed(const char *json, const char *why, size_t line)
{
    struct json_error error = assert_refused(json, why);
    assert_true(error.malformed);
    assert_int_equal(error.line, line);
}

/* It is JSON, but stands for no value. */
static void assert_unfit(const char *json, const char *why)
{
    assert_false(assert_refused(json, why).malformed);
}

/* What is written reads back as an equal value. */
static void assert_round_trip(struct buffer *value)
{
    struct buffer again = {0};
    struct json_error error;
    char *text = written(buffer_slice(value));
    if (json_read(slice_of_string(text), &again, &error) < 0) {
        fail_msg("%s: %s", text, error.text);
    }
    if (!value_equal(buffer_slice(value), buffer_slice(&again))) {
        fail_msg("%s reads back as another value", text);
    }
    free(text);
    buffer_deinit(&again);
    buffer_deinit(value);
}

static void scalars_are_written_as_json(void **state)
{
    (void)state;
    assert_written(bytes_of("\xc0", 1), "null");
    assert_written(bytes_of("\xc3", 1), "true");
    assert_written(bytes_of("\xc2", 1), "false");
    assert_written(bytes_of("\xff", 1), "-1");
    assert_written(bytes_of("\xd3\x80\0\0\0\0\0\0\0", 9), "-9223372036854775808");
    assert_written(bytes_of("\xa2hi", 3), "\"hi\"");
    assert_written(bytes_of("\xcb\x3f\xb9\x99\x99\x99\x99\x99\x9a", 9), "0.1");
    assert_written(bytes_of("\xcb\x3f\xf0\0\0\0\0\0\0", 9), "1.0");
    assert_written(bytes_of("\xcb\x80\0\0\0\0\0\0\0", 9), "-0.0");
    assert_written(bytes_of("\xca\x3f\x80\0\0", 5), "1.0");
}

static void strings_are_written_on_one_line(void **state)
{
    (void)state;
    assert_reads_as("\"a\\nb\\t\\\"\\\\ \\u0000 \\u007f \\u009b \xc3\xa9 \\ud83d\\ude00\"",
                    "\"a\\nb\\t\\\"\\\\ \\u0000 \\u007f \\u009b \xc3\xa9 \xf0\x9f\x98\x80\"");
}

static void what_json_lacks_has_a_form(void **state)
{
    (void)state;
    assert_written(bytes_of("\xc4\x03\0\x01\xff", 5), "{\"$bin\": \"AAH/\"}");
    assert_written(bytes_of("\xd4\x05\x2a", 3), "{\"$ext\": [5, \"Kg==\"]}");
    assert_written(bytes_of("\xd4\xfb\x2a", 3), "{\"$ext\": [-5, \"Kg==\"]}");
    assert_written(bytes_of("\xd6\xff\0\0\0\x01", 6), "{\"$timestamp\": \"1970-01-01T00:00:01Z\"}");
    assert_written(bytes_of("\xd5\x01#7", 4), "{\"$object\": \"#7\"}");
    assert_written(bytes_of("\xc7\0\x01", 3), "{\"$ext\": [1, \"\"]}");
    assert_written(bytes_of("\xcf\xff\xff\xff\xff\xff\xff\xff\xff", 9),
                   "{\"$uint\": \"18446744073709551615\"}");
    assert_written(bytes_of("\xcb\x7f\xf8\0\0\0\0\0\0", 9), "{\"$float\": \"nan\"}");
    assert_written(bytes_of("\xcb\x7f\xf0\0\0\0\0\0\0", 9), "{\"$float\": \"inf\"}");
    assert_written(bytes_of("\xcb\xff\xf0\0\0\0\0\0\0", 9), "{\"$float\": \"-inf\"}");
    assert_written(bytes_of("\xa1\xff", 2), "{\"$str\": \"/w==\"}");
    assert_written(bytes_of("\x81\x01\x02", 3), "{\"$map\": [[1, 2]]}");
}

static void maps_that_json_cannot_hold_become_pairs(void **state)
{
    (void)state;
    assert_written(bytes_of("\x80", 1), "{}");
    assert_written(bytes_of("\x81\xa1"
                            "a\x90",
                            4),
                   "{\"a\": []}");
    assert_written(bytes_of("\x82\xa1"
                            "a\x01\xd9\x01"
                            "a\x02",
                            8),
                   "{\"$map\": [[\"a\", 1], [\"a\", 2]]}");
    assert_written(bytes_of("\x81\xa2"
                            "a\0\x01",
                            5),
                   "{\"$map\": [[\"a\\u0000\", 1]]}");
    assert_written(bytes_of("\x81\xa1\xff\x01", 4), "{\"$map\": [[{\"$str\": \"/w==\"}, 1]]}");
    assert_written(bytes_of("\x81\xa4$bin\x01", 7), "{\"$map\": [[\"$bin\", 1]]}");
    assert_written(bytes_of("\x82\xa4$bin\x01\xa1x\x02", 10), "{\"$bin\": 1, \"x\": 2}");
    assert_written(bytes_of("\x81\xa4$foo\x01", 7), "{\"$foo\": 1}");
}

static void timestamps_without_a_text_stay_ext(void **state)
{
    (void)state;
    /* Not in the shortest form; nanoseconds out of range; the year 10000. */
    assert_written(bytes_of("\xd7\xff\0\0\0\0\0\0\0\x01", 10),
                   "{\"$ext\": [-1, \"AAAAAAAAAAE=\"]}");
    assert_written(bytes_of("\xc7\x0c\xff\x3b\x9a\xca\0\0\0\0\0\0\0\0\x01", 15),
                   "{\"$ext\": [-1, \"O5rKAAAAAAAAAAAB\"]}");
    assert_written(bytes_of("\xc7\x0c\xff\0\0\0\0\0\0\0\x3a\xff\xf4\x41\x80", 15),
                   "{\"$ext\": [-1, \"AAAAAAAAADr/9EGA\"]}");
    assert_written(bytes_of("\xd4\xff\x01", 3), "{\"$ext\": [-1, \"AQ==\"]}");
}

static void forms_are_read(void **state)
{
    (void)state;
    assert_reads_as("{\"$bin\":\"\"}", "{\"$bin\": \"\"}");
    assert_reads_as("{\"$ext\":[127,\"\"]}", "{\"$ext\": [127, \"\"]}");
    assert_reads_as("{\"$timestamp\":\"2026-11-21T21:52:02.5+01:00\"}",
                    "{\"$timestamp\": \"2026-11-21T20:52:02.500Z\"}");
    assert_reads_as("{\"$uint\":\"5\"}", "5");
    assert_reads_as("{\"$map\":[[{\"$map\":[]},[1]]]}", "{\"$map\": [[{}, [1]]]}");
    assert_reads_as("{\"$str\":\"aGk=\"}", "\"hi\"");
    assert_reads_as("{\"$object\":\"jobs\"}", "{\"$object\": \"jobs\"}");
    assert_reads_as(" [ 1 , {\"b\":null,\"a\":-1.5e-7} ] ", "[1, {\"b\": null, \"a\": -1.5e-07}]");
}

/* Such a string reads back as the same one. */
static void characters_that_are_not_seen_are_escaped(void **state)
{
    (void)state;
    assert_reads_as("\"a\u202eb\u200d\ufeff\U000e0041\"",
                    "\"a\\u202eb\\u200d\\ufeff\\udb40\\udc41\"");
    assert_reads_as("\"a\\u202eb\\udb40\\udc41\"", "\"a\\u202eb\\udb40\\udc41\"");
    assert_reads_as("{\"\u00ad\": \"\u00ac\u200a\"}", "{\"\\u00ad\": \"\u00ac\u200a\"}");
}

static void what_is_wrong_is_said(void **state)
{
    (void)state;
    assert_malformed("", "end of file", 1);
    assert_malformed("hello", "invalid token", 1);
    assert_malformed("[1,", "end of file", 1);
    assert_malformed("[1,\n2,\n3 4]\n", "near '4'", 3);
    assert_malformed("1 2", "end of file", 1);
    assert_malformed("\"\xff\"", "UTF-8", 1);
    assert_unfit("{\"a\":1,\"a\":2}", "the same key twice");
    assert_unfit("{\"a\\u0000\":1}", "$map");
    assert_unfit("18446744073709551615", "$uint");
    assert_unfit("1e999", "1e999 is out of range: a float goes from ");
    assert_unfit("[1, 9223372036854775808, 2]", "is written {\"$uint\": \"9223372036854775808\"}");
    assert_unfit("18446744073709551615", "is written {\"$uint\": \"18446744073709551615\"}");
    assert_unfit("{\"a\":18446744073709551616}",
                 "18446744073709551616 is out of range: an integer goes from ");
    assert_unfit("-9223372036854775809", "-9223372036854775809 is out of range");
    assert_unfit("99999999999999999999999999999999999999999999",
                 "999999999999999999999999... is out of range");
    assert_unfit("{\"$bin\":\"A\"}", "{\"$bin\": ...} must be base64 text");
    assert_unfit("{\"$bin\":\"AB==\"}", "base64");
    assert_unfit("{\"$bin\":\"A\\u0000A=\"}", "base64");
    assert_unfit("{\"$bin\":\"=AAA\"}", "base64");
    assert_unfit("{\"$bin\":\"AA==AAAA\"}", "base64");
    assert_unfit("{\"$bin\":1}", "base64");
    assert_unfit("{\"$str\":1}", "base64");
    assert_unfit("{\"$ext\":[128,\"\"]}", "-128 to 127");
    assert_unfit("{\"$ext\":[1]}", "[type, base64 text]");
    assert_unfit("{\"$timestamp\":\"yesterday\"}", "2026-01-31");
    assert_unfit("{\"$object\":\"\"}", "the name of an object");
    assert_unfit("{\"$uint\":\"18446744073709551616\"}", "digits");
    assert_unfit("{\"$uint\":\"-1\"}", "digits");
    assert_unfit("{\"$uint\":5}", "digits");
    assert_unfit("{\"$float\":\"big\"}", "\"nan\"");
    assert_unfit("{\"$map\":[[1]]}", "[key, value]");
    assert_unfit("{\"$map\":{\"a\":1}}", "[key, value]");
    assert_unfit("[{\"$map\":[[1,{\"$bin\":2}]]}]", "{\"$bin\": ...}");
}

static void nesting_is_bounded(void **state)
{
    (void)state;
    char text[2 * SCAN_DEPTH_MAX + 3];
    memset(text, '[', SCAN_DEPTH_MAX);
    memset(text + SCAN_DEPTH_MAX, ']', SCAN_DEPTH_MAX);
    text[2 * SCAN_DEPTH_MAX] = '\0';
    assert_reads_as(text, text);
    memset(text, '[', SCAN_DEPTH_MAX + 1);
    memset(text + SCAN_DEPTH_MAX + 1, ']', SCAN_DEPTH_MAX + 1);
    text[2 * SCAN_DEPTH_MAX + 2] = '\0';
    assert_unfit(text, "within each other");
}

static void bytes_of_every_length_round_trip(void **state)
{
    (void)state;
    uint8_t bytes[300];
    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (uint8_t)(i * 7);
    }
    for (size_t len = 0; len < sizeof(bytes); len++) {
        struct buffer value = {0};
        pack_array(&value, 3);
        pack_bin(&value, bytes_of(bytes, len));
        pack_str(&value, bytes_of(bytes, len));
        pack_ext(&value, (int8_t)len, bytes_of(bytes, len));
        assert_round_trip(&value);
    }
}

static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static void pack_random_bytes(struct buffer *out, uint64_t *seed)
{
    static const char *const texts[] = {"", "a", "$bin", "$map", "\xff", "\xc3\xa9", "a\nb"};
    uint64_t bits = next_random(seed);
    struct slice text = slice_of_string(texts[(bits >> 8) % 7]);
    switch (bits % 4) {
    case 0:
        pack_bin(out, text);
        break;
    case 1:
        pack_ext(out, (int8_t)(bits >> 16), text);
        break;
    default:
        pack_str(out, text);
        break;
    }
}

static void pack_random_scalar(struct buffer *out, uint64_t *seed)
{
    uint64_t bits = next_random(seed);
    double number;
    memcpy(&number, &bits, sizeof(number));
    switch (bits % 6) {
    case 0:
        pack_nil(out);
        break;
    case 1:
        pack_bool(out, (bits & 64) != 0);
        break;
    case 2:
        pack_int(out, (int64_t)bits >> (bits >> 8 & 63));
        break;
    case 3:
        pack_uint(out, bits);
        break;
    case 4:
        pack_double(out, isnan(number) ? 0.5 : number);
        break;
    default:
        pack_timestamp(out, (int64_t)bits >> (bits >> 8 & 63), (uint32_t)(bits % 1000000000));
        break;
    }
}

static void pack_random(struct buffer *out, uint64_t *seed, unsigned depth)
{
    uint64_t bits = next_random(seed);
    size_t count = bits >> 8 & 3;
    if (depth > 0 && bits % 4 == 0) {
        pack_array(out, count);
    } else if (depth > 0 && bits % 4 == 1) {
        pack_map(out, count);
        count *= 2;
    } else {
        (bits % 4 == 2 ? pack_random_bytes : pack_random_scalar)(out, seed);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        pack_random(out, seed, depth - 1);
    }
}

static void any_value_round_trips(void **state)
{
    (void)state;
    uint64_t seed = 88172645463325252U;
    for (int i = 0; i < 20000; i++) {
        struct buffer value = {0};
        pack_random(&value, &seed, 5);
        assert_round_trip(&value);
    }
}

/* Whatever the bytes are, nothing is read beyond them (the sanitizers watch). */
static void bytes_that_are_cut_off_are_survived(void **state)
{
    (void)state;
    uint64_t seed = 1;
    for (int i = 0; i < 500; i++) {
        struct buffer value = {0};
        pack_random(&value, &seed, 5);
        for (size_t len = 0; len < value.len; len++) {
            uint8_t *copy = malloc(len + 1);
            assert_non_null(copy);
            memcpy(copy, value.data, len);
            copy = realloc(copy, len > 0 ? len : 1);
            free(written(bytes_of(copy, len)));
            free(copy);
        }
        buffer_deinit(&value);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scalars_are_written_as_json),
        cmocka_unit_test(strings_are_written_on_one_line),
        cmocka_unit_test(what_json_lacks_has_a_form),
        cmocka_unit_test(maps_that_json_cannot_hold_become_pairs),
        cmocka_unit_test(timestamps_without_a_text_stay_ext),
        cmocka_unit_test(forms_are_read),
        cmocka_unit_test(characters_that_are_not_seen_are_escaped),
        cmocka_unit_test(what_is_wrong_is_said),
        cmocka_unit_test(nesting_is_bounded),
        cmocka_unit_test(bytes_of_every_length_round_trip),
        cmocka_unit_test(any_value_round_trips),
        cmocka_unit_test(bytes_that_are_cut_off_are_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
