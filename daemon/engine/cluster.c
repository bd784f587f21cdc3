/*
 * cluster: see cluster.h. The parts put together: what settles at the end of a turn of the loop,
 * and when it is to be looked at again.
 *
 * Tests: tests/unit/engine/test_cluster.c, tests/unit/engine/test_redis.c.
 */
#include "daemon/engine/cluster.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/engine/clock.h"
#include "daemon/engine/requests.h"
#include "daemon/engine/subscriptions.h"
#include "daemon/engine/tls.h"
#include "proto/error.h"

static const uint64_t CONNECT_TIMEOUT_MS = 2000;
static const uint64_t SILENCE_MS = 1000;
static const size_t MAX_REPLY = (size_t)1 << 30;
static const uint64_t SLEEP_MOST_MS = 60000;

struct cluster {
    struct url url;
    char *password_file;
    char *client_name;
    SSL_CTX *tls;
    struct link_settings settings;
    struct node_listener nodes;
    struct cluster_listener listener;
    struct event *settle; /* at the end of a turn, and when something is due */
    struct topology topology;
    struct requests requests;
    struct subscriptions subscriptions;
    bool reachable;
    char *why; /* as was told last; NULL: nothing was */
};

/* ---- settling ------------------------------------------------------------------------------ */

static char *why_not(const struct cluster *cluster)
{
    struct buffer text = {0};
    topology_why(&cluster->topology, &text);
    (void)buffer_append(&text, "", 1);
    if (text.failed) {
        buffer_deinit(&text);
    }
    return (char *)text.data;
}

