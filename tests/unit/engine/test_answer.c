/* Replies of the engine as answers: what is a result, what is a refusal and with which words, and
 * what is neither. */
#include "tests/support/stage.h"

#include <stdio.h>

#include "daemon/call/lookup.h"
#include "daemon/engine/answer.h"
#include "proto/value.h"

/* A call of a session that is to be answered. */
struct asked {
    struct actor *actor;
    struct buffer request;
    struct message message;
    struct call call;
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

static struct call *ask(void **state, struct asked *asked, const char *method, const char *params)
{
    struct stage *stage = *state;
    asked->actor = actor_new(stage, 1000);
    actor_pack(&asked->request, method, params);
    assert_int_equal(message_decode(asked->request.data, asked->request.len, MESSAGE_DEPTH,
                                    MESSAGE_SIZE, &asked->message),
                     0);
    asked->call = (struct call){.service = &stage->service,
                                .session = &asked->actor->session,
                                .method = method_find(slice_of_string(method)),
                                .params = asked->message.params};
    assert_int_equal(call_check_params(&asked->call, asked->message.nparams), 0);
    answer_begin(&asked->call);
    return &asked->call;
}

static void leave(struct asked *asked)
{
    output_rewind(&asked->actor->session.output, (struct output_mark){0});
    buffer_deinit(&asked->request);
    actor_leave(asked->actor);
}

/* The answer is that, as value_print shows it. */
static void is_answered(const struct asked *asked, const char *expected)
{
    struct buffer shown = {0};
    struct slice bytes = buffer_slice(&asked->actor->session.output.bytes);
    struct slice rest = bytes;
    char text[512];
    assert_true(bytes.len > 0);
    (void)value_next(&rest);
    assert_int_equal(rest.len, 0);
    value_print(bytes, sizeof(text) - 1, &shown);
    (void)snprintf(text, sizeof(text), "%.*s", (int)shown.len, (const char *)shown.data);
    buffer_deinit(&shown);
    if (strcmp(text, expected) != 0) {
        print_error("expected %s, got %s\n", expected, text);
        fail();
    }
}

static void result_is_one_value(void **state)
{
    struct asked asked;
    struct call *call = ask(state, &asked, "queue.qsize", "['q']");
    assert_int_equal(answer_result(call, (struct slice){(const uint8_t *)"\x92\x01\xa1x", 4}), 0);
    is_answered(&asked, "[1, 0, null, [1, \"x\"]]");
    leave(&asked);
}

static void what_is_no_value_is_refused(void **state)
{
    static const struct slice none[] = {
        {(const uint8_t *)"", 0},
        {(const uint8_t *)"\xc1", 1},
        {(const uint8_t *)"\x01\x02", 2},
        {(const uint8_t *)"\x92\x01", 2},
        {(const uint8_t *)"\xdd\xff\xff\xff\xff", 5},
    };
    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
        struct asked asked;
        struct call *call = ask(state, &asked, "queue.qsize", "['q']");
        assert_int_equal(answer_result(call, none[i]), ERR_ENGINE);
        assert_true(call->refused);
        is_answered(&asked,
                    "[1, 0, [\"ENGINE\", \"queue.qsize: the engine answered with what is no "
                    "result; is there something else in its place?\", {\"done\": null}], "
                    "null]");
        leave(&asked);
    }
}

/* The refusal behind "!", of a call of "q", and how it is answered. */
static void check_refusal(void **state, const char *method, const char *params, const char *refusal,
                          int code, const char *answer)
{
    struct asked asked;
    struct call *call = ask(state, &asked, method, params);
    assert_int_equal(answer_refusal(call, slice_of_string(refusal), slice_of_string("q")), code);
    is_answered(&asked, answer);
    leave(&asked);
}

static void refusal_has_the_text_of_the_engine_or_one_of_here(void **state)
{
    check_refusal(
        state, "queue.get", "['q', 0]", "EMPTY ", ERR_EMPTY,
        "[1, 0, [\"EMPTY\", \"the queue is empty (Python: queue.Empty): \\\"q\\\"\"], null]");
    check_refusal(
        state, "queue.get", "['q', 0]", "EMPTY", ERR_EMPTY,
        "[1, 0, [\"EMPTY\", \"the queue is empty (Python: queue.Empty): \\\"q\\\"\"], null]");
    check_refusal(state, "queue.get", "['q', 0]", "EMPTY it is paused", ERR_EMPTY,
                  "[1, 0, [\"EMPTY\", \"it is paused\"], null]");
    check_refusal(state, "dict.get", "['q', 'k']", "KEY ", ERR_KEY,
                  "[1, 0, [\"KEY\", \"\\\"q\\\" has no key \\\"k\\\"\"], null]");
    check_refusal(state, "dict.popitem", "['q']", "KEY it is empty", ERR_KEY,
                  "[1, 0, [\"KEY\", \"it is empty\"], null]");
}

