/*
 * value: see value.h.
 *
 * Encoding checks everything that could break the stream: a raw value must be exactly one value,
 * and nothing may nest deeper than the protocol allows, or the daemon would end the session. An
 * index of a descriptor means something in its own message only: the library gives them out, and
 * refuses those in values that are encoded already.
 */
#include "client/value.h"

#include "client/encode_object.h"
#include "client/error.h"
#include "proto/value.h"

static int encode_raw(const struct ipcc_value *value, unsigned depth, struct encoding *to)
{
    struct slice raw = {value->as.data, value->length};
    struct scan scan;
    if (!value_has_bytes(value)) {
        return error_set(IPCC_ERR_ARGUMENT, "a raw value has no bytes behind its pointer");
    }
    scan_init(&scan, depth, raw.len);
    if (raw.len > 0 && scan_run(&scan, raw.data, raw.len) == 0 && scan.at == raw.len) {
        if ((scan.exts & SCAN_DESCRIPTOR) != 0 && !to->printing) {
            return encoding_index_refused();
        }
        pack_raw(to->out, raw);
        return 0;
    }
    if (raw.len > 0 && scan_length(raw.data, raw.len) == raw.len) {
        return encoding_too_deep();
    }
    return error_set(IPCC_ERR_ARGUMENT, "raw bytes must be exactly one whole MessagePack value");
}

static int encode_values(const struct ipcc_value *values, size_t count, unsigned depth,
                         struct encoding *to)
{
    for (size_t i = 0; i < count; i++) {
        if (values[i].kind == IPCC_NONE) {
            return error_set(IPCC_ERR_ARGUMENT,
                             "an element is no value (IPCC_NONE); IPCC_NIL is one");
        }
        int status = value_encode(&values[i], depth, to);
        if (status < 0) {
            return status;
        }
    }
    return 0;
}

/* IPCC_ARRAY and IPCC_MAP. */
static int encode_container(const struct ipcc_value *value, unsigned depth, struct encoding *to)
{
    bool map = value->kind == IPCC_MAP;
    if (depth == 0) {
        return encoding_too_deep();
    }
    if (value->length > UINT32_MAX || !value_has_bytes(value)) {
        return error_set(IPCC_ERR_ARGUMENT,
                         value->length > UINT32_MAX
                             ? "an array or map has more than 2^32-1 elements"
                             : "an array or map has no elements behind its pointer");
    }
    if (map) {
        pack_map(to->out, value->length);
    } else {
        pack_array(to->out, value->length);
    }
    return encode_values(value->as.values, map ? value->length * 2 : value->length, depth - 1, to);
}

/* IPCC_STR and IPCC_BIN. */
static int encode_bytes(const struct ipcc_value *value, struct encoding *to)
{
    struct slice bytes = {value->as.data, value->length};
    if (bytes.len > UINT32_MAX || !value_has_bytes(value)) {
        return error_set(IPCC_ERR_ARGUMENT, bytes.len > UINT32_MAX
                                                ? "a str or bin is longer than 2^32-1 bytes"
                                                : "a str or bin has no bytes behind its pointer");
    }
    if (value->kind == IPCC_STR) {
        pack_str(to->out, bytes);
    } else {
        pack_bin(to->out, bytes);
    }
    return 0;
}

static int encode_descriptor(int fd, struct encoding *to)
{
    uint8_t index = (uint8_t)to->count;
    if (to->printing) {
        index = 0;
    } else if (to->count == DESCRIPTORS_PER_MESSAGE) {
        return error_set(IPCC_ERR_ARGUMENT, "a call carries at most %d file descriptors",
                         DESCRIPTORS_PER_MESSAGE);
    } else if (fd < 0) {
        return error_set(IPCC_ERR_ARGUMENT, "%d is not an open file descriptor", fd);
    } else {
        to->fds[to->count++] = fd;
    }
    pack_ext(to->out, EXT_DESCRIPTOR, (struct slice){&index, 1});
    return 0;
}

