/* engine: the table of rows, the servers, and running them; see engine.h. */
#include "tools/ipcbench/engine.h"
#include "tools/ipcbench/cpu.h"
#include "tools/ipcbench/fail.h"
#include "tools/ipcbench/stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CLIENTS = 50, QUICK_SLICE = 20000000, SLICE = 200000000, TURNS = 15 };

#define QUEUE_STEPS                                                                                \
    {                                                                                              \
        OPERATION_PUT, OPERATION_GET                                                               \
    }
#define DICT_STEPS                                                                                 \
    {                                                                                              \
        OPERATION_SET, OPERATION_LOOKUP                                                            \
    }

const struct engine_row engine_rows[] = {
    {"cpu/queue-1x1", "Redis' CPU for a put and a get, one client, one outstanding", engine_cpu,
     QUEUE_STEPS, 1, 1, 2.5},
    {"cpu/queue-1x50", "the same, 50 clients, one outstanding each", engine_cpu, QUEUE_STEPS,
     CLIENTS, 1, 2.5},
    {"cpu/dict-1x1", "Redis' CPU for a set and a lookup, one client, one outstanding", engine_cpu,
     DICT_STEPS, 1, 1, 2.5},
    {"cpu/dict-1x50", "the same, 50 clients, one outstanding each", engine_cpu, DICT_STEPS, CLIENTS,
     1, 2.5},
    {"pipeline/queue-64x8", "puts and gets, 8 clients, 64 outstanding each", engine_rate,
     QUEUE_STEPS, 8, 64, 0.5},
    {"pipeline/dict-64x8", "sets and lookups, 8 clients, 64 outstanding each", engine_rate,
     DICT_STEPS, 8, 64, 0.5},
    {"latency/queue", "one put or get, p50", engine_latency, QUEUE_STEPS, 1, 1, 1.6},
    {"latency/dict", "one set or lookup, p50", engine_latency, DICT_STEPS, 1, 1, 1.6},
    {"handoff/hosts", "from a put on one host to a get that waits on another, p50", engine_handoff,
     QUEUE_STEPS, 1, 1, 3.0},
    {"spread/queues", "Redis' CPU for a put, 24 queues on one primary and on three", engine_spread,
     QUEUE_STEPS, 0, 16, 1.2},
    {.name = NULL},
};

int engine_hosts_start(struct engine_hosts *hosts, const char *daemon, const char *url,
                       int processor)
{
    static const char *const names[ENGINE_HOSTS] = {"host-a", "host-b", "host-c"};
    int status = 0;
    *hosts = (struct engine_hosts){.started = 0};
    for (unsigned i = 0; status == 0 && i < ENGINE_HOSTS; i++) {
        struct target *target = &hosts->targets[i];
        *target = (struct target){.protocol = i == 0 ? &protocol_ipcd : &protocol_guest,
                                  .plan = {names[i], ipcd_engine_run, daemon, processor, url},
                                  .control = -1};
        status = target_start(target, NULL);
        hosts->started += status == 0 ? 1 : 0;
    }
    return status;
}

void engine_hosts_stop(struct engine_hosts *hosts)
{
    while (hosts->started > 0) {
        target_stop(&hosts->targets[--hosts->started]);
    }
}

void engine_list(const struct options *options)
{
    for (const struct engine_row *row = engine_rows; row->name != NULL; row++) {
        if (options_select(options, row->name)) {
            (void)puts(row->name);
        }
    }
}

static bool any_selected(const struct options *options)
{
    for (const struct engine_row *row = engine_rows; row->name != NULL; row++) {
        if (options_select(options, row->name)) {
            return true;
        }
    }
    return false;
}

