/* request_state: see request_state.h. Tests: tests/unit/engine/test_cluster.c,
 * tests/unit/engine/test_node.c. */
#include "daemon/engine/request_state.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/engine/clock.h"

void requests_wake(struct requests *requests)
{
    if (requests->gathering) {
        requests->wakes = true;
    } else {
        event_active(requests->settle, 0, 0);
    }
}

static struct request_list *list_of(struct requests *requests, const struct request *request)
{
    switch (request->own.state) {
    case REQUEST_FRESH:
        return &requests->fresh;
    case REQUEST_WAITING:
        return &requests->waiting;
    case REQUEST_SENT:
        return &requests->sent;
    case REQUEST_AWAITING:
        return &request->own.node->awaiting;
    case REQUEST_ENDED:
        return &requests->ended;
    case REQUEST_IDLE:
        break;
    }
    return NULL;
}

void request_set_state(struct requests *requests, struct request *request, enum request_state state)
{
    struct request_list *list = list_of(requests, request);
    if (list != NULL) {
        TAILQ_REMOVE(list, request, own.in);
    }
    requests->waiting_count -= request->own.state == REQUEST_WAITING;
    request->own.state = state;
    list = list_of(requests, request);
    if (list != NULL) {
        TAILQ_INSERT_TAIL(list, request, own.in);
    }
    requests->waiting_count += state == REQUEST_WAITING;
}

void request_bind(struct request *request, struct node *node)
{
    if (request->own.bound) {
        request->own.node->held--;
    }
    request->own.bound = node != NULL;
    request->own.asking = false;
    if (node != NULL) {
        request->own.node = node;
        node->held++;
    }
}

void request_set_why(struct request *request, const char *format, ...)
{
    va_list arguments;
    free(request->own.why);
    va_start(arguments, format);
    if (vasprintf(&request->own.why, format, arguments) < 0) {
        request->own.why = NULL;
    }
    va_end(arguments);
}

/* Frees what it owns but the reply and the reason. */
static void release(struct requests *requests, struct request *request)
{
    request_bind(request, NULL);
    request_set_state(requests, request, REQUEST_IDLE);
    buffer_deinit(&request->own.command);
}

void request_tell(struct requests *requests, struct request *request, struct redisReply *reply,
                  enum request_fate fate)
{
    char *why = request->own.why;
    request->own.why = NULL;
    request->own.reply = NULL;
    release(requests, request);
    requests->unknown += fate == REQUEST_UNKNOWN;
    if (request->done != NULL) {
        const char *text = why == NULL ? "out of memory" : why;
        request->done(request, reply, fate, fate == REQUEST_DONE ? NULL : text);
    }
    free(why);
    reader_free_reply(reply);
}

void request_end(struct requests *requests, struct request *request, enum request_fate fate)
{
    request->own.fate = fate;
    request_set_state(requests, request, REQUEST_ENDED);
    requests_wake(requests);
}

void request_refuse(struct requests *requests, struct request *request, const char *why)
{
    request_set_why(request, "%s", why);
    request_end(requests, request, REQUEST_NOT_DONE);
}

void request_wait(struct requests *requests, struct request *request, uint64_t ms)
{
    request->own.again = clock_later(clock_ms(), ms);
    request_set_state(requests, request, REQUEST_WAITING);
    requests->due = 0;
    requests_wake(requests);
}

void request_forget(struct requests *requests, struct request *request)
{
    if (request->own.state == REQUEST_SENT) {
        pipeline_forget(&request->own.node->commands, request);
        request->own.node->under_way--;
    }
    if (request->own.state != REQUEST_IDLE) {
        release(requests, request);
        free(request->own.why);
        reader_free_reply(request->own.reply);
        request->own.why = NULL;
        request->own.reply = NULL;
    }
}
