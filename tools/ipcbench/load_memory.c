/*
 * load_memory: what the server's resident memory grows by for each queued item, dict entry and
 * idle session: Rss of /proc/PID/smaps_rollup before and after.
 *
 * A server of ours is started anew for it. In a daemon that runs already, memory that earlier
 * work has freed is used again, and the figure comes out too small.
 */
#include "tools/ipcbench/cpu.h"
#include "tools/ipcbench/fail.h"
#include "tools/ipcbench/load.h"
#include "tools/ipcbench/stream.h"

#include <stdio.h>
#include <stdlib.h>

enum { SESSIONS_BEFORE = 20, SETTLE_NANOSECONDS = 20000000 };

static int resident_bytes(const struct target *target, double *out)
{
    char path[64];
    char line[256];
    long kilobytes = -1;
    clock_sleep(SETTLE_NANOSECONDS);
    (void)snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int)target->server.pid);
    FILE *file = fopen(path, "re");
    while (file != NULL && kilobytes < 0 && fgets(line, sizeof(line), file) != NULL) {
        (void)sscanf(line, "Rss: %ld kB", &kilobytes);
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    if (kilobytes < 0) {
        return fail("the memory of %s cannot be read from %s", target->plan.name, path);
    }
    *out = (double)kilobytes * 1024.0;
    return 0;
}

static int start_anew(const struct trial *trial)
{
    return trial->target->server.ours ? target_restart(trial->target) : target_clear(trial->target);
}

/* Reads the memory before and after `grow` did something `count` times. */
static int measure(struct trial *trial, struct stream *streams,
                   int (*grow)(const struct trial *trial, struct stream *streams))
{
    double before;
    double after;
    int status = resident_bytes(trial->target, &before);
    if (status == 0) {
        status = grow(trial, streams);
    }
    if (status == 0) {
        status = resident_bytes(trial->target, &after);
    }
    if (status == 0) {
        trial->result.figures[FIGURE_BYTES] = (after - before) / (double)trial->count;
    }
    return status;
}

static int fill(const struct trial *trial, struct stream *stream)
{
    struct request request = {.operation = trial->load->operation, .payload = trial->load->payload};
    return stream_fill(stream, &request, trial->count);
}

int load_memory(struct trial *trial)
{
    struct stream stream = {.fd = -1};
    int status = start_anew(trial);
    if (status == 0) {
        status = stream_open(&stream, trial->target);
    }
    if (status == 0) {
        status = measure(trial, &stream, fill);
    }
    stream_deinit(&stream);
    int cleared = status == 0 ? target_clear(trial->target) : 0;
    return status < 0 ? status : cleared;
}

/* Sessions that have sent one command and got its answer. */
static int open_sessions(const struct trial *trial, struct stream *streams, uint64_t count)
{
    struct request request = {.operation = trial->load->operation, .payload = trial->load->payload};
    int status = 0;
    for (uint64_t i = 0; status == 0 && i < count; i++) {
        status = stream_open(&streams[i], trial->target);
        if (status == 0) {
            status = stream_call(&streams[i], &request);
        }
        /* The generator's own buffers are not what is measured, but there is no need of them. */
        free(streams[i].input);
        streams[i].input = NULL;
    }
    return status;
}

static int open_measured_sessions(const struct trial *trial, struct stream *streams)
{
    return open_sessions(trial, streams + SESSIONS_BEFORE, trial->count);
}

static int prepare_idle(const struct trial *trial, struct stream *streams)
{
    struct request request = {.operation = OPERATION_SET, .payload = trial->load->payload};
    struct stream stream = {.fd = -1};
    int status = start_anew(trial);
    if (status == 0) {
        status = stream_open(&stream, trial->target);
    }
    if (status == 0) {
        status = stream_call(&stream, &request);
    }
    stream_deinit(&stream);
    return status < 0 ? status : open_sessions(trial, streams, SESSIONS_BEFORE);
}

int load_idle(struct trial *trial)
{
    uint64_t total = trial->count + SESSIONS_BEFORE;
    struct stream *streams = calloc(total, sizeof(streams[0]));
    if (streams == NULL) {
        return fail("out of memory");
    }
    int status = prepare_idle(trial, streams);
    if (status == 0) {
        status = measure(trial, streams, open_measured_sessions);
    }
    for (uint64_t i = 0; i < total; i++) {
        stream_deinit(&streams[i]);
    }
    free(streams);
    return status;
}
