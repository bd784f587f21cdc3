/* reader: see reader.h. Tests: tests/unit/engine/test_node.c, tests/fuzz/fuzz_replies.c. */
#include "daemon/engine/reader.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "proto/error.h"

enum {
    ELEMENTS_MOST = 1 << 20,
    CHUNK_LEAST = 512,
    CHUNK_FORESEEN = 65536, /* replies are expected to be as long as the last one, up to this */
};

/* Memory of a reply: its root stands first in the first one. */
struct chunk {
    struct chunk *next;
    size_t used;
    size_t size;
    _Alignas(max_align_t) uint8_t bytes[];
};

static struct chunk *chunk_new(size_t size)
{
    struct chunk *chunk = malloc(sizeof(*chunk) + size);
    if (chunk != NULL) {
        chunk->next = NULL;
        chunk->used = 0;
        chunk->size = size;
    }
    return chunk;
}

void reader_free_reply(struct redisReply *reply)
{
    struct chunk *next;
    if (reply == NULL) {
        return;
    }
    for (struct chunk *chunk = (struct chunk *)((uint8_t *)reply - offsetof(struct chunk, bytes));
         chunk != NULL; chunk = next) {
        next = chunk->next;
        free(chunk);
    }
}

static void free_object(void *reply)
{
    reader_free_reply(reply);
}

/* Memory of the reply that is being read; NULL: there is none. */
static void *take(struct reader *reader, size_t size)
{
    struct chunk *chunk = reader->last;
    size_t aligned = (size + _Alignof(max_align_t) - 1) & ~(_Alignof(max_align_t) - 1);
    if (chunk->size - chunk->used < aligned) {
        chunk = chunk_new(aligned > reader->foreseen ? aligned : reader->foreseen);
        if (chunk == NULL) {
            return NULL;
        }
        reader->last->next = chunk;
        reader->last = chunk;
    }
    void *memory = chunk->bytes + chunk->used;
    chunk->used += aligned;
    reader->taken += aligned;
    return memory;
}

/* An element of the one that is above it, or a root. */
static struct redisReply *make(const redisReadTask *task)
{
    struct reader *reader = task->privdata;
    if (task->parent == NULL) {
        reader->last = chunk_new(reader->foreseen);
        reader->taken = 0;
    }
    struct redisReply *reply = reader->last == NULL ? NULL : take(reader, sizeof(*reply));
    if (reply == NULL) {
        return NULL; /* a root fits into the least chunk */
    }
    *reply = (struct redisReply){.type = task->type};
    if (task->parent != NULL) {
        struct redisReply *parent = task->parent->obj;
        parent->element[task->idx] = reply;
    }
    return reply;
}

/* A root that could not be made whole. */
static void *drop(struct redisReply *reply)
{
    reader_free_reply(reply);
    return NULL;
}

static void *make_string(const redisReadTask *task, char *bytes, size_t len)
{
    struct redisReply *reply = make(task);
    char *copy = reply == NULL ? NULL : take(task->privdata, len + 1);
    if (copy == NULL) {
        return task->parent == NULL ? drop(reply) : NULL;
    }
    memcpy(copy, bytes, len);
    copy[len] = '\0';
    reply->str = copy;
    reply->len = len;
    return reply;
}

/* hiredis makes an array as large as the server says before it has seen one element. */
static void *make_array(const redisReadTask *task, int elements)
{
    struct reader *reader = task->privdata;
    if (elements < 0 || (size_t)elements > ELEMENTS_MOST - reader->elements) {
        return NULL;
    }
    reader->elements += (size_t)elements;
    struct redisReply *reply = make(task);
    if (reply == NULL || elements == 0) {
        return reply;
    }
    size_t size = (size_t)elements * sizeof(reply->element[0]);
    reply->element = take(reader, size);
    if (reply->element == NULL) {
        return task->parent == NULL ? drop(reply) : NULL;
    }
    memset(reply->element, 0, size);
    reply->elements = (size_t)elements;
    return reply;
}

static void *make_integer(const redisReadTask *task, long long value)
{
    struct redisReply *reply = make(task);
    if (reply != NULL) {
        reply->integer = value;
    }
    return reply;
}

static void *make_nil(const redisReadTask *task)
{
    return make(task);
}

int reader_open(struct reader *reader, size_t max_reply)
{
    *reader = (struct reader){
        .redis = redisReaderCreate(), .max_reply = max_reply, .foreseen = CHUNK_LEAST};
    if (reader->redis == NULL) {
        return ERR_MEMORY;
    }
    reader->make =
        (redisReplyObjectFunctions){make_string, make_array, make_integer, make_nil, free_object};
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

/* The next reply is likely to be as long. */
static void foresee(struct reader *reader)
{
    size_t size = reader->taken < CHUNK_FORESEEN ? reader->taken : CHUNK_FORESEEN;
    if (size > reader->foreseen || size < reader->foreseen / 4) {
        reader->foreseen = size < CHUNK_LEAST ? CHUNK_LEAST : size;
    }
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
        foresee(reader);
        reader->unread = reader->redis->len - reader->redis->pos;
        *reply = found;
    }
    return NULL;
}
