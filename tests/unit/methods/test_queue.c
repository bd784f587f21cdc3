/* The queue's methods, driven as whole calls: waiting, tickets, orders, time, and their ends. */
#include "tests/support/stage.h"

#include <stdlib.h>

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

static void queue_get_returns_items_in_order(void **state)
{
    struct actor *a = actor_new(*state, 0);
    check(a, "queue.open", "['q']", "{type: 'queue', name: 'q', maxsize: 0, joinable: false, ...}");
    check(a, "queue.put", "['q', 1]", "nil");
    check(a, "queue.put", "['q', b'two']", "nil");
    check(a, "queue.get", "['q']", "[1, nil, 1]");
    check(a, "queue.get", "['q', 0]", "[b'two', nil, 1]");
    check_error(a, "queue.get", "['q', 0]", "EMPTY");
    actor_leave(a);
}

static void queue_large_values_come_back_as_sent(void **state)
{
    struct actor *a = actor_new(*state, 0);
    check(a, "queue.open", "['q']", "_map");
    check(a, "queue.put_many", "['q', ['a'*100000, 'b'*4090, 'c'*4096, 4]]", "4");
    check(a, "queue.peek", "['q', 0, 4]", "['a'*100000, 'b'*4090, 'c'*4096, 4]");
    check(a, "queue.get_many", "['q', 2]", "[['a'*100000, nil, 1], ['b'*4090, nil, 1]]");
    check(a, "queue.clear", "['q']", "2");
    check(a, "object.describe", "['q']", "{size: 0, unfinished: 0, ...}");
    actor_leave(a);
}

static void queue_get_waits_for_a_put(void **state)
{
    struct actor *a = actor_new(*state, 0);
    struct actor *b = actor_new(*state, 0);
    check(a, "queue.open", "['q']", "_map");
    uint32_t first = actor_send(a, "queue.get", "['q']");
    uint32_t second = actor_send(b, "queue.get", "['q']");
    check_waits(a, first);
    check(b, "queue.put", "['q', 'x']", "nil");
    check_answer(a, first, "['x', nil, 1]");
    check_waits(b, second);
    check(b, "queue.put", "['q', 'y']", "nil");
    check_answer(b, second, "['y', nil, 1]");
    actor_leave(a);
    actor_leave(b);
}

static void queue_get_parked_is_cancelled_on_disconnect(void **state)
{
    struct actor *a = actor_new(*state, 0);
    struct actor *b = actor_new(*state, 0);
    check(b, "queue.open", "['q']", "_map");
    (void)actor_send(a, "queue.get", "['q']");
    actor_leave(a);
    check(b, "queue.put", "['q', 1]", "nil");
    check(b, "queue.qsize", "['q']", "1");
    actor_leave(b);
}

static void queue_get_ends_with_empty_when_its_time_is_over(void **state)
{
    struct stage *stage = *state;
    struct actor *a = actor_new(stage, 0);
    check(a, "queue.open", "['q']", "_map");
    uint32_t get = actor_send(a, "queue.get", "['q', 100]");
    stage_advance(stage, 99);
    check_waits(a, get);
    stage_advance(stage, 1);
    check_refused(a, get, "EMPTY");
    actor_leave(a);
}

static void queue_get_is_ended_by_cancel(void **state)
{
    struct actor *a = actor_new(*state, 0);
    check(a, "queue.open", "['q']", "_map");
    uint32_t get = actor_send(a, "queue.get", "['q']");
    actor_notify(a, "cancel", "[99]");
    check_waits(a, get);
    actor_notify(a, "cancel", "[2]");
    check_refused(a, get, "CANCELLED");
    actor_leave(a);
}

static void queue_delete_wakes_waiters(void **state)
{
    struct actor *a = actor_new(*state, 0);
    check(a, "queue.open", "['q', {maxsize: 1, joinable: true}]", "_map");
    uint32_t get = actor_send(a, "queue.get", "['q']");
    check(a, "object.delete", "['q']", "nil");
    check_refused(a, get, "DELETED");
    check_error(a, "queue.get", "['q']", "NOT_FOUND");
    actor_leave(a);
}

