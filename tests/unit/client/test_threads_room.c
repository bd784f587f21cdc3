/*
 * A leader in its receive, from which only input wakes it, and other threads whose requests do not
 * fit into the socket.
 */
#include "tests/unit/client/callers.h"

#include <dirent.h>
#include <unistd.h>

enum { LARGE = 700000 };

static void serve_flusher(struct fake *fake)
{
    int64_t first = 0;
    int64_t number = 0;
    fake_greet(fake);
    uint32_t leader = fake_next(fake, &first);
    for (int i = 0; i < 2; i++) {
        /* It comes whole only if its own thread sends the rest: the leader sleeps. */
        uint32_t large = fake_next(fake, &number);
        answer_number(fake, large, number);
    }
    answer_number(fake, leader, first);
    fake_expect_end(fake);
}

static void send_the_rest_beside(struct caller leader)
{
    struct fake_server server;
    struct caller large = {.number = 2, .rounds = 2, .payload = LARGE};
    leader.conn = large.conn = connect_to(&server, serve_flusher, NULL);
    start_caller(&leader);
    await_receiver(leader.conn, false);
    start_caller(&large);
    join_callers(&large, 1);
    join_callers(&leader, 1);
    assert_int_equal(leader.status, 0);
    assert_int_equal(large.status, 0);
    close_and_join(leader.conn, &server);
}

static void thread_sends_the_rest_itself_while_the_leader_receives(void **state)
{
    send_the_rest_beside((struct caller){.number = 1, .rounds = 1});
}

static void thread_sends_the_rest_itself_while_the_leader_waits_for_its_guard_time(void **state)
{
    send_the_rest_beside((struct caller){.number = 1, .rounds = 1, .guard_ms = 3600 * 1000});
}

static void serve_stubborn(struct fake *fake)
{
    char byte;
    int64_t number = 0;
    fake_greet(fake);
    uint32_t leader = fake_next(fake, &number);
    fake_check(read(*(const int *)fake->data, &byte, 1) == 1);
    answer_number(fake, leader, number);
    /* Reads nothing more before it is read itself: more than a socket holds. */
    fake_send(fake, "[2, 'noise', ['0123456789'*200000]]");
    uint32_t large = fake_next(fake, &number);
    answer_number(fake, large, number);
    fake_expect_end(fake);
}

static void thread_that_waits_for_room_reads_when_the_leader_has_left(void **state)
{
    int gate[2];
    struct fake_server server;
    struct caller leader = {.number = 1, .rounds = 1};
    struct caller large = {.number = 2, .rounds = 1, .payload = LARGE};
    assert_int_equal(pipe(gate), 0);
    leader.conn = large.conn = connect_to(&server, serve_stubborn, &gate[0]);
    start_caller(&leader);
    await_receiver(leader.conn, false);
    start_caller(&large);
    await_receiver(leader.conn, true);
    assert_int_equal(write(gate[1], "x", 1), 1);
    join_callers(&leader, 1);
    join_callers(&large, 1);
    assert_int_equal(leader.status, 0);
    assert_int_equal(large.status, 0);
    close_and_join(leader.conn, &server);
    (void)close(gate[0]);
    (void)close(gate[1]);
}

static void serve_between(struct fake *fake)
{
    int64_t number = 0;
    int64_t first = 0;
    int gate = *(const int *)fake->data;
    char byte;
    fake_greet(fake);
    uint32_t leader = fake_next(fake, &first);
    fake_check(read(gate, &byte, 1) == 1);
    /* The second large request sticks in the socket when the first one is answered. */
    uint32_t large = fake_next(fake, &number);
    answer_number(fake, large, number);
    fake_check(read(gate, &byte, 1) == 1);
    large = fake_next(fake, &number);
    answer_number(fake, large, number);
    answer_number(fake, leader, first);
    fake_expect_end(fake);
}

static void thread_whose_call_is_done_leaves_the_rest_to_another(void **state)
{
    int gate[2];
    struct fake_server server;
    struct caller leader = {.number = 1, .rounds = 1};
    struct caller first = {.number = 2, .rounds = 1, .payload = LARGE};
    struct caller second = {.number = 3, .rounds = 1, .payload = LARGE};
    assert_int_equal(pipe(gate), 0);
    struct ipcc *conn = connect_to(&server, serve_between, &gate[0]);
    leader.conn = first.conn = second.conn = conn;
    start_caller(&leader);
    await_receiver(conn, false);
    start_caller(&first);
    await_receiver(conn, true);
    start_caller(&second);
    await_waiters(conn);
    assert_int_equal(write(gate[1], "x", 1), 1);
    join_callers(&first, 1);
    assert_int_equal(write(gate[1], "x", 1), 1);
    join_callers(&second, 1);
    join_callers(&leader, 1);
    assert_int_equal(leader.status | first.status | second.status, 0);
    close_and_join(conn, &server);
    (void)close(gate[0]);
    (void)close(gate[1]);
}

