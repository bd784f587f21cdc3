/* Items that are reserved for a session, as whole calls: what the session takes by its page, and
 * what everybody else finds at the same moment. */
#include "tests/support/stage.h"

#include <stdatomic.h>
#include <stdio.h>

#include "daemon/objects/queue.h"
#include "tests/support/scarce.h"

static int set_up(void **state)
{
    struct stage *stage = stage_new();
    stage->takes_over = false; /* which ends what is reserved */
    *state = stage;
    return 0;
}

static int tear_down(void **state)
{
    struct stage *stage = *state;
    assert_int_equal(stage->service.accounts.descriptors, 0);
    stage_free(stage);
    return 0;
}

static _Atomic uint64_t *slot_at(struct actor *actor, unsigned slot)
{
    return (_Atomic uint64_t *)(void *)actor->session.page->mapping.memory + slot;
}

/* A client takes one more of the reservation that an answer has told it of; as that says in the
 * upper half of `told`. */
static bool take(struct actor *actor, unsigned slot, uint64_t told)
{
    uint64_t before = told;
    return atomic_compare_exchange_strong(slot_at(actor, slot), &before, told + 1);
}

static struct queue *find(struct actor *actor, const char *name)
{
    struct registry *registry = &actor->session.service->registry;
    return queue_of(registry_find(registry, slice_of_string(name)));
}

/* Runs a request whose answer stays unsent. */
static void run_unread(struct actor *actor, const struct buffer *request)
{
    struct stage *stage = actor->stage;
    struct message message;
    int status = message_decode(request->data, request->len, MESSAGE_DEPTH, MESSAGE_SIZE, &message);
    assert_int_equal(status, 0);
    service_run(&stage->service, &actor->session, &message, NULL, stage->now);
}

static uint32_t reserved(struct actor *actor, const char *name)
{
    const struct queue *queue = find(actor, name);
    return queue->object.reserved == NULL ? 0 : queue->ahead.count;
}

/* An actor with a page and queue "q" of those options, with the numbers 1 to 20. */
static struct actor *consumer(struct stage *stage, const char *options)
{
    char params[128];
    struct actor *a = actor_new(stage, 0);
    (void)snprintf(params, sizeof(params), "['q', %s]", options);
    check(a, "queue.open", params, "_map");
    check(a, "queue.put_many",
          "['q', [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20]]", "20");
    check(a, "session.page", "[]", "[_ext, 64]");
    return a;
}

static void ahead_tells_of_the_items_that_follow(void **state)
{
    struct actor *a = consumer(*state, "{}");
    check(a, "queue.get", "['q']", "[1, nil, 1]");
    check(a, "queue.get", "['q', nil, {ahead: 0}]", "[2, nil, 1]");
    check(a, "queue.get", "['q', nil, {ahead: 2}]",
          "[3, nil, 1, [0, 0, [[4, nil, 1], [5, nil, 1]]]]");
    check(a, "queue.qsize", "['q']", "17");
    assert_int_equal(reserved(a, "q"), 2);
    check(a, "queue.get", "['q']", "[4, nil, 1]"); /* which others could get just as well */
    assert_int_equal(reserved(a, "q"), 0);
    actor_leave(a);
}

/* What was taken before is got, and the rest is there for all; the page stays behind. */
static void ahead_ends_when_another_daemon_takes_over(void **state)
{
    struct actor *a = consumer(*state, "{joinable: true}");
    struct actor *b = actor_new(*state, 0);
    check(a, "queue.get", "['q', nil, {ahead: 3}]",
          "[1, 1, 1, [0, 0, [[2, 2, 1], [3, 3, 1], [4, 4, 1]]]]");
    assert_true(take(a, 0, 0));
    assert_int_equal(reserved(a, "q"), 3);
    stage_take_over(*state);
    assert_int_equal(reserved(a, "q"), 0);
    check(b, "queue.get", "['q']", "[3, 3, 1]");
    check(a, "queue.get", "['q', nil, {ahead: 3}]", "[4, 4, 1]");
    check(a, "queue.task_done", "['q', 2]", "19");
    check(a, "session.page", "[]", "[_ext, 64]");
    check(a, "queue.get", "['q', nil, {ahead: 3}]", "[5, 5, 1, [0, 0, [[6, 6, 1], _, _]]]");
    assert_true(take(a, 0, 0));
    check(b, "object.describe", "['q']", "{size: 14, taken: 5, ...}");
    actor_leave(a);
    actor_leave(b);
}

