/*
 * hosts: see hosts.h.
 *
 * A letter is an array: [true, id, from, method, uid, session, cursor, limit], a question; or
 * [false, id, count, bytes], the answer: `count` entries of session.list, or 1 and a result; or
 * [false, id, code, text], a refusal, whose code is the name of an error.
 *
 * Tests: tests/hosts/test_together.py.
 */
#include "daemon/engine/hosts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "daemon/engine/answer.h"
#include "daemon/engine/asked.h"
#include "daemon/engine/holding.h"
#include "daemon/engine/letter.h"
#include "daemon/engine/mailbox.h"
#include "daemon/methods/sessions.h"
#include "proto/message.h"

enum { NS_PER_MS = 1000000, HOST_TEXT = 128 };

/* A call of this daemon's that asks others. */
struct inquiry {
    struct op op; /* first: host.list */
    LIST_ENTRY(inquiry) link;
    struct engine *engine;
    struct call *call; /* NULL: it has been ended; freed with the op */
    uint64_t id;
    uint64_t deadline;     /* monotonic, nanoseconds */
    uint64_t expected;     /* answers that are to come */
    struct buffer entries; /* of other hosts, packed one behind the other, */
    uint64_t count;        /* and how many */
    char host[HOST_TEXT];  /* the one that is meant; "": all others, or none */
    uint64_t session;
    bool is_own;            /* session.describe, of a session of this daemon's: */
    struct holding holding; /* what it has in the engine */
};

bool hosts_are_asked(const struct method *method)
{
    return method->id == METHOD_session_list || method->id == METHOD_session_describe ||
           method->id == METHOD_session_kill;
}

static struct inquiry *inquiry_of(const struct call *call)
{
    return parked_of((struct call *)(uintptr_t)call)->away;
}

/* Nobody waits for it any more. */
static void inquiry_close(struct inquiry *inquiry)
{
    if (inquiry->call != NULL) {
        parked_of(inquiry->call)->away = NULL;
        inquiry->call = NULL;
        LIST_REMOVE(inquiry, link);
    }
    holding_deinit(&inquiry->holding);
    if (inquiry->op.lane == NULL) {
        op_deinit(&inquiry->op);
        buffer_deinit(&inquiry->entries);
        free(inquiry);
    }
}

/* ---- answering the call -----------------------------------------------------------------------
 */

static struct call *take_up(struct inquiry *inquiry)
{
    struct call *call = inquiry->call;
    call_take_up(call);
    return call;
}

/* With this daemon's sessions, and what has come from others. */
static void finish_list(struct inquiry *inquiry)
{
    struct buffer entries = {0}; /* the call itself is still away: it is none that waits */
    uint64_t last = 0;
    size_t own = sessions_pack(inquiry->engine->service, &last, SIZE_MAX, &entries);
    struct call *call = take_up(inquiry);
    struct buffer *out = call_result(call);
    size_t at = pack_array_begin(out);
    pack_raw(out, buffer_slice(&entries));
    pack_raw(out, buffer_slice(&inquiry->entries));
    pack_array_end(out, at, own + inquiry->count);
    out->failed |= entries.failed || inquiry->entries.failed;
    buffer_deinit(&entries);
    inquiry_close(inquiry);
    call_finish(call, 0);
}

static void finish_refused(struct inquiry *inquiry, int error, const char *text, size_t len)
{
    struct call *call = take_up(inquiry);
    (void)call_fail(call, error, "%.*s", (int)len, text);
    inquiry_close(inquiry);
    call_finish(call, error);
}

static void finish_description(struct inquiry *inquiry)
{
    struct session_page page = {0};
    struct buffer result = {0}; /* the call itself is still away: it is none that waits */
    char text[CALL_TEXT_MAX];
    (void)session_page_read(inquiry->call, &page); /* has been checked */
    int status = session_describe(inquiry->engine->service, inquiry->session, &page,
                                  &inquiry->holding.more, &result, text);
    struct call *call = take_up(inquiry);
    if (status == 0) {
        pack_raw(call_result(call), buffer_slice(&result));
    } else {
        (void)call_fail(call, status, "%s", text);
    }
    buffer_deinit(&result);
    inquiry_close(inquiry);
    call_finish(call, status);
}

static void own_is_known(struct holding *holding)
{
    finish_description((struct inquiry *)((char *)holding - offsetof(struct inquiry, holding)));
}

/* Nothing comes any more, or not in time. */
static void finish_late(struct inquiry *inquiry, const char *why)
{
    if (inquiry->is_own) {
        finish_description(inquiry);
        return;
    }
    if (inquiry->host[0] == '\0') {
        finish_list(inquiry);
        return;
    }
    struct call *call = take_up(inquiry);
    bool may_be_done = inquiry->expected > 0 && call->method->needs != METHOD_NEEDS_READ;
    int status = answer_failure(call, may_be_done, "%s: host %s has not answered: %s",
                                call->method->name, inquiry->host, why);
    inquiry_close(inquiry);
    call_finish(call, status);
}

