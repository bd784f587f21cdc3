/*
 * reap: see reap.h.
 *
 * The keys of a dead daemon's sessions, and then of itself, are looked for on each primary (SCAN);
 * each is an op in the lane of its tag, which does nothing before the daemon's lease is over by
 * that node's clock too. When all have been answered it is reported as given back.
 *
 * Tests: tests/unit/engine/test_hosts.c.
 */
#include "daemon/engine/reap.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/engine/tag.h"
#include "proto/message.h"

enum stage { OF_SESSIONS, OF_HOST, REPORT };

struct reaping {
    struct request scan;
    struct engine *engine;
    struct buffer others; /* dead ones for later, packed one behind the other */
    uint32_t nothers;
    char host[128]; /* "HOST/EPOCH" of the one in hand */
    uint64_t until;
    enum stage stage;
    size_t primary;
    uint64_t generation; /* of the nodes, when it was begun */
    char cursor[24];
    unsigned pending; /* ops on their way */
    bool scanning;
    bool failed; /* something was not done: it is not reported */
    bool over;   /* forgotten; freed with the last op */
};

static void begin_next(struct reaping *reaping);

static void reaping_free(struct reaping *reaping)
{
    buffer_deinit(&reaping->others);
    free(reaping);
}

/* Ops. */

struct reap_op {
    struct op op;
    struct reaping *reaping;
};

static void go_on(struct reaping *reaping);

static void op_done(struct op *op, const struct outcome *outcome)
{
    struct reaping *reaping = ((struct reap_op *)op)->reaping;
    bool done = outcome->fate == OP_DONE && outcome->replies[0].len > 0 &&
                outcome->replies[0].data[0] == '=';
    reaping->failed |= !done;
    reaping->pending--;
    op_deinit(op);
    free(op);
    if (!reaping->over) {
        go_on(reaping);
    } else if (reaping->pending == 0) {
        reaping_free(reaping);
    }
}

static struct reap_op *new_op(struct reaping *reaping, const char *verb)
{
    struct reap_op *op = malloc(sizeof(*op));
    if (op == NULL) {
        reaping->failed = true;
        return NULL;
    }
    op_init(&op->op, verb, (struct slice){0});
    op->op.done = op_done;
    op->reaping = reaping;
    return op;
}

static void submit(struct reaping *reaping, struct slice prefix, struct reap_op *op)
{
    struct lane *lane = lanes_of_prefix(&reaping->engine->lanes, prefix);
    if (lane == NULL) {
        reaping->failed = true;
        op_deinit(&op->op);
        free(op);
        return;
    }
    reaping->pending++;
    lane_submit(lane, &op->op);
}

/* A key that was found: "ipcd:REALM:{TAG}:s:HOST/EPOCH:NUMBER" or "…:h:HOST/EPOCH". */
static void take_key(struct reaping *reaping, struct slice key)
{
    bool is_session = reaping->stage == OF_SESSIONS;
    struct slice prefix;
    struct slice whose;
    if (!tag_take_apart(key, is_session ? 's' : 'h', &prefix, &whose)) {
        return;
    }
    struct reap_op *op = new_op(reaping, is_session ? "reap.session" : "reap.host");
    if (op != NULL) {
        argument_bytes(&op->op.first.arguments, whose);
        argument_uint(&op->op.first.arguments, reaping->until);
        submit(reaping, prefix, op);
    }
}

/* Scanning. */

static void scan(struct reaping *reaping);

static bool take_keys(struct reaping *reaping, const struct redisReply *reply)
{
    if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2 ||
        reply->element[0]->type != REDIS_REPLY_STRING ||
        reply->element[1]->type != REDIS_REPLY_ARRAY) {
        return false;
    }
    (void)snprintf(reaping->cursor, sizeof(reaping->cursor), "%s", reply->element[0]->str);
    const struct redisReply *keys = reply->element[1];
    for (size_t i = 0; i < keys->elements; i++) {
        const struct redisReply *key = keys->element[i];
        if (key->type == REDIS_REPLY_STRING) {
            take_key(reaping, (struct slice){(const uint8_t *)key->str, (size_t)key->len});
        }
    }
    return true;
}

static void scanned(struct request *request, const struct redisReply *reply, enum request_fate fate,
                    const char *why)
{
    struct reaping *reaping = (struct reaping *)request;
    reaping->scanning = false;
    if (fate != REQUEST_DONE || !take_keys(reaping, reply)) {
        reaping->failed = true;
        reaping->primary = SIZE_MAX;
    } else if (strcmp(reaping->cursor, "0") == 0) {
        reaping->primary++;
    }
    go_on(reaping);
    reaping->engine->lanes.listener.settle(reaping->engine);
}

