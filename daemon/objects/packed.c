/*
 * packed: see packed.h.
 *
 * A record is a word of four bytes, length << 2 | tag, then the data, then, where records can be
 * taken from the back, the same word again. A segment is freed when it is empty, but for the last
 * one, which is kept for the next records unless it is large: a queue that is filled and emptied
 * all the time then takes no memory from the allocator.
 */
#include "daemon/objects/packed.h"

#include <assert.h>
#include <stdlib.h>

#include "proto/error.h"

enum {
    WORD = 4,
    FIRST_SEGMENT = 256,
    LARGEST_SEGMENT = 65536,
    KEPT_SEGMENT = 16384, /* an empty run keeps its last segment up to this size */
    TAG_BITS = 2,
};

struct packed_segment {
    TAILQ_ENTRY(packed_segment) link;
    uint32_t begin;  /* of the first record */
    uint32_t end;    /* behind the last one */
    uint32_t size;   /* of bytes */
    uint32_t hidden; /* records */
    uint64_t first;  /* the number of its first record, as it was pushed */
    uint8_t bytes[];
};

void packed_init(struct packed *packed, bool both_ends)
{
    *packed = (struct packed){.both_ends = both_ends};
    TAILQ_INIT(&packed->segments);
}

void packed_number(struct packed *packed, uint64_t number)
{
    struct packed_segment *kept = TAILQ_FIRST(&packed->segments);
    packed->first = number;
    packed->next = number;
    if (kept != NULL) {
        kept->first = number;
    }
}

static void free_segment(struct packed *packed, struct packed_segment *segment)
{
    TAILQ_REMOVE(&packed->segments, segment, link);
    packed->cost -= sizeof(*segment) + segment->size;
    free(segment);
}

void packed_deinit(struct packed *packed)
{
    struct packed_segment *segment;
    while ((segment = TAILQ_FIRST(&packed->segments)) != NULL) {
        free_segment(packed, segment);
    }
    packed->first = packed->next;
}

void packed_take_over(struct packed *packed, struct packed *other)
{
    packed_deinit(packed);
    packed->first = other->first;
    packed->next = other->next;
    packed->cost = other->cost;
    TAILQ_CONCAT(&packed->segments, &other->segments, link);
    other->first = other->next;
    other->cost = 0;
}

/* The size of the next segment: twice the last one's, and enough for the record. */
static uint32_t next_size(const struct packed *packed, uint32_t record)
{
    const struct packed_segment *last = TAILQ_LAST(&packed->segments, packed_segments);
    uint32_t size = last == NULL ? FIRST_SEGMENT : (last->size + (uint32_t)sizeof(*last)) * 2;
    if (size > LARGEST_SEGMENT) {
        size = LARGEST_SEGMENT;
    }
    size -= (uint32_t)sizeof(struct packed_segment);
    return size > record ? size : record;
}

static struct packed_segment *add_segment(struct packed *packed, uint32_t record)
{
    uint32_t size = next_size(packed, record);
    struct packed_segment *segment = malloc(sizeof(*segment) + size);
    if (segment == NULL) {
        return NULL;
    }
    *segment = (struct packed_segment){.size = size, .first = packed->next};
    if (packed_count(packed) == 0 && !TAILQ_EMPTY(&packed->segments)) {
        free_segment(packed, TAILQ_FIRST(&packed->segments)); /* kept, and too small now */
    }
    TAILQ_INSERT_TAIL(&packed->segments, segment, link);
    packed->cost += sizeof(*segment) + size;
    return segment;
}

uint64_t packed_push_cost(const struct packed *packed, size_t len)
{
    uint32_t record = (uint32_t)len + WORD + (packed->both_ends ? WORD : 0);
    const struct packed_segment *last = TAILQ_LAST(&packed->segments, packed_segments);
    if (last != NULL && last->size - last->end >= record) {
        return 0;
    }
    uint64_t freed = packed_count(packed) == 0 && last != NULL ? sizeof(*last) + last->size : 0;
    return sizeof(*last) + next_size(packed, record) - freed;
}

int packed_push(struct packed *packed, enum packed_tag tag, struct slice data)
{
    uint32_t record = (uint32_t)data.len + WORD + (packed->both_ends ? WORD : 0);
    struct packed_segment *segment = TAILQ_LAST(&packed->segments, packed_segments);
    if (segment == NULL || segment->size - segment->end < record) {
        segment = add_segment(packed, record);
        if (segment == NULL) {
            return ERR_MEMORY;
        }
    }
    uint32_t word = (uint32_t)data.len << TAG_BITS | (uint32_t)tag;
    uint8_t *at = segment->bytes + segment->end;
    memcpy(at, &word, WORD);
    memcpy(at + WORD, data.data, data.len);
    if (packed->both_ends) {
        memcpy(at + WORD + data.len, &word, WORD);
    }
    segment->end += record;
    packed->next++;
    return 0;
}

/* The record whose first word stands at `at`; returns the bytes it takes. */
static uint32_t record_at(const struct packed *packed, const struct packed_segment *segment,
                          uint32_t at, struct packed_record *out)
{
    uint32_t word;
    memcpy(&word, segment->bytes + at, WORD);
    uint32_t len = word >> TAG_BITS;
    out->tag = (enum packed_tag)(word & ((1U << TAG_BITS) - 1));
    out->data = (struct slice){segment->bytes + at + WORD, len};
    return len + WORD + (packed->both_ends ? WORD : 0);
}

