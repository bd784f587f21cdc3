/* topology: see topology.h. Tests: tests/unit/engine/test_cluster.c. */
#include "daemon/engine/topology.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/engine/clock.h"
#include "daemon/engine/ranges.h"
#include "proto/error.h"

enum {
    NODES_MOST = 2000, /* a cluster of Redis has a thousand at the most */
    ASK_PAUSE_MS = 200,
    ASK_ANYWAY_MS = 10000,
    PATIENCE_MS = 1000, /* after so much trouble all nodes are tried */
};

static void wake(const struct topology *topology)
{
    event_active(topology->settle, 0, 0);
}

/* ---- nodes --------------------------------------------------------------------------------- */

static struct node *add(struct topology *topology, const struct dial_address *address)
{
    struct node *node = topology->count >= NODES_MOST
                            ? NULL
                            : node_new(topology->settings, address, topology->listener);
    if (node != NULL) {
        TAILQ_INSERT_TAIL(&topology->nodes, node, in);
        topology->count++;
    }
    return node;
}

static bool is_at(const struct node *node, struct slice host, uint16_t port)
{
    return node->host != NULL && node->port == port &&
           slice_equal(slice_of_string(node->host), host);
}

struct node *topology_node(struct topology *topology, struct slice host, uint16_t port,
                           const struct node *from)
{
    if (host.len == 0) {
        host = slice_of_string(from->host == NULL ? "127.0.0.1" : from->host);
    }
    struct node *node;
    TAILQ_FOREACH (node, &topology->nodes, in) {
        if (is_at(node, host, port)) {
            return node;
        }
    }
    char *name = strndup((const char *)host.data, host.len);
    node = name == NULL ? NULL : add(topology, &(struct dial_address){name, port, NULL});
    free(name);
    return node;
}

static void remove_node(struct topology *topology, struct node *node)
{
    const struct link *commands = &node->commands.link;
    const struct link *channels = &node->channels.link;
    TAILQ_REMOVE(&topology->nodes, node, in);
    topology->count--;
    topology->gone.requests += node->requests;
    topology->gone.reconnects += node->reconnects;
    topology->gone.sent_bytes += commands->sent_bytes + channels->sent_bytes;
    topology->gone.received_bytes += commands->received_bytes + channels->received_bytes;
    node_free(node);
}

int topology_init(struct topology *topology, const struct url *url, struct link_settings *settings,
                  const struct node_listener *listener, struct event *settle)
{
    *topology = (struct topology){
        .settings = settings, .listener = listener, .settle = settle, .doubted = true};
    TAILQ_INIT(&topology->nodes);
    size_t count = url->path != NULL ? 1 : url->count;
    for (size_t i = 0; i < count; i++) {
        struct dial_address address = {.path = url->path};
        if (url->path == NULL) {
            address = (struct dial_address){url->hosts[i].name, url->hosts[i].port, NULL};
        }
        struct node *node = add(topology, &address);
        if (node == NULL) {
            return ERR_MEMORY;
        }
        node->seed = true;
    }
    wake(topology);
    return 0;
}

void topology_deinit(struct topology *topology)
{
    struct node *node;
    while ((node = TAILQ_FIRST(&topology->nodes)) != NULL) {
        remove_node(topology, node);
    }
    free(topology->refused);
}

/* ---- slots --------------------------------------------------------------------------------- */

struct node *topology_of_slot(const struct topology *topology, uint16_t slot)
{
    return topology->slots[slot];
}

static void set_slots(struct topology *topology, unsigned first, unsigned last, struct node *node)
{
    for (unsigned slot = first; slot <= last; slot++) {
        struct node *before = topology->slots[slot];
        if (before == node) {
            continue;
        }
        if (before != NULL) {
            before->slots--;
        }
        if (node != NULL) {
            node->slots++;
        }
        topology->slots[slot] = node;
        topology->generation++;
        topology->retry = true;
    }
}

void topology_moved(struct topology *topology, uint16_t slot, struct node *node)
{
    set_slots(topology, slot, slot, node);
    pipeline_want(&node->commands, true);
    topology_doubt(topology);
}

void topology_doubt(struct topology *topology)
{
    topology->doubted = true;
    wake(topology);
}

void topology_node_changed(struct topology *topology, struct node *node)
{
    topology->retry = true;
    if (!pipeline_is_ready(&node->commands) && node->slots > 0) {
        topology->doubted = true;
    }
    wake(topology);
}

struct node *topology_primary(const struct topology *topology, size_t index)
{
    struct node *node;
    TAILQ_FOREACH (node, &topology->nodes, in) {
        if (node->slots > 0 && index-- == 0) {
            return node;
        }
    }
    return NULL;
}

