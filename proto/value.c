/*
 * value: canonical form, equality, and which values may be keys; see value.h. Order and arithmetic
 * are in number.c, the printed form in print.c.
 *
 * An encoding is a plain sequence of headers, each with its bytes behind it: containers need no
 * stack here, since the values in them follow one after the other and their counts are compared
 * or copied like everything else.
 */
#include "proto/value.h"

/* Reads the header at `at` and answers where the next one stands. A slice that is no whole value
 * (against the contract) ends there, so that no loop over it is endless. */
static size_t next_header(struct slice value, size_t at, struct header *out)
{
    if (header_read(value.data + at, value.len - at, out) != 0 ||
        out->length > value.len - at - out->size) {
        *out = (struct header){0};
        return value.len;
    }
    return at + out->size + out->length;
}

struct slice value_part(struct slice *rest, size_t size)
{
    size_t at = 0;
    while (at < size && at < rest->len) {
        struct header header;
        at = next_header(*rest, at, &header);
    }
    struct slice part = {rest->data, at};
    *rest = slice_from(*rest, at);
    return part;
}

/* Bytes of the shortest header for a positive integer, and for a negative one. */
static unsigned uint_size(uint64_t value)
{
    return value < 0x80          ? 1
           : value <= UINT8_MAX  ? 2
           : value <= UINT16_MAX ? 3
           : value <= UINT32_MAX ? 5
                                 : 9;
}

static unsigned negative_size(int64_t value)
{
    return value >= -32         ? 1
           : value >= INT8_MIN  ? 2
           : value >= INT16_MIN ? 3
           : value >= INT32_MIN ? 5
                                : 9;
}

/* Bytes of the shortest header that has a length or count in it; `fix` is the largest one that the
 * first byte itself can hold, `narrow` whether there is a form with one byte for it. */
static unsigned run_size(uint32_t length, uint32_t fix, bool narrow)
{
    return length <= fix ? 1 : narrow && length <= UINT8_MAX ? 2 : length <= UINT16_MAX ? 3 : 5;
}

static unsigned ext_size(uint32_t length)
{
    bool fixed = length == 1 || length == 2 || length == 4 || length == 8 || length == 16;
    return fixed ? 2 : length <= UINT8_MAX ? 3 : length <= UINT16_MAX ? 4 : 6;
}

static bool header_is_canonical(uint8_t first, const struct header *header)
{
    switch (header->kind) {
    case KIND_NIL:
    case KIND_BOOL:
    case KIND_UINT:
        return true;
    case KIND_INT:
        if (header->i < 0) {
            return header->size == negative_size(header->i);
        }
        /* Of two forms of the same length (0xcd and 0xd1, …) the unsigned one is meant. */
        return header->size == uint_size((uint64_t)header->i) && (first < 0xd0 || first > 0xd3);
    case KIND_FLOAT:
        return header->size == 9;
    case KIND_STR:
        return header->size == run_size(header->length, 31, true);
    case KIND_BIN:
        return header->size ==
               (header->length <= UINT8_MAX ? 2 : run_size(header->length, 0, false));
    case KIND_ARRAY:
    case KIND_MAP:
        return header->size == run_size(header->count, 15, false);
    case KIND_EXT:
        return header->size == ext_size(header->length);
    }
    return true;
}

/* True for the first bytes that are a canonical scalar whatever follows: small integers, short
 * strs, nil and the booleans. */
static bool first_is_canonical_scalar(uint8_t first)
{
    return first < 0x80 || first >= 0xe0 || (first >= 0xa0 && first <= 0xc3);
}

bool value_is_canonical(struct slice value)
{
    return (value.len > 0 && first_is_canonical_scalar(value.data[0])) ||
           value_part_is_canonical(value);
}

bool value_part_is_canonical(struct slice part)
{
    for (size_t at = 0; at < part.len;) {
        struct header header;
        uint8_t first = part.data[at];
        at = next_header(part, at, &header);
        if (!header_is_canonical(first, &header)) {
            return false;
        }
    }
    return true;
}

