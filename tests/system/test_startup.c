/* How ipcd starts, ends, takes its options and its configuration. */
#include "tests/support/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Runs one that ends by itself; its exit status, with all of its output in *log (free it). */
static int run_to_end(const struct daemon_options *options, char **log)
{
    struct daemon *daemon = daemon_spawn(options);
    int status = daemon_wait(daemon);
    *log = daemon_log(daemon);
    daemon_free(daemon);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

/* It must refuse to start and say so with each of the words. */
static void refuses(const struct daemon_options *options, const char *const words[])
{
    char *log;
    int status = run_to_end(options, &log);
    if (status == 0) {
        test_fail(HERE, "it was meant to fail, but said:\n%s", log);
    }
    for (size_t i = 0; words[i] != NULL; i++) {
        if (strstr(log, words[i]) == NULL) {
            test_fail(HERE, "expected \"%s\" in:\n%s", words[i], log);
        }
    }
    free(log);
}

static void version_and_help_print_and_exit(void **state)
{
    static const char *const options[] = {"--socket", "--socket-mode", "--socket-group",
                                          "--config", "--version",     "--help"};
    char *log;
    assert_int_equal(run_to_end(&(struct daemon_options){.args = {"--version"}}, &log), 0);
    assert_non_null(strstr(log, "ipcd"));
    assert_non_null(strpbrk(log, "0123456789"));
    free(log);
    assert_int_equal(run_to_end(&(struct daemon_options){.args = {"--help"}}, &log), 0);
    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        assert_non_null(strstr(log, options[i]));
    }
    free(log);
}

static void wrong_arguments_are_refused_by_name(void **state)
{
    refuses(&(struct daemon_options){.args = {"--no-such-option"}},
            (const char *[]){"no-such-option", NULL});
    refuses(&(struct daemon_options){.args = {"surplus"}}, (const char *[]){"surplus", NULL});
    refuses(&(struct daemon_options){.args = {"--embedded"}},
            (const char *[]){"--embedded", "no option of the socket", NULL});
    refuses(&(struct daemon_options){.args = {"--embedded"}, .no_socket_arg = true},
            (const char *[]){"--embedded", "must be a Unix-domain socket", NULL});
    refuses(&(struct daemon_options){.args = {"--socket-mode", "rw"}},
            (const char *[]){"rw", NULL});
    refuses(&(struct daemon_options){.args = {"--socket-group", "no-such-group"}},
            (const char *[]){"no-such-group", NULL});
    refuses(&(struct daemon_options){.args = {"--config", "/nowhere/ipcd.conf"}},
            (const char *[]){"/nowhere/ipcd.conf", NULL});
    refuses(&(struct daemon_options){.socket = "/nowhere/ipcd.sock"},
            (const char *[]){"/nowhere/ipcd.sock", NULL});
}

static void socket_has_the_mode_and_group_asked_for(void **state)
{
    struct stat info;
    struct daemon *daemon = daemon_start(
        &(struct daemon_options){.args = {"--socket-mode", "0604", "--socket-group", "daemon"}});
    assert_return_code(stat(daemon->socket, &info), errno);
    assert_int_equal(info.st_mode & 07777, 0604);
    assert_int_equal(info.st_gid, 1);
    daemon_stop(daemon);
}

static void configuration_sets_the_socket_and_arguments_go_before_it(void **state)
{
    char directory[64];
    char config[256];
    char path[96];
    struct stat info;
    directory_make(directory);
    (void)snprintf(path, sizeof(path), "%s/configured.sock", directory);
    (void)snprintf(config, sizeof(config), "[socket]\npath = %s\nmode = 0640\ngroup = daemon\n",
                   path);
    struct daemon *daemon = daemon_start(
        &(struct daemon_options){.config = config, .socket = path, .no_socket_arg = true});
    assert_return_code(stat(path, &info), errno);
    assert_int_equal(info.st_mode & 07777, 0640);
    assert_int_equal(info.st_gid, 1);
    daemon_stop(daemon);
    (void)unlink(path);
    daemon =
        daemon_start(&(struct daemon_options){.config = config, .args = {"--socket-mode", "0600"}});
    assert_return_code(stat(daemon->socket, &info), errno);
    assert_int_equal(info.st_mode & 07777, 0600);
    assert_int_equal(access(path, F_OK), -1);
    daemon_stop(daemon);
    directory_remove(directory);
}