/* ---- questions --------------------------------------------------------------------------------
 */

/* The caller's options of session.describe, as they came. */
static void pack_page(struct buffer *out, struct call *call)
{
    struct session_page page = {0};
    if (call->method->id == METHOD_session_describe) {
        (void)session_page_read(call, &page); /* has been checked */
    }
    pack_bin(out, page.cursor);
    pack_uint(out, page.limit);
}

static void pack_question(struct inquiry *inquiry, struct buffer *out)
{
    struct engine *engine = inquiry->engine;
    struct call *call = inquiry->call;
    char from[HOST_TEXT];
    (void)snprintf(from, sizeof(from), "%s/%" PRIu64, engine->options.host,
                   engine->lanes.tenure.epoch);
    pack_array(out, 8);
    pack_bool(out, true);
    pack_uint(out, inquiry->id);
    pack_string(out, from);
    pack_string(out, call->method->name);
    pack_uint(out, call->session->credentials.uid);
    pack_uint(out, inquiry->session);
    pack_page(out, call);
}

/* ---- answered ---------------------------------------------------------------------------------
 */

static struct inquiry *inquiry_find(const struct engine *engine, uint64_t id)
{
    struct inquiry *inquiry;
    LIST_FOREACH (inquiry, &engine->inquiries, link) {
        if (inquiry->id == id) {
            return inquiry;
        }
    }
    return NULL;
}

/* True if it is so many values and nothing else. */
static bool are_values(struct slice bytes, uint64_t count)
{
    for (; count > 0; count--) {
        size_t len = bytes.len == 0 ? 0 : scan_length(bytes.data, bytes.len);
        if (len == 0 || len > bytes.len) {
            return false;
        }
        bytes = slice_from(bytes, len);
    }
    return bytes.len == 0;
}

static void take_entries(struct inquiry *inquiry, uint64_t count, struct slice bytes)
{
    if (inquiry->host[0] != '\0') {
        struct call *call = take_up(inquiry);
        pack_raw(call_result(call), bytes);
        inquiry_close(inquiry);
        call_finish(call, 0);
        return;
    }
    (void)buffer_append(&inquiry->entries, bytes.data, bytes.len);
    inquiry->count += count;
    if (--inquiry->expected == 0) {
        finish_list(inquiry);
    }
}

static void answered(struct engine *engine, struct letter *letter)
{
    uint64_t id;
    struct param what;
    struct slice bytes;
    if (!letter_uint(letter, &id) || !letter_next(letter, &what) || !letter_bytes(letter, &bytes)) {
        return;
    }
    struct inquiry *inquiry = inquiry_find(engine, id);
    if (inquiry == NULL || inquiry->expected == 0) {
        return; /* it comes too late */
    }
    if (what.header.kind == KIND_INT && what.header.i >= 0 &&
        are_values(bytes, (uint64_t)what.header.i) &&
        (inquiry->host[0] == '\0' || what.header.i == 1)) {
        take_entries(inquiry, (uint64_t)what.header.i, bytes);
    } else if (what.header.kind == KIND_STR && inquiry->host[0] != '\0') {
        int error = error_from_name(param_bytes(&what));
        finish_refused(inquiry, error == 0 ? ERR_ENGINE : error, (const char *)bytes.data,
                       bytes.len);
    }
}

void hosts_mail(struct engine *engine, struct slice packed)
{
    struct letter letter;
    struct param is_question;
    if (!letter_open(&letter, packed) || !letter_next(&letter, &is_question) ||
        is_question.header.kind != KIND_BOOL) {
        return;
    }
    if (is_question.header.b) {
        asked_take(engine, packed);
    } else {
        answered(engine, &letter);
    }
}

/* ---- asking -----------------------------------------------------------------------------------
 */

/* One host of the list: [host, epoch, …]. True if it is sent the question. */
static bool ask_host(struct inquiry *inquiry, struct slice entry, struct slice question)
{
    const struct engine *engine = inquiry->engine;
    struct letter letter;
    struct slice host;
    uint64_t epoch;
    if (!letter_open(&letter, entry) || !letter_bytes(&letter, &host) ||
        !letter_uint(&letter, &epoch) || host.len >= HOST_TEXT / 2 ||
        (epoch == engine->lanes.tenure.epoch &&
         slice_equal(host, slice_of_string(engine->options.host)))) {
        return false;
    }
    if (inquiry->host[0] != '\0' && !slice_equal(host, slice_of_string(inquiry->host))) {
        return false;
    }
    char to[HOST_TEXT];
    (void)snprintf(to, sizeof(to), "%.*s/%" PRIu64, (int)host.len, (const char *)host.data, epoch);
    return letter_send(inquiry->engine, slice_of_string(to), question);
}

