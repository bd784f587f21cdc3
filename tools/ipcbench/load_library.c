/*
 * load_library: round trips through libipcclient's blocking calls: beside the loads "roundtrip",
 * which have next to no client, they show what the library takes.
 */
#include "client/ipcclient.h"
#include "tools/ipcbench/cpu.h"
#include "tools/ipcbench/fail.h"
#include "tools/ipcbench/load.h"

#include <stdlib.h>
#include <string.h>

enum { WARM_UP_SHARE = 20, GUARD_MILLISECONDS = 10000, CALLS_BETWEEN_LOOKS = 4096 };

struct library {
    struct ipcc *connection;
    struct ipcc_queue *queue;
    uint8_t *payload;
    size_t size;
};

static int library_open(struct library *library, const struct trial *trial)
{
    struct ipcc_options options = {
        .path = trial->target->server.socket, .client = "ipcbench", .guard_ms = GUARD_MILLISECONDS};
    library->size = trial->load->payload;
    library->payload = malloc(library->size);
    if (library->payload == NULL) {
        return fail("out of memory");
    }
    memset(library->payload, 'x', library->size);
    if (ipcc_open(&library->connection, &options) < 0 ||
        ipcc_queue_open(library->connection, TARGET_QUEUE, NULL, &library->queue) < 0) {
        return fail("libipcclient: %s", ipcc_last_message());
    }
    return 0;
}

static void library_close(struct library *library)
{
    (void)ipcc_queue_close(library->queue);
    (void)ipcc_close(library->connection);
    free(library->payload);
}

static int call(const struct library *library, enum operation operation)
{
    struct ipcc_reply reply = {0};
    struct ipcc_item item;
    int status;
    if (operation == OPERATION_PUT) {
        status = ipcc_queue_put(library->queue, ipcc_bin(library->payload, library->size), 0, NULL);
    } else {
        status = ipcc_queue_get(library->queue, 0, &item, &reply);
    }
    ipcc_reply_free(&reply);
    return status < 0 ? fail("libipcclient: %s", ipcc_last_message()) : 0;
}

static int repeat(const struct library *library, enum operation operation, uint64_t count,
                  uint64_t *samples)
{
    uint64_t last = clock_now();
    int status = 0;
    for (uint64_t i = 0; status == 0 && i < count; i++) {
        status = call(library, operation);
        if (i % CALLS_BETWEEN_LOOKS == 0 && interrupted()) {
            status = fail("interrupted");
        }
        if (samples != NULL) {
            uint64_t now = clock_now();
            samples[i] = now - last;
            last = now;
        }
    }
    return status;
}

static int measure(struct trial *trial, const struct library *library, uint64_t *samples)
{
    struct meter meter;
    enum operation operation = trial->load->operation;
    uint64_t warm_up = trial->count / WARM_UP_SHARE + 1;
    int status = load_fill(trial, trial->count + warm_up);
    if (status == 0) {
        status = repeat(library, operation, warm_up, NULL);
    }
    if (status < 0) {
        return status;
    }
    meter_start(&meter, trial->target->server.pid);
    status = repeat(library, operation, trial->count, samples);
    if (status == 0) {
        meter_stop(&meter, trial->count, &trial->result);
        measurement_set_latency(&trial->result, samples, trial->count);
    }
    return status;
}

int load_library(struct trial *trial)
{
    struct library library = {0};
    uint64_t *samples = calloc(trial->count, sizeof(samples[0]));
    int status = samples != NULL ? library_open(&library, trial) : fail("out of memory");
    if (status == 0) {
        status = measure(trial, &library, samples);
    }
    library_close(&library);
    free(samples);
    return status;
}
