/* expect: what tests expect of responses and connections; declared in rpc.h. */
#include "tests/support/rpc.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

/* Notation as objects and as bytes. */
struct expected {
    msgpack_sbuffer bytes;
    msgpack_unpacked unpacked;
};

static void expected_init(struct expected *expected, const char *notation, struct place place)
{
    msgpack_sbuffer_init(&expected->bytes);
    msgpack_unpacked_init(&expected->unpacked);
    const char *bad = notation_pack(notation, &expected->bytes);
    size_t at = 0;
    if (bad != NULL ||
        msgpack_unpack_next(&expected->unpacked, expected->bytes.data, expected->bytes.size, &at) !=
            MSGPACK_UNPACK_SUCCESS ||
        at != expected->bytes.size) {
        test_fail(place, "the test's own notation is wrong: %s", notation);
    }
}

static void expected_deinit(struct expected *expected)
{
    msgpack_unpacked_destroy(&expected->unpacked);
    msgpack_sbuffer_destroy(&expected->bytes);
}

/* Says what was expected and what came, and ends the test. */
static _Noreturn void fail_reply(const char *what, const char *expected, const struct reply *reply,
                                 struct place place)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (out != NULL) {
        if (reply == NULL) {
            fputs("the end of the connection", out);
        } else {
            notation_print(out, &reply->unpacked.data);
        }
        (void)fclose(out);
    }
    test_fail(place, "%s\n  expected: %s\n  got:      %s", what, expected, text);
}

static bool matches(const char *notation, const msgpack_object *got, struct place place)
{
    struct expected expected;
    expected_init(&expected, notation, place);
    bool same = notation_match(&expected.unpacked.data, got);
    expected_deinit(&expected);
    return same;
}

static void check_result(struct reply *reply, const char *what, const char *result,
                         struct place place)
{
    if (reply == NULL || reply->error.type != MSGPACK_OBJECT_NIL ||
        !matches(result, &reply->result, place)) {
        fail_reply(what, result, reply, place);
    }
    reply_free(reply);
}

static bool text_is(const msgpack_object *object, const char *text)
{
    return object->type == MSGPACK_OBJECT_STR && object->via.str.size == strlen(text) &&
           memcmp(object->via.str.ptr, text, object->via.str.size) == 0;
}

/* [code, message, detail?], and no result beside it. */
static bool is_error(const struct reply *reply, const char *code, const char *word)
{
    if (reply->error.type != MSGPACK_OBJECT_ARRAY || reply->result.type != MSGPACK_OBJECT_NIL) {
        return false;
    }
    const msgpack_object_array *error = &reply->error.via.array;
    if (error->size < 2 || error->size > 3 || !text_is(&error->ptr[0], code) ||
        error->ptr[1].type != MSGPACK_OBJECT_STR || error->ptr[1].via.str.size == 0) {
        return false;
    }
    if (error->size == 3 && error->ptr[2].type != MSGPACK_OBJECT_MAP) {
        return false;
    }
    return word == NULL || memmem(error->ptr[1].via.str.ptr, error->ptr[1].via.str.size, word,
                                  strlen(word)) != NULL;
}

static void check_error(struct reply *reply, const char *what, const char *const code_and_word[2],
                        struct place place)
{
    if (reply == NULL || !is_error(reply, code_and_word[0], code_and_word[1])) {
        char wanted[256];
        (void)snprintf(wanted, sizeof(wanted), "%s%s%s", code_and_word[0],
                       code_and_word[1] == NULL ? "" : " with the word ",
                       code_and_word[1] == NULL ? "" : code_and_word[1]);
        fail_reply(what, wanted, reply, place);
    }
    reply_free(reply);
}

void rpc_expect(struct rpc *rpc, const char *method, const char *params, const char *result,
                struct place place)
{
    struct reply *reply = rpc_wait(rpc, rpc_send(rpc, method, params));
    check_result(reply, rpc_text(rpc, "%s %.200s", method, params), result, place);
}

void rpc_expect_bytes(struct rpc *rpc, const char *method, const char *params, const char *result,
                      struct place place)
{
    struct reply *reply = rpc_wait(rpc, rpc_send(rpc, method, params));
    struct expected expected;
    expected_init(&expected, result, place);
    if (reply == NULL || reply->error.type != MSGPACK_OBJECT_NIL ||
        reply->size - reply->result_at != expected.bytes.size ||
        memcmp(reply->bytes + reply->result_at, expected.bytes.data, expected.bytes.size) != 0) {
        fail_reply(rpc_text(rpc, "%s %.200s (bytes are compared)", method, params), result, reply,
                   place);
    }
    expected_deinit(&expected);
    reply_free(reply);
}

void rpc_expect_error(struct rpc *rpc, const char *method, const char *params,
                      const char *const code_and_word[2], struct place place)
{
    struct reply *reply = rpc_wait(rpc, rpc_send(rpc, method, params));
    check_error(reply, rpc_text(rpc, "%s %.200s", method, params), code_and_word, place);
}

void rpc_expect_result(struct rpc *rpc, uint32_t msgid, const char *result, struct place place)
{
    check_result(rpc_wait(rpc, msgid), rpc_text(rpc, "request %u", msgid), result, place);
}

