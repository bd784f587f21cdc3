/*
 * header_decode: header_read's work, for proto's own loops to have inline.
 *
 * Private to proto/. A loop that needs only a part of a header (where the next one stands) gets
 * the rest of the work optimised away, and its branches are predicted at each place by themselves.
 */
#pragma once

#include "proto/header.h"

#include <endian.h>

static inline uint16_t read16(const uint8_t *p)
{
    uint16_t v;
    memcpy(&v, p, sizeof(v));
    return be16toh(v);
}

static inline uint32_t read32(const uint8_t *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof(v));
    return be32toh(v);
}

static inline uint64_t read64(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof(v));
    return be64toh(v);
}

enum { HEADER_SIZE_MAX = 9 };

/* Bytes of the header for the first bytes 0xc0 to 0xdf; 0xc1, which is none, counts as one. */
static const uint8_t header_sizes[32] = {
    1, 1, 1, 1, 2, 3, 5, 3, 4, 6, 5, 9, 2, 3, 5, 9, 2, 3, 5, 9, 2, 2, 2, 2, 2, 2, 3, 5, 3, 5, 3, 5,
};

static inline int header_set_int(struct header *out, uint8_t size, int64_t value)
{
    out->kind = KIND_INT;
    out->size = size;
    out->i = value;
    return 0;
}

static inline int header_set_uint(struct header *out, uint8_t size, uint64_t value)
{
    out->kind = value > INT64_MAX ? KIND_UINT : KIND_INT;
    out->size = size;
    out->u = value;
    return 0;
}

static inline int header_set_float(struct header *out, uint8_t size, double value)
{
    out->kind = KIND_FLOAT;
    out->size = size;
    out->f = value;
    return 0;
}

static inline int header_set_run(struct header *out, enum kind kind, uint8_t size, uint32_t length)
{
    out->kind = kind;
    out->size = size;
    out->length = length;
    return 0;
}

static inline int header_set_container(struct header *out, enum kind kind, uint8_t size,
                                       uint32_t count)
{
    out->kind = kind;
    out->size = size;
    out->count = count;
    return 0;
}

/* The type stands behind the length, as the header's last byte. */
static inline int header_set_ext(struct header *out, uint8_t size, uint32_t length, uint8_t type)
{
    out->ext_type = (int8_t)type;
    return header_set_run(out, KIND_EXT, size, length);
}

static inline double float_of_bits(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof(value));
    return (double)value;
}

static inline double double_of_bits(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

/* The first bytes 0xc0 to 0xdf; the header's bytes are there. Each arm has its size as a constant:
 * read from a table it would stand in the way of guessing where the next header is. */
static inline int header_decode_wide(const uint8_t *p, struct header *out)
{
    switch (p[0]) {
    case 0xc0:
        out->kind = KIND_NIL;
        return 0;
    case 0xc2:
    case 0xc3:
        out->kind = KIND_BOOL;
        out->b = p[0] == 0xc3;
        return 0;
    case 0xc4:
        return header_set_run(out, KIND_BIN, 2, p[1]);
    case 0xc5:
        return header_set_run(out, KIND_BIN, 3, read16(p + 1));
    case 0xc6:
        return header_set_run(out, KIND_BIN, 5, read32(p + 1));
    case 0xc7:
        return header_set_ext(out, 3, p[1], p[2]);
    case 0xc8:
        return header_set_ext(out, 4, read16(p + 1), p[3]);
    case 0xc9:
        return header_set_ext(out, 6, read32(p + 1), p[5]);
    case 0xca:
        return header_set_float(out, 5, float_of_bits(read32(p + 1)));
    case 0xcb:
        return header_set_float(out, 9, double_of_bits(read64(p + 1)));
    case 0xcc:
        return header_set_int(out, 2, p[1]);
    case 0xcd:
        return header_set_int(out, 3, read16(p + 1));
    case 0xce:
        return header_set_int(out, 5, read32(p + 1));
    case 0xcf:
        return header_set_uint(out, 9, read64(p + 1));
    case 0xd0:
        return header_set_int(out, 2, (int8_t)p[1]);
    case 0xd1:
        return header_set_int(out, 3, (int16_t)read16(p + 1));
    case 0xd2:
        return header_set_int(out, 5, (int32_t)read32(p + 1));
    case 0xd3:
        return header_set_int(out, 9, (int64_t)read64(p + 1));
    case 0xd4:
    case 0xd5:
    case 0xd6:
    case 0xd7:
    case 0xd8:
        return header_set_ext(out, 2, 1U << (p[0] - 0xd4), p[1]);
    case 0xd9:
        return header_set_run(out, KIND_STR, 2, p[1]);
    case 0xda:
        return header_set_run(out, KIND_STR, 3, read16(p + 1));
    case 0xdb:
        return header_set_run(out, KIND_STR, 5, read32(p + 1));
    case 0xdc:
        return header_set_container(out, KIND_ARRAY, 3, read16(p + 1));
    case 0xdd:
        return header_set_container(out, KIND_ARRAY, 5, read32(p + 1));
    case 0xde:
        return header_set_container(out, KIND_MAP, 3, read16(p + 1));
    case 0xdf:
        return header_set_container(out, KIND_MAP, 5, read32(p + 1));
    default: /* 0xc1 */
        return ERR_BAD_REQUEST;
    }
}

/* header_read for the first bytes 0xc0 to 0xdf, of which at least one is there. */
static inline int header_decode_long(const uint8_t *data, size_t len, struct header *out)
{
    bool more = len < HEADER_SIZE_MAX && len < header_sizes[data[0] - 0xc0];
    return more ? HEADER_MORE : header_decode_wide(data, out);
}

static inline bool header_is_long(uint8_t first)
{
    return (first & 0xe0) == 0xc0;
}

/* header_read for all other first bytes, which are the whole header. */
static inline void header_decode_short(uint8_t first, struct header *out)
{
    if (first <= 0x7f || first >= 0xe0) {
        (void)header_set_int(out, 1, (int8_t)first);
    } else if (first >= 0xa0) {
        (void)header_set_run(out, KIND_STR, 1, first & 0x1f);
    } else {
        (void)header_set_container(out, first >= 0x90 ? KIND_ARRAY : KIND_MAP, 1, first & 0x0f);
    }
}

/* See header_read. */
__attribute__((always_inline)) static inline int header_decode(const uint8_t *data, size_t len,
                                                               struct header *out)
{
    if (len == 0) {
        return HEADER_MORE;
    }
    out->size = 1;
    out->length = 0;
    out->count = 0;
    if (header_is_long(data[0])) {
        return header_decode_long(data, len, out);
    }
    header_decode_short(data[0], out);
    return 0;
}
