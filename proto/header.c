/* header: decoding one MessagePack header, and the names of the kinds; see header.h. */
#include "proto/header_decode.h"

int header_read(const uint8_t *data, size_t len, struct header *out)
{
    return header_decode(data, len, out);
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
