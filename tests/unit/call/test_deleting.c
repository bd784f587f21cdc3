/* Objects that go: what has to do with them ends, in whatever steps and whatever comes between. */
#include "tests/unit/call/at_work.h"

#include "tests/support/scarce.h"

static void leave(struct stage *stage, struct actor *a, struct actor *b)
{
    stage->by_hand = false;
    actor_leave(a);
    if (b != NULL) {
        actor_leave(b);
    }
}

static void deleted_object_ends_all_that_has_to_do_with_it(void **state)
{
    struct stage *stage = *state;
    struct actor *a = actor_new(stage, 0);
    struct actor *b = actor_new(stage, 0);
    check(a, "queue.open", "['q', {joinable: true}]", "_map");
    check(a, "queue.put_many", "['q', [1, 2, 3]]", "3");
    check(b, "queue.get_many", "['q', 2]", "[[1, 1, 1], [2, 2, 1]]");
    check(b, "object.watch", "['q', ['deleted']]", "nil");
    uint32_t join = actor_send(b, "queue.join", "['q']");
    scene_by_hand(stage);
    uint32_t gone = actor_send(a, "object.delete", "['q']");
    uint32_t late = actor_send(b, "queue.qsize", "['q']");
    stage_finish(stage);
    check_answer(a, gone, "nil");
    check_refused(b, join, "DELETED");
    check_refused(b, late, "NOT_FOUND");
    check_events(b, "[['q', 'deleted', _map]]");
    check(b, "session.describe", "[]", "{open: [], ...}");
    assert_int_equal(stage->service.accounts.objects, 0);
    assert_int_equal(b->session.nties, 0);
    leave(stage, a, b);
}

static void name_is_free_while_what_had_it_is_still_ending(void **state)
{
    struct stage *stage = *state;
    struct actor *a = actor_new(stage, 0);
    struct actor *b = actor_new(stage, 0);
    check(a, "queue.open", "['q']", "_map");
    for (int i = 0; i < 5; i++) {
        (void)actor_send(b, "queue.get", "['q']");
    }
    scene_by_hand(stage);
    (void)actor_send(a, "object.delete", "['q']");
    while (registry_find(&stage->service.registry, slice_of_string("q")) != NULL) {
        assert_true(stage_step(stage));
    }
    assert_true(stage->service.jobs.count > 0);
    check(a, "queue.open", "['q']", "{size: 0, waiting: 0, ...}");
    check(a, "queue.put", "['q', 1]", "nil");
    stage_finish(stage);
    check(a, "queue.get", "['q']", "[1, nil, 1]");
    for (uint32_t i = 1; i <= 5; i++) {
        check_refused(b, i, "DELETED");
    }
    leave(stage, a, b);
}

/* A thousand lists of which each keeps the next; the session has the first open. */
static void make_chain(struct actor *a)
{
    char params[64];
    check(a, "list.open", "[nil]", "{name: '#1', lifetime: 'scoped', ...}");
    for (unsigned i = 2; i <= 1000; i++) {
        check(a, "list.open", "[nil]", "_map");
        (void)snprintf(params, sizeof(params), "['#%u', ext(1, '#%u')]", i - 1, i);
        check(a, "list.append", params, "1");
        (void)snprintf(params, sizeof(params), "['#%u']", i);
        check(a, "object.close", params, "nil");
        actor_forget(a);
    }
    assert_int_equal(a->stage->service.accounts.objects, 1000);
}

static void chain_of_objects_goes_with_its_first(void **state)
{
    struct stage *stage = *state;
    struct actor *a = actor_new(stage, 0);
    make_chain(a);
    check(a, "object.close", "['#1']", "nil");
    assert_int_equal(stage->service.accounts.objects, 0);
    actor_leave(a);
}

