/*
 * embedded: see embedded.h.
 *
 * Besides the count of forks (fork.c) this is all that the library keeps for the process as a
 * whole.
 *
 * Tests: tests/system/test_embedded.c.
 */
#include "client/embedded.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/clock.h"
#include "client/embedded_find.h"
#include "client/error.h"
#include "client/fork.h"

static const char variable[] = "IPCD_SOCKET";
static const char word[] = "embedded"; /* as its value: the option, from without */

/* The daemon of this process. The lock is held while one is being started. */
static struct {
    pthread_mutex_t lock;
    struct fork_watch watch;
    int watch_status;
    pid_t starter;           /* the process that has started it; 0: there is none */
    char path[ADDRESS_TEXT]; /* its socket */
} own = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* ---- whether --------------------------------------------------------------------------------- */

static void keep_in_child(struct fork_watch *watch)
{
    (void)watch;
}

static void watch_once(void)
{
    own.watch = (struct fork_watch){.lock = &own.lock, .in_child = keep_in_child};
    own.watch_status = fork_watch(&own.watch);
}

/* Takes the lock, which is known to fork from before the first time on. NO_MEMORY, and it is not
 * taken. */
static int lock_own(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, watch_once);
    if (own.watch_status < 0) {
        return error_set(own.watch_status, "no memory to be told of forks");
    }
    (void)pthread_mutex_lock(&own.lock);
    return 0;
}

/* True if the path is that of a daemon which this very process has started. */
static bool is_own(const char *path)
{
    if (lock_own() < 0) {
        return false;
    }
    bool same = own.starter == getpid() && strcmp(path, own.path) == 0;
    (void)pthread_mutex_unlock(&own.lock);
    return same;
}

bool embedded_allowed(const char *path, bool option)
{
    if (path != NULL) {
        return false;
    }
    const char *named = secure_getenv(variable);
    if (named == NULL || named[0] == '\0') {
        return option;
    }
    return strcmp(named, word) == 0 || (option && is_own(named));
}

/* True if the daemon that was started answers. Its socket says so better than the lifeline, which
 * the program may have closed with all other descriptors. */
static bool is_running(struct address *address)
{
    if (own.starter == 0 || address_find(address, own.path) < 0) {
        return false;
    }
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool running =
        fd >= 0 && (connect(fd, (const struct sockaddr *)&address->socket, address->length) == 0 ||
                    errno == EAGAIN);
    if (fd >= 0) {
        (void)close(fd);
    }
    return running;
}

/* ---- starting -------------------------------------------------------------------------------- */

enum { FIRST_FREE = STDERR_FILENO + 1, VARIABLES = 4, SAYS_SIZE = 4096 };

/* What is being started. */
struct start {
    char *program;                    /* owned */
    char *environment[VARIABLES + 1]; /* owned */
    int lifeline;                     /* this process's end; owned */
    int other;                        /* the daemon's end; owned */
    pid_t pid;                        /* of the process that leaves the daemon behind and ends */
    size_t length;
    char says[SAYS_SIZE]; /* what the daemon has said: its log, and then that it is ready */
};

static void start_clear(struct start *start)
{
    free(start->program);
    for (size_t i = 0; i < VARIABLES; i++) {
        free(start->environment[i]);
    }
    if (start->lifeline >= 0) {
        (void)close(start->lifeline);
    }
    if (start->other >= 0) {
        (void)close(start->other);
    }
}

/* Only what the daemon has a use for. The rest, the sockets of a service manager, say, is meant for
 * this program. */
static int take_environment(struct start *start)
{
    static const char *const names[VARIABLES] = {"XDG_RUNTIME_DIR", "TMPDIR", "IPCD_LOG",
                                                 "LD_LIBRARY_PATH"};
    size_t count = 0;
    for (size_t i = 0; i < VARIABLES; i++) {
        const char *value = secure_getenv(names[i]);
        if (value == NULL) {
            continue;
        }
        if (asprintf(&start->environment[count], "%s=%s", names[i], value) < 0) {
            start->environment[count] = NULL;
            return error_set(IPCC_ERR_NO_MEMORY, "no memory to start a daemon");
        }
        count++;
    }
    return 0;
}

/* Makes the lifeline, above the standard descriptors, which this program may have closed. */
static int make_lifeline(struct start *start)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0) {
        return error_set(IPCC_ERR_SYSTEM, "no socket for a daemon to be started: %s",
                         strerror(errno));
    }
    start->lifeline = fcntl(ends[0], F_DUPFD_CLOEXEC, FIRST_FREE);
    start->other = fcntl(ends[1], F_DUPFD_CLOEXEC, FIRST_FREE);
    int error = errno;
    (void)close(ends[0]);
    (void)close(ends[1]);
    return start->lifeline >= 0 && start->other >= 0
               ? 0
               : error_set(IPCC_ERR_SYSTEM, "no descriptors for a daemon to be started: %s",
                           strerror(error));
}

/* Its standard error is the lifeline; it has no signal blocked or ignored, and no terminal, so that
 * none that is meant for this program reaches it. An errno. */
