/* What a session has been answered: what is large stays apart, and is given up in steps. */
#include "tests/unit/call/at_work.h"

#include "daemon/objects/queue.h"
#include "tests/support/scarce.h"

enum { ITEMS = 300, LARGE = 100000 };

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

/* A queue, opened by an actor, with the numbers from 0 on. */
static struct queue *make_queue(struct actor *actor, unsigned count)
{
    check(actor, "queue.open", "['q']", "_map");
    for (unsigned i = 0; i < count; i++) {
        char params[32];
        (void)snprintf(params, sizeof(params), "['q', %u]", i);
        check(actor, "queue.put", params, "nil");
        actor_forget(actor);
    }
    return queue_of(stage_object(actor->stage, "q"));
}

/* How many slices of jobs it takes until nothing is under way. */
static unsigned count_steps(struct stage *stage)
{
    unsigned count = 0;
    while (stage_step(stage)) {
        count++;
    }
    return count;
}

static unsigned count_parts(const struct session *session)
{
    const struct part *part;
    unsigned count = 0;
    if (session->earlier != NULL) {
        TAILQ_FOREACH (part, &session->earlier->parts, link) {
            count++;
        }
    }
    return count;
}

static void a_large_answer_is_not_joined_to_others_and_comes_in_its_turn(void **state)
{
    struct stage *stage = *state;
    struct actor *a = actor_new(stage, 0);
    (void)make_queue(a, ITEMS);
    (void)actor_send(a, "server.ping", "[]");
    uint32_t large = actor_send(a, "queue.get_many", "['q', 1000]");
    assert_int_equal(count_parts(&a->session), 2);
    assert_int_equal(a->session.output.bytes.len, 0);
    uint32_t after = actor_send(a, "server.ping", "[]");
    assert_int_equal(count_parts(&a->session), 2);
    uint64_t unsent = session_unsent(&a->session);
    const struct part *first = TAILQ_FIRST(&a->session.earlier->parts);
    assert_int_equal(unsent, output_pending(&first->output) +
                                 output_pending(&TAILQ_NEXT(first, link)->output) +
                                 output_pending(&a->session.output));
    output_sent(session_next_output(&a->session), 1);
    assert_false(session_sent(&a->session, 1));
    assert_int_equal(session_unsent(&a->session), unsent - 1);
    uint64_t rest = output_pending(&first->output);
    output_sent(session_next_output(&a->session), rest);
    assert_true(session_sent(&a->session, rest));
    assert_int_equal(count_parts(&a->session), 1);
    actor_read(a);
    assert_int_equal(session_unsent(&a->session), 0);
    assert_null(a->session.earlier);
    check_answer(a, large, "_array");
    check_answer(a, after, "_");
    actor_leave(a);
}

static void a_small_answer_joins_the_others(void **state)
{
    struct stage *stage = *state;
    struct actor *a = actor_new(stage, 0);
    (void)make_queue(a, 3);
    (void)actor_send(a, "server.ping", "[]");
    uint32_t many = actor_send(a, "queue.get_many", "['q', 1000]");
    assert_null(a->session.earlier);
    check_answer(a, many, "[[0, nil, 1], [1, nil, 1], [2, nil, 1]]");
    actor_leave(a);
}

static void what_a_large_answer_refers_to_is_let_go_in_steps(void **state)
{
    struct stage *stage = *state;
    struct actor *a = actor_new(stage, 0);
    struct queue *queue = make_queue(a, ITEMS);
    uint64_t refs = queue->object.refs;
    (void)actor_send(a, "queue.get_many", "['q', 1000]");
    assert_int_equal(queue->object.refs, refs + ITEMS);
    stage->by_hand = true;
    actor_read(a);
    assert_int_equal(session_unsent(&a->session), 0);
    assert_int_equal(queue->object.refs, refs + ITEMS);
    assert_true(stage_step(stage));
    assert_int_equal(queue->object.refs, refs + ITEMS - 1);
    assert_true(count_steps(stage) >= ITEMS - 1);
    assert_int_equal(queue->object.refs, refs);
    stage->by_hand = false;
    actor_leave(a);
}

/* Waits of a peer that does not read go on adding answers. */
static void who_is_always_behind_keeps_little_that_was_sent(void **state)
{
    struct stage *stage = *state;
    struct actor *a = actor_new(stage, 0);
    struct session *session = &a->session;
    char bytes[1000] = {0};
    uint64_t behind = 0;
    for (int i = 0; i < 5000; i++) {
        assert_int_equal(buffer_append(&session->output.bytes, bytes, sizeof(bytes)), 0);
        behind += sizeof(bytes);
        while (behind > LARGE) {
            struct output *next = session_next_output(session);
            uint64_t pending = output_pending(next);
            uint64_t taken = pending < 600 ? pending : 600;
            output_sent(next, taken);
            (void)session_sent(session, taken);
            behind -= taken;
        }
        assert_int_equal(session_unsent(session), behind);
        assert_true(session_unsent_cost(session) < 5 * LARGE);
    }
    while (session_unsent(session) > 0) {
        struct output *next = session_next_output(session);
        uint64_t pending = output_pending(next);
        output_sent(next, pending);
        (void)session_sent(session, pending);
    }
    stage_finish(stage);
    actor_leave(a);
}