/* ---- asking -------------------------------------------------------------------------------- */

/* The node that was asked has answered, or can no more. */
static struct node *answered(struct topology *topology)
{
    struct node *node = topology->asked;
    topology->asked = NULL;
    wake(topology);
    return node;
}

/* The answer is of no use: `format` has a %s for the node. */
static void note_refusal(struct topology *topology, const struct node *node, const char *text)
{
    free(topology->refused);
    if (asprintf(&topology->refused, "%s: %s", node->name, text) < 0) {
        topology->refused = NULL;
    }
}

static void settled_as(struct topology *topology, enum topology_kind kind)
{
    topology->kind = kind;
    topology->doubted = false;
    free(topology->refused);
    topology->refused = NULL;
}

/* The primary of this range, and its replicas, which might take over. */
static struct node *take_range(struct topology *topology, const struct range *range,
                               const struct node *from)
{
    struct node *primary = NULL;
    for (size_t i = 0; i < range->nodes; i++) {
        struct ranges_node at;
        struct node *node =
            range_node(range, i, &at) ? topology_node(topology, at.host, at.port, from) : NULL;
        if (node != NULL) {
            node->known = true;
        }
        primary = i == 0 ? node : primary;
    }
    return primary;
}

static void take_map(struct topology *topology, const struct redisReply *reply,
                     const struct node *from)
{
    bool served[SLOT_COUNT] = {false};
    struct node *node;
    TAILQ_FOREACH (node, &topology->nodes, in) {
        node->known = false;
    }
    for (size_t i = 0; i < reply->elements; i++) {
        struct range range;
        struct node *primary =
            ranges_at(reply, i, &range) ? take_range(topology, &range, from) : NULL;
        if (primary != NULL) {
            set_slots(topology, range.first, range.last, primary);
            memset(&served[range.first], true, (size_t)(range.last - range.first) + 1);
        }
    }
    for (unsigned slot = 0; slot < SLOT_COUNT; slot++) {
        if (!served[slot]) {
            set_slots(topology, slot, slot, NULL);
        }
    }
    settled_as(topology, TOPOLOGY_CLUSTER);
}

static bool is_text(const struct redisReply *reply, const char *text)
{
    return (reply->type == REDIS_REPLY_STRING || reply->type == REDIS_REPLY_STATUS) &&
           strcmp(reply->str, text) == 0;
}

/* A replica names its primary: ["slave", host, port, …]. */
static void take_primary(struct topology *topology, const struct redisReply *reply,
                         const struct node *from)
{
    struct node *primary = NULL;
    if (reply->elements >= 3 && reply->element[1]->type == REDIS_REPLY_STRING &&
        reply->element[2]->type == REDIS_REPLY_INTEGER && reply->element[2]->integer > 0 &&
        reply->element[2]->integer <= UINT16_MAX) {
        struct slice host = {(const uint8_t *)reply->element[1]->str, reply->element[1]->len};
        primary = topology_node(topology, host, (uint16_t)reply->element[2]->integer, from);
    }
    if (primary != NULL) {
        primary->known = true;
        pipeline_want(&primary->commands, true);
    }
    note_refusal(topology, from, "it is a replica, and its primary is not there");
}

static void on_role(void *data, struct redisReply *reply)
{
    struct topology *topology = data;
    struct node *from = answered(topology);
    if (reply == NULL) {
        return;
    }
    bool array = reply->type == REDIS_REPLY_ARRAY && reply->elements > 0;
    if (array && is_text(reply->element[0], "master")) {
        from->known = true;
        set_slots(topology, 0, SLOT_COUNT - 1, from);
        settled_as(topology, TOPOLOGY_SINGLE);
    } else if (array && is_text(reply->element[0], "slave")) {
        take_primary(topology, reply, from);
    } else {
        note_refusal(topology, from,
                     reply->type == REDIS_REPLY_ERROR ? reply->str
                                                      : "it does not say what it is (ROLE)");
    }
    reader_free_reply(reply);
}

static void on_slots(void *data, struct redisReply *reply)
{
    struct topology *topology = data;
    struct node *from = answered(topology);
    if (reply == NULL) {
        return;
    }
    bool is_error = reply->type == REDIS_REPLY_ERROR;
    if (is_error && (strstr(reply->str, "cluster support disabled") != NULL ||
                     strstr(reply->str, "unknown command") != NULL)) {
        if (pipeline_command(&from->commands, 1, (const char *const[]){"ROLE"}, on_role,
                             topology) == 0) {
            topology->asked = from;
        }
    } else if (reply->type == REDIS_REPLY_ARRAY && reply->elements > 0) {
        take_map(topology, reply, from);
    } else {
        note_refusal(topology, from,
                     is_error ? reply->str : "it is in a cluster of which no slot is served");
    }
    reader_free_reply(reply);
}

