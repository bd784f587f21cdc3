/* Params as the functions in Redis are given them; and what they tell of an object. */
#include "tests/support/stage.h"

#include <stdio.h>
#include <stdlib.h>

#include "daemon/call/lookup.h"
#include "daemon/engine/encode.h"
#include "daemon/engine/meta.h"
#include "daemon/methods/open.h"
#include "proto/value.h"

struct encoded {
    struct op_part part;
    int status;
    char refusal[256];
};

static int set_up(void **state)
{
    *state = stage_new();
    return 0;
}

static int tear_down(void **state)
{
    stage_free(*state);
    return 0;
}

static bool lives_there(void *data, struct slice name)
{
    return name.len > 0 && name.data[0] == 'r';
}

static void keep_refusal(struct output *output, char text[256])
{
    struct slice rest = buffer_slice(&output->bytes);
    if (rest.len > 0) {
        struct buffer shown = {0};
        struct param whole = value_next(&rest);
        value_print(whole.raw, 200, &shown);
        (void)snprintf(text, 256, "%.*s", (int)shown.len, (const char *)shown.data);
        buffer_deinit(&shown);
    }
}

/* Encodes a call; the caller frees what is in it (release). */
static void encode(struct stage *stage, struct encoded *out, const char *method, const char *params)
{
    struct actor *actor = actor_new(stage, 1000);
    struct buffer request;
    struct message message;
    struct origin origin = {.refs = 1};
    const struct residence residence = {lives_there, NULL};
    actor_pack(&request, method, params);
    assert_int_equal(
        message_decode(request.data, request.len, MESSAGE_DEPTH, MESSAGE_SIZE, &message), 0);
    struct call call = {.service = &stage->service,
                        .session = &actor->session,
                        .method = method_find(slice_of_string(method)),
                        .params = message.params,
                        .origin = message.exts != 0 ? &origin : NULL,
                        .out = &actor->session.output};
    *out = (struct encoded){.refusal = ""};
    part_init(&out->part, method, slice_of_string("NAME"));
    out->status = call_check_params(&call, message.nparams);
    assert_int_equal(out->status, 0);
    if (strstr(method, ".open") != NULL) {
        struct open_request open;
        assert_int_equal(open_read(&call, &open), 0);
        out->status = encode_open(&call, &residence, &open, true, &out->part);
    } else {
        out->status = encode_call(&call, &residence, &out->part);
    }
    keep_refusal(&actor->session.output, out->refusal);
    buffer_deinit(&request);
    actor_leave(actor);
}

static void release(struct encoded *encoded)
{
    buffer_deinit(&encoded->part.arguments.bytes);
}

/* The arguments of a call, with | between them, bytes that are no ASCII as \\xNN. */
static void print_arguments(const struct op_part *part, char *out, size_t size)
{
    size_t at = 0;
    for (unsigned i = 1; i < part->arguments.count; i++) {
        struct slice argument = argument_at(&part->arguments, i);
        for (size_t k = 0; k < argument.len; k++) {
            bool plain = argument.data[k] > ' ' && argument.data[k] < 0x7f;
            at += (size_t)snprintf(out + at, size - at, plain ? "%c" : "\\x%02x", argument.data[k]);
        }
        at += (size_t)snprintf(out + at, size - at, "|");
    }
}

static void expect(struct stage *stage, const char *method, const char *params,
                   const char *arguments)
{
    struct encoded encoded;
    char text[1024] = "";
    encode(stage, &encoded, method, params);
    assert_int_equal(encoded.status, 0);
    print_arguments(&encoded.part, text, sizeof(text));
    assert_string_equal(text, arguments);
    release(&encoded);
}

static void expect_refusal(struct stage *stage, const char *method, const char *params, int error,
                           const char *words)
{
    struct encoded encoded;
    encode(stage, &encoded, method, params);
    assert_int_equal(encoded.status, error);
    if (strstr(encoded.refusal, words) == NULL) {
        fail_msg("%s", encoded.refusal);
    }
    release(&encoded);
}