static void chain_of_objects_goes_in_steps(void **state)
{
    struct stage *stage = *state;
    struct actor *a = actor_new(stage, 0);
    struct actor *b = actor_new(stage, 0);
    make_chain(a);
    scene_by_hand(stage);
    actor_begin_leave(a);
    check(b, "server.ping", "[]", "_");
    assert_true(stage->service.accounts.objects > 0);
    stage_finish(stage);
    assert_int_equal(stage->service.accounts.objects, 0);
    stage->by_hand = false;
    actor_leave(b);
}

static void object_that_is_let_go_while_a_job_works_on_it_goes_after_that(void **state)
{
    struct stage *stage = *state;
    struct actor *a = actor_new(stage, 0);
    struct actor *b = actor_new(stage, 0);
    struct work work;
    check(a, "list.open", "['l']", "_map");
    check(a, "queue.open", "['s', {lifetime: 'scoped'}]", "_map");
    check(a, "queue.put", "['s', 'x'*5000]", "nil");
    check(a, "list.append", "['l', ext(1, 's')]", "1");
    check(a, "object.close", "['s']", "nil");
    uint32_t any = actor_send(b, "queue.get", "['s', 100]");
    check_answer(b, any, "['x'*5000, nil, 1]");
    check(a, "queue.put", "['s', 'x'*5000]", "nil");
    work_begin(&work, stage, "s");
    struct object *object = object_ref(stage_object(stage, "s"));
    uint32_t size = actor_send(b, "queue.qsize", "['s']");
    uint32_t open = actor_send(b, "queue.open", "['s']");
    check(a, "list.set", "['l', 0, nil]", "nil");
    (void)scene_steps(stage, 50);
    assert_true(object->deleted);
    assert_int_equal(object->type->weight(object), 1); /* the job may still be looking */
    work_end(&work);
    stage_finish(stage);
    assert_int_equal(object->type->weight(object), 0);
    assert_int_equal(object->refs, 1);
    object_unref(object);
    check_refused(b, size, "NOT_FOUND");
    check_answer(b, open, "{size: 0, ...}");
    leave(stage, a, b);
}

static void session_that_ends_leaves_an_object_at_work_after_those_who_came_before(void **state)
{
    struct stage *stage = *state;
    struct actor *a = actor_new(stage, 0);
    struct actor *b = actor_new(stage, 0);
    struct work work;
    check(a, "queue.open", "['s', {lifetime: 'scoped'}]", "_map");
    check(a, "queue.put", "['s', 1]", "nil");
    work_begin(&work, stage, "s");
    uint32_t open = actor_send(b, "queue.open", "['s']");
    actor_begin_leave(a);
    (void)scene_steps(stage, 50);
    uint32_t size = actor_send(b, "queue.qsize", "['s']");
    work_end(&work);
    stage_finish(stage);
    check_answer(b, open, "{size: 1, ...}");
    check_answer(b, size, "1");
    leave(stage, b, NULL);
    assert_int_equal(stage->service.accounts.objects, 0);
}

/* A queue is deleted, and after so many steps a session ends that has tickets of it, which waits on
 * it, and to which an item of another queue has not been delivered; in steps too, or (`fast`) in
 * one when its turn comes. */
static bool delete_and_end_after(unsigned count, bool fast)
{
    struct stage *stage = stage_new();
    struct actor *a = actor_new(stage, 0);
    struct actor *b = actor_new(stage, 0);
    check(a, "queue.open", "['q', {joinable: true}]", "_map");
    check(a, "queue.open", "['r']", "_map");
    check(a, "queue.put_many", "['q', [1, 2, 3]]", "3");
    check(a, "queue.put", "['r', 9]", "nil");
    check(b, "queue.get_many", "['q', 3]", "_array");
    (void)actor_send(b, "queue.join", "['q']");
    (void)actor_send(b, "queue.get", "['q']");
    (void)actor_send(b, "queue.get", "['r']");
    scene_by_hand(stage);
    (void)actor_send(a, "object.delete", "['q']");
    (void)actor_send(a, "object.delete", "['r']");
    bool more = scene_steps(stage, count);
    actor_begin_vanish(b);
    if (fast && stage->service.accounts.sessions > 1) {
        TAILQ_LAST(&stage->service.jobs.running, job_list)->pace.left = INT32_MAX;
    }
    stage_finish(stage);
    assert_int_equal(stage->service.accounts.objects, 0);
    assert_int_equal(stage->service.accounts.sessions, 1);
    stage->by_hand = false;
    actor_leave(a);
    stage_free(stage);
    return more;
}

