/* stall: running the table; see stall.h. */
#include "tools/ipcbench/stall.h"
#include "tools/ipcbench/cpu.h"
#include "tools/ipcbench/fail.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    QUICK_SHARE = 50,
    TAIL_NANOSECONDS = 50000000, /* the pinger goes on: some work is done after the response */
};

static const struct stall_row *const tables[] = {
    stall_rows_other, stall_rows_list, stall_rows_queue,
    stall_rows_timed, stall_rows_dict, stall_rows_wait,
};

const struct stall_row *stall_row(size_t index)
{
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        for (const struct stall_row *row = tables[i]; row->name != NULL; row++) {
            if (index-- == 0) {
                return row;
            }
        }
    }
    return NULL;
}

static void set_deadline(struct stall *stall)
{
    uint64_t deadline = clock_now() + STALL_LIMIT;
    stall->owner.deadline = deadline;
    stall->client.deadline = deadline;
    for (size_t i = 0; i < stall->other_count; i++) {
        stall->others[i].deadline = deadline;
    }
}

static int prepare(struct stall *stall)
{
    uint64_t deadline = clock_now() + STALL_LIMIT;
    int status = caller_open(&stall->owner, stall->target, deadline);
    if (status == 0) {
        status = caller_open(&stall->client, stall->target, deadline);
    }
    if (status == 0 && stall->row->fill != NULL) {
        status = stall->row->fill(stall);
    }
    if (status == 0 && stall->row->ask != NULL) {
        stall->row->ask(stall);
    }
    return status;
}

static int read_retries(struct stall *stall, double *out)
{
    struct buffer request = {0};
    uint64_t number = 0;
    message_request(&request, 0, slice_of_string("server.stats"), 0);
    int status = request.failed ? fail("out of memory")
                                : caller_exchange(&stall->owner, buffer_slice(&request), 1, NULL);
    if (status == 0) {
        status = caller_number(&stall->owner, "retries", &number);
    }
    *out = status == 0 ? (double)number : NAN;
    buffer_deinit(&request);
    return status;
}

/* The daemon's CPU time so far; -1 for what is not known. */
static void read_cpu(const struct stall *stall, struct cpu_usage *now)
{
    pid_t pid = stall->target->server.pid;
    if (pid <= 0 || cpu_usage_read(pid, now) < 0) {
        *now = (struct cpu_usage){-1, -1, false};
    }
}

static double grown(int64_t before, int64_t after)
{
    return before >= 0 && after >= 0 ? (double)(after - before) : NAN;
}

/* The work, timed, with the pinger beside it. */
static int watch(struct stall *stall, struct stall_result *out)
{
    struct pinger pinger;
    struct cpu_usage before;
    struct cpu_usage after;
    int status = pinger_start(&pinger, stall->target);
    if (status != 0) {
        return status;
    }
    set_deadline(stall);
    read_cpu(stall, &before);
    uint64_t began = clock_now();
    status = stall->row->work != NULL ? stall->row->work(stall) : stall_send(stall);
    uint64_t ended = clock_now();
    began = stall->due > began ? stall->due : began;
    out->total = ended > began ? (double)(ended - began) : 0.0;
    clock_sleep(TAIL_NANOSECONDS);
    int stopped = pinger_stop(&pinger, status == 0 ? STALL_LIMIT : 0, &out->waits);
    read_cpu(stall, &after);
    out->cpu = grown(before.run, after.run);
    out->starved = grown(before.wait, after.wait);
    return status != 0 ? status : stopped;
}

static int measure(struct stall *stall, struct stall_result *out)
{
    double before = NAN;
    double after = NAN;
    int status = prepare(stall);
    if (status == 0) {
        status = read_retries(stall, &before);
    }
    if (status == 0) {
        status = watch(stall, out);
    }
    if (status == 0) {
        set_deadline(stall); /* the work may have taken nearly all of it */
        status = read_retries(stall, &after);
    }
    out->retries = after - before;
    return status;
}

/* Ends the sessions of the row, and waits until all that they had is gone. */
static int clean_up(struct stall *stall)
{
    struct caller *owner = &stall->owner;
    struct caller looker;
    uint64_t session = owner->session;
    for (size_t i = 0; i < stall->other_count; i++) {
        caller_close(&stall->others[i]);
    }
    free(stall->others);
    buffer_deinit(&stall->requests);
    caller_close(&stall->client);
    caller_close(owner);
    int status = caller_open(&looker, stall->target, clock_now() + STALL_LIMIT);
    if (status == 0 && session != 0) {
        status = caller_wait_gone(&looker, session);
    }
    caller_close(&looker);
    return status;
}

/* After a row that was given up or failed: a daemon of ours is started anew, another one must have
 * come back to itself. */
static int recover(struct target *target, int cleaned)
{
    if (target->server.ours) {
        return target_restart(target);
    }
    return cleaned != 0 ? fail("the daemon is still busy, or gone; no more rows are run") : 0;
}

static int run_row(const struct options *options, const struct stall_row *row,
                   struct target *target)
{
    uint64_t share = options->quick ? QUICK_SHARE : 1;
    struct stall_result result = {.total = NAN, .cpu = NAN, .starved = NAN, .retries = NAN};
    struct stall stall = {.row = row,
                          .target = target,
                          .size = row->size > share ? row->size / share : 1,
                          .times = row->times > share ? row->times / share : 1,
                          .owner = {.fd = -1},
                          .client = {.fd = -1}};
    int status = measure(&stall, &result);
    result.given_up = status == CALLER_GIVEN_UP;
    int cleaned = clean_up(&stall);
    if (interrupted()) {
        return -1;
    }
    int told = 0;
    if (status < 0) {
        (void)fail("%s could not be measured", row->name);
    } else if (options->json) {
        told = stall_report_json(row, &result);
    } else {
        stall_report(row, &result);
    }
    if (cleaned > 0) {
        (void)fail("what %s has made was not gone after a minute", row->name);
    }
    if (status != 0 || cleaned != 0) {
        return recover(target, cleaned) < 0 ? -1 : 1;
    }
    return told;
}

void stall_list(const struct options *options)
{
    const struct stall_row *row;
    for (size_t i = 0; (row = stall_row(i)) != NULL; i++) {
        if (options_select(options, row->name)) {
            (void)puts(row->name);
        }
    }
}

static bool any_selected(const struct options *options)
{
    const struct stall_row *row;
    for (size_t i = 0; (row = stall_row(i)) != NULL; i++) {
        if (options_select(options, row->name)) {
            return true;
        }
    }
    return false;
}

int stall_run(const struct options *options, struct target *target)
{
    int worst = 0;
    if (!any_selected(options)) {
        return fail("--stall has no row \"%s\"; --stall --list shows the names", options->only);
    }
    if (!options->json) {
        stall_report_begin();
    }
    const struct stall_row *row;
    for (size_t i = 0; worst >= 0 && (row = stall_row(i)) != NULL; i++) {
        if (options_select(options, row->name)) {
            int status = run_row(options, row, target);
            worst = status < 0 || status > worst ? status : worst;
        }
    }
    return worst;
}
