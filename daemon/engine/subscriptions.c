/* subscriptions: see subscriptions.h. */
#include "daemon/engine/subscriptions.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/engine/clock.h"
#include "daemon/engine/command.h"
#include "daemon/engine/refusal.h"
#include "proto/error.h"

enum {
    PAUSE_MS = 100, /* before a node that has refused is asked again */
};

enum channel_state {
    CHANNEL_IDLE,
    CHANNEL_ASKED,
    CHANNEL_SUBSCRIBED,
};

struct channel {
    TAILQ_ENTRY(channel) in_bucket;
    TAILQ_ENTRY(channel) in_idle;
    struct subscriptions *subscriptions;
    enum channel_state state;
    struct node *node; /* where it was asked for; held by it; NULL if idle */
    uint64_t again;    /* clock_ms before which it is not asked for */
    uint16_t slot;
    size_t len;
    uint8_t name[];
};

static void wake(struct subscriptions *subscriptions)
{
    subscriptions->due = 0;
    event_active(subscriptions->settle, 0, 0);
}

static struct slice name_of(const struct channel *channel)
{
    return (struct slice){channel->name, channel->len};
}

static struct channel *find(struct subscriptions *subscriptions, struct slice name)
{
    struct channel *channel;
    uint16_t slot = slot_of_key(name);
    TAILQ_FOREACH (channel, &subscriptions->buckets[slot % SUBSCRIPTIONS_BUCKETS], in_bucket) {
        if (slice_equal(name_of(channel), name)) {
            return channel;
        }
    }
    return NULL;
}

/* It is to be subscribed to; nothing of what was before counts. */
static void set_idle(struct channel *channel, uint64_t pause_ms)
{
    struct subscriptions *subscriptions = channel->subscriptions;
    if (channel->state != CHANNEL_IDLE) {
        channel->node->held--;
        channel->node = NULL;
        channel->state = CHANNEL_IDLE;
        TAILQ_INSERT_TAIL(&subscriptions->idle, channel, in_idle);
    }
    channel->again = pause_ms == 0 ? 0 : clock_ms() + pause_ms;
    wake(subscriptions);
}

/* ---- replies ------------------------------------------------------------------------------- */

static void take_error(struct channel *channel, const struct redisReply *reply)
{
    struct topology *topology = channel->subscriptions->topology;
    struct node *from = channel->node;
    struct refusal refusal = refusal_of((struct slice){(const uint8_t *)reply->str, reply->len});
    struct node *to = refusal.kind == REFUSAL_MOVED
                          ? topology_node(topology, refusal.host, refusal.port, from)
                          : NULL;
    if (to != NULL && to != from) {
        topology_moved(topology, refusal.slot, to);
        set_idle(channel, 0);
    } else {
        topology_doubt(topology);
        set_idle(channel, PAUSE_MS);
    }
}

static void on_subscribed(void *data, struct redisReply *reply)
{
    struct channel *channel = data;
    struct subscriptions *subscriptions = channel->subscriptions;
    if (reply == NULL) {
        set_idle(channel, 0);
        return;
    }
    if (reply->type == REDIS_REPLY_ERROR) {
        take_error(channel, reply);
    } else if (reply->type == REDIS_REPLY_ARRAY && reply->elements >= 2 &&
               reply->element[1]->type == REDIS_REPLY_STRING) {
        channel->state = CHANNEL_SUBSCRIBED;
        if (subscriptions->subscribed != NULL) {
            subscriptions->subscribed(
                subscriptions->data,
                (struct slice){(const uint8_t *)reply->element[1]->str, reply->element[1]->len});
        }
    } else {
        set_idle(channel, PAUSE_MS);
    }
    reader_free_reply(reply);
}

/* To a channel that is known no more. */
static void on_unsubscribed(void *data, struct redisReply *reply)
{
    reader_free_reply(reply);
}

/* ---- asking -------------------------------------------------------------------------------- */