static void session_that_ends_at_any_step_of_a_deletion_ends_whole(void **state)
{
    (void)state;
    unsigned count = 0;
    while (delete_and_end_after(count, false)) {
        (void)delete_and_end_after(count, true);
        count++;
    }
    assert_true(count > 5);
}

/* A session ends that holds tickets, and after so many steps the queue is deleted. */
static bool end_and_delete_after(unsigned count)
{
    struct stage *stage = stage_new();
    struct actor *a = actor_new(stage, 0);
    struct actor *b = actor_new(stage, 0);
    check(a, "queue.open", "['q', {joinable: true}]", "_map");
    check(a, "queue.put_many", "['q', [1, 2, 3]]", "3");
    check(b, "queue.get_many", "['q', 3]", "_array");
    (void)actor_send(b, "queue.get", "['q']");
    uint32_t get = actor_send(a, "queue.get", "['q']");
    scene_by_hand(stage);
    actor_begin_vanish(b);
    bool more = scene_steps(stage, count);
    uint32_t gone = actor_send(a, "object.delete", "['q']");
    stage_finish(stage);
    check_answer(a, gone, "nil");
    stage_expect(a, a->last_msgid, "nil", __FILE__, __LINE__);
    assert_int_equal(stage->service.accounts.objects, 0);
    assert_int_equal(stage->service.accounts.sessions, 1);
    assert_null(session_parked(&a->session, get));
    stage->by_hand = false;
    actor_leave(a);
    stage_free(stage);
    return more;
}

static void object_deleted_at_any_step_of_a_sessions_end_goes_whole(void **state)
{
    (void)state;
    unsigned count = 0;
    while (end_and_delete_after(count)) {
        count++;
    }
    assert_true(count > 5);
}

/* A lock with two conditions is deleted; after so many steps time is up for those who sleep, and
 * somebody wants the lock by way of the conditions. */
static bool delete_lock_and_use_it_after(unsigned count)
{
    struct stage *stage = stage_new();
    struct actor *a = actor_new(stage, 0);
    struct actor *b = actor_new(stage, 0);
    struct actor *c = actor_new(stage, 0);
    uint32_t waits[6];
    check(a, "lock.open", "['m']", "_map");
    check(a, "condition.open", "['x', {lock: 'm'}]", "_map");
    check(a, "condition.open", "['y', {lock: 'm'}]", "_map");
    for (unsigned i = 0; i < 4; i++) {
        check(b, "lock.acquire", "['m']", "_");
        waits[i] = actor_send(b, "condition.wait", i % 2 == 0 ? "['x', 50]" : "['y', 50]");
    }
    check(a, "lock.acquire", "['m']", "_");
    waits[4] = actor_send(b, "lock.acquire", "['m']");
    waits[5] = actor_send(b, "condition.acquire", "['x']");
    scene_by_hand(stage);
    (void)actor_send(a, "object.delete", "['m']");
    bool more = scene_steps(stage, count);
    stage_advance(stage, 100);
    uint32_t first = actor_send(c, "condition.acquire", "['x']");
    uint32_t second = actor_send(c, "condition.acquire", "['y']");
    stage_finish(stage);
    for (unsigned i = 0; i < 6; i++) {
        check_refused(b, waits[i], "DELETED");
    }
    assert_null(session_parked(&c->session, first));
    assert_null(session_parked(&c->session, second));
    assert_int_equal(stage->service.waiting, 0);
    stage->by_hand = false;
    actor_leave(a);
    actor_leave(b);
    actor_leave(c);
    stage_free(stage);
    return more;
}

