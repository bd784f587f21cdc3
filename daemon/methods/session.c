/* methods/session: the handlers of session.*. */
#include "daemon/call/lookup.h"
#include "daemon/methods/claims.h"
#include "daemon/methods/methods.h"
#include "daemon/methods/options.h"
#include "proto/value.h"

enum {
    SUMMARY_PAIRS = 10,
    SUMMARY_STEPS = 32,     /* what one costs, in steps of pace.h */
    SUMMARIES_AT_ONCE = 64, /* between two pauses */
    PAGE_STANDARD = 1000,   /* entries of each list in a description */
    PAGE_MOST = 10000,
};

/* The pairs that session.list and session.describe share. */
static void pack_summary(struct buffer *out, struct session *session)
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

/* The first session of a number greater than `id`, or NULL. */
static struct session *session_after(const struct service *service, uint64_t id)
{
    struct session *session;
    TAILQ_FOREACH (session, &service->sessions, link) {
        if (session->id > id) {
            return session;
        }
    }
    return NULL;
}

int method_session_list(struct call *call)
{
    call->shows_all = true;
    const struct service *service = call->service;
    if (call_needs_pace(call, service->accounts.sessions * SUMMARY_STEPS)) {
        return CALL_PACED;
    }
    struct buffer *out = call_result(call);
    size_t at = pack_array_begin(out);
    size_t count = 0;
    struct session *session = session_after(service, 0);
    while (session != NULL) {
        uint64_t last = 0;
        for (int i = 0; i < SUMMARIES_AT_ONCE && session != NULL; i++) {
            pack_map(out, SUMMARY_PAIRS);
            pack_summary(out, session);
            count++;
            last = session->id;
            session = TAILQ_NEXT(session, link);
        }
        if (session != NULL) {
            pace_step(call->pace, (size_t)SUMMARIES_AT_ONCE * SUMMARY_STEPS);
            session = session_after(service, last); /* others may have gone */
        }
    }
    pack_array_end(out, at, count);
    return 0;
}

/* session.describe */

/* Where a page of a description begins: the calls (their sequence numbers, and the number among
 * those on which one waits) and the ties (the numbers of their objects). As a cursor, an array of
 * three. */
struct page {
    uint64_t call;
    uint64_t wait;
    uint64_t tie;
    uint64_t limit; /* entries of each list */
    bool more;      /* one of them has more */
};

/* False: that was no cursor. */
static bool read_cursor(const struct param *cursor, struct page *page)
{
    uint64_t *const parts[] = {&page->call, &page->wait, &page->tie};
    if (cursor->header.count != 3) {
        return false;
    }
    struct slice rest = slice_from(cursor->raw, cursor->header.size);
    bool fits = true;
    for (int i = 0; i < 3; i++) {
        struct param part = value_next(&rest);
        fits = fits && param_fits(&part.header, PARAM_UINT);
        *parts[i] = fits ? (uint64_t)part.header.i : 0;
    }
    return fits;
}

static int read_page(struct call *call, struct page *page)
{
    struct param given[OPTIONS_session_describe];
    int status = options_read(call, 1, given);
    if (status < 0) {
        return status;
    }
    const struct param *cursor = &given[OPTION_session_describe_cursor];
    int64_t limit = option_int(&given[OPTION_session_describe_limit], PAGE_STANDARD);
    *page = (struct page){.limit = (uint64_t)(limit < PAGE_MOST ? limit : PAGE_MOST)};
    if (limit > 0 && !option_given(cursor)) {
        return 0;
    }
    if (limit == 0 || !read_cursor(cursor, page)) {
        return call_fail(call, ERR_BAD_REQUEST,
                         "session.describe: option cursor must be one that an answer gave, and "
                         "limit 1 or more");
    }
    return 0;
}

/* A call that waits on several objects comes once for each. */
static void pack_waits(struct buffer *out, const struct session *session, uint64_t now,
                       struct page *page)
{
    size_t at = pack_array_begin(out);
    uint64_t total = 0;
    struct parked *parked;
    while (total < page->limit && (parked = session_parked_from(session, page->call)) != NULL) {
        unsigned count;
        const struct wait *waits = parked_waits(parked, &count);
        uint64_t i = parked->of_session.seq == page->call ? page->wait : 0;
        for (; i < count && total < page->limit; i++) {
            if (waits[i].object != NULL) {
                size_t pairs = pack_map_begin(out);
                pack_key_str(out, "object", object_name(waits[i].object));
                pack_map_end(out, pairs, 1 + pack_wait(out, parked, now));
                total++;
            }
        }
        bool passed = i >= count; /* a cursor may be anything */
        page->call = parked->of_session.seq + passed;
        page->wait = passed ? 0 : i;
    }
    page->more |= session_parked_from(session, page->call) != NULL;
    pack_array_end(out, at, total);
}

/* The names of what it has open, of the ties of the page. */
static void pack_open(struct buffer *out, const struct session *session, const struct page *page)
{
    size_t at = pack_array_begin(out);
    size_t count = 0;
    const struct tie *tie = session_tie_from(session, page->tie);
    for (uint64_t i = 0; tie != NULL && i < page->limit; i++) {
        if (tie->open) {
            pack_str(out, object_name(tie->object));
            count++;
        }
        tie = session_tie_from(session, tie->object->entry.seq + 1);
    }
    pack_array_end(out, at, count);
}

static void pack_holds(struct buffer *out, const struct session *session, struct page *page)
{
    size_t at = pack_array_begin(out);
    size_t count = 0;
    const struct tie *tie = session_tie_from(session, page->tie);
    for (uint64_t i = 0; tie != NULL && i < page->limit; i++) {
        if (tie->holding > 0) {
            size_t pairs = pack_map_begin(out);
            pack_key_str(out, "object", object_name(tie->object));
            pack_key_string(out, "type", object_type_name(tie->object));
            pack_map_end(out, pairs, 2 + pack_hold(out, tie));
            count++;
        }
        page->tie = tie->object->entry.seq + 1;
        tie = session_tie_from(session, page->tie);
    }
    page->more |= tie != NULL;
    pack_array_end(out, at, count);
}

static int refuse_number(struct call *call, int64_t number)
{
    return call_fail(call, ERR_NOT_FOUND, "there is no session %lld; session.list lists them",
                     (long long)number);
}

int method_session_describe(struct call *call)
{
    call->shows_all = true;
    int64_t number = call_int(call, 0, (int64_t)call->session->id);
    struct session *session = session_find(call->service, (uint64_t)number);
    struct page page;
    if (session == NULL) {
        return refuse_number(call, number);
    }
    int status = read_page(call, &page);
    if (status < 0) {
        return status;
    }
    struct buffer *out = call_result(call);
    pack_map(out, SUMMARY_PAIRS + 4);
    pack_summary(out, session);
    pack_string(out, "open");
    pack_open(out, session, &page);
    pack_string(out, "holds");
    pack_holds(out, session, &page);
    pack_string(out, "waits");
    pack_waits(out, session, call->now, &page);
    pack_string(out, "cursor");
    if (page.more) {
        pack_array(out, 3);
        pack_uint(out, page.call);
        pack_uint(out, page.wait);
        pack_uint(out, page.tie);
    } else {
        pack_nil(out);
    }
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