static void queue_put_waits_for_room_in_turn(void **state)
{
    struct actor *a = actor_new(*state, 0);
    check(a, "queue.open", "['q', {maxsize: 1}]", "_map");
    check(a, "queue.put", "['q', 1]", "nil");
    check(a, "queue.full", "['q']", "true");
    check_error(a, "queue.put", "['q', 2, 0]", "FULL");
    uint32_t second = actor_send(a, "queue.put", "['q', 2]");
    uint32_t third = actor_send(a, "queue.put", "['q', 3, 50]");
    check(a, "queue.get", "['q']", "[1, nil, 1]");
    check_answer(a, second, "nil");
    check_waits(a, third);
    stage_advance(*state, 50);
    check_refused(a, third, "FULL");
    check(a, "queue.get_many", "['q', 9]", "[[2, nil, 1]]");
    actor_leave(a);
}

static void queue_put_many_goes_on_as_room_comes(void **state)
{
    struct stage *stage = *state;
    struct actor *a = actor_new(stage, 0);
    check(a, "queue.open", "['q', {maxsize: 2}]", "_map");
    uint32_t put = actor_send(a, "queue.put_many", "['q', [1, 2, 3, 4], 100]");
    check_waits(a, put);
    check(a, "queue.get", "['q']", "[1, nil, 1]");
    check(a, "queue.qsize", "['q']", "2");
    stage_advance(stage, 100);
    check_answer(a, put, "3");
    check_error(a, "queue.put_many", "['q', [5], 0]", "FULL");
    check(a, "queue.peek", "['q', 0, 9]", "[2, 3]");
    check(a, "queue.put_many", "['q', []]", "0");
    actor_leave(a);
}

static void queue_item_that_did_not_leave_goes_back_to_the_head(void **state)
{
    struct actor *a = actor_new(*state, 0);
    struct actor *b = actor_new(*state, 0);
    check(b, "queue.open", "['q']", "_map");
    check(b, "queue.put_many", "['q', [1, 'x'*5000, 3, 4]]", "4");
    (void)actor_send(a, "queue.get", "['q']");
    (void)actor_send(a, "queue.get_many", "['q', 2]");
    check(b, "queue.qsize", "['q']", "1");
    actor_vanish(a);
    check(b, "queue.peek", "['q', 0, 9]", "[1, 'x'*5000, 3, 4]");
    actor_leave(b);
}

static void queue_item_that_did_not_leave_goes_to_the_next_waiter(void **state)
{
    struct actor *a = actor_new(*state, 0);
    struct actor *b = actor_new(*state, 0);
    check(b, "queue.open", "['q']", "_map");
    check(b, "queue.put", "['q', 1]", "nil");
    (void)actor_send(a, "queue.get", "['q']");
    uint32_t get = actor_send(b, "queue.get", "['q']");
    check_waits(b, get);
    actor_vanish(a);
    check_answer(b, get, "[1, nil, 1]");
    actor_leave(b);
}

static void joinable_counts_what_is_unfinished(void **state)
{
    struct actor *a = actor_new(*state, 0);
    check(a, "queue.open", "['j', {joinable: true}]", "_map");
    check(a, "queue.put_many", "['j', ['a', 'b', 'c']]", "3");
    uint32_t join = actor_send(a, "queue.join", "['j']");
    check(a, "queue.get", "['j']", "['a', 1, 1]");
    check(a, "queue.get", "['j']", "['b', 2, 1]");
    check(a, "queue.get", "['j']", "['c', 3, 1]");
    check(a, "object.describe", "['j']", "{size: 0, unfinished: 3, taken: 3, ...}");
    check(a, "queue.task_done", "['j', 2]", "2");
    check_error(a, "queue.task_done", "['j', 2]", "VALUE");
    check(a, "queue.task_done", "['j']", "1");
    check_waits(a, join);
    check(a, "queue.task_done", "['j']", "0");
    check_answer(a, join, "nil");
    check_error(a, "queue.task_done", "['j']", "VALUE");
    check(a, "queue.join", "['j', 0]", "nil");
    actor_leave(a);
}

static void joinable_requeues_in_the_old_order_on_disconnect(void **state)
{
    struct actor *a = actor_new(*state, 0);
    struct actor *b = actor_new(*state, 0);
    check(b, "queue.open", "['j', {joinable: true}]", "_map");
    check(b, "queue.put_many", "['j', [1, 2, 3, 4]]", "4");
    check(a, "queue.get_many", "['j', 3]", "[[1, 1, 1], [2, 2, 1], [3, 3, 1]]");
    check(a, "queue.task_done", "['j', 2]", "3");
    actor_leave(a);
    check(b, "queue.get_many", "['j', 9]", "[[1, 4, 2], [3, 5, 2], [4, 6, 1]]");
    actor_leave(b);
}

