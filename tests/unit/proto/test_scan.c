/* Tests of proto/scan. */
#include "proto/scan.h"

#include "proto/pack.h"
#include "tests/support/bytes.h"
#include "tests/support/unit.h"
#include "tests/support/random_value.h"

#include <stdlib.h>

enum { DEPTH = 32, SIZE = 1 << 20 };

static int scan_once(const uint8_t *data, size_t len, unsigned depth, size_t size, size_t *end)
{
    struct scan scan;
    scan_init(&scan, depth, size);
    int status = scan_run(&scan, data, len);
    *end = scan.at;
    return status;
}

static int scan_hex(const char *hex, unsigned depth, size_t size)
{
    struct buffer bytes = bytes_of_hex(hex);
    size_t end;
    int status = scan_once(bytes.data, bytes.len, depth, size, &end);
    if (status == 0) {
        assert_int_equal(end, bytes.len);
    }
    buffer_deinit(&bytes);
    return status;
}

/* The same question answered by recursion over header_read: the end of the value at `at`, or a
 * negative number if it is not whole or not allowed. */
static int64_t model_end(struct slice bytes, size_t at, unsigned depth)
{
    struct header header;
    if (at >= bytes.len || header_read(bytes.data + at, bytes.len - at, &header) != 0) {
        return -1;
    }
    int64_t end = (int64_t)(at + header.size + header.length);
    if (header.kind == KIND_ARRAY || header.kind == KIND_MAP) {
        uint64_t values = (uint64_t)header.count * (header.kind == KIND_MAP ? 2 : 1);
        end = depth == 0 ? -1 : end;
        for (uint64_t i = 0; i < values && end >= 0; i++) {
            end = model_end(bytes, (size_t)end, depth - 1);
        }
    }
    return end > (int64_t)bytes.len ? -1 : end;
}

static void make_random(struct random *random, struct buffer *out)
{
    static const struct random_shape shape = {
        .max_depth = 5, .max_count = 4, .max_run = 40, .any_form = true};
    random_value(random, &shape, out);
    assert_false(out->failed);
}

static void scan_finds_the_end_of_a_value_with_more_behind_it(void **state)
{
    struct random random = random_from_seed(1);
    for (unsigned i = 0; i < 20000; i++) {
        struct buffer bytes = {0};
        make_random(&random, &bytes);
        size_t len = bytes.len;
        make_random(&random, &bytes);
        size_t end;
        assert_int_equal(scan_once(bytes.data, bytes.len, DEPTH, SIZE, &end), 0);
        assert_int_equal(end, len);
        assert_int_equal(scan_length(bytes.data, bytes.len), len);
        buffer_deinit(&bytes);
    }
}

/* Both ways, started anew with each byte and going on: every prefix needs more, and nothing behind
 * it is read. */
static void scan_of_every_prefix_answers_more(void **state)
{
    struct random random = random_from_seed(2);
    for (unsigned i = 0; i < 1000; i++) {
        struct buffer bytes = {0};
        make_random(&random, &bytes);
        struct scan resumed;
        scan_init(&resumed, DEPTH, SIZE);
        for (size_t len = 0; len <= bytes.len; len++) {
            uint8_t *exact = exact_copy(bytes.data, len);
            int expected = len < bytes.len ? SCAN_MORE : 0;
            size_t end;
            assert_int_equal(scan_once(exact, len, DEPTH, SIZE, &end), expected);
            assert_int_equal(scan_run(&resumed, exact, len), expected);
            assert_int_equal(scan_length(exact, len), len < bytes.len ? 0 : len);
            free(exact);
        }
        assert_int_equal(resumed.at, bytes.len);
        assert_int_equal(scan_run(&resumed, bytes.data, bytes.len), 0);
        buffer_deinit(&bytes);
    }
}

static void scan_goes_on_in_steps_of_any_size(void **state)
{
    struct random random = random_from_seed(3);
    for (unsigned i = 0; i < 20000; i++) {
        struct buffer bytes = {0};
        make_random(&random, &bytes);
        struct scan scan;
        scan_init(&scan, DEPTH, SIZE);
        size_t len = 0;
        while (len < bytes.len) {
            assert_int_equal(scan_run(&scan, bytes.data, len), SCAN_MORE);
            len += 1 + random_below(&random, 20);
        }
        assert_int_equal(scan_run(&scan, bytes.data, bytes.len), 0);
        assert_int_equal(scan.at, bytes.len);
        buffer_deinit(&bytes);
    }
}

