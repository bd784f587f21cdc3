/* Tests of proto/value: canonical form, equality, keys. */
#include "proto/value.h"

#include "tests/support/bytes.h"
#include "tests/support/random_value.h"
#include "tests/support/unit.h"

#include <msgpack/object.h>
#include <msgpack/unpack.h>
#include <msgpack/pack.h>

#include <stdlib.h>

static void canonical_of(struct slice value, struct buffer *out)
{
    value_canonical(value, out);
    assert_false(out->failed);
}

struct form {
    const char *sent;
    const char *canonical;
};

static const struct form forms[] = {
    {"c0", "c0"},
    {"c3", "c3"},
    /* integers: each in a form that is too long, and the borders */
    {"cc05", "05"},
    {"d005", "05"},
    {"cd0005", "05"},
    {"d10005", "05"},
    {"ce00000005", "05"},
    {"d200000005", "05"},
    {"cf0000000000000005", "05"},
    {"d30000000000000005", "05"},
    {"cc7f", "7f"},
    {"cc80", "cc80"},
    {"d10080", "cc80"},
    {"cd00ff", "ccff"},
    {"cd0100", "cd0100"},
    {"d10100", "cd0100"}, /* the same length, but signed */
    {"d27fffffff", "ce7fffffff"},
    {"d37fffffffffffffff", "cf7fffffffffffffff"},
    {"ce0000ffff", "cdffff"},
    {"ce00010000", "ce00010000"},
    {"cf00000000ffffffff", "ceffffffff"},
    {"cf0000000100000000", "cf0000000100000000"},
    {"cfffffffffffffffff", "cfffffffffffffffff"},
    {"d0e0", "e0"},
    {"d0df", "d0df"},
    {"d1ff80", "d080"},
    {"d1ff7f", "d1ff7f"},
    {"d2ffff8000", "d18000"},
    {"d2ffff7fff", "d2ffff7fff"},
    {"d3ffffffff80000000", "d280000000"},
    {"d3ffffffff7fffffff", "d3ffffffff7fffffff"},
    {"d3ffffffffffffffff", "ff"},
    /* floats: always of 64 bits, and never an integer */
    {"ca3f800000", "cb3ff0000000000000"},
    {"cb3ff0000000000000", "cb3ff0000000000000"},
    {"ca7f800000", "cb7ff0000000000000"},
    {"ca80000000", "cb8000000000000000"},
    {"ca00000001", "cb36a0000000000000"}, /* the smallest subnormal */
    /* runs */
    {"d90161", "a161"},
    {"da000161", "a161"},
    {"db0000000161", "a161"},
    {"c50001ff", "c401ff"},
    {"c600000001ff", "c401ff"},
    {"db00000000", "a0"},
    {"c600000000", "c400"},
    /* exts */
    {"c70105 61", "d405 61"},
    {"c800010561", "d40561"},
    {"c900000001fe61", "d4fe61"},
    {"c70205 6161", "d505 6161"},
    {"c7040561616161", "d60561616161"},
    {"c707056161616161 6161", "c707056161616161 6161"},
    {"c70805 6161616161616161", "d70561616161 61616161"},
    {"c71005 61616161616161616161616161616161", "d805 61616161616161616161616161616161"},
    {"c9000000030561 6161", "c7030561 6161"},
    {"c8000005", "c70005"},
    /* containers, and what is in them; the order of a map stays */
    {"dc0000", "90"},
    {"dd00000002 cc01 dc0001 d90161", "92 01 91 a161"},
    {"de0001 a162 cd0001", "81 a162 01"},
    {"df00000002 a162 01 a161 ca3f800000", "82 a162 01 a161 cb3ff0000000000000"},
    {"93 01 d90161 02", "93 01 a161 02"},
};

enum { FORMS = sizeof(forms) / sizeof(forms[0]) };

static void value_canonical_has_the_shortest_forms(void **state)
{
    for (size_t i = 0; i < FORMS; i++) {
        struct buffer sent = bytes_of_hex(forms[i].sent);
        struct buffer expected = bytes_of_hex(forms[i].canonical);
        struct buffer got = {0};
        canonical_of(buffer_slice(&sent), &got);
        assert_bytes(buffer_slice(&got), buffer_slice(&expected));
        assert_true(value_is_canonical(buffer_slice(&expected)));
        assert_int_equal(value_is_canonical(buffer_slice(&sent)),
                         slice_equal(buffer_slice(&sent), buffer_slice(&expected)));
        assert_true(value_equal(buffer_slice(&sent), buffer_slice(&expected)));
        buffer_deinit(&sent);
        buffer_deinit(&expected);
        buffer_deinit(&got);
    }
}

