/* reader: see reader.h. Tests: tests/unit/engine/test_node.c, tests/fuzz/fuzz_replies.c. */
#include "daemon/engine/reader.h"

#include "proto/error.h"

enum {
    ELEMENTS_MOST = 1 << 20,
};

/* hiredis makes an array as large as the server says before it has seen one element. */
static void *make_array(const redisReadTask *task, int elements)
{
    struct reader *reader = task->privdata;
    if (elements < 0 || (size_t)elements > ELEMENTS_MOST - reader->elements) {
        return NULL;
    }
    reader->elements += (size_t)elements;
    return reader->ordinary->createArray(task, elements);
}

int reader_open(struct reader *reader, size_t max_reply)
{
    *reader = (struct reader){.redis = redisReaderCreate(), .max_reply = max_reply};
    if (reader->redis == NULL) {
        return ERR_MEMORY;
    }
    reader->ordinary = reader->redis->fn;
    reader->make = *reader->redis->fn;
    reader->make.createArray = make_array;
    reader->redis->fn = &reader->make;
    reader->redis->privdata = reader;
    return 0;
}

void reader_close(struct reader *reader)
{
    if (reader->redis != NULL) {
        redisReaderFree(reader->redis);
        reader->redis = NULL;
    }
}

const char *reader_feed(struct reader *reader, struct slice bytes)
{
    reader->unread += bytes.len;
    if (reader->unread > reader->max_reply) {
        return "its reply has more bytes than one may have";
    }
    if (redisReaderFeed(reader->redis, (const char *)bytes.data, bytes.len) != REDIS_OK) {
        return "out of memory for its reply";
    }
    return NULL;
}

const char *reader_next(struct reader *reader, struct redisReply **reply)
{
    void *found = NULL;
    *reply = NULL;
    if (redisReaderGetReply(reader->redis, &found) != REDIS_OK) {
        return reader->redis->err == REDIS_ERR_OOM
                   ? "its reply is larger than memory, or anything reasonable, allows"
                   : "what it sends is not Redis' protocol";
    }
    if (found != NULL) {
        reader->elements = 0;
        reader->unread = reader->redis->len - reader->redis->pos;
        *reply = found;
    }
    return NULL;
}