static void joinable_discards_on_disconnect_if_told_to(void **state)
{
    struct actor *a = actor_new(*state, 0);
    struct actor *b = actor_new(*state, 0);
    check(b, "queue.open", "['j', {joinable: true, on_disconnect: 'discard'}]", "_map");
    check(b, "queue.put", "['j', 1]", "nil");
    check(a, "queue.get", "['j']", "[1, 1, 1]");
    uint32_t join = actor_send(b, "queue.join", "['j']");
    actor_leave(a);
    check_answer(b, join, "nil");
    actor_leave(b);
}

static void joinable_lease_that_runs_out_gives_back(void **state)
{
    struct stage *stage = *state;
    struct actor *a = actor_new(stage, 0);
    check(a, "queue.open", "['j', {joinable: true, lease_ms: 100}]", "_map");
    check(a, "queue.put", "['j', 'x']", "nil");
    check(a, "queue.get", "['j']", "['x', 1, 1]");
    stage_advance(stage, 60);
    check(a, "queue.touch", "['j', 1]", "nil");
    stage_advance(stage, 99);
    check(a, "queue.qsize", "['j']", "0");
    uint32_t get = actor_send(a, "queue.get", "['j']");
    stage_advance(stage, 1);
    check_answer(a, get, "['x', 2, 2]");
    check_error(a, "queue.task_done", "['j', 1]", "VALUE");
    check_error(a, "queue.touch", "['j', 1]", "VALUE");
    actor_leave(a);
}

static void joinable_with_leases_leaves_to_others_what_they_have_taken(void **state)
{
    struct actor *a = actor_new(*state, 0);
    struct actor *b = actor_new(*state, 0);
    check(a, "queue.open", "['j', {joinable: true, lease_ms: 100}]", "_map");
    check(a, "queue.put_many", "['j', ['x', 'y']]", "2");
    check(a, "queue.get", "['j']", "['x', 1, 1]");
    stage_advance(*state, 100);
    check(b, "queue.get", "['j']", "['x', 2, 2]");
    check_fails(a, "queue.task_done", "['j']",
                "['VALUE', 'this session has taken no item of \"j\", which has lease_ms: give the "
                "ticket to finish one that another session has taken']");
    check(a, "queue.get", "['j']", "['y', 3, 1]");
    check(a, "queue.task_done", "['j']", "1");
    check(a, "queue.task_done", "['j', 2]", "0");
    check_error(b, "queue.task_done", "['j']", "VALUE");
    actor_leave(a);
    actor_leave(b);
}

static void joinable_give_back_with_a_delay_waits(void **state)
{
    struct stage *stage = *state;
    struct actor *a = actor_new(stage, 0);
    check(a, "queue.open", "['j', {joinable: true}]", "_map");
    check(a, "queue.put_many", "['j', ['x', 'y']]", "2");
    check(a, "queue.get", "['j']", "['x', 1, 1]");
    check(a, "queue.give_back", "['j', 1, 30]", "nil");
    check(a, "object.describe", "['j']", "{size: 1, unfinished: 2, taken: 0, delayed: 1, ...}");
    stage_advance(stage, 30);
    check(a, "queue.peek", "['j', 0, 9]", "['x', 'y']");
    check(a, "queue.get", "['j']", "['x', 2, 2]");
    actor_leave(a);
}

static void joinable_sends_to_the_dead_letter_queue(void **state)
{
    struct actor *a = actor_new(*state, 0);
    check(a, "queue.open", "['dead']", "_map");
    check(a, "queue.open", "['j', {joinable: true, max_deliveries: 2, dead_letter: 'dead'}]",
          "{dead_letter: 'dead', ...}");
    uint32_t waiter = actor_send(a, "queue.get", "['dead']");
    check(a, "queue.put", "['j', 'x']", "nil");
    uint32_t join = actor_send(a, "queue.join", "['j']");
    check(a, "queue.get", "['j']", "['x', 1, 1]");
    check(a, "queue.give_back", "['j', 1]", "nil");
    check(a, "queue.get", "['j']", "['x', 2, 2]");
    check_waits(a, join);
    check(a, "queue.give_back", "['j', 2]", "nil");
    check_answer(a, waiter, "['x', nil, 1]");
    check_answer(a, join, "nil");
    check(a, "object.describe", "['j']", "{unfinished: 0, dropped: 0, ...}");
    actor_leave(a);
}

