/* closer: every descriptor is closed, whosever it is, and what waits is counted. What blocks
 * whoever closes it needs a socket: tests/system/test_foreign.c. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <fcntl.h>
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include "daemon/account/closer.h"

static int make(void **state)
{
    struct closer *closer;
    assert_int_equal(closer_new(&closer), 0);
    *state = closer;
    return 0;
}

static int drop(void **state)
{
    closer_free(*state);
    return 0;
}

static void make_pipe(int pair[2])
{
    assert_int_equal(pipe2(pair, O_CLOEXEC), 0);
}

/* The end of the pipe is read when its other end has been closed. */
static void await_end(int reader)
{
    char byte;
    assert_int_equal(read(reader, &byte, 1), 0);
    (void)close(reader);
}

static void await_nothing_waits(struct closer *closer)
{
    while (closer_waiting(closer) > 0) {
        (void)sched_yield();
    }
}

static void without_a_closer_it_is_closed_at_once(void **state)
{
    int pair[2];
    make_pipe(pair);
    closer_close(NULL, 7, pair[1]);
    assert_int_equal(fcntl(pair[1], F_GETFD), -1);
    (void)close(pair[0]);
    assert_int_equal(closer_waiting(NULL), 0);
    assert_int_equal(closer_waiting_of(NULL, 7), 0);
}

static void one_after_the_other_is_closed(void **state)
{
    struct closer *closer = *state;
    for (int i = 0; i < 200; i++) {
        int pair[2];
        make_pipe(pair);
        closer_close(closer, 7, pair[1]);
        await_end(pair[0]);
    }
    await_nothing_waits(closer);
    assert_int_equal(closer_waiting_of(closer, 7), 0);
}

static void all_of_many_users_are_closed(void **state)
{
    enum { USERS = CLOSER_THREADS + 20, EACH = 3, ROUNDS = 5 };
    struct closer *closer = *state;
    for (int round = 0; round < ROUNDS; round++) {
        int pairs[USERS * EACH][2];
        for (int i = 0; i < USERS * EACH; i++) {
            make_pipe(pairs[i]);
        }
        for (int i = 0; i < USERS * EACH; i++) {
            closer_close(closer, (uid_t)(i % USERS) + (uid_t)-USERS / 2, pairs[i][1]);
        }
        for (int i = 0; i < USERS * EACH; i++) {
            await_end(pairs[i][0]);
        }
        await_nothing_waits(closer);
    }
}

static void numbers_may_be_high(void **state)
{
    struct closer *closer = *state;
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    for (int number = 1000; number < 100000; number *= 2) {
        int pair[2];
        make_pipe(pair);
        int high = fcntl(pair[1], F_DUPFD_CLOEXEC, number);
        if (high >= 0) { /* else the system allows no more */
            closer_close(closer, 7, high);
        }
        (void)close(pair[1]);
        await_end(pair[0]);
    }
    await_nothing_waits(closer);
}

static void ends_with_descriptors_waiting(void **state)
{
    for (int i = 0; i < 100; i++) {
        struct closer *closer;
        int readers[20];
        assert_int_equal(closer_new(&closer), 0);
        for (int j = 0; j < 20; j++) {
            int pair[2];
            make_pipe(pair);
            closer_close(closer, (uid_t)j % 3, pair[1]);
            readers[j] = pair[0];
        }
        closer_free(closer);
        for (int j = 0; j < 20; j++) {
            (void)close(readers[j]);
        }
    }
    closer_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_closer_it_is_closed_at_once),
        cmocka_unit_test_setup_teardown(one_after_the_other_is_closed, make, drop),
        cmocka_unit_test_setup_teardown(all_of_many_users_are_closed, make, drop),
        cmocka_unit_test_setup_teardown(numbers_may_be_high, make, drop),
        cmocka_unit_test(ends_with_descriptors_waiting),
    };
    return cmocka_run_group_tests_name("closer", tests, NULL, NULL);
}
