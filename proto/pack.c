/* pack: msgpack-c's packer over a struct buffer; see pack.h. */
#include "proto/pack.h"

#include <msgpack/pack.h>
#include <msgpack/timestamp.h>

/* buffer_append for the packer, which writes pieces of one to nine bytes: where there is room, a
 * piece of known size becomes a single store. */
static inline int write_to_buffer(void *data, const char *bytes, size_t len)
{
    struct buffer *buffer = data;
    if (buffer->failed || buffer->cap - buffer->len < len || len == 0) {
        return buffer_append(buffer, bytes, len);
    }
    memcpy(buffer->data + buffer->len, bytes, len);
    buffer->len += len;
    return 0;
}

static inline msgpack_packer packer_of(struct buffer *buffer)
{
    return (msgpack_packer){.data = buffer, .callback = write_to_buffer};
}

void pack_nil(struct buffer *buffer)
{
    msgpack_packer packer = packer_of(buffer);
    (void)msgpack_pack_nil(&packer);
}

void pack_bool(struct buffer *buffer, bool value)
{
    msgpack_packer packer = packer_of(buffer);
    (void)(value ? msgpack_pack_true(&packer) : msgpack_pack_false(&packer));
}

void pack_int(struct buffer *buffer, int64_t value)
{
    msgpack_packer packer = packer_of(buffer);
    (void)msgpack_pack_int64(&packer, value);
}

void pack_uint(struct buffer *buffer, uint64_t value)
{
    msgpack_packer packer = packer_of(buffer);
    (void)msgpack_pack_uint64(&packer, value);
}

void pack_double(struct buffer *buffer, double value)
{
    msgpack_packer packer = packer_of(buffer);
    (void)msgpack_pack_double(&packer, value);
}

void pack_array(struct buffer *buffer, size_t count)
{
    msgpack_packer packer = packer_of(buffer);
    (void)msgpack_pack_array(&packer, count);
}

void pack_map(struct buffer *buffer, size_t count)
{
    msgpack_packer packer = packer_of(buffer);
    (void)msgpack_pack_map(&packer, count);
}

void pack_str(struct buffer *buffer, struct slice text)
{
    msgpack_packer packer = packer_of(buffer);
    (void)msgpack_pack_str(&packer, text.len);
    (void)msgpack_pack_str_body(&packer, text.data, text.len);
}

void pack_string(struct buffer *buffer, const char *text)
{
    if (text == NULL) {
        pack_nil(buffer);
    } else {
        pack_str(buffer, slice_of_string(text));
    }
}

void pack_bin(struct buffer *buffer, struct slice bytes)
{
    msgpack_packer packer = packer_of(buffer);
    (void)msgpack_pack_bin(&packer, bytes.len);
    (void)msgpack_pack_bin_body(&packer, bytes.data, bytes.len);
}

void pack_ext(struct buffer *buffer, int8_t type, struct slice bytes)
{
    msgpack_packer packer = packer_of(buffer);
    (void)msgpack_pack_ext(&packer, bytes.len, type);
    (void)msgpack_pack_ext_body(&packer, bytes.data, bytes.len);
}

void pack_raw(struct buffer *buffer, struct slice value)
{
    (void)buffer_append(buffer, value.data, value.len);
}

void pack_timestamp(struct buffer *buffer, int64_t seconds, uint32_t nanoseconds)
{
    msgpack_packer packer = packer_of(buffer);
    msgpack_timestamp stamp = {.tv_sec = seconds, .tv_nsec = nanoseconds};
    (void)msgpack_pack_timestamp(&packer, &stamp);
}

void pack_key_int(struct buffer *buffer, const char *key, int64_t value)
{
    pack_string(buffer, key);
    pack_int(buffer, value);
}

void pack_key_uint(struct buffer *buffer, const char *key, uint64_t value)
{
    pack_string(buffer, key);
    pack_uint(buffer, value);
}

void pack_key_bool(struct buffer *buffer, const char *key, bool value)
{
    pack_string(buffer, key);
    pack_bool(buffer, value);
}

void pack_key_str(struct buffer *buffer, const char *key, struct slice value)
{
    pack_string(buffer, key);
    pack_str(buffer, value);
}

void pack_key_string(struct buffer *buffer, const char *key, const char *value)
{
    pack_string(buffer, key);
    pack_string(buffer, value);
}

static size_t wide_begin(struct buffer *buffer, uint8_t first)
{
    size_t at = buffer->len;
    uint8_t head[5] = {first, 0, 0, 0, 0};
    (void)buffer_append(buffer, head, sizeof(head));
    return at;
}

static void wide_end(struct buffer *buffer, size_t at, size_t count)
{
    if (buffer->failed) {
        return;
    }
    uint8_t *head = buffer->data + at;
    head[1] = (uint8_t)(count >> 24);
    head[2] = (uint8_t)(count >> 16);
    head[3] = (uint8_t)(count >> 8);
    head[4] = (uint8_t)count;
}

size_t pack_map_begin(struct buffer *buffer)
{
    return wide_begin(buffer, 0xdf);
}

void pack_map_end(struct buffer *buffer, size_t at, size_t count)
{
    wide_end(buffer, at, count);
}

size_t pack_array_begin(struct buffer *buffer)
{
    return wide_begin(buffer, 0xdd);
}

void pack_array_end(struct buffer *buffer, size_t at, size_t count)
{
    wide_end(buffer, at, count);
}