static size_t open_descriptors(void)
{
    size_t count = 0;
    DIR *directory = opendir("/proc/self/fd");
    assert_non_null(directory);
    while (readdir(directory) != NULL) {
        count++;
    }
    (void)closedir(directory);
    return count;
}

static void serve_deaf(struct fake *fake)
{
    char byte;
    fake_greet(fake);
    fake_next(fake, NULL);
    fake_check(read(*(const int *)fake->data, &byte, 1) == 1);
}

static void lose_while_waiting_for_room(void)
{
    int gate[2];
    struct fake_server server;
    struct caller leader = {.number = 1, .rounds = 1};
    struct caller large = {.number = 2, .rounds = 1, .payload = LARGE};
    assert_int_equal(pipe(gate), 0);
    size_t before = open_descriptors();
    leader.conn = large.conn = connect_to(&server, serve_deaf, &gate[0]);
    start_caller(&leader);
    await_receiver(leader.conn, false);
    start_caller(&large);
    await_receiver(leader.conn, true);
    assert_int_equal(write(gate[1], "x", 1), 1);
    join_callers(&leader, 1);
    join_callers(&large, 1);
    assert_int_equal(leader.status, IPCC_ERR_LOST);
    assert_int_equal(large.status, IPCC_ERR_LOST);
    close_and_join(leader.conn, &server);
    assert_int_equal(open_descriptors(), before);
    (void)close(gate[0]);
    (void)close(gate[1]);
}

static void loss_ends_the_wait_for_room_and_all_descriptors_are_closed(void **state)
{
    /* Either of the two threads can be the first to see the loss. */
    for (int i = 0; i < 50; i++) {
        lose_while_waiting_for_room();
    }
}

static void serve_after_the_guard(struct fake *fake)
{
    int64_t numbers[3] = {0};
    uint32_t msgids[3];
    char byte;
    fake_greet(fake);
    msgids[0] = fake_next(fake, &numbers[0]);
    fake_check(read(*(const int *)fake->data, &byte, 1) == 1);
    msgids[1] = fake_next(fake, &numbers[1]);
    msgids[2] = fake_next(fake, &numbers[2]);
    answer_number(fake, msgids[2], numbers[2]);
    answer_number(fake, msgids[0], numbers[0]);
    fake_await_cancels(fake, 1);
    fake_expect_end(fake);
}

static void thread_over_its_guard_time_leaves_the_rest_to_another(void **state)
{
    int gate[2];
    struct fake_server server;
    struct caller leader = {.number = 1, .rounds = 1};
    struct caller large = {.number = 2, .rounds = 1, .payload = LARGE, .guard_ms = 1000};
    struct caller behind = {.number = 3, .rounds = 1};
    assert_int_equal(pipe(gate), 0);
    struct ipcc *conn = connect_to(&server, serve_after_the_guard, &gate[0]);
    leader.conn = large.conn = behind.conn = conn;
    start_caller(&leader);
    await_receiver(conn, false);
    start_caller(&large);
    await_receiver(conn, true);
    start_caller(&behind);
    join_callers(&large, 1);
    assert_int_equal(write(gate[1], "x", 1), 1);
    join_callers(&behind, 1);
    join_callers(&leader, 1);
    assert_int_equal(large.status, IPCC_ERR_NO_ANSWER);
    assert_int_equal(leader.status | behind.status, 0);
    close_and_join(conn, &server);
    (void)close(gate[0]);
    (void)close(gate[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(thread_sends_the_rest_itself_while_the_leader_receives),
        cmocka_unit_test(thread_sends_the_rest_itself_while_the_leader_waits_for_its_guard_time),
        cmocka_unit_test(thread_that_waits_for_room_reads_when_the_leader_has_left),
        cmocka_unit_test(thread_whose_call_is_done_leaves_the_rest_to_another),
        cmocka_unit_test(loss_ends_the_wait_for_room_and_all_descriptors_are_closed),
        cmocka_unit_test(thread_over_its_guard_time_leaves_the_rest_to_another),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
