/*
 * engine_handoff: an item from a put on one host to a get that waits on another one, in round trips
 * of the bare Redis; beside it the same between two clients of Redis, LPUSH and BRPOP.
 *
 * That the get waits is known without a pause: behind it the empty queue is cleared by the same
 * host, and who has the answer to that knows that the get has been registered.
 */
#include "tools/ipcbench/cpu.h"
#include "tools/ipcbench/engine.h"
#include "tools/ipcbench/fail.h"
#include "tools/ipcbench/window.h"

#include <stdlib.h>

enum { SAMPLES_MOST = 20000, SAMPLES_BETWEEN_LOOKS = 64 };

/* One who waits for an item, one who puts it. */
struct pair {
    struct stream consumer;
    struct stream behind; /* to the same server, for what comes behind the get */
    struct stream producer;
    struct buffer take;
    struct buffer put;
};

static void pair_close(struct pair *pair)
{
    stream_deinit(&pair->consumer);
    stream_deinit(&pair->behind);
    stream_deinit(&pair->producer);
    buffer_deinit(&pair->take);
    buffer_deinit(&pair->put);
}

static int pair_open(struct pair *pair, const struct target *consumer,
                     const struct target *producer)
{
    struct request take = {.operation = OPERATION_TAKE};
    struct request put = {.operation = OPERATION_PUT, .payload = ENGINE_PAYLOAD};
    *pair = (struct pair){.consumer.fd = -1, .behind.fd = -1, .producer.fd = -1};
    consumer->protocol->encode(&pair->take, &take);
    producer->protocol->encode(&pair->put, &put);
    if (pair->take.failed || pair->put.failed) {
        return fail("out of memory");
    }
    if (stream_open(&pair->consumer, consumer) < 0 || stream_open(&pair->behind, consumer) < 0) {
        return -1;
    }
    return stream_open(&pair->producer, producer);
}

/* Until the one answer has come. */
static int receive_one(struct stream *stream, enum operation operation)
{
    struct tally tally = {0};
    int status = 0;
    while (status == 0 && tally.count == 0) {
        status = stream_receive(stream, operation, &tally);
    }
    return status;
}

/* One item; *out from before its put is sent until it is there. */
static int hand_off(struct pair *pair, uint64_t *out)
{
    struct request clear = {.operation = OPERATION_CLEAR_QUEUE};
    if (stream_send(&pair->consumer, buffer_slice(&pair->take)) < 0 ||
        stream_call(&pair->behind, &clear) < 0) {
        return -1;
    }
    uint64_t began = clock_now();
    if (stream_send(&pair->producer, buffer_slice(&pair->put)) < 0 ||
        receive_one(&pair->consumer, OPERATION_TAKE) < 0) {
        return -1;
    }
    *out = clock_now() - began;
    return receive_one(&pair->producer, OPERATION_PUT);
}

/* The median of a slice's hand-offs, in microseconds. */
static int measure_pair(const struct engine *engine, const struct target *consumer,
                        const struct target *producer, uint64_t *samples, double *out)
{
    struct pair pair;
    size_t count = 0;
    int status = pair_open(&pair, consumer, producer);
    uint64_t end = clock_now() + engine->slice;
    while (status == 0 && count < SAMPLES_MOST && (count == 0 || clock_now() < end)) {
        status = hand_off(&pair, &samples[count++]);
    }
    pair_close(&pair);
    stats_sort(samples, count);
    *out = stats_percentile(samples, count, 50.0) / 1e3;
    return status;
}

/* The same of bare round trips. */
static int measure_bare(const struct engine *engine, uint64_t *samples, double *out)
{
    struct request model = {.operation = OPERATION_PUT, .payload = ENGINE_PAYLOAD};
    struct window window = {.stream.fd = -1};
    struct batch batch;
    size_t count = 0;
    int status = batch_init(&batch, engine->redis.protocol, &model, 1);
    if (status == 0) {
        status = window_init(&window, &engine->redis, &batch);
    }
    uint64_t end = clock_now() + engine->slice;
    while (status == 0 && count + SAMPLES_BETWEEN_LOOKS <= SAMPLES_MOST &&
           (count == 0 || clock_now() < end)) {
        status = window_run(&window, SAMPLES_BETWEEN_LOOKS, &samples[count]);
        count += SAMPLES_BETWEEN_LOOKS;
    }
    window_deinit(&window);
    batch_deinit(&batch);
    stats_sort(samples, count);
    *out = stats_percentile(samples, count, 50.0) / 1e3;
    return status < 0 ? status : target_clear(&engine->redis);
}

int engine_handoff(struct engine *engine, const struct engine_row *row, struct findings *out)
{
    enum { HOSTS, REDIS, BARE, CASES };
    static const char *const names[CASES] = {"host_to_host", "lpush_to_brpop", "bare_round_trip"};
    const struct target *hosts = engine->hosts.targets;
    double times[CASES][STATS_RUNS_MAX];
    double round_trips[STATS_RUNS_MAX];
    uint64_t *samples = calloc(SAMPLES_MOST, sizeof(samples[0]));
    int status = samples != NULL ? target_clear(&hosts[0]) : fail("out of memory");
    for (unsigned turn = 0; status == 0 && turn < engine->turns; turn++) {
        if (measure_pair(engine, &hosts[1], &hosts[0], samples, &times[HOSTS][turn]) < 0 ||
            measure_pair(engine, &engine->redis, &engine->redis, samples, &times[REDIS][turn]) <
                0 ||
            measure_bare(engine, samples, &times[BARE][turn]) < 0) {
            status = -1;
        }
        round_trips[turn] = times[HOSTS][turn] / times[BARE][turn];
    }
    free(samples);
    for (int i = 0; status == 0 && i < CASES; i++) {
        findings_figure(out, names[i], "us", stats_median(times[i], engine->turns));
    }
    if (status == 0) {
        findings_bar(out, "round_trips", stats_median(round_trips, engine->turns), row->bar, false);
    }
    return status;
}
