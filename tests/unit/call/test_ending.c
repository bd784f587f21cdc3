/* Sessions that go: what they had goes back, in whatever steps and whatever comes between. */
#include "tests/unit/call/at_work.h"

#include "tests/support/scarce.h"

static void items_that_never_left_go_back_to_a_queue_when_it_is_free(void **state)
{
    struct stage *stage = *state;
    struct actor *a = actor_new(stage, 0);
    struct actor *b = actor_new(stage, 0);
    struct work work;
    check(a, "queue.open", "['q']", "_map");
    check(a, "queue.open", "['r']", "_map");
    check(a, "queue.put_many", "['q', [1, 2, 3, 4]]", "4");
    check(a, "queue.put_many", "['r', [5, 6]]", "2");
    (void)actor_send(b, "queue.get", "['q']");
    (void)actor_send(b, "queue.get", "['r']");
    (void)actor_send(b, "queue.get_many", "['q', 2]");
    work_begin(&work, stage, "q");
    actor_begin_vanish(b);
    for (int i = 0; i < 20; i++) {
        assert_true(stage_step(stage));
    }
    assert_int_equal(stage_object(stage, "q")->type->weight(stage_object(stage, "q")), 1);
    uint32_t first = actor_send(a, "queue.get", "['q']");
    check_waits(a, first);
    work_end(&work);
    stage_finish(stage);
    stage->by_hand = false;
    check_answer(a, first, "[1, nil, _]"); /* the session had ended before */
    check(a, "queue.get_many", "['q', 10]", "[[2, nil, _], [3, nil, _], [4, nil, 1]]");
    check(a, "queue.get_many", "['r', 10]", "[[5, nil, _], [6, nil, 1]]");
    actor_leave(a);
}

static void dropped_answers_give_back_what_is_free_at_once(void **state)
{
    struct stage *stage = *state;
    struct actor *a = actor_new(stage, 0);
    struct actor *b = actor_new(stage, 0);
    struct work work;
    check(a, "queue.open", "['q']", "_map");
    check(a, "queue.open", "['r']", "_map");
    check(a, "queue.put", "['q', 1]", "nil");
    check(a, "queue.put", "['r', 2]", "nil");
    (void)actor_send(b, "queue.get", "['q']");
    (void)actor_send(b, "queue.get", "['r']");
    work_begin(&work, stage, "q");
    uint32_t get = actor_send(a, "queue.get", "['r']");
    session_drop_output(&b->session);
    service_drain(&stage->service);
    check_answer(a, get, "[2, nil, _]");
    work_end(&work);
    actor_begin_vanish(b);
    stage_finish(stage);
    check(a, "queue.get", "['q']", "[1, nil, _]");
    stage->by_hand = false;
    actor_leave(a);
}

/* A session with something of everything ends, and after so many steps another one does. */
static bool end_two_apart(unsigned count)
{
    struct stage *stage = stage_new();
    struct actor *a = actor_new(stage, 0);
    struct actor *b = actor_new(stage, 0);
    struct actor *c = actor_new(stage, 0);
    check(a, "queue.open", "['q', {joinable: true}]", "_map");
    check(a, "queue.open", "['p']", "_map");
    check(a, "lock.open", "['m']", "_map");
    check(a, "semaphore.open", "['s', {value: 1, on_disconnect: 'release'}]", "_map");
    check(a, "queue.put_many", "['q', [1, 2, 3, 4]]", "4");
    check(a, "queue.put_many", "['p', [5, 6]]", "2");
    check(b, "queue.get_many", "['q', 2]", "_array");
    check(c, "queue.get_many", "['q', 2]", "_array");
    check(b, "lock.acquire", "['m']", "_");
    check(c, "semaphore.acquire", "['s']", "_");
    (void)actor_send(c, "lock.acquire", "['m']");
    (void)actor_send(b, "semaphore.acquire", "['s']");
    check(b, "list.open", "['l', {lifetime: 'scoped'}]", "_map");
    check(c, "object.watch", "['l']", "nil");
    (void)actor_send(b, "queue.get", "['p']");
    (void)actor_send(c, "queue.get", "['p']");
    uint32_t item = actor_send(a, "queue.get", "['q']");
    uint32_t lock = actor_send(a, "lock.acquire", "['m']");
    uint32_t permit = actor_send(a, "semaphore.acquire", "['s']");
    scene_by_hand(stage);
    actor_begin_vanish(b);
    bool more = scene_steps(stage, count);
    actor_begin_vanish(c);
    stage_finish(stage);
    stage->by_hand = false;
    assert_int_equal(stage->service.accounts.sessions, 1);
    check_answer(a, item, "[_int, _int, 2]");
    check_answer(a, lock, "_");
    check_answer(a, permit, "_");
    check(a, "queue.qsize", "['q']", "3");
    check(a, "queue.get_many", "['p', 5]", "[[_int, nil, _], [_int, nil, _]]");
    check_error(a, "list.len", "['l']", "NOT_FOUND");
    actor_leave(a);
    stage_free(stage);
    return more;
}

