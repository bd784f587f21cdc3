/* node: see node.h. */
#include "daemon/engine/node.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void on_commands_ready(void *data)
{
    struct node *node = data;
    node->listener->commands(node->listener->data, node, false);
}

static void on_commands_lost(void *data, bool was_ready)
{
    struct node *node = data;
    node->reconnects += was_ready;
    node->listener->commands(node->listener->data, node, true);
}

static void on_channels_ready(void *data)
{
    struct node *node = data;
    node->listener->channels(node->listener->data, node, false);
}

static void on_channels_lost(void *data, bool was_ready)
{
    struct node *node = data;
    node->reconnects += was_ready;
    node->listener->channels(node->listener->data, node, true);
}

static bool on_message(void *data, struct redisReply *reply)
{
    struct node *node = data;
    return node->listener->message(node->listener->data, node, reply);
}

static void on_pong(void *data, struct redisReply *reply)
{
    reader_free_reply(reply);
}

/* Nothing may come on the channels for hours: whether the server is there must be asked. */
static void ping(void *data)
{
    struct node *node = data;
    if (pipeline_command(&node->channels, 1, (const char *const[]){"PING"}, on_pong, NULL) == 0) {
        link_flush(&node->channels.link);
    }
}

/* False: no memory. */
static bool set_names(struct node *node, const struct dial_address *address)
{
    node->port = address->port;
    if (address->path != NULL) {
        node->path = strdup(address->path);
        node->name = strdup(address->path);
        return node->path != NULL && node->name != NULL;
    }
    node->host = strdup(address->host);
    const char *form = strchr(address->host, ':') != NULL ? "[%s]:%u" : "%s:%u";
    if (asprintf(&node->name, form, address->host, address->port) < 0) {
        node->name = NULL;
    }
    return node->host != NULL && node->name != NULL;
}

static void free_names(struct node *node)
{
    free(node->host);
    free(node->path);
    free(node->name);
    free(node);
}

struct node *node_new(struct link_settings *settings, const struct dial_address *address,
                      const struct node_listener *listener)
{
    struct node *node = calloc(1, sizeof(*node));
    if (node == NULL || !set_names(node, address)) {
        if (node != NULL) {
            free_names(node);
        }
        return NULL;
    }
    node->listener = listener;
    TAILQ_INIT(&node->awaiting);
    struct dial_address own = {node->host, node->port, node->path};
    struct pipeline_listener commands = {on_commands_ready, on_commands_lost, NULL, NULL, node};
    struct pipeline_listener channels = {on_channels_ready, on_channels_lost, on_message, ping,
                                         node};
    if (pipeline_init(&node->commands, settings, &own, &commands) < 0) {
        free_names(node);
        return NULL;
    }
    if (pipeline_init(&node->channels, settings, &own, &channels) < 0) {
        pipeline_deinit(&node->commands);
        free_names(node);
        return NULL;
    }
    return node;
}

void node_free(struct node *node)
{
    pipeline_deinit(&node->commands);
    pipeline_deinit(&node->channels);
    free_names(node);
}

void node_flush(struct node *node)
{
    link_flush(&node->commands.link);
    link_flush(&node->channels.link);
}
