/* Embedded daemons: that one is there when it is wanted, what is said when it cannot be, and who
 * has it. */
#include "tests/system/embedded.h"

/* ---- that it is there ------------------------------------------------------------------------ */

static void use_one(struct home *home)
{
    char name[NAME_SIZE];
    char address[IPCC_ADDRESS_SIZE];
    char expected[160];
    struct stat there;
    struct ipcc *conn;
    struct ipcc_queue *queue;
    enter(home);
    need(ipcc_open(&conn, NULL) == IPCC_ERR_CONNECT); /* not unless asked for */
    need(count_directories(home, name) == 0);
    conn = open_embedded();
    need(ipcc_queue_open(conn, NULL, NULL, &queue) == 0);
    need(ipcc_queue_put(queue, ipcc_int(1), 0, NULL) == 0);
    need(count_directories(home, name) == 1);
    need(stat(name, &there) == 0 && (there.st_mode & 0777) == 0700);
    (void)snprintf(expected, sizeof(expected), "%s/ipcd.sock", name);
    need(stat(expected, &there) == 0 && (there.st_mode & 0777) == 0600);
    need(strcmp(getenv("IPCD_SOCKET"), expected) == 0);
    need(ipcc_address(conn, address, sizeof(address)) == 0 && strcmp(address, expected) == 0);
    need(ipcc_address(conn, address, strlen(expected)) == IPCC_ERR_RANGE);
    need(ipcc_address(conn, NULL, 5) == IPCC_ERR_ARGUMENT);
    need(ipcc_queue_close(queue) == 0 && ipcc_close(conn) == 0);
}

static void one_is_started_if_it_is_asked_for_and_named_in_the_environment(void **state)
{
    run(*state, use_one);
}

/* It goes with those who use it, and is nobody's to be taken over. */
static void upgrade_one(struct home *home)
{
    struct ipcc *conn;
    enter(home);
    conn = open_embedded();
    need(ipcc_call(conn, "server.upgrade", NULL, 0, NULL) == IPCC_ERR_VALUE);
    need(strstr(ipcc_last_message(), "belongs to the program") != NULL);
    need(ipcc_server_ping(conn, ipcc_nil(), NULL) == 0);
    need(ipcc_close(conn) == 0);
}

static void no_other_daemon_takes_over_from_it(void **state)
{
    run(*state, upgrade_one);
}

static void use_by_environment(struct home *home)
{
    struct ipcc *conn;
    enter(home);
    (void)unsetenv("IPCD_PATH");    /* it is beside the library */
    (void)signal(SIGCHLD, SIG_IGN); /* nor does a program that has no zombies mind */
    (void)setenv("IPCD_SOCKET", "embedded", 1);
    need(ipcc_open_async(&conn, NULL) == 0);
    need(ipcc_server_ping(conn, ipcc_nil(), NULL) == 0);
    need(strcmp(getenv("IPCD_SOCKET"), "embedded") != 0);
    need(ipcc_close(conn) == 0);
}

static void environment_alone_can_ask_for_one(void **state)
{
    run(*state, use_by_environment);
}

static void use_usual_daemon(struct home *home)
{
    char name[NAME_SIZE];
    enter(home);
    struct ipcc *conn = open_embedded();
    need(count_directories(home, name) == 0 && getenv("IPCD_SOCKET") == NULL);
    need(ipcc_close(conn) == 0);
}

static void daemon_of_the_user_is_taken_if_it_answers(void **state)
{
    struct home *home = *state;
    char socket[108];
    (void)snprintf(socket, sizeof(socket), "%s/ipcd", home->directory);
    assert_return_code(mkdir(socket, 0700), errno);
    (void)snprintf(socket, sizeof(socket), "%s/ipcd/ipcd.sock", home->directory);
    struct daemon_options options = {
        .no_socket_arg = true, .args = {"--socket", socket}, .socket = socket};
    struct daemon *daemon = daemon_start(&options);
    pid_t pid = start(home, use_usual_daemon);
    int status = -1;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    daemon_stop(daemon);
    run(home, use_one); /* its socket is gone, or stale: nobody answers */
}