static void two_sessions_that_end_at_any_distance_give_all_back(void **state)
{
    (void)state;
    unsigned count = 0;
    while (end_two_apart(count)) {
        count++;
    }
    assert_true(count > 10);
}

/* The item is back in the queue 'p'; or there was no memory for it, and it is counted. */
static void check_item_or_drop(struct actor *a)
{
    const struct object *object = stage_object(a->stage, "p");
    if (object->type->weight(object) == 0) {
        check(a, "object.describe", "['p']", "{dropped: 1, ...}");
    } else {
        check(a, "queue.get", "['p', 0]", "[4, nil, _]");
    }
}

static void session_that_ends_without_memory_gives_all_back(void **state)
{
    bool failed = true;
    (void)state;
    for (unsigned n = 0; failed; n++) {
        struct stage *stage = stage_new();
        struct actor *a = actor_new(stage, 0);
        struct actor *b = actor_new(stage, 0);
        check(a, "queue.open", "['q', {joinable: true}]", "_map");
        check(a, "queue.open", "['p']", "_map");
        check(a, "queue.put_many", "['q', [1, 2, 3]]", "3");
        check(a, "queue.put", "['p', 4]", "nil");
        check(b, "queue.get_many", "['q', 3]", "_array");
        (void)actor_send(b, "queue.get", "['q']");
        (void)actor_send(b, "queue.get", "['p']");
        scene_by_hand(stage);
        scarce_begin(n);
        actor_begin_vanish(b);
        stage_finish(stage);
        failed = scarce_end();
        assert_int_equal(stage->service.accounts.sessions, 1);
        check(a, "queue.get", "['q', 0]", "[_int, _int, 2]");
        check(a, "queue.qsize", "['q']", "2");
        check_item_or_drop(a);
        stage->by_hand = false;
        actor_leave(a);
        stage_free(stage);
    }
}

static void cancelling_all_leaves_what_is_held_up(void **state)
{
    struct stage *stage = *state;
    struct actor *a = actor_new(stage, 0);
    struct work work;
    check(a, "queue.open", "['q']", "_map");
    check(a, "queue.open", "['r']", "_map");
    uint32_t waits = actor_send(a, "queue.get", "['q']");
    uint32_t other = actor_send(a, "queue.get", "['r']");
    work_begin(&work, stage, "q");
    uint32_t put = actor_send(a, "queue.put", "['q', 1]");
    session_cancel_all(&a->session, ERR_CANCELLED, "the daemon is stopping");
    check_refused(a, waits, "CANCELLED");
    check_refused(a, other, "CANCELLED");
    check_waits(a, put);
    work_end(&work);
    stage_finish(stage);
    check_answer(a, put, "nil");
    check(a, "queue.qsize", "['q']", "1");
    stage->by_hand = false;
    actor_leave(a);
}

static void session_is_marked_when_its_last_call_is_done(void **state)
{
    struct stage *stage = *state;
    struct actor *a = actor_new(stage, 0);
    struct work work;
    check(a, "queue.open", "['q']", "_map");
    work_begin(&work, stage, "q");
    actor_notify(a, "queue.put", "['q', 1]"); /* it has no answer */
    TAILQ_REMOVE(&stage->service.dirty, &a->session, dirty);
    a->session.is_dirty = false;
    work_end(&work);
    stage_finish(stage);
    assert_int_equal(a->session.unfinished, 0);
    assert_true(a->session.is_dirty); /* so that its connection can end */
    stage->by_hand = false;
    actor_leave(a);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_set_up, scene_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(items_that_never_left_go_back_to_a_queue_when_it_is_free),
        TEST(dropped_answers_give_back_what_is_free_at_once),
        cmocka_unit_test(two_sessions_that_end_at_any_distance_give_all_back),
        cmocka_unit_test(session_that_ends_without_memory_gives_all_back),
        TEST(cancelling_all_leaves_what_is_held_up),
        TEST(session_is_marked_when_its_last_call_is_done),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
