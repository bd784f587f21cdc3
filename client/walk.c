/*
 * walk: looking into the values of answers.
 *
 * Answers have been scanned when they came, so a walk can trust its bytes; but a caller can also
 * make a raw value of its own, so it never steps beyond the end.
 *
 * Tests: tests/unit/client/test_value.c.
 */
#include "client/walk.h"

#include "client/error.h"
#include "client/value.h"
#include "proto/value.h"

bool ipcc_value_is_str(const struct ipcc_value *value, const char *text)
{
    return value != NULL && text != NULL && value->kind == IPCC_STR && value_has_bytes(value) &&
           slice_equal((struct slice){value->as.data, value->length}, slice_of_string(text));
}

/* What the functions that read a scalar begin with. ARGUMENT. */
static int places_check(const struct ipcc_value *value, const void *out, const char *what)
{
    return value != NULL && out != NULL
               ? 0
               : error_set(IPCC_ERR_ARGUMENT, "a value and a place for the %s are needed, not NULL",
                           what);
}

static int not_a(const struct ipcc_value *value, const char *expected)
{
    return error_set(IPCC_ERR_TYPE, "the value is %s where %s was expected", value_kind_name(value),
                     expected);
}

int ipcc_value_int(const struct ipcc_value *value, int64_t *out)
{
    int status = places_check(value, out, "integer");
    if (status < 0) {
        return status;
    }
    if (value->kind == IPCC_UINT && value->as.unsigned_integer > INT64_MAX) {
        return error_set(IPCC_ERR_RANGE, "the integer is %llu, above 2^63-1",
                         (unsigned long long)value->as.unsigned_integer);
    }
    if (value->kind != IPCC_INT && value->kind != IPCC_UINT) {
        return not_a(value, "an integer");
    }
    *out = value->as.integer;
    return 0;
}

int ipcc_value_uint(const struct ipcc_value *value, uint64_t *out)
{
    int status = places_check(value, out, "integer");
    if (status < 0) {
        return status;
    }
    if (value->kind == IPCC_INT && value->as.integer < 0) {
        return error_set(IPCC_ERR_RANGE, "the integer is %lld, below 0",
                         (long long)value->as.integer);
    }
    if (value->kind != IPCC_INT && value->kind != IPCC_UINT) {
        return not_a(value, "an integer");
    }
    *out = value->as.unsigned_integer;
    return 0;
}

int ipcc_value_double(const struct ipcc_value *value, double *out)
{
    int status = places_check(value, out, "number");
    if (status < 0) {
        return status;
    }
    double number = 0;
    bool exact = true;
    switch (value->kind) {
    case IPCC_FLOAT:
        number = value->as.number;
        break;
    /* The first bound is where converting back would overflow. */
    case IPCC_INT:
        number = (double)value->as.integer;
        exact = number < 0x1p63 && (int64_t)number == value->as.integer;
        break;
    case IPCC_UINT:
        number = (double)value->as.unsigned_integer;
        exact = number < 0x1p64 && (uint64_t)number == value->as.unsigned_integer;
        break;
    default:
        return not_a(value, "a number");
    }
    if (!exact) {
        return error_set(IPCC_ERR_RANGE, "the integer has no double that is equal to it");
    }
    *out = number;
    return 0;
}

int ipcc_value_bool(const struct ipcc_value *value, bool *out)
{
    int status = places_check(value, out, "boolean");
    if (status < 0) {
        return status;
    }
    if (value->kind != IPCC_BOOL) {
        return not_a(value, "a boolean");
    }
    *out = value->as.boolean;
    return 0;
}

/* Reads the header of a RAW value that is a container. */
static bool container_header(const struct ipcc_value *value, struct header *header)
{
    return value != NULL && value->kind == IPCC_RAW && value_has_bytes(value) &&
           header_read(value->as.data, value->length, header) == 0 &&
           (header->kind == KIND_ARRAY || header->kind == KIND_MAP);
}

struct ipcc_walk ipcc_walk_of(const struct ipcc_value *container)
{
    struct ipcc_walk walk = {0};
    struct header header;
    if (container_header(container, &header)) {
        walk.at = (const uint8_t *)container->as.data + header.size;
        walk.end = (const uint8_t *)container->as.data + container->length;
        walk.in_map = header.kind == KIND_MAP;
        walk.left = walk.in_map ? (size_t)header.count * 2 : header.count;
    }
    return walk;
}

bool ipcc_walk_next(struct ipcc_walk *walk, struct ipcc_value *value)
{
    if (walk == NULL || walk->left == 0) {
        return false;
    }
    size_t len = scan_length(walk->at, (size_t)(walk->end - walk->at));
    if (len == 0) {
        walk->left = 0;
        return false;
    }
    if (value != NULL) {
        *value = value_decode((struct slice){walk->at, len});
    }
    walk->at += len;
    walk->left--;
    return true;
}

