/* Pipes: who gets which end, when one can be had again, and what the daemon keeps of them. */
#include "tests/support/stage.h"

#include <sys/socket.h>
#include <unistd.h>

static int set_up(void **state)
{
    *state = stage_new();
    return 0;
}

static int tear_down(void **state)
{
    struct stage *stage = *state;
    assert_int_equal(stage->service.accounts.descriptors, 0);
    stage_free(stage);
    return 0;
}

static uint64_t held(struct actor *actor)
{
    return actor->stage->service.accounts.descriptors;
}

/* Runs a pipe.connect that must succeed, and leaves the answer unread. What is returned stands for
 * the descriptor that the peer would get. */
static int ask(struct actor *actor, const char *params)
{
    (void)actor_send(actor, "pipe.connect", params);
    const struct output *output = &actor->session.output;
    assert_int_equal(output->npassing, 1);
    assert_int_equal(output->passing[0].count, 1);
    int fd = dup(output->passing[0].descriptors[0]->fd);
    assert_true(fd >= 0);
    return fd;
}

/* The same, and the answer has left. */
static int take(struct actor *actor, const char *params, const char *answer)
{
    int fd = ask(actor, params);
    check_answer(actor, actor->last_msgid, answer);
    return fd;
}

static void check_passes(int from, int to)
{
    char got[3] = {0};
    assert_int_equal(send(from, "ok", 2, MSG_NOSIGNAL), 2);
    assert_int_equal(recv(to, got, sizeof(got), MSG_DONTWAIT), 2);
    assert_string_equal(got, "ok");
}

static void check_ended(int fd)
{
    char byte;
    assert_int_equal(recv(fd, &byte, 1, MSG_DONTWAIT), 0);
}

static void pipe_open_shows_and_compares_its_options(void **state)
{
    struct actor *a = actor_new(*state, 0);
    check(a, "pipe.open", "['p']",
          "{type: 'pipe', duplex: true, connected: false, ends: ['free', 'free'], ...}");
    check(a, "pipe.open", "['p', {duplex: true}]", "_map");
    check_error(a, "pipe.open", "['p', {duplex: false}]", "MISMATCH");
    check(a, "pipe.open", "['one', {duplex: false}]", "{duplex: false, ...}");
    check_error(a, "pipe.open", "['other', {duplex: 1}]", "BAD_REQUEST");
    actor_leave(a);
}

static void pipe_gives_each_end_once(void **state)
{
    struct actor *a = actor_new(*state, 0);
    struct actor *b = actor_new(*state, 0);
    check(a, "pipe.open", "['p']", "_map");
    int one = take(a, "['p', 1]", "[ext(2, '\\x00'), 1]");
    check(a, "object.describe", "['p']", "{connected: false, ends: ['free', 'taken'], ...}");
    check_error(b, "pipe.connect", "['p', 1]", "EXISTS");
    int zero = take(b, "['p']", "[ext(2, '\\x00'), 0]");
    check(a, "object.describe", "['p']", "{connected: true, ends: ['taken', 'taken'], ...}");
    check_error(a, "pipe.connect", "['p']", "EXISTS");
    check_error(a, "pipe.connect", "['p', 0]", "EXISTS");
    check_passes(zero, one);
    check_passes(one, zero);
    (void)close(zero);
    (void)close(one);
    actor_leave(a);
    actor_leave(b);
}

static void pipe_connect_takes_no_other_number(void **state)
{
    struct actor *a = actor_new(*state, 0);
    check(a, "pipe.open", "['p']", "_map");
    check_error(a, "pipe.connect", "['p', 2]", "BAD_REQUEST");
    check_error(a, "pipe.connect", "['p', -1]", "BAD_REQUEST");
    check_error(a, "pipe.connect", "['p', 4294967296]", "BAD_REQUEST");
    check_error(a, "pipe.connect", "['p', '0']", "BAD_REQUEST");
    check_error(a, "pipe.connect", "['none']", "NOT_FOUND");
    assert_int_equal(held(a), 0);
    actor_leave(a);
}

static void pipe_that_is_not_duplex_goes_from_end_1_to_end_0(void **state)
{
    struct actor *a = actor_new(*state, 0);
    check(a, "pipe.open", "['p', {duplex: false}]", "_map");
    int zero = take(a, "['p', nil]", "[ext(2, '\\x00'), 0]");
    int one = take(a, "['p', nil]", "[ext(2, '\\x00'), 1]");
    check_passes(one, zero);
    assert_int_equal(send(zero, "x", 1, MSG_NOSIGNAL), -1);
    check_ended(one);
    (void)close(zero);
    (void)close(one);
    actor_leave(a);
}

static void pipe_starts_anew_when_both_ends_are_closed(void **state)
{
    struct actor *a = actor_new(*state, 0);
    check(a, "pipe.open", "['p']", "_map");
    int old = take(a, "['p', 0]", "_array");
    int copy = dup(old);
    int other = take(a, "['p', 1]", "_array");
    assert_int_equal(held(a), 0);
    (void)close(old);
    (void)close(other);
    check(a, "object.describe", "['p']", "{connected: false, ends: ['taken', 'closed'], ...}");
    check_error(a, "pipe.connect", "['p']", "EXISTS");
    check_error(a, "pipe.connect", "['p', 1]", "EXISTS");
    (void)close(copy);
    check(a, "object.describe", "['p']", "{connected: false, ends: ['free', 'free'], ...}");
    int one = take(a, "['p', 1]", "[_ext, 1]");
    int zero = take(a, "['p', 0]", "[_ext, 0]");
    check_passes(zero, one);
    (void)close(zero);
    (void)close(one);
    actor_leave(a);
}

