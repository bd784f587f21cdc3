/* round: see round.h. */
#include "tests/history/round.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* A process, and how it is to end: when it has begun so many operations, and then `more` have been
 * begun by anyone, and then so many nanoseconds have gone by, it is killed. */
struct worker {
    pid_t pid;
    bool running;
    bool victim;
    unsigned operations;
    unsigned last; /* the operation in which it is to be killed, or the one after */
    bool forever;  /* it waits without limit in that one */
    unsigned more;
    int64_t pause;
    bool armed; /* it has begun that one */
    unsigned begun;
};

/* What one round needs while it runs. */
struct running {
    struct round *round;
    char object[64];
    unsigned count; /* workers are processes 1 to count */
    struct worker workers[WORKERS_MAX + 1];
    int notices[2];
    int start[2];
    unsigned
        until_crash; /* so many operations more are begun by anyone before the daemon is killed */
    int64_t crash_pause; /* and so many nanoseconds go by */
    bool crashed;
};

static void plan(struct running *running, struct random *random)
{
    running->count = (unsigned)random_between(random, 3, WORKERS_MAX);
    for (unsigned i = 1; i <= running->count; i++) {
        struct worker *worker = &running->workers[i];
        worker->operations = (unsigned)random_between(random, 4, 7);
        worker->victim = i <= 2 && random_chance(random, 4, 5);
        worker->last = (unsigned)random_between(random, 0, worker->operations - 1);
        worker->forever = random_chance(random, 1, 2);
        worker->more = (unsigned)random_between(random, 0, 6);
        worker->pause = random_chance(random, 1, 2) ? random_between(random, 0, 200000) : 0;
    }
    running->until_crash = (unsigned)random_between(random, 2, (int64_t)running->count * 5);
    running->crash_pause =
        random_between(random, 0, random_chance(random, 1, 2) ? 200000 : 4000000);
}

static int spawn(struct running *running, unsigned process)
{
    struct round *round = running->round;
    struct worker *worker = &running->workers[process];
    worker->pid = fork();
    if (worker->pid != 0) {
        worker->running = worker->pid > 0;
        return worker->running ? 0 : -1;
    }
    struct worker_job job = {
        .object = running->object,
        .type = round->type,
        .options = &round->history.options,
        .random = random_of(round->seed, round->number, process),
        .log = &round->record->logs[process],
        .operations = worker->operations,
        .forever = worker->victim && worker->forever ? worker->last : UINT_MAX,
        .socket = round->hosts == NULL ? NULL : hosts_socket(round->hosts, process),
        .process = (uint8_t)process,
        .notices = running->notices[1],
        .start = running->start[0],
    };
    worker_run(&job);
}

/* The next notice of a process that is still there; -1 if none comes. */
static int next_notice(struct running *running, struct notice *notice)
{
    do {
        struct pollfd pollfd = {.fd = running->notices[0], .events = POLLIN};
        if (poll(&pollfd, 1, HANG_MS) <= 0 ||
            read(pollfd.fd, notice, sizeof(*notice)) != sizeof(*notice)) {
            (void)fprintf(stderr, "nothing happens any more: who waits is not answered\n");
            return -1;
        }
    } while (!running->workers[notice->process].running);
    return notice->kind == FAILED ? -1 : 0;
}

/* Starts the processes, and lets them go when all are there. */
static int start_all(struct running *running)
{
    static const char bytes[WORKERS_MAX];
    struct notice notice;
    int status = 0;
    for (unsigned i = 1; i <= running->count && status == 0; i++) {
        status = spawn(running, i);
    }
    for (unsigned i = 1; i <= running->count && status == 0; i++) {
        status = next_notice(running, &notice);
    }
    if (status == 0 && write(running->start[1], bytes, running->count) != running->count) {
        status = -1;
    }
    return status;
}

/* Asks the daemon of that process until it has ended the session. */
static int await_session_end(struct running *running, unsigned process, uint64_t session)
{
    const struct hosts *hosts = running->round->hosts;
    struct ipcc *conn = hosts == NULL ? running->round->conn : hosts_conn(hosts, process);
    int64_t limit = record_now() + HANG_MS * INT64_C(1000000);
    int status = 0;
    while (status == 0 && record_now() < limit) {
        struct ipcc_reply reply = {0};
        status = ipcc_session_describe(conn, session, &reply);
        ipcc_reply_free(&reply);
        if (status == IPCC_ERR_NOT_FOUND && hosts != NULL && !hosts_session_has_ended(conn)) {
            status = 0;
        }
    }
    if (status == IPCC_ERR_NOT_FOUND) {
        return 0;
    }
    (void)fprintf(stderr, "the session of a process that is gone: %s\n",
                  status == 0 ? "the daemon does not end it" : ipcc_last_message());
    return -1;
}

