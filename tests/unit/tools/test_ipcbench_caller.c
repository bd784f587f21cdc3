/* Tests of ipcbench's caller, against a daemon that answers by a script. */
#include "tools/ipcbench/caller.h"

#include "tests/support/fake_server.h"
#include "tests/support/unit.h"

#include <stdio.h>

static const struct server_plan plan = {.name = "the fake"};

static struct target target_at(const struct fake_server *server)
{
    struct target target = {.plan = plan};
    (void)snprintf(target.server.socket, sizeof(target.server.socket), "%s", server->path);
    return target;
}

/* Starts the script, and opens a caller to it. */
static void begin(struct fake_server *server, fake_script *script, struct target *target,
                  struct caller *caller)
{
    *server = fake_server_start(script, NULL);
    *target = target_at(server);
    assert_int_equal(caller_open(caller, target, UINT64_MAX), 0);
}

/* One request, or more, of a method without params. */
static int exchange(struct caller *caller, const char *method, unsigned count, const char *error)
{
    struct buffer bytes = {0};
    for (unsigned i = 1; i <= count; i++) {
        message_request(&bytes, i, slice_of_string(method), 0);
    }
    int status = caller_exchange(caller, buffer_slice(&bytes), count, error);
    buffer_deinit(&bytes);
    return status;
}

static void answer_numbers(struct fake *fake)
{
    fake_greet(fake);
    fake_answer(fake, fake_expect(fake, "some.call", "[]"), "{other: 'x', wanted: 4321}");
    fake_answer(fake, fake_expect(fake, "some.call", "[]"), "12");
    fake_answer(fake, fake_expect(fake, "some.call", "[]"), "-1");
    fake_expect_end(fake);
}

static void a_number_is_found_in_the_last_response(void **state)
{
    struct fake_server server;
    struct target target;
    struct caller caller;
    uint64_t number = 0;
    begin(&server, answer_numbers, &target, &caller);
    assert_int_equal(caller.session, 7);
    assert_int_equal(exchange(&caller, "some.call", 1, NULL), 0);
    assert_int_equal(caller_number(&caller, "wanted", &number), 0);
    assert_int_equal(number, 4321);
    assert_int_equal(caller_number(&caller, "missing", &number), -1);
    assert_int_equal(caller_number(&caller, "other", &number), -1);
    assert_int_equal(exchange(&caller, "some.call", 1, NULL), 0);
    assert_int_equal(caller_number(&caller, NULL, &number), 0);
    assert_int_equal(number, 12);
    assert_int_equal(exchange(&caller, "some.call", 1, NULL), 0);
    assert_int_equal(caller_number(&caller, NULL, &number), -1);
    caller_close(&caller);
    fake_server_join(&server);
}

static void refuse_three(struct fake *fake)
{
    fake_greet(fake);
    for (int i = 0; i < 3; i++) {
        fake_refuse(fake, fake_expect(fake, "some.call", "[]"), "VALUE", "it is not there");
    }
    fake_expect_end(fake);
}

static void only_the_expected_error_is_taken_for_a_response(void **state)
{
    struct fake_server server;
    struct target target;
    struct caller caller;
    begin(&server, refuse_three, &target, &caller);
    assert_int_equal(exchange(&caller, "some.call", 1, "VALUE"), 0);
    assert_true(slice_equal(caller.error, slice_of_string("VALUE")));
    assert_int_equal(exchange(&caller, "some.call", 1, "KEY"), -1);
    assert_int_equal(exchange(&caller, "some.call", 1, NULL), -1);
    caller_close(&caller);
    fake_server_join(&server);
}

enum { LONG = 300000 }; /* bytes: more than a caller has room for at first */