static void refusal_that_is_none_is_a_fault_of_the_engine(void **state)
{
    check_refusal(
        state, "queue.get", "['q', 0]", "", ERR_ENGINE,
        "[1, 0, [\"ENGINE\", \"queue.get: the engine answered \", {\"done\": null}], null]");
    check_refusal(state, "queue.get", "['q', 0]", "NONE such", ERR_ENGINE,
                  "[1, 0, [\"ENGINE\", \"queue.get: the engine answered NONE such\", {\"done\": "
                  "null}], null]");
    check_refusal(state, "queue.get", "['q', 0]", "ENGINE out of order", ERR_ENGINE,
                  "[1, 0, [\"ENGINE\", \"out of order\", {\"done\": null}], null]");
    assert_int_equal(answer_code(slice_of_string("NONE such")), ERR_ENGINE);
    assert_int_equal(answer_code(slice_of_string("DELETED gone")), ERR_DELETED);
    assert_int_equal(answer_code((struct slice){0}), ERR_ENGINE);
}

static void failure_says_whether_it_was_done(void **state)
{
    struct asked asked;
    struct call *call = ask(state, &asked, "queue.put", "['q', 1]");
    assert_int_equal(answer_lost(call, false, "no way there"), ERR_ENGINE);
    is_answered(&asked, "[1, 0, [\"ENGINE\", \"queue.put: nothing was done: no way there\", "
                        "{\"done\": false}], null]");
    answer_begin(call);
    leave(&asked);
    call = ask(state, &asked, "queue.put", "['q', 1]");
    pack_string(call_result(call), "half an answer");
    assert_int_equal(answer_lost(call, true, "it broke"), ERR_ENGINE);
    is_answered(
        &asked,
        "[1, 0, [\"ENGINE\", \"queue.put: nobody knows whether it was done, as the "
        "connection to the engine was lost before the answer: it broke\", {\"done\": null}], "
        "null]");
    leave(&asked);
}

/* length (4), meta, map */
static const uint8_t META[] =
    "\x00\x00\x00\x1e\x96\xa5queue\xcd\x03\xe8\x14\xcd\x01\xb0\xa8queue/n1"
    "\xa6"
    "daemon";

static void description_gets_where_the_object_is(void **state)
{
    struct buffer out = {0};
    struct buffer reply = {0};
    struct meta meta;
    const struct slice host = slice_of_string("host:1");
    (void)buffer_append(&reply, META, sizeof(META) - 1);
    reply.data[3] = (uint8_t)(sizeof(META) - 1 - 4);
    for (size_t len = 0; len <= reply.len; len++) { /* cut anywhere, and without the map */
        assert_int_equal(
            answer_pack_description(&out, (struct slice){reply.data, len}, host, &meta), ERR_VALUE);
        assert_int_equal(out.len, 0);
    }
    (void)buffer_append(&reply, "\x81\xa4size\x05", 7);
    assert_int_equal(answer_pack_description(&out, buffer_slice(&reply), host, &meta), 0);
    assert_string_equal(meta.type, "queue");
    assert_int_equal(meta.uid, 1000);
    struct buffer shown = {0};
    value_print(buffer_slice(&out), 200, &shown);
    (void)buffer_append(&shown, "", 1);
    assert_string_equal((const char *)shown.data,
                        "{\"size\": 5, \"engine\": {\"kind\": \"redis\", \"host\": \"host:1\"}}");
    buffer_deinit(&shown);
    out.len = 0;
    reply.data[reply.len - 7] = 0x91; /* what should be a map is none */
    assert_int_equal(answer_pack_description(&out, buffer_slice(&reply), host, &meta), ERR_VALUE);
    memset(reply.data, 0xff, 4); /* a length beyond all */
    assert_int_equal(answer_pack_description(&out, buffer_slice(&reply), host, &meta), ERR_VALUE);
    buffer_deinit(&reply);
    buffer_deinit(&out);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(result_is_one_value),
        TEST(what_is_no_value_is_refused),
        TEST(refusal_has_the_text_of_the_engine_or_one_of_here),
        TEST(refusal_that_is_none_is_a_fault_of_the_engine),
        TEST(failure_says_whether_it_was_done),
        TEST(description_gets_where_the_object_is),
    };
    return cmocka_run_group_tests_name("answers of an engine", tests, NULL, NULL);
}