static void dead_letters_go_at_once_when_nobody_waits(void **state)
{
    struct actor *a = actor_new(*state, 0);
    check(a, "queue.open", "['dead']", "_map");
    check(a, "queue.open", "['j', {joinable: true, max_deliveries: 1, dead_letter: 'dead'}]",
          "_map");
    check(a, "queue.put", "['j', 'x']", "nil");
    check(a, "queue.get", "['j']", "['x', 1, 1]");
    check(a, "queue.give_back", "['j', 1]", "nil");
    check(a, "queue.peek", "['dead', 0, 9]", "['x']");
    check(a, "object.describe", "['j']", "{unfinished: 0, dropped: 0, ...}");
    actor_leave(a);
}

static void many_dead_letters_do_not_go_all_at_once(void **state)
{
    only_here(*state, "they do, in the step that kills them");
    struct stage *stage = *state;
    stage->takes_over = false; /* the others would go at once */
    struct actor *a = actor_new(stage, 0);
    check(a, "queue.open", "['dead']", "_map");
    check(a, "queue.open",
          "['j', {joinable: true, lease_ms: 5, max_deliveries: 1, dead_letter: 'dead'}]", "_map");
    for (int i = 0; i < 25; i++) {
        (void)actor_send(a, "queue.put_many",
                         "['j', [1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,"
                         "19,20,21,22,23,24,25,26,27,28,29,30,31,32,33,34,35,"
                         "36,37,38,39,40,41,42,43,44,45,46,47,48,49,50]]");
    }
    check(a, "queue.get_many", "['j', 5000]", "_array");
    stage_advance(stage, 5);
    check(a, "object.describe", "['j']", "{taken: 0, dropped: 0, ...}");
    check(a, "queue.qsize", "['dead']", "1024");
    stage_advance(stage, 1);
    stage_advance(stage, 1);
    check(a, "queue.qsize", "['dead']", "1250");
    check(a, "queue.peek", "['dead', 1240, 99]", "[10, 9, 8, 7, 6, 5, 4, 3, 2, 1]");
    actor_leave(a);
}

static void put_many_of_nothing_waits_for_nobody(void **state)
{
    struct actor *a = actor_new(*state, 0);
    check(a, "queue.open", "['q', {maxsize: 1}]", "_map");
    check(a, "queue.put", "['q', 1]", "nil");
    uint32_t put = actor_send(a, "queue.put", "['q', 2]");
    check(a, "queue.put_many", "['q', []]", "0");
    check_waits(a, put);
    actor_leave(a);
}

static void joinable_without_a_dead_letter_queue_drops_and_counts(void **state)
{
    struct actor *a = actor_new(*state, 0);
    check(a, "queue.open", "['j', {joinable: true, max_deliveries: 1}]", "_map");
    check(a, "queue.put", "['j', 'x']", "nil");
    check(a, "queue.get", "['j']", "['x', 1, 1]");
    uint32_t join = actor_send(a, "queue.join", "['j']");
    check(a, "queue.give_back", "['j', 1]", "nil");
    check(a, "object.describe", "['j']", "{unfinished: 0, dropped: 1, ...}");
    check_answer(a, join, "nil");
    actor_leave(a);
}

static void queue_plain_has_no_tickets(void **state)
{
    struct actor *a = actor_new(*state, 0);
    check(a, "queue.open", "['q']", "_map");
    check_error(a, "queue.task_done", "['q']", "WRONG_TYPE");
    check_error(a, "queue.join", "['q']", "WRONG_TYPE");
    check_error(a, "queue.open", "['r', {lease_ms: 5}]", "BAD_REQUEST");
    actor_leave(a);
}