/* How many keys Redis has; -1 with a sentence. */
static long count_keys(const struct target *redis)
{
    static const char request[] = "DBSIZE\r\n";
    struct stream stream;
    struct slice bytes = {(const uint8_t *)request, sizeof(request) - 1};
    long keys = -1;
    if (stream_init(&stream, redis, redis->control) == 0 && stream_send(&stream, bytes) == 0 &&
        stream_read(&stream) == 0 && stream.input[0] == ':') {
        keys = strtol((const char *)stream.input + 1, NULL, 10);
    }
    stream_deinit(&stream);
    return keys >= 0 ? keys : fail("Redis does not say how many keys it has");
}

/* The servers of most rows. Nothing would be worse than to measure objects that are elsewhere. */
static int start(struct engine *engine)
{
    engine->redis =
        (struct target){&protocol_redis,
                        {"redis-server", redis_run, "redis-server", engine->processor, NULL},
                        {0},
                        -1};
    if (target_start(&engine->redis, NULL) < 0) {
        return interrupted() ? -1 : ENGINE_SKIPPED;
    }
    (void)snprintf(engine->url, sizeof(engine->url), "redis+unix://%s",
                   engine->redis.server.socket);
    if (engine_hosts_start(&engine->hosts, engine->daemon, engine->url, engine->processor) < 0) {
        return -1;
    }
    long keys = count_keys(&engine->redis);
    if (keys == 0) {
        (void)fail("%s keeps its objects itself although it was told not to: it was built without "
                   "the engine, so there is nothing to measure",
                   engine->daemon);
        return ENGINE_SKIPPED;
    }
    return keys < 0 ? -1 : 0;
}

static void stop(struct engine *engine)
{
    engine_hosts_stop(&engine->hosts);
    target_stop(&engine->redis);
}

static int bind(struct engine *engine)
{
    const struct options *options = engine->options;
    int load;
    if (!options->pin && !options->pin_one) {
        return 0;
    }
    if (cpu_choose(options->pin_one, &engine->processor, &load) < 0) {
        return -1;
    }
    return cpu_bind(0, load) < 0 ? fail("the load cannot be bound to processor %d", load) : 0;
}

static int run_row(struct engine *engine, const struct engine_row *row)
{
    struct findings findings = {.nfigures = 0};
    if (row->run(engine, row, &findings) < 0) {
        if (interrupted()) {
            return -1;
        }
        (void)fail("%s could not be measured", row->name);
        return server_check(&engine->redis.server) < 0 ||
                       server_check(&engine->hosts.targets[0].server) < 0
                   ? -1
                   : 1;
    }
    return findings_report(&findings, row->name, row->title, engine->options->json) < 0 ? -1 : 0;
}

static int run_rows(struct engine *engine)
{
    int worst = 0;
    if (!engine->options->json) {
        (void)printf("Objects in Redis, and plain commands of the same Redis beside them; medians "
                     "of %u turns of %.2f s, ratios within a turn.\n",
                     engine->turns, (double)engine->slice / 1e9);
    }
    for (const struct engine_row *row = engine_rows; worst >= 0 && row->name != NULL; row++) {
        if (options_select(engine->options, row->name)) {
            int status = run_row(engine, row);
            worst = status < 0 || status > worst ? status : worst;
        }
    }
    return worst;
}

int engine_run(const struct options *options, const char *daemon, const char *cluster)
{
    struct engine engine = {.options = options,
                            .daemon = daemon,
                            .cluster = cluster,
                            .redis.control = -1,
                            .processor = -1,
                            .slice = options->quick ? QUICK_SLICE : SLICE,
                            .turns = options->quick ? 1 : TURNS};
    if (!any_selected(options)) {
        return fail("--engine has no row \"%s\"; --engine --list shows the names", options->only);
    }
    engine.slice = options->seconds > 0.0 ? (uint64_t)(options->seconds * 1e9) : engine.slice;
    engine.turns = options->runs > 0 ? options->runs : engine.turns;
    int status = bind(&engine);
    if (status == 0) {
        status = start(&engine);
    }
    if (status == 0) {
        status = run_rows(&engine);
    }
    stop(&engine);
    return status;
}
