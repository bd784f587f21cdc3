/* Embedded daemons: that they take nothing of their starter's along, and that nothing is left of
 * them when nobody uses them any more, whatever became of their users. */
#include "tests/system/embedded.h"

/* ---- what it does not take along ------------------------------------------------------------- */

/* The value of a line of /proc/PID/status, in hexadecimal. */
static unsigned long long status_bits(pid_t pid, const char *key)
{
    char path[32];
    char line[256];
    unsigned long long bits = ~0ULL;
    (void)snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
    FILE *file = fopen(path, "re");
    need(file != NULL);
    while (fgets(line, sizeof(line), file) != NULL) {
        if (strncmp(line, key, strlen(key)) == 0) {
            bits = strtoull(line + strlen(key), NULL, 16);
        }
    }
    (void)fclose(file);
    return bits;
}

static void need_clean_environment(pid_t pid)
{
    char path[32];
    char text[4096];
    (void)snprintf(path, sizeof(path), "/proc/%d/environ", (int)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = read(fd, text, sizeof(text) - 1);
    need(length > 0);
    (void)close(fd);
    need(memmem(text, (size_t)length, "XDG_RUNTIME_DIR=", 16) != NULL);
    need(memmem(text, (size_t)length, "NOTIFY_SOCKET=", 14) == NULL);
}

static void look_at_daemon(struct home *home)
{
    char path[32];
    char directory[64] = "";
    sigset_t all;
    enter(home);
    (void)sigfillset(&all);
    (void)sigprocmask(SIG_SETMASK, &all, NULL);
    (void)signal(SIGUSR1, SIG_IGN);
    (void)signal(SIGTERM, SIG_IGN);
    (void)setenv("NOTIFY_SOCKET", "/nobody/here", 1);
    (void)close(STDIN_FILENO);
    (void)close(STDOUT_FILENO); /* their numbers are free for whoever opens something */
    struct ipcc *conn = open_embedded();
    pid_t pid = daemon_pid(home);
    need(status_bits(pid, "SigBlk:") == 0);
    /* But SIGPIPE, which is its own doing; above these are the C library's. */
    need((status_bits(pid, "SigIgn:") & INT32_MAX) == 1U << (SIGPIPE - 1));
    need(getsid(pid) != getsid(0) && getpgid(pid) != getpgid(0) && getsid(pid) != pid);
    (void)snprintf(path, sizeof(path), "/proc/%d/cwd", (int)pid);
    need(readlink(path, directory, sizeof(directory) - 1) > 0 && strcmp(directory, "/") == 0);
    need_clean_environment(pid);
    /* And it is no child that somebody would have to wait for. */
    need(waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD);
    need(ipcc_close(conn) == 0);
}

static void signals_session_directory_and_environment_are_its_own(void **state)
{
    run(*state, look_at_daemon);
}

/* Holds a connection until the daemon ends, and nothing that it has inherited. */
static void keep_connected(struct home *home)
{
    struct ipcc *conn = open_embedded();
    (void)close(home->gate[1]);
    (void)close(STDOUT_FILENO);
    need(ipcc_wait_watch_event(conn, IPCC_FOREVER) < 0);
}

static void leave_a_user_behind(struct home *home)
{
    enter(home);
    need(dup2(home->gate[1], STDOUT_FILENO) == STDOUT_FILENO);
    (void)open_embedded();
    (void)start(home, keep_connected);
}

static void who_reads_the_starter_s_output_gets_its_end(void **state)
{
    char byte;
    int status = -1;
    struct home *home = *state;
    pid_t starter = start(home, leave_a_user_behind);
    (void)close(home->gate[1]);
    home->gate[1] = -1;
    assert_int_equal(read(home->gate[0], &byte, 1), 0);
    assert_int_equal(waitpid(starter, &status, 0), starter);
    assert_int_equal(status, 0);
    pid_t daemon = daemon_pid(home);
    assert_true(daemon > 0);
    assert_return_code(kill(daemon, SIGTERM), errno); /* it lives, as it has a user */
    assert_nothing_is_left(home);
}

static void log_to_file(struct home *home)
{
    enter(home);
    (void)setenv("IPCD_LOG", "log", 1); /* from where the starter is */
    need(chdir(home->directory) == 0);
    (void)open_embedded();
}

static void log_goes_to_the_file_that_is_named(void **state)
{
    char text[1024] = "";
    struct home *home = *state;
    run(home, log_to_file);
    (void)snprintf(home->text, sizeof(home->text), "%s/log", home->directory);
    int fd = open(home->text, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0 && read(fd, text, sizeof(text) - 1) > 0);
    (void)close(fd);
    assert_non_null(strstr(text, "stopping on signal TERM"));
}

/* ---- its end --------------------------------------------------------------------------------- */

static void use_and_end(struct home *home)
{
    enter(home);
    await(start(home, open_and_end));
    struct ipcc *conn = open_embedded();
    await(start(home, open_in_program));
    need(ipcc_close(conn) == 0);
}

static void it_ends_when_its_users_have_ended(void **state)
{
    struct home *home = *state;
    (void)start(home, use_and_end);
    assert_nothing_is_left(home);
}

static void be_a_tree(struct home *home)
{
    enter(home);
    need(setpgid(0, 0) == 0);
    (void)open_embedded();
    for (int i = 0; i < 3; i++) {
        if (fork() == 0) {
            if (i == 0) {
                execute("stay");
            } else if (i == 1) {
                (void)open_embedded();
            }
            need(write(home->gate[1], "x", 1) == 1);
            wait_to_be_killed();
        }
    }
    wait_to_be_killed();
}

static void nothing_is_left_of_a_tree_that_was_killed(void **state)
{
    char byte;
    struct home *home = *state;
    (void)dup2(home->gate[1], GATE);
    pid_t tree = start(home, be_a_tree);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(read(home->gate[0], &byte, 1), 1);
    }
    (void)close(GATE);
    assert_return_code(kill(-tree, SIGKILL), errno);
    assert_nothing_is_left(home);
}

