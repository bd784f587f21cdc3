/* asked: see asked.h. Tests: tests/hosts/test_together.py. */
#include "daemon/engine/asked.h"

#include <stdio.h>
#include <stdlib.h>

#include "daemon/engine/holding.h"
#include "daemon/engine/letter.h"
#include "daemon/methods/sessions.h"

struct question {
    uint64_t id;
    struct slice from;
    struct slice method;
    uint64_t uid;
    uint64_t session;
    struct session_page page;
};

static bool read_question(struct letter *letter, struct question *out)
{
    return letter_uint(letter, &out->id) && letter_bytes(letter, &out->from) &&
           letter_bytes(letter, &out->method) && letter_uint(letter, &out->uid) &&
           out->uid <= UINT32_MAX && letter_uint(letter, &out->session) &&
           letter_bytes(letter, &out->page.cursor) && letter_uint(letter, &out->page.limit);
}

/* Does what is asked: packs the result, *count entries or one; or an error, with a sentence. */
static int answer(struct service *service, const struct question *question,
                  const struct session_more *more, struct buffer *result, uint64_t *count,
                  char text[CALL_TEXT_MAX])
{
    *count = 1;
    if (slice_equal(question->method, slice_of_string("session.list"))) {
        uint64_t last = 0;
        *count = sessions_pack(service, &last, SIZE_MAX, result);
        return 0;
    }
    if (slice_equal(question->method, slice_of_string("session.describe"))) {
        return session_describe(service, question->session, &question->page, more, result, text);
    }
    if (slice_equal(question->method, slice_of_string("session.kill"))) {
        pack_nil(result);
        return sessions_kill(service, question->session, (uid_t)question->uid, text);
    }
    (void)snprintf(text, CALL_TEXT_MAX, "the other host is of a version that does not know that");
    return ERR_UNSUPPORTED;
}

/* The answer to a question. */
static void reply(struct engine *engine, const struct question *question,
                  const struct session_more *more)
{
    struct buffer result = {0};
    struct buffer out = {0};
    char text[CALL_TEXT_MAX] = "";
    uint64_t count;
    int status = answer(engine->service, question, more, &result, &count, text);
    pack_array(&out, 4);
    pack_bool(&out, false);
    pack_uint(&out, question->id);
    if (status == 0) {
        pack_uint(&out, count);
        pack_bin(&out, buffer_slice(&result));
    } else {
        pack_string(&out, error_name(status));
        pack_string(&out, text);
    }
    if (!out.failed && !result.failed) {
        (void)letter_send(engine, question->from, buffer_slice(&out));
    }
    buffer_deinit(&result);
    buffer_deinit(&out);
}

/* A description that another host has asked for: what the session has in the engine has to be found
 * first. */
struct asked {
    struct holding holding; /* first */
    LIST_ENTRY(asked) link; /* engine->asked */
    struct engine *engine;
    struct buffer letter; /* owned */
};

static bool read_letter(struct slice packed, struct question *out)
{
    struct letter letter;
    struct param is_question;
    return letter_open(&letter, packed) && letter_next(&letter, &is_question) &&
           read_question(&letter, out);
}

static void asked_is_known(struct holding *holding)
{
    struct asked *asked = (struct asked *)holding;
    struct question question;
    if (read_letter(buffer_slice(&asked->letter), &question)) {
        reply(asked->engine, &question, &holding->more);
    }
    LIST_REMOVE(asked, link);
    holding_deinit(holding);
    buffer_deinit(&asked->letter);
    free(asked);
}

void asked_take(struct engine *engine, struct slice packed)
{
    struct question question;
    if (!read_letter(packed, &question)) {
        return;
    }
    if (!slice_equal(question.method, slice_of_string("session.describe"))) {
        reply(engine, &question, NULL);
        return;
    }
    struct asked *asked = calloc(1, sizeof(*asked));
    if (asked == NULL) {
        return; /* it is as if it had not come */
    }
    asked->engine = engine;
    asked->holding.done = asked_is_known;
    (void)buffer_append(&asked->letter, packed.data, packed.len);
    LIST_INSERT_HEAD(&engine->asked, asked, link);
    if (asked->letter.failed || holding_ask(engine, question.session, &asked->holding) < 0) {
        asked_is_known(&asked->holding);
    }
}

void asked_end(struct engine *engine)
{
    struct asked *asked;
    while ((asked = LIST_FIRST(&engine->asked)) != NULL) {
        asked_is_known(&asked->holding);
    }
}
