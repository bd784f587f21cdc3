/*
 * target_echo: the same load without a service behind it. A request is as long as ipcd's and asks
 * for a reply as long as ipcd's; see echo_server.c for the other side.
 *
 * A request is [u32 size of all][u32 size of the reply][filling], a reply [u32 size of all]
 * [filling], the numbers in the machine's own byte order.
 */
#include "tools/ipcbench/target.h"
#include "tools/ipcbench/echo_server.h"

#include <string.h>

enum {
    RESPONSE_HEAD = 8, /* [1, msgid, nil, …] with a message number of five bytes */
    ITEM_EXTRA = 3,    /* [value, nil, 1]: array header, ticket, deliveries */
};

/* The encoding of `size` bytes as bin. */
static size_t bin_size(size_t size)
{
    return size + (size < 0x100 ? 2U : size < 0x10000 ? 3U : 5U);
}

/* How long ipcd's response is. */
static uint32_t reply_size(const struct request *request)
{
    switch (request->operation) {
    case OPERATION_GET:
        return (uint32_t)(RESPONSE_HEAD + ITEM_EXTRA + bin_size(request->payload));
    case OPERATION_LOOKUP:
        return (uint32_t)(RESPONSE_HEAD + bin_size(request->payload));
    default:
        return RESPONSE_HEAD + 1;
    }
}

static void encode(struct buffer *out, const struct request *request)
{
    size_t start = out->len;
    protocol_ipcd.encode(out, request);
    if (!out->failed) {
        struct echo_header header = {(uint32_t)(out->len - start), reply_size(request)};
        memcpy(out->data + start, &header, sizeof(header));
    }
}

static int count(enum operation operation, const uint8_t *data, size_t len, struct tally *out)
{
    uint32_t size;
    while (len - out->used >= sizeof(size)) {
        memcpy(&size, data + out->used, sizeof(size));
        if (size < sizeof(size)) {
            return -1;
        }
        if (len - out->used < size) {
            break;
        }
        out->used += size;
        out->count++;
        out->items++;
    }
    return 0;
}

const struct protocol protocol_echo = {
    .encode = encode,
    .count = count,
    .keeps = false,
    .objects = 2,
    .opens = {OPERATION_OPEN_QUEUE, OPERATION_OPEN_DICT},
    .clears = {OPERATION_CLEAR_QUEUE, OPERATION_CLEAR_DICT},
};

void echo_run(const struct server_plan *plan, const char *directory, const char *socket)
{
    echo_serve(socket);
}
