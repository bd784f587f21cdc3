/*
 * fields: values that stand one after the other in a record, read back in the order in which they
 * were packed (proto/pack.h).
 *
 * What is wrong is latched: a field that is missing or of another kind reads as 0 or nothing, and
 * `bad` stays set. So whoever reads a record reads all of it and looks once, at the end.
 */
#pragma once

#include <time.h>

#include "proto/pack.h"

struct fields {
    struct slice rest; /* what has not been read */
    bool bad;
};

static inline struct fields fields_of(struct slice record)
{
    return (struct fields){.rest = record};
}
/* True if there is a field that has not been read: one that older records do not have. */
static inline bool fields_more(const struct fields *fields)
{
    return !fields->bad && fields->rest.len > 0;
}

uint64_t field_uint(struct fields *fields);
/* The same, of which `most` is too much already. */
uint64_t field_below(struct fields *fields, uint64_t most);
int64_t field_int(struct fields *fields);
void field_nil(struct fields *fields);
bool field_bool(struct fields *fields);
/* Of a str or a bin; they stand in the record. */
struct slice field_bytes(struct fields *fields);
/* How many elements of an array follow, each of which is a field or several. */
uint32_t field_array(struct fields *fields);

/* The header of a bin whose bytes follow, packed raw. */
void pack_bin_header(struct buffer *out, size_t len);

/* A point of time of the wall clock. */
void pack_time(struct buffer *out, struct timespec time);
struct timespec field_time(struct fields *fields);
