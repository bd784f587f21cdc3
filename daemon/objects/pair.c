/*
 * pair: see pair.h.
 *
 * A length is written in groups of seven bits, the lowest first; all but the last byte have the
 * highest bit set. No value is empty, so 0 as its length says that it is a blob.
 */
#include "daemon/objects/pair.h"

#include <stdlib.h>

#include "daemon/objects/allocation.h"

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

static size_t pair_size(size_t key_len, size_t value_len)
{
    bool is_blob = value_len >= BLOB_MIN;
    size_t lengths = length_size(key_len) + length_size(is_blob ? 0 : value_len);
    return sizeof(struct pair) + lengths + key_len + (is_blob ? sizeof(struct blob *) : value_len);
}

size_t pair_cost_for(size_t key_len, size_t value_len)
{
    return allocation_cost(pair_size(key_len, value_len)) +
           (value_len >= BLOB_MIN ? blob_cost(value_len) : 0);
}

struct pair *pair_new(struct slice key, struct slice value)
{
    bool is_blob = value.len >= BLOB_MIN;
    struct pair *pair = malloc(pair_size(key.len, value.len));
    struct blob *blob = is_blob && pair != NULL ? blob_new(value) : NULL;
    if (pair == NULL || (is_blob && blob == NULL)) {
        free(pair);
        return NULL;
    }
    uint8_t *at = length_write(pair->data, key.len);
    at = length_write(at, is_blob ? 0 : value.len);
    memcpy(at, key.data, key.len);
    if (is_blob) {
        memcpy(at + key.len, &blob, sizeof(blob));
    } else {
        memcpy(at + key.len, value.data, value.len);
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
    struct blob *blob = blob_at(parts.value);
    return (struct stored){{blob->data, blob->len}, blob};
}

size_t pair_cost(const struct pair *pair)
{
    return pair_cost_for(pair_key(pair).len, pair_value(pair).bytes.len);
}

bool pair_matches(const struct ordered_entry *entry, const void *key)
{
    return slice_equal(pair_key((const struct pair *)entry), *(const struct slice *)key);
}

bool pair_overwrite(struct pair *pair, struct slice value)
{
    struct parts parts = parts_of(pair);
    if (parts.value_len != value.len) {
        return false;
    }
    memcpy(pair->data + (parts.value - pair->data), value.data, value.len);
    return true;
}
