/*
 * methods/session: the handlers of session.*.
 *
 * Tests: tests/unit/methods/test_session.c, test_sessions_away.c.
 */
#include "daemon/methods/methods.h"
#include "daemon/methods/session_description.h"
#include "daemon/methods/sessions.h"

enum {
    SUMMARY_STEPS = 32,     /* what one costs, in steps of pace.h */
    SUMMARIES_AT_ONCE = 64, /* between two pauses */
};

int method_session_list(struct call *call)
{
    call->shows_all = true;
    const struct service *service = call->service;
    if (service->engine != NULL) {
        return call->batch == NULL ? CALL_AWAY
                                   : call_fail(call, ERR_UNSUPPORTED,
                                               "session.list asks all hosts of the engine, and "
                                               "cannot be one of a batch");
    }
    if (call_needs_pace(call, service->accounts.sessions * SUMMARY_STEPS)) {
        return CALL_PACED;
    }
    struct buffer *out = call_result(call);
    size_t at = pack_array_begin(out);
    size_t count = 0;
    uint64_t last = 0;
    size_t more;
    while ((more = sessions_pack(service, &last, SUMMARIES_AT_ONCE, out)) > 0) {
        count += more;
        pace_step(call->pace, more * SUMMARY_STEPS);
    }
    pack_array_end(out, at, count);
    return 0;
}

int method_session_describe(struct call *call)
{
    call->shows_all = true;
    struct session_page page;
    uint64_t number;
    int status = session_page_read(call, &page);
    if (status == 0) {
        status = sessions_read_param(call, 0, &number);
    }
    if (status != 0) {
        return status;
    }
    char text[CALL_TEXT_MAX];
    bool is_there = sessions_find(call->service, number, text) != NULL;
    if (is_there && call->service->engine != NULL && call->batch == NULL) {
        return CALL_AWAY; /* it may have something of objects there */
    }
    status = session_describe(call->service, number, &page, NULL, call_result(call), text);
    return status == 0 ? 0 : call_fail(call, status, "%s", text);
}

int method_session_kill(struct call *call)
{
    uint64_t number;
    int status = sessions_read_param(call, 0, &number);
    if (status != 0) {
        return status;
    }
    char text[CALL_TEXT_MAX];
    status = sessions_kill(call->service, number, call->session->credentials.uid, text);
    return status == 0 ? call_answer_nil(call) : call_fail(call, status, "%s", text);
}
