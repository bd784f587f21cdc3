/*
 * dispatch: see dispatch.h.
 *
 * Tests: tests/unit/methods/, whole calls; tests/fuzz/fuzz_calls.c.
 */
#include "daemon/call/dispatch.h"

#include <stdio.h>

#include "daemon/call/engine.h"
#include "daemon/call/lookup.h"
#include "daemon/call/running.h"
#include "proto/value.h"

/* The first try of a call with `count` params; of a large message in steps from its beginning, as
 * whatever is done with its values may be long. Returns 0, the error, or what keeps it from ending.
 */
static int begin_call(struct call *call, unsigned count, bool is_large)
{
    call->service->figures[call->method->id].calls++;
    int status = call_check_params(call, count);
    return __builtin_expect(status == 0, 1) ? call_begin(call, is_large)
                                            : call_complete(call, status);
}

static void refuse_request(struct session *session, uint32_t msgid, int error, const char *text)
{
    message_error(&session->output.bytes, msgid, error, text, (struct slice){0});
    session_dirty(session);
}

/* There is no method of the message's name: the text for that. */
static void print_unknown(const struct message *message, char text[CALL_TEXT_MAX])
{
    struct buffer name = {0};
    struct buffer shown = {0};
    pack_str(&name, message->method);
    value_print(buffer_slice(&name), 64, &shown);
    (void)snprintf(text, CALL_TEXT_MAX,
                   "there is no method %.*s; server.methods lists those there are", (int)shown.len,
                   (const char *)shown.data);
    buffer_deinit(&name);
    buffer_deinit(&shown);
}

/* [2, "cancel", [msgid]]: ends a waiting request; anything else by that name is ignored. */
static void run_cancel(struct session *session, const struct message *message)
{
    if (message->nparams < 1 || message->params[0].header.kind != KIND_INT) {
        return;
    }
    int64_t msgid = message->params[0].header.i;
    struct parked *parked = NULL;
    if (msgid >= 0 && msgid <= UINT32_MAX) {
        parked = session_parked(session, (uint32_t)msgid);
    }
    if (parked != NULL && parked_is_away(parked)) {
        const struct engine_api *engine = session->service->engine;
        engine->cancel(engine->data, &parked->call, ERR_CANCELLED);
    } else if (parked != NULL &&
               (parked->state == PARKED_WAITS || parked->state == PARKED_HELD_UP)) {
        call_cancel(&parked->call, ERR_CANCELLED, "the caller cancelled the wait");
    }
}

/* The origin of a message that has references or descriptors in it; refuses the request if there
 * can be none. */
static int make_origin(struct service *service, struct session *session,
                       const struct message *message, const struct passed *passed,
                       struct origin **out)
{
    const char *why = "out of memory";
    const struct sender sender = {&service->registry, session->user, &session->credentials};
    int status = origin_new(message, passed, &sender, out, &why);
    if (status == 0 || message->type != MESSAGE_REQUEST) {
        return status;
    }
    struct buffer text = {0};
    if (status == ERR_LIMIT) {
        refusal_print(&service->accounts.refusal, &text);
        (void)buffer_append(&text, "", 1);
        why = text.failed ? "over the limit max_descriptors" : (const char *)text.data;
    }
    refuse_request(session, message->msgid, status, why);
    buffer_deinit(&text);
    return status;
}

/* What every call begins with; where its answer goes is said by whoever runs it. */
static void call_init(struct call *call, struct session *session, const struct method *method,
                      const struct message *message)
{
    call->service = session->service;
    call->session = session;
    call->method = method;
    call->object = NULL;
    call->params = (struct param *)(uintptr_t)message->params;
    call->parked = NULL;
    call->now = session->service->now;
    call->progress = 0;
    call->msgid = message->msgid;
    call->notification = false;
    call->waited = false;
    call->timed_out = false;
    call->refused = false;
    call->over = false;
    call->shows_all = false;
}

static void run_message(struct service *service, struct session *session, struct message *message,
                        struct passed *passed)
{
    const struct method *method = method_index_find(&service->index, message->method);
    bool notification = message->type == MESSAGE_NOTIFICATION;
    if (method == NULL) {
        if (notification && slice_equal(message->method, slice_of_string("cancel"))) {
            run_cancel(session, message);
        } else if (!notification) {
            char text[CALL_TEXT_MAX];
            service->unknown_methods++;
            print_unknown(message, text);
            refuse_request(session, message->msgid, ERR_UNKNOWN_METHOD, text);
        }
        return;
    }
    if (!notification && session->calls.live > 0 &&
        session_parked(session, message->msgid) != NULL) {
        refuse_request(session, message->msgid, ERR_BAD_REQUEST,
                       "this msgid belongs to a request that is still waiting; use another one");
        return;
    }
    struct origin *origin = NULL;
    if (__builtin_expect(message->exts != 0, 0) &&
        make_origin(service, session, message, passed, &origin) < 0) {
        return;
    }
    struct call call;
    call_init(&call, session, method, message);
    call.origin = origin;
    call.out = &session->output;
    call.start = output_mark(call.out);
    call.batch = NULL;
    call.pace = NULL;
    call.notification = notification;
    bool is_large = __builtin_expect(passed != NULL, 0) && passed->memory != NULL;
    int status = begin_call(&call, message->nparams, is_large);
    if (status > 0 && (status = call_suspend(&call, status, passed)) < 0) {
        (void)call_complete(&call, status);
    }
    origin_unref(origin);
}

int call_run_within(const struct call *outer, struct message *message, struct batch *batch)
{
    struct service *service = outer->service;
    struct call call;
    call_init(&call, outer->session, method_index_find(&service->index, message->method), message);
    call.origin = outer->origin;
    call.out = &batch->results;
    call.start = output_mark(call.out);
    call.batch = batch;
    call.pace = outer->pace;
    if (call.method != NULL) {
        int status = begin_call(&call, message->nparams, false);
        if (status ==
            CALL_HELD_UP) { /* it was not there when the batch began, which holds others */
            status = call_complete(&call, call_fail(&call, ERR_NOT_FOUND,
                                                    "%s: there was no object \"%s\" when the batch "
                                                    "began, and now it is at work for others",
                                                    call.method->name, call.held_up_by->name));
        }
        if (status == CALL_AWAY) {
            status = call_complete(&call, call_refuse_mixed(&call));
        }
        return status;
    }
    char text[CALL_TEXT_MAX];
    service->unknown_methods++;
    print_unknown(message, text);
    return call_fail(&call, ERR_UNKNOWN_METHOD, "%s", text);
}

void service_run(struct service *service, struct session *session, struct message *message,
                 struct passed *passed, uint64_t now)
{
    service->now = now;
    if (__builtin_expect(service_due(service) <= now, 0)) {
        service_tick(service, now);
    }
    session->ncalls++;
    if (message->type != MESSAGE_RESPONSE) {
        run_message(service, session, message, passed);
    }
    service_drain(service);
}
