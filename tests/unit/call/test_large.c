/* Large messages: they are run in steps from their beginning, in the memory in which they came. */
#include "tests/unit/call/at_work.h"

#include <stdlib.h>

#include "daemon/call/parked.h"
#include "tests/support/scarce.h"

enum { SIZE = 8 * 1024 * 1024 };

static int set_up(void **state)
{
    struct stage *stage = stage_new();
    stage_in_steps(stage);
    *state = stage;
    return 0;
}

static int tear_down(void **state)
{
    stage_free(*state);
    return 0;
}

/* A request with the msgid 0, as net gives it when it is large: in `passed` is its memory. */
static void send_large(struct actor *actor, const char *method, const char *params,
                       struct passed *passed)
{
    struct buffer request;
    struct message message;
    actor_pack(&request, method, params);
    *passed = (struct passed){.memory = malloc(SIZE), .size = SIZE};
    assert_non_null(passed->memory);
    memcpy(passed->memory, request.data, request.len);
    assert_int_equal(
        message_decode(passed->memory, request.len, MESSAGE_DEPTH, MESSAGE_SIZE, &message), 0);
    buffer_deinit(&request);
    service_run(&actor->stage->service, &actor->session, &message, passed, actor->stage->now);
}

static void a_large_message_stays_where_it_is_and_is_run_in_steps(void **state)
{
    struct stage *stage = *state;
    struct actor *a = actor_new(stage, 0);
    struct passed passed;
    check(a, "list.open", "['l']", "_map");
    stage->by_hand = true;
    send_large(a, "list.append", "['l', 'value']", &passed);
    assert_null(passed.memory);
    const struct parked *parked = session_parked(&a->session, 0);
    assert_non_null(parked);
    assert_int_equal(parked->state, PARKED_RUNS);
    const uint8_t *memory = parked->memory;
    assert_true(parked->call.params[1].raw.data > memory &&
                parked->call.params[1].raw.data < memory + SIZE);
    assert_true(a->session.charged.bytes > SIZE);
    check_waits(a, 0);
    stage_finish(stage);
    stage->by_hand = false;
    check_answer(a, 0, "1");
    check(a, "list.get", "['l', 0]", "'value'");
    actor_leave(a);
}

static void its_memory_is_given_back_in_steps(void **state)
{
    struct stage *stage = *state;
    struct actor *a = actor_new(stage, 0);
    struct passed passed;
    stage->by_hand = true;
    send_large(a, "server.ping", "[]", &passed);
    unsigned count = 0;
    while (stage_step(stage)) {
        count++;
    }
    assert_true(count >= 16);
    stage->by_hand = false;
    check_answer(a, 0, "_");
    actor_leave(a);
}

static void what_is_refused_at_once_leaves_the_memory_to_its_giver(void **state)
{
    static const char *const cases[][3] = {
        {"no.method", "[]", "UNKNOWN_METHOD"},
        {"list.append", "[1, 2]", "BAD_REQUEST"},
        {"list.append", "['nothing', 2]", "NOT_FOUND"},
    };
    struct stage *stage = *state;
    struct actor *a = actor_new(stage, 0);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct passed passed;
        send_large(a, cases[i][0], cases[i][1], &passed);
        assert_non_null(passed.memory);
        uint64_t before = stage->service.jobs.slices;
        jobs_free(&stage->service.jobs, passed.memory, passed.size);
        stage_finish(stage);
        assert_true(stage->service.jobs.slices >= before + 16);
        check_refused(a, 0, cases[i][2]);
        actor_forget(a);
    }
    actor_leave(a);
}

static void a_large_message_stands_behind_a_hold_and_is_run_in_steps_then(void **state)
{
    struct stage *stage = *state;
    struct actor *a = actor_new(stage, 0);
    struct work work;
    struct passed passed;
    check(a, "list.open", "['l']", "_map");
    stage->by_hand = true;
    work_begin(&work, stage, "l");
    send_large(a, "list.append", "['l', 'value']", &passed);
    assert_null(passed.memory);
    const struct parked *parked = session_parked(&a->session, 0);
    assert_non_null(parked);
    assert_int_equal(parked->state, PARKED_HELD_UP);
    work_end(&work);
    while (parked->state == PARKED_HELD_UP) {
        assert_true(stage_step(stage));
    }
    assert_int_equal(parked->state, PARKED_RUNS);
    stage_finish(stage);
    stage->by_hand = false;
    check_answer(a, 0, "1");
    actor_leave(a);
}

