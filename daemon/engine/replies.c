/* replies: see replies.h. Tests: tests/unit/engine/test_cluster.c,
 * tests/unit/engine/test_functions.c. */
#include "daemon/engine/replies.h"

#include "daemon/engine/clock.h"
#include "daemon/engine/refusal.h"

enum {
    HOPS_AT_ONCE = 5,    /* redirections that are followed without a pause */
    PAUSE_MS = 20,       /* before a refused request is sent again: so long for each refusal … */
    PAUSE_MOST_MS = 200, /* … up to this */
    LIBRARY_TIMES = 3,   /* that a node may not know the function */
};

static void count_latency(struct node *node, const struct request *request)
{
    uint64_t now = clock_us();
    uint64_t took = now > request->own.sent ? now - request->own.sent : 0;
    uint64_t before = node->latency_us;
    node->latency_us = before == 0 ? took : before - before / 8 + took / 8;
    node->latency_max_us = took > node->latency_max_us ? took : node->latency_max_us;
}

static void wait_for_library(struct requests *requests, struct request *request, struct node *node)
{
    request->own.unknown++;
    if (request->own.unknown > LIBRARY_TIMES) {
        request_set_why(request, "%s has the library of functions, but not the function",
                        node->name);
        request_end(requests, request, REQUEST_NOT_DONE);
    } else if (functions_load(&requests->functions, node) < 0) {
        request_refuse(requests, request, "out of memory");
    } else {
        request->own.wants_library = true;
        request_wait(requests, request, 0);
    }
}

static void redirect(struct requests *requests, struct request *request,
                     const struct refusal *refusal, const struct node *from)
{
    struct topology *topology = requests->topology;
    struct node *to = topology_node(topology, refusal->host, refusal->port, from);
    requests->redirects++;
    if (to == NULL) {
        request_refuse(requests, request, "out of memory");
        return;
    }
    bool ask = refusal->kind == REFUSAL_ASK;
    request_bind(request, ask ? to : NULL);
    request->own.asking = ask;
    if (ask) {
        pipeline_want(&to->commands, true);
    } else {
        request->own.slot = refusal->slot;
        topology_moved(topology, refusal->slot, to);
    }
    request_wait(requests, request, request->own.tries > HOPS_AT_ONCE ? PAUSE_MS : 0);
}

/* The node has not run it. */
static void refused(struct requests *requests, struct request *request,
                    const struct refusal *refusal, const struct redisReply *reply)
{
    struct node *node = request->own.node;
    request_set_why(request, "%s: %s", node->name, reply->str);
    request->own.tries++;
    if (refusal->kind == REFUSAL_MOVED || refusal->kind == REFUSAL_ASK) {
        redirect(requests, request, refusal, node);
        return;
    }
    requests->refused++;
    if (request->own.asking) {
        request_bind(request, NULL); /* whoever has the slot says anew where to ask */
    }
    if (refusal->kind == REFUSAL_LIBRARY) {
        wait_for_library(requests, request, node);
    } else if (refusal->kind == REFUSAL_FINAL) {
        request_end(requests, request, REQUEST_NOT_DONE);
    } else {
        uint64_t pause = (uint64_t)request->own.tries * PAUSE_MS;
        if (refusal->kind == REFUSAL_ELSEWHERE) {
            topology_doubt(requests->topology);
        }
        request_wait(requests, request, pause > PAUSE_MOST_MS ? PAUSE_MOST_MS : pause);
    }
}

void replies_take(void *data, struct redisReply *reply)
{
    struct request *request = data;
    struct requests *requests = request->own.requests;
    struct node *node = request->own.node;
    node->under_way--;
    if (reply == NULL) {
        request_set_why(request, "%s: %s", node->name, node->commands.link.why);
        request_tell(requests, request, NULL, REQUEST_UNKNOWN);
        return;
    }
    count_latency(node, request);
    if (reply->type == REDIS_REPLY_ERROR) {
        struct refusal refusal =
            refusal_of((struct slice){(const uint8_t *)reply->str, reply->len});
        bool knows =
            refusal.kind == REFUSAL_LIBRARY && !functions_has_library(&requests->functions);
        if (refusal.kind != REFUSAL_NONE && !knows) {
            refused(requests, request, &refusal, reply);
            reader_free_reply(reply);
            return;
        }
    }
    if (request->wait_replicas > 0) {
        request->own.reply = reply;
        request_set_state(requests, request, REQUEST_AWAITING);
    } else {
        request_tell(requests, request, reply, REQUEST_DONE);
    }
}

void replies_loaded(void *data, struct node *node, const char *why, bool final)
{
    struct requests *requests = data;
    struct request *request;
    struct request *next;
    for (request = TAILQ_FIRST(&requests->waiting); request != NULL; request = next) {
        next = TAILQ_NEXT(request, own.in);
        if (!request->own.wants_library || request->own.node != node) {
            continue;
        }
        if (why != NULL && final) {
            request_refuse(requests, request, why);
        } else if (why != NULL) {
            request_set_why(request, "%s", why);
            request->own.again = clock_later(clock_ms(), PAUSE_MOST_MS);
        }
    }
    requests->due = 0;
    requests_wake(requests);
}
