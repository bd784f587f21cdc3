/*
 * reader: replies out of bytes, by hiredis, with limits: a server that is hostile, or none, takes
 * no more memory than a reply may have. A reply with all that is in it is one piece of memory as a
 * rule, so it is not for freeReplyObject.
 */
#pragma once

#include <hiredis/hiredis.h>

#include "proto/slice.h"

struct reader {
    redisReader *redis;             /* owned; NULL: not open */
    redisReplyObjectFunctions make; /* our own: a limit on elements, one piece of memory */
    struct chunk *last;             /* where there is memory for the reply that is being read */
    size_t taken;                   /* of it */
    size_t foreseen;                /* how much the next one is likely to take */
    size_t elements;                /* of arrays, in the reply that is being read */
    size_t unread;                  /* bytes of a reply that is not complete */
    size_t max_reply;               /* bytes that one may have */
};

/* 0, or ERR_MEMORY, with nothing to be closed. */
int reader_open(struct reader *reader, size_t max_reply);

/* One that is not open, or zeroed, is allowed. */
void reader_close(struct reader *reader);

/* Takes bytes, which are copied. NULL; or why it is the end: a sentence, valid until the reader is
 * closed. */
const char *reader_feed(struct reader *reader, struct slice bytes);

/* Frees a reply of reader_next, which may outlive its reader; NULL is allowed. */
void reader_free_reply(struct redisReply *reply);

/* The next reply that is complete, the caller's; or NULL in *reply: there is none. NULL; or why it
 * is the end, likewise. */
const char *reader_next(struct reader *reader, struct redisReply **reply);
