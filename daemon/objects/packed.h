/*
 * packed: a double-ended run of records, packed into large segments one behind the other.
 *
 * A record is a few bytes of header and its data; data is either a value's bytes or a pointer that
 * the owner keeps there (a blob, an item) and tells apart by the tag. Records go in at the back and
 * come out at the front or at the back. Segments start small and double, so that a short queue is
 * small and a long one costs its bytes. Records are not aligned: copy pointers out with memcpy.
 *
 * Records are numbered as they go in, and each segment knows the number of its first one, so that a
 * walk can skip whole segments. The owner may hide a record that he cannot take out: it stays where
 * it is, and is not counted by who skips.
 */
#pragma once

#include <sys/queue.h>

#include "daemon/objects/pace.h"
#include "proto/slice.h"

enum packed_tag { PACKED_VALUE, PACKED_BLOB, PACKED_ITEM };

struct packed_segment;
TAILQ_HEAD(packed_segments, packed_segment);

struct packed {
    struct packed_segments segments;
    uint64_t first; /* the number of the record at the front; that of the first one pushed is 0 */
    uint64_t next;  /* the number of the next one that is pushed */
    uint64_t cost;  /* bytes of all segments: what is charged */
    bool both_ends; /* records can be taken from the back; costs four bytes each */
};

struct packed_record {
    enum packed_tag tag;
    struct slice data; /* valid until the record is removed */
};

/* Where an iteration stands. */
struct packed_cursor {
    struct packed_segment *segment;
    uint32_t at;
};

/* Records, hidden ones included. */
static inline uint64_t packed_count(const struct packed *packed)
{
    return packed->next - packed->first;
}

void packed_init(struct packed *packed, bool both_ends);
/* The first record that is pushed will have that number; for an empty one. */
void packed_number(struct packed *packed, uint64_t number);
/* Frees the segments; pointers in records must have been dealt with. */
void packed_deinit(struct packed *packed);

/* Frees what is in `packed` and moves everything of `other`, which is empty afterwards, into it. */
void packed_take_over(struct packed *packed, struct packed *other);

/* By how much the next push of `len` bytes will raise `cost`: mostly 0. */
uint64_t packed_push_cost(const struct packed *packed, size_t len);
/* 0, or ERR_MEMORY for want of memory. */
int packed_push(struct packed *packed, enum packed_tag tag, struct slice data);
bool packed_front(const struct packed *packed, struct packed_record *out);
bool packed_back(const struct packed *packed, struct packed_record *out);
void packed_pop_front(struct packed *packed);
void packed_pop_back(struct packed *packed);

/* From the front to the back, or the other way: begin, then next until it returns false. */
struct packed_cursor packed_begin(const struct packed *packed, bool from_back);
bool packed_next(const struct packed *packed, struct packed_cursor *cursor, bool from_back,
                 struct packed_record *out);

/* Where a walk from the front to the back would go on with what is pushed from now on, as long as
 * the record that is the last one now has not been taken. */
struct packed_cursor packed_end(const struct packed *packed);
/* Where such a walk goes on with the record of a number. Takes as many steps as there are records
 * from that on; records can be taken from the back. */
struct packed_cursor packed_find(const struct packed *packed, uint64_t number);

/* Skips whole segments from where a walk begins, as long as no more than *count records that are
 * not hidden are in one, and lowers *count by those it has skipped. */
void packed_skip(const struct packed *packed, struct packed_cursor *cursor, bool from_back,
                 uint64_t *count, struct pace *pace);

/* The segment that the last push put its record into, and that of the record which packed_next has
 * just shown. */
struct packed_segment *packed_last(const struct packed *packed);
static inline struct packed_segment *packed_segment_of(const struct packed_cursor *cursor)
{
    return cursor->segment;
}
/* A record of that segment is hidden from now on, or no longer, as before it is popped. */
void packed_hide(struct packed_segment *segment);
void packed_show(struct packed_segment *segment);

/* The pointer that a PACKED_BLOB or PACKED_ITEM record holds. */
static inline void *packed_pointer(const struct packed_record *record)
{
    void *pointer;
    memcpy(&pointer, record->data.data, sizeof(pointer));
    return pointer;
}