static void a_large_message_may_have_to_wait(void **state)
{
    struct stage *stage = *state;
    struct actor *a = actor_new(stage, 0);
    struct actor *b = actor_new(stage, 0);
    struct passed passed;
    check(a, "queue.open", "['q', {maxsize: 1}]", "_map");
    check(a, "queue.put", "['q', 1]", "nil");
    send_large(b, "queue.put", "['q', 'large']", &passed);
    stage_finish(stage);
    check_waits(b, 0);
    check(a, "queue.get", "['q']", "[1, nil, 1]");
    check_answer(b, 0, "nil");
    check(a, "queue.get", "['q']", "['large', nil, 1]");
    actor_leave(b);
    actor_leave(a);
}

static void a_large_message_that_names_several_objects_finds_them_all(void **state)
{
    struct stage *stage = *state;
    struct actor *a = actor_new(stage, 0);
    struct actor *b = actor_new(stage, 0);
    struct passed passed;
    check(a, "queue.open", "['q']", "_map");
    stage->by_hand = true;
    send_large(a, "queue.get_any", "[['q']]", &passed);
    actor_notify(b, "object.delete", "['q']");
    actor_notify(b, "dict.open", "['q']");
    stage_finish(stage);
    stage->by_hand = false;
    check_refused(a, 0, "DELETED");
    jobs_free(&stage->service.jobs, passed.memory, passed.size);
    actor_leave(a);
    actor_leave(b);
}

static void over_a_limit_a_large_message_is_refused(void **state)
{
    struct stage *stage = *state;
    struct actor *a = actor_new(stage, 1000);
    struct passed passed;
    check(a, "list.open", "['l']", "_map");
    stage->service.accounts.limits.max_user_bytes = SIZE / 2;
    send_large(a, "list.append", "['l', 'value']", &passed);
    assert_non_null(passed.memory);
    free(passed.memory);
    check_refused(a, 0, "LIMIT");
    check(a, "list.len", "['l']", "0");
    actor_leave(a);
}

static void without_memory_a_large_message_is_refused_or_run(void **state)
{
    struct stage *stage = *state;
    bool failed = true;
    for (unsigned n = 0; failed; n++) {
        struct actor *a = actor_new(stage, 0);
        struct passed passed;
        struct buffer request;
        struct message message;
        check(a, "list.open", "['l', {lifetime: 'scoped'}]", "_map");
        actor_pack(&request, "list.append", "['l', 'a value of some length']");
        passed = (struct passed){.memory = malloc(request.len), .size = request.len};
        assert_non_null(passed.memory);
        memcpy(passed.memory, request.data, request.len);
        assert_int_equal(
            message_decode(passed.memory, request.len, MESSAGE_DEPTH, MESSAGE_SIZE, &message), 0);
        scarce_begin(n);
        service_run(&stage->service, &a->session, &message, &passed, stage->now);
        stage_finish(stage);
        failed = scarce_end();
        free(passed.memory);
        buffer_deinit(&request);
        if (!failed) {
            check_answer(a, 0, "1");
        }
        a->session.output.bytes.failed = false;
        actor_leave(a);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_large_message_stays_where_it_is_and_is_run_in_steps),
        TEST(its_memory_is_given_back_in_steps),
        TEST(what_is_refused_at_once_leaves_the_memory_to_its_giver),
        TEST(a_large_message_stands_behind_a_hold_and_is_run_in_steps_then),
        TEST(a_large_message_may_have_to_wait),
        TEST(a_large_message_that_names_several_objects_finds_them_all),
        TEST(over_a_limit_a_large_message_is_refused),
        TEST(without_memory_a_large_message_is_refused_or_run),
    };
    return cmocka_run_group_tests_name("large messages", tests, NULL, NULL);
}
