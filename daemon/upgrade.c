/*
 * upgrade: the daemon lets another one take its place; see takeover.h.
 *
 * Tests: tests/system/test_takeover.c, tests/system/test_systemd.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/daemon.h"
#include "daemon/supervisor.h"

enum {
    CHECK_MS = 10000,
    SAID_MAX = 256,
    SIGNAL_TURNS = 2, /* of the loop, in which it handles the signals that it has caught */
};

/* ---- is the program good? -------------------------------------------------------------------- */

/* The arguments of this process, with --check-takeover in front; the caller frees the array. */
static char **check_arguments(const struct options *options, char *version)
{
    size_t count = 0;
    while (options->argv[count] != NULL) {
        count++;
    }
    char **argv = calloc(count + 2, sizeof(char *));
    if (argv != NULL) {
        argv[0] = options->argv[0];
        argv[1] = version;
        memcpy(argv + 2, options->argv + 1, (count - 1) * sizeof(char *));
    }
    return argv;
}

static pid_t spawn(const char *program, char **argv, int output)
{
    posix_spawn_file_actions_t actions;
    pid_t pid = -1;
    (void)posix_spawn_file_actions_init(&actions);
    (void)posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    (void)posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO);
    int error = posix_spawn(&pid, program, &actions, NULL, argv, environ);
    (void)posix_spawn_file_actions_destroy(&actions);
    errno = error;
    return error == 0 ? pid : -1;
}

/* Reads what it says, to its end or until the time is up; only the last bytes of much. */
static bool listen_to(int input, char said[SAID_MAX])
{
    size_t len = 0;
    uint64_t until = net_clock() + CHECK_MS * UINT64_C(1000000);
    for (;;) {
        uint64_t now = net_clock();
        struct pollfd ready = {.fd = input, .events = POLLIN};
        int left = now < until ? (int)((until - now) / 1000000) : 0;
        if (poll(&ready, 1, left) == 0) {
            return false;
        }
        if (len == SAID_MAX - 1) {
            len /= 2;
            memmove(said, said + len, len);
        }
        ssize_t more = read(input, said + len, SAID_MAX - 1 - len);
        if (more <= 0) {
            said[len] = '\0';
            return true;
        }
        len += (size_t)more;
    }
}

/* Its last line, as far as that is text. */
static const char *last_line(char said[SAID_MAX])
{
    size_t len = strlen(said);
    while (len > 0 && said[len - 1] == '\n') {
        said[--len] = '\0';
    }
    for (size_t i = 0; i < len; i++) {
        bool is_text = said[i] >= ' ' && said[i] < 0x7f;
        said[i] = (char)(is_text || said[i] == '\n' ? said[i] : '?');
    }
    char *line = strrchr(said, '\n');
    return line == NULL ? said : line + 1;
}

/* Waits for its end. True if it has said yes. */
static bool ask(const char *program, pid_t pid, int input, char text[UPGRADE_TEXT])
{
    char said[SAID_MAX];
    int status = -1;
    bool in_time = listen_to(input, said);
    if (!in_time) {
        (void)kill(pid, SIGKILL);
    }
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    if (!in_time) {
        (void)snprintf(text, UPGRADE_TEXT,
                       "%s has not said within %d seconds whether it can take over", program,
                       CHECK_MS / 1000);
        return false;
    }
    if (!WIFEXITED(status) || WEXITSTATUS(status) != EXIT_SUCCESS) {
        const char *why = last_line(said);
        (void)snprintf(text, UPGRADE_TEXT, "%s cannot take over: %s", program,
                       why[0] != '\0' ? why : "it has failed and not said why");
        return false;
    }
    return true;
}

/* True if the program can take over from this one; else `text` says why not. */
static bool check(const struct options *options, const char *program, char text[UPGRADE_TEXT])
{
    char version[48];
    int ends[2];
    (void)snprintf(version, sizeof(version), "--check-takeover=%d", STATE_VERSION);
    char **argv = check_arguments(options, version);
    pid_t pid = -1;
    if (argv != NULL && pipe2(ends, O_CLOEXEC) == 0) {
        pid = spawn(program, argv, ends[1]);
        int error = errno;
        (void)close(ends[1]);
        bool good = pid >= 0 && ask(program, pid, ends[0], text);
        (void)close(ends[0]);
        errno = error;
        free(argv);
        if (pid < 0) {
            (void)snprintf(text, UPGRADE_TEXT, "%s cannot be executed: %s", program,
                           strerror(errno));
        }
        return good;
    }
    free(argv);
    (void)snprintf(text, UPGRADE_TEXT, "%s cannot be executed: %s", program, strerror(errno));
    return false;
}

