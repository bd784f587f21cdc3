/* Tests of ipcbench's pinger, against a daemon that answers by a script. */
#include "tools/ipcbench/pinger.h"
#include "tools/ipcbench/cpu.h"

#include "tests/support/fake_server.h"
#include "tests/support/unit.h"

#include <stdio.h>
#include <unistd.h>

static const struct server_plan plan = {.name = "the fake"};

static struct target target_at(const struct fake_server *server)
{
    struct target target = {.plan = plan};
    (void)snprintf(target.server.socket, sizeof(target.server.socket), "%s", server->path);
    return target;
}

static void answer_ping(struct fake *fake)
{
    fake_answer(fake, fake_expect(fake, "server.ping", "[]"), "nil");
}

struct held {
    int told[2]; /* pipes: to the test … */
    int tell[2]; /* … and from it */
    struct fake_server server;
    struct target target;
    struct pinger pinger;
};

/* Answers the first ping, with which the pinger starts; says that the next one has come, and
 * goes on as it is told: answers all, says goodbye, or ends. */
static void hold_a_ping(struct fake *fake)
{
    const struct held *test = fake->data;
    char byte;
    fake_accept(fake);
    answer_ping(fake);
    uint32_t held = fake_expect(fake, "server.ping", "[]");
    fake_check(write(test->told[1], "x", 1) == 1);
    fake_check(read(test->tell[0], &byte, 1) == 1);
    if (byte == 'a') {
        fake_answer(fake, held, "nil");
        while (fake_more(fake)) {
            answer_ping(fake);
        }
    }
    if (byte == 'n') {
        fake_send(fake, "[2, 'goodbye', ['LIMIT', 'too much']]");
    }
}

/* A pinger with a ping under way, which the fake holds back. */
static void begin(struct held *held)
{
    char byte;
    assert_int_equal(pipe(held->told), 0);
    assert_int_equal(pipe(held->tell), 0);
    held->server = fake_server_start(hold_a_ping, held);
    held->target = target_at(&held->server);
    assert_int_equal(pinger_start(&held->pinger, &held->target), 0);
    assert_int_equal(read(held->told[0], &byte, 1), 1);
}

static void go_on(const struct held *held, char how)
{
    assert_int_equal(write(held->tell[1], &how, 1), 1);
}

static void end(struct held *held)
{
    (void)close(held->told[0]);
    (void)close(held->told[1]);
    (void)close(held->tell[0]);
    (void)close(held->tell[1]);
}

/* Returns when so many more pings have become due. */
static void let_become_due(unsigned pings)
{
    uint64_t until = clock_now() + (uint64_t)pings * PING_NANOSECONDS;
    while (clock_now() < until) {
        continue;
    }
}

static void pings_that_could_not_be_sent_count_too(void **state)
{
    struct held held;
    struct pinger_waits waits;
    begin(&held);
    let_become_due(20);
    atomic_store(&held.pinger.end, clock_now());
    go_on(&held, 'a');
    assert_int_equal(pinger_stop(&held.pinger, UINT32_MAX, &waits), 0);
    assert_true(waits.count >= 20);
    assert_true(waits.longest >= 20.0 * PING_NANOSECONDS);
    fake_server_join(&held.server);
    end(&held);
}

static void a_ping_that_is_not_answered_has_waited_until_the_end(void **state)
{
    struct held held;
    struct pinger_waits waits;
    begin(&held);
    let_become_due(3);
    assert_int_equal(pinger_stop(&held.pinger, 0, &waits), 0);
    assert_int_equal(waits.count, 1);
    assert_true(waits.longest >= 3.0 * PING_NANOSECONDS);
    go_on(&held, 'e');
    fake_server_join(&held.server);
    end(&held);
}

static void a_goodbye_or_an_end_of_the_connection_is_a_failure(void **state)
{
    for (const char *how = "ne"; *how != '\0'; how++) {
        struct held held;
        struct pinger_waits waits;
        begin(&held);
        go_on(&held, *how);
        fake_server_join(&held.server);
        assert_int_equal(pinger_stop(&held.pinger, UINT32_MAX, &waits), -1);
        end(&held);
    }
}

static void the_sum_is_of_all_waits_in_any_order(void **state)
{
    uint64_t samples[2000];
    struct pinger_waits waits;
    for (uint64_t i = 0; i < 2000; i++) {
        samples[i] = (i * 7) % 2000 + 1;
    }
    pinger_sum(samples, 2000, &waits);
    assert_true(waits.longest == 2000.0);
    assert_true(waits.p999 == 1998.0);
    assert_int_equal(waits.count, 2000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pings_that_could_not_be_sent_count_too),
        cmocka_unit_test(a_ping_that_is_not_answered_has_waited_until_the_end),
        cmocka_unit_test(a_goodbye_or_an_end_of_the_connection_is_a_failure),
        cmocka_unit_test(the_sum_is_of_all_waits_in_any_order),
    };
    return cmocka_run_group_tests_name("ipcbench pinger", tests, NULL, NULL);
}
