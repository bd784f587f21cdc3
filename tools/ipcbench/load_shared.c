/*
 * load_shared: adding to a value: in the memory that a process has mapped, and by a call, which
 * brings the same addition to the daemon. Both by libipcclient, with one client, so that nobody
 * else wants the number meanwhile.
 *
 * One addition in the mapping takes less time than reading the clock. So a sample is the time of
 * BATCH additions, and the percentiles are those of batches.
 */
#include "client/ipcclient.h"
#include "tools/ipcbench/cpu.h"
#include "tools/ipcbench/fail.h"
#include "tools/ipcbench/load.h"

#include <stdlib.h>

enum { WARM_UP_SHARE = 20, BATCH = 1000 };

struct client {
    struct ipcc *connection;
    struct ipcc_shared_value *value;
    uint64_t batch; /* additions in a sample */
};

static int client_open(struct client *client, const struct trial *trial, bool unmapped)
{
    struct ipcc_options options = {.path = trial->target->server.socket, .client = "ipcbench"};
    struct ipcc_shared_value_options kind = {.typecode = 'q', .unmapped = unmapped};
    if (ipcc_open(&client->connection, &options) < 0 ||
        ipcc_shared_value_open(client->connection, NULL, &kind, &client->value) < 0) {
        return fail("libipcclient: %s", ipcc_last_message());
    }
    if (!unmapped && ipcc_shared_value_data(client->value, NULL) == NULL) {
        return fail("the memory of a value cannot be mapped");
    }
    return 0;
}

static void client_close(struct client *client)
{
    (void)ipcc_shared_value_close(client->value);
    (void)ipcc_close(client->connection);
}

/* Adds 1 in so many batches, and writes the time of each to samples if they are not NULL. */
static int repeat(const struct client *client, uint64_t batches, uint64_t *samples)
{
    uint64_t last = clock_now();
    for (uint64_t i = 0; i < batches; i++) {
        for (uint64_t n = 0; n < client->batch; n++) {
            if (ipcc_shared_value_add_int(client->value, 1, NULL) < 0) {
                return fail("libipcclient: %s", ipcc_last_message());
            }
        }
        uint64_t now = clock_now();
        if (samples != NULL) {
            samples[i] = now - last;
        }
        last = now;
        if (i % BATCH == 0 && interrupted()) {
            return fail("interrupted");
        }
    }
    return 0;
}

static int measure(struct trial *trial, const struct client *client, uint64_t *samples)
{
    struct meter meter;
    uint64_t batches = trial->count / client->batch + 1;
    int status = repeat(client, batches / WARM_UP_SHARE + 1, NULL);
    if (status < 0) {
        return status;
    }
    meter_start(&meter, trial->target->server.pid);
    status = repeat(client, batches, samples);
    if (status == 0) {
        meter_stop(&meter, batches * client->batch, &trial->result);
        measurement_set_latency(&trial->result, samples, batches);
        for (int i = FIGURE_P50; i <= FIGURE_P999; i++) {
            trial->result.figures[i] /= (double)client->batch;
        }
    }
    return status;
}

static int load_add(struct trial *trial, bool unmapped)
{
    struct client client = {.batch = unmapped ? 1 : BATCH};
    uint64_t *samples = calloc(trial->count + 1, sizeof(samples[0]));
    int status = samples != NULL ? client_open(&client, trial, unmapped) : fail("out of memory");
    if (status == 0) {
        status = measure(trial, &client, samples);
    }
    client_close(&client);
    free(samples);
    return status;
}

int load_add_mapped(struct trial *trial)
{
    return load_add(trial, false);
}

int load_add_called(struct trial *trial)
{
    return load_add(trial, true);
}