static void scan(struct reaping *reaping)
{
    const struct engine_options *options = &reaping->engine->options;
    char pattern[320];
    (void)snprintf(pattern, sizeof(pattern), "ipcd:%s:{*}:%s:%s%s", options->realm,
                   reaping->stage == OF_SESSIONS ? "s" : "h", reaping->host,
                   reaping->stage == OF_SESSIONS ? ":*" : "");
    const struct slice argv[] = {
        slice_of_string("SCAN"),  slice_of_string(reaping->cursor), slice_of_string("MATCH"),
        slice_of_string(pattern), slice_of_string("COUNT"),         slice_of_string("1000"),
    };
    reaping->scanning = true;
    reaping->scan = (struct request){.done = scanned};
    cluster_send_to(reaping->engine->cluster, reaping->primary, &reaping->scan,
                    sizeof(argv) / sizeof(argv[0]), argv, options->timeout_ms);
}

/* Steps. */

static void report(struct reaping *reaping)
{
    const struct engine *engine = reaping->engine;
    struct buffer prefix = {0};
    char *slash = strchr(reaping->host, '/');
    struct reap_op *op = new_op(reaping, "host.reaped");
    tag_prefix(engine->options.realm, slice_of_string(TAG_HOSTS), &prefix);
    if (op != NULL && slash != NULL && !prefix.failed) {
        struct arguments *arguments = &op->op.first.arguments;
        argument_bytes(arguments, (struct slice){(const uint8_t *)reaping->host,
                                                 (size_t)(slash - reaping->host)});
        argument_text(arguments, slash + 1);
        submit(reaping, buffer_slice(&prefix), op);
    }
    buffer_deinit(&prefix);
}

/* The next thing to be done, if nothing is under way. */
static void go_on(struct reaping *reaping)
{
    if (reaping->scanning || reaping->pending > 0) {
        return;
    }
    struct cluster *cluster = reaping->engine->cluster;
    reaping->failed |= reaping->generation != cluster_generation(cluster);
    if (reaping->failed || reaping->stage == REPORT) {
        begin_next(reaping);
    } else if (reaping->primary < cluster_primaries(cluster)) {
        scan(reaping);
    } else if (reaping->stage == OF_SESSIONS) {
        reaping->stage = OF_HOST;
        reaping->primary = 0;
        go_on(reaping);
    } else {
        reaping->stage = REPORT;
        report(reaping);
        go_on(reaping);
    }
}

static bool read_dead(struct reaping *reaping, struct slice *rest)
{
    struct param entry = value_next(rest);
    struct slice inside = slice_from(entry.raw, entry.header.size);
    if (entry.header.kind != KIND_ARRAY || entry.header.count < 3) {
        return false;
    }
    struct param host = value_next(&inside);
    struct param epoch = value_next(&inside);
    struct param until = value_next(&inside);
    if (host.header.kind != KIND_STR || epoch.header.kind != KIND_INT ||
        until.header.kind != KIND_INT || host.header.length > REALM_MAX) {
        return false;
    }
    struct slice name = slice_from(host.raw, host.header.size);
    (void)snprintf(reaping->host, sizeof(reaping->host), "%.*s/%" PRId64, (int)name.len,
                   (const char *)name.data, epoch.header.i);
    reaping->until = (uint64_t)until.header.i;
    return true;
}

/* The next dead one; or the end. */
static void begin_next(struct reaping *reaping)
{
    struct slice rest = buffer_slice(&reaping->others);
    bool found = false;
    while (reaping->nothers > 0 && !found) {
        reaping->nothers--;
        found = read_dead(reaping, &rest);
    }
    buffer_consume(&reaping->others, reaping->others.len - rest.len);
    if (!found) {
        reaping->engine->reaping = NULL;
        reaping_free(reaping);
        return;
    }
    reaping->stage = OF_SESSIONS;
    reaping->primary = 0;
    reaping->generation = cluster_generation(reaping->engine->cluster);
    reaping->failed = false;
    (void)snprintf(reaping->cursor, sizeof(reaping->cursor), "0");
    go_on(reaping);
}

void reap_given(struct engine *engine, struct slice packed)
{
    struct header header;
    if (engine->reaping != NULL || scan_length(packed.data, packed.len) == 0 ||
        header_read(packed.data, packed.len, &header) != 0 || header.kind != KIND_ARRAY ||
        header.count == 0) {
        return;
    }
    struct reaping *reaping = calloc(1, sizeof(*reaping));
    if (reaping == NULL) {
        return; /* it comes again */
    }
    reaping->engine = engine;
    pack_raw(&reaping->others, slice_from(packed, header.size));
    reaping->nothers = reaping->others.failed ? 0 : header.count;
    engine->reaping = reaping;
    begin_next(reaping);
}

void reap_forget(struct engine *engine)
{
    struct reaping *reaping = engine->reaping;
    if (reaping == NULL) {
        return;
    }
    engine->reaping = NULL;
    if (reaping->scanning) {
        cluster_forget(engine->cluster, &reaping->scan);
    }
    reaping->over = true;
    if (reaping->pending == 0) {
        reaping_free(reaping);
    }
}

bool reap_is_busy(const struct engine *engine)
{
    return engine->reaping != NULL;
}
