/* Values: to MessagePack and back, walks, maps, msgpack-c objects, text. */
#include "tests/unit/client/client_test.h"

#include "client/ipcclient/msgpack.h"

#include <stdlib.h>
#include <string.h>

#include "client/encoding.h"
#include "client/value.h"
#include "proto/value.h"
#include "tests/support/notation.h"

/* The bytes of a value in notation; valid until the next call. */
static struct slice bytes_of(const char *notation)
{
    static msgpack_sbuffer bytes;
    msgpack_sbuffer_destroy(&bytes);
    msgpack_sbuffer_init(&bytes);
    assert_null(notation_pack(notation, &bytes));
    return (struct slice){(const uint8_t *)bytes.data, bytes.size};
}

static struct ipcc_value raw_of(const char *notation)
{
    struct slice bytes = bytes_of(notation);
    return ipcc_raw(bytes.data, bytes.len);
}

#define assert_encodes(value, notation)                                                            \
    do {                                                                                           \
        struct buffer encoded = {0};                                                               \
        struct ipcc_value given = value;                                                           \
        struct encoding encoding = {.out = &encoded};                                              \
        assert_ok(value_encode(&given, 30, &encoding));                                            \
        struct slice expected = bytes_of(notation);                                                \
        assert_int_equal(encoded.len, expected.len);                                               \
        assert_memory_equal(encoded.data, expected.data, expected.len);                            \
        buffer_deinit(&encoded);                                                                   \
    } while (0)

static void scalars_are_encoded_in_their_shortest_form(void **state)
{
    assert_encodes(ipcc_nil(), "nil");
    assert_encodes(ipcc_str(NULL), "nil");
    assert_encodes(ipcc_bool(true), "true");
    assert_encodes(ipcc_bool(false), "false");
    assert_encodes(ipcc_int(127), "127");
    assert_encodes(ipcc_int(-33), "-33");
    assert_encodes(ipcc_int(INT64_MIN), "-9223372036854775808");
    assert_encodes(ipcc_uint(128), "128");
    assert_encodes(ipcc_uint(UINT64_MAX), "18446744073709551615");
    assert_encodes(ipcc_float(1.5), "1.5");
    assert_encodes(ipcc_str("Grüße"), "'Grüße'");
    assert_encodes(ipcc_str(""), "''");
    assert_encodes(ipcc_strn("a\0b", 3), "'a\\0b'");
    assert_encodes(ipcc_strn(NULL, 0), "''");
    assert_encodes(ipcc_bin("\xff\x00", 2), "b'\\xff\\0'");
    assert_encodes(ipcc_bin(NULL, 0), "b''");
}

static void arrays_and_maps_are_made_of_values(void **state)
{
    struct ipcc_value inner[] = {ipcc_str("k"), ipcc_int(1), ipcc_int(2), ipcc_nil()};
    struct ipcc_value outer[] = {ipcc_map(inner, 2), ipcc_array(inner, 4), ipcc_array(NULL, 0)};
    assert_encodes(ipcc_array(outer, 3), "[{k: 1, 2: nil}, ['k', 1, 2, nil], []]");
    assert_encodes(ipcc_map(NULL, 0), "{}");
}

static void raw_values_are_sent_as_they_are(void **state)
{
    assert_encodes(ipcc_raw("\xcd\x00\x05", 3), "<cd 00 05>");
    assert_encodes(ipcc_raw("\xd4\x05x", 3), "ext(5, 'x')");
}

static void objects_of_msgpack_c_are_sent_with_all_their_kinds(void **state)
{
    static const char text[] = "[nil, true, 5, -5, 18446744073709551615, 1.5, 'str', b'bin',"
                               " ext(5, 'four'), [1, [2]], {a: {b: []}}]";
    struct slice bytes = bytes_of(text);
    msgpack_unpacked unpacked;
    size_t at = 0;
    msgpack_unpacked_init(&unpacked);
    assert_int_equal(msgpack_unpack_next(&unpacked, (const char *)bytes.data, bytes.len, &at),
                     MSGPACK_UNPACK_SUCCESS);
    assert_encodes(ipcc_object(&unpacked.data), text);
    msgpack_unpacked_destroy(&unpacked);
}

static void objects_that_are_none_are_refused(void **state)
{
    struct buffer out = {0};
    msgpack_object object = {.type = (msgpack_object_type)0x33};
    struct ipcc_value value = ipcc_object(&object);
    assert_fails(value_encode(&value, 30, &(struct encoding){.out = &out}), ARGUMENT, "type 51");
    buffer_deinit(&out);
}

