/* ranges: see ranges.h. */
#include "daemon/engine/ranges.h"

#include "daemon/engine/slot.h"

enum {
    BEFORE_NODES = 2, /* an entry: first slot, last slot, node, node… */
};

static bool slot_at(const struct redisReply *entry, size_t index, uint16_t *out)
{
    const struct redisReply *number = entry->element[index];
    *out = (uint16_t)number->integer;
    return number->type == REDIS_REPLY_INTEGER && number->integer >= 0 &&
           number->integer < SLOT_COUNT;
}

static bool is_text(const struct redisReply *reply)
{
    return reply->type == REDIS_REPLY_STRING || reply->type == REDIS_REPLY_STATUS;
}

static struct slice text_of(const struct redisReply *reply)
{
    return is_text(reply) ? (struct slice){(const uint8_t *)reply->str, reply->len}
                          : (struct slice){NULL, 0};
}

bool ranges_at(const struct redisReply *reply, size_t index, struct range *out)
{
    if (reply->type != REDIS_REPLY_ARRAY || index >= reply->elements) {
        return false;
    }
    const struct redisReply *entry = reply->element[index];
    if (entry->type != REDIS_REPLY_ARRAY || entry->elements <= BEFORE_NODES) {
        return false;
    }
    out->entry = entry;
    out->nodes = entry->elements - BEFORE_NODES;
    return slot_at(entry, 0, &out->first) && slot_at(entry, 1, &out->last) &&
           out->first <= out->last;
}

/* A node whose host name is not known says "?", and has its address among the metadata. */
static struct slice address_of(const struct redisReply *node)
{
    const struct redisReply *metadata = node->elements > 3 ? node->element[3] : NULL;
    size_t count = metadata != NULL && metadata->type == REDIS_REPLY_ARRAY ? metadata->elements : 0;
    for (size_t i = 0; i + 1 < count; i += 2) {
        if (slice_equal(text_of(metadata->element[i]), slice_of_string("ip"))) {
            return text_of(metadata->element[i + 1]);
        }
    }
    return (struct slice){NULL, 0};
}

bool range_node(const struct range *range, size_t index, struct ranges_node *out)
{
    const struct redisReply *node = range->entry->element[BEFORE_NODES + index];
    if (node->type != REDIS_REPLY_ARRAY || node->elements < 2) {
        return false;
    }
    const struct redisReply *port = node->element[1];
    if (port->type != REDIS_REPLY_INTEGER || port->integer < 1 || port->integer > UINT16_MAX) {
        return false;
    }
    out->port = (uint16_t)port->integer;
    out->host = text_of(node->element[0]);
    if (slice_equal(out->host, slice_of_string("?"))) {
        out->host = address_of(node);
    }
    return true;
}