/* A str, bin or array of `count` in a header of 4 bytes of length and in the canonical one. */
static void check_wide(uint8_t first, size_t count, const char *canonical_header)
{
    struct buffer sent = {0};
    struct buffer got = {0};
    uint8_t header[5] = {first, 0, (uint8_t)(count >> 16), (uint8_t)(count >> 8), (uint8_t)count};
    (void)buffer_append(&sent, header, sizeof(header));
    for (size_t i = 0; i < count; i++) {
        (void)buffer_append(&sent, "\x01", 1);
    }
    canonical_of(buffer_slice(&sent), &got);
    size_t size = strlen(canonical_header) / 2;
    assert_int_equal(got.len, size + count);
    assert_hex((struct slice){got.data, size}, canonical_header);
    assert_true(value_is_canonical(buffer_slice(&got)));
    assert_int_equal(value_is_canonical(buffer_slice(&sent)), size == 5);
    buffer_deinit(&sent);
    buffer_deinit(&got);
}

static void value_canonical_knows_the_borders_of_lengths(void **state)
{
    check_wide(0xdb, 31, "bf");
    check_wide(0xdb, 32, "d920");
    check_wide(0xdb, 255, "d9ff");
    check_wide(0xdb, 256, "da0100");
    check_wide(0xdb, 65535, "daffff");
    check_wide(0xdb, 65536, "db00010000");
    check_wide(0xc6, 255, "c4ff");
    check_wide(0xc6, 256, "c50100");
    check_wide(0xc6, 65535, "c5ffff");
    check_wide(0xc6, 65536, "c600010000");
    check_wide(0xdd, 15, "9f");
    check_wide(0xdd, 16, "dc0010");
    check_wide(0xdd, 65535, "dcffff");
    check_wide(0xdd, 65536, "dd00010000");
}

/* The tree with its floats widened: msgpack-c packs a float32 as one. */
static void widen_floats(msgpack_object *object)
{
    switch (object->type) {
    case MSGPACK_OBJECT_FLOAT32:
        object->type = MSGPACK_OBJECT_FLOAT64;
        break;
    case MSGPACK_OBJECT_ARRAY:
        for (uint32_t i = 0; i < object->via.array.size; i++) {
            widen_floats(&object->via.array.ptr[i]);
        }
        break;
    case MSGPACK_OBJECT_MAP:
        for (uint32_t i = 0; i < object->via.map.size; i++) {
            widen_floats(&object->via.map.ptr[i].key);
            widen_floats(&object->via.map.ptr[i].val);
        }
        break;
    default:
        break;
    }
}

static int append_packed(void *buffer, const char *data, size_t len)
{
    return buffer_append(buffer, data, len);
}

/* What msgpack-c makes of the bytes when it unpacks them and packs the tree again. */
static void repacked_of(struct slice value, struct buffer *out)
{
    msgpack_unpacked unpacked;
    msgpack_unpacked_init(&unpacked);
    size_t at = 0;
    assert_int_equal(msgpack_unpack_next(&unpacked, (const char *)value.data, value.len, &at),
                     MSGPACK_UNPACK_SUCCESS);
    assert_int_equal(at, value.len);
    widen_floats(&unpacked.data);
    msgpack_packer packer;
    msgpack_packer_init(&packer, out, append_packed);
    assert_int_equal(msgpack_pack_object(&packer, unpacked.data), 0);
    msgpack_unpacked_destroy(&unpacked);
}

static const struct random_shape any_shape = {
    .max_depth = 4, .max_count = 5, .max_run = 40, .any_form = true};

static void value_canonical_is_what_msgpack_packs(void **state)
{
    struct random random = random_from_seed(1);
    for (unsigned i = 0; i < 20000; i++) {
        struct buffer sent = {0};
        struct buffer got = {0};
        struct buffer expected = {0};
        random_value(&random, &any_shape, &sent);
        canonical_of(buffer_slice(&sent), &got);
        repacked_of(buffer_slice(&sent), &expected);
        assert_bytes(buffer_slice(&got), buffer_slice(&expected));
        assert_true(got.len <= sent.len * 9 / 5);
        assert_int_equal(value_is_canonical(buffer_slice(&sent)),
                         slice_equal(buffer_slice(&sent), buffer_slice(&got)));
        buffer_deinit(&sent);
        buffer_deinit(&got);
        buffer_deinit(&expected);
    }
}