static bool same(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static void tell_state(struct cluster *cluster)
{
    bool reachable = topology_is_whole(&cluster->topology);
    char *why = reachable ? NULL : why_not(cluster);
    bool changed = reachable != cluster->reachable || !same(why, cluster->why);
    free(cluster->why);
    cluster->why = why;
    cluster->reachable = reachable;
    if (changed && cluster->listener.state != NULL) {
        cluster->listener.state(cluster->listener.data, reachable, why);
    }
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* It is woken by event_active with no events: after EV_TIMEOUT event_add would take that back. */
static void settle(evutil_socket_t fd, short events, void *data)
{
    struct cluster *cluster = data;
    uint64_t now = clock_ms();
    uint64_t due = topology_settle(&cluster->topology, now);
    bool retry = cluster->topology.retry;
    cluster->topology.retry = false;
    due = least(due, subscriptions_settle(&cluster->subscriptions, now, retry));
    due = least(due, requests_settle(&cluster->requests, now, retry));
    tell_state(cluster);
    uint64_t ms = due > now ? least(due - now, SLEEP_MOST_MS) : 1;
    struct timeval time = {.tv_sec = (time_t)(ms / 1000),
                           .tv_usec = (suseconds_t)(ms % 1000 * 1000)};
    (void)event_add(cluster->settle, &time);
}

/* ---- what nodes tell ----------------------------------------------------------------------- */

static void on_commands(void *data, struct node *node, bool lost)
{
    struct cluster *cluster = data;
    if (lost) {
        requests_node_lost(&cluster->requests, node);
    }
    topology_node_changed(&cluster->topology, node);
}

static void on_channels(void *data, struct node *node, bool lost)
{
    struct cluster *cluster = data;
    subscriptions_node_changed(&cluster->subscriptions, node, lost);
}

static bool on_message(void *data, struct node *node, struct redisReply *reply)
{
    struct cluster *cluster = data;
    return subscriptions_message(&cluster->subscriptions, node, reply);
}

/* ---- opening and closing ------------------------------------------------------------------- */

static int copy_string(const char *text, char **out)
{
    *out = text == NULL ? NULL : strdup(text);
    return text != NULL && *out == NULL ? ERR_MEMORY : 0;
}

static int copy_options(struct cluster *cluster, const struct cluster_options *options)
{
    const char *name = options->client_name != NULL ? options->client_name : "ipcd";
    if (url_copy(&options->url, &cluster->url) < 0 ||
        copy_string(options->password_file, &cluster->password_file) < 0 ||
        copy_string(name, &cluster->client_name) < 0) {
        return ERR_MEMORY;
    }
    cluster->settings = (struct link_settings){
        .tls = cluster->tls,
        .greeting =
            {
                .user = cluster->url.user,
                .password = cluster->url.password,
                .password_file = cluster->password_file,
                .client_name = cluster->client_name,
                .database = cluster->url.database,
            },
        .connect_timeout_ms =
            options->connect_timeout_ms > 0 ? options->connect_timeout_ms : CONNECT_TIMEOUT_MS,
        .silence_ms = options->silence_ms > 0 ? options->silence_ms : SILENCE_MS,
        .max_reply = options->max_reply > 0 ? options->max_reply : MAX_REPLY,
    };
    return 0;
}

static int build(struct cluster *cluster, struct event_base *base,
                 const struct cluster_options *options)
{
    if (copy_options(cluster, options) < 0) {
        return ERR_MEMORY;
    }
    cluster->settings.names.base = base;
    cluster->settle = evtimer_new(base, settle, cluster);
    if (cluster->settle == NULL) {
        return ERR_MEMORY;
    }
    cluster->nodes = (struct node_listener){on_commands, on_channels, on_message, cluster};
    int status = topology_init(&cluster->topology, &cluster->url, &cluster->settings,
                               &cluster->nodes, cluster->settle);
    subscriptions_init(&cluster->subscriptions, &cluster->topology, cluster->settle);
    cluster->subscriptions.message = cluster->listener.message;
    cluster->subscriptions.subscribed = cluster->listener.subscribed;
    cluster->subscriptions.data = cluster->listener.data;
    int of_requests =
        requests_init(&cluster->requests, &cluster->topology, options->library, cluster->settle);
    return status < 0 ? status : of_requests;
}

int cluster_open(struct event_base *base, const struct cluster_options *options,
                 const struct cluster_listener *listener, struct cluster **out, char **error)
{
    *error = NULL;
    struct cluster *cluster = calloc(1, sizeof(*cluster));
    if (cluster == NULL) {
        return ERR_MEMORY;
    }
    cluster->listener = *listener;
    const struct tls_options tls = {options->ca_file, options->certificate_file, options->key_file};
    int status = options->url.tls ? tls_new(&tls, &cluster->tls, error) : 0;
    status = status < 0 ? status : build(cluster, base, options);
    if (status < 0) {
        cluster_close(cluster);
        return status;
    }
    *out = cluster;
    return 0;
}

void cluster_close(struct cluster *cluster)
{
    if (cluster == NULL) {
        return;
    }
    if (cluster->settle != NULL) {
        requests_deinit(&cluster->requests);
        subscriptions_deinit(&cluster->subscriptions);
        topology_deinit(&cluster->topology);
        event_free(cluster->settle);
    }
    dial_names_deinit(&cluster->settings.names);
    tls_free(cluster->tls);
    url_deinit(&cluster->url);
    free(cluster->password_file);
    free(cluster->client_name);
    free(cluster->why);
    free(cluster);
}

/* ---- requests and channels ----------------------------------------------------------------- */

void cluster_send(struct cluster *cluster, struct request *request, struct slice key, size_t argc,
                  const struct slice *argv, uint64_t deadline_ms)
{
    requests_send(&cluster->requests, request, slot_of_key(key), NULL, argc, argv, deadline_ms);
}

void cluster_send_to(struct cluster *cluster, size_t index, struct request *request, size_t argc,
                     const struct slice *argv, uint64_t deadline_ms)
{
    struct node *node = topology_primary(&cluster->topology, index);
    requests_send(&cluster->requests, request, 0, node, argc, argv, deadline_ms);
    if (node == NULL) {
        request_refuse(&cluster->requests, request, "there is no such primary any more");
    }
}

void cluster_gather(struct cluster *cluster)
{
    requests_gather(&cluster->requests);
}

void cluster_flush(struct cluster *cluster)
{
    requests_flush(&cluster->requests);
}

void cluster_forget(struct cluster *cluster, struct request *request)
{
    request_forget(&cluster->requests, request);
}

size_t cluster_primaries(const struct cluster *cluster)
{
    size_t count = 0;
    while (topology_primary(&cluster->topology, count) != NULL) {
        count++;
    }
    return count;
}

uint64_t cluster_generation(const struct cluster *cluster)
{
    return cluster->topology.generation;
}

int cluster_subscribe(struct cluster *cluster, struct slice channel)
{
    return subscriptions_add(&cluster->subscriptions, channel);
}

void cluster_unsubscribe(struct cluster *cluster, struct slice channel)
{
    subscriptions_remove(&cluster->subscriptions, channel);
}

/* ---- figures ------------------------------------------------------------------------------- */

void cluster_describe(const struct cluster *cluster, struct slice key, struct buffer *out)
{
    const struct node *node = topology_of_slot(&cluster->topology, slot_of_key(key));
    if (node != NULL) {
        (void)buffer_append(out, node->name, strlen(node->name));
    }
}

static uint64_t sent(const struct node *node)
{
    return node->commands.link.sent_bytes + node->channels.link.sent_bytes;
}

static uint64_t received(const struct node *node)
{
    return node->commands.link.received_bytes + node->channels.link.received_bytes;
}

void cluster_figures(const struct cluster *cluster, struct cluster_figures *out)
{
    const struct topology *topology = &cluster->topology;
    *out = (struct cluster_figures){
        .reachable = cluster->reachable,
        .is_cluster = topology->kind == TOPOLOGY_CLUSTER,
        .nodes = cluster_primaries(cluster),
        .waiting = cluster->requests.waiting_count,
        .channels = cluster->subscriptions.count,
        .unknown = cluster->requests.unknown,
        .redirects = cluster->requests.redirects,
        .refused = cluster->requests.refused,
        .loads = cluster->requests.functions.loads,
        .requests = topology->gone.requests,
        .reconnects = topology->gone.reconnects,
        .sent_bytes = topology->gone.sent_bytes,
        .received_bytes = topology->gone.received_bytes,
    };
    const struct node *node;
    TAILQ_FOREACH (node, &topology->nodes, in) {
        out->under_way += node->under_way;
        out->requests += node->requests;
        out->reconnects += node->reconnects;
        out->sent_bytes += sent(node);
        out->received_bytes += received(node);
    }
}

bool cluster_node_figures(struct cluster *cluster, size_t index, struct cluster_node_figures *out)
{
    struct node *node = topology_primary(&cluster->topology, index);
    if (node == NULL) {
        return false;
    }
    *out = (struct cluster_node_figures){
        .reachable = pipeline_is_ready(&node->commands),
        .slots = node->slots,
        .under_way = node->under_way,
        .latency_us = node->latency_us,
        .latency_max_us = node->latency_max_us,
        .requests = node->requests,
        .reconnects = node->reconnects,
        .sent_bytes = sent(node),
        .received_bytes = received(node),
    };
    (void)snprintf(out->address, sizeof(out->address), "%s", node->name);
    node->latency_max_us = 0;
    return true;
}

const char *cluster_why(const struct cluster *cluster)
{
    return cluster->reachable     ? NULL
           : cluster->why == NULL ? "there is no connection yet"
                                  : cluster->why;
}
