/*
 * describe: an object as somebody wants to see it who asks why it is stuck: its figures and
 * options, what that means in words, who waits on it, and who holds tickets of it.
 */
#include "tools/ipcctl/claims.h"
#include "tools/ipcctl/output.h"
#include "tools/ipcctl/request.h"
#include "tools/ipcctl/show.h"
#include "tools/ipcctl/text.h"

#include <inttypes.h>
#include <stdio.h>

static bool field_is_true(const struct ipcc_value *map, const char *key)
{
    struct ipcc_value value = field(map, key);
    return value.kind == IPCC_BOOL && value.as.boolean;
}

static void put_member(struct buffer *out, const struct ipcc_value *key,
                       const struct ipcc_value *value)
{
    char name[64];
    (void)snprintf(name, sizeof(name), "%.*s", (int)key->length, key->as.str);
    text_format(out, "  %-15s", name);
    show_field(out, name, value);
    if (strcmp(name, "created") == 0) {
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
        "owner", "group",    "mode",     "lifetime",      "created",        "maxsize",
        "order", "joinable", "lease_ms", "on_disconnect", "max_deliveries", "dead_letter",
    };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (ipcc_value_is_str(key, names[i])) {
            return true;
        }
    }
    return false;
}

static void put_members(struct buffer *out, const struct ipcc_value *description, bool settled)
{
    struct ipcc_walk walk = ipcc_walk_of(description);
    struct ipcc_value key;
    struct ipcc_value value;
    while (ipcc_walk_pair(&walk, &key, &value)) {
        if (key.kind == IPCC_STR && is_settled(&key) == settled &&
            !ipcc_value_is_str(&key, "name") && !ipcc_value_is_str(&key, "type")) {
            put_member(out, &key, &value);
        }
    }
}

/* "jobs: joinable queue" and the figures. */
static void put_figures(struct buffer *out, const struct ipcc_value *description)
{
    text_name(out, field_text(description, "name"));
    text_put(out, field_is_true(description, "joinable") ? ": joinable " : ": ");
    text_plain(out, field_text(description, "type"));
    text_put(out, "\n");
    put_members(out, description, false);
}

/* "  3 items are ..." */
static void put_count(struct buffer *out, int64_t count, const char *one, const char *many)
{
    if (count == 1) {
        text_format(out, "  1 item is %s.\n", one);
    } else {
        text_format(out, "  %" PRId64 " items are %s.\n", count, many);
    }
}

/* What the figures of a queue mean, a sentence on each line. */
static void put_meaning(struct buffer *out, const struct ipcc_value *queue,
                        const struct claims *claims)
{
    int64_t size = field_int(queue, "size");
    int64_t taken = field_int(queue, "taken");
    int64_t delayed = field_int(queue, "delayed");
    int64_t maxsize = field_int(queue, "maxsize");
    size_t getters = claims_waiting_in(claims, "queue.get") +
                     claims_waiting_in(claims, "queue.get_many") +
                     claims_waiting_in(claims, "queue.get_any");
    if (field_is_true(queue, "shut_down")) {
        text_put(out, "  It is shut down: puts fail, and gets fail once it is empty.\n");
    }
    if (maxsize > 0 && size + delayed >= maxsize) {
        text_put(out, "  It is full: puts wait until somebody gets.\n");
    }
    if (size == 0 && getters > 0) {
        text_put(out, "  It is empty: gets wait until somebody puts.\n");
    }
    if (size == 0 && delayed > 0) {
        put_count(out, delayed, "delayed: no get can have it yet",
                  "delayed: no get can have them yet");
    }
    if (taken > 0) {
        put_count(out, taken, "taken and not done: join waits for it",
                  "taken and not done: join waits for them");
    }
}

static void print_text(struct context *context, const struct ipcc_value *description,
                       const struct claims *claims)
{
    struct buffer text = {0};
    struct buffer meaning = {0};
    put_figures(&text, description);
    put_meaning(&meaning, description, claims);
    if (meaning.len > 0) {
        text_put(&text, "\nThat means:\n");
        (void)buffer_append(&text, meaning.data, meaning.len);
    }
    text.failed |= meaning.failed;
    buffer_deinit(&meaning);
    output_buffer(context, &text);
    claims_print(context, claims);
    text_put(&text, "\nOptions:\n");
    put_members(&text, description, true);
    output_buffer(context, &text);
}

/* The description with two members more. */
static void print_json(struct context *context, const struct ipcc_value *description,
                       const struct claims *claims)
{
    struct ipcc_walk walk = ipcc_walk_of(description);
    struct ipcc_value key;
    struct ipcc_value value;
    struct buffer record = {0};
    size_t at = pack_map_begin(&record);
    size_t count = 2;
    while (ipcc_walk_pair(&walk, &key, &value)) {
        value_encode(&key, &record);
        value_encode(&value, &record);
        count++;
    }
    pack_string(&record, "waits");
    pack_raw(&record, buffer_slice(&claims->waits));
    pack_string(&record, "holds");
    pack_raw(&record, buffer_slice(&claims->holds));
    pack_map_end(&record, at, count);
    output_record(context, &record);
}

static enum status describe(struct context *context, const char *name)
{
    struct request request;
    struct ipcc_reply reply;
    struct claims claims;
    request_init(&request, "object.describe");
    pack_string(request_param(&request), name);
    enum status status = request_send(context, &request, &reply);
    if (status != STATUS_OK) {
        return status;
    }
    status = claims_collect(context, name, &claims);
    if (status == STATUS_OK) {
        (context->options[OPTION_JSON].is ? print_json : print_text)(context, &reply.value,
                                                                     &claims);
    }
    claims_deinit(&claims);
    ipcc_reply_free(&reply);
    return status;
}

enum status run_describe(struct context *context)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; i < context->count; i++) {
        if (i > 0 && !context->options[OPTION_JSON].is) {
            struct buffer gap = {0};
            text_put(&gap, "\n");
            output_buffer(context, &gap);
        }
        enum status one = describe(context, context->words[i]);
        status = one != STATUS_OK ? one : status;
    }
    return status;
}
