/* methods/session: the handlers of session.*. */
#include "daemon/methods/claims.h"
#include "daemon/methods/methods.h"

enum { SUMMARY_PAIRS = 10 };

/* The pairs that session.list and session.describe share. */
static void pack_summary(struct buffer *out, const struct session *session)
{
    const struct credentials *peer = &session->credentials;
    pack_key_uint(out, "session", session->id);
    pack_key_int(out, "pid", peer->pid);
    pack_key_uint(out, "uid", peer->uid);
    pack_key_uint(out, "gid", peer->gid);
    pack_key_string(out, "client", session->client);
    pack_string(out, "since");
    pack_timestamp(out, session->since.tv_sec, (uint32_t)session->since.tv_nsec);
    pack_key_uint(out, "calls", session->ncalls);
    pack_key_uint(out, "waiting", session->calls.live);
    pack_key_uint(out, "holding", session_holding(session));
    pack_key_uint(out, "bytes", session->charged.bytes);
}

int method_session_list(struct call *call)
{
    struct buffer *out = call_result(call);
    size_t at = pack_array_begin(out);
    size_t count = 0;
    const struct session *session;
    TAILQ_FOREACH (session, &call->service->sessions, link) {
        pack_map(out, SUMMARY_PAIRS);
        pack_summary(out, session);
        count++;
    }
    pack_array_end(out, at, count);
    return 0;
}

/* A call that waits on several objects comes once for each. */
static void pack_waits(struct buffer *out, const struct session *session, uint64_t now)
{
    size_t at = pack_array_begin(out);
    size_t total = 0;
    struct parked *parked;
    for (uint64_t seq = 0; (parked = session_parked_from(session, seq)) != NULL;) {
        seq = parked->of_session.seq + 1;
        unsigned count;
        const struct wait *waits = parked_waits(parked, &count);
        for (unsigned i = 0; i < count; i++) {
            if (waits[i].object != NULL) {
                size_t pairs = pack_map_begin(out);
                pack_key_str(out, "object", object_name(waits[i].object));
                pack_map_end(out, pairs, 1 + pack_wait(out, parked, now));
                total++;
            }
        }
    }
    pack_array_end(out, at, total);
}

static void pack_ties(struct buffer *out, const struct session *session)
{
    pack_string(out, "open");
    size_t at = pack_array_begin(out);
    size_t count = 0;
    for (uint32_t i = 0; i < session->nties; i++) {
        if (session->ties[i]->open) {
            pack_str(out, object_name(session->ties[i]->object));
            count++;
        }
    }
    pack_array_end(out, at, count);
    pack_string(out, "holds");
    at = pack_array_begin(out);
    count = 0;
    for (uint32_t i = 0; i < session->nties; i++) {
        const struct tie *tie = session->ties[i];
        if (tie->holding > 0) {
            size_t pairs = pack_map_begin(out);
            pack_key_str(out, "object", object_name(tie->object));
            pack_key_string(out, "type", tie->object->type->name);
            pack_map_end(out, pairs, 2 + pack_hold(out, tie));
            count++;
        }
    }
    pack_array_end(out, at, count);
}

static int refuse_number(struct call *call, int64_t number)
{
    return call_fail(call, ERR_NOT_FOUND, "there is no session %lld; session.list lists them",
                     (long long)number);
}

int method_session_describe(struct call *call)
{
    int64_t number = call_int(call, 0, (int64_t)call->session->id);
    const struct session *session = session_find(call->service, (uint64_t)number);
    if (session == NULL) {
        return refuse_number(call, number);
    }
    struct buffer *out = call_result(call);
    pack_map(out, SUMMARY_PAIRS + 3);
    pack_summary(out, session);
    pack_ties(out, session);
    pack_string(out, "waits");
    pack_waits(out, session, call->now);
    return 0;
}

int method_session_kill(struct call *call)
{
    int64_t number = call_int(call, 0, 0);
    struct session *session = session_find(call->service, (uint64_t)number);
    if (session == NULL) {
        return refuse_number(call, number);
    }
    const struct credentials *peer = &call->session->credentials;
    if (!access_owner(peer, call->service->accounts.self, session->credentials.uid)) {
        return call_fail(call, ERR_DENIED,
                         "session %lld belongs to user %u; only that user, root and the daemon's "
                         "user may end it, and the caller is user %u",
                         (long long)number, (unsigned)session->credentials.uid,
                         (unsigned)peer->uid);
    }
    session->killed = true;
    session_dirty(session);
    return call_answer_nil(call);
}