static void ahead_gives_no_more_than_there_are(void **state)
{
    struct actor *a = consumer(*state, "{}");
    check(a, "queue.get_many", "['q', 18]", "_array");
    check(a, "queue.get", "['q', 0, {ahead: 9223372036854775807}]",
          "[19, nil, 1, [0, 0, [[20, nil, 1]]]]");
    check(a, "queue.get", "['q', 0, {ahead: 5}]", "[20, nil, 1, nil]");
    check_error(a, "queue.get", "['q', 0, {ahead: 5}]", "EMPTY");
    uint32_t get = actor_send(a, "queue.get", "['q', nil, {ahead: 5}]");
    check(a, "queue.put_many", "['q', [21, 22]]", "2");
    check_answer(a, get, "[21, nil, 1, [0, 1, [[22, nil, 1]]]]");
    check_error(a, "queue.get", "['q', 0, {ahead: -1}]", "BAD_REQUEST");
    check_error(a, "queue.get", "['q', 0, {ahead: 9223372036854775808}]", "BAD_REQUEST");
    actor_leave(a);
}

static void ahead_what_is_taken_is_got(void **state)
{
    struct actor *a = consumer(*state, "{}");
    struct actor *b = actor_new(*state, 0);
    check(a, "queue.get", "['q', nil, {ahead: 3}]", "[1, nil, 1, [0, 0, [_, _, _]]]");
    assert_true(take(a, 0, 0));
    check(b, "queue.qsize", "['q']", "18");
    check(b, "queue.peek", "['q', 0, 2]", "[3, 4]");
    assert_true(take(a, 0, 1));
    check(b, "object.describe", "['q', true]",
          "{size: 17, gets: 3, ahead: {items: 1, session: _int, pid: _, uid: 0, client: _}, ...}");
    check(b, "object.list", "[]", "{objects: [{size: 17, gets: 3, ...}], ...}");
    check(b, "queue.get", "['q']", "[4, nil, 1]");
    assert_false(take(a, 0, 2));
    check(b, "object.describe", "['q', true]", "{size: 16, gets: 4, ahead: nil, ...}");
    check(a, "queue.get", "['q', nil, {ahead: 3}]", "[5, nil, 1, [0, 1, [_, _, _]]]");
    assert_false(take(a, 0, 2));
    actor_leave(a);
    check(b, "queue.get", "['q']", "[6, nil, 1]");
    actor_leave(b);
}

/* Those that leave the head alone. */
static void ahead_lasts_while_others_look_and_put(void **state)
{
    static const char *const calls[][2] = {
        {"queue.put", "['q', 21]"},    {"queue.put_many", "['q', [22]]"},
        {"queue.qsize", "['q']"},      {"queue.empty", "['q']"},
        {"queue.full", "['q']"},       {"queue.peek", "['q']"},
        {"queue.taken", "['q']"},      {"queue.join", "['q', 0]"},
        {"object.list", "[]"},         {"object.describe", "['q']"},
        {"queue.open", "['q']"},       {"session.list", "[]"},
        {"session.describe", "[nil]"}, {"server.stats", "[]"},
        {"server.ping", "[]"},         {"queue.task_done", "['q', 1]"},
        {"object.close", "['q']"}};
    struct actor *a = consumer(*state, "{joinable: true}");
    struct actor *b = actor_new(*state, 0);
    check(a, "queue.get", "['q', nil, {ahead: 4}]", "[1, 1, 1, [0, 0, [[2, 2, 1], _, _, _]]]");
    assert_true(take(a, 0, 0));
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        (void)actor_send(b, calls[i][0], calls[i][1]);
        assert_int_equal(reserved(a, "q"), 4);
    }
    check(b, "session.describe", "[1]", "{holding: 1, holds: [{tickets: 1, ...}], ...}");
    assert_true(take(a, 0, 1));
    check(b, "session.list", "[]", "[{session: 1, holding: 2, ...}, _map]");
    assert_true(take(a, 0, 2));
    check(a, "object.close", "['q']", "nil");
    assert_false(take(a, 0, 3));
    assert_int_equal(find(b, "q")->tickets.live, 3);
    actor_leave(b);
    actor_leave(a);
}

