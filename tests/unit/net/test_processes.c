/* Whom an embedded daemon is there for: the lifeline, sessions, processes that have had one, and
 * the time for those who are on their way. */
#include "tests/unit/net/wire.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/net/processes.h"

enum { AN_HOUR_MS = 3600 * 1000 };

struct daemon_of_test {
    struct event_base *base;
    struct processes processes;
    int lifeline[2];
    uint64_t sessions;
    unsigned told; /* that nobody is left */
};

static void tell(void *data)
{
    struct daemon_of_test *daemon = data;
    daemon->told++;
}

static void start(struct daemon_of_test *daemon, unsigned grace_ms)
{
    *daemon = (struct daemon_of_test){.base = event_base_new()};
    assert_non_null(daemon->base);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, daemon->lifeline), 0);
    const struct processes_options options = {.lifeline = daemon->lifeline[0],
                                              .grace_ms = grace_ms,
                                              .sessions = &daemon->sessions,
                                              .none_left = tell,
                                              .data = daemon};
    assert_int_equal(processes_init(&daemon->processes, daemon->base, &options), 0);
}

static void finish(struct daemon_of_test *daemon)
{
    processes_deinit(&daemon->processes);
    event_base_free(daemon->base);
    (void)close(daemon->lifeline[0]);
    if (daemon->lifeline[1] >= 0) {
        (void)close(daemon->lifeline[1]);
    }
}

/* What has happened is seen; what may come is not waited for. */
static void look(struct daemon_of_test *daemon)
{
    assert_true(event_base_loop(daemon->base, EVLOOP_NONBLOCK) >= 0);
    assert_true(event_base_loop(daemon->base, EVLOOP_NONBLOCK) >= 0);
}

static void run_until_told(struct daemon_of_test *daemon)
{
    while (daemon->told == 0) {
        assert_int_equal(event_base_loop(daemon->base, EVLOOP_ONCE), 0);
    }
    look(daemon);
    assert_int_equal(daemon->told, 1);
}

static void cut_lifeline(struct daemon_of_test *daemon)
{
    (void)close(daemon->lifeline[1]);
    daemon->lifeline[1] = -1;
}

static bool is_waiting(struct daemon_of_test *daemon)
{
    return event_pending(&daemon->processes.grace, EV_TIMEOUT, NULL) != 0;
}

/* A process that lives until it is ended. */
static pid_t live(void)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* not to outlive a test that fails */
        for (;;) {
            (void)pause();
        }
    }
    return pid;
}

/* It has ended, and is not waited for yet: that is what the daemon sees, too. */
static void end(pid_t pid)
{
    siginfo_t info;
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
}

static void lifeline_alone_keeps_it(void **state)
{
    struct daemon_of_test daemon;
    start(&daemon, 0);
    processes_look(&daemon.processes);
    look(&daemon);
    assert_false(is_waiting(&daemon));
    cut_lifeline(&daemon);
    run_until_told(&daemon);
    finish(&daemon);
}

static void bytes_on_the_lifeline_are_not_its_end(void **state)
{
    struct daemon_of_test daemon;
    start(&daemon, 0);
    assert_int_equal(write(daemon.lifeline[1], "xyz", 3), 3);
    look(&daemon);
    assert_false(is_waiting(&daemon));
    cut_lifeline(&daemon);
    run_until_told(&daemon);
    finish(&daemon);
}

static void session_keeps_it_whoever_has_it(void **state)
{
    struct daemon_of_test daemon;
    start(&daemon, 0);
    daemon.sessions = 1;
    processes_connected(&daemon.processes, 0); /* a process that is not to be seen from here */
    cut_lifeline(&daemon);
    look(&daemon);
    assert_false(is_waiting(&daemon));
    daemon.sessions = 0;
    processes_look(&daemon.processes);
    run_until_told(&daemon);
    finish(&daemon);
}

static void process_keeps_it_after_its_last_connection(void **state)
{
    struct daemon_of_test daemon;
    start(&daemon, 0);
    pid_t first = live();
    pid_t second = live();
    processes_connected(&daemon.processes, first);
    processes_connected(&daemon.processes, first); /* counts once */
    processes_connected(&daemon.processes, second);
    cut_lifeline(&daemon);
    processes_look(&daemon.processes);
    look(&daemon);
    assert_int_equal(daemon.processes.count, 2);
    end(first);
    look(&daemon);
    assert_int_equal(daemon.told, 0);
    end(second);
    run_until_told(&daemon);
    assert_int_equal(daemon.processes.count, 0);
    assert_int_equal(waitpid(first, NULL, 0), first);
    assert_int_equal(waitpid(second, NULL, 0), second);
    finish(&daemon);
}

static void whoever_connects_in_time_makes_it_stay(void **state)
{
    struct daemon_of_test daemon;
    start(&daemon, AN_HOUR_MS);
    cut_lifeline(&daemon);
    look(&daemon);
    assert_true(is_waiting(&daemon));
    daemon.sessions = 1;
    processes_connected(&daemon.processes, getpid());
    assert_false(is_waiting(&daemon));
    daemon.sessions = 0;
    processes_look(&daemon.processes);
    assert_false(is_waiting(&daemon)); /* this process lives */
    assert_int_equal(daemon.told, 0);
    finish(&daemon);
}

static void processes_that_are_left_at_the_end_are_forgotten(void **state)
{
    struct daemon_of_test daemon;
    struct processes none = {0};
    start(&daemon, AN_HOUR_MS);
    processes_connected(&daemon.processes, getpid());
    processes_connected(&daemon.processes, getppid());
    finish(&daemon);
    processes_deinit(&none);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lifeline_alone_keeps_it),
        cmocka_unit_test(bytes_on_the_lifeline_are_not_its_end),
        cmocka_unit_test(session_keeps_it_whoever_has_it),
        cmocka_unit_test(process_keeps_it_after_its_last_connection),
        cmocka_unit_test(whoever_connects_in_time_makes_it_stay),
        cmocka_unit_test(processes_that_are_left_at_the_end_are_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