/* Random bytes, most of them first bytes that lead on, against the recursive model. */
static void scan_judges_random_bytes_as_a_recursive_reader_does(void **state)
{
    static const char starts[] =
        "\x01\x81\x82\x91\x92\x93\xa1\xc0\xc1\xc4\xc7\xcc\xd4\xd9\xdc\xdd\xff";
    struct random random = random_from_seed(4);
    unsigned whole = 0;
    for (unsigned i = 0; i < 200000; i++) {
        uint8_t bytes[24];
        for (size_t j = 0; j < sizeof(bytes); j++) {
            bytes[j] = random_below(&random, 4) == 0
                           ? (uint8_t)random_below(&random, 3)
                           : (uint8_t)starts[random_below(&random, sizeof(starts) - 1)];
        }
        int64_t expected = model_end((struct slice){bytes, sizeof(bytes)}, 0, 4);
        size_t end;
        int status = scan_once(bytes, sizeof(bytes), 4, SIZE, &end);
        assert_int_equal(status == 0, expected >= 0);
        if (status == 0) {
            assert_int_equal(end, expected);
            whole++;
        }
    }
    assert_in_range(whole, 20000, 180000);
}

static void scan_refuses_the_unused_byte_wherever_it_stands(void **state)
{
    assert_int_equal(scan_hex("c1", DEPTH, SIZE), ERR_BAD_REQUEST);
    assert_int_equal(scan_hex("92 01 c1", DEPTH, SIZE), ERR_BAD_REQUEST);
    assert_int_equal(scan_hex("81 01 91 c1", DEPTH, SIZE), ERR_BAD_REQUEST);
    assert_int_equal(scan_hex("a1 c1", DEPTH, SIZE), 0); /* as data it is any byte */
}

/* `depth` arrays in each other, or maps, around these bytes. */
static int scan_nested(unsigned depth, const char *container, const char *innermost, unsigned max)
{
    struct buffer bytes = {0};
    for (unsigned i = 0; i < depth; i++) {
        append_hex(&bytes, container);
    }
    append_hex(&bytes, innermost);
    size_t end;
    int status = scan_once(bytes.data, bytes.len, max, SIZE, &end);
    buffer_deinit(&bytes);
    return status;
}

static void scan_allows_exactly_max_depth_containers(void **state)
{
    assert_int_equal(scan_nested(32, "91", "c0", 32), 0);
    assert_int_equal(scan_nested(33, "91", "c0", 32), ERR_BAD_REQUEST);
    assert_int_equal(scan_nested(32, "81 01", "c0", 32), 0);
    assert_int_equal(scan_nested(33, "81 01", "c0", 32), ERR_BAD_REQUEST);
    assert_int_equal(scan_nested(31, "dd00000001", "90", 32), 0);
    assert_int_equal(scan_nested(32, "dd00000001", "90", 32), ERR_BAD_REQUEST);
    assert_int_equal(scan_nested(31, "91", "80", 32), 0);
    assert_int_equal(scan_nested(32, "91", "80", 32), ERR_BAD_REQUEST);
    assert_int_equal(scan_nested(0, "", "c0", 0), 0);
    assert_int_equal(scan_nested(0, "", "90", 0), ERR_BAD_REQUEST);
}

static void scan_counts_depth_and_not_containers(void **state)
{
    assert_int_equal(scan_hex("93 91c0 91c0 9190", 3, SIZE), 0);
    assert_int_equal(scan_hex("93 91c0 91c0 9190", 2, SIZE), ERR_BAD_REQUEST);
}

static void scan_never_goes_deeper_than_its_stack(void **state)
{
    assert_int_equal(scan_nested(SCAN_DEPTH_MAX, "91", "c0", 1000), 0);
    assert_int_equal(scan_nested(SCAN_DEPTH_MAX + 1, "91", "c0", 1000), ERR_BAD_REQUEST);
}

static void scan_allows_exactly_max_size_bytes(void **state)
{
    struct random random = random_from_seed(5);
    for (unsigned i = 0; i < 3000; i++) {
        struct buffer bytes = {0};
        make_random(&random, &bytes);
        size_t end;
        assert_int_equal(scan_once(bytes.data, bytes.len, DEPTH, bytes.len, &end), 0);
        for (size_t size = bytes.len > 40 ? bytes.len - 40 : 0; size < bytes.len; size++) {
            assert_int_equal(scan_once(bytes.data, bytes.len, DEPTH, size, &end), ERR_TOO_LARGE);
            /* All that is allowed is there and it is not the end: no more can help. */
            assert_int_equal(scan_once(bytes.data, size, DEPTH, size, &end), ERR_TOO_LARGE);
        }
        buffer_deinit(&bytes);
    }
}

