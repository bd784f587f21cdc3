/*
 * answer: see answer.h.
 *
 * Tests: tests/unit/engine/test_answer.c; tests/unit/methods/, the suite "engine".
 */
#include "daemon/engine/answer.h"

#include <stdarg.h>
#include <stdio.h>

#include "proto/value.h"

void answer_begin(struct call *call)
{
    call->out = &call->session->output;
    call->start = output_mark(call->out);
    call->refused = false;
}

int answer_failure(struct call *call, bool unknown, const char *format, ...)
{
    char text[CALL_TEXT_MAX];
    struct buffer detail = {0};
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    if (call->batch != NULL) {
        return call_fail(call, ERR_ENGINE, "%s", text);
    }
    pack_map(&detail, 1);
    pack_string(&detail, "done");
    if (unknown) {
        pack_nil(&detail);
    } else {
        pack_bool(&detail, false);
    }
    output_rewind(call->out, call->start);
    message_error(&call->out->bytes, call->msgid, ERR_ENGINE, text, buffer_slice(&detail));
    call->out->bytes.failed |= detail.failed;
    call->refused = true;
    buffer_deinit(&detail);
    return ERR_ENGINE;
}

const char answer_unconfirmed[] =
    "it was done, but fewer replicas than wait_replicas have confirmed it in time";

int answer_lost(struct call *call, bool unknown, const char *why)
{
    return unknown
               ? answer_failure(call, true,
                                "%s: nobody knows whether it was done, as the connection "
                                "to the engine was lost before the answer: %s",
                                call->method->name, why)
               : answer_failure(call, false, "%s: nothing was done: %s", call->method->name, why);
}

static int refuse_strange(struct call *call)
{
    return answer_failure(call, true,
                          "%s: the engine answered with what is no result; is there something else "
                          "in its place?",
                          call->method->name);
}

static bool is_value(struct slice bytes)
{
    return bytes.len > 0 && scan_length(bytes.data, bytes.len) == bytes.len;
}

int answer_result(struct call *call, struct slice result)
{
    if (!is_value(result)) {
        return refuse_strange(call);
    }
    pack_raw(call_result(call), result);
    return 0;
}

/* Takes a run of bytes with its length, 4 bytes big-endian, off the front. */
static bool take_measured(struct slice *rest, struct slice *out)
{
    if (rest->len < 4) {
        return false;
    }
    const uint8_t *at = rest->data;
    size_t len = (size_t)at[0] << 24 | (size_t)at[1] << 16 | (size_t)at[2] << 8 | at[3];
    if (len > rest->len - 4) {
        return false;
    }
    *out = (struct slice){at + 4, len};
    *rest = slice_from(*rest, 4 + len);
    return true;
}

int answer_pack_description(struct buffer *out, struct slice result, struct slice host,
                            struct meta *meta)
{
    struct slice packed;
    struct header header;
    if (!take_measured(&result, &packed) || meta_read(&packed, meta) < 0 || !is_value(result) ||
        header_read(result.data, result.len, &header) != 0 || header.kind != KIND_MAP) {
        return ERR_VALUE;
    }
    pack_map(out, (size_t)header.count + 1);
    pack_raw(out, slice_from(result, header.size));
    pack_string(out, "engine");
    pack_map(out, 2);
    pack_key_string(out, "kind", "redis");
    pack_key_str(out, "host", host);
    return 0;
}

int answer_description(struct call *call, struct slice result, struct slice host, struct meta *meta)
{
    return answer_pack_description(call_result(call), result, host, meta) == 0
               ? 0
               : refuse_strange(call);
}

/* Parts "CODE text". */
static struct slice split(struct slice refusal, struct slice *text)
{
    const uint8_t *space = refusal.len == 0 ? NULL : memchr(refusal.data, ' ', refusal.len);
    size_t len = space == NULL ? refusal.len : (size_t)(space - refusal.data);
    *text = slice_from(refusal, space == NULL ? len : len + 1);
    return (struct slice){refusal.data, len};
}

int answer_code(struct slice refusal)
{
    struct slice text;
    int code = error_from_name(split(refusal, &text));
    return code == 0 ? ERR_ENGINE : code;
}

/* The place of a param of that name, or -1. */
static int param_named(const struct call *call, const char *name)
{
    const struct method_signature *signature = &call->service->index.signatures[call->method->id];
    for (unsigned i = 0; i < signature->count; i++) {
        if (slice_equal(signature->params[i].name, slice_of_string(name))) {
            return (int)i;
        }
    }
    return -1;
}

static int refuse_key(struct call *call, struct slice name, int place)
{
    struct buffer shown = {0};
    value_print(call_value(call, (unsigned)place), 64, &shown);
    int status = call_fail(call, ERR_KEY, "\"%.*s\" has no key %.*s", (int)name.len,
                           (const char *)name.data, (int)shown.len, (const char *)shown.data);
    buffer_deinit(&shown);
    return status;
}

int answer_refusal(struct call *call, struct slice refusal, struct slice name)
{
    struct slice text;
    struct slice word = split(refusal, &text);
    int code = error_from_name(word);
    int key = code == ERR_KEY && text.len == 0 ? param_named(call, "key") : -1;
    if (code == 0) {
        return answer_failure(call, true, "%s: the engine answered %.*s", call->method->name,
                              (int)(refusal.len < 200 ? refusal.len : 200),
                              (const char *)refusal.data);
    }
    if (code == ERR_ENGINE) {
        return answer_failure(call, true, "%.*s", (int)text.len, (const char *)text.data);
    }
    if (key >= 0) {
        return refuse_key(call, name, key);
    }
    if (text.len > 0) {
        return call_fail(call, code, "%.*s", (int)text.len, (const char *)text.data);
    }
    return name.len == 0 ? call_fail(call, code, "%s", error_meaning(code))
                         : call_fail(call, code, "%s: \"%.*s\"", error_meaning(code), (int)name.len,
                                     (const char *)name.data);
}