static void lifo_returns_the_last_one_first(void **state)
{
    struct actor *a = actor_new(*state, 0);
    check(a, "queue.open", "['s', {order: 'lifo', joinable: true}]", "_map");
    check(a, "queue.put_many", "['s', [1, 2, 'x'*5000]]", "3");
    check(a, "queue.peek", "['s', 0, 3]", "['x'*5000, 2, 1]");
    check(a, "queue.get_many", "['s', 2]", "[['x'*5000, 1, 1], [2, 2, 1]]");
    check(a, "queue.give_back", "['s', 2]", "nil");
    check(a, "queue.give_back", "['s', 1]", "nil");
    check(a, "queue.get_many", "['s', 3]", "[['x'*5000, 3, 2], [2, 4, 2], [1, 5, 1]]");
    actor_leave(a);
}

static void priority_returns_the_lowest_first_and_equal_ones_in_order(void **state)
{
    struct actor *a = actor_new(*state, 0);
    check(a, "queue.open", "['p', {order: 'priority'}]", "_map");
    check(a, "queue.put", "['p', 'd', nil, {priority: 1.5}]", "nil");
    check(a, "queue.put", "['p', 'b', nil, {priority: 1}]", "nil");
    check(a, "queue.put", "['p', 'c', nil, {priority: 1}]", "nil");
    check(a, "queue.put", "['p', 'a']", "nil");
    check(a, "queue.put", "['p', 'f', nil, {priority: 9007199254740993}]", "nil");
    check(a, "queue.put", "['p', 'e', nil, {priority: 9007199254740992.0}]", "nil");
    check(a, "queue.peek", "['p', 1, 4]", "['b', 'c', 'd', 'e']");
    check(a, "queue.get_many", "['p', 9]",
          "[['a', nil, 1], ['b', nil, 1], ['c', nil, 1], ['d', nil, 1], ['e', nil, 1], "
          "['f', nil, 1]]");
    check_error(a, "queue.put", "['p', 1, nil, {priority: nan}]", "BAD_REQUEST");
    check_error(a, "queue.put", "['p', 1, nil, {priority: [1]}]", "BAD_REQUEST");
    check_error(a, "queue.put", "['p', 1, nil, {urgency: 1}]", "BAD_REQUEST");
    actor_leave(a);
}

static void priority_may_be_a_string_but_kinds_do_not_mix(void **state)
{
    struct actor *a = actor_new(*state, 0);
    check(a, "queue.open", "['p', {order: 'priority', joinable: true}]", "_map");
    check(a, "queue.put", "['p', 2, nil, {priority: 'b'}]", "nil");
    check(a, "queue.put", "['p', 3, nil, {priority: 'ba'}]", "nil");
    check(a, "queue.put", "['p', 1, nil, {priority: 'a', delay_ms: 5}]", "nil");
    check_error(a, "queue.put", "['p', 4, nil, {priority: 4}]", "TYPE");
    check_error(a, "queue.put", "['p', 4, nil, {priority: b'b'}]", "TYPE");
    check_error(a, "queue.put", "['p', 4]", "TYPE");
    stage_advance(*state, 5);
    check(a, "queue.get_many", "['p', 3]", "[[1, 1, 1], [2, 2, 1], [3, 3, 1]]");
    check(a, "queue.put", "['p', 4]", "nil");
    check_error(a, "queue.put", "['p', 5, nil, {priority: 'a'}]", "TYPE");
    check(a, "queue.give_back", "['p', 3]", "nil");
    check(a, "queue.give_back", "['p', 2]", "nil");
    check(a, "queue.peek", "['p', 0, 9]", "[4, 2, 3]");
    check(a, "queue.clear", "['p']", "3");
    check(a, "queue.put", "['p', 5, nil, {priority: 'a'}]", "nil");
    actor_leave(a);
}

static void undelivered_item_keeps_its_priority(void **state)
{
    struct actor *a = actor_new(*state, 0);
    struct actor *b = actor_new(*state, 0);
    check(b, "queue.open", "['p', {order: 'priority'}]", "_map");
    check(b, "queue.put", "['p', 2, nil, {priority: 'b'}]", "nil");
    check(b, "queue.put", "['p', 1, nil, {priority: 'a'}]", "nil");
    (void)actor_send(a, "queue.get_many", "['p', 2]");
    actor_vanish(a);
    check(b, "queue.get_many", "['p', 2]", "[[1, nil, 1], [2, nil, 1]]");
    actor_leave(b);
}