static void value_canonical_of_canonical_is_itself(void **state)
{
    struct random random = random_from_seed(2);
    for (unsigned i = 0; i < 20000; i++) {
        struct buffer sent = {0};
        struct buffer once = {0};
        struct buffer twice = {0};
        random_value(&random, &any_shape, &sent);
        canonical_of(buffer_slice(&sent), &once);
        canonical_of(buffer_slice(&once), &twice);
        assert_true(value_is_canonical(buffer_slice(&once)));
        assert_bytes(buffer_slice(&twice), buffer_slice(&once));
        assert_true(value_equal(buffer_slice(&sent), buffer_slice(&once)));
        assert_true(value_equal(buffer_slice(&once), buffer_slice(&sent)));
        buffer_deinit(&sent);
        buffer_deinit(&once);
        buffer_deinit(&twice);
    }
}

static void value_canonical_latches_want_of_memory(void **state)
{
    struct buffer sent = bytes_of_hex("92 cc01 a161");
    struct buffer out = {.failed = true};
    value_canonical(buffer_slice(&sent), &out);
    assert_true(out.failed);
    assert_int_equal(out.len, 0);
    buffer_deinit(&sent);
    buffer_deinit(&out);
}

static bool equal_hex(const char *a, const char *b)
{
    struct buffer bytes_a = bytes_of_hex(a);
    struct buffer bytes_b = bytes_of_hex(b);
    bool equal = value_equal(buffer_slice(&bytes_a), buffer_slice(&bytes_b));
    assert_int_equal(value_equal(buffer_slice(&bytes_b), buffer_slice(&bytes_a)), equal);
    buffer_deinit(&bytes_a);
    buffer_deinit(&bytes_b);
    return equal;
}

static void values_of_different_kinds_are_not_equal(void **state)
{
    static const char *const different[] = {
        "01",       "cb3ff0000000000000",
        "c3",       "a131",
        "c40131",   "91 01",
        "81 01 01", "c0",
        "d40131",   "d40231",
        "c2",       "00",
        "90",       "80",
        "a0",       "c400",
        "c70001",   "c70002",
        "91 91 01",
    };
    enum { COUNT = sizeof(different) / sizeof(different[0]) };
    for (size_t i = 0; i < COUNT; i++) {
        for (size_t j = 0; j < COUNT; j++) {
            assert_int_equal(equal_hex(different[i], different[j]), i == j);
        }
    }
}

static void values_are_equal_by_their_bytes(void **state)
{
    assert_true(equal_hex("cb7ff8000000000000", "cb7ff8000000000000"));  /* NaN equals itself */
    assert_true(equal_hex("ca7fc00000", "cb7ff8000000000000"));          /* in float32 too */
    assert_false(equal_hex("cb7ff8000000000000", "cb7ff8000000000001")); /* not another NaN */
    assert_false(equal_hex("cb0000000000000000", "cb8000000000000000")); /* 0.0 and -0.0 */
    assert_true(equal_hex("92 05 dc0001 d90161", "dd00000002 d30000000000000005 91 a161"));
    assert_false(equal_hex("92 01 02", "92 02 01"));
    assert_false(equal_hex("82 01 02 03 04", "82 03 04 01 02")); /* maps keep their order */
    assert_false(equal_hex("81 01 02", "82 01 02 03 04"));
    assert_false(equal_hex("92 01 91 02", "92 91 01 02"));
    assert_false(equal_hex("92 91 01 02", "91 92 01 02")); /* the same values, nested otherwise */
    assert_false(equal_hex("a26162", "a26163"));
    assert_false(equal_hex("a26162", "a3616263"));
    assert_false(equal_hex("cfffffffffffffffff", "ff"));
}

static void value_equal_agrees_with_canonical_bytes(void **state)
{
    static const struct random_shape shape = {
        .max_depth = 2, .max_count = 2, .max_run = 1, .any_form = true};
    struct random random = random_from_seed(3);
    unsigned equals = 0;
    for (unsigned i = 0; i < 100000; i++) {
        struct buffer a = {0};
        struct buffer b = {0};
        struct buffer canonical_a = {0};
        struct buffer canonical_b = {0};
        random_value(&random, &shape, &a);
        random_value(&random, &shape, &b);
        canonical_of(buffer_slice(&a), &canonical_a);
        canonical_of(buffer_slice(&b), &canonical_b);
        bool equal = slice_equal(buffer_slice(&canonical_a), buffer_slice(&canonical_b));
        assert_int_equal(value_equal(buffer_slice(&a), buffer_slice(&b)), equal);
        equals += equal;
        buffer_deinit(&a);
        buffer_deinit(&b);
        buffer_deinit(&canonical_a);
        buffer_deinit(&canonical_b);
    }
    assert_in_range(equals, 1000, 90000);
}