static void lengths_without_bytes_are_refused(void **state)
{
    struct buffer out = {0};
    msgpack_zone zone;
    msgpack_object unpacked;
    static const msgpack_object objects[] = {
        {.type = MSGPACK_OBJECT_STR, .via.str = {5, NULL}},
        {.type = MSGPACK_OBJECT_BIN, .via.bin = {5, NULL}},
        {.type = MSGPACK_OBJECT_EXT, .via.ext = {1, 5, NULL}},
        {.type = MSGPACK_OBJECT_ARRAY, .via.array = {5, NULL}},
        {.type = MSGPACK_OBJECT_MAP, .via.map = {5, NULL}},
    };
    for (size_t i = 0; i < sizeof(objects) / sizeof(objects[0]); i++) {
        struct ipcc_value value = ipcc_object(&objects[i]);
        assert_fails(value_encode(&value, 30, &(struct encoding){.out = &out}), ARGUMENT,
                     "NULL pointer");
    }
    struct ipcc_value values[] = {ipcc_strn(NULL, 5), ipcc_bin(NULL, 5), ipcc_raw(NULL, 5),
                                  ipcc_array(NULL, 5), ipcc_map(NULL, 5)};
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        assert_fails(value_encode(&values[i], 30, &(struct encoding){.out = &out}), ARGUMENT,
                     "behind its pointer");
    }
    struct ipcc_reply from = {.value = values[2]};
    struct ipcc_reply to;
    struct ipcc_value found;
    assert_false(ipcc_value_is_str(&values[0], "12345"));
    assert_int_equal(ipcc_walk_of(&values[2]).left, 0);
    assert_fails(ipcc_map_get(&values[2], "k", &found), TYPE, "no MessagePack");
    assert_fails(ipcc_reply_copy(&to, &from), ARGUMENT, "");
    assert_true(msgpack_zone_init(&zone, 64));
    assert_fails(ipcc_value_unpack(&values[2], &zone, &unpacked), ARGUMENT, "");
    msgpack_zone_destroy(&zone);
    buffer_deinit(&out);
}

static void answers_are_decoded_by_kind(void **state)
{
    static const struct {
        const char *notation;
        enum ipcc_kind kind;
        size_t length;
    } rows[] = {
        {"nil", IPCC_NIL, 0},
        {"true", IPCC_BOOL, 0},
        {"-1", IPCC_INT, 0},
        {"<cf 00 00 00 00 00 00 00 05>", IPCC_INT, 0},
        {"9223372036854775807", IPCC_INT, 0},
        {"9223372036854775808", IPCC_UINT, 0},
        {"1.5", IPCC_FLOAT, 0},
        {"f32(1.5)", IPCC_FLOAT, 0},
        {"'abc'", IPCC_STR, 3},
        {"b'abcd'", IPCC_BIN, 4},
        {"[1, 2]", IPCC_RAW, 3},
        {"{}", IPCC_RAW, 1},
        {"ext(9, 'x')", IPCC_RAW, 3},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct ipcc_value value = value_decode(bytes_of(rows[i].notation));
        assert_int_equal(value.kind, rows[i].kind);
        assert_int_equal(value.length, rows[i].length);
    }
    assert_int_equal(value_decode((struct slice){NULL, 0}).kind, IPCC_NONE);
}

static void integers_of_answers_are_taken_with_their_bounds(void **state)
{
    int64_t number = 0;
    struct ipcc_value value = ipcc_int(-5);
    assert_ok(ipcc_value_int(&value, &number));
    assert_int_equal(number, -5);
    value = ipcc_uint(7);
    assert_ok(ipcc_value_int(&value, &number));
    assert_int_equal(number, 7);
    value = ipcc_uint(1ULL << 63);
    assert_fails(ipcc_value_int(&value, &number), RANGE, "2^63");
    value = ipcc_str("5");
    assert_fails(ipcc_value_int(&value, &number), TYPE, "a str where an integer");
    value = ipcc_none();
    assert_fails(ipcc_value_int(&value, &number), TYPE, "no value");
    assert_fails(ipcc_value_int(NULL, &number), ARGUMENT, "value");
    assert_fails(ipcc_value_int(&value, NULL), ARGUMENT, "value");
    assert_int_equal(number, 7);
}

