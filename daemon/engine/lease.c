/*
 * lease: see lease.h.
 *
 * Tests: tests/unit/engine/test_hosts.c.
 */
#include "daemon/engine/lease.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "daemon/engine/fcall.h"
#include "daemon/engine/guest.h"
#include "daemon/engine/hosts.h"
#include "daemon/engine/reap.h"
#include "daemon/engine/tag.h"
#include "daemon/engine/mailbox.h"
#include "daemon/engine/waits.h"
#include "daemon/engine/watched.h"

enum { NS_PER_MS = 1000000, AGAIN_MS = 250 };

static const char lost[] = "the daemon was cut off from the engine for longer than its lease, so "
                           "what this session held or "
                           "waited for there has been given back; calls from now on are done";

struct lease {
    struct request request;
    struct engine *engine;
    struct buffer prefix; /* of the keys of all hosts */
    uint64_t asked;       /* when the request under way was sent: monotonic, nanoseconds */
    uint64_t next;        /* when the next one is */
    bool under_way;
    bool holds;
};

static uint64_t lease_ns(const struct engine *engine)
{
    return engine->options.lease_ms * NS_PER_MS;
}

static void lease_answered(struct request *request, const struct redisReply *reply,
                           enum request_fate fate, const char *why);

/* One op on the hosts' keys. */
static void ask(struct lease *lease, const char *verb)
{
    struct engine *engine = lease->engine;
    const struct lanes *lanes = &engine->lanes;
    struct buffer head = {0};
    struct buffer what = {0};
    struct buffer who = {0};
    struct buffer never = {0}; /* a second key, as in batch.c */
    char duration[24];
    char info[32];
    const struct fcall_head values = {
        .host = engine->options.host,
        .epoch = lease->holds ? lanes->tenure.epoch : 0,
        .until = lease->holds ? lanes->tenure.until : 0,
        .seq = lease->holds ? ++engine->lanes.seq : 0,
        .now = engine->options.now_ms == NULL ? 0 : engine->options.now_ms(engine->options.data),
    };
    fcall_put_head(&head, &values);
    fcall_put_what(&what, verb, 2, (struct slice){0}, (struct slice){0});
    fcall_put_who(&who, 0, 0);
    (void)snprintf(duration, sizeof(duration), "%" PRIu64, engine->options.lease_ms);
    (void)snprintf(info, sizeof(info), "pid %d", (int)getpid());
    pack_raw(&never, buffer_slice(&lease->prefix));
    (void)buffer_append(&never, ".", 1);
    const struct slice argv[] = {
        slice_of_string("FCALL"),  slice_of_string(lanes->options.freeing),
        slice_of_string("2"),      buffer_slice(&lease->prefix),
        buffer_slice(&never),      buffer_slice(&head),
        buffer_slice(&what),       buffer_slice(&who),
        slice_of_string(duration), slice_of_string(info),
    };
    lease->asked = engine_now(engine);
    lease->under_way = true;
    lease->request = (struct request){.done = lease_answered};
    uint64_t left = engine->options.timeout_ms;
    cluster_send(engine->cluster, &lease->request, buffer_slice(&lease->prefix),
                 sizeof(argv) / sizeof(argv[0]), argv, left);
    buffer_deinit(&never);
    buffer_deinit(&who);
    buffer_deinit(&what);
    buffer_deinit(&head);
}

/* Everything that was held is gone. */
static void lose(struct lease *lease)
{
    struct engine *engine = lease->engine;
    if (!lease->holds) {
        return;
    }
    lease->holds = false;
    if (lease->under_way) {
        cluster_forget(engine->cluster, &lease->request);
        lease->under_way = false;
    }
    lanes_set_tenure(&engine->lanes, &(struct tenure){.epoch = engine->lanes.tenure.epoch});
    lanes_fail(&engine->lanes, "the daemon's lease in the engine is over");
    waits_lose(engine, lost);
    guests_lose(engine, lost);
    watched_lose(engine);
    reap_forget(engine);
    lease->next = engine_now(engine);
    engine->lanes.listener.settle(engine);
}

static void hold(struct lease *lease, uint64_t epoch, uint64_t until)
{
    struct engine *engine = lease->engine;
    const struct tenure tenure = {epoch, until, lease->asked + lease_ns(engine)};
    lease->holds = true;
    lease->next = lease->asked + lease_ns(engine) / 3;
    lanes_set_tenure(&engine->lanes, &tenure);
    hosts_listen(engine);
}

/* What other hosts tell this one comes to the lane of all hosts. */
static void hear_hosts(struct lease *lease)
{
    struct engine *engine = lease->engine;
    if (engine->hosts == NULL) {
        engine->hosts = lanes_of_prefix(&engine->lanes, buffer_slice(&lease->prefix));
        if (engine->hosts != NULL) {
            lane_use(engine->hosts);
        }
    }
    if (engine->hosts != NULL) {
        mailbox_open(engine, engine->hosts);
    }
}

