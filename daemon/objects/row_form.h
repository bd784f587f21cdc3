/*
 * row_form: how keys and values of rows (rows.h) are packed and read.
 *
 * A key is a byte that says what the row is, and mostly a number of eight bytes, the highest first,
 * so that the order of the keys is that of the numbers. A value is a run of MessagePack values, the
 * first of which is the version of its form. What reads one believes nothing of it: a row that is
 * too short, or has something else where a number should be, is latched as `bad`, and what is read
 * of it from then on is 0 or empty; so whoever reads looks once, at the end.
 */
#pragma once

#include <time.h>

#include "daemon/objects/blob.h"
#include "daemon/objects/rows.h"
#include "proto/pack.h"

enum { ROW_VERSION = 1, ROW_KEY_SIZE = 9 };

/* A key with a number, valid as long as the struct. */
struct row_key {
    uint8_t bytes[ROW_KEY_SIZE];
};
struct slice row_key(struct row_key *key, uint8_t what, uint64_t number);
/* Its number. False: the key has not that form. */
bool row_key_number(struct slice key, uint64_t *number);

/* Empties the buffer and packs the version. */
void row_begin(struct buffer *out);
/* A point of the monotonic clock by the wall clock; TIME_NEVER: nil. */
void row_pack_time(struct buffer *out, uint64_t time, const struct moment *now);
/* A point of time of the wall clock, by its parts. */
void row_pack_date(struct buffer *out, struct timespec date);
/* A stored value with what it carries; and how many MessagePack values that will be. */
void row_pack_value(struct buffer *out, struct stored value, const struct row_writer *writer);
size_t row_value_count(struct stored value);
/* Puts the row; ERR_MEMORY also if the buffer has failed. */
int row_put(const struct row_writer *writer, struct slice key, const struct buffer *value);

/* A row that is being read. */
struct row {
    struct slice rest;
    struct row_reader *reader;
    bool bad;
    bool no_memory; /* what a value carries could not be read for want of it */
};

/* Begins with the version. False: it is newer, which reader->why says of `what`, or no number. */
bool row_open(struct row *row, struct slice value, struct row_reader *reader, const char *what);
/* One value after the other. */
uint64_t row_uint(struct row *row);
/* The same of a number that is less than `end`. */
uint64_t row_below(struct row *row, uint64_t end);
int64_t row_int(struct row *row);
bool row_bool(struct row *row);
uint64_t row_time(struct row *row);
struct timespec row_date(struct row *row);
/* A str or bin; nil is an empty one. */
struct slice row_bytes(struct row *row);
/* An encoded value, as it is. */
struct slice row_raw(struct row *row);
/* The elements of an array; the elements follow. */
uint32_t row_array(struct row *row);
/* A descriptor by its number, with a reference; NULL, and the row is bad: there is none. */
struct descriptor *row_descriptor(struct row *row);
/* What row_pack_value has packed, as a value to be stored; if it carries something, it refers to
 * *origin. To be followed by row_value_done, whatever became of it. */
struct incoming row_value(struct row *row, struct origin *origin);
void row_value_done(struct origin *origin);
/* 0 if all has been read and none of it was bad; else ERR_VALUE, and reader->why says of `what`
 * that it is damaged; ERR_MEMORY. */
int row_close(struct row *row, const char *what);
