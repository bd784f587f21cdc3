/*
 * encode_object: see encode_object.h.
 *
 * Tests: tests/unit/client/test_value.c.
 */
#include "client/encode_object.h"

#include "client/error.h"
#include "client/ipcclient/msgpack.h"

static int encode(const msgpack_object *object, unsigned depth, struct encoding *to);

static int no_elements(void)
{
    return error_set(IPCC_ERR_ARGUMENT, "a msgpack_object has a size, but a NULL pointer");
}

static int encode_array(const msgpack_object *object, unsigned depth, struct encoding *to)
{
    if (depth == 0) {
        return encoding_too_deep();
    }
    if (object->via.array.ptr == NULL && object->via.array.size > 0) {
        return no_elements();
    }
    pack_array(to->out, object->via.array.size);
    for (uint32_t i = 0; i < object->via.array.size; i++) {
        int status = encode(&object->via.array.ptr[i], depth - 1, to);
        if (status < 0) {
            return status;
        }
    }
    return 0;
}

static int encode_map(const msgpack_object *object, unsigned depth, struct encoding *to)
{
    if (depth == 0) {
        return encoding_too_deep();
    }
    if (object->via.map.ptr == NULL && object->via.map.size > 0) {
        return no_elements();
    }
    pack_map(to->out, object->via.map.size);
    for (uint32_t i = 0; i < object->via.map.size; i++) {
        const msgpack_object_kv *pair = &object->via.map.ptr[i];
        int status = encode(&pair->key, depth - 1, to);
        status = status < 0 ? status : encode(&pair->val, depth - 1, to);
        if (status < 0) {
            return status;
        }
    }
    return 0;
}

/* STR, BIN and EXT. */
static int encode_bytes(const msgpack_object *object, struct encoding *to)
{
    /* The three begin alike: a size and a pointer; but for the type in front of an ext's. */
    bool ext = object->type == MSGPACK_OBJECT_EXT;
    struct slice bytes = {(const uint8_t *)(ext ? object->via.ext.ptr : object->via.str.ptr),
                          ext ? object->via.ext.size : object->via.str.size};
    if (bytes.data == NULL && bytes.len > 0) {
        return no_elements();
    }
    if (ext && object->via.ext.type == EXT_DESCRIPTOR && !to->printing) {
        return encoding_index_refused();
    }
    if (ext) {
        pack_ext(to->out, object->via.ext.type, bytes);
    } else if (object->type == MSGPACK_OBJECT_STR) {
        pack_str(to->out, bytes);
    } else {
        pack_bin(to->out, bytes);
    }
    return 0;
}

static int encode(const msgpack_object *object, unsigned depth, struct encoding *to)
{
    switch (object->type) {
    case MSGPACK_OBJECT_NIL:
        pack_nil(to->out);
        return 0;
    case MSGPACK_OBJECT_BOOLEAN:
        pack_bool(to->out, object->via.boolean);
        return 0;
    case MSGPACK_OBJECT_POSITIVE_INTEGER:
        pack_uint(to->out, object->via.u64);
        return 0;
    case MSGPACK_OBJECT_NEGATIVE_INTEGER:
        pack_int(to->out, object->via.i64);
        return 0;
    case MSGPACK_OBJECT_FLOAT32:
    case MSGPACK_OBJECT_FLOAT64:
        pack_double(to->out, object->via.f64);
        return 0;
    case MSGPACK_OBJECT_STR:
    case MSGPACK_OBJECT_BIN:
    case MSGPACK_OBJECT_EXT:
        return encode_bytes(object, to);
    case MSGPACK_OBJECT_ARRAY:
        return encode_array(object, depth, to);
    case MSGPACK_OBJECT_MAP:
        return encode_map(object, depth, to);
    }
    return error_set(IPCC_ERR_ARGUMENT, "a msgpack_object has type %d, which is none",
                     (int)object->type);
}

int encode_object(const struct msgpack_object *object, unsigned depth, struct encoding *to)
{
    if (object == NULL) {
        return error_set(IPCC_ERR_ARGUMENT, "a msgpack_object is NULL");
    }
    return encode(object, depth, to);
}
