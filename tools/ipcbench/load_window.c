/*
 * load_window: one operation with a window of outstanding requests on one or many connections:
 * the loads "roundtrip", "pipeline", "clients" and "payload".
 */
#include "tools/ipcbench/cpu.h"
#include "tools/ipcbench/fail.h"
#include "tools/ipcbench/load.h"
#include "tools/ipcbench/window.h"

#include <stdlib.h>

enum { WARM_UP_SHARE = 20 }; /* one twentieth of the count goes before, unmeasured */

int load_fill(const struct trial *trial, uint64_t operations)
{
    struct request request = {.payload = trial->load->payload};
    uint64_t count = 0;
    if (trial->load->operation == OPERATION_GET) {
        request.operation = OPERATION_PUT;
        count = operations;
    } else if (trial->load->operation != OPERATION_PUT) {
        request.operation = OPERATION_SET;
        count = WINDOW_REQUESTS;
    }
    struct stream stream;
    int status = target_clear(trial->target);
    if (status < 0 || count == 0 || !trial->target->protocol->keeps) {
        return status;
    }
    status = stream_open(&stream, trial->target);
    if (status == 0) {
        status = stream_fill(&stream, &request, count);
    }
    stream_deinit(&stream);
    return status;
}

static int run(struct window *windows, unsigned connections, uint64_t count, uint64_t *samples)
{
    return connections == 1 ? window_run(&windows[0], count, samples)
                            : window_run_many(windows, connections, count);
}

static int measure(struct trial *trial, struct window *windows, uint64_t warm_up, uint64_t *samples)
{
    struct meter meter;
    unsigned connections = trial->load->connections;
    int status = run(windows, connections, warm_up, NULL);
    if (status < 0) {
        return status;
    }
    meter_start(&meter, trial->target->server.pid);
    status = run(windows, connections, trial->count, samples);
    if (status == 0) {
        meter_stop(&meter, trial->count, &trial->result);
    }
    if (status == 0 && samples != NULL) {
        measurement_set_latency(&trial->result, samples, trial->count);
    }
    return status;
}

static int open_all(const struct trial *trial, struct window *windows, const struct batch *batch)
{
    int status = 0;
    for (unsigned i = 0; status == 0 && i < trial->load->connections; i++) {
        status = window_init(&windows[i], trial->target, batch);
    }
    return status;
}

int load_window(struct trial *trial)
{
    const struct load *load = trial->load;
    uint64_t warm_up = trial->count / WARM_UP_SHARE + load->connections;
    bool alone = load->depth == 1 && load->connections == 1;
    uint64_t *samples = alone ? calloc(trial->count, sizeof(samples[0])) : NULL;
    struct window *windows = calloc(load->connections, sizeof(windows[0]));
    struct batch batch = {0};
    int status = -1;
    if (windows == NULL || (alone && samples == NULL)) {
        (void)fail("out of memory");
        goto out;
    }
    status = load_fill(trial, trial->count + warm_up);
    if (status == 0) {
        struct request model = {.operation = load->operation, .payload = load->payload};
        status = batch_init(&batch, trial->target->protocol, &model, load->depth);
    }
    if (status == 0) {
        status = open_all(trial, windows, &batch);
    }
    if (status == 0) {
        status = measure(trial, windows, warm_up, samples);
    }
    for (unsigned i = 0; i < load->connections; i++) {
        window_deinit(&windows[i]);
    }
out:
    batch_deinit(&batch);
    free(windows);
    free(samples);
    return status;
}
