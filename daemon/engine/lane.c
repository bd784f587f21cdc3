/* lane: see lane.h. Tests: tests/unit/engine/test_lane.c. */
#include "daemon/engine/lane.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/engine/tag.h"
#include "daemon/objects/registry.h"
#include "proto/pack.h"

enum {
    ACK_NS = 50000000, /* how long what is to be acknowledged waits for a batch */
    NS_PER_MS = 1000000,
};

uint64_t lanes_now(const struct lanes *lanes)
{
    return lanes->options.clock.now(lanes->options.clock.data);
}

bool lanes_may_send(const struct lanes *lanes)
{
    return lanes->tenure.good_until > lanes_now(lanes);
}

/* Lanes. */

void lane_set_channel(struct lane *lane)
{
    const struct lanes *lanes = lane->lanes;
    char epoch[32];
    (void)snprintf(epoch, sizeof(epoch), "/%" PRIu64, lanes->tenure.epoch);
    lane->channel.len = 0;
    pack_raw(&lane->channel, buffer_slice(&lane->prefix));
    (void)buffer_append(&lane->channel, ":ch:", 4);
    (void)buffer_append(&lane->channel, lanes->options.host, strlen(lanes->options.host));
    (void)buffer_append(&lane->channel, epoch, strlen(epoch));
}

static bool has_prefix(const struct ordered_entry *entry, const void *key)
{
    const struct lane *lane = (const struct lane *)entry;
    return slice_equal(buffer_slice(&lane->prefix), *(const struct slice *)key);
}

static struct lane *lane_new(struct lanes *lanes, struct slice prefix, uint32_t hash)
{
    struct lane *lane = calloc(1, sizeof(*lane));
    if (lane == NULL) {
        return NULL;
    }
    lane->lanes = lanes;
    lane->hash = hash;
    lane->state = LANE_STATES;
    TAILQ_INIT(&lane->queue);
    TAILQ_INIT(&lane->sent);
    LIST_INIT(&lane->dues);
    pack_raw(&lane->prefix, prefix);
    lane_set_channel(lane);
    if (lane->prefix.failed || lane->channel.failed ||
        ordered_append(&lanes->tags, hash, &lane->entry) < 0) {
        buffer_deinit(&lane->prefix);
        buffer_deinit(&lane->channel);
        free(lane);
        return NULL;
    }
    return lane;
}

void due_free(struct due *due)
{
    heap_remove(&due->lane->lanes->dues, &due->deadline);
    LIST_REMOVE(due, link);
    free(due);
}

bool lane_is_busy(const struct lane *lane)
{
    return lane->under_way || !TAILQ_EMPTY(&lane->queue) || lane->wants_batch;
}

static void unready(struct lane *lane)
{
    if (lane->is_ready) {
        lane->is_ready = false;
        TAILQ_REMOVE(&lane->lanes->ready, lane, ready);
    }
}

/* It goes to the list of a state; LANE_STATES: to none. */
static void move_to(struct lane *lane, enum lane_state state)
{
    struct lanes *lanes = lane->lanes;
    if (lane->state != LANE_STATES) {
        TAILQ_REMOVE(&lanes->lists[lane->state], lane, link);
        lanes->nidle -= lane->state == LANE_IDLE;
    }
    lane->state = state;
    if (state != LANE_STATES) {
        TAILQ_INSERT_TAIL(&lanes->lists[state], lane, link);
        lanes->nidle += state == LANE_IDLE;
    }
}

void lane_end_ack(struct lane *lane)
{
    if (lane->mailbox.ack_due != 0) {
        lane->mailbox.ack_due = 0;
        TAILQ_REMOVE(&lane->lanes->acks, lane, in_acks);
    }
}

void lane_free(struct lane *lane)
{
    struct lanes *lanes = lane->lanes;
    if (lanes->listener.leaves != NULL) {
        lanes->listener.leaves(lanes->listener.data, lane);
    }
    if (lanes->last == lane) {
        lanes->last = NULL;
    }
    unready(lane);
    lane_end_ack(lane);
    move_to(lane, LANE_STATES);
    while (!LIST_EMPTY(&lane->dues)) {
        due_free(LIST_FIRST(&lane->dues));
    }
    (void)ordered_remove(&lanes->tags, ordered_from_seq(&lanes->tags, lane->entry.seq), lane->hash,
                         NULL);
    buffer_deinit(&lane->prefix);
    buffer_deinit(&lane->channel);
    free(lane);
}

/* It goes to the list where it belongs. */
void lane_place(struct lane *lane)
{
    bool is_kept = lane->users > 0 || !LIST_EMPTY(&lane->dues) || lane->mailbox.ack_due != 0;
    enum lane_state state = lane_is_busy(lane) ? LANE_BUSY : is_kept ? LANE_KEPT : LANE_IDLE;
    if (state != lane->state) {
        move_to(lane, state);
    }
}

/* Those that have been idle for longest go. Not while one of them may be in somebody's hands. */
void lanes_trim(struct lanes *lanes)
{
    while (lanes->nidle > LANES_IDLE_MOST) {
        lane_free(TAILQ_FIRST(&lanes->lists[LANE_IDLE]));
    }
}