void rpc_expect_failure(struct rpc *rpc, uint32_t msgid, const char *code, struct place place)
{
    check_error(rpc_wait(rpc, msgid), rpc_text(rpc, "request %u", msgid),
                (const char *[]){code, NULL}, place);
}

void rpc_expect_waiting(struct rpc *rpc, uint32_t msgid, struct place place)
{
    rpc_expect(rpc, "server.ping", "['waiting']", "'waiting'", place);
    for (const struct reply *reply = rpc->first; reply != NULL; reply = reply->next) {
        if (reply->type == REPLY_RESPONSE && reply->msgid == msgid) {
            fail_reply(rpc_text(rpc, "request %u", msgid), "that it still waits", reply, place);
        }
    }
}

static bool is_answered(const struct rpc *rpc, uint32_t msgid)
{
    const struct reply *reply = rpc->first;
    while (reply != NULL && (reply->type != REPLY_RESPONSE || reply->msgid != msgid)) {
        reply = reply->next;
    }
    return reply != NULL;
}

/* The value of a key of a map; NULL: it is none, or has not that. */
static const msgpack_object *find_key(const msgpack_object *map, const char *key)
{
    for (uint32_t i = 0; map->type == MSGPACK_OBJECT_MAP && i < map->via.map.size; i++) {
        if (text_is(&map->via.map.ptr[i].key, key)) {
            return &map->via.map.ptr[i].val;
        }
    }
    return NULL;
}

/* In what session.describe tells. */
static bool is_waiting(const msgpack_object *description, uint32_t msgid)
{
    const msgpack_object *waits = find_key(description, "waits");
    for (uint32_t i = 0; waits != NULL && i < waits->via.array.size; i++) {
        const msgpack_object *found = find_key(&waits->via.array.ptr[i], "msgid");
        if (found != NULL && found->via.u64 == msgid) {
            return true;
        }
    }
    return false;
}

void rpc_await_begun(struct rpc *rpc, uint32_t msgid)
{
    int64_t deadline = rpc_now() + RPC_LIMIT_MS;
    for (bool begun = false; !begun;) {
        struct reply *reply = rpc_call(rpc, "session.describe", "[]");
        begun = is_waiting(&reply->result, msgid) || is_answered(rpc, msgid);
        if (!begun && rpc_now() > deadline) {
            fail_reply("session.describe", "that the call waits", reply, HERE);
        }
        reply_free(reply);
    }
}

void rpc_expect_soon(struct rpc *rpc, const char *method, const char *params, const char *result,
                     struct place place)
{
    int64_t deadline = rpc_now() + RPC_LIMIT_MS;
    for (;;) {
        struct reply *reply = rpc_call(rpc, method, params);
        bool same =
            reply->error.type == MSGPACK_OBJECT_NIL && matches(result, &reply->result, place);
        if (!same && rpc_now() > deadline) {
            fail_reply(rpc_text(rpc, "%s %.200s", method, params), result, reply, place);
        }
        reply_free(reply);
        if (same) {
            return;
        }
        (void)poll(NULL, 0, 1); /* leaves the processor to the daemon */
    }
}

void rpc_expect_goodbye(struct rpc *rpc, const char *code, struct place place)
{
    struct reply *reply = rpc_next(rpc);
    char *expected = NULL;
    assert_true(asprintf(&expected, "['%s', _str]", code) > 0);
    if (reply == NULL || reply->type != REPLY_NOTIFICATION || !text_is(&reply->method, "goodbye") ||
        !matches(expected, &reply->params, place)) {
        fail_reply("goodbye", expected, reply, place);
    }
    free(expected);
    reply_free(reply);
    reply = rpc_next(rpc);
    if (reply != NULL) {
        fail_reply("after goodbye", "the end of the connection", reply, place);
    }
}

void rpc_expect_closed(struct rpc *rpc, struct place place)
{
    for (struct reply *reply = rpc_next(rpc); reply != NULL; reply = rpc_next(rpc)) {
        if (reply->type != REPLY_NOTIFICATION || !text_is(&reply->method, "goodbye")) {
            fail_reply("closing", "goodbye or the end of the connection", reply, place);
        }
        reply_free(reply);
    }
}

int64_t rpc_number(struct rpc *rpc, const char *method, const char *params, const char *key)
{
    struct reply *reply = rpc_call(rpc, method, params);
    const msgpack_object *found = key == NULL ? &reply->result : NULL;
    if (key != NULL && reply->result.type == MSGPACK_OBJECT_MAP) {
        const msgpack_object_map *map = &reply->result.via.map;
        for (uint32_t i = 0; i < map->size; i++) {
            if (text_is(&map->ptr[i].key, key)) {
                found = &map->ptr[i].val;
            }
        }
    }
    if (found == NULL || (found->type != MSGPACK_OBJECT_POSITIVE_INTEGER &&
                          found->type != MSGPACK_OBJECT_NEGATIVE_INTEGER)) {
        fail_reply(rpc_text(rpc, "%s %s", method, params), "an integer", reply, HERE);
    }
    int64_t number = found->via.i64;
    reply_free(reply);
    return number;
}
