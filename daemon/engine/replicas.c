/* replicas: see replicas.h. */
#include "daemon/engine/replicas.h"

#include <stdio.h>

#include "daemon/engine/command.h"
#include "proto/error.h"

/* Redis adds the time of day to it. */
static const uint64_t MS_MOST = INT64_MAX / 2;

void replicas_note(struct node *node, struct request *request)
{
    if (request->wait_replicas == 0) {
        return;
    }
    uint64_t ms = request->wait_ms == 0 ? 1 : request->wait_ms;
    ms = ms > MS_MOST ? MS_MOST : ms;
    node->wait_ms = ms > node->wait_ms ? ms : node->wait_ms;
    node->wait_replicas =
        request->wait_replicas > node->wait_replicas ? request->wait_replicas : node->wait_replicas;
}

/* The reply to a WAIT: for all that have their reply, as replies come in the order of the commands.
 */
static void on_waited(void *data, struct redisReply *reply)
{
    struct node *node = data;
    struct request *request;
    while ((request = TAILQ_FIRST(&node->awaiting)) != NULL) {
        struct requests *requests = request->own.requests;
        bool counted = reply != NULL && reply->type == REDIS_REPLY_INTEGER && reply->integer > 0;
        request->replicas = counted ? (unsigned)reply->integer : 0;
        if (reply == NULL) {
            struct redisReply *unused = request->own.reply;
            request_set_why(request, "%s: %s", node->name, node->commands.link.why);
            request_tell(requests, request, NULL, REQUEST_UNKNOWN);
            reader_free_reply(unused);
        } else {
            request_tell(requests, request, request->own.reply, REQUEST_DONE);
        }
    }
    reader_free_reply(reply);
}

static void send_wait(struct node *node)
{
    char replicas[16];
    char ms[24];
    struct buffer bytes = {0};
    (void)snprintf(replicas, sizeof(replicas), "%u", node->wait_replicas);
    (void)snprintf(ms, sizeof(ms), "%llu", (unsigned long long)node->wait_ms);
    const struct slice argv[] = {slice_of_string("WAIT"), slice_of_string(replicas),
                                 slice_of_string(ms)};
    command_print(&bytes, 3, argv);
    int status = bytes.failed ? ERR_MEMORY
                              : pipeline_send(&node->commands, buffer_slice(&bytes), node->wait_ms,
                                              on_waited, node);
    buffer_deinit(&bytes);
    node->wait_replicas = 0;
    node->wait_ms = 0;
    if (status < 0) {
        link_fail(&node->commands.link, "out of memory");
    }
}

void replicas_settle(struct node *node)
{
    if (node->wait_replicas > 0) {
        send_wait(node);
    }
}

void replicas_node_lost(struct node *node)
{
    node->wait_replicas = 0;
    node->wait_ms = 0;
}