static void nobody_waits_for_a_lock_that_is_deleted_by_way_of_a_condition(void **state)
{
    (void)state;
    unsigned count = 0;
    while (delete_lock_and_use_it_after(count)) {
        count++;
    }
    assert_true(count > 5);
}

static void deletion_without_memory_is_whole_or_refused(void **state)
{
    bool failed = true;
    (void)state;
    for (unsigned n = 0; failed; n++) {
        struct stage *stage = stage_new();
        struct actor *a = actor_new(stage, 0);
        struct actor *b = actor_new(stage, 0);
        check(a, "queue.open", "['q', {joinable: true}]", "_map");
        check(a, "list.open", "['s', {lifetime: 'scoped'}]", "_map");
        check(a, "queue.put_many", "['q', [1, ext(1, 's'), 3]]", "3");
        check(a, "object.close", "['s']", "nil");
        check(b, "queue.get", "['q']", "[1, 1, 1]");
        uint32_t join = actor_send(b, "queue.join", "['q']");
        stage_in_steps(stage);
        struct buffer request;
        struct message message;
        actor_pack(&request, "object.delete", "['q']");
        assert_int_equal(
            message_decode(request.data, request.len, MESSAGE_DEPTH, MESSAGE_SIZE, &message), 0);
        scarce_begin(n);
        service_run(&stage->service, &a->session, &message, NULL, stage->now);
        stage_finish(stage);
        failed = scarce_end();
        buffer_deinit(&request);
        if (registry_find(&stage->service.registry, slice_of_string("q")) == NULL) {
            assert_null(session_parked(&b->session, join));
            assert_int_equal(stage->service.accounts.objects, 0);
        } else {
            assert_non_null(session_parked(&b->session, join));
            assert_int_equal(stage->service.accounts.objects, 2);
        }
        a->session.output.bytes.failed = false;
        actor_leave(a);
        b->session.output.bytes.failed = false;
        actor_leave(b);
        stage_free(stage);
    }
}

static void clearing_ends_what_is_under_way(void **state)
{
    struct stage *stage = *state;
    struct actor *a = actor_new(stage, 0);
    check(a, "queue.open", "['q']", "_map");
    check(a, "list.open", "['l']", "_map");
    check(a, "list.append", "['l', ext(1, 'q')]", "_");
    check(a, "queue.put_many", "['q', [1, 2, ext(1, 'l')]]", "3");
    for (int i = 0; i < 3; i++) {
        (void)actor_send(a, "queue.join", "['q']");
    }
    scene_by_hand(stage);
    actor_begin_leave(a);
    assert_true(stage->service.jobs.count > 0);
    service_clear(&stage->service);
    assert_int_equal(stage->service.accounts.objects, 0);
    assert_int_equal(stage->service.jobs.count, 0);
    assert_int_equal(stage->service.accounts.bytes, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_set_up, scene_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(deleted_object_ends_all_that_has_to_do_with_it),
        TEST(name_is_free_while_what_had_it_is_still_ending),
        TEST(chain_of_objects_goes_with_its_first),
        TEST(chain_of_objects_goes_in_steps),
        TEST(object_that_is_let_go_while_a_job_works_on_it_goes_after_that),
        TEST(session_that_ends_leaves_an_object_at_work_after_those_who_came_before),
        cmocka_unit_test(session_that_ends_at_any_step_of_a_deletion_ends_whole),
        cmocka_unit_test(object_deleted_at_any_step_of_a_sessions_end_goes_whole),
        cmocka_unit_test(nobody_waits_for_a_lock_that_is_deleted_by_way_of_a_condition),
        cmocka_unit_test(deletion_without_memory_is_whole_or_refused),
        TEST(clearing_ends_what_is_under_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
