/* methods/sessions: see sessions.h. Tests: tests/unit/methods/test_session.c, test_sessions_away.c.
 */
#include "daemon/methods/sessions.h"

#include <inttypes.h>
#include <stdio.h>

#include "daemon/call/engine.h"
#include "proto/value.h"

enum { SUMMARY_PAIRS = 10 };

/* Names. */

static bool is_host(struct slice name)
{
    for (size_t i = 0; i < name.len; i++) {
        uint8_t byte = name.data[i];
        if (!((byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
              (byte >= 'a' && byte <= 'z') || byte == '.' || byte == '_' || byte == '-')) {
            return false;
        }
    }
    return name.len > 0 && name.len <= SESSIONS_HOST_MOST;
}

/* A decimal number from 0 to INT64_MAX, as it is printed. */
static bool read_number(struct slice text, uint64_t *number)
{
    *number = 0;
    for (size_t i = 0; i < text.len; i++) {
        unsigned digit = text.data[i] - (unsigned)'0';
        if (digit > 9 || *number > ((uint64_t)INT64_MAX - digit) / 10) {
            return false;
        }
        *number = *number * 10 + digit;
    }
    return text.len == 1 || (text.len > 1 && text.data[0] != '0');
}

bool sessions_read_name(struct slice name, struct slice *host, uint64_t *number)
{
    const uint8_t *colon = name.len > 0 ? memchr(name.data, ':', name.len) : NULL;
    if (colon == NULL) {
        return false;
    }
    *host = (struct slice){name.data, (size_t)(colon - name.data)};
    return is_host(*host) && read_number(slice_from(name, host->len + 1), number);
}

/* As it is told to people. */
static void print_name(const struct service *service, uint64_t number, char out[SESSIONS_NAME_SIZE])
{
    const struct engine_api *engine = service->engine;
    (void)snprintf(out, SESSIONS_NAME_SIZE, "%.*s%s%" PRIu64, SESSIONS_HOST_MOST,
                   engine == NULL ? "" : engine->host, engine == NULL ? "" : ":", number);
}

static int refuse_name(struct call *call, unsigned i)
{
    struct buffer shown = {0};
    value_print(call_value(call, i), 64, &shown);
    int status = call_fail(call, ERR_BAD_REQUEST, "%s: param session must be %s, not %.*s",
                           call->method->name, param_type_name(PARAM_SESSION), (int)shown.len,
                           (const char *)shown.data);
    buffer_deinit(&shown);
    return status;
}

int sessions_read_param(struct call *call, unsigned i, uint64_t *number)
{
    const struct engine_api *engine = call->service->engine;
    *number = call->session->id;
    if (!call_given(call, i)) {
        return 0;
    }
    if (call->params[i].header.kind != KIND_STR) {
        *number = (uint64_t)call->params[i].header.i;
        return 0;
    }
    struct slice host;
    if (!sessions_read_name(call_bytes(call, i), &host, number)) {
        return refuse_name(call, i);
    }
    if (engine == NULL) {
        return call_fail(call, ERR_NOT_FOUND,
                         "there is no session %.*s:%" PRIu64 ", as this daemon shares no engine "
                         "with other hosts; session.list lists those there are, by number",
                         (int)host.len, (const char *)host.data, *number);
    }
    if (slice_equal(host, slice_of_string(engine->host))) {
        return 0;
    }
    if (call->batch != NULL) {
        return call_fail(call, ERR_UNSUPPORTED,
                         "%s: sessions of other hosts cannot be asked for in a batch",
                         call->method->name);
    }
    return CALL_AWAY;
}

/* Lists. */

size_t sessions_pack_summary(struct buffer *out, struct session *session, uint64_t holding_away)
{
    const struct credentials *peer = &session->credentials;
    const struct engine_api *engine = session->service->engine;
    char name[SESSIONS_NAME_SIZE];
    print_name(session->service, session->id, name);
    if (engine == NULL) {
        pack_key_uint(out, "session", session->id);
    } else {
        pack_key_string(out, "session", name);
        pack_key_string(out, "host", engine->host);
        pack_key_uint(out, "engine_tags", engine->session_tags(engine->data, session));
    }
    pack_key_int(out, "pid", peer->pid);
    pack_key_uint(out, "uid", peer->uid);
    pack_key_uint(out, "gid", peer->gid);
    pack_key_string(out, "client", session->client);
    pack_string(out, "since");
    pack_timestamp(out, session->since.tv_sec, (uint32_t)session->since.tv_nsec);
    pack_key_uint(out, "calls", session->ncalls);
    pack_key_uint(out, "waiting", session->calls.live - session->away);
    pack_key_uint(out, "holding", session_holding(session) + holding_away);
    pack_key_uint(out, "bytes", session->charged.bytes);
    return SUMMARY_PAIRS + (engine == NULL ? 0 : 2);
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

size_t sessions_pack(const struct service *service, uint64_t *last, size_t most, struct buffer *out)
{
    size_t count = 0;
    struct session *session = session_after(service, *last);
    for (; session != NULL && count < most; session = TAILQ_NEXT(session, link)) {
        size_t at = pack_map_begin(out);
        pack_map_end(out, at, sessions_pack_summary(out, session, 0));
        *last = session->id;
        count++;
    }
    return count;
}

struct session *sessions_find(const struct service *service, uint64_t number,
                              char text[CALL_TEXT_MAX])
{
    char name[SESSIONS_NAME_SIZE];
    struct session *session = session_after(service, number - 1);
    if (number > 0 && session != NULL && session->id == number) {
        return session;
    }
    print_name(service, number, name);
    (void)snprintf(text, CALL_TEXT_MAX, "there is no session %s; session.list lists them", name);
    return NULL;
}

/* Ends. */

int sessions_kill(struct service *service, uint64_t number, uid_t uid, char text[CALL_TEXT_MAX])
{
    struct session *session = sessions_find(service, number, text);
    if (session == NULL) {
        return ERR_NOT_FOUND;
    }
    const struct credentials who = {.uid = uid};
    if (!access_owner(&who, service->accounts.self, session->credentials.uid)) {
        char name[SESSIONS_NAME_SIZE];
        print_name(service, number, name);
        (void)snprintf(text, CALL_TEXT_MAX,
                       "session %s belongs to user %u; only that user, root and the daemon's user "
                       "may end it, and the caller is user %u",
                       name, (unsigned)session->credentials.uid, (unsigned)uid);
        return ERR_DENIED;
    }
    session->killed = true;
    session_dirty(session);
    return 0;
}