/* All others. */
static void ahead_ends_before_the_head_is_changed(void **state)
{
    static const char *const calls[][2] = {{"queue.get", "['q']"},
                                           {"queue.get_many", "['q', 2]"},
                                           {"queue.get_any", "[['q']]"},
                                           {"queue.put", "['q', 0, nil, {head: true}]"},
                                           {"queue.put", "['q', 0, nil, {delay_ms: 5}]"},
                                           {"queue.put", "['q', 0, nil, {ttl_ms: 5}]"},
                                           {"queue.clear", "['q']"},
                                           {"queue.pause", "['q']"},
                                           {"queue.shutdown", "['q']"},
                                           {"object.watch", "['q']"},
                                           {"object.chmod", "['q', 384]"},
                                           {"object.chown", "['q', 0, 0]"},
                                           {"object.rename", "['q', 'p']"},
                                           {"object.delete", "['q']"},
                                           {"atomic", "[[['queue.qsize', ['q']]]]"}};
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        struct actor *a = consumer(*state, "{lifetime: 'scoped'}");
        struct actor *b = actor_new(*state, 0);
        check(a, "queue.get", "['q', nil, {ahead: 4}]", "[1, nil, 1, [0, 0, _array]]");
        assert_true(take(a, 0, 0));
        uint32_t call = actor_send(b, calls[i][0], calls[i][1]);
        check_answer(b, call, "_");
        assert_false(take(a, 0, 1));
        actor_leave(b);
        actor_leave(a);
    }
}

static void ahead_goes_on_where_others_have_been(void **state)
{
    struct actor *a = consumer(*state, "{}");
    struct actor *b = actor_new(*state, 0);
    check(a, "queue.get", "['q', nil, {ahead: 4}]", "[1, nil, 1, [0, 0, _array]]");
    assert_true(take(a, 0, 0));
    check(b, "queue.put", "['q', 0, nil, {head: true}]", "nil");
    check(b, "queue.peek", "['q', 0, 3]", "[0, 3, 4]");
    check(b, "atomic", "[[['queue.get', ['q']], ['queue.get', ['q', 0, {ahead: 5}]]]]",
          "[[0, nil, 1], [3, nil, 1]]");
    check(b, "queue.clear", "['q']", "17");
    check(b, "object.describe", "['q']", "{size: 0, puts: 21, gets: 4, ...}");
    actor_leave(b);
    actor_leave(a);
}

static void ahead_of_a_joinable_queue_gives_tickets(void **state)
{
    struct actor *a = consumer(*state, "{joinable: true}");
    struct actor *b = actor_new(*state, 0);
    check(a, "queue.get", "['q', nil, {ahead: 4}]",
          "[1, 1, 1, [0, 0, [[2, 2, 1], [3, 3, 1], [4, 4, 1], [5, 5, 1]]]]");
    assert_true(take(a, 0, 0));
    check(a, "queue.task_done", "['q']", "19");
    check(a, "queue.task_done", "['q', 2]", "18");
    check_error(a, "queue.task_done", "['q', 3]", "VALUE");
    assert_true(take(a, 0, 1));
    assert_true(take(a, 0, 2));
    check(b, "queue.taken", "['q']", "[{ticket: 3, value: 3, ...}, {ticket: 4, value: 4, ...}]");
    check(b, "queue.get", "['q']", "[5, 5, 1]");
    check(a, "queue.give_back", "['q', 4, 0, {uncounted: true}]", "nil");
    check(b, "object.describe", "['q']", "{size: 16, taken: 2, unfinished: 18, gets: 4, ...}");
    actor_leave(a); /* 3 goes back before 4 */
    check(b, "queue.get_many", "['q', 3]", "[[3, 6, 2], [4, 7, 1], [6, 8, 1]]");
    actor_leave(b);
}