static void ask_all(struct inquiry *inquiry, struct slice hosts)
{
    struct letter letter;
    struct param entry;
    struct buffer question = {0};
    pack_question(inquiry, &question);
    if (!question.failed && letter_open(&letter, hosts)) {
        while (letter_next(&letter, &entry)) {
            inquiry->expected += ask_host(inquiry, entry.raw, buffer_slice(&question));
        }
    }
    buffer_deinit(&question);
    if (inquiry->expected > 0) {
        return;
    }
    if (inquiry->host[0] == '\0') {
        finish_list(inquiry);
    } else {
        char text[CALL_TEXT_MAX];
        (void)snprintf(text, sizeof(text), "there is no host %s; session.list lists the sessions",
                       inquiry->host);
        finish_refused(inquiry, ERR_NOT_FOUND, text, strlen(text));
    }
}

static void listed(struct op *op, const struct outcome *outcome)
{
    struct inquiry *inquiry = (struct inquiry *)op;
    if (inquiry->call == NULL) {
        inquiry_close(inquiry);
    } else if (outcome->fate == OP_DONE && outcome->replies[0].len > 0 &&
               outcome->replies[0].data[0] == '=') {
        ask_all(inquiry, slice_from(outcome->replies[0], 1));
    } else {
        finish_late(inquiry, outcome->fate == OP_DONE ? "the engine does not know" : outcome->why);
    }
}

/* Whom the call is about: 0, or the call's refusal. */
static int read_subject(struct inquiry *inquiry, struct call *call)
{
    if (call->method->id == METHOD_session_list) {
        return 0;
    }
    int status = sessions_read_param(call, 0, &inquiry->session);
    if (status != CALL_AWAY) {
        inquiry->is_own = true; /* a description */
        return status;
    }
    struct slice host;
    (void)sessions_read_name(call_bytes(call, 0), &host, &inquiry->session); /* it was one */
    memcpy(inquiry->host, host.data, host.len < HOST_TEXT ? host.len : HOST_TEXT - 1);
    return 0;
}

static int ask_engine(struct inquiry *inquiry, struct lane *lane)
{
    if (inquiry->is_own) {
        inquiry->holding.done = own_is_known;
        return holding_ask(inquiry->engine, inquiry->session, &inquiry->holding);
    }
    inquiry->op.deadline = inquiry->deadline;
    lane_submit(lane, &inquiry->op);
    return 0;
}

int hosts_begin(struct engine *engine, struct call *call)
{
    struct inquiry *inquiry = calloc(1, sizeof(*inquiry));
    struct lane *lane = letters_lane(engine);
    int status = inquiry == NULL || lane == NULL ? ERR_MEMORY : read_subject(inquiry, call);
    if (status < 0) {
        free(inquiry);
        return status;
    }
    op_init(&inquiry->op, "host.list", (struct slice){0});
    inquiry->op.done = listed;
    inquiry->engine = engine;
    inquiry->call = call;
    inquiry->id = ++engine->last_inquiry;
    inquiry->deadline = engine_now(engine) + HOSTS_PATIENCE_MS * (uint64_t)NS_PER_MS;
    parked_of(call)->away = inquiry;
    LIST_INSERT_HEAD(&engine->inquiries, inquiry, link);
    if (ask_engine(inquiry, lane) < 0) {
        inquiry_close(inquiry);
        return ERR_MEMORY;
    }
    return 0;
}

void hosts_cancel(struct engine *engine, struct call *call, int why)
{
    finish_refused(inquiry_of(call), why, "the caller cancelled the call",
                   strlen("the caller cancelled the call"));
}

void hosts_forget(struct engine *engine, struct call *call)
{
    struct inquiry *inquiry = inquiry_of(call);
    if (inquiry != NULL) {
        inquiry_close(inquiry);
    }
}

void hosts_listen(struct engine *engine)
{
    if (engine->letters == NULL && (engine->letters = letters_lane(engine)) != NULL) {
        lane_use(engine->letters);
    }
    if (engine->letters != NULL) {
        mailbox_open(engine, engine->letters);
    }
}

/* ---- time -------------------------------------------------------------------------------------
 */

uint64_t hosts_due(const struct engine *engine)
{
    const struct inquiry *inquiry;
    uint64_t due = TIME_NEVER;
    LIST_FOREACH (inquiry, &engine->inquiries, link) {
        due = inquiry->deadline < due ? inquiry->deadline : due;
    }
    return due;
}

void hosts_tick(struct engine *engine, uint64_t now)
{
    struct inquiry *inquiry = LIST_FIRST(&engine->inquiries);
    while (inquiry != NULL) {
        struct inquiry *next = LIST_NEXT(inquiry, link);
        if (inquiry->deadline <= now) {
            if (inquiry->op.lane != NULL) {
                (void)lane_withdraw(&inquiry->op);
            }
            finish_late(inquiry, "it was waited for one second");
        }
        inquiry = next;
    }
}

void hosts_end(struct engine *engine)
{
    struct inquiry *inquiry;
    while ((inquiry = LIST_FIRST(&engine->inquiries)) != NULL) {
        finish_late(inquiry, "the daemon ends");
    }
    asked_end(engine);
    if (engine->letters != NULL) {
        lane_unuse(engine->letters);
        engine->letters = NULL;
    }
}
