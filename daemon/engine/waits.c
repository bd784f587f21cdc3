/*
 * waits: see waits.h.
 *
 * Tests: tests/hosts/test_messages.py, tests/unit/engine/test_hosts.c, the suite "engine".
 */
#include "daemon/engine/waits.h"

#include <stdlib.h>

#include "daemon/engine/away.h"
#include "daemon/engine/hosts.h"
#include "daemon/engine/mailbox.h"
#include "daemon/engine/watched.h"

/* Entries. */

struct entry {
    uint64_t number;
    uint64_t wait;
    struct slice reply;
    bool has_undo;
};

/* The next of `left` elements, if it is of that kind. */
static bool next(struct slice *rest, uint32_t *left, enum kind kind, struct param *out)
{
    if (*left == 0 || scan_length(rest->data, rest->len) == 0) {
        return false;
    }
    (*left)--;
    *out = value_next(rest);
    return out->header.kind == kind;
}

/* The elements of an array. */
static bool open_array(struct slice packed, struct slice *rest, uint32_t *count)
{
    struct header header;
    if (packed.len == 0 || header_read(packed.data, packed.len, &header) != 0 ||
        header.kind != KIND_ARRAY) {
        return false;
    }
    *rest = slice_from(packed, header.size);
    *count = header.count;
    return true;
}

static bool read_entry(struct slice packed, struct entry *out)
{
    struct slice rest;
    uint32_t left;
    struct param number;
    struct param wait;
    struct param reply;
    if (!open_array(packed, &rest, &left) || !next(&rest, &left, KIND_INT, &number) ||
        !next(&rest, &left, KIND_INT, &wait) || !next(&rest, &left, KIND_STR, &reply)) {
        return false;
    }
    struct param undo = {0};
    bool has_undo = next(&rest, &left, KIND_STR, &undo) && undo.header.length > 0;
    *out = (struct entry){(uint64_t)number.header.i, (uint64_t)wait.header.i,
                          slice_from(reply.raw, reply.header.size), has_undo};
    return true;
}

/* What nobody is there to take. */

static void undeliver_done(struct op *op, const struct outcome *outcome)
{
    struct lane *lane = *(struct lane **)(op + 1);
    ((struct engine *)lane->lanes->listener.data)->ending--;
    if (--lane->mailbox.undoing == 0) {
        lane->mailbox.held = 0;
        lane_acknowledge(lane);
    }
    lane_unuse(lane);
    op_deinit(op);
    free(op);
}

/* The entry is not acknowledged before that is done. */
static void undeliver(struct lane *lane, const struct entry *entry)
{
    struct op *op = malloc(sizeof(*op) + sizeof(struct lane *));
    if (op == NULL) {
        return; /* it is undone when this daemon is gone */
    }
    op_init(op, "undeliver", (struct slice){0});
    argument_uint(&op->first.arguments, entry->wait);
    *(struct lane **)(op + 1) = lane;
    op->done = undeliver_done;
    if (lane->mailbox.held == 0) {
        lane->mailbox.held = entry->number;
    }
    lane->mailbox.undoing++;
    ((struct engine *)lane->lanes->listener.data)->ending++;
    lane_use(lane);
    lane_submit(lane, op);
}

static void take(struct engine *engine, struct lane *lane, const struct entry *entry)
{
    struct away *away = away_waiting(engine, lane, entry->wait);
    lane->mailbox.last = entry->number;
    if (entry->wait == 0) {
        hosts_mail(engine, entry->reply);
    } else if (away != NULL && away->call != NULL) {
        away_serve(away, lane, entry->reply);
    } else if (entry->has_undo) {
        undeliver(lane, entry);
    }
}

/* The list. */

static void fetch(struct engine *engine, struct lane *lane);

struct fetching {
    struct op op;
    struct engine *engine;
    struct lane *lane;
};

static void take_list(struct engine *engine, struct lane *lane, struct slice packed)
{
    struct slice rest;
    uint32_t left;
    struct param bytes;
    struct entry entry;
    if (!open_array(packed, &rest, &left)) {
        return;
    }
    while (next(&rest, &left, KIND_STR, &bytes)) {
        if (read_entry(slice_from(bytes.raw, bytes.header.size), &entry) &&
            entry.number > lane->mailbox.last) {
            take(engine, lane, &entry);
        }
    }
    lane_acknowledge(lane);
}

static void fetch_done(struct op *op, const struct outcome *outcome)
{
    struct fetching *fetching = (struct fetching *)op;
    struct engine *engine = fetching->engine;
    struct lane *lane = fetching->lane;
    lane->mailbox.fetching = false;
    if (outcome->fate == OP_DONE && outcome->replies[0].len > 0 &&
        outcome->replies[0].data[0] == '=') {
        take_list(engine, lane, slice_from(outcome->replies[0], 1));
    }
    if (lane->mailbox.fetch_again && outcome->fate == OP_DONE) {
        fetch(engine, lane);
    }
    op_deinit(op);
    free(fetching);
    lane_unuse(lane);
}

