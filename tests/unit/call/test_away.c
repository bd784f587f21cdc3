/* Calls of objects that live elsewhere: they are handed to an engine, here one that does what the
 * test says, and ended by it; or they are cancelled, run out of time, or are forgotten. */
#include "daemon/call/engine.h"

#include "daemon/call/waiting.h"
#include "daemon/call/watching.h"
#include "tests/unit/call/at_work.h"

enum { CALLS_MAX = 2048, MS = 1000 * 1000 };

/* It has every object whose name begins with "far". */
struct far {
    struct engine_api api;
    struct call *calls[CALLS_MAX]; /* that it has begun and not ended, oldest first */
    unsigned count;
    unsigned begun;
    unsigned forgotten;
    unsigned sessions; /* that have ended */
    int cancelled;     /* why the last one was */
    int refuses;       /* what it refuses to begin with; 0: nothing */
};

static bool far_has(void *data, struct slice name)
{
    return name.len >= 3 && memcmp(name.data, "far", 3) == 0;
}

static int far_begin(void *data, struct call *call)
{
    struct far *far = data;
    far->begun++;
    if (far->refuses != 0) {
        return far->refuses;
    }
    assert_true(far->count < CALLS_MAX);
    far->calls[far->count++] = call;
    return 0;
}

static void far_take(struct far *far, const struct call *call)
{
    unsigned i = 0;
    while (i < far->count && far->calls[i] != call) {
        i++;
    }
    assert_true(i < far->count);
    far->count--;
    memmove(far->calls + i, far->calls + i + 1, (far->count - i) * sizeof(far->calls[0]));
}

static void far_cancel(void *data, struct call *call, int why)
{
    struct far *far = data;
    far->cancelled = why;
}

static void far_forget(void *data, struct call *call)
{
    struct far *far = data;
    far_take(far, call);
    far->forgotten++;
}

static size_t far_session_tags(void *data, const struct session *session)
{
    return 0;
}

static void far_session_ends(void *data, struct session *session)
{
    struct far *far = data;
    far->sessions++;
}

static void far_open(struct far *far, struct stage *stage)
{
    *far = (struct far){.api = {.has = far_has,
                                .begin = far_begin,
                                .cancel = far_cancel,
                                .forget = far_forget,
                                .session_tags = far_session_tags,
                                .session_ends = far_session_ends}};
    far->api.data = far;
    stage->service.engine = &far->api;
}

/* Its oldest call ends, with a number or refused. */
static void far_answer(struct far *far, struct actor *actor, int64_t number, int error)
{
    struct call *call = far->calls[0];
    far_take(far, call);
    call_take_up(call);
    if (error == 0) {
        (void)call_answer_int(call, number);
    }
    call_finish(call, error);
    service_drain(&actor->stage->service);
    actor_read(actor);
}

static void a_call_of_a_far_object_is_ended_by_the_engine(void **state)
{
    struct far far;
    struct actor *a = actor_new(*state, 1000);
    far_open(&far, *state);
    uint32_t first = actor_send(a, "queue.qsize", "['far']");
    uint32_t second = actor_send(a, "dict.len", "['far too']");
    check_waits(a, first);
    assert_int_equal(far.count, 2);
    check(a, "queue.open", "['near']", "{'name': 'near', ...}");
    far_answer(&far, a, 5, 0);
    check_answer(a, first, "5");
    check_waits(a, second);
    far_answer(&far, a, 0, ERR_KEY);
    check_refused(a, second, "KEY");
    assert_int_equal(a->session.away, 0);
    actor_leave(a);
    assert_int_equal(far.forgotten, 0);
    assert_int_equal(far.sessions, 1);
}

static void params_are_checked_here(void **state)
{
    struct far far;
    struct actor *a = actor_new(*state, 1000);
    far_open(&far, *state);
    check_error(a, "queue.qsize", "['far', 1]", "BAD_REQUEST");
    check_error(a, "queue.get", "['far', -1]", "BAD_REQUEST");
    check_error(a, "queue.open", "['far', {'mode': 512}]", "BAD_REQUEST");
    assert_int_equal(far.begun, 0);
    actor_leave(a);
}

static void memory_and_pipes_and_what_is_here_already_stay_here(void **state)
{
    struct far far;
    struct actor *a = actor_new(*state, 1000);
    check(a, "queue.open", "['far away']", "{'name': 'far away', ...}");
    far_open(&far, *state);
    check(a, "value.open", "['far v', {'typecode': 'i'}]", "{'type': 'value', ...}");
    check(a, "pipe.open", "['far p']", "{'type': 'pipe', ...}");
    check(a, "value.get", "['far v']", "0");
    check(a, "queue.put", "['far away', 1]", "nil");
    check(a, "queue.open", "['far away']", "{'name': 'far away', ...}");
    check_error(a, "dict.len", "['far v']", "WRONG_TYPE");
    check_error(a, "value.get", "['far nothing']", "NOT_FOUND");
    check(a, "queue.open", "[]", "{'type': 'queue', ...}");
    assert_int_equal(far.begun, 0);
    actor_leave(a);
}

static void what_the_engine_refuses_to_begin_is_refused(void **state)
{
    struct far far;
    struct actor *a = actor_new(*state, 1000);
    far_open(&far, *state);
    far.refuses = ERR_ENGINE;
    check_error(a, "queue.qsize", "['far']", "ENGINE");
    check_error(a, "queue.open", "['far']", "ENGINE");
    assert_int_equal(a->session.calls.live, 0);
    actor_leave(a);
    assert_int_equal(far.forgotten, 0);
}