static void name_somebody(struct home *home)
{
    char name[NAME_SIZE];
    struct ipcc *conn;
    struct ipcc_options options = {.embedded = true, .path = "/nobody/here"};
    enter(home);
    need(ipcc_open(&conn, &options) == IPCC_ERR_CONNECT);
    options.path = NULL;
    (void)setenv("IPCD_SOCKET", "/nobody/here", 1);
    need(ipcc_open(&conn, &options) == IPCC_ERR_CONNECT);
    need(strstr(ipcc_last_message(), "/nobody/here") != NULL);
    need(ipcc_open_async(&conn, &options) == IPCC_ERR_CONNECT);
    need(count_directories(home, name) == 0);
}

static void whoever_names_a_socket_gets_that_or_nothing(void **state)
{
    run(*state, name_somebody);
}

/* ---- what cannot be started ------------------------------------------------------------------ */

static void need_refusal(const char *program, const char *word, const char *other)
{
    struct ipcc *conn;
    struct ipcc_options options = {.embedded = true};
    (void)setenv("IPCD_PATH", program, 1);
    need(ipcc_open(&conn, &options) == IPCC_ERR_CONNECT);
    need(strstr(ipcc_last_message(), word) != NULL);
    need(strstr(ipcc_last_message(), other) != NULL);
    need(ipcc_open_async(&conn, &options) == IPCC_ERR_CONNECT);
    need(strstr(ipcc_last_message(), word) != NULL && getenv("IPCD_SOCKET") == NULL);
}

static void start_what_is_none(struct home *home)
{
    enter(home);
    need_refusal("/nobody/ipcd", "$IPCD_PATH", "/nobody/ipcd");
    need_refusal(home->directory, "$IPCD_PATH", home->directory);
    need_refusal("/bin/true", "is not ready", "not said why");
    need_refusal(home->text, "program", "no such option");
}

static void what_cannot_be_started_is_said_in_a_sentence(void **state)
{
    make_program(*state, "#!/bin/sh\necho 'no such option' >&2\necho 'see the help' >&2\n");
    run(*state, start_what_is_none);
}

static void start_with_an_error(struct home *home)
{
    struct ipcc *conn;
    enter(home);
    (void)setenv("IPCD_LOG", "/nobody/log", 1);
    need(ipcc_open(&conn, &(struct ipcc_options){.embedded = true}) == IPCC_ERR_CONNECT);
    need(strstr(ipcc_last_message(), "/nobody/log") != NULL);
}

static void daemon_s_own_error_is_what_the_starter_is_told(void **state)
{
    int status;
    struct home *home = *state;
    pid_t pid = start(home, start_with_an_error);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_true(waitpid(-1, &status, 0) > 0); /* the daemon, which has failed */
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
    assert_nothing_is_left(home);
}

static void start_what_hangs(struct home *home)
{
    struct ipcc *conn;
    enter(home);
    (void)setenv("IPCD_PATH", home->text, 1);
    struct ipcc_options options = {.embedded = true, .connect_timeout_ms = 50};
    need(ipcc_open(&conn, &options) == IPCC_ERR_CONNECT);
    need(strstr(ipcc_last_message(), "timed out") != NULL);
}

static void one_that_hangs_at_its_start_is_given_up(void **state)
{
    make_program(*state, "#!/bin/sh\nexec sleep 1000\n");
    run(*state, start_what_hangs);
}

/* ---- who has it ------------------------------------------------------------------------------ */

static void *open_in_thread(void *data)
{
    struct ipcc *conn = open_embedded();
    need(ipcc_close(conn) == 0);
    return data;
}

static void open_in_threads(struct home *home)
{
    char name[NAME_SIZE];
    pthread_t threads[THREADS];
    enter(home);
    for (int i = 0; i < THREADS; i++) {
        need(pthread_create(&threads[i], NULL, open_in_thread, NULL) == 0);
    }
    for (int i = 0; i < THREADS; i++) {
        need(pthread_join(threads[i], NULL) == 0);
    }
    need(count_directories(home, name) == 1);
}

static void threads_that_open_at_the_same_time_have_one_daemon(void **state)
{
    run(*state, open_in_threads);
}

/* A child that was forked while the daemon was being started, or before, opens as well. */
static void fork_while_a_thread_opens(struct home *home)
{
    pthread_t thread;
    enter(home);
    need(pthread_create(&thread, NULL, open_in_thread, NULL) == 0);
    for (int i = 0; i < THREADS; i++) {
        await(start(home, open_and_end));
    }
    need(pthread_join(thread, NULL) == 0);
}