/* Which node is to be asked: of those that can be, the one that has not been for longest. */
static struct node *next_to_ask(const struct topology *topology)
{
    struct node *chosen = NULL;
    struct node *node;
    TAILQ_FOREACH (node, &topology->nodes, in) {
        if (pipeline_is_ready(&node->commands) &&
            (chosen == NULL || node->asked_at < chosen->asked_at)) {
            chosen = node;
        }
    }
    return chosen;
}

static void ask(struct topology *topology, struct node *node, uint64_t now)
{
    node->asked_at = now;
    topology->ask_again = now + ASK_PAUSE_MS;
    if (pipeline_command(&node->commands, 2, (const char *const[]){"CLUSTER", "SLOTS"}, on_slots,
                         topology) == 0) {
        topology->asked = node;
    }
}

/* ---- settling ------------------------------------------------------------------------------ */

bool topology_is_whole(const struct topology *topology)
{
    const struct node *node;
    size_t served = 0;
    TAILQ_FOREACH (node, &topology->nodes, in) {
        served += node->slots;
        if (node->slots > 0 && !pipeline_is_ready(&node->commands)) {
            return false;
        }
    }
    return served == SLOT_COUNT;
}

/* Opens and closes connections, and frees nodes that are nothing any more. */
static void keep_nodes(struct topology *topology, bool try_all)
{
    struct node *node;
    struct node *next;
    for (node = TAILQ_FIRST(&topology->nodes); node != NULL; node = next) {
        next = TAILQ_NEXT(node, in);
        bool busy = node->slots > 0 || node->held > 0 || node->commands.count > 0;
        if (!busy && !node->seed && !node->known) {
            remove_node(topology, node);
        } else if (busy || try_all) {
            pipeline_want(&node->commands, true);
        } else if (!topology->doubted) {
            pipeline_want(&node->commands, false);
            pipeline_want(&node->channels, false);
        }
    }
}

uint64_t topology_settle(struct topology *topology, uint64_t now)
{
    bool whole = topology_is_whole(topology);
    topology->trouble = whole ? 0 : topology->trouble == 0 ? now : topology->trouble;
    bool wanted =
        topology->doubted || !whole ||
        (topology->kind == TOPOLOGY_CLUSTER && now >= topology->ask_again + ASK_ANYWAY_MS);
    struct node *node = wanted ? next_to_ask(topology) : NULL;
    bool long_trouble = !whole && now - topology->trouble >= PATIENCE_MS;
    if (node != NULL && topology->asked == NULL && now >= topology->ask_again) {
        ask(topology, node, now);
    }
    keep_nodes(topology, (wanted && node == NULL) || long_trouble);
    if (wanted) {
        return topology->ask_again > now ? topology->ask_again : now + ASK_PAUSE_MS;
    }
    return topology->kind == TOPOLOGY_CLUSTER ? topology->ask_again + ASK_ANYWAY_MS : UINT64_MAX;
}

/* ---- why ----------------------------------------------------------------------------------- */

static void print(struct buffer *out, const char *text)
{
    (void)buffer_append(out, text, strlen(text));
}

/* A node that is wanted and not there; the first that has a reason. */
static const struct node *missing(const struct topology *topology)
{
    const struct node *node;
    const struct node *first = NULL;
    TAILQ_FOREACH (node, &topology->nodes, in) {
        bool counts = node->slots > 0 || topology->kind == TOPOLOGY_UNKNOWN;
        if (counts && !pipeline_is_ready(&node->commands) &&
            (first == NULL || (first->commands.link.why[0] == '\0'))) {
            first = node;
        }
    }
    return first;
}

void topology_why(const struct topology *topology, struct buffer *out)
{
    const struct node *node = missing(topology);
    bool refused = topology->refused != NULL;
    if (refused && (node == NULL || topology->kind == TOPOLOGY_UNKNOWN)) {
        print(out, topology->refused);
    } else if (node != NULL) {
        const char *why = node->commands.link.why;
        print(out, node->name);
        print(out, why[0] == '\0' ? ": there is no connection yet" : ": ");
        print(out, why);
    } else if (topology->kind == TOPOLOGY_UNKNOWN) {
        print(out, "no node has said yet which slots it has");
    } else {
        print(out, "some slots of the cluster are served by no node");
    }
}