static void ahead_of_one_that_is_gone_goes_back_as_far_as_it_is_not_done(void **state)
{
    struct actor *a = consumer(*state, "{joinable: true}");
    struct actor *b = actor_new(*state, 0);
    check(a, "queue.get", "['q', nil, {ahead: 4}]", "[1, 1, 1, [0, 0, _array]]");
    assert_true(take(a, 0, 0));
    assert_true(take(a, 0, 1));
    check(a, "queue.task_done", "['q']", "19");
    actor_vanish(a);
    check(b, "queue.get_many", "['q', 4]", "[[2, 4, 2], [3, 5, 2], [4, 6, 1], [5, 7, 1]]");
    actor_leave(b);
}

/* Another session's items go back while some are reserved. */
static void ahead_ends_when_something_comes_back(void **state)
{
    struct actor *a = consumer(*state, "{joinable: true}");
    struct actor *b = actor_new(*state, 0);
    check(b, "queue.get", "['q']", "[1, 1, 1]");
    check(a, "queue.get", "['q', nil, {ahead: 4}]", "[2, 2, 1, [0, 0, _array]]");
    assert_true(take(a, 0, 0));
    actor_leave(b);
    assert_false(take(a, 0, 1));
    check(a, "queue.get_many", "['q', 2]", "[[1, 4, 2], [4, 5, 1]]");
    actor_leave(a);
}

static void ahead_an_answer_that_never_left_is_as_if_it_had_not_been(void **state)
{
    struct actor *a = consumer(*state, "{}");
    struct actor *b = actor_new(*state, 0);
    struct buffer request = {0};
    actor_pack(&request, "queue.get", "['q', nil, {ahead: 4}]");
    run_unread(a, &request);
    assert_int_equal(reserved(a, "q"), 4);
    buffer_deinit(&request);
    actor_vanish(a);
    check(b, "queue.peek", "['q', 0, 3]", "[1, 2, 3]");
    check(b, "object.describe", "['q']", "{size: 20, gets: 0, ...}");
    actor_leave(b);
}

static void ahead_makes_room_as_it_is_taken(void **state)
{
    struct actor *a = consumer(*state, "{maxsize: 20}");
    struct actor *b = actor_new(*state, 0);
    check(b, "queue.full", "['q']", "true");
    check(a, "queue.get", "['q', nil, {ahead: 4}]", "[1, nil, 1, [0, 0, _array]]");
    check(b, "queue.put", "['q', 21, 0]", "nil");
    check(b, "queue.full", "['q']", "true");
    assert_true(take(a, 0, 0));
    check(b, "queue.full", "['q']", "false");
    check(b, "queue.put", "['q', 22, 0]", "nil");
    uint32_t put = actor_send(b, "queue.put", "['q', 23]");
    check_waits(b, put);
    assert_false(take(a, 0, 1)); /* nobody would have woken it */
    check(a, "queue.get", "['q', nil, {ahead: 4}]", "[3, nil, 1, nil]");
    check_answer(b, put, "nil");
    actor_leave(b);
    actor_leave(a);
}

static void ahead_what_is_taken_is_no_more_in_the_way_of_a_limit(void **state)
{
    struct stage *stage = *state;
    struct actor *a = actor_new(stage, 7);
    check(a, "queue.open", "['q']", "_map");
    check(a, "session.page", "[]", "_array");
    check(a, "queue.put_many", "['q', ['a'*1000, 'b'*1000, 'c'*1000]]", "3");
    check(a, "queue.get", "['q', nil, {ahead: 4}]", "[_, nil, 1, [0, 0, [_, _]]]");
    stage->service.accounts.limits.max_user_bytes = a->session.user->bytes;
    assert_true(take(a, 0, 0));
    assert_true(take(a, 0, 1));
    while (reserved(a, "q") > 0) { /* there is room in the memory of the last item */
        (void)actor_send(a, "queue.put", "['q', 'd'*1000]");
    }
    check_answer(a, a->last_msgid, "nil");
    actor_leave(a);
    a = actor_new(stage, 0);
    check(a, "object.delete", "['q']", "nil");
    actor_leave(a);
}

