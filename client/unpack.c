/*
 * unpack: a value of an answer as a msgpack-c object.
 *
 * msgpack-c's own unpacker stops at a depth of 32, which an answer can exceed: values of up to 30
 * levels come within the arrays of queue.get_many. So this builds the tree itself, on the headers
 * that everything else here reads. The bytes are scanned first; nothing is allocated for elements
 * that are not there.
 *
 * Tests: tests/unit/client/test_value.c, tests/unit/client/test_typed.c.
 */
#include "client/error.h"
#include "client/value.h"
#include "client/ipcclient/msgpack.h"

/* What is left to read. */
struct source {
    const uint8_t *at;
    size_t len;
    msgpack_zone *zone;
};

static int build(struct source *source, msgpack_object *out);

static int no_memory(void)
{
    return error_set(IPCC_ERR_NO_MEMORY, "no memory to unpack a value");
}

static int build_array(struct source *source, uint32_t count, msgpack_object *out)
{
    out->type = MSGPACK_OBJECT_ARRAY;
    out->via.array.size = count;
    out->via.array.ptr = NULL;
    if (count == 0) {
        return 0;
    }
    out->via.array.ptr = msgpack_zone_malloc(source->zone, count * sizeof(*out));
    if (out->via.array.ptr == NULL) {
        return no_memory();
    }
    int status = 0;
    for (uint32_t i = 0; i < count && status == 0; i++) {
        status = build(source, &out->via.array.ptr[i]);
    }
    return status;
}

static int build_map(struct source *source, uint32_t count, msgpack_object *out)
{
    out->type = MSGPACK_OBJECT_MAP;
    out->via.map.size = count;
    out->via.map.ptr = NULL;
    if (count == 0) {
        return 0;
    }
    out->via.map.ptr = msgpack_zone_malloc(source->zone, count * sizeof(*out->via.map.ptr));
    if (out->via.map.ptr == NULL) {
        return no_memory();
    }
    int status = 0;
    for (uint32_t i = 0; i < count && status == 0; i++) {
        status = build(source, &out->via.map.ptr[i].key);
        status = status < 0 ? status : build(source, &out->via.map.ptr[i].val);
    }
    return status;
}

static void build_scalar(const struct header *header, const char *bytes, msgpack_object *out)
{
    switch (header->kind) {
    case KIND_BOOL:
        out->type = MSGPACK_OBJECT_BOOLEAN;
        out->via.boolean = header->b;
        break;
    case KIND_INT:
        out->type =
            header->i < 0 ? MSGPACK_OBJECT_NEGATIVE_INTEGER : MSGPACK_OBJECT_POSITIVE_INTEGER;
        out->via.i64 = header->i;
        break;
    case KIND_UINT:
        out->type = MSGPACK_OBJECT_POSITIVE_INTEGER;
        out->via.u64 = header->u;
        break;
    case KIND_FLOAT:
        out->type = MSGPACK_OBJECT_FLOAT64;
        out->via.f64 = header->f;
        break;
    case KIND_STR:
        out->type = MSGPACK_OBJECT_STR;
        out->via.str = (msgpack_object_str){header->length, bytes};
        break;
    case KIND_BIN:
        out->type = MSGPACK_OBJECT_BIN;
        out->via.bin = (msgpack_object_bin){header->length, bytes};
        break;
    case KIND_EXT:
        out->type = MSGPACK_OBJECT_EXT;
        out->via.ext = (msgpack_object_ext){header->ext_type, header->length, bytes};
        break;
    case KIND_NIL:
    case KIND_ARRAY:
    case KIND_MAP:
        out->type = MSGPACK_OBJECT_NIL;
        break;
    }
}

static int build(struct source *source, msgpack_object *out)
{
    struct header header;
    if (header_read(source->at, source->len, &header) != 0) {
        return error_set(IPCC_ERR_ARGUMENT, "the value is no MessagePack");
    }
    const char *bytes = (const char *)source->at + header.size;
    size_t size = header.size + (size_t)header.length;
    source->at += size;
    source->len -= size;
    if (header.kind == KIND_ARRAY) {
        return build_array(source, header.count, out);
    }
    if (header.kind == KIND_MAP) {
        return build_map(source, header.count, out);
    }
    build_scalar(&header, bytes, out);
    return 0;
}

static int unpack_raw(const struct ipcc_value *value, msgpack_zone *zone, msgpack_object *out)
{
    struct source source = {value->as.data, value->length, zone};
    if (source.len == 0 || !value_has_bytes(value) ||
        scan_length(source.at, source.len) != source.len) {
        return error_set(IPCC_ERR_ARGUMENT, "the value is not exactly one whole MessagePack value");
    }
    msgpack_object object;
    int status = build(&source, &object);
    if (status == 0) {
        *out = object;
    }
    return status;
}

/* The header that a scalar of an answer had. false: it is a kind of params. */
static bool scalar_header(const struct ipcc_value *value, struct header *header)
{
    *header = (struct header){.length = (uint32_t)value->length};
    switch (value->kind) {
    case IPCC_NIL:
        header->kind = KIND_NIL;
        return true;
    case IPCC_BOOL:
        header->kind = KIND_BOOL;
        header->b = value->as.boolean;
        return true;
    case IPCC_INT:
        header->kind = KIND_INT;
        header->i = value->as.integer;
        return true;
    case IPCC_UINT:
        header->kind = KIND_UINT;
        header->u = value->as.unsigned_integer;
        return true;
    case IPCC_FLOAT:
        header->kind = KIND_FLOAT;
        header->f = value->as.number;
        return true;
    case IPCC_STR:
        header->kind = KIND_STR;
        return true;
    case IPCC_BIN:
        header->kind = KIND_BIN;
        return true;
    case IPCC_NONE:
    case IPCC_RAW:
    case IPCC_ARRAY:
    case IPCC_MAP:
    case IPCC_OBJECT:
    case IPCC_DESCRIPTOR:
    case IPCC_REFERENCE:
        break;
    }
    return false;
}

int ipcc_value_unpack(const struct ipcc_value *value, msgpack_zone *zone, msgpack_object *out)
{
    if (value == NULL || zone == NULL || out == NULL) {
        return error_set(IPCC_ERR_ARGUMENT,
                         "ipcc_value_unpack wants a value, a zone and an object");
    }
    if (value->kind == IPCC_RAW) {
        return unpack_raw(value, zone, out);
    }
    struct header header;
    if (value->length > UINT32_MAX || !scalar_header(value, &header)) {
        return error_set(IPCC_ERR_ARGUMENT, "only values of answers can be unpacked, not %s",
                         value_kind_name(value));
    }
    build_scalar(&header, value->as.str, out);
    return 0;
}