static int say(struct node *node, const char *verb, struct slice name, pipeline_done *done,
               void *data)
{
    const struct slice argv[] = {slice_of_string(verb), name};
    struct buffer bytes = {0};
    command_print(&bytes, 2, argv);
    int status = bytes.failed ? ERR_MEMORY
                              : pipeline_send(&node->channels, buffer_slice(&bytes), 0, done, data);
    buffer_deinit(&bytes);
    return status;
}

static void ask(struct channel *channel, struct node *node)
{
    if (say(node, "SSUBSCRIBE", name_of(channel), on_subscribed, channel) < 0) {
        channel->again = clock_ms() + PAUSE_MS;
        return;
    }
    TAILQ_REMOVE(&channel->subscriptions->idle, channel, in_idle);
    channel->state = CHANNEL_ASKED;
    channel->node = node;
    node->held++;
}

/* Tells the node, if it is there, that the channel is not wanted from it. */
static void part(struct channel *channel)
{
    struct node *node = channel->node;
    if (node != NULL && pipeline_is_ready(&node->channels)) {
        pipeline_forget(&node->channels, channel);
        if (say(node, "SUNSUBSCRIBE", name_of(channel), on_unsubscribed, NULL) < 0) {
            channel->subscriptions->due = 0; /* messages of it are ignored, that is all */
        }
    }
}

/* Whose slot has gone elsewhere, by what the map says, follows it. */
static void compare_with_map(struct subscriptions *subscriptions)
{
    const struct topology *topology = subscriptions->topology;
    struct channel *channel;
    for (size_t i = 0; i < SUBSCRIPTIONS_BUCKETS; i++) {
        TAILQ_FOREACH (channel, &subscriptions->buckets[i], in_bucket) {
            const struct node *node = topology_of_slot(topology, channel->slot);
            if (channel->node != NULL && node != NULL && channel->node != node) {
                part(channel);
                set_idle(channel, 0);
            }
        }
    }
    subscriptions->generation = topology->generation;
}

static void look_at_idle(struct subscriptions *subscriptions, uint64_t now)
{
    struct channel *channel;
    struct channel *next;
    subscriptions->due = UINT64_MAX;
    for (channel = TAILQ_FIRST(&subscriptions->idle); channel != NULL; channel = next) {
        next = TAILQ_NEXT(channel, in_idle);
        struct node *node = topology_of_slot(subscriptions->topology, channel->slot);
        if (channel->again <= now && node != NULL) {
            if (pipeline_is_ready(&node->channels)) {
                ask(channel, node);
            } else {
                pipeline_want(&node->channels, true);
            }
        }
        if (channel->state == CHANNEL_IDLE && channel->again > now) {
            subscriptions->due =
                channel->again < subscriptions->due ? channel->again : subscriptions->due;
        }
    }
}

uint64_t subscriptions_settle(struct subscriptions *subscriptions, uint64_t now, bool retry)
{
    if (subscriptions->generation != subscriptions->topology->generation) {
        compare_with_map(subscriptions);
    }
    if (retry || now >= subscriptions->due) {
        look_at_idle(subscriptions, now);
    }
    return subscriptions->due;
}

/* ---- channels ------------------------------------------------------------------------------ */

void subscriptions_init(struct subscriptions *subscriptions, struct topology *topology,
                        struct event *settle)
{
    *subscriptions =
        (struct subscriptions){.topology = topology, .settle = settle, .due = UINT64_MAX};
    TAILQ_INIT(&subscriptions->idle);
    for (size_t i = 0; i < SUBSCRIPTIONS_BUCKETS; i++) {
        TAILQ_INIT(&subscriptions->buckets[i]);
    }
}

/* Nothing refers to it any more but, perhaps, its node. */
static void forget(struct subscriptions *subscriptions, struct channel *channel)
{
    if (channel->state == CHANNEL_IDLE) {
        TAILQ_REMOVE(&subscriptions->idle, channel, in_idle);
    } else {
        channel->node->held--;
        pipeline_forget(&channel->node->channels, channel);
    }
    TAILQ_REMOVE(&subscriptions->buckets[channel->slot % SUBSCRIPTIONS_BUCKETS], channel,
                 in_bucket);
    subscriptions->count--;
    free(channel);
}