static void kinds_have_names_for_messages(void **state)
{
    struct ipcc_value inner = ipcc_nil();
    msgpack_object object = {.type = MSGPACK_OBJECT_NIL};
    const struct {
        struct ipcc_value value;
        const char *name;
    } rows[] = {
        {ipcc_none(), "no value"},
        {ipcc_nil(), "nil"},
        {ipcc_bool(true), "a boolean"},
        {ipcc_int(1), "an integer"},
        {ipcc_uint(1), "an integer"},
        {ipcc_float(1), "a float"},
        {ipcc_str("x"), "a str"},
        {ipcc_bin("x", 1), "a bin"},
        {ipcc_raw("\x80", 1), "a map"},
        {ipcc_raw("\xd4\x05x", 3), "an ext"},
        {ipcc_raw("\xc1", 1), "no MessagePack"},
        {ipcc_array(&inner, 1), "an array"},
        {ipcc_map(NULL, 0), "a map"},
        {ipcc_object(&object), "a msgpack_object"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_string_equal(value_kind_name(&rows[i].value), rows[i].name);
    }
}

static void strings_are_compared_with_their_length(void **state)
{
    struct ipcc_value value = ipcc_str("name");
    assert_true(ipcc_value_is_str(&value, "name"));
    assert_false(ipcc_value_is_str(&value, "names"));
    assert_false(ipcc_value_is_str(&value, "nam"));
    value = ipcc_bin("name", 4);
    assert_false(ipcc_value_is_str(&value, "name"));
    assert_false(ipcc_value_is_str(NULL, "name"));
    assert_false(ipcc_value_is_str(&value, NULL));
}

static void walk_goes_through_arrays_maps_and_pairs(void **state)
{
    struct ipcc_value key;
    struct ipcc_value value = raw_of("[1, [2, 3], 'x']");
    struct ipcc_walk walk = ipcc_walk_of(&value);
    assert_true(ipcc_walk_next(&walk, &key) && key.as.integer == 1);
    assert_true(ipcc_walk_next(&walk, NULL));
    assert_true(ipcc_walk_next(&walk, &key) && ipcc_value_is_str(&key, "x"));
    assert_false(ipcc_walk_next(&walk, &key));
    struct ipcc_value pairs[] = {raw_of("{1: 'a', 2: 'b'}")};
    walk = ipcc_walk_of(pairs);
    assert_true(ipcc_walk_pair(&walk, &key, &value) && key.as.integer == 1);
    assert_true(ipcc_walk_pair(&walk, &key, &value) && ipcc_value_is_str(&value, "b"));
    assert_false(ipcc_walk_pair(&walk, &key, &value));
    pairs[0] = raw_of("[[1, 'a'], [2, 'b'], [3]]");
    walk = ipcc_walk_of(pairs);
    assert_true(ipcc_walk_pair(&walk, &key, &value) && ipcc_value_is_str(&value, "a"));
    assert_true(ipcc_walk_pair(&walk, NULL, &value) && ipcc_value_is_str(&value, "b"));
    assert_false(ipcc_walk_pair(&walk, &key, &value));
}

static void walk_through_anything_else_is_empty(void **state)
{
    struct ipcc_value inside;
    static const char *const others[] = {"5", "'text'", "ext(5, 'x')", "[]", "{}"};
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        struct ipcc_value raw = raw_of(others[i]);
        struct ipcc_walk walk = ipcc_walk_of(&raw);
        assert_false(ipcc_walk_next(&walk, &inside));
    }
    struct ipcc_value integer = ipcc_int(5);
    struct ipcc_walk walk = ipcc_walk_of(&integer);
    assert_false(ipcc_walk_next(&walk, &inside));
    walk = ipcc_walk_of(NULL);
    assert_false(ipcc_walk_pair(&walk, &inside, &inside));
    assert_false(ipcc_walk_item(&walk, NULL));
    assert_false(ipcc_walk_next(NULL, &inside));
    assert_false(ipcc_walk_pair(NULL, &inside, &inside));
}

static void walk_never_steps_beyond_the_bytes(void **state)
{
    struct ipcc_value inside;
    struct ipcc_value lie = ipcc_raw("\x93\x01\xa5xy", 5);
    struct ipcc_walk walk = ipcc_walk_of(&lie);
    assert_true(ipcc_walk_next(&walk, &inside));
    assert_false(ipcc_walk_next(&walk, &inside));
    assert_false(ipcc_walk_next(&walk, &inside));
    lie = ipcc_raw("\xdd\xff\xff", 3);
    walk = ipcc_walk_of(&lie);
    assert_false(ipcc_walk_next(&walk, &inside));
}