struct key {
    const char *hex;
    const char *why; /* NULL: it may be a key */
};

static void value_check_key_says_what_cannot_be_one(void **state)
{
    static const struct key keys[] = {
        {"01", NULL},
        {"ff", NULL},
        {"c0", NULL},
        {"c3", NULL},
        {"a161", NULL},
        {"d90161", NULL},
        {"c40161", NULL},
        {"cfffffffffffffffff", NULL},
        {"cb3ff0000000000000", NULL},
        {"cb7ff0000000000000", NULL},
        {"90", NULL},
        {"92 01 92 a161 c0", NULL},
        {"d40361", NULL},
        {"d6ff00000001", NULL},
        {"91 cb7ff8000000000000", NULL},
        {"80", "a map"},
        {"de0001 01 02", "a map"},
        {"91 80", "an array that holds a map"},
        {"92 01 92 02 81 01 02", "an array that holds a map"},
        {"cb7ff8000000000000", "NaN"},
        {"ca7fc00000", "NaN"},
        {"cbfff0000000000001", "NaN"},
        {"d40161", "an object reference"},
        {"c7020161 61", "an object reference"},
        {"d40200", "a file descriptor"},
        {"91 91 d40161", "an array that holds an object reference"},
        {"92 01 d40200", "an array that holds a file descriptor"},
    };
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        struct buffer bytes = bytes_of_hex(keys[i].hex);
        const char *why = NULL;
        int status = value_check_key(buffer_slice(&bytes), &why);
        assert_int_equal(status, keys[i].why == NULL ? 0 : ERR_TYPE);
        assert_int_equal(value_check_key(buffer_slice(&bytes), NULL), status);
        if (keys[i].why != NULL) {
            assert_non_null(why);
            assert_string_equal(why, keys[i].why);
        }
        buffer_deinit(&bytes);
    }
}

/* Cut anywhere: the answers for the parts are those for the whole. */
static void parts_of_a_value_are_judged_as_the_whole(void **state)
{
    struct random random = random_from_seed(12);
    for (unsigned i = 0; i < 3000; i++) {
        struct buffer bytes = {0};
        struct buffer whole = {0};
        struct buffer parts = {0};
        bool canonical = true;
        const char *why = NULL;
        const char *why_part = NULL;
        int status = 0;
        random_value(&random, &any_shape, &bytes);
        struct slice value = buffer_slice(&bytes);
        size_t size = 1 + random_below(&random, 20);
        for (struct slice rest = value; rest.len > 0;) {
            bool first = rest.len == value.len;
            struct slice part = value_part(&rest, size);
            assert_true(part.len > 0 && (part.len >= size || rest.len == 0));
            canonical = canonical && value_part_is_canonical(part);
            status = status == 0 ? value_check_key_part(part, first, &why_part) : status;
            value_canonical(part, &parts);
        }
        value_canonical(value, &whole);
        assert_true(slice_equal(buffer_slice(&parts), buffer_slice(&whole)));
        assert_int_equal(canonical, value_is_canonical(value));
        assert_int_equal(status, value_check_key(value, &why));
        assert_ptr_equal(why_part, why);
        buffer_deinit(&bytes);
        buffer_deinit(&whole);
        buffer_deinit(&parts);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(value_canonical_has_the_shortest_forms),
        cmocka_unit_test(value_canonical_knows_the_borders_of_lengths),
        cmocka_unit_test(value_canonical_is_what_msgpack_packs),
        cmocka_unit_test(value_canonical_of_canonical_is_itself),
        cmocka_unit_test(value_canonical_latches_want_of_memory),
        cmocka_unit_test(values_of_different_kinds_are_not_equal),
        cmocka_unit_test(values_are_equal_by_their_bytes),
        cmocka_unit_test(value_equal_agrees_with_canonical_bytes),
        cmocka_unit_test(value_check_key_says_what_cannot_be_one),
        cmocka_unit_test(parts_of_a_value_are_judged_as_the_whole),
    };
    return cmocka_run_group_tests_name("value", tests, NULL, NULL);
}