static void delayed_items_come_when_they_are_due(void **state)
{
    struct stage *stage = *state;
    struct actor *a = actor_new(stage, 0);
    check(a, "queue.open", "['q', {maxsize: 2}]", "_map");
    check(a, "queue.put", "['q', 'late', nil, {delay_ms: 100}]", "nil");
    check(a, "queue.put", "['q', 'now']", "nil");
    check(a, "queue.full", "['q']", "true");
    check(a, "object.describe", "['q']", "{size: 1, delayed: 1, unfinished: 2, ...}");
    check(a, "queue.get", "['q']", "['now', nil, 1]");
    uint32_t get = actor_send(a, "queue.get", "['q']");
    check_waits(a, get);
    stage_advance(stage, 99);
    check_waits(a, get);
    stage_advance(stage, 1);
    check_answer(a, get, "['late', nil, 1]");
    actor_leave(a);
}

static void items_expire_wherever_they_are(void **state)
{
    struct stage *stage = *state;
    struct actor *a = actor_new(stage, 0);
    check(a, "queue.open", "['q', {maxsize: 3}]", "_map");
    check(a, "queue.put", "['q', 1]", "nil");
    check(a, "queue.put", "['q', 2, nil, {ttl_ms: 50}]", "nil");
    check(a, "queue.put", "['q', 3]", "nil");
    uint32_t put = actor_send(a, "queue.put", "['q', 4]");
    check_waits(a, put);
    stage_advance(stage, 50);
    check_answer(a, put, "nil");
    check(a, "queue.peek", "['q', 0, 9]", "[1, 3, 4]");
    actor_leave(a);
}

static void many_expired_items_leave_no_tombstones(void **state)
{
    only_here(*state, "it reaches into the object");
    struct stage *stage = *state;
    stage->takes_over = false; /* the object is looked at */
    struct actor *a = actor_new(stage, 0);
    check(a, "queue.open", "['q']", "_map");
    check(a, "queue.put", "['q', 'first']", "nil");
    check(a, "object.describe", "['q']", "_map");
    for (int i = 0; i < 400; i++) {
        (void)actor_send(a, "queue.put", "['q', 'x'*100, nil, {ttl_ms: 10}]");
        actor_read(a);
        actor_forget(a);
    }
    check(a, "queue.put", "['q', 'last']", "nil");
    struct object *object = registry_find(&stage->service.registry, slice_of_string("q"));
    assert_true(object->bytes > 400 * 300);
    stage_advance(stage, 10);
    check(a, "queue.qsize", "['q']", "2");
    assert_true(object->bytes < 64 * 300); /* fewer than 64 tombstones, without their values */
    check(a, "queue.get_many", "['q', 9]", "[['first', nil, 1], ['last', nil, 1]]");
    check(a, "object.describe", "['q']", "{expired: 400, size: 0, ...}");
    actor_leave(a);
}

static void clear_wakes_putters_and_joiners(void **state)
{
    struct actor *a = actor_new(*state, 0);
    check(a, "queue.open", "['j', {joinable: true, maxsize: 2}]", "_map");
    check(a, "queue.put", "['j', 1]", "nil");
    check(a, "queue.put", "['j', 2, nil, {delay_ms: 1000}]", "nil");
    uint32_t join = actor_send(a, "queue.join", "['j', 1000]");
    check(a, "queue.clear", "['j']", "2");
    check_answer(a, join, "nil");
    check(a, "object.describe", "['j']", "{size: 0, delayed: 0, unfinished: 0, ...}");
    actor_leave(a);
}

static void item_that_is_returned_is_the_next_whatever_the_queue(void **state)
{
    static const char *const queues[] = {"['q', {maxsize: 2}]",
                                         "['q', {order: 'lifo', maxsize: 2}]",
                                         "['q', {order: 'priority', maxsize: 2}]"};
    struct actor *a = actor_new(*state, 0);
    for (size_t i = 0; i < sizeof(queues) / sizeof(queues[0]); i++) {
        check(a, "queue.open", queues[i], "_map");
        check(a, "queue.put_many", "['q', ['x', 'x']]", "2");
        check(a, "queue.put", "['q', 'one', 0, {head: true}]", "nil");
        check(a, "queue.put", "['q', 'two', 0, {head: true, delay_ms: 5, ttl_ms: 1}]", "nil");
        check(a, "queue.qsize", "['q']", "4");
        check_error(a, "queue.put", "['q', 'y', 0, {head: false}]", "FULL");
        check(a, "queue.shutdown", "['q']", "nil");
        check(a, "queue.get", "['q']", "['two', nil, 1]");
        check(a, "queue.put", "['q', 'two', nil, {head: true}]", "nil");
        check(a, "queue.peek", "['q', 0, 3]", "['two', 'one', 'x']");
        check(a, "queue.clear", "['q']", "4");
        check(a, "object.delete", "['q']", "nil");
    }
    actor_leave(a);
}