static void items_are_taken_with_or_without_a_ticket(void **state)
{
    struct ipcc_item item;
    struct ipcc_value raw = raw_of("[['a', 5, 2], ['b', nil, 1], ['c', 'x', 1]]");
    struct ipcc_walk walk = ipcc_walk_of(&raw);
    assert_true(ipcc_walk_item(&walk, &item));
    assert_true(ipcc_value_is_str(&item.value, "a"));
    assert_int_equal(item.ticket, 5);
    assert_int_equal(item.deliveries, 2);
    assert_true(ipcc_walk_item(&walk, &item));
    assert_int_equal(item.ticket, IPCC_NO_TICKET);
    assert_int_equal(item.deliveries, 1);
    assert_false(ipcc_walk_item(&walk, &item));
}

static void values_of_a_map_are_found_by_name(void **state)
{
    struct ipcc_value value;
    struct ipcc_value map = raw_of("{5: 1, one: {two: 2}, 'two': 3}");
    assert_ok(ipcc_map_get(&map, "two", &value));
    assert_int_equal(value.as.integer, 3);
    assert_ok(ipcc_map_get(&map, "one", &value));
    assert_fails(ipcc_map_get(&map, "three", &value), KEY, "\"three\"");
    struct ipcc_value array = raw_of("['two', 3]");
    assert_fails(ipcc_map_get(&array, "two", &value), TYPE, "an array where a map");
    struct ipcc_value text = ipcc_str("two");
    assert_fails(ipcc_map_get(&text, "two", &value), TYPE, "a str where a map");
    assert_fails(ipcc_map_get(NULL, "two", &value), ARGUMENT, "map");
    assert_fails(ipcc_map_get(&map, NULL, &value), ARGUMENT, "key");
    assert_fails(ipcc_map_get(&map, "two", NULL), ARGUMENT, "value");
}

static void unpack_gives_the_object_that_msgpack_c_gives(void **state)
{
    static const char *const texts[] = {"nil",
                                        "true",
                                        "5",
                                        "-5",
                                        "18446744073709551615",
                                        "1.5",
                                        "'text'",
                                        "b'bytes'",
                                        "ext(5, 'abc')",
                                        "[]",
                                        "{}",
                                        "[1, [2, {a: [nil, 'x'*300]}], {}, 'y']",
                                        "{1: {2: {3: [4]}}, 'k': b'v'}"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct slice bytes = bytes_of(texts[i]);
        struct ipcc_value value = value_decode(bytes);
        msgpack_unpacked expected;
        msgpack_object got;
        msgpack_zone zone;
        size_t at = 0;
        msgpack_unpacked_init(&expected);
        assert_true(msgpack_zone_init(&zone, 1024));
        assert_int_equal(msgpack_unpack_next(&expected, (const char *)bytes.data, bytes.len, &at),
                         MSGPACK_UNPACK_SUCCESS);
        assert_ok(ipcc_value_unpack(&value, &zone, &got));
        assert_true(msgpack_object_equal(expected.data, got));
        msgpack_zone_destroy(&zone);
        msgpack_unpacked_destroy(&expected);
    }
}

static void unpack_refuses_what_is_no_value_of_an_answer(void **state)
{
    msgpack_zone zone;
    msgpack_object object;
    assert_true(msgpack_zone_init(&zone, 1024));
    struct ipcc_value inner = ipcc_int(1);
    struct ipcc_value array = ipcc_array(&inner, 1);
    struct ipcc_value none = ipcc_none();
    struct ipcc_value cut = ipcc_raw("\x92\x01", 2);
    struct ipcc_value two = ipcc_raw("\x01\x01", 2);
    struct ipcc_value huge = ipcc_raw("\xdd\xff\xff\xff\xff\x01", 6);
    assert_fails(ipcc_value_unpack(&array, &zone, &object), ARGUMENT, "an array");
    assert_fails(ipcc_value_unpack(&none, &zone, &object), ARGUMENT, "no value");
    assert_fails(ipcc_value_unpack(&cut, &zone, &object), ARGUMENT, "exactly one");
    assert_fails(ipcc_value_unpack(&two, &zone, &object), ARGUMENT, "exactly one");
    assert_fails(ipcc_value_unpack(&huge, &zone, &object), ARGUMENT, "exactly one");
    assert_fails(ipcc_value_unpack(NULL, &zone, &object), ARGUMENT, "zone");
    assert_fails(ipcc_value_unpack(&inner, NULL, &object), ARGUMENT, "zone");
    assert_fails(ipcc_value_unpack(&inner, &zone, NULL), ARGUMENT, "zone");
    msgpack_zone_destroy(&zone);
}

