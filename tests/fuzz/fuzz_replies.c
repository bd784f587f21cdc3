/*
 * fuzz_replies: any bytes as what a Redis server sends.
 *
 * The first byte says in pieces of which size the rest comes. Each reply is looked at in every way
 * in which a reply is looked at. The input is read as the URL of an engine too.
 */
#include <assert.h>
#include <stdlib.h>

#include "daemon/engine/greeting.h"
#include "daemon/engine/ranges.h"
#include "daemon/engine/reader.h"
#include "daemon/engine/refusal.h"
#include "daemon/engine/slot.h"
#include "daemon/engine/url.h"

enum { MAX_REPLY = 1 << 16 };

static void look_at_ranges(const struct redisReply *reply)
{
    struct range range;
    for (size_t i = 0; ranges_at(reply, i, &range); i++) {
        assert(range.first <= range.last && range.last < SLOT_COUNT && range.nodes > 0);
        for (size_t node = 0; node < range.nodes; node++) {
            struct ranges_node found;
            assert(!range_node(&range, node, &found) || found.port > 0);
        }
    }
}

static void look_at(const struct redisReply *reply)
{
    if (reply->type == REDIS_REPLY_ERROR) {
        struct slice text = {(const uint8_t *)reply->str, reply->len};
        struct refusal refusal = refusal_of(text);
        bool has_place = refusal.kind == REFUSAL_MOVED || refusal.kind == REFUSAL_ASK;
        assert(!has_place || (refusal.slot < SLOT_COUNT && refusal.port > 0));
        assert(refusal.host.len == 0 || refusal.host.data >= text.data);
    }
    (void)greeting_refusal(reply);
    look_at_ranges(reply);
}

static void read_replies(struct slice bytes, size_t piece)
{
    struct reader reader;
    if (reader_open(&reader, MAX_REPLY) < 0) {
        return;
    }
    const char *why = NULL;
    while (bytes.len > 0 && why == NULL) {
        size_t len = piece < bytes.len ? piece : bytes.len;
        struct redisReply *reply = NULL;
        why = reader_feed(&reader, (struct slice){bytes.data, len});
        bytes = slice_from(bytes, len);
        while (why == NULL && (why = reader_next(&reader, &reply)) == NULL && reply != NULL) {
            look_at(reply);
            reader_free_reply(reply);
        }
    }
    reader_close(&reader);
}

static void read_url(struct slice bytes)
{
    struct url url;
    char *error = NULL;
    char *text = strndup((const char *)bytes.data, bytes.len);
    if (text != NULL && url_parse(text, &url, &error) == 0) {
        struct buffer printed = {0};
        url_print(&url, &printed);
        buffer_deinit(&printed);
        url_deinit(&url);
    }
    free(error);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (len == 0) {
        return 0;
    }
    struct slice rest = {data + 1, len - 1};
    read_replies(rest, (size_t)data[0] + 1);
    read_url(rest);
    (void)slot_of_key(rest);
    return 0;
}