static void each_kind_of_param_has_its_form(void **state)
{
    expect(*state, "lock.acquire", "['l', 5000, 'me']", "5000|\\xa2me|");
    expect(*state, "lock.acquire", "['l']", "||");
    expect(*state, "object.describe", "['l', true]", "1|");
    expect(*state, "list.set_slice", "['l', nil, -3, 9223372036854775807, [1, 'a']]",
           "|-3|9223372036854775807|\\x92\\xa1\\x01\\xa2\\xa1a|");
    expect(*state, "dict.incr", "['d', 'k', 18446744073709551615]",
           "\\xa1k|\\xcf\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff||");
    expect(*state, "namespace.get", "['n', 'k', nil]", "\\xa1k|\\xc0|");
    expect(*state, "queue.get_any", "[['a', 'b'], 0]", "\\x92\\xa1a\\xa1b|0|");
}

static void options_stand_behind_the_params_in_their_order(void **state)
{
    expect(*state, "queue.put", "['q', 1]", "\\x01|||||||");
    expect(*state, "queue.put", "['q', 1, nil, {delay_ms: 7, priority: 'p', head: false}]",
           "\\x01||\\xa1p|7||0|1|");
    expect(*state, "queue.shutdown", "['q', true, {}]", "1||1|");
}

static void an_open_has_the_common_options_first(void **state)
{
    expect(*state, "queue.open", "['q']", "1000|1000||||1|0|||||||||");
    expect(*state, "queue.open",
           "['q', {mode: 438, lifetime: 'scoped', exclusive: true, maxsize: -1, joinable: true}]",
           "1000|1000|438|scoped||1|1||-1||1|||||");
}

static void a_value_that_is_not_canonical_brings_its_canonical_form(void **state)
{
    struct buffer out = {0};
    static const uint8_t wide[] = {0xcd, 0x00, 0x05}; /* 5 in two bytes */
    static const uint8_t stored[] = {0xc1, 0, 0, 0, 1, 0x05, 0xcd, 0x00, 0x05};
    (void)state;
    encode_stored((struct slice){wide, sizeof(wide)}, &out);
    assert_int_equal(out.len, sizeof(stored));
    assert_memory_equal(out.data, stored, sizeof(stored));
    buffer_deinit(&out);
}

static void of_equal_keys_the_last_one_counts_at_the_place_of_the_first(void **state)
{
    expect(*state, "dict.update", "['d', {2: 'a', 1: 'b', 2: 'c'}]",
           "\\x94\\xa1\\x02\\xa2\\xa1c\\xa1\\x01\\xa2\\xa1b|");
    expect(*state, "dict.update", "['d', {}]", "\\x90|");
}

static void what_cannot_be_a_key_is_refused_in_words(void **state)
{
    expect_refusal(*state, "dict.get", "['d', {}]", ERR_TYPE, "cannot be a key: it is a map");
    expect_refusal(*state, "dict.update", "['d', {1: 1, [{}]: 2}]", ERR_TYPE,
                   "an array that holds a map");
    expect_refusal(*state, "namespace.update", "['n', {1: 1}]", ERR_TYPE, "it is not a string");
}

static void values_with_what_others_cannot_have_are_refused_in_words(void **state)
{
    expect_refusal(*state, "queue.put", "['q', [1, ext(2, '\\x00')]]", ERR_UNSUPPORTED,
                   "a file descriptor");
    expect_refusal(*state, "queue.put", "['q', ext(1, 'here')]", ERR_UNSUPPORTED,
                   "the object \\\"here");
    expect(*state, "queue.put", "['q', ext(1, 'r')]", "\\xd4\\x01r|||||||");
}

static void numbers_are_written_to_their_extremes(void **state)
{
    char text[DECIMAL_MAX];
    (void)state;
    assert_int_equal(decimal_write(text, 0), 1);
    assert_string_equal(text, "0");
    assert_int_equal(decimal_write(text, UINT64_MAX), 20);
    assert_string_equal(text, "18446744073709551615");
    assert_int_equal(decimal_write_signed(text, INT64_MIN), 20);
    assert_string_equal(text, "-9223372036854775808");
    assert_int_equal(decimal_write_signed(text, INT64_MAX), 19);
    assert_string_equal(text, "9223372036854775807");
}