static void socket_argument_goes_before_the_environment(void **state)
{
    char directory[64];
    char path[96];
    char variable[128];
    directory_make(directory);
    (void)snprintf(path, sizeof(path), "%s/env.sock", directory);
    (void)snprintf(variable, sizeof(variable), "IPCD_SOCKET=%s", path);
    struct daemon *daemon = daemon_start(&(struct daemon_options){.env = {variable}});
    assert_int_equal(access(path, F_OK), -1);
    daemon_stop(daemon);
    daemon = daemon_start(
        &(struct daemon_options){.env = {variable}, .socket = path, .no_socket_arg = true});
    daemon_stop(daemon);
    directory_remove(directory);
}

static void daemon_of_a_user_takes_the_runtime_directory(void **state)
{
    enum { USER = 4001 };
    char directory[64];
    char folder[96];
    char path[128];
    char variable[128];
    if (geteuid() != 0) {
        skip();
    }
    directory_make(directory);
    (void)snprintf(folder, sizeof(folder), "%s/ipcd", directory);
    (void)snprintf(path, sizeof(path), "%s/ipcd.sock", folder);
    (void)snprintf(variable, sizeof(variable), "XDG_RUNTIME_DIR=%s", directory);
    assert_return_code(mkdir(folder, 0755), errno);
    assert_return_code(chown(folder, USER, USER), errno);
    struct daemon *daemon = daemon_start(&(struct daemon_options){
        .env = {variable}, .socket = path, .no_socket_arg = true, .uid = USER});
    expect(daemon_client(daemon), "server.ping", "[1]", "1");
    daemon_stop(daemon);
    directory_remove(directory);
}

static void abstract_socket_leaves_no_file(void **state)
{
    char name[64];
    (void)snprintf(name, sizeof(name), "@ipcd-test-%d", (int)getpid());
    struct daemon *daemon = daemon_start(&(struct daemon_options){.socket = name});
    struct rpc *c = daemon_client(daemon);
    expect(c, "server.ping", "['abstract']", "'abstract'");
    refuses(&(struct daemon_options){.socket = name}, (const char *[]){name, NULL});
    expect(c, "server.ping", "[1]", "1");
    daemon_stop(daemon);
    daemon = daemon_start(&(struct daemon_options){.socket = name});
    daemon_stop(daemon);
}

static void stale_socket_of_a_killed_daemon_is_taken_over(void **state)
{
    char directory[64];
    directory_make(directory);
    for (int i = 0; i < 3; i++) {
        struct daemon *daemon = daemon_start(&(struct daemon_options){.directory = directory});
        expect(daemon_client(daemon), "list.open", "['l', {exclusive: true}]", "_map");
        assert_int_equal(access(daemon->socket, F_OK), 0);
        daemon_kill(daemon, SIGKILL);
        daemon_free(daemon);
    }
    directory_remove(directory);
}

static void second_daemon_on_a_live_socket_is_refused(void **state)
{
    struct daemon *daemon = daemon_start(&(struct daemon_options){0});
    struct rpc *c = daemon_client(daemon);
    expect(c, "list.open", "['l']", "_map");
    refuses(&(struct daemon_options){.directory = daemon->directory},
            (const char *[]){"ipcd.sock", NULL});
    expect(c, "list.len", "['l']", "0");
    expect(daemon_client(daemon), "list.len", "['l']", "0");
    daemon_stop(daemon);
}

static void of_many_that_start_at_once_one_remains(void **state)
{
    enum { STARTED = 6 };
    char directory[64];
    struct daemon *daemons[STARTED];
    unsigned alive = 0;
    directory_make(directory);
    for (int i = 0; i < STARTED; i++) {
        daemons[i] = daemon_spawn(&(struct daemon_options){.directory = directory});
    }
    for (unsigned ended = 0; ended < STARTED - 1; ended++) {
        int status;
        pid_t pid = waitpid(-1, &status, 0);
        assert_true(pid > 0);
        assert_int_not_equal(status, 0);
        for (int i = 0; i < STARTED; i++) {
            daemons[i]->pid = daemons[i]->pid == pid ? 0 : daemons[i]->pid;
        }
    }
    for (int i = 0; i < STARTED; i++) {
        if (daemons[i]->pid != 0) {
            alive++;
            daemon_await(daemons[i]);
            expect(daemon_client(daemons[i]), "server.ping", "[1]", "1");
            daemon_stop(daemons[i]);
        } else {
            daemon_free(daemons[i]);
        }
    }
    assert_int_equal(alive, 1);
    directory_remove(directory);
}

/* Removes a file beside the socket: its name is the socket's and `suffix`. */
static void remove_file(const struct daemon *daemon, const char *suffix)
{
    char path[128];
    (void)snprintf(path, sizeof(path), "%s%s", daemon->socket, suffix);
    assert_return_code(unlink(path), errno);
}

