/* requests: see requests.h. Tests: tests/unit/engine/test_cluster.c, tests/unit/engine/test_node.c.
 */
#include "daemon/engine/requests.h"

#include <string.h>

#include "daemon/engine/clock.h"
#include "daemon/engine/command.h"
#include "daemon/engine/replicas.h"
#include "daemon/engine/replies.h"
#include "proto/error.h"

void requests_send(struct requests *requests, struct request *request, uint16_t slot,
                   struct node *node, size_t argc, const struct slice *argv, uint64_t deadline_ms)
{
    memset(&request->own, 0, sizeof(request->own));
    request->replicas = 0;
    request->own.requests = requests;
    request->own.slot = slot;
    request->own.deadline = clock_later(clock_ms(), deadline_ms);
    command_print(&request->own.command, argc, argv);
    if (request->own.command.failed) {
        request_refuse(requests, request, "out of memory");
        return;
    }
    request_bind(request, node);
    request_set_state(requests, request, REQUEST_FRESH);
    if (!requests->gathering) {
        requests_wake(requests);
    }
}

static void drop(void *data, struct redisReply *reply)
{
    reader_free_reply(reply);
}

static int write_to(struct node *node, struct request *request)
{
    if (request->own.asking &&
        pipeline_command(&node->commands, 1, (const char *const[]){"ASKING"}, drop, NULL) < 0) {
        return ERR_MEMORY;
    }
    if (pipeline_send(&node->commands, buffer_slice(&request->own.command), 0, replies_take,
                      request) < 0) {
        return ERR_MEMORY;
    }
    replicas_note(node, request);
    return 0;
}

/* True if it is where it is to be: sent, or ended. */
static bool try_to_send(struct requests *requests, struct request *request)
{
    struct node *node = request->own.bound
                            ? request->own.node
                            : topology_of_slot(requests->topology, request->own.slot);
    if (node == NULL || !pipeline_is_ready(&node->commands) || node->loading) {
        return false;
    }
    if (write_to(node, request) < 0) {
        request_refuse(requests, request, "out of memory");
        return true;
    }
    request->own.wants_library = false;
    request->own.node = node;
    request->own.sent = clock_us();
    node->requests++;
    node->under_way++;
    request_set_state(requests, request, REQUEST_SENT);
    return true;
}

static void end_at_deadline(struct requests *requests, struct request *request)
{
    if (request->own.why == NULL) {
        struct buffer why = {0};
        topology_why(requests->topology, &why);
        (void)buffer_append(&why, "", 1);
        request_set_why(request, "%s", why.failed ? "out of memory" : (const char *)why.data);
        buffer_deinit(&why);
    }
    request_end(requests, request, REQUEST_NOT_DONE);
}

static void look_at_waiting(struct requests *requests, uint64_t now)
{
    struct request *request;
    struct request *next;
    requests->due = UINT64_MAX;
    for (request = TAILQ_FIRST(&requests->waiting); request != NULL; request = next) {
        next = TAILQ_NEXT(request, own.in);
        if (request->own.deadline <= now) {
            end_at_deadline(requests, request);
        } else if (request->own.again > now || !try_to_send(requests, request)) {
            uint64_t due = request->own.again > now ? request->own.again : request->own.deadline;
            due = due > request->own.deadline ? request->own.deadline : due;
            requests->due = due < requests->due ? due : requests->due;
        }
    }
}

static void send_fresh(struct requests *requests)
{
    struct request *request;
    while ((request = TAILQ_FIRST(&requests->fresh)) != NULL) {
        if (!try_to_send(requests, request)) {
            request_set_state(requests, request, REQUEST_WAITING);
            requests->wakes = requests->gathering; /* the timer is to be set */
            requests->due =
                request->own.deadline < requests->due ? request->own.deadline : requests->due;
        }
    }
}

void requests_gather(struct requests *requests)
{
    requests->gathering = true;
}

void requests_flush(struct requests *requests)
{
    struct node *node;
    send_fresh(requests);
    TAILQ_FOREACH (node, &requests->topology->nodes, in) {
        if (node->wait_replicas > 0) {
            requests->wakes = true; /* one WAIT for all of the turn, behind them */
        } else {
            node_flush(node);
        }
    }
    requests->gathering = false;
    if (requests->wakes) {
        requests->wakes = false;
        requests_wake(requests);
    }
}

/* Those that end meanwhile, perhaps the same ones again, are told the next time. */
static void tell_ended(struct requests *requests)
{
    size_t count = 0;
    struct request *request;
    TAILQ_FOREACH (request, &requests->ended, own.in) {
        count++;
    }
    while (count-- > 0 && (request = TAILQ_FIRST(&requests->ended)) != NULL) {
        request_tell(requests, request, NULL, request->own.fate);
    }
}

uint64_t requests_settle(struct requests *requests, uint64_t now, bool retry)
{
    struct node *node;
    tell_ended(requests);
    if (retry || now >= requests->due) {
        look_at_waiting(requests, now);
    }
    send_fresh(requests);
    TAILQ_FOREACH (node, &requests->topology->nodes, in) {
        replicas_settle(node);
        node_flush(node);
    }
    return requests->due;
}

void requests_node_lost(struct requests *requests, struct node *node)
{
    struct request *request;
    replicas_node_lost(node);
    TAILQ_FOREACH (request, &requests->waiting, own.in) {
        if (request->own.bound && request->own.asking && request->own.node == node) {
            request_bind(request, NULL);
        }
    }
    requests->due = 0;
    requests_wake(requests);
}

int requests_init(struct requests *requests, struct topology *topology, struct slice library,
                  struct event *settle)
{
    *requests = (struct requests){.topology = topology, .settle = settle, .due = UINT64_MAX};
    TAILQ_INIT(&requests->fresh);
    TAILQ_INIT(&requests->waiting);
    TAILQ_INIT(&requests->sent);
    TAILQ_INIT(&requests->ended);
    int status = functions_init(&requests->functions, library);
    requests->functions.loaded = replies_loaded;
    requests->functions.data = requests;
    return status;
}

static void forget_all(struct requests *requests, struct request_list *list)
{
    struct request *request;
    while ((request = TAILQ_FIRST(list)) != NULL) {
        request_forget(requests, request);
    }
}

void requests_deinit(struct requests *requests)
{
    struct node *node;
    forget_all(requests, &requests->fresh);
    forget_all(requests, &requests->waiting);
    forget_all(requests, &requests->sent);
    forget_all(requests, &requests->ended);
    TAILQ_FOREACH (node, &requests->topology->nodes, in) {
        forget_all(requests, &node->awaiting);
    }
    functions_deinit(&requests->functions);
}