/* A process has ended or is ending: waits for that, and for the end of its session. `from` is the
 * time before the SIGKILL, or UNANSWERED if it closed its session. */
static int reap(struct running *running, unsigned process, int64_t from)
{
    struct round *round = running->round;
    struct worker *worker = &running->workers[process];
    const struct log *log = &round->record->logs[process];
    int status;
    if (waitpid(worker->pid, &status, 0) != worker->pid) {
        return -1;
    }
    int64_t dead = record_now();
    worker->running = false;
    if (await_session_end(running, process, log->session) < 0) {
        return -1;
    }
    bool killed = WIFSIGNALED(status);
    int64_t closing = log->closing != 0 ? log->closing : UNANSWERED;
    round->history.operations[round->history.count++] = (struct operation){
        .begin = killed && from < closing ? from : closing,
        .end = record_now(),
        .process = (uint8_t)process,
        .verb = killed ? KILLED : CLOSED,
        .arguments = {dead},
    };
    round->killed += killed;
    return killed || WEXITSTATUS(status) == 0 ? 0 : -1;
}

/* The moment is to be anywhere in an operation: shorter than any sleep could be. */
static void pass(int64_t nanoseconds)
{
    int64_t until = record_now() + nanoseconds;
    while (record_now() < until) {
    }
}

static int kill_worker(struct running *running, unsigned process)
{
    const struct worker *worker = &running->workers[process];
    pass(worker->pause);
    int64_t from = record_now();
    (void)kill(worker->pid, SIGKILL);
    return reap(running, process, from);
}

/* Kills the daemon. Who still works finds out by himself. */
static void crash(struct running *running)
{
    struct round *round = running->round;
    pass(running->crash_pause);
    int64_t from = record_now();
    server_kill(round->server);
    int64_t dead = record_now();
    round->history.operations[round->history.count++] =
        (struct operation){.begin = from, .end = dead, .verb = CRASHED, .arguments = {dead}};
    running->crashed = true;
}

/* A process is gone, behind the daemon. If it had closed its session before, that may have ended of
 * itself. */
static int reap_behind(struct running *running, unsigned process)
{
    struct round *round = running->round;
    struct worker *worker = &running->workers[process];
    const struct log *log = &round->record->logs[process];
    int status;
    worker->running = false;
    if (log->closing != 0) {
        round->history.operations[round->history.count++] = (struct operation){
            .begin = log->closing, .end = UNANSWERED, .process = (uint8_t)process, .verb = CLOSED};
    }
    return waitpid(worker->pid, &status, 0) == worker->pid && status == 0 ? 0 : -1;
}

/* The daemon is there again, and process 0 has a new connection. */
static int begin_again(struct running *running)
{
    struct round *round = running->round;
    const struct ipcc_options options = {.guard_ms = HANG_MS};
    if (!running->crashed) {
        crash(running);
    }
    (void)ipcc_close(round->conn);
    round->conn = NULL;
    return server_again(round->server, &options, &round->conn);
}

/* True if only those are left that are to be killed, and have come so far. */
static bool only_armed(const struct running *running)
{
    for (unsigned i = 1; i <= running->count; i++) {
        if (running->workers[i].running && !running->workers[i].armed) {
            return false;
        }
    }
    return true;
}

static void note_begun(struct running *running, unsigned process)
{
    for (unsigned i = 1; i <= running->count; i++) {
        struct worker *worker = &running->workers[i];
        if (worker->armed && worker->more > 0) {
            worker->more--;
        }
    }
    struct worker *worker = &running->workers[process];
    worker->armed |= worker->victim && worker->begun == worker->last;
    worker->begun++;
    if (running->round->server != NULL && !running->crashed && running->until_crash-- == 0) {
        crash(running);
    }
}

/* Kills those whose moment has come. */
static int kill_due(struct running *running)
{
    bool all = only_armed(running);
    int status = 0;
    for (unsigned i = 1; i <= running->count && status == 0 && !running->crashed; i++) {
        const struct worker *worker = &running->workers[i];
        if (worker->running && worker->armed && (all || worker->more == 0)) {
            status = kill_worker(running, i);
        }
    }
    return status;
}

