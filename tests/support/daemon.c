/* daemon: starting and ending it; see daemon.h. What is asked of a running one is in observe.c. */
#include "tests/support/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TEST_LIMIT_S = 120 }; /* of one test; above every wait in it */

void directory_make(char out[64])
{
    const char *base = getenv("TMPDIR");
    (void)snprintf(out, 64, "%s/ipcd-test-XXXXXX",
                   base != NULL && strlen(base) < 32 ? base : "/tmp");
    assert_non_null(mkdtemp(out));
    assert_return_code(chmod(out, 0777), errno);
}

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *at)
{
    return remove(path);
}

void directory_remove(const char *path)
{
    (void)nftw(path, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

/* A configuration: the test's own, and where its objects live, if they do in an engine. */
static void write_config(const char *path, const char *own, const char *engine)
{
    static unsigned realms;
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    if (own != NULL) {
        (void)fputs(own, file);
    }
    if (engine != NULL) {
        (void)fprintf(file, "\n[engine]\nurl = %s\nhost = h\nrealm = t%d-%u\n", engine,
                      (int)getpid(), ++realms);
    }
    assert_int_equal(fclose(file), 0);
}

/* The arguments and the environment of one daemon, with the room for the texts in them. */
struct command {
    const char *args[DAEMON_ARGS_MAX + 8];
    const char *env[DAEMON_ARGS_MAX + 8];
    char config[96];
};

static void command_build(struct command *command, const struct daemon_options *options,
                          const struct daemon *daemon)
{
    unsigned count = 0;
    for (unsigned i = 0; i < 4 && options->wrapper[i] != NULL; i++) {
        command->args[count++] = options->wrapper[i];
    }
    command->args[count] = getenv("IPCD_BINARY");
    if (command->args[count++] == NULL) {
        test_fail(HERE, "IPCD_BINARY is not set");
    }
    if (!options->no_socket_arg) {
        command->args[count++] = "--socket";
        command->args[count++] = daemon->socket;
    }
    const char *engine = getenv("IPCD_ENGINE");
    if (options->config != NULL || engine != NULL) {
        (void)snprintf(command->config, sizeof(command->config), "%s/ipcd.conf", daemon->directory);
        write_config(command->config, options->config, engine);
        command->args[count++] = "--config";
        command->args[count++] = command->config;
    }
    for (unsigned i = 0; options->args[i] != NULL; i++) {
        command->args[count++] = options->args[i];
    }
    count = 0;
    command->env[count++] = "PATH=/usr/bin:/bin";
    command->env[count++] = "ASAN_OPTIONS=detect_leaks=1:quarantine_size_mb=1:"
                            "allocator_release_to_os_interval_ms=0:abort_on_error=0";
    command->env[count++] = "UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1";
    for (unsigned i = 0; options->env[i] != NULL; i++) {
        command->env[count++] = options->env[i];
    }
}

static void limit_descriptors(int count)
{
    struct rlimit limit = {.rlim_cur = (rlim_t)count, .rlim_max = (rlim_t)count};
    if (count > 0) {
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

/* Leaves open what is to be passed on, as 3 and so on, and nothing else from there on. */
static void pass_descriptors(const int passed[4])
{
    unsigned count = 0;
    int aside[4];
    for (; count < 4 && passed[count] > 0; count++) {
        aside[count] = fcntl(passed[count], F_DUPFD, 64);
    }
    for (unsigned i = 0; i < count; i++) {
        (void)dup2(aside[i], 3 + (int)i);
    }
    (void)syscall(SYS_close_range, 3U + count, ~0U, 0U);
}

/* The child: becomes the daemon or ends with 127. */
static _Noreturn void run_daemon(const struct daemon *daemon, const struct command *command,
                                 const struct daemon_options *options)
{
    int errors = open(daemon->errors, O_WRONLY | O_CREAT | O_APPEND, 0666);
    int null = open("/dev/null", O_RDONLY);
    if (errors < 0 || null < 0 || dup2(null, 0) < 0 || dup2(errors, 1) < 0 || dup2(errors, 2) < 0) {
        _exit(127);
    }
    pass_descriptors(options->passed);
    /* Opened before the user changes: the folders above it may be closed to others. */
    int program = open(command->args[0], O_PATH | O_CLOEXEC);
    sigset_t none;
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)alarm(0);
    limit_descriptors(options->descriptors);
    if (options->uid != 0 && setresuid(options->uid, options->uid, options->uid) != 0) {
        _exit(127);
    }
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)chdir(daemon->directory);
    (void)execveat(program, "", (char **)(uintptr_t)command->args, (char **)(uintptr_t)command->env,
                   AT_EMPTY_PATH);
    _exit(127);
}

struct daemon *daemon_spawn(const struct daemon_options *options)
{
    struct daemon *daemon = calloc(1, sizeof(*daemon));
    struct command *command = calloc(1, sizeof(*command));
    assert_true(daemon != NULL && command != NULL);
    (void)alarm(TEST_LIMIT_S);
    if (options->directory != NULL) {
        (void)snprintf(daemon->directory, sizeof(daemon->directory), "%s", options->directory);
    } else {
        directory_make(daemon->directory);
        daemon->own_directory = true;
    }
    (void)snprintf(daemon->errors, sizeof(daemon->errors), "%s/errors", daemon->directory);
    if (options->socket != NULL) {
        (void)snprintf(daemon->socket, sizeof(daemon->socket), "%s", options->socket);
    } else {
        (void)snprintf(daemon->socket, sizeof(daemon->socket), "%s/ipcd.sock", daemon->directory);
    }
    command_build(command, options, daemon);
    daemon->pid = fork();
    assert_return_code(daemon->pid, errno);
    if (daemon->pid == 0) {
        run_daemon(daemon, command, options);
    }
    free(command);
    return daemon;
}

/* Waits for the daemon's end for so long; true if it has ended, with *status set. */
static bool await_end(struct daemon *daemon, int limit_ms, int *status)
{
    int pidfd = (int)syscall(SYS_pidfd_open, daemon->pid, 0);
    assert_return_code(pidfd, errno);
    struct pollfd pollfd = {.fd = pidfd, .events = POLLIN};
    int ready = poll(&pollfd, 1, limit_ms);
    (void)close(pidfd);
    if (ready <= 0) {
        return false;
    }
    assert_int_equal(waitpid(daemon->pid, status, 0), daemon->pid);
    daemon->pid = 0;
    return true;
}

static void show_log(const struct daemon *daemon)
{
    char *log = daemon_log(daemon);
    print_error("the daemon's standard error:\n%s\n", log);
    free(log);
}

void daemon_await(struct daemon *daemon)
{
    int64_t deadline = rpc_now() + RPC_LIMIT_MS;
    int status;
    while (rpc_now() < deadline) {
        struct rpc *probe = rpc_open(daemon->socket);
        if (probe != NULL) {
            if (getenv("IPCD_ENGINE") != NULL) { /* which is answered when that can be reached */
                reply_free(rpc_call(probe, "object.describe", "['none']"));
            }
            rpc_close(probe);
            return;
        }
        if (await_end(daemon, 2, &status)) {
            show_log(daemon);
            test_fail(HERE, "the daemon ended at its start with wait status %#x", status);
        }
    }
    show_log(daemon);
    test_fail(HERE, "nobody accepts connections at %s", daemon->socket);
}

struct daemon *daemon_start(const struct daemon_options *options)
{
    struct daemon *daemon = daemon_spawn(options);
    daemon_await(daemon);
    return daemon;
}

int daemon_wait(struct daemon *daemon)
{
    int status = 0;
    if (!await_end(daemon, RPC_LIMIT_MS, &status)) {
        show_log(daemon);
        daemon_kill(daemon, SIGKILL);
        test_fail(HERE, "the daemon does not end");
    }
    return status;
}

void daemon_kill(struct daemon *daemon, int signal)
{
    assert_true(daemon->pid > 0);
    assert_return_code(kill(daemon->pid, signal), errno);
    if (signal == SIGKILL) {
        (void)daemon_wait(daemon);
    }
}

static void close_clients(struct daemon *daemon)
{
    for (unsigned i = 0; i < daemon->client_count; i++) {
        rpc_close(daemon->clients[i]);
    }
    daemon->client_count = 0;
}

void daemon_free(struct daemon *daemon)
{
    close_clients(daemon);
    if (daemon->pid > 0) {
        daemon_kill(daemon, SIGKILL);
    }
    if (daemon->own_directory) {
        directory_remove(daemon->directory);
    }
    (void)alarm(0);
    free(daemon);
}

static bool has_sanitizer_report(const struct daemon *daemon)
{
    char *log = daemon_log(daemon);
    bool found = strstr(log, "runtime error:") != NULL || strstr(log, "Sanitizer") != NULL;
    free(log);
    return found;
}

void daemon_stop(struct daemon *daemon)
{
    close_clients(daemon);
    daemon_kill(daemon, SIGTERM);
    int status = daemon_wait(daemon);
    if (status != 0 || has_sanitizer_report(daemon)) {
        show_log(daemon);
        test_fail(HERE, "SIGTERM: the daemon ended with wait status %#x", status);
    }
    daemon_free(daemon);
}