/* Whatever a client writes into its slots. */
static void ahead_believes_a_slot_within_reason(void **state)
{
    static const struct {
        uint64_t slot;
        uint64_t taken;
    } cases[] = {{0, 0},
                 {2, 2},
                 {4, 4},
                 {5, 4},
                 {UINT32_MAX, 4},
                 {UINT64_MAX, 0},
                 {UINT64_C(1) << 32, 0},
                 {(UINT64_C(1) << 32) + 3, 0},
                 {(UINT64_C(1) << 63) + 1, 0}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct actor *a = consumer(*state, "{lifetime: 'scoped'}");
        check(a, "queue.get", "['q', nil, {ahead: 4}]", "[1, nil, 1, [0, 0, [_, _, _, _]]]");
        atomic_store(slot_at(a, 0), cases[i].slot);
        (void)actor_send(a, "queue.qsize", "['q']");
        assert_int_equal(find(a, "q")->ready, 19 - cases[i].taken);
        atomic_store(slot_at(a, 0), 0); /* it cannot be given back */
        (void)actor_send(a, "queue.qsize", "['q']");
        assert_int_equal(find(a, "q")->ready, 19 - cases[i].taken);
        atomic_store(slot_at(a, 0), cases[i].slot);
        (void)actor_send(a, "queue.clear", "['q']");
        assert_int_equal(find(a, "q")->gets, 1 + cases[i].taken);
        atomic_store(slot_at(a, 63), UINT64_MAX); /* of nothing */
        actor_leave(a);
    }
}

static void ahead_generations_go_round(void **state)
{
    struct actor *a = consumer(*state, "{}");
    a->session.page->generations[0] = UINT32_MAX;
    check(a, "queue.get", "['q', nil, {ahead: 4}]", "[1, nil, 1, [0, 4294967295, _array]]");
    assert_true(take(a, 0, (uint64_t)UINT32_MAX << 32));
    assert_true(take(a, 0, ((uint64_t)UINT32_MAX << 32) + 1));
    check(a, "queue.get", "['q', nil, {ahead: 4}]", "[4, nil, 1, [0, 0, _array]]");
    assert_false(take(a, 0, ((uint64_t)UINT32_MAX << 32) + 2));
    assert_true(take(a, 0, 0));
    check(a, "queue.qsize", "['q']", "15");
    actor_leave(a);
}

/* Queues and items with which it would not be exact. */
static void ahead_is_for_simple_queues(void **state)
{
    static const char *const options[] = {
        "{order: 'lifo', lifetime: 'scoped'}", "{order: 'priority', lifetime: 'scoped'}",
        "{joinable: true, lease_ms: 9, lifetime: 'scoped'}",
        "{joinable: true, max_deliveries: 2, lifetime: 'scoped'}"};
    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        struct actor *a = consumer(*state, options[i]);
        check(a, "queue.get", "['q', nil, {ahead: 4}]", "[_, _, 1, nil]");
        actor_leave(a);
    }
    static const char *const before[][2] = {{"object.watch", "['q']"},
                                            {"queue.shutdown", "['q']"},
                                            {"queue.put", "['q', 0, nil, {delay_ms: 5}]"},
                                            {"queue.put", "['q', 0, nil, {ttl_ms: 5}]"},
                                            {"object.close", "['q']"}};
    for (size_t i = 0; i < sizeof(before) / sizeof(before[0]); i++) {
        struct actor *a = consumer(*state, "{}");
        check(a, before[i][0], before[i][1], "nil");
        check(a, "queue.get", "['q', nil, {ahead: 4}]", "[_, _, 1, nil]");
        check(a, "object.delete", "['q']", "nil");
        actor_leave(a);
    }
}

static void ahead_is_for_small_items(void **state)
{
    struct actor *a = actor_new(*state, 0);
    check(a, "queue.open", "['q', {joinable: true}]", "_map");
    check(a, "session.page", "[]", "_array");
    check(a, "queue.put_many", "['q', [1, 2, 'a'*1100, 'b'*5000, ext(1, 'q'), 3, 4]]", "7");
    check(a, "queue.get", "['q', nil, {ahead: 4}]", "[1, 1, 1, [0, 0, [[2, 2, 1]]]]");
    assert_true(take(a, 0, 0));
    check(a, "queue.get", "['q', nil, {ahead: 4}]", "[_, 3, 1, nil]");
    check(a, "queue.get", "['q', nil, {ahead: 4}]", "[_, 4, 1, nil]");
    check(a, "queue.get", "['q', nil, {ahead: 4}]", "[_, 5, 1, [0, 1, [_, _]]]");
    check(a, "object.delete", "['q']", "nil");
    actor_leave(a);
}