static void values_are_printed_to_fit(void **state)
{
    char text[32];
    struct ipcc_value value = raw_of("{a: [1, 'x', nil]}");
    assert_ok(ipcc_value_print(&value, text, sizeof(text)));
    assert_string_equal(text, "{\"a\": [1, \"x\", null]}");
    value = ipcc_str("short");
    assert_ok(ipcc_value_print(&value, text, sizeof(text)));
    assert_string_equal(text, "\"short\"");
    struct ipcc_value inner[] = {ipcc_int(1), ipcc_bool(true)};
    value = ipcc_array(inner, 2);
    assert_ok(ipcc_value_print(&value, text, sizeof(text)));
    assert_string_equal(text, "[1, true]");
    value = ipcc_str("ÄÖÜäöüÄÖÜäöüÄÖÜäöüÄÖÜäöüÄÖÜäöüÄÖÜäöü");
    for (size_t size = 1; size <= sizeof(text); size++) {
        memset(text, 'x', sizeof(text));
        assert_ok(ipcc_value_print(&value, text, size));
        assert_true(strlen(text) < size);
        assert_true(value_is_utf8(slice_of_string(text)));
    }
    assert_fails(ipcc_value_print(&value, text, 0), ARGUMENT, "room");
    assert_fails(ipcc_value_print(&value, NULL, 5), ARGUMENT, "room");
    assert_fails(ipcc_value_print(NULL, text, 5), ARGUMENT, "value");
    value = ipcc_none();
    assert_fails(ipcc_value_print(&value, text, 5), ARGUMENT, "");
    assert_string_equal(text, "");
}

static void copies_of_replies_have_bytes_of_their_own(void **state)
{
    struct ipcc_reply from = {.value = raw_of("[1, 2]")};
    struct ipcc_reply to = {0};
    assert_ok(ipcc_reply_copy(&to, &from));
    assert_true(to.value.as.data != from.value.as.data);
    assert_int_equal(to.value.length, 3);
    assert_memory_equal(to.value.as.data, "\x92\x01\x02", 3);
    ipcc_reply_free(&to);
    ipcc_reply_free(&to);
    ipcc_reply_free(NULL);
    from.value = ipcc_int(5);
    assert_ok(ipcc_reply_copy(&to, &from));
    assert_int_equal(to.value.as.integer, 5);
    from.value = ipcc_array(NULL, 0);
    assert_fails(ipcc_reply_copy(&to, &from), ARGUMENT, "answer");
    assert_fails(ipcc_reply_copy(NULL, &from), ARGUMENT, "two");
    assert_fails(ipcc_reply_copy(&to, NULL), ARGUMENT, "two");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scalars_are_encoded_in_their_shortest_form),
        cmocka_unit_test(arrays_and_maps_are_made_of_values),
        cmocka_unit_test(raw_values_are_sent_as_they_are),
        cmocka_unit_test(objects_of_msgpack_c_are_sent_with_all_their_kinds),
        cmocka_unit_test(objects_that_are_none_are_refused),
        cmocka_unit_test(lengths_without_bytes_are_refused),
        cmocka_unit_test(answers_are_decoded_by_kind),
        cmocka_unit_test(integers_of_answers_are_taken_with_their_bounds),
        cmocka_unit_test(kinds_have_names_for_messages),
        cmocka_unit_test(strings_are_compared_with_their_length),
        cmocka_unit_test(walk_goes_through_arrays_maps_and_pairs),
        cmocka_unit_test(walk_through_anything_else_is_empty),
        cmocka_unit_test(walk_never_steps_beyond_the_bytes),
        cmocka_unit_test(items_are_taken_with_or_without_a_ticket),
        cmocka_unit_test(values_of_a_map_are_found_by_name),
        cmocka_unit_test(unpack_gives_the_object_that_msgpack_c_gives),
        cmocka_unit_test(unpack_refuses_what_is_no_value_of_an_answer),
        cmocka_unit_test(values_are_printed_to_fit),
        cmocka_unit_test(copies_of_replies_have_bytes_of_their_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