static void end_that_was_never_taken_still_gets_what_was_sent(void **state)
{
    struct actor *a = actor_new(*state, 0);
    check(a, "pipe.open", "['p']", "_map");
    int zero = take(a, "['p', 0]", "_array");
    assert_int_equal(send(zero, "ok", 2, MSG_NOSIGNAL), 2);
    (void)close(zero);
    check(a, "object.describe", "['p']", "{ends: ['closed', 'free'], ...}");
    check_error(a, "pipe.connect", "['p', 0]", "EXISTS");
    int one = take(a, "['p']", "[_ext, 1]");
    char got[3] = {0};
    assert_int_equal(recv(one, got, sizeof(got), MSG_DONTWAIT), 2);
    check_ended(one);
    (void)close(one);
    actor_leave(a);
}

static void end_whose_answer_never_left_can_be_taken_again(void **state)
{
    struct actor *a = actor_new(*state, 0);
    struct actor *gone = actor_new(*state, 0);
    check(a, "pipe.open", "['p']", "_map");
    int zero = take(a, "['p', 0]", "_array");
    (void)close(ask(gone, "['p', 1]"));
    check(a, "object.describe", "['p']", "{connected: true, ends: ['taken', 'taken'], ...}");
    check_error(a, "pipe.connect", "['p', 1]", "EXISTS");
    actor_vanish(gone);
    check(a, "object.describe", "['p']", "{connected: false, ends: ['taken', 'free'], ...}");
    int one = take(a, "['p']", "[_ext, 1]");
    check_passes(zero, one);
    (void)close(zero);
    (void)close(one);
    actor_leave(a);
}

static void connect_without_an_answer_takes_nothing(void **state)
{
    struct actor *a = actor_new(*state, 0);
    check(a, "pipe.open", "['p']", "_map");
    actor_notify(a, "pipe.connect", "['p', 0]");
    check(a, "object.describe", "['p']", "{ends: ['free', 'free'], ...}");
    check(a, "object.delete", "['p']", "nil");
    actor_leave(a);
}

static void pipe_that_is_deleted_leaves_alone_what_was_taken(void **state)
{
    struct actor *a = actor_new(*state, 0);
    check(a, "pipe.open", "['p']", "_map");
    int zero = take(a, "['p', 0]", "_array");
    int one = take(a, "['p', 1]", "_array");
    check(a, "pipe.open", "['half']", "_map");
    int half = take(a, "['half', 0]", "_array");
    assert_int_equal(held(a), 1);
    check(a, "object.delete", "['p']", "nil");
    check(a, "object.delete", "['half']", "nil");
    assert_int_equal(held(a), 0);
    check_passes(zero, one);
    check_ended(half);
    (void)close(zero);
    (void)close(one);
    (void)close(half);
    actor_leave(a);
}

static void end_on_its_way_outlives_its_pipe(void **state)
{
    struct actor *a = actor_new(*state, 0);
    struct actor *b = actor_new(*state, 0);
    check(a, "pipe.open", "['p']", "_map");
    int zero = ask(a, "['p', 0]");
    check(b, "object.delete", "['p']", "nil");
    assert_int_equal(held(a), 1);
    check_ended(zero);
    check_answer(a, a->last_msgid, "[ext(2, '\\x00'), 0]");
    assert_int_equal(held(a), 0);
    (void)close(zero);
    actor_leave(a);
    actor_leave(b);
}

static void pipe_ends_that_are_here_count_as_descriptors(void **state)
{
    struct stage *stage = *state;
    struct actor *a = actor_new(stage, 0);
    check(a, "pipe.open", "['p']", "_map");
    stage->service.accounts.limits.max_descriptors = 1;
    check_error(a, "pipe.connect", "['p']", "LIMIT");
    stage->service.accounts.limits.max_descriptors = 0;
    check_error(a, "pipe.connect", "['p']", "LIMIT");
    assert_int_equal(held(a), 0);
    stage->service.accounts.limits.max_descriptors = 2;
    int zero = ask(a, "['p']");
    assert_int_equal(held(a), 2);
    check_answer(a, a->last_msgid, "[_ext, 0]");
    assert_int_equal(held(a), 1);
    int one = take(a, "['p']", "[_ext, 1]");
    assert_int_equal(held(a), 0);
    (void)close(zero);
    (void)close(one);
    actor_leave(a);
}

static void pipe_needs_the_write_bit(void **state)
{
    struct actor *a = actor_new(*state, 1000);
    struct actor *b = actor_new(*state, 2000);
    check(a, "pipe.open", "['p', {mode: 436}]", "_map");
    check_error(b, "pipe.connect", "['p']", "DENIED");
    check(b, "object.describe", "['p']", "{ends: ['free', 'free'], ...}");
    actor_leave(a);
    actor_leave(b);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(pipe_open_shows_and_compares_its_options),
        TEST(pipe_gives_each_end_once),
        TEST(pipe_connect_takes_no_other_number),
        TEST(pipe_that_is_not_duplex_goes_from_end_1_to_end_0),
        TEST(pipe_starts_anew_when_both_ends_are_closed),
        TEST(end_that_was_never_taken_still_gets_what_was_sent),
        TEST(end_whose_answer_never_left_can_be_taken_again),
        TEST(connect_without_an_answer_takes_nothing),
        TEST(pipe_that_is_deleted_leaves_alone_what_was_taken),
        TEST(end_on_its_way_outlives_its_pipe),
        TEST(pipe_ends_that_are_here_count_as_descriptors),
        TEST(pipe_needs_the_write_bit),
    };
    return cmocka_run_group_tests_name("methods of pipe", tests, NULL, NULL);
}