static void fetch(struct engine *engine, struct lane *lane)
{
    struct mailbox *mailbox = &lane->mailbox;
    mailbox->fetch_again = mailbox->fetching;
    struct fetching *fetching = mailbox->fetching ? NULL : malloc(sizeof(*fetching));
    if (fetching == NULL) {
        return;
    }
    op_init(&fetching->op, "outbox.fetch", (struct slice){0});
    fetching->op.done = fetch_done;
    fetching->engine = engine;
    fetching->lane = lane;
    mailbox->fetching = true;
    lane_use(lane);
    lane_submit(lane, &fetching->op);
}

/* Channels. */

void waits_subscribed(void *data, struct slice channel)
{
    struct engine *engine = data;
    struct lane *lane = lanes_of_channel(&engine->lanes, channel);
    if (lane != NULL) {
        watched_missed(engine, lane); /* it was interrupted, or was to be heard from now on only */
        engine->confirming -= !lane->mailbox.confirmed;
        lane->mailbox.confirmed = true;
        fetch(engine, lane);
        engine->lanes.listener.settle(engine);
    }
}

static void take_entry(struct engine *engine, struct lane *lane, struct slice payload)
{
    struct entry entry;
    if (!read_entry(payload, &entry) || entry.number <= lane->mailbox.last) {
        return;
    }
    if (entry.number != lane->mailbox.last + 1) {
        fetch(engine, lane);
        return;
    }
    take(engine, lane, &entry);
    lane_acknowledge(lane);
}

/* ["d", due in ms, name] */
static void take_due(struct engine *engine, struct lane *lane, struct slice rest, uint32_t left)
{
    struct param due;
    struct param name;
    if (next(&rest, &left, KIND_INT, &due) && next(&rest, &left, KIND_STR, &name)) {
        lane_note_due(lane, slice_from(name.raw, name.header.size), 0); /* it says when, then */
    }
}

void waits_message(void *data, struct slice channel, struct slice payload)
{
    struct engine *engine = data;
    struct lane *lane = lanes_of_channel(&engine->lanes, channel);
    struct slice rest;
    uint32_t left;
    struct param kind;
    if (lane == NULL || !open_array(payload, &rest, &left)) {
        return;
    }
    engine->service->now = engine_now(engine);
    lane_use(lane);
    if (!next(&rest, &left, KIND_STR, &kind)) {
        take_entry(engine, lane, payload);
    } else if (slice_equal(slice_from(kind.raw, kind.header.size), slice_of_string("d"))) {
        take_due(engine, lane, rest, left);
    } else if (slice_equal(slice_from(kind.raw, kind.header.size), slice_of_string("e"))) {
        watched_event(engine, rest, left);
    } else if (slice_equal(slice_from(kind.raw, kind.header.size), slice_of_string("m"))) {
        watched_meta(engine, rest, left);
    } else if (slice_equal(slice_from(kind.raw, kind.header.size), slice_of_string("z"))) {
        engine->catching_up--;
    }
    lane_unuse(lane);
    engine->lanes.listener.settle(engine);
}

/* For tests. */

static void told(struct request *request, const struct redisReply *reply, enum request_fate fate,
                 const char *why)
{
    free(request);
}

void waits_catch_up(struct engine *engine)
{
    static const uint8_t message[] = {0x91, 0xa1, 'z'};
    for (uint32_t i = 0; (i = ordered_next(&engine->lanes.tags, i)) != ORDERED_NONE; i++) {
        const struct lane *lane = (const struct lane *)engine->lanes.tags.entries[i];
        const struct slice argv[] = {
            slice_of_string("SPUBLISH"), buffer_slice(&lane->channel), {message, sizeof(message)}};
        struct request *request = lane->mailbox.confirmed ? calloc(1, sizeof(*request)) : NULL;
        if (request != NULL) {
            request->done = told;
            engine->catching_up++;
            cluster_send(engine->cluster, request, buffer_slice(&lane->prefix), 3, argv, 10000);
        }
    }
}

void waits_lose(struct engine *engine, const char *why)
{
    for (uint32_t i = 0; (i = ordered_next(&engine->waits, i)) != ORDERED_NONE;) {
        struct away *away = (struct away *)engine->waits.entries[i];
        uint64_t seq = away->entry.seq;
        if (away->state == AWAY_WAITS) {
            away_lose(away, why);
        }
        i = ordered_from_seq(&engine->waits, seq + 1);
        if (i == ORDERED_NONE) {
            break;
        }
    }
    for (uint32_t i = 0; (i = ordered_next(&engine->lanes.tags, i)) != ORDERED_NONE; i++) {
        struct lane *lane = (struct lane *)engine->lanes.tags.entries[i];
        mailbox_close(engine, lane);
        lane->mailbox.last = 0;
        lane->mailbox.acked = 0;
        lane->mailbox.held = 0;
    }
}