static void deleted_socket_is_bound_anew(void **state)
{
    (void)state;
    static const char *const suffixes[][2] = {{""}, {"", ".lock"}, {".lock", ""}, {".lock"}};
    for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
        struct daemon *daemon =
            daemon_start(&(struct daemon_options){.args = {"--socket-mode", "0640"}});
        struct rpc *before = daemon_client(daemon);
        expect(before, "queue.open", "['q']", "_map");
        for (size_t j = 0; j < 2 && suffixes[i][j] != NULL; j++) {
            remove_file(daemon, suffixes[i][j]);
        }
        daemon_expect_log(daemon, "was deleted or replaced while the daemon runs");
        daemon_expect_log(daemon, "is served again");
        struct stat made;
        assert_return_code(stat(daemon->socket, &made), errno);
        assert_int_equal(made.st_mode & 07777, 0640);
        expect(daemon_client(daemon), "queue.put", "['q', 1]", "nil");
        expect(before, "queue.get", "['q']", "[1, nil, 1]");
        refuses(&(struct daemon_options){.directory = daemon->directory},
                (const char *[]){"another ipcd", NULL});
        daemon_stop(daemon);
    }
}

static void displaced_daemon_leaves_the_path_to_its_successor(void **state)
{
    (void)state;
    struct daemon *daemon = daemon_start(&(struct daemon_options){0});
    struct rpc *c = daemon_client(daemon);
    expect(c, "server.ping", "['a']", "'a'");
    int status;
    daemon_kill(daemon, SIGSTOP);
    assert_int_equal(waitpid(daemon->pid, &status, WUNTRACED), daemon->pid);
    remove_file(daemon, "");
    remove_file(daemon, ".lock");
    struct daemon *successor =
        daemon_start(&(struct daemon_options){.directory = daemon->directory});
    daemon_kill(daemon, SIGCONT);
    daemon_expect_log(daemon, "another ipcd");
    daemon_expect_log(daemon, "cannot be had back");
    expect(c, "server.ping", "['b']", "'b'");
    daemon->own_directory = false;
    daemon_stop(daemon);
    expect(daemon_client(successor), "server.ping", "['c']", "'c'");
    refuses(&(struct daemon_options){.directory = successor->directory},
            (const char *[]){"another ipcd", NULL});
    successor->own_directory = true;
    daemon_stop(successor);
}

static void bad_configuration_is_refused_with_its_line(void **state)
{
    static const char *const bad[][2] = {
        {"[limits]\nmax_sessions = 5\nmax_colours = 7\n", "max_colours"},
        {"[limits]\n\nmax_objects = many\n", "max_objects"},
        {"[limits]\n\nmax_message = -1\n", "max_message"},
        {"[socket]\n\nmode = rwx\n", "mode"},
        {"[limits]\nmax_sessions = 5\nnonsense\n", "ipcd.conf"},
        {"[limits]\n\n[nonsense]\nmax_sessions = 5\n", "nonsense"},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        const char *line = strstr(bad[i][0], "[nonsense]") != NULL ? "ipcd.conf" : "3";
        refuses(&(struct daemon_options){.config = bad[i][0]},
                (const char *[]){"ipcd.conf", line, bad[i][1], NULL});
    }
}

static void rewrite_config(const struct daemon *daemon, const char *text)
{
    char path[96];
    (void)snprintf(path, sizeof(path), "%s/ipcd.conf", daemon->directory);
    int fd = open(path, O_WRONLY | O_TRUNC);
    assert_return_code(fd, errno);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    (void)close(fd);
}

/* SIGHUP with a new configuration; what is logged then names one key and not the other. */
static void hang_up(const struct daemon *daemon, const char *config, const char *named,
                    const char *not_named)
{
    assert_int_equal(truncate(daemon->errors, 0), 0);
    rewrite_config(daemon, config);
    assert_return_code(kill(daemon->pid, SIGHUP), errno);
    daemon_expect_log(daemon, named);
    char *log = daemon_log(daemon);
    assert_null(strstr(log, not_named));
    free(log);
}

static void hangup_reads_the_configuration_again_and_says_what_changed(void **state)
{
    struct daemon *daemon = daemon_start(
        &(struct daemon_options){.config = "[limits]\nmax_objects = 1\nmax_waiting = 5\n"});
    struct rpc *c = daemon_client(daemon);
    expect(c, "list.open", "['a']", "_map");
    expect_error(c, "list.open", "['b']", "LIMIT");
    hang_up(daemon, "[limits]\nmax_objects = 2\nmax_waiting = 5\n", "max_objects", "max_waiting");
    expect(c, "list.open", "['b']", "_map");
    expect_error(c, "list.open", "['c']", "LIMIT");
    hang_up(daemon, "[limits]\nmax_objects = 3\nmax_waiting = none\n", "max_waiting",
            "max_objects");
    expect(c, "server.ping", "['still here']", "'still here'");
    expect_error(c, "list.open", "['c']", "LIMIT");
    hang_up(daemon, "[limits]\nmax_objects = 2\nmax_waiting = 5\n[loop]\nspin = 50\n",
            "spin: 0 -> 50", "max_objects");
    expect(c, "server.ping", "['still here']", "'still here'");
    daemon_stop(daemon);
}