static void a_large_answer_that_never_left_goes_back_whole(void **state)
{
    struct stage *stage = *state;
    struct actor *a = actor_new(stage, 0);
    struct actor *b = actor_new(stage, 0);
    struct queue *queue = make_queue(a, ITEMS + 2);
    (void)actor_send(b, "queue.get", "['q']");
    (void)actor_send(b, "queue.get_many", "['q', 300]");
    (void)actor_send(b, "queue.get", "['q']");
    assert_int_equal(queue->ready, 0);
    stage->by_hand = true;
    actor_begin_vanish(b);
    while (queue->ready == 0) {
        assert_true(stage_step(stage));
    }
    uint32_t first = actor_send(a, "queue.get", "['q']");
    check_waits(a, first);
    assert_true(count_steps(stage) > ITEMS);
    stage->by_hand = false;
    check_answer(a, first, "[0, nil, _]");
    check(a, "queue.get_many", "['q', 2]", "[[1, nil, _], [2, nil, _]]");
    check(a, "queue.qsize", "['q']", "299");
    actor_leave(a);
}

static void what_has_left_of_a_large_output_does_not_go_back(void **state)
{
    struct stage *stage = *state;
    struct actor *a = actor_new(stage, 0);
    struct actor *b = actor_new(stage, 0);
    (void)make_queue(a, 2 * ITEMS);
    for (unsigned i = 0; i < 2 * ITEMS; i++) {
        (void)actor_send(b, "queue.get", "['q']");
    }
    uint64_t half = b->session.output.undelivered[ITEMS - 1].end;
    output_sent(&b->session.output, half);
    assert_false(session_sent(&b->session, half));
    assert_int_equal(count_parts(&b->session), 1);
    actor_begin_vanish(b);
    stage_finish(stage);
    check(a, "queue.qsize", "['q']", "300");
    check(a, "queue.get", "['q']", "[300, nil, 1]");
    actor_leave(a);
}

static void a_peer_that_is_gone_keeps_only_what_goes_back_for_later(void **state)
{
    struct stage *stage = *state;
    struct actor *a = actor_new(stage, 0);
    struct actor *b = actor_new(stage, 0);
    struct queue *queue = make_queue(a, ITEMS + 1);
    check(a, "list.open", "['l', {initial: [0]}]", "_map");
    check(a, "list.repeat", "['l', 100000]", "nil");
    (void)actor_send(b, "queue.get_many", "['q', 300]");
    (void)actor_send(b, "list.slice", "['l']");
    (void)actor_send(b, "queue.get", "['q']");
    assert_int_equal(count_parts(&b->session), 2);
    session_drop_output(&b->session);
    assert_int_equal(count_parts(&b->session), 1);
    assert_int_equal(queue->ready, 1);
    stage_finish(stage);
    actor_begin_vanish(b);
    stage_finish(stage);
    check(a, "queue.get_many", "['q', 1]", "[[0, nil, _]]");
    check(a, "queue.qsize", "['q']", "300");
    actor_leave(a);
}

static void without_memory_for_that_a_large_answer_is_joined(void **state)
{
    struct stage *stage = *state;
    struct actor *a = actor_new(stage, 0);
    bool failed = true;
    for (unsigned n = 0; failed; n++) {
        struct output from = {0};
        pack_nil(&a->session.output.bytes);
        for (unsigned i = 0; i < LARGE; i++) {
            pack_nil(&from.bytes);
        }
        scarce_begin(n);
        assert_int_equal(session_append(&a->session, &from), 0);
        while (session_unsent(&a->session) > 0) {
            struct output *next = session_next_output(&a->session);
            uint64_t pending = output_pending(next);
            output_sent(next, pending);
            (void)session_sent(&a->session, pending);
        }
        failed = scarce_end();
        assert_int_equal(from.bytes.len, 0);
        assert_int_equal(a->session.output.bytes.len, 0);
        output_deinit(&from);
        stage_finish(stage);
    }
    actor_leave(a);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_large_answer_is_not_joined_to_others_and_comes_in_its_turn),
        TEST(a_small_answer_joins_the_others),
        TEST(what_a_large_answer_refers_to_is_let_go_in_steps),
        TEST(who_is_always_behind_keeps_little_that_was_sent),
        TEST(a_large_answer_that_never_left_goes_back_whole),
        TEST(what_has_left_of_a_large_output_does_not_go_back),
        TEST(a_peer_that_is_gone_keeps_only_what_goes_back_for_later),
        TEST(without_memory_for_that_a_large_answer_is_joined),
    };
    return cmocka_run_group_tests_name("unsent", tests, NULL, NULL);
}