/* ---- writing down ---------------------------------------------------------------------------- */

struct closing {
    struct state_writer *state;
    struct buffer *out;
    size_t count;
};

static void save_closing(void *data, uid_t uid, int fd)
{
    struct closing *closing = data;
    pack_uint(closing->out, uid);
    pack_uint(closing->out, state_add(closing->state, fd));
    closing->count++;
}

static void hand_over_own(struct daemon *daemon, struct state_writer *state)
{
    const struct listener *listener = &daemon->listener;
    struct buffer *out = state_begin(state, STATE_DAEMON);
    pack_uint(out, daemon->net.accepted);
    pack_string(out, store_directory(daemon));
    address_hand_over(&daemon->address, state, out);
    pack_array(out, listener->count);
    for (unsigned i = 0; i < listener->count; i++) {
        pack_uint(out, state_add(state, listener->fds[i]));
    }
    struct closing closing = {.state = state, .out = out};
    size_t at = pack_array_begin(out);
    closer_each(daemon->closer, save_closing, &closing);
    pack_array_end(out, at, closing.count);
    state_end(state);
}

/* Ends what is under way and writes all down. 0, or ERR_MEMORY with a sentence. */
static int write_down(struct daemon *daemon, struct state_writer *state, struct carriers *carriers,
                      char text[UPGRADE_TEXT])
{
    service_come_to_rest(&daemon->service);
    if (durable_finish(&daemon->durable) < 0) {
        (void)snprintf(text, UPGRADE_TEXT, "the durable store has failed");
        return ERR_STORAGE;
    }
    errno = 0;
    int status = state_writer_init(state);
    if (status == 0) {
        hand_over_own(daemon, state);
        net_hand_over(&daemon->net, state);
        status = state_finish(state);
    }
    if (status == 0) {
        status = carriers_fill(carriers, state->fds, state->nfds);
    }
    if (status < 0) {
        (void)snprintf(text, UPGRADE_TEXT, "what the daemon has cannot be written down: %s",
                       errno == 0 ? "out of memory" : strerror(errno));
        state_writer_deinit(state);
    }
    return status;
}

/* ---- in place -------------------------------------------------------------------------------- */

/* The descriptors that the other program is to find, in the environment. */
static int name_descriptors(const struct state_writer *state, const struct carriers *carriers)
{
    char text[(CARRIERS_MAX + 1) * 12];
    size_t len = (size_t)snprintf(text, sizeof(text), "%d", state->fd);
    int status = fcntl(state->fd, F_SETFD, 0);
    for (unsigned i = 0; i < carriers->count && status == 0; i++) {
        len += (size_t)snprintf(text + len, sizeof(text) - len, ",%d", carriers->fds[i]);
        status = fcntl(carriers->fds[i], F_SETFD, 0);
    }
    return status < 0 ? status : setenv("IPCD_TAKEOVER", text, 1);
}

/* Executes the program; returns if that fails. */
static void execute(struct daemon *daemon, const char *program, const struct state_writer *state,
                    const struct carriers *carriers, char text[UPGRADE_TEXT])
{
    if (name_descriptors(state, carriers) == 0) {
        (void)execv(program, daemon->options->argv);
    }
    (void)snprintf(text, UPGRADE_TEXT, "%s cannot be executed: %s", program, strerror(errno));
    (void)unsetenv("IPCD_TAKEOVER");
}

/* Nothing has come of it, and all goes on. */
static void fail(struct daemon *daemon, const char *text)
{
    struct upgrader *upgrader = &daemon->service.upgrader;
    log_line(&daemon->log, LOG_LEVEL_ERROR, "no other daemon takes over: %s", text);
    (void)snprintf(upgrader->failure, sizeof(upgrader->failure), "%s", text);
    daemon->net.now = net_clock();
    daemon->service.now = daemon->net.now;
    service_upgraded(&daemon->service);
    upgrader->failure[0] = '\0';
    net_settle(&daemon->net);
}