static void answer_at_length(struct fake *fake)
{
    static char text[LONG + 3];
    memset(text, 'x', sizeof(text) - 1);
    text[0] = text[LONG + 1] = '\'';
    fake_greet(fake);
    uint32_t first = fake_expect(fake, "some.call", "[]");
    uint32_t second = fake_expect(fake, "some.call", "[]");
    fake_send(fake, "[2, 'object.event', ['~', 'set', {}]]");
    fake_answer(fake, second, text);
    fake_answer(fake, first, "5");
    fake_expect_end(fake);
}

static void long_responses_count_once_and_notifications_not_at_all(void **state)
{
    struct fake_server server;
    struct target target;
    struct caller caller;
    uint64_t number = 0;
    begin(&server, answer_at_length, &target, &caller);
    assert_int_equal(exchange(&caller, "some.call", 2, NULL), 0);
    assert_int_equal(caller_number(&caller, NULL, &number), 0);
    assert_int_equal(number, 5);
    caller_close(&caller);
    fake_server_join(&server);
}

static void say_goodbye(struct fake *fake)
{
    fake_greet(fake);
    (void)fake_expect(fake, "some.call", "[]");
    fake_send(fake, "[2, 'goodbye', ['LIMIT', 'too much']]");
    fake_expect_end(fake);
}

static void a_goodbye_is_an_error(void **state)
{
    struct fake_server server;
    struct target target;
    struct caller caller;
    begin(&server, say_goodbye, &target, &caller);
    assert_int_equal(exchange(&caller, "some.call", 1, "LIMIT"), -1);
    caller_close(&caller);
    fake_server_join(&server);
}

static void send_nonsense(struct fake *fake)
{
    fake_greet(fake);
    (void)fake_expect(fake, "some.call", "[]");
    fake_send_bytes(fake, "\xc1", 1);
    (void)fake_expect(fake, "some.call", "[]");
    fake_close(fake);
}

static void nonsense_and_the_end_of_the_connection_are_errors(void **state)
{
    struct fake_server server;
    struct target target;
    struct caller caller;
    begin(&server, send_nonsense, &target, &caller);
    assert_int_equal(exchange(&caller, "some.call", 1, NULL), -1);
    caller.used = caller.have; /* without the nonsense */
    assert_int_equal(exchange(&caller, "some.call", 1, NULL), -1);
    caller_close(&caller);
    fake_server_join(&server);
}

static void answer_nothing(struct fake *fake)
{
    fake_greet(fake);
    (void)fake_more(fake);
}

static void a_caller_gives_up_at_its_deadline(void **state)
{
    struct fake_server server;
    struct target target;
    struct caller caller;
    begin(&server, answer_nothing, &target, &caller);
    caller.deadline = 0;
    assert_int_equal(exchange(&caller, "some.call", 1, NULL), CALLER_GIVEN_UP);
    caller_close(&caller);
    fake_server_join(&server);
}

static void let_a_session_go(struct fake *fake)
{
    fake_greet(fake);
    fake_answer(fake, fake_expect(fake, "session.describe", "[9]"), "{session: 9}");
    fake_refuse(fake, fake_expect(fake, "session.describe", "[9]"), "NOT_FOUND", "it is gone");
    fake_expect_end(fake);
}

static void a_session_is_asked_for_until_it_is_gone(void **state)
{
    struct fake_server server;
    struct target target;
    struct caller caller;
    begin(&server, let_a_session_go, &target, &caller);
    assert_int_equal(caller_wait_gone(&caller, 9), 0);
    caller_close(&caller);
    fake_server_join(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_number_is_found_in_the_last_response),
        cmocka_unit_test(only_the_expected_error_is_taken_for_a_response),
        cmocka_unit_test(long_responses_count_once_and_notifications_not_at_all),
        cmocka_unit_test(a_goodbye_is_an_error),
        cmocka_unit_test(nonsense_and_the_end_of_the_connection_are_errors),
        cmocka_unit_test(a_caller_gives_up_at_its_deadline),
        cmocka_unit_test(a_session_is_asked_for_until_it_is_gone),
    };
    return cmocka_run_group_tests_name("ipcbench caller", tests, NULL, NULL);
}