/* Two numbers in front of an array's other elements, or one. */
static bool read_numbers(struct slice *packed, uint64_t *numbers, unsigned count)
{
    struct header header;
    if (scan_length(packed->data, packed->len) == 0 ||
        header_read(packed->data, packed->len, &header) != 0 || header.kind != KIND_ARRAY ||
        header.count < count) {
        return false;
    }
    *packed = slice_from(*packed, header.size);
    for (unsigned i = 0; i < count; i++) {
        struct param number = value_next(packed);
        if (number.header.kind != KIND_INT || number.header.i < 0) {
            return false;
        }
        numbers[i] = (uint64_t)number.header.i;
    }
    return true;
}

static bool take_result(struct lease *lease, struct slice result)
{
    uint64_t numbers[2];
    if (!lease->holds) {
        if (!read_numbers(&result, numbers, 2)) {
            return false;
        }
        hold(lease, numbers[0], numbers[1]);
        hear_hosts(lease);
        return true;
    }
    if (!read_numbers(&result, numbers, 1)) {
        return false;
    }
    hold(lease, lease->engine->lanes.tenure.epoch, numbers[0]);
    reap_given(lease->engine, result);
    return true;
}

static void say(const struct lease *lease, const char *text, size_t len)
{
    const struct engine_options *options = &lease->engine->options;
    char line[512];
    (void)snprintf(line, sizeof(line), "the engine refuses the lease: %.*s", (int)len, text);
    if (options->say != NULL) {
        options->say(options->data, line);
    }
}

static void lease_answered(struct request *request, const struct redisReply *reply,
                           enum request_fate fate, const char *why)
{
    struct lease *lease = (struct lease *)request;
    struct fcall_reply replies = {.runs = 0};
    struct slice status;
    struct slice answer = {0};
    bool answered = fate == REQUEST_DONE && fcall_open(&replies, reply, &status) &&
                    fcall_next(&replies, 1, &answer);
    lease->under_way = false;
    lease->next = engine_now(lease->engine) + AGAIN_MS * (uint64_t)NS_PER_MS;
    bool taken = answered && answer.len > 0 && answer.data[0] == '=' &&
                 take_result(lease, slice_from(answer, 1));
    if (fate == REQUEST_DONE && !taken) {
        if (!answered && reply->str != NULL) {
            answer = slice_of_string(reply->str);
        }
        if (answer.len > 0 && !lease->holds) {
            say(lease, (const char *)answer.data, answer.len);
        }
        lose(lease);
    }
    fcall_close(&replies);
    lease->engine->lanes.listener.settle(lease->engine);
}

void lease_fenced(void *data)
{
    struct engine *engine = data;
    lose(engine->lease);
}

uint64_t lease_due(const struct engine *engine)
{
    const struct lease *lease = engine->lease;
    uint64_t at = lease->under_way ? TIME_NEVER : lease->next;
    uint64_t good_until = engine->lanes.tenure.good_until;
    return lease->holds && good_until < at ? good_until : at;
}

void lease_tick(struct engine *engine, uint64_t now)
{
    struct lease *lease = engine->lease;
    if (lease->holds && engine->lanes.tenure.good_until <= now) {
        lose(lease);
    }
    if (!lease->under_way && lease->next <= now) {
        ask(lease, lease->holds ? "host.renew" : "host.join");
    }
}

bool lease_is_busy(const struct engine *engine)
{
    return !engine->lease->holds || engine->lease->under_way;
}

int lease_begin(struct engine *engine)
{
    struct lease *lease = calloc(1, sizeof(*lease));
    if (lease == NULL) {
        return ERR_MEMORY;
    }
    lease->engine = engine;
    tag_prefix(engine->options.realm, slice_of_string(TAG_HOSTS), &lease->prefix);
    engine->lease = lease;
    if (lease->prefix.failed) {
        return ERR_MEMORY;
    }
    ask(lease, "host.join");
    return 0;
}

void lease_leave(struct engine *engine)
{
    struct lease *lease = engine->lease;
    if (lease->holds && !lease->under_way) {
        ask(lease, "host.leave");
    }
}

bool lease_is_given_up(const struct engine *engine)
{
    return !engine->lease->under_way;
}

void lease_end(struct engine *engine)
{
    struct lease *lease = engine->lease;
    if (lease != NULL) {
        if (lease->under_way) {
            cluster_forget(engine->cluster, &lease->request);
        }
        reap_forget(engine);
        buffer_deinit(&lease->prefix);
        free(lease);
        engine->lease = NULL;
    }
}