void subscriptions_deinit(struct subscriptions *subscriptions)
{
    for (size_t i = 0; i < SUBSCRIPTIONS_BUCKETS; i++) {
        struct channel *channel;
        while ((channel = TAILQ_FIRST(&subscriptions->buckets[i])) != NULL) {
            forget(subscriptions, channel);
        }
    }
}

int subscriptions_add(struct subscriptions *subscriptions, struct slice name)
{
    struct channel *channel = find(subscriptions, name);
    if (channel != NULL) {
        if (channel->state == CHANNEL_SUBSCRIBED) {
            set_idle(channel, 0); /* to subscribe twice does no harm, and is confirmed */
        }
        return 0;
    }
    channel = calloc(1, sizeof(*channel) + name.len);
    if (channel == NULL) {
        return ERR_MEMORY;
    }
    channel->subscriptions = subscriptions;
    channel->slot = slot_of_key(name);
    channel->len = name.len;
    memcpy(channel->name, name.data, name.len);
    TAILQ_INSERT_TAIL(&subscriptions->buckets[channel->slot % SUBSCRIPTIONS_BUCKETS], channel,
                      in_bucket);
    TAILQ_INSERT_TAIL(&subscriptions->idle, channel, in_idle);
    subscriptions->count++;
    wake(subscriptions);
    return 0;
}

void subscriptions_remove(struct subscriptions *subscriptions, struct slice name)
{
    struct channel *channel = find(subscriptions, name);
    if (channel != NULL) {
        part(channel);
        forget(subscriptions, channel);
        event_active(subscriptions->settle, 0, 0); /* the command is sent then */
    }
}

/* ---- what nodes tell ----------------------------------------------------------------------- */

void subscriptions_node_changed(struct subscriptions *subscriptions, struct node *node, bool lost)
{
    struct channel *channel;
    for (size_t i = 0; lost && i < SUBSCRIPTIONS_BUCKETS; i++) {
        TAILQ_FOREACH (channel, &subscriptions->buckets[i], in_bucket) {
            if (channel->node == node) {
                set_idle(channel, 0);
            }
        }
    }
    wake(subscriptions);
}

static struct slice string_at(const struct redisReply *reply, size_t index)
{
    const struct redisReply *element = index < reply->elements ? reply->element[index] : NULL;
    return element != NULL && element->type == REDIS_REPLY_STRING
               ? (struct slice){(const uint8_t *)element->str, element->len}
               : (struct slice){NULL, 0};
}

bool subscriptions_message(struct subscriptions *subscriptions, struct node *node,
                           struct redisReply *reply)
{
    if (reply->type != REDIS_REPLY_ARRAY) {
        return false;
    }
    struct slice kind = string_at(reply, 0);
    bool message = slice_equal(kind, slice_of_string("smessage"));
    bool gone = slice_equal(kind, slice_of_string("sunsubscribe")) &&
                !pipeline_next_is(&node->channels, on_unsubscribed, NULL);
    if (!message && !gone) {
        return false;
    }
    struct channel *channel = find(subscriptions, string_at(reply, 1));
    if (channel != NULL && channel->node == node && message) {
        /* Before it is confirmed, it is of an earlier subscription that is over. */
        if (subscriptions->message != NULL && channel->state == CHANNEL_SUBSCRIBED) {
            subscriptions->message(subscriptions->data, string_at(reply, 1), string_at(reply, 2));
        }
    } else if (channel != NULL && channel->node == node && channel->state == CHANNEL_SUBSCRIBED) {
        topology_doubt(subscriptions->topology);
        set_idle(channel, PAUSE_MS);
    }
    reader_free_reply(reply);
    return true;
}
