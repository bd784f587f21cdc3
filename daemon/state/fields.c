/*
 * fields: see fields.h.
 *
 * Tests: tests/unit/state/test_fields.c.
 */
#include "daemon/state/fields.h"

#include "proto/header.h"

/* The next header, whose bytes are there as well; false, and the record is bad, if there is none.
 */
static bool next(struct fields *fields, struct header *header)
{
    struct slice *rest = &fields->rest;
    if (fields->bad || header_read(rest->data, rest->len, header) != 0 ||
        header->length > rest->len - header->size) {
        fields->bad = true;
        return false;
    }
    *rest = slice_from(*rest, header->size);
    return true;
}

static bool next_of(struct fields *fields, enum kind kind, struct header *header)
{
    if (!next(fields, header) || header->kind != kind) {
        fields->bad = true;
        return false;
    }
    return true;
}

uint64_t field_uint(struct fields *fields)
{
    struct header header;
    if (next(fields, &header)) {
        if (header.kind == KIND_UINT) {
            return header.u;
        }
        if (header.kind == KIND_INT && header.i >= 0) {
            return (uint64_t)header.i;
        }
    }
    fields->bad = true;
    return 0;
}

uint64_t field_below(struct fields *fields, uint64_t most)
{
    uint64_t value = field_uint(fields);
    if (value >= most) {
        fields->bad = true;
        return 0;
    }
    return value;
}

int64_t field_int(struct fields *fields)
{
    struct header header;
    return next_of(fields, KIND_INT, &header) ? header.i : 0;
}

void field_nil(struct fields *fields)
{
    struct header header;
    (void)next_of(fields, KIND_NIL, &header);
}

bool field_bool(struct fields *fields)
{
    struct header header;
    return next_of(fields, KIND_BOOL, &header) && header.b;
}

struct slice field_bytes(struct fields *fields)
{
    struct header header;
    if (!next(fields, &header) || (header.kind != KIND_STR && header.kind != KIND_BIN)) {
        fields->bad = true;
        return (struct slice){0};
    }
    struct slice bytes = {fields->rest.data, header.length};
    fields->rest = slice_from(fields->rest, header.length);
    return bytes;
}

uint32_t field_array(struct fields *fields)
{
    struct header header;
    if (!next_of(fields, KIND_ARRAY, &header) || header.count > fields->rest.len) {
        fields->bad = true; /* each element has a byte at least */
        return 0;
    }
    return header.count;
}

void pack_bin_header(struct buffer *out, size_t len)
{
    const uint8_t header[] = {0xc6, (uint8_t)(len >> 24), (uint8_t)(len >> 16), (uint8_t)(len >> 8),
                              (uint8_t)len};
    (void)buffer_append(out, header, sizeof(header));
}

void pack_time(struct buffer *out, struct timespec time)
{
    pack_int(out, time.tv_sec);
    pack_uint(out, (uint64_t)time.tv_nsec);
}

struct timespec field_time(struct fields *fields)
{
    struct timespec time;
    time.tv_sec = (time_t)field_int(fields);
    time.tv_nsec = (long)field_below(fields, 1000000000);
    return time;
}