bool ipcc_walk_pair(struct ipcc_walk *walk, struct ipcc_value *key, struct ipcc_value *value)
{
    if (walk != NULL && walk->in_map) {
        return ipcc_walk_next(walk, key) && ipcc_walk_next(walk, value);
    }
    struct ipcc_value pair;
    if (!ipcc_walk_next(walk, &pair)) {
        return false;
    }
    struct ipcc_walk inner = ipcc_walk_of(&pair);
    return inner.left == 2 && ipcc_walk_next(&inner, key) && ipcc_walk_next(&inner, value);
}

int ipcc_map_get(const struct ipcc_value *map, const char *key, struct ipcc_value *value)
{
    struct header header;
    if (map == NULL || key == NULL || value == NULL) {
        return error_set(IPCC_ERR_ARGUMENT,
                         "ipcc_map_get wants a map, a key and a place for the value");
    }
    if (!container_header(map, &header) || header.kind != KIND_MAP) {
        return error_set(IPCC_ERR_TYPE, "the value is %s where a map was expected",
                         value_kind_name(map));
    }
    struct ipcc_walk walk = ipcc_walk_of(map);
    struct ipcc_value at;
    struct ipcc_value found;
    while (ipcc_walk_pair(&walk, &at, &found)) {
        if (ipcc_value_is_str(&at, key)) {
            *value = found;
            return 0;
        }
    }
    return error_set(IPCC_ERR_KEY, "the map has no key \"%s\"", key);
}

bool map_count(const struct ipcc_value *map, const char *key, uint64_t *count)
{
    struct ipcc_value value;
    return ipcc_map_get(map, key, &value) == 0 && ipcc_value_uint(&value, count) == 0;
}

bool map_bool(const struct ipcc_value *map, const char *key, bool *value)
{
    struct ipcc_value found;
    return ipcc_map_get(map, key, &found) == 0 && ipcc_value_bool(&found, value) == 0;
}

/* The three values of an item. */
static bool next_item(struct ipcc_walk *walk, struct ipcc_item *item)
{
    struct ipcc_value value;
    struct ipcc_value ticket;
    struct ipcc_value deliveries;
    if (walk->in_map || walk->left < 3 || !ipcc_walk_next(walk, &value) ||
        !ipcc_walk_next(walk, &ticket) || !ipcc_walk_next(walk, &deliveries) ||
        (ticket.kind != IPCC_INT && ticket.kind != IPCC_NIL) || deliveries.kind != IPCC_INT) {
        return false;
    }
    *item = (struct ipcc_item){
        .value = value,
        .ticket = ticket.kind == IPCC_INT ? ticket.as.integer : IPCC_NO_TICKET,
        .deliveries = deliveries.as.integer,
    };
    return true;
}

bool item_decode(const struct ipcc_value *array, struct ipcc_item *item)
{
    struct ipcc_walk walk = ipcc_walk_of(array);
    return next_item(&walk, item);
}

bool item_decode_named(const struct ipcc_value *array, struct ipcc_value *name,
                       struct ipcc_item *item)
{
    struct ipcc_walk walk = ipcc_walk_of(array);
    return !walk.in_map && ipcc_walk_next(&walk, name) && name->kind == IPCC_STR &&
           next_item(&walk, item);
}

bool ipcc_walk_item(struct ipcc_walk *walk, struct ipcc_item *item)
{
    struct ipcc_value array;
    struct ipcc_item unused;
    return ipcc_walk_next(walk, &array) && item_decode(&array, item != NULL ? item : &unused);
}

int ipcc_value_print(const struct ipcc_value *value, char *text, size_t size)
{
    if (value == NULL || text == NULL || size == 0) {
        return error_set(IPCC_ERR_ARGUMENT, "ipcc_value_print wants a value and room for its text");
    }
    text[0] = '\0';
    struct buffer encoded = {0};
    struct buffer printed = {0};
    struct encoding encoding = {.out = &encoded, .printing = true};
    int status = value_encode(value, SCAN_DEPTH_MAX, &encoding);
    if (status == 0) {
        value_print(buffer_slice(&encoded), size, &printed);
        if (encoded.failed || printed.failed) {
            status = error_set(IPCC_ERR_NO_MEMORY, "no memory to print a value");
        }
    }
    if (status == 0) {
        /* value_print ends near its limit, not at it. */
        size_t len = printed.len < size ? printed.len : size - 1;
        while (len > 0 && len < printed.len && (printed.data[len] & 0xc0) == 0x80) {
            len--;
        }
        memcpy(text, printed.data, len);
        text[len] = '\0';
    }
    buffer_deinit(&encoded);
    buffer_deinit(&printed);
    return status;
}
