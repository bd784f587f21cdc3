/* worker: see worker.h. */
#include "tests/history/worker.h"

#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

static void tell(const struct worker_job *job, enum notice_kind kind)
{
    struct notice notice = {job->process, (uint8_t)kind};
    if (write(job->notices, &notice, sizeof(notice)) != sizeof(notice)) {
        _exit(1);
    }
}

static _Noreturn void fail(const struct worker_job *job, const char *what)
{
    (void)fprintf(stderr, "process %u: %s: %s\n", job->process, what, ipcc_last_message());
    tell(job, FAILED);
    _exit(1);
}

static void work(struct ipcc *conn, const struct worker_job *job, struct ipcc_ahead *ahead)
{
    struct actor actor = actor_new(job->type, job->options, job->process, job->random);
    for (unsigned i = 0; i < job->operations; i++) {
        struct operation chosen;
        int64_t timeout_ms = actor_choose(&actor, &chosen);
        if (i == job->forever) {
            timeout_ms = IPCC_FOREVER;
        }
        tell(job, BEGUN);
        struct operation *operation = record_begin(job->log, &chosen);
        operation_run(conn, job->object, operation, timeout_ms, ahead);
        if (operation->status == IPCC_ERR_LOST && job->options->durable) {
            tell(job, CUT); /* it was not answered, and is not known to be done */
            _exit(0);
        }
        record_end(operation);
        if (operation->status <= IPCC_ERR_LOST) {
            fail(job, verb_rows[operation->verb].method);
        }
        actor_learn(&actor, operation);
    }
}

_Noreturn void worker_run(const struct worker_job *job)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    struct ipcc *conn;
    char byte;
    const struct ipcc_options options = {.path = job->socket};
    if (ipcc_open(&conn, &options) < 0 || ipcc_session(conn, &job->log->session) < 0) {
        fail(job, "connecting");
    }
    struct ipcc_ahead *ahead = NULL;
    bool is_queue = job->type == TYPE_QUEUE || job->type == TYPE_JOINABLE;
    if (is_queue && job->process % 2 == 1 && object_open_ahead(conn, job->object, &ahead) < 0) {
        fail(job, "opening");
    }
    tell(job, READY);
    if (read(job->start, &byte, 1) == 1) {
        work(conn, job, ahead);
    }
    ipcc_ahead_free(ahead);
    record_closing(job->log);
    (void)ipcc_close(conn);
    tell(job, FINISHED);
    _exit(0);
}
