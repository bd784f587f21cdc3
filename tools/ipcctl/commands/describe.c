/*
 * describe: an object as somebody wants to see it who asks why it is stuck: its figures and
 * options, what that means in words, who waits on it, and who holds what of it.
 */
#include "tools/ipcctl/description/claims.h"
#include "tools/ipcctl/description/meaning.h"
#include "tools/ipcctl/description/record.h"
#include "tools/ipcctl/output.h"
#include "tools/ipcctl/request.h"
#include "tools/ipcctl/description/show.h"
#include "tools/ipcctl/description/taken.h"
#include "tools/ipcctl/terminal/text.h"

#include <inttypes.h>
#include <stdio.h>

static void put_member(struct buffer *out, const struct ipcc_value *key,
                       const struct ipcc_value *value)
{
    char name[64];
    (void)snprintf(name, sizeof(name), "%.*s", (int)key->length, key->as.str);
    if (ipcc_value_is_str(key, "durable")) {
        struct ipcc_value bytes = field(value, "bytes");
        text_put(out, "  on disk        ");
        show_field(out, "bytes", &bytes);
        text_put(out, "\n");
        return;
    }
    if (ipcc_value_is_str(key, "engine")) {
        return; /* which put_figures tells first */
    }
    text_put(out, "  ");
    text_padded(out, (struct slice){key->as.data, key->length}, 15);
    show_field(out, name, value);
    if (show_is_moment(value)) {
        text_put(out, " (");
        show_age(out, value);
        text_put(out, " ago)");
    }
    text_put(out, "\n");
}

/* What was settled when the object was made, as against figures that change. */
static bool is_settled(const struct ipcc_value *key)
{
    static const char *const names[] = {
        "owner",          "group",       "mode",      "lifetime",   "created",
        "maxsize",        "order",       "joinable",  "lease_ms",   "on_disconnect",
        "max_deliveries", "dead_letter", "recursive", "release_by", "initial",
        "bounded",        "parties",     "timeout",   "lock",
    };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (ipcc_value_is_str(key, names[i])) {
            return true;
        }
    }
    return false;
}

/* What is shown in tables of its own. */
static bool is_claims(const struct ipcc_value *key)
{
    return ipcc_value_is_str(key, "waits") || ipcc_value_is_str(key, "holds") ||
           ipcc_value_is_str(key, "ahead");
}

static void put_members(struct buffer *out, const struct ipcc_value *description, bool settled)
{
    struct ipcc_walk walk = ipcc_walk_of(description);
    struct ipcc_value key;
    struct ipcc_value value;
    while (ipcc_walk_pair(&walk, &key, &value)) {
        if (key.kind == IPCC_STR && is_settled(&key) == settled && !is_claims(&key) &&
            !ipcc_value_is_str(&key, "name") && !ipcc_value_is_str(&key, "type")) {
            put_member(out, &key, &value);
        }
    }
}

/* "jobs: joinable queue" and the figures. */
static void put_figures(struct buffer *out, const struct ipcc_value *description)
{
    text_name(out, field_text(description, "name"));
    text_put(out, field_true(description, "joinable") ? ": joinable " : ": ");
    text_plain(out, field_text(description, "type"));
    text_put(out, "\n");
    if (field(description, "engine").kind != IPCC_NONE) {
        text_put(out, "  lives in       ");
        show_where(out, description);
        text_put(out, "\n");
    }
    put_members(out, description, false);
}