static void a_wait_there_has_its_deadline_here(void **state)
{
    struct far far;
    struct stage *stage = *state;
    struct actor *a = actor_new(stage, 1000);
    far_open(&far, stage);
    uint32_t get = actor_send(a, "queue.get", "['far', 100]");
    call_wait_away(far.calls[0], stage->now + 100 * MS);
    assert_int_equal(a->session.away, 0);
    assert_int_equal(stage->service.waiting, 1);
    stage_advance(stage, 99);
    assert_int_equal(far.cancelled, 0);
    stage_advance(stage, 1);
    assert_int_equal(far.cancelled, ERR_TIMEOUT);
    check_waits(a, get);
    far_answer(&far, a, 0, ERR_EMPTY);
    check_refused(a, get, "EMPTY");
    assert_int_equal(stage->service.waiting, 0);
    actor_leave(a);
}

static void what_is_away_can_be_cancelled_and_may_have_a_result_all_the_same(void **state)
{
    struct far far;
    struct actor *a = actor_new(*state, 1000);
    char params[16];
    far_open(&far, *state);
    uint32_t size = actor_send(a, "queue.qsize", "['far']");
    (void)snprintf(params, sizeof(params), "[%u]", (unsigned)size);
    actor_notify(a, "cancel", params);
    assert_int_equal(far.cancelled, ERR_CANCELLED);
    check_waits(a, size);
    far_answer(&far, a, 7, 0);
    check_answer(a, size, "7");
    actor_leave(a);
}

static void a_session_that_ends_is_forgotten(void **state)
{
    struct far far;
    struct stage *stage = *state;
    struct actor *a = actor_new(stage, 1000);
    far_open(&far, stage);
    (void)actor_send(a, "queue.qsize", "['far']");
    (void)actor_send(a, "queue.get", "['far']");
    call_wait_away(far.calls[1], TIME_NEVER);
    actor_leave(a);
    assert_int_equal(far.forgotten, 2);
    assert_int_equal(far.count, 0);
    assert_int_equal(stage->service.waiting, 0);
}

/* Its end may take many steps, and answers come between them. */
static void a_session_that_ends_watches_nothing_more(void **state)
{
    struct stage *stage = *state;
    struct actor *a = actor_new(stage, 1000);
    check(a, "event.open", "['here']", "{'name': 'here', ...}");
    struct object *object = registry_find(&stage->service.registry, slice_of_string("here"));
    a->session.gone = true;
    assert_int_equal(session_watch(&a->session, object, UINT32_MAX), ERR_CANCELLED);
    assert_null(a->session.watcher);
    a->session.gone = false;
    actor_leave(a);
}

static void a_session_that_closes_waits_for_no_more(void **state)
{
    struct far far;
    struct stage *stage = *state;
    struct actor *a = actor_new(stage, 1000);
    far_open(&far, stage);
    uint32_t get = actor_send(a, "queue.get", "['far']");
    uint32_t other = actor_send(a, "queue.get", "['far']");
    call_wait_away(far.calls[0], TIME_NEVER);
    a->session.closing = true;
    session_cancel_all(&a->session, ERR_CANCELLED, "the daemon ends");
    actor_read(a);
    check_refused(a, get, "CANCELLED");
    check_waits(a, other);
    call_wait_away(far.calls[0], TIME_NEVER);
    actor_read(a);
    check_refused(a, other, "CANCELLED");
    assert_int_equal(far.forgotten, 2);
    actor_leave(a);
}

static void a_session_with_much_away_is_held_up(void **state)
{
    struct far far;
    struct actor *a = actor_new(*state, 1000);
    far_open(&far, *state);
    for (unsigned i = 0; i < SESSION_AWAY_HIGH; i++) {
        assert_false(session_is_held_up(&a->session));
        (void)actor_send(a, "queue.qsize", "['far']");
    }
    assert_true(session_is_held_up(&a->session));
    while (a->session.away > SESSION_AWAY_LOW) {
        assert_false(session_may_go_on(&a->session));
        far_answer(&far, a, 1, 0);
        actor_forget(a);
    }
    assert_true(session_may_go_on(&a->session));
    actor_leave(a);
}

static void one_call_is_about_far_or_near_objects_and_not_both(void **state)
{
    struct far far;
    struct actor *a = actor_new(*state, 1000);
    check(a, "queue.open", "['near']", "{'name': 'near', ...}");
    far_open(&far, *state);
    check_error(a, "queue.get_any", "[['far', 'near'], 0]", "UNSUPPORTED");
    uint32_t any = actor_send(a, "queue.get_any", "[['far', 'far too'], 0]");
    uint32_t batch = actor_send(
        a, "atomic", "[[['queue.put', ['far', 1]], ['queue.get_any', [['far too'], 0]]]]");
    uint32_t other = actor_send(a, "atomic", "[[['queue.open', ['far']]]]");
    check_waits(a, any);
    check_waits(a, batch);
    check_waits(a, other);
    assert_int_equal(far.count, 3);
    check(a, "atomic", "[[['queue.put', ['near', 'far']], ['queue.qsize', ['near']]]]", "[nil, 1]");
    actor_leave(a);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_set_up, scene_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_call_of_a_far_object_is_ended_by_the_engine),
        TEST(params_are_checked_here),
        TEST(memory_and_pipes_and_what_is_here_already_stay_here),
        TEST(what_the_engine_refuses_to_begin_is_refused),
        TEST(a_wait_there_has_its_deadline_here),
        TEST(what_is_away_can_be_cancelled_and_may_have_a_result_all_the_same),
        TEST(a_session_that_ends_is_forgotten),
        TEST(a_session_that_ends_watches_nothing_more),
        TEST(a_session_that_closes_waits_for_no_more),
        TEST(a_session_with_much_away_is_held_up),
        TEST(one_call_is_about_far_or_near_objects_and_not_both),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