static void item_that_is_returned_goes_to_who_waits(void **state)
{
    struct actor *a = actor_new(*state, 0);
    struct actor *b = actor_new(*state, 0);
    check(a, "queue.open", "['q', {joinable: true}]", "_map");
    uint32_t waiting = actor_send(b, "queue.get", "['q']");
    check(a, "queue.put", "['q', 'x', 0, {head: true}]", "nil");
    check_answer(b, waiting, "['x', 1, 1]");
    check(a, "object.describe", "['q']", "{unfinished: 1, taken: 1, ...}");
    actor_leave(a);
    actor_leave(b);
}

static void queue_over_its_users_bytes_is_a_limit_and_changes_nothing(void **state)
{
    struct stage *stage = *state;
    if (getenv("IPCD_TEST_STEPS") != NULL) {
        skip(); /* a call that is done in steps has to be paid for, too */
    }
    struct actor *a = actor_new(stage, 1000);
    stage->service.accounts.limits.max_user_bytes = 18000;
    check(a, "queue.open", "['q']", "_map");
    check_error(a, "queue.put", "['q', 'x'*19000]", "LIMIT");
    check_error(a, "queue.put", "['q', 'x'*19000, 0, {delay_ms: 5}]", "LIMIT");
    check(a, "object.describe", "['q']", "{size: 0, delayed: 0, bytes: 0, ...}");
    check(a, "queue.put_many", "['q', ['x'*3000, 'x'*3000, 'x'*3000, 'x'*3000]]", "_int");
    check(a, "queue.clear", "['q']", "_int");
    actor_leave(a);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(queue_get_returns_items_in_order),
        TEST(queue_large_values_come_back_as_sent),
        TEST(queue_get_waits_for_a_put),
        TEST(queue_get_parked_is_cancelled_on_disconnect),
        TEST(queue_get_ends_with_empty_when_its_time_is_over),
        TEST(queue_get_is_ended_by_cancel),
        TEST(queue_delete_wakes_waiters),
        TEST(queue_put_waits_for_room_in_turn),
        TEST(queue_put_many_goes_on_as_room_comes),
        TEST(queue_item_that_did_not_leave_goes_back_to_the_head),
        TEST(queue_item_that_did_not_leave_goes_to_the_next_waiter),
        TEST(joinable_counts_what_is_unfinished),
        TEST(joinable_requeues_in_the_old_order_on_disconnect),
        TEST(joinable_discards_on_disconnect_if_told_to),
        TEST(joinable_lease_that_runs_out_gives_back),
        TEST(joinable_with_leases_leaves_to_others_what_they_have_taken),
        TEST(joinable_give_back_with_a_delay_waits),
        TEST(joinable_sends_to_the_dead_letter_queue),
        TEST(dead_letters_go_at_once_when_nobody_waits),
        TEST(many_dead_letters_do_not_go_all_at_once),
        TEST(put_many_of_nothing_waits_for_nobody),
        TEST(joinable_without_a_dead_letter_queue_drops_and_counts),
        TEST(queue_plain_has_no_tickets),
        TEST(lifo_returns_the_last_one_first),
        TEST(priority_returns_the_lowest_first_and_equal_ones_in_order),
        TEST(priority_may_be_a_string_but_kinds_do_not_mix),
        TEST(undelivered_item_keeps_its_priority),
        TEST(delayed_items_come_when_they_are_due),
        TEST(items_expire_wherever_they_are),
        TEST(many_expired_items_leave_no_tombstones),
        TEST(clear_wakes_putters_and_joiners),
        TEST(item_that_is_returned_is_the_next_whatever_the_queue),
        TEST(item_that_is_returned_goes_to_who_waits),
        TEST(queue_over_its_users_bytes_is_a_limit_and_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