/* What has become of the dead letter queue, which is found by its name when it is needed. */
static void put_dead_letter(struct context *context, struct buffer *out, struct slice name)
{
    struct request request;
    struct ipcc_reply reply;
    request_init(&request, "object.describe");
    pack_str(request_param(&request), name);
    int error = request_try(context, &request, &reply);
    if (error < 0 && error != IPCC_ERR_NOT_FOUND) {
        return;
    }
    text_put(out, "  Its dead letter queue ");
    text_name(out, name);
    struct ipcc_value type = error == 0 ? field(&reply.value, "type") : ipcc_none();
    if (!ipcc_value_is_str(&type, "queue")) {
        text_put(out, " is not there: dead items are dropped.\n");
    } else if (field_true(&reply.value, "shut_down")) {
        text_put(out, " is shut down: dead items are dropped.\n");
    } else {
        int64_t size = field_int(&reply.value, "queued");
        text_format(out, " has %" PRId64 " item%s.\n", size, size == 1 ? "" : "s");
    }
    if (error == 0) {
        ipcc_reply_free(&reply);
    }
}

static void print_text(struct context *context, const struct ipcc_value *description)
{
    struct slice dead_letter = field_text(description, "dead_letter");
    struct buffer text = {0};
    struct buffer meaning = {0};
    put_figures(&text, description);
    meaning_put(context, &meaning, description);
    if (dead_letter.len > 0) {
        put_dead_letter(context, &meaning, dead_letter);
    }
    if (meaning.len > 0) {
        text_put(&text, "\nThat means:\n");
        (void)buffer_append(&text, meaning.data, meaning.len);
    }
    text.failed |= meaning.failed;
    buffer_deinit(&meaning);
    output_buffer(context, &text);
    taken_describe(context, description);
    claims_print(context, description);
    text_put(&text, "\nOptions:\n");
    put_members(&text, description, true);
    output_buffer(context, &text);
}

static void pack_member(struct context *context, struct buffer *out, const struct ipcc_value *key,
                        const struct ipcc_value *value)
{
    if (is_claims(key)) {
        claims_pack(context, out, value);
    } else {
        value_encode(value, out);
    }
}

/* The description, with the programs' names in its claims. */
static void print_json(struct context *context, const struct ipcc_value *description)
{
    struct record record;
    record_begin_with(&record, description, pack_member, context);
    record_print(context, &record);
}

static void print_gap(struct context *context)
{
    struct buffer gap = {0};
    text_put(&gap, "\n");
    output_buffer(context, &gap);
}

/* Asks for an object; `type` is the type that it must have, or NULL. */
static enum status ask(struct context *context, struct slice name, const char *type,
                       struct ipcc_reply *reply)
{
    struct request request;
    request_init(&request, "object.describe");
    pack_str(request_param(&request), name);
    pack_bool(request_param(&request), true);
    enum status status = request_send(context, &request, reply);
    if (status != STATUS_OK) {
        return status;
    }
    struct ipcc_value is = field(&reply->value, "type");
    if (type != NULL && !ipcc_value_is_str(&is, type)) {
        status = report(context, STATUS_FAILED, "\"%.*s\" is of type %.*s, not %s", (int)name.len,
                        (const char *)name.data, (int)is.length, is.as.str, type);
        ipcc_reply_free(reply);
    }
    return status;
}

/* For people: the object, and the lock with a name that a condition goes by. */
static enum status describe(struct context *context, struct slice name, const char *type)
{
    struct ipcc_reply reply;
    enum status status = ask(context, name, type, &reply);
    if (status != STATUS_OK) {
        return status;
    }
    if (context->options[OPTION_JSON].is) {
        print_json(context, &reply.value);
    } else {
        print_text(context, &reply.value);
        struct slice lock = field_text(&reply.value, "lock");
        if (lock.len > 0) {
            print_gap(context);
            status = describe(context, lock, NULL);
        }
    }
    ipcc_reply_free(&reply);
    return status;
}

enum status run_describe(struct context *context)
{
    const char *type = word_type(context->command->arguments[0].kind);
    enum status status = STATUS_OK;
    for (size_t i = 0; i < context->count; i++) {
        if (i > 0 && !context->options[OPTION_JSON].is) {
            print_gap(context);
        }
        enum status one = describe(context, slice_of_string(context->words[i]), type);
        status = one != STATUS_OK ? one : status;
    }
    return status;
}