/* One has expired in the middle, where it cannot be taken out. */
static void ahead_ends_where_an_item_has_expired(void **state)
{
    struct actor *a = actor_new(*state, 0);
    check(a, "queue.open", "['q']", "_map");
    check(a, "session.page", "[]", "_array");
    check(a, "queue.put_many", "['q', [1, 2]]", "2");
    check(a, "queue.put", "['q', 3, nil, {ttl_ms: 5}]", "nil");
    check(a, "queue.put", "['q', 4]", "nil");
    stage_advance(*state, 5);
    check(a, "queue.get", "['q', nil, {ahead: 4}]", "[1, nil, 1, [0, 0, [[2, nil, 1]]]]");
    assert_true(take(a, 0, 0));
    check(a, "queue.get", "['q', nil, {ahead: 4}]", "[4, nil, 1, nil]");
    actor_leave(a);
}

static void ahead_is_for_those_who_wait_alone(void **state)
{
    struct actor *a = consumer(*state, "{}");
    struct actor *b = actor_new(*state, 0);
    check(a, "queue.clear", "['q']", "20");
    uint32_t first = actor_send(a, "queue.get", "['q', nil, {ahead: 4}]");
    uint32_t second = actor_send(b, "queue.get", "['q']");
    check(b, "queue.put_many", "['q', [1, 2, 3]]", "3");
    check_answer(a, first, "[1, nil, 1, nil]");
    check_answer(b, second, "[2, nil, 1]");
    check(a, "queue.get", "['q', nil, {ahead: 4}]", "[3, nil, 1, nil]");
    actor_leave(b);
    actor_leave(a);
}

static void ahead_needs_a_page(void **state)
{
    struct actor *a = actor_new(*state, 0);
    check(a, "queue.open", "['q']", "_map");
    check(a, "queue.put_many", "['q', [1, 2, 3]]", "3");
    check(a, "queue.get", "['q', nil, {ahead: 4}]", "[1, nil, 1]");
    check(a, "session.page", "[]", "[_ext, 64]");
    check_error(a, "session.page", "[]", "EXISTS");
    check(a, "queue.get", "['q', nil, {ahead: 4}]", "[2, nil, 1, [0, 0, [[3, nil, 1]]]]");
    actor_leave(a);
}

static void ahead_page_is_charged_and_counted(void **state)
{
    struct stage *stage = *state;
    struct actor *a = actor_new(stage, 7);
    uint64_t before = a->session.user->bytes;
    stage->service.accounts.limits.max_user_bytes = before + ahead_page_cost() - 1;
    check_error(a, "session.page", "[]", "LIMIT");
    stage->service.accounts.limits.max_user_bytes = before + 2 * ahead_page_cost();
    stage->service.accounts.limits.max_user_descriptors = 0;
    check_error(a, "session.page", "[]", "LIMIT");
    assert_int_equal(a->session.user->bytes, before);
    stage->service.accounts.limits.max_user_descriptors = 1;
    check(a, "session.page", "[]", "_array");
    actor_read(a);
    assert_int_equal(a->session.user->bytes, before + ahead_page_cost());
    assert_int_equal(a->session.user->descriptors, 0);
    actor_leave(a);
}

static void ahead_has_as_many_queues_as_slots(void **state)
{
    struct actor *a = actor_new(*state, 0);
    check(a, "session.page", "[]", "_array");
    for (int i = 0; i <= AHEAD_SLOTS; i++) {
        char name[32];
        char params[64];
        (void)snprintf(name, sizeof(name), "['q%d']", i);
        check(a, "queue.open", name, "_map");
        (void)snprintf(params, sizeof(params), "['q%d', [1, 2]]", i);
        check(a, "queue.put_many", params, "2");
        (void)snprintf(params, sizeof(params), "['q%d', 0, {ahead: 4}]", i);
        check(a, "queue.get", params,
              i < AHEAD_SLOTS ? "[1, nil, 1, [_int, 0, [[2, nil, 1]]]]" : "[1, nil, 1, nil]");
        actor_forget(a);
    }
    assert_true(take(a, 63, 0));
    check_error(a, "queue.get", "['q63', 0, {ahead: 4}]", "EMPTY");
    actor_leave(a);
}