static void meta_is_read_and_remembered(void **state)
{
    struct buffer packed = {0};
    struct meta meta;
    struct metas metas;
    (void)state;
    pack_array(&packed, 6);
    pack_string(&packed, "queue");
    pack_int(&packed, 1000);
    pack_uint(&packed, UINT32_MAX);
    pack_int(&packed, 0640);
    pack_string(&packed, "17");
    pack_string(&packed, "scoped");
    struct slice rest = buffer_slice(&packed);
    assert_int_equal(meta_read(&rest, &meta), 0);
    assert_int_equal(rest.len, 0);
    assert_string_equal(meta.type, "queue");
    assert_true(meta.uid == 1000 && meta.gid == UINT32_MAX && meta.mode == 0640);
    assert_int_equal(meta.lifetime, LIFETIME_SCOPED);
    metas_init(&metas, 1);
    assert_null(metas_find(&metas, slice_of_string("q")));
    for (int i = 0; i <= METAS_MOST; i++) {
        char name[16];
        (void)snprintf(name, sizeof(name), "q%d", i);
        metas_remember(&metas, slice_of_string(name), &meta);
    }
    assert_null(metas_find(&metas, slice_of_string("q0")));
    assert_non_null(metas_find(&metas, slice_of_string("q1")));
    metas_forget(&metas, slice_of_string("q1"));
    assert_null(metas_find(&metas, slice_of_string("q1")));
    metas_deinit(&metas);
    buffer_deinit(&packed);
}

/* Of a condition and its lock, both of which have been given away: the longest version there is. */
static void meta_of_a_condition_has_the_versions_of_both(void **state)
{
    static const char version[] = "condition/n1795978751069001.1795978751069002"
                                  "+lock/n1795978751069003.1795978751069004";
    struct buffer packed = {0};
    struct meta meta;
    (void)state;
    pack_array(&packed, 10);
    pack_string(&packed, "condition");
    pack_int(&packed, 1000);
    pack_int(&packed, 1000);
    pack_int(&packed, 0660);
    pack_string(&packed, version);
    pack_string(&packed, "daemon");
    pack_string(&packed, "lock");
    pack_int(&packed, 1001);
    pack_int(&packed, 1001);
    pack_int(&packed, 0600);
    struct slice rest = buffer_slice(&packed);
    assert_int_equal(meta_read(&rest, &meta), 0);
    assert_true(slice_equal(meta_version(&meta), slice_of_string(version)));
    assert_string_equal(meta.other, "lock");
    assert_int_equal(meta.other_mode, 0600);
    buffer_deinit(&packed);
}

static void so_many_elements_and_no_more_can_be_sent(void **state)
{
    enum { MOST = ENCODE_ELEMENTS_MOST };
    char *params = malloc(2 * MOST + 16);
    struct encoded encoded;
    size_t at = 0;
    assert_non_null(params);
    static const char head[] = "['l', [0";
    memcpy(params, head, sizeof(head) - 1);
    at = sizeof(head) - 1;
    for (int i = 0; i < MOST; i++) {
        params[at++] = ',';
        params[at++] = '0';
    }
    memcpy(params + at, "]]", 3);
    encode(*state, &encoded, "list.extend", params);
    assert_int_equal(encoded.status, ERR_TOO_LARGE);
    release(&encoded);
    memcpy(params + at - 2, "]]", 3);
    encode(*state, &encoded, "list.extend", params);
    assert_int_equal(encoded.status, 0);
    release(&encoded);
    free(params);
}

static void what_is_no_meta_is_refused(void **state)
{
    static const char *const packed[] = {"",
                                         "\\xc0",
                                         "\\x90",
                                         "\\x91\\xa5queue",
                                         "\\xdd\\xff\\xff\\xff\\xff",
                                         "\\x96\\xa1x\\x00\\x00\\x00\\xa0\\xa6scoped"};
    (void)state;
    for (size_t i = 0; i < sizeof(packed) / sizeof(packed[0]); i++) {
        struct meta meta;
        struct slice rest = slice_of_string(packed[i]);
        assert_int_equal(meta_read(&rest, &meta), ERR_VALUE);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_kind_of_param_has_its_form),
        TEST(options_stand_behind_the_params_in_their_order),
        TEST(an_open_has_the_common_options_first),
        TEST(a_value_that_is_not_canonical_brings_its_canonical_form),
        TEST(of_equal_keys_the_last_one_counts_at_the_place_of_the_first),
        TEST(what_cannot_be_a_key_is_refused_in_words),
        TEST(values_with_what_others_cannot_have_are_refused_in_words),
        TEST(numbers_are_written_to_their_extremes),
        TEST(meta_is_read_and_remembered),
        TEST(meta_of_a_condition_has_the_versions_of_both),
        TEST(so_many_elements_and_no_more_can_be_sent),
        TEST(what_is_no_meta_is_refused),
    };
    return cmocka_run_group_tests_name("encode", tests, NULL, NULL);
}
