/*
 * pair: see pair.h.
 *
 * A length is written in groups of seven bits, the lowest first; all but the last byte have the
 * highest bit set. No value is empty, so 0 as its length says that it is a blob.
 *
 * Tests: tests/unit/objects/test_dict.c.
 */
#include "daemon/objects/pair.h"

#include <stdlib.h>

#include "daemon/objects/allocation.h"
#include "daemon/objects/bulk.h"
#include "daemon/objects/bulk.h"

static size_t length_size(size_t length)
{
    size_t size = 1;
    while (length >= 0x80) {
        length >>= 7;
        size++;
    }
    return size;
}

static uint8_t *length_write(uint8_t *at, size_t length)
{
    while (length >= 0x80) {
        *at++ = (uint8_t)(length | 0x80);
        length >>= 7;
    }
    *at++ = (uint8_t)length;
    return at;
}

static const uint8_t *length_read(const uint8_t *at, size_t *length)
{
    size_t value = *at & 0x7f;
    if (__builtin_expect(*at < 0x80, 1)) {
        *length = value;
        return at + 1;
    }
    for (unsigned shift = 7; (*at++ & 0x80) != 0; shift += 7) {
        value |= (size_t)(*at & 0x7f) << shift;
    }
    *length = value;
    return at;
}

/* A pair, taken apart. */
struct parts {
    struct slice key;
    const uint8_t *value; /* or the blob's pointer */
    size_t value_len;     /* 0: a blob */
};

static inline struct parts parts_of(const struct pair *pair)
{
    struct parts parts;
    const uint8_t *at = length_read(pair->data, &parts.key.len);
    parts.key.data = length_read(at, &parts.value_len);
    parts.value = parts.key.data + parts.key.len;
    return parts;
}

static struct blob *blob_at(const uint8_t *at)
{
    struct blob *blob;
    memcpy(&blob, at, sizeof(blob));
    return blob;
}

/* `value_len` is 0 for a blob. */
static size_t pair_size(size_t key_len, size_t value_len)
{
    size_t lengths = length_size(key_len) + length_size(value_len);
    size_t value = value_len == 0 ? sizeof(struct blob *) : value_len;
    return sizeof(struct pair) + lengths + key_len + value;
}

struct pair *pair_new(struct slice key, struct incoming value)
{
    struct blob *blob = NULL;
    if ((value.origin != NULL || value.bytes.len >= BLOB_MIN) && blob_if_needed(value, &blob) < 0) {
        return NULL;
    }
    size_t value_len = blob != NULL ? 0 : value.bytes.len;
    struct pair *pair = malloc(pair_size(key.len, value_len));
    if (pair == NULL) {
        blob_unref(blob);
        return NULL;
    }
    uint8_t *at = length_write(pair->data, key.len);
    at = length_write(at, value_len);
    bulk_copy(at, key.data, key.len, value.pace);
    if (blob != NULL) {
        memcpy(at + key.len, &blob, sizeof(blob));
    } else {
        memcpy(at + key.len, value.bytes.data, value_len);
    }
    return pair;
}

void pair_free(struct pair *pair)
{
    if (pair != NULL) {
        blob_unref(pair_value(pair).blob);
        free(pair);
    }
}

struct slice pair_key(const struct pair *pair)
{
    return parts_of(pair).key;
}

struct stored pair_value(const struct pair *pair)
{
    struct parts parts = parts_of(pair);
    if (parts.value_len > 0) {
        return (struct stored){{parts.value, parts.value_len}, NULL};
    }
    return stored_blob(blob_at(parts.value));
}

size_t pair_cost(const struct pair *pair)
{
    struct parts parts = parts_of(pair);
    size_t cost = allocation_cost(pair_size(parts.key.len, parts.value_len));
    return parts.value_len > 0 ? cost : cost + blob_cost(blob_at(parts.value));
}

size_t pair_cost_of(struct slice key, struct slice value)
{
    if (value.len < BLOB_MIN) {
        return allocation_cost(pair_size(key.len, value.len));
    }
    return allocation_cost(pair_size(key.len, 0)) + blob_cost_of(value.len);
}

size_t pair_free_steps(const struct pair *pair)
{
    struct parts parts = parts_of(pair);
    return 4 + (parts.value_len > 0 ? 0 : blob_at(parts.value)->len / BULK_FREE_STEP);
}

bool pair_matches(const struct ordered_entry *entry, const void *key)
{
    return slice_equal(pair_key((const struct pair *)entry), *(const struct slice *)key);
}

bool pair_overwrite(struct pair *pair, struct incoming value)
{
    struct parts parts = parts_of(pair);
    if (parts.value_len != value.bytes.len || value.origin != NULL) {
        return false;
    }
    memcpy(pair->data + (parts.value - pair->data), value.bytes.data, value.bytes.len);
    return true;
}