static void pack_header(const struct header *header, struct slice body, struct buffer *out)
{
    switch (header->kind) {
    case KIND_INT:
        pack_int(out, header->i);
        break;
    case KIND_FLOAT:
        pack_double(out, header->f);
        break;
    case KIND_STR:
        pack_str(out, body);
        break;
    case KIND_BIN:
        pack_bin(out, body);
        break;
    case KIND_ARRAY:
        pack_array(out, header->count);
        break;
    case KIND_MAP:
        pack_map(out, header->count);
        break;
    case KIND_EXT:
        pack_ext(out, header->ext_type, body);
        break;
    case KIND_NIL:
    case KIND_BOOL:
    case KIND_UINT:
        break; /* these have one form only */
    }
}

void value_canonical(struct slice value, struct buffer *out)
{
    size_t copied = 0; /* what stands before it is in *out */
    for (size_t at = 0; at < value.len;) {
        struct header header;
        size_t next = next_header(value, at, &header);
        if (!header_is_canonical(value.data[at], &header)) {
            pack_raw(out, (struct slice){value.data + copied, at - copied});
            pack_header(&header, (struct slice){value.data + at + header.size, header.length}, out);
            copied = next;
        }
        at = next;
    }
    pack_raw(out, (struct slice){value.data + copied, value.len - copied});
}

static bool headers_equal(const struct header *a, const struct header *b)
{
    if (a->kind != b->kind || a->length != b->length || a->count != b->count) {
        return false;
    }
    switch (a->kind) {
    case KIND_BOOL:
        return a->b == b->b;
    case KIND_INT:
    case KIND_UINT:
    case KIND_FLOAT: /* by its bits: so a NaN equals itself, and 0.0 is not -0.0 */
        return a->u == b->u;
    case KIND_EXT:
        return a->ext_type == b->ext_type;
    default:
        return true;
    }
}

bool value_equal(struct slice a, struct slice b)
{
    if (slice_equal(a, b)) {
        return true;
    }
    size_t at_a = 0;
    size_t at_b = 0;
    while (at_a < a.len && at_b < b.len) {
        struct header header_a;
        struct header header_b;
        at_a = next_header(a, at_a, &header_a);
        at_b = next_header(b, at_b, &header_b);
        if (!headers_equal(&header_a, &header_b) ||
            memcmp(a.data + at_a - header_a.length, b.data + at_b - header_b.length,
                   header_a.length) != 0) {
            return false;
        }
    }
    return at_a == a.len && at_b == b.len;
}

/* What keeps a single value from being a key, alone and within an array; NULL if nothing does. */
static const char *key_fault(const struct header *header, bool inside)
{
    if (header->kind == KIND_MAP) {
        return inside ? "an array that holds a map" : "a map";
    }
    if (header->kind == KIND_FLOAT && header->f != header->f && !inside) {
        return "NaN";
    }
    if (header->kind == KIND_EXT && header->ext_type == EXT_REFERENCE) {
        return inside ? "an array that holds an object reference" : "an object reference";
    }
    if (header->kind == KIND_EXT && header->ext_type == EXT_DESCRIPTOR) {
        return inside ? "an array that holds a file descriptor" : "a file descriptor";
    }
    return NULL;
}

int value_check_key(struct slice value, const char **why)
{
    if (value.len > 0 && first_is_canonical_scalar(value.data[0])) {
        return 0;
    }
    return value_check_key_part(value, true, why);
}

int value_check_key_part(struct slice part, bool first, const char **why)
{
    for (size_t at = 0; at < part.len;) {
        struct header header;
        bool inside = !first || at > 0;
        at = next_header(part, at, &header);
        const char *fault = key_fault(&header, inside);
        if (fault != NULL) {
            if (why != NULL) {
                *why = fault;
            }
            return ERR_TYPE;
        }
    }
    return 0;
}
