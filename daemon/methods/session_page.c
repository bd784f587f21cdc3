/*
 * methods/session_page: the handler of session.page: the memory in which a session notes which of
 * the items that are reserved for it it has taken (daemon/objects/ahead_page.h).
 *
 * Tests: tests/unit/methods/test_queue_ahead.c.
 */
#include <errno.h>
#include <unistd.h>

#include "daemon/methods/methods.h"

/* Gives the session a page; its descriptor goes away with the answer. */
static int make_page(struct call *call, struct descriptor **out)
{
    struct session *session = call->session;
    int fd;
    int status = user_may_charge(session->user, ahead_page_cost() + descriptor_cost());
    if (status < 0) {
        return status;
    }
    status = ahead_page_new(&session->page, &fd);
    if (status < 0) {
        char text[128];
        return call_fail(call, status, "session.page: the system gives no shared memory: %s",
                         strerror_r(errno, text, sizeof(text)));
    }
    status = descriptor_new(session->user, fd, out);
    if (status < 0) {
        (void)close(fd);
        ahead_page_free(session->page);
        session->page = NULL;
        return status;
    }
    (*out)->ours = true;
    session_charge_memory(session);
    return 0;
}

int method_session_page(struct call *call)
{
    struct descriptor *descriptor;
    if (call->session->page != NULL) {
        return call_fail(call, ERR_EXISTS, "session.page: the session has its page already");
    }
    int status = make_page(call, &descriptor);
    if (status < 0) {
        return status;
    }
    struct buffer *out = call_result(call);
    pack_array(out, 2);
    call_pack_descriptor(call, descriptor);
    pack_uint(out, AHEAD_SLOTS);
    descriptor_unref(descriptor);
    return 0;
}