static void ends_on(int signal)
{
    struct daemon *daemon = daemon_start(&(struct daemon_options){0});
    struct rpc *c = daemon_client(daemon);
    expect(c, "queue.open", "['q']", "_map");
    expect(c, "dict.open", "['d']", "_map");
    uint32_t get = rpc_send(c, "queue.get", "['q']");
    uint32_t timed = rpc_send(c, "queue.get", "['q', 600000]");
    uint32_t wait = rpc_start(c, "dict.wait", "['d', 'k']");
    daemon_kill(daemon, signal);
    const uint32_t waits[] = {get, timed, wait};
    for (size_t i = 0; i < 3; i++) {
        struct reply *reply = rpc_wait(c, waits[i]);
        if (reply == NULL || reply->error.type != MSGPACK_OBJECT_ARRAY) {
            test_fail(HERE, "signal %d: a waiting call was not answered with an error", signal);
        }
        reply_free(reply);
    }
    expect_closed(c);
    assert_int_equal(daemon_wait(daemon), 0);
    daemon_free(daemon);
}

static void terminate_and_interrupt_answer_waiting_calls_and_exit_0(void **state)
{
    ends_on(SIGTERM);
    ends_on(SIGINT);
}

static void end_with_full_queues_and_slow_readers_is_clean(void **state)
{
    struct daemon *daemon = daemon_start(&(struct daemon_options){0});
    struct rpc *c = daemon_client(daemon);
    expect(c, "queue.open", "['q', {joinable: true}]", "_map");
    expect(c, "queue.put_many", "['q', ['x'*1000]*1000]", "1000");
    expect(c, "queue.get_many", "['q', 3]", "[_, _, _]");
    for (int i = 0; i < 20; i++) {
        (void)rpc_send(c, "queue.peek", "['q', 0, 1000]");
    }
    rpc_write(daemon_client(daemon), "\x94\x00", 2);
    daemon_kill(daemon, SIGTERM);
    assert_int_equal(daemon_wait(daemon), 0);
    daemon_free(daemon);
}

static void log_lines_have_a_priority_prefix(void **state)
{
    struct daemon *daemon =
        daemon_start(&(struct daemon_options){.config = "[limits]\nmax_objects = 1\n"});
    rewrite_config(daemon, "[limits]\nmax_objects = 2\n");
    daemon_kill(daemon, SIGHUP);
    daemon_expect_log(daemon, "max_objects");
    refuses(&(struct daemon_options){.directory = daemon->directory}, (const char *[]){NULL});
    char *log = daemon_log(daemon);
    char *rest = log;
    for (char *line = strsep(&rest, "\n"); line != NULL; line = strsep(&rest, "\n")) {
        if (line[0] != '\0' &&
            !(line[0] == '<' && line[1] >= '0' && line[1] <= '7' && line[2] == '>')) {
            test_fail(HERE, "a line without <priority>: %s", line);
        }
    }
    free(log);
    daemon_stop(daemon);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(version_and_help_print_and_exit),
        cmocka_unit_test(wrong_arguments_are_refused_by_name),
        cmocka_unit_test(socket_has_the_mode_and_group_asked_for),
        cmocka_unit_test(configuration_sets_the_socket_and_arguments_go_before_it),
        cmocka_unit_test(socket_argument_goes_before_the_environment),
        cmocka_unit_test(daemon_of_a_user_takes_the_runtime_directory),
        cmocka_unit_test(abstract_socket_leaves_no_file),
        cmocka_unit_test(stale_socket_of_a_killed_daemon_is_taken_over),
        cmocka_unit_test(second_daemon_on_a_live_socket_is_refused),
        cmocka_unit_test(of_many_that_start_at_once_one_remains),
        cmocka_unit_test(deleted_socket_is_bound_anew),
        cmocka_unit_test(displaced_daemon_leaves_the_path_to_its_successor),
        cmocka_unit_test(bad_configuration_is_refused_with_its_line),
        cmocka_unit_test(hangup_reads_the_configuration_again_and_says_what_changed),
        cmocka_unit_test(terminate_and_interrupt_answer_waiting_calls_and_exit_0),
        cmocka_unit_test(end_with_full_queues_and_slow_readers_is_clean),
        cmocka_unit_test(log_lines_have_a_priority_prefix),
    };
    return cmocka_run_group_tests_name("startup", tests, NULL, NULL);
}