/* The record whose last word ends at `end`; returns the bytes it takes. */
static uint32_t record_before(const struct packed_segment *segment, uint32_t end,
                              struct packed_record *out)
{
    uint32_t word;
    memcpy(&word, segment->bytes + end - WORD, WORD);
    uint32_t len = word >> TAG_BITS;
    out->tag = (enum packed_tag)(word & ((1U << TAG_BITS) - 1));
    out->data = (struct slice){segment->bytes + end - WORD - len, len};
    return len + 2 * WORD;
}

bool packed_front(const struct packed *packed, struct packed_record *out)
{
    if (packed_count(packed) == 0) {
        return false;
    }
    const struct packed_segment *segment = TAILQ_FIRST(&packed->segments);
    (void)record_at(packed, segment, segment->begin, out);
    return true;
}

bool packed_back(const struct packed *packed, struct packed_record *out)
{
    assert(packed->both_ends);
    if (packed_count(packed) == 0) {
        return false;
    }
    const struct packed_segment *segment = TAILQ_LAST(&packed->segments, packed_segments);
    (void)record_before(segment, segment->end, out);
    return true;
}

/* A segment has become empty: it goes, unless it is the only one and small. */
static void retire(struct packed *packed, struct packed_segment *segment)
{
    if (packed_count(packed) == 0 && segment->size <= KEPT_SEGMENT) {
        segment->begin = 0;
        segment->end = 0;
        segment->first = packed->next;
    } else {
        free_segment(packed, segment);
    }
}

void packed_pop_front(struct packed *packed)
{
    struct packed_segment *segment = TAILQ_FIRST(&packed->segments);
    struct packed_record record;
    segment->begin += record_at(packed, segment, segment->begin, &record);
    packed->first++;
    if (segment->begin == segment->end) {
        retire(packed, segment);
    }
}

void packed_pop_back(struct packed *packed)
{
    struct packed_segment *segment = TAILQ_LAST(&packed->segments, packed_segments);
    struct packed_record record;
    segment->end -= record_before(segment, segment->end, &record);
    packed->next--;
    if (segment->begin == segment->end) {
        retire(packed, segment);
    }
}

struct packed_cursor packed_begin(const struct packed *packed, bool from_back)
{
    struct packed_segment *segment =
        from_back ? TAILQ_LAST(&packed->segments, packed_segments) : TAILQ_FIRST(&packed->segments);
    uint32_t at = 0;
    if (segment != NULL) {
        at = from_back ? segment->end : segment->begin;
    }
    return (struct packed_cursor){segment, at};
}

bool packed_next(const struct packed *packed, struct packed_cursor *cursor, bool from_back,
                 struct packed_record *out)
{
    struct packed_segment *segment = cursor->segment;
    if (segment != NULL && cursor->at == (from_back ? segment->begin : segment->end)) {
        segment =
            from_back ? TAILQ_PREV(segment, packed_segments, link) : TAILQ_NEXT(segment, link);
        cursor->segment = segment;
        if (segment != NULL) {
            cursor->at = from_back ? segment->end : segment->begin;
        }
    }
    if (segment == NULL || segment->begin == segment->end) {
        return false;
    }
    if (from_back) {
        cursor->at -= record_before(segment, cursor->at, out);
    } else {
        cursor->at += record_at(packed, segment, cursor->at, out);
    }
    return true;
}

struct packed_cursor packed_end(const struct packed *packed)
{
    return packed_begin(packed, true);
}

struct packed_cursor packed_find(const struct packed *packed, uint64_t number)
{
    struct packed_cursor cursor = packed_begin(packed, true);
    struct packed_record record;
    for (uint64_t at = packed->next; at > number; at--) {
        (void)packed_next(packed, &cursor, true, &record);
    }
    return cursor;
}

/* The records of a segment that are not hidden. */
static uint64_t visible(const struct packed *packed, const struct packed_segment *segment)
{
    const struct packed_segment *next = TAILQ_NEXT(segment, link);
    uint64_t end = next != NULL ? next->first : packed->next;
    uint64_t begin = segment->first > packed->first ? segment->first : packed->first;
    return end - begin - segment->hidden;
}

void packed_skip(const struct packed *packed, struct packed_cursor *cursor, bool from_back,
                 uint64_t *count, struct pace *pace)
{
    struct packed_segment *segment = cursor->segment;
    while (segment != NULL && visible(packed, segment) <= *count) {
        *count -= visible(packed, segment);
        pace_step(pace, 1);
        segment =
            from_back ? TAILQ_PREV(segment, packed_segments, link) : TAILQ_NEXT(segment, link);
    }
    cursor->segment = segment;
    if (segment != NULL) {
        cursor->at = from_back ? segment->end : segment->begin;
    }
}

struct packed_segment *packed_last(const struct packed *packed)
{
    return TAILQ_LAST(&packed->segments, packed_segments);
}

void packed_hide(struct packed_segment *segment)
{
    segment->hidden++;
}

void packed_show(struct packed_segment *segment)
{
    segment->hidden--;
}