/* The address sanitizer's own allocator has locks that a fork leaves held in the child. */
static void forks_while_one_is_started_find_no_lock_held(void **state)
{
#ifdef __SANITIZE_ADDRESS__
    skip();
#endif
    run(*state, fork_while_a_thread_opens);
}

static void put(void)
{
    struct ipcc *conn = open_embedded();
    struct ipcc_queue *queue;
    need(ipcc_queue_open(conn, "q", &(struct ipcc_queue_options){.open.existing = true}, &queue) ==
         0);
    need(ipcc_queue_put(queue, ipcc_int(1), 0, NULL) == 0);
    need(ipcc_queue_close(queue) == 0 && ipcc_close(conn) == 0);
}

static void put_in_fork(struct home *home)
{
    (void)home;
    put();
}

static void put_in_program(struct home *home)
{
    (void)home;
    execute("put");
}

static void start_children(struct home *home)
{
    char name[NAME_SIZE];
    struct ipcc_queue *queue;
    uint64_t size = 0;
    enter(home);
    struct ipcc *conn = open_embedded();
    need(ipcc_queue_open(conn, "q", NULL, &queue) == 0);
    await(start(home, put_in_fork));
    await(start(home, put_in_program));
    need(ipcc_queue_qsize(queue, &size) == 0 && size == 2);
    need(count_directories(home, name) == 1);
}

static void children_by_fork_and_by_execution_find_it(void **state)
{
    run(*state, start_children);
}

static void lose_daemon(struct home *home)
{
    char name[NAME_SIZE];
    char lost[NAME_SIZE];
    struct ipcc *other;
    struct ipcc_options options = {.embedded = true};
    enter(home);
    struct ipcc *conn = open_embedded();
    need(count_directories(home, lost) == 1);
    need(kill(daemon_pid(home), SIGKILL) == 0);
    need(ipcc_wait_watch_event(conn, IPCC_FOREVER) == IPCC_ERR_LOST);
    need(ipcc_close(conn) == 0);
    pid_t child = fork();
    if (child == 0) {
        _exit(ipcc_open(&other, &options) == IPCC_ERR_CONNECT ? 0 : 1);
    }
    await(child);
    need(ipcc_open(&other, NULL) == IPCC_ERR_CONNECT);
    conn = open_embedded();
    need(strncmp(getenv("IPCD_SOCKET"), lost, strlen(lost)) != 0);
    need(count_directories(home, name) == 2); /* it is not old enough */
    /* The next one finds it old. */
    const struct timespec old[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
    need(utimensat(AT_FDCWD, lost, old, 0) == 0);
    (void)unsetenv("IPCD_SOCKET");
    child = fork();
    if (child == 0) {
        execute("open");
    }
    await(child);
    need(ipcc_close(conn) == 0);
}

static void if_it_is_killed_its_starter_alone_gets_a_new_one(void **state)
{
    char name[NAME_SIZE];
    struct home *home = *state;
    int status = -1;
    pid_t pid = start(home, lose_daemon);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    await_all();
    assert_int_equal(count_directories(home, name), 0);
}

/* What this program is when it is executed by one of the tests. */
static int be_program(const char *what)
{
    if (strcmp(what, "put") == 0) {
        put();
    } else {
        (void)open_embedded();
    }
    return 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        TEST(one_is_started_if_it_is_asked_for_and_named_in_the_environment),
        TEST(no_other_daemon_takes_over_from_it),
        TEST(environment_alone_can_ask_for_one),
        TEST(daemon_of_the_user_is_taken_if_it_answers),
        TEST(whoever_names_a_socket_gets_that_or_nothing),
        TEST(what_cannot_be_started_is_said_in_a_sentence),
        TEST(daemon_s_own_error_is_what_the_starter_is_told),
        TEST(one_that_hangs_at_its_start_is_given_up),
        TEST(threads_that_open_at_the_same_time_have_one_daemon),
        TEST(forks_while_one_is_started_find_no_lock_held),
        TEST(children_by_fork_and_by_execution_find_it),
        TEST(if_it_is_killed_its_starter_alone_gets_a_new_one),
    };
    return argc == 2 ? be_program(argv[1]) : cmocka_run_group_tests(tests, NULL, NULL);
}