struct lane *lanes_of_prefix(struct lanes *lanes, struct slice prefix)
{
    uint32_t hash = hash_bytes(prefix, lanes->seed);
    uint32_t position = ordered_find(&lanes->tags, hash, has_prefix, &prefix);
    if (position != ORDERED_NONE) {
        return (struct lane *)lanes->tags.entries[position];
    }
    struct lane *lane = lane_new(lanes, prefix, hash);
    if (lane != NULL) {
        move_to(lane, LANE_IDLE);
    }
    return lane;
}

struct lane *lanes_of_name(struct lanes *lanes, struct slice name)
{
    struct buffer *prefix = &lanes->prefix;
    if (lanes->last != NULL && slice_equal(name, buffer_slice(&lanes->last_name))) {
        return lanes->last; /* calls often come one after the other */
    }
    lanes->last_name.len = 0;
    pack_raw(&lanes->last_name, name);
    if (lanes->options.tag != NULL) {
        name = slice_of_string(lanes->options.tag);
    }
    prefix->len = 0;
    tag_prefix_of_name(lanes->options.realm, name, prefix);
    bool failed = prefix->failed || lanes->last_name.failed;
    prefix->failed = false;
    lanes->last_name.failed = false;
    lanes->last = failed ? NULL : lanes_of_prefix(lanes, buffer_slice(prefix));
    return lanes->last;
}

struct lane *lanes_of_channel(const struct lanes *lanes, struct slice channel)
{
    for (size_t i = channel.len; i > 4; i--) { /* a host's name has no colon */
        if (memcmp(channel.data + i - 4, ":ch:", 4) == 0) {
            struct slice prefix = {channel.data, i - 4};
            uint32_t hash = hash_bytes(prefix, lanes->seed);
            uint32_t position = ordered_find(&lanes->tags, hash, has_prefix, &prefix);
            struct lane *lane =
                position == ORDERED_NONE ? NULL : (struct lane *)lanes->tags.entries[position];
            return lane != NULL && slice_equal(channel, buffer_slice(&lane->channel)) ? lane : NULL;
        }
    }
    return NULL;
}

void lane_use(struct lane *lane)
{
    lane->users++;
    lane_place(lane);
}

void lane_unuse(struct lane *lane)
{
    assert(lane->users > 0);
    lane->users--;
    lane_place(lane);
}

/* Ops. */

/* What is acknowledged: all that was looked at, but for what is held. */
uint64_t lane_ack(const struct lane *lane)
{
    const struct mailbox *mailbox = &lane->mailbox;
    return mailbox->held > 0 ? mailbox->held - 1 : mailbox->last;
}

void lane_make_ready(struct lane *lane)
{
    struct lanes *lanes = lane->lanes;
    if (!lane->is_ready && !lane->under_way && lane_is_busy(lane)) {
        lane->is_ready = true;
        TAILQ_INSERT_TAIL(&lanes->ready, lane, ready);
        event_active(&lanes->flush, EV_TIMEOUT, 0);
    }
}

static void enter(struct lane *lane, struct op *op, bool first)
{
    assert(op->lane == NULL);
    op->lane = lane;
    op->is_sent = false;
    if (first) {
        TAILQ_INSERT_HEAD(&lane->queue, op, link);
    } else {
        TAILQ_INSERT_TAIL(&lane->queue, op, link);
    }
    lane_place(lane);
    lane_make_ready(lane);
}

void lane_submit(struct lane *lane, struct op *op)
{
    enter(lane, op, false);
}

void lane_submit_first(struct lane *lane, struct op *op)
{
    enter(lane, op, true);
}

void lane_acknowledge(struct lane *lane)
{
    struct lanes *lanes = lane->lanes;
    if (lane->mailbox.ack_due == 0 && lane_ack(lane) > lane->mailbox.acked) {
        lane->mailbox.ack_due = lanes_now(lanes) + ACK_NS;
        TAILQ_INSERT_TAIL(&lanes->acks, lane, in_acks);
        lane_place(lane);
    }
}

bool lane_withdraw(struct op *op)
{
    struct lane *lane = op->lane;
    if (op->is_sent) {
        return false;
    }
    TAILQ_REMOVE(&lane->queue, op, link);
    op->lane = NULL;
    lane_place(lane);
    return true;
}

/* Time. */

void lane_note_due(struct lane *lane, struct slice name, uint64_t ms)
{
    struct lanes *lanes = lane->lanes;
    uint64_t at = lanes_now(lanes) + (ms < UINT32_MAX ? ms : UINT32_MAX) * NS_PER_MS;
    struct due *due;
    LIST_FOREACH (due, &lane->dues, link) {
        if (slice_equal((struct slice){due->name, due->name_len}, name)) {
            due->deadline.at = at;
            heap_update(&lanes->dues, &due->deadline);
            return;
        }
    }
    due = name.len > UINT8_MAX ? NULL : malloc(sizeof(*due) + name.len);
    if (due == NULL) {
        return;
    }
    *due = (struct due){
        .deadline = {.at = at, .position = HEAP_NONE}, .lane = lane, .name_len = (uint8_t)name.len};
    memcpy(due->name, name.data, name.len);
    if (heap_push(&lanes->dues, &due->deadline) < 0) {
        free(due);
        return;
    }
    LIST_INSERT_HEAD(&lane->dues, due, link);
    lane_place(lane);
}