static void upgrade(struct daemon *daemon, const char *program)
{
    struct state_writer state;
    struct carriers carriers;
    char text[UPGRADE_TEXT];
    if (write_down(daemon, &state, &carriers, text) == 0) {
        log_line(&daemon->log, LOG_LEVEL_NOTICE, "%s takes over, with %" PRIu64 " sessions",
                 program, daemon->service.accounts.sessions);
        execute(daemon, program, &state, &carriers, text);
        carriers_close(&carriers);
        state_writer_deinit(&state);
    }
    fail(daemon, text);
}

static void upgrade_came(evutil_socket_t fd, short what, void *data)
{
    struct daemon *daemon = data;
    const struct timeval at_once = {0};
    (void)fd;
    (void)what;
    if (daemon->upgrade_turns > 0 && event_add(&daemon->upgrade, &at_once) == 0) {
        daemon->upgrade_turns--;
        return;
    }
    char *program = daemon->upgrade_to;
    daemon->upgrade_to = NULL;
    if (program != NULL && !daemon->net.stopping) {
        upgrade(daemon, program);
    }
    free(program);
    (void)sigprocmask(SIG_SETMASK, &daemon->upgrade_unblocks, NULL);
}

/* It is to be done when the signals that have come so far have been handled; those that come from
 * now on wait for the other program, which knows what to do with them. */
static bool schedule(struct daemon *daemon, const char *program)
{
    const struct timeval at_once = {0};
    char *copy = strdup(program);
    if (copy == NULL || event_add(&daemon->upgrade, &at_once) < 0) {
        free(copy);
        return false;
    }
    if (daemon->upgrade_to == NULL) {
        daemon_block_signals(&daemon->upgrade_unblocks);
    }
    free(daemon->upgrade_to);
    daemon->upgrade_to = copy;
    daemon->upgrade_turns = SIGNAL_TURNS;
    return true;
}

/* Of a struct upgrader. */
static bool begin(void *data, const char *program, char text[UPGRADE_TEXT])
{
    struct daemon *daemon = data;
    program = program != NULL ? program : daemon->options->program;
    if (daemon->options->embedded) {
        (void)snprintf(text, UPGRADE_TEXT,
                       "this daemon belongs to the program that has started it, and ends with it");
        return false;
    }
    if (daemon->net.stopping) {
        (void)snprintf(text, UPGRADE_TEXT, "the daemon is stopping");
        return false;
    }
    if (daemon->service.engine != NULL) {
        (void)snprintf(text, UPGRADE_TEXT,
                       "what the sessions hold in the engine cannot be handed over; restart the "
                       "daemon instead, which gives it back");
        return false;
    }
    if (!check(daemon->options, program, text)) {
        return false;
    }
    if (!schedule(daemon, program)) {
        (void)snprintf(text, UPGRADE_TEXT, "out of memory");
        return false;
    }
    return true;
}

void upgrade_in_place(struct daemon *daemon)
{
    char text[UPGRADE_TEXT];
    if (!begin(daemon, NULL, text)) {
        log_line(&daemon->log, LOG_LEVEL_ERROR, "no other daemon takes over: %s", text);
    }
}

/* ---- by the service manager ------------------------------------------------------------------ */

void upgrade_by_manager(struct daemon *daemon)
{
    struct state_writer state;
    struct carriers carriers;
    char text[UPGRADE_TEXT];
    if (daemon->net.stopping) {
        return;
    }
    if (write_down(daemon, &state, &carriers, text) < 0) {
        fail(daemon, text);
        return;
    }
    if (supervisor_leave(state.fd, carriers.fds, carriers.count) < 0) {
        fail(daemon, "there is no service manager that keeps descriptors");
        carriers_close(&carriers);
        state_writer_deinit(&state);
        return;
    }
    log_line(&daemon->log, LOG_LEVEL_NOTICE,
             "ends, and leaves %" PRIu64 " sessions to the next daemon",
             daemon->service.accounts.sessions);
    _exit(EXIT_SUCCESS); /* all that is there is the next one's: nothing is taken down */
}

/* ---- the daemon ------------------------------------------------------------------------------ */

int upgrade_init(struct daemon *daemon)
{
    daemon->service.upgrader.begin = begin;
    daemon->service.upgrader.data = daemon;
    return event_assign(&daemon->upgrade, daemon->base, -1, 0, upgrade_came, daemon) < 0
               ? ERR_MEMORY
               : 0;
}

void upgrade_deinit(struct daemon *daemon)
{
    if (event_initialized(&daemon->upgrade) != 0) {
        (void)event_del(&daemon->upgrade);
    }
    free(daemon->upgrade_to);
    daemon->upgrade_to = NULL;
}