static bool any_running(const struct running *running)
{
    for (unsigned i = 1; i <= running->count; i++) {
        if (running->workers[i].running) {
            return true;
        }
    }
    return false;
}

static int supervise(struct running *running)
{
    int status = 0;
    while (status == 0 && any_running(running)) {
        struct notice notice;
        status = next_notice(running, &notice);
        if (status == 0 && notice.kind == BEGUN) {
            note_begun(running, notice.process);
        } else if (status == 0) {
            status = running->crashed ? reap_behind(running, notice.process)
                                      : reap(running, notice.process, UNANSWERED);
        }
        if (status == 0) {
            status = kill_due(running);
        }
    }
    return status;
}

/* One operation of process 0, which does not wait. Returns its status. */
static int32_t look(struct running *running, enum verb verb, int64_t argument)
{
    struct round *round = running->round;
    struct log *log = &round->record->logs[0];
    struct operation chosen = {.verb = (uint8_t)verb, .arguments = {argument}};
    struct operation *operation = record_begin(log, &chosen);
    operation_run(round->conn, running->object, operation, 0, NULL);
    record_end(operation);
    return operation->status;
}

/* Takes all that is left in the queue. */
static void empty_queue(struct running *running)
{
    const struct log *log = &running->round->record->logs[0];
    while (log->count < LOG_MAX / 2 && look(running, GET, NO_VALUE) == 0) {
    }
    unsigned count = log->count;
    for (unsigned i = 0; i < count && running->round->type == TYPE_JOINABLE; i++) {
        if (log->operations[i].status == 0) {
            (void)look(running, TASK_DONE, log->operations[i].results[1]);
        }
    }
}

/* When all are gone: what is left must be explained as well. */
static void look_at_the_end(struct running *running)
{
    switch (running->round->type) {
    case TYPE_QUEUE:
        empty_queue(running);
        break;
    case TYPE_JOINABLE:
        empty_queue(running);
        (void)look(running, JOIN, NO_VALUE);
        break;
    case TYPE_LOCK:
        (void)look(running, LOCKED, NO_VALUE);
        (void)look(running, LOCK_ACQUIRE, NO_VALUE);
        (void)look(running, LOCK_RELEASE, NO_VALUE);
        break;
    case TYPE_SEMAPHORE:
        (void)look(running, SEMAPHORE_VALUE, NO_VALUE);
        break;
    default:
        (void)look(running, DICT_GET, 1);
        (void)look(running, DICT_GET, 2);
    }
}

/* Ends what is left of a round that has failed. */
static void kill_all(struct running *running)
{
    for (unsigned i = 1; i <= running->count; i++) {
        if (running->workers[i].running) {
            (void)kill(running->workers[i].pid, SIGKILL);
            (void)waitpid(running->workers[i].pid, NULL, 0);
        }
    }
}

static void close_pair(int pair[2])
{
    for (unsigned i = 0; i < 2; i++) {
        if (pair[i] >= 0) {
            (void)close(pair[i]);
        }
    }
}

static int run(struct running *running)
{
    struct round *round = running->round;
    int status = object_make(round->conn, running->object, round->type, &round->history.options);
    if (status < 0) {
        (void)fprintf(stderr, "making the object: %s\n", ipcc_last_message());
        return -1;
    }
    status = start_all(running);
    if (status == 0) {
        status = supervise(running);
    }
    kill_all(running);
    if (status == 0 && round->server != NULL) {
        status = begin_again(running);
    }
    if (status == 0) {
        look_at_the_end(running);
        status = ipcc_object_delete(round->conn, running->object) < 0 ? -1 : 0;
    }
    return status;
}

int round_run(struct round *round)
{
    struct random random = random_of(round->seed, round->number, 0);
    struct running running = {.round = round, .notices = {-1, -1}, .start = {-1, -1}};
    (void)snprintf(running.object, sizeof(running.object), "history.%" PRIu64, round->number);
    memset(round->record, 0, sizeof(*round->record));
    round->killed = 0;
    round->origin = record_now();
    round->history = (struct history){
        .type = round->type,
        .options = options_choose(round->type, round->server != NULL, &random),
    };
    plan(&running, &random);
    int status = -1;
    if (pipe2(running.notices, 0) == 0 && pipe2(running.start, 0) == 0) {
        status = run(&running);
    }
    close_pair(running.notices);
    close_pair(running.start);
    for (unsigned i = 0; i <= running.count; i++) {
        record_collect(&round->record->logs[i], &round->history);
    }
    history_sort(&round->history);
    return status;
}