static void open_and_be_killed(struct home *home)
{
    struct ipcc *conn;
    enter(home);
    (void)setenv("IPCD_PATH", home->text, 1);
    (void)ipcc_open(&conn, &(struct ipcc_options){.embedded = true});
    wait_to_be_killed();
}

/* The program that it starts kills the starter first, and then is ipcd. */
static void nothing_is_left_of_one_whose_starter_was_killed_before_it_was_ready(void **state)
{
    char text[512];
    struct home *home = *state;
    (void)snprintf(text, sizeof(text), "#!/bin/sh\nkill -KILL $PPID\nexec '%s' \"$@\"\n",
                   getenv("IPCD_BINARY"));
    make_program(home, text);
    (void)start(home, open_and_be_killed);
    assert_nothing_is_left(home);
}

static void die_when_it_is_ready(struct home *home)
{
    enter(home);
    (void)open_embedded();
    (void)kill(getpid(), SIGKILL);
}

static void nothing_is_left_of_one_whose_starter_was_killed_when_it_was_ready(void **state)
{
    struct home *home = *state;
    (void)start(home, die_when_it_is_ready);
    assert_nothing_is_left(home);
}

/* What this program is when it is executed by one of the tests. */
static int be_program(const char *what)
{
    (void)open_embedded();
    if (strcmp(what, "stay") == 0) {
        need(write(GATE, "x", 1) == 1);
        wait_to_be_killed();
    }
    return 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        TEST(signals_session_directory_and_environment_are_its_own),
        TEST(who_reads_the_starter_s_output_gets_its_end),
        TEST(log_goes_to_the_file_that_is_named),
        TEST(it_ends_when_its_users_have_ended),
        TEST(nothing_is_left_of_a_tree_that_was_killed),
        TEST(nothing_is_left_of_one_whose_starter_was_killed_before_it_was_ready),
        TEST(nothing_is_left_of_one_whose_starter_was_killed_when_it_was_ready),
    };
    return argc == 2 ? be_program(argv[1]) : cmocka_run_group_tests(tests, NULL, NULL);
}