/* How many come with the next answer. */
static uint32_t next(struct actor *actor)
{
    (void)actor_send(actor, "queue.get", "['q', 0, {ahead: 1000}]");
    actor_forget(actor);
    return reserved(actor, "q");
}

static void take_all(struct actor *actor, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        assert_true(take(actor, 0, atomic_load(slot_at(actor, 0))));
    }
}

static void ahead_grows_as_long_as_all_are_taken(void **state)
{
    struct actor *a = consumer(*state, "{}");
    check(a, "queue.put_many", "['q', [nil]*1000]", "1000");
    for (uint32_t count = 4; count <= 128; count *= 2) {
        assert_int_equal(next(a), count);
        take_all(a, count);
    }
    assert_int_equal(next(a), 128);
    actor_leave(a);
}

static void ahead_pauses_when_others_come_too_early(void **state)
{
    struct actor *a = consumer(*state, "{}");
    struct actor *b = actor_new(*state, 0);
    check(a, "queue.put_many", "['q', [nil]*1000]", "1000");
    for (unsigned pause = 32; pause <= 128; pause *= 2) {
        assert_int_equal(next(a), 4);
        check(b, "queue.get", "['q']", "_array");
        for (unsigned i = 0; i < pause; i++) {
            assert_int_equal(next(a), 0);
        }
    }
    assert_int_equal(next(a), 4);
    take_all(a, 4);
    assert_int_equal(next(a), 8);
    actor_leave(b);
    actor_leave(a);
}

/* Whichever allocation fails: every item is in the queue, taken, or counted as dropped. */
static void ahead_without_memory_loses_count_of_nothing(void **state)
{
    bool failed = true;
    struct buffer request = {0};
    actor_pack(&request, "queue.get", "['q', 0, {ahead: 16}]");
    for (unsigned n = 0; failed; n++) {
        struct actor *a = consumer(*state, "{joinable: true, lifetime: 'scoped'}");
        struct queue *queue = find(a, "q");
        queue->ahead.most = 16;
        scarce_begin(n);
        run_unread(a, &request);
        failed = scarce_end();
        actor_read(a);
        for (int i = 0; i < 9 && queue->object.reserved != NULL; i++) {
            (void)take(a, 0, atomic_load(slot_at(a, 0)));
        }
        scarce_begin(n);
        object_settle(&queue->object, false);
        object_settle(&queue->object, true);
        failed |= scarce_end();
        uint64_t taken = a->session.nties > 0 ? a->session.ties[0]->holding : 0;
        assert_int_equal(queue->tickets.live, taken);
        assert_int_equal(queue->ready + taken + queue->dropped, 20);
        assert_int_equal(queue->gets, taken + queue->dropped);
        actor_leave(a);
    }
    buffer_deinit(&request);
}

#define AHEAD(test) cmocka_unit_test_setup_teardown(ahead_##test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        AHEAD(tells_of_the_items_that_follow),
        AHEAD(ends_when_another_daemon_takes_over),
        AHEAD(gives_no_more_than_there_are),
        AHEAD(what_is_taken_is_got),
        AHEAD(lasts_while_others_look_and_put),
        AHEAD(ends_before_the_head_is_changed),
        AHEAD(goes_on_where_others_have_been),
        AHEAD(of_a_joinable_queue_gives_tickets),
        AHEAD(of_one_that_is_gone_goes_back_as_far_as_it_is_not_done),
        AHEAD(ends_when_something_comes_back),
        AHEAD(an_answer_that_never_left_is_as_if_it_had_not_been),
        AHEAD(makes_room_as_it_is_taken),
        AHEAD(what_is_taken_is_no_more_in_the_way_of_a_limit),
        AHEAD(believes_a_slot_within_reason),
        AHEAD(generations_go_round),
        AHEAD(is_for_simple_queues),
        AHEAD(is_for_small_items),
        AHEAD(ends_where_an_item_has_expired),
        AHEAD(is_for_those_who_wait_alone),
        AHEAD(needs_a_page),
        AHEAD(page_is_charged_and_counted),
        AHEAD(has_as_many_queues_as_slots),
        AHEAD(grows_as_long_as_all_are_taken),
        AHEAD(pauses_when_others_come_too_early),
        AHEAD(without_memory_loses_count_of_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