static int spawn(struct start *start)
{
    char *const arguments[] = {(char *)(uintptr_t) "ipcd", (char *)(uintptr_t) "--embedded", NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none;
    sigset_t all;
    (void)sigemptyset(&none);
    (void)sigfillset(&all);
    if (posix_spawn_file_actions_init(&actions) != 0) {
        return ENOMEM;
    }
    if (posix_spawnattr_init(&attributes) != 0) {
        (void)posix_spawn_file_actions_destroy(&actions);
        return ENOMEM;
    }
    (void)posix_spawnattr_setsigmask(&attributes, &none);
    (void)posix_spawnattr_setsigdefault(&attributes, &all);
    int error = posix_spawnattr_setflags(
        &attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID);
    for (int fd = STDIN_FILENO; fd <= STDOUT_FILENO && error == 0; fd++) {
        error = posix_spawn_file_actions_addopen(&actions, fd, "/dev/null", O_RDWR, 0);
    }
    if (error == 0) {
        error = posix_spawn_file_actions_adddup2(&actions, start->other, STDERR_FILENO);
    }
    if (error == 0) {
        error = posix_spawn(&start->pid, start->program, &actions, &attributes, arguments,
                            start->environment);
    }
    (void)posix_spawnattr_destroy(&attributes);
    (void)posix_spawn_file_actions_destroy(&actions);
    return error;
}

/* Takes what comes until the deadline. 0 at the end of it, -1 if there may be more, or an errno. */
static int hear(struct start *start, int64_t deadline)
{
    struct pollfd readable = {.fd = start->lifeline, .events = POLLIN};
    int count = poll(&readable, 1, clock_timeout(deadline));
    if (count == 0) {
        return ETIMEDOUT;
    }
    if (count < 0) {
        return errno == EINTR ? -1 : errno;
    }
    ssize_t got = recv(start->lifeline, start->says + start->length,
                       sizeof(start->says) - 1 - start->length, MSG_DONTWAIT);
    if (got < 0) {
        return errno == EINTR || errno == EAGAIN ? -1 : errno;
    }
    start->length += (size_t)got;
    start->says[start->length] = '\0';
    return got == 0 ? 0 : -1;
}

/* The path behind the "ready" of a line that is whole, as a string of its own, or NULL. */
static const char *ready_path(struct start *start)
{
    static const char ready[] = "ready ";
    char *line = start->says;
    for (char *end = strchr(line, '\n'); end != NULL; end = strchr(line, '\n')) {
        if (strncmp(line, ready, sizeof(ready) - 1) == 0) {
            *end = '\0';
            return line + sizeof(ready) - 1;
        }
        line = end + 1;
    }
    return NULL;
}

/* The daemon has ended without being ready: its log says why, in the first line that is an error,
 * or else in its first line. */
static int not_ready(struct start *start, int error)
{
    static const char is_error[] = "<3>";
    const char *reason = strstr(start->says, is_error);
    reason = reason != NULL ? reason + sizeof(is_error) - 1 : start->says;
    if (start->says[0] == '\0') {
        reason = error != 0 ? strerror(error) : "it has ended and not said why";
    }
    return error_set(IPCC_ERR_CONNECT,
                     "no daemon answers, and the one that was started, %.120s, is not ready: %.*s",
                     start->program, (int)strcspn(reason, "\n"), reason);
}

static int await_ready(struct start *start, int64_t deadline)
{
    const char *path = NULL;
    int state = -1;
    while (state < 0 && (path = ready_path(start)) == NULL) {
        state = hear(start, deadline);
    }
    if (path == NULL) {
        if (state > 0) {
            (void)kill(start->pid, SIGKILL); /* it hangs; and what it has left behind loses us */
        }
        return not_ready(start, state);
    }
    size_t length = strlen(path);
    if (length >= sizeof(own.path)) {
        return error_set(IPCC_ERR_PROTOCOL, "the daemon that was started says it listens on %.60s…",
                         path);
    }
    memcpy(own.path, path, length + 1);
    return 0;
}

/* The process that left the daemon behind has ended, or has nothing to wait for if it failed. */
static void bury(const struct start *start)
{
    while (waitpid(start->pid, NULL, 0) < 0 && errno == EINTR) {
    }
}

static int run(struct start *start, int64_t deadline)
{
    int status = 0;
    start->program = embedded_find(&status);
    status = status < 0 ? status : take_environment(start);
    status = status < 0 ? status : make_lifeline(start);
    if (status < 0) {
        return status;
    }
    int error = spawn(start);
    if (error != 0) {
        return error_set(IPCC_ERR_CONNECT, "no daemon answers, and %s cannot be started: %s",
                         start->program, strerror(error));
    }
    (void)close(start->other);
    start->other = -1;
    status = await_ready(start, deadline);
    bury(start);
    return status;
}

/* Starts a daemon, with the lock held. */
static int start_daemon(int64_t deadline)
{
    struct start start = {.lifeline = -1, .other = -1};
    int status = run(&start, deadline);
    if (status == 0 && setenv(variable, own.path, 1) < 0) {
        status =
            error_set(IPCC_ERR_NO_MEMORY, "no memory to put a socket's path into $%s", variable);
    }
    own.starter = status == 0 ? getpid() : 0;
    if (status == 0) {
        start.lifeline = -1; /* from now on it is nobody's: it ends with the process */
    }
    start_clear(&start);
    return status;
}

int embedded_start(struct address *address, int64_t timeout_ms)
{
    int cancellation;
    (void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancellation);
    int status = lock_own();
    if (status == 0) {
        if (!is_running(address)) {
            status = start_daemon(deadline_in(timeout_ms));
            status = status < 0 ? status : address_find(address, own.path);
        }
        (void)pthread_mutex_unlock(&own.lock);
    }
    (void)pthread_setcancelstate(cancellation, NULL);
    return status;
}