static int encode_reference(const struct ipcc_value *value, struct encoding *to)
{
    struct slice name = {value->as.data, value->length};
    if (value->as.str == NULL || name.len == 0 || name.len >= IPCC_NAME_SIZE) {
        return error_set(IPCC_ERR_ARGUMENT,
                         "a reference needs the name of an object, 1 to %d bytes",
                         IPCC_NAME_SIZE - 1);
    }
    pack_ext(to->out, EXT_REFERENCE, name);
    return 0;
}

int value_encode(const struct ipcc_value *value, unsigned depth, struct encoding *to)
{
    switch (value->kind) {
    case IPCC_NONE:
        return error_set(IPCC_ERR_ARGUMENT,
                         "a param in front of others cannot be left out (IPCC_NONE)");
    case IPCC_NIL:
        pack_nil(to->out);
        return 0;
    case IPCC_BOOL:
        pack_bool(to->out, value->as.boolean);
        return 0;
    case IPCC_INT:
        pack_int(to->out, value->as.integer);
        return 0;
    case IPCC_UINT:
        pack_uint(to->out, value->as.unsigned_integer);
        return 0;
    case IPCC_FLOAT:
        pack_double(to->out, value->as.number);
        return 0;
    case IPCC_STR:
    case IPCC_BIN:
        return encode_bytes(value, to);
    case IPCC_RAW:
        return encode_raw(value, depth, to);
    case IPCC_ARRAY:
    case IPCC_MAP:
        return encode_container(value, depth, to);
    case IPCC_OBJECT:
        return encode_object(value->as.object, depth, to);
    case IPCC_DESCRIPTOR:
        return encode_descriptor(value->as.fd, to);
    case IPCC_REFERENCE:
        return encode_reference(value, to);
    }
    return error_set(IPCC_ERR_ARGUMENT, "a value has kind %d, which is none", (int)value->kind);
}

struct ipcc_value value_decode(struct slice raw)
{
    struct header header;
    if (header_read(raw.data, raw.len, &header) != 0) {
        return ipcc_none();
    }
    const char *bytes = (const char *)raw.data + header.size;
    switch (header.kind) {
    case KIND_NIL:
        return ipcc_nil();
    case KIND_BOOL:
        return ipcc_bool(header.b);
    case KIND_INT:
        return ipcc_int(header.i);
    case KIND_UINT:
        return ipcc_uint(header.u);
    case KIND_FLOAT:
        return ipcc_float(header.f);
    case KIND_STR:
        return ipcc_strn(bytes, header.length);
    case KIND_BIN:
        return ipcc_bin(bytes, header.length);
    case KIND_ARRAY:
    case KIND_MAP:
    case KIND_EXT:
        break;
    }
    return ipcc_raw(raw.data, raw.len);
}

const char *value_kind_name(const struct ipcc_value *value)
{
    struct header header = {0};
    switch (value->kind) {
    case IPCC_NIL:
        return kind_name(KIND_NIL);
    case IPCC_BOOL:
        return kind_name(KIND_BOOL);
    case IPCC_INT:
    case IPCC_UINT:
        return kind_name(KIND_INT);
    case IPCC_FLOAT:
        return kind_name(KIND_FLOAT);
    case IPCC_STR:
        return kind_name(KIND_STR);
    case IPCC_BIN:
        return kind_name(KIND_BIN);
    case IPCC_RAW:
        return value_has_bytes(value) && header_read(value->as.data, value->length, &header) == 0
                   ? kind_name(header.kind)
                   : "no MessagePack";
    case IPCC_ARRAY:
        return kind_name(KIND_ARRAY);
    case IPCC_MAP:
        return kind_name(KIND_MAP);
    case IPCC_OBJECT:
        return "a msgpack_object";
    case IPCC_DESCRIPTOR:
        return "a file descriptor";
    case IPCC_REFERENCE:
        return "a reference";
    case IPCC_NONE:
        break;
    }
    return "no value";
}
