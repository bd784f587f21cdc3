/* header: decoding one MessagePack header; see header.h. */
#include "proto/header.h"

#include <endian.h>

static uint16_t read16(const uint8_t *p)
{
    uint16_t v;
    memcpy(&v, p, sizeof(v));
    return be16toh(v);
}

static uint32_t read32(const uint8_t *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof(v));
    return be32toh(v);
}

static uint64_t read64(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof(v));
    return be64toh(v);
}

/* Bytes of the header, 0xc1 aside, for the first bytes 0xc0 to 0xdf. */
static const uint8_t sizes[32] = {
    1, 0, 1, 1, 2, 3, 5, 3, 4, 6, 5, 9, 2, 3, 5, 9, 2, 3, 5, 9, 2, 2, 2, 2, 2, 2, 3, 5, 3, 5, 3, 5,
};

static void set_int(struct header *out, int64_t value)
{
    out->kind = KIND_INT;
    out->i = value;
}

static void set_run(struct header *out, enum kind kind, uint32_t length)
{
    out->kind = kind;
    out->length = length;
}

static void set_container(struct header *out, enum kind kind, uint32_t count)
{
    out->kind = kind;
    out->count = count;
}

static void set_ext(struct header *out, const uint8_t *type, uint32_t length)
{
    set_run(out, KIND_EXT, length);
    out->ext_type = (int8_t)*type;
}

static void read_number(const uint8_t *p, struct header *out)
{
    switch (p[0]) {
    case 0xca: {
        uint32_t bits = read32(p + 1);
        float value;
        memcpy(&value, &bits, sizeof(value));
        out->kind = KIND_FLOAT;
        out->f = (double)value;
        break;
    }
    case 0xcb: {
        uint64_t bits = read64(p + 1);
        out->kind = KIND_FLOAT;
        memcpy(&out->f, &bits, sizeof(out->f));
        break;
    }
    case 0xcc:
        set_int(out, p[1]);
        break;
    case 0xcd:
        set_int(out, read16(p + 1));
        break;
    case 0xce:
        set_int(out, read32(p + 1));
        break;
    case 0xcf:
        out->u = read64(p + 1);
        out->kind = out->u > INT64_MAX ? KIND_UINT : KIND_INT;
        break;
    case 0xd0:
        set_int(out, (int8_t)p[1]);
        break;
    case 0xd1:
        set_int(out, (int16_t)read16(p + 1));
        break;
    case 0xd2:
        set_int(out, (int32_t)read32(p + 1));
        break;
    default: /* 0xd3 */
        set_int(out, (int64_t)read64(p + 1));
        break;
    }
}

static int read_wide(const uint8_t *p, size_t len, struct header *out)
{
    uint8_t size = sizes[p[0] - 0xc0];
    if (size == 0) {
        return ERR_BAD_REQUEST;
    }
    if (len < size) {
        return HEADER_MORE;
    }
    out->size = size;
    switch (p[0]) {
    case 0xc0:
        out->kind = KIND_NIL;
        break;
    case 0xc2:
    case 0xc3:
        out->kind = KIND_BOOL;
        out->b = p[0] == 0xc3;
        break;
    case 0xc4:
        set_run(out, KIND_BIN, p[1]);
        break;
    case 0xc5:
        set_run(out, KIND_BIN, read16(p + 1));
        break;
    case 0xc6:
        set_run(out, KIND_BIN, read32(p + 1));
        break;
    case 0xc7:
        set_ext(out, p + 2, p[1]);
        break;
    case 0xc8:
        set_ext(out, p + 3, read16(p + 1));
        break;
    case 0xc9:
        set_ext(out, p + 5, read32(p + 1));
        break;
    case 0xd4:
    case 0xd5:
    case 0xd6:
    case 0xd7:
    case 0xd8:
        set_ext(out, p + 1, 1U << (p[0] - 0xd4));
        break;
    case 0xd9:
        set_run(out, KIND_STR, p[1]);
        break;
    case 0xda:
        set_run(out, KIND_STR, read16(p + 1));
        break;
    case 0xdb:
        set_run(out, KIND_STR, read32(p + 1));
        break;
    case 0xdc:
        set_container(out, KIND_ARRAY, read16(p + 1));
        break;
    case 0xdd:
        set_container(out, KIND_ARRAY, read32(p + 1));
        break;
    case 0xde:
        set_container(out, KIND_MAP, read16(p + 1));
        break;
    case 0xdf:
        set_container(out, KIND_MAP, read32(p + 1));
        break;
    default:
        read_number(p, out);
        break;
    }
    return 0;
}

int header_read(const uint8_t *data, size_t len, struct header *out)
{
    if (len == 0) {
        return HEADER_MORE;
    }
    uint8_t first = data[0];
    *out = (struct header){.size = 1};
    if (first <= 0x7f || first >= 0xe0) {
        set_int(out, (int8_t)first);
    } else if (first >= 0xc0) {
        return read_wide(data, len, out);
    } else if (first >= 0xa0) {
        set_run(out, KIND_STR, first & 0x1f);
    } else if (first >= 0x90) {
        set_container(out, KIND_ARRAY, first & 0x0f);
    } else {
        set_container(out, KIND_MAP, first & 0x0f);
    }
    return 0;
}

const char *kind_name(enum kind kind)
{
    switch (kind) {
    case KIND_NIL:
        return "nil";
    case KIND_BOOL:
        return "a boolean";
    case KIND_INT:
    case KIND_UINT:
        return "an integer";
    case KIND_FLOAT:
        return "a float";
    case KIND_STR:
        return "a str";
    case KIND_BIN:
        return "a bin";
    case KIND_ARRAY:
        return "an array";
    case KIND_MAP:
        return "a map";
    case KIND_EXT:
        return "an ext";
    }
    return "nothing";
}
