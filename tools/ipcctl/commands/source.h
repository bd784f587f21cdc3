/*
 * source: where the values for put and list append come from: the words of the command line, or
 * without any standard input.
 *
 * With --raw standard input is one value, as "-" is (value.h). Else it is read as it comes: what is
 * there is a batch, so that a slow producer's values are sent at once and a fast one's many at a
 * time.
 */
#pragma once

#include "tools/ipcctl/context.h"
#include "tools/ipcctl/json/splitter.h"

enum { BATCH_VALUES = 512, BATCH_BYTES = 512 * 1024 };

struct source {
    struct context *context;
    size_t word; /* the next word of the command line, if they are from there */
    bool words;
    bool whole; /* standard input is one value */
    bool text;  /* each is a string */
    bool ended;
    struct splitter splitter;
    uint64_t number; /* of values so far */
    uint64_t bytes;  /* read so far */
};

struct batch {
    struct buffer values; /* encoded, one after the other */
    size_t count;
};

/* Values are the words from number `first` on, or standard input if there are none. Reports options
 * that do not fit: STATUS_USAGE. */
enum status source_init(struct source *source, struct context *context, size_t first);
void source_deinit(struct source *source);

/* Fills in the next batch, which must be empty; it stays empty at the end. Reports what is wrong
 * with a value; the ones before it are in the batch. */
enum status source_next(struct source *source, struct batch *batch);