static void scan_refuses_lengths_that_cannot_fit_as_soon_as_they_are_seen(void **state)
{
    static const char *const headers[] = {
        "dbffffffff", "c6ffffffff",   "c9ffffffff05", "ddffffffff",   "dfffffffff",
        "df80000000", "df7fffffff",   "dd00100000",   "df00080000",   "db00100000",
        "c600100000", "c90010000005", "93dbffffffff", "92dd00100000", "81a161c6000fffff",
    };
    for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
        assert_int_equal(scan_hex(headers[i], DEPTH, SIZE), ERR_TOO_LARGE);
    }
    assert_int_equal(scan_hex("db000ffffb", DEPTH, SIZE), SCAN_MORE); /* ends at SIZE exactly */
    assert_int_equal(scan_hex("db000ffffc", DEPTH, SIZE), ERR_TOO_LARGE);
    assert_int_equal(scan_hex("dd000ffffb", DEPTH, SIZE), SCAN_MORE);
    assert_int_equal(scan_hex("dd000ffffc", DEPTH, SIZE), ERR_TOO_LARGE);
    assert_int_equal(scan_hex("df0007fffd", DEPTH, SIZE), SCAN_MORE);
    assert_int_equal(scan_hex("df0007fffe", DEPTH, SIZE), ERR_TOO_LARGE);
}

static void scan_without_a_size_limit_believes_no_count(void **state)
{
    assert_int_equal(scan_hex("df80000000", DEPTH, SIZE_MAX), ERR_TOO_LARGE);
    assert_int_equal(scan_hex("dfffffffff", DEPTH, SIZE_MAX), ERR_TOO_LARGE);
    assert_int_equal(scan_hex("df7fff0000 01", DEPTH, SIZE_MAX), SCAN_MORE);
    assert_int_equal(scan_hex("c9ffffffff05", DEPTH, SIZE_MAX), ERR_TOO_LARGE);
    assert_int_equal(scan_hex("c9fffffff005", DEPTH, SIZE_MAX), SCAN_MORE);
}

static unsigned exts_of(const char *hex)
{
    struct buffer bytes = bytes_of_hex(hex);
    struct scan scan;
    scan_init(&scan, DEPTH, SIZE);
    assert_int_equal(scan_run(&scan, bytes.data, bytes.len), 0);
    buffer_deinit(&bytes);
    return scan.exts;
}

static void scan_notes_references_and_descriptors(void **state)
{
    assert_int_equal(exts_of("93 01 a101 c40102"), 0);
    assert_int_equal(exts_of("d40171"), SCAN_REFERENCE);
    assert_int_equal(exts_of("91 81 01 c7020161 61"), SCAN_REFERENCE);
    assert_int_equal(exts_of("d40200"), SCAN_DESCRIPTOR);
    assert_int_equal(exts_of("92 c80001 02 00 d40171"), SCAN_REFERENCE | SCAN_DESCRIPTOR);
    assert_int_equal(exts_of("94 d40300 d4ff00 d40000 d47f00"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scan_finds_the_end_of_a_value_with_more_behind_it),
        cmocka_unit_test(scan_of_every_prefix_answers_more),
        cmocka_unit_test(scan_goes_on_in_steps_of_any_size),
        cmocka_unit_test(scan_judges_random_bytes_as_a_recursive_reader_does),
        cmocka_unit_test(scan_refuses_the_unused_byte_wherever_it_stands),
        cmocka_unit_test(scan_allows_exactly_max_depth_containers),
        cmocka_unit_test(scan_counts_depth_and_not_containers),
        cmocka_unit_test(scan_never_goes_deeper_than_its_stack),
        cmocka_unit_test(scan_allows_exactly_max_size_bytes),
        cmocka_unit_test(scan_refuses_lengths_that_cannot_fit_as_soon_as_they_are_seen),
        cmocka_unit_test(scan_without_a_size_limit_believes_no_count),
        cmocka_unit_test(scan_notes_references_and_descriptors),
    };
    return cmocka_run_group_tests_name("scan", tests, NULL, NULL);
}
