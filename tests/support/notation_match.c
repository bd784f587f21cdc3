/* notation: comparing with what is expected, and MessagePack back to text; see notation.h. */
#include "tests/support/notation.h"
#include "tests/support/notation_internal.h"

#include <math.h>
#include <string.h>

static bool is_pattern(const msgpack_object *object, const char *name)
{
    size_t len = strlen(name);
    return object->type == MSGPACK_OBJECT_EXT && object->via.ext.type == PATTERN_EXT &&
           object->via.ext.size == len && memcmp(object->via.ext.ptr, name, len) == 0;
}

static const char *kind_pattern(const msgpack_object *object)
{
    switch (object->type) {
    case MSGPACK_OBJECT_NIL:
        return "_nil";
    case MSGPACK_OBJECT_BOOLEAN:
        return "_bool";
    case MSGPACK_OBJECT_POSITIVE_INTEGER:
    case MSGPACK_OBJECT_NEGATIVE_INTEGER:
        return "_int";
    case MSGPACK_OBJECT_FLOAT32:
    case MSGPACK_OBJECT_FLOAT64:
        return "_float";
    case MSGPACK_OBJECT_STR:
        return "_str";
    case MSGPACK_OBJECT_BIN:
        return "_bin";
    case MSGPACK_OBJECT_ARRAY:
        return "_array";
    case MSGPACK_OBJECT_MAP:
        return "_map";
    case MSGPACK_OBJECT_EXT:
        return "_ext";
    }
    return "";
}

static bool match_array(const msgpack_object_array *expected, const msgpack_object_array *got)
{
    for (uint32_t i = 0; i < expected->size; i++) {
        if (is_pattern(&expected->ptr[i], "...")) {
            return true;
        }
        if (i >= got->size || !notation_match(&expected->ptr[i], &got->ptr[i])) {
            return false;
        }
    }
    return expected->size == got->size;
}

static bool has_pair(const msgpack_object_map *map, const msgpack_object_kv *pair)
{
    for (uint32_t i = 0; i < map->size; i++) {
        if (notation_match(&pair->key, &map->ptr[i].key) &&
            notation_match(&pair->val, &map->ptr[i].val)) {
            return true;
        }
    }
    return false;
}

static bool match_map(const msgpack_object_map *expected, const msgpack_object_map *got)
{
    for (uint32_t i = 0; i < expected->size; i++) {
        if (is_pattern(&expected->ptr[i].val, "...")) {
            return true;
        }
        if (!has_pair(got, &expected->ptr[i])) {
            return false;
        }
    }
    return expected->size == got->size;
}

static bool match_float(double expected, double got)
{
    if (isnan(expected) || isnan(got)) {
        return isnan(expected) && isnan(got);
    }
    return memcmp(&expected, &got, sizeof(got)) == 0;
}

bool notation_match(const msgpack_object *expected, const msgpack_object *got)
{
    if (is_pattern(expected, "_") || is_pattern(expected, kind_pattern(got))) {
        return true;
    }
    /* float32 and float64 are one kind, so the types' names are compared and not the types. */
    if (expected->type != got->type && (strcmp(kind_pattern(expected), "_float") != 0 ||
                                        strcmp(kind_pattern(got), "_float") != 0)) {
        return false;
    }
    switch (expected->type) {
    case MSGPACK_OBJECT_FLOAT32:
    case MSGPACK_OBJECT_FLOAT64:
        return match_float(expected->via.f64, got->via.f64);
    case MSGPACK_OBJECT_ARRAY:
        return match_array(&expected->via.array, &got->via.array);
    case MSGPACK_OBJECT_MAP:
        return match_map(&expected->via.map, &got->via.map);
    default:
        return msgpack_object_equal(*expected, *got);
    }
}

/* In quotes; of str, what is not ASCII stays as it is. */
static void print_bytes(FILE *out, const char *data, size_t len, bool text)
{
    enum { SHOWN = 200 };
    fputc('\'', out);
    for (size_t i = 0; i < len && i < SHOWN; i++) {
        unsigned char c = (unsigned char)data[i];
        if (c == '\'' || c == '\\') {
            fprintf(out, "\\%c", c);
        } else if (c < 0x20 || c == 0x7f || (c > 0x7f && !text)) {
            fprintf(out, "\\x%02x", c);
        } else {
            fputc(c, out);
        }
    }
    fputc('\'', out);
    if (len > SHOWN) {
        fprintf(out, "(%zu bytes in all)", len);
    }
}

static void print_array(FILE *out, const msgpack_object_array *array)
{
    fputc('[', out);
    for (uint32_t i = 0; i < array->size; i++) {
        fputs(i == 0 ? "" : ", ", out);
        notation_print(out, &array->ptr[i]);
    }
    fputc(']', out);
}

static void print_map(FILE *out, const msgpack_object_map *map)
{
    fputc('{', out);
    for (uint32_t i = 0; i < map->size; i++) {
        fputs(i == 0 ? "" : ", ", out);
        notation_print(out, &map->ptr[i].key);
        fputs(": ", out);
        notation_print(out, &map->ptr[i].val);
    }
    fputc('}', out);
}

static void print_ext(FILE *out, const msgpack_object_ext *ext)
{
    if (ext->type == PATTERN_EXT) {
        fprintf(out, "%.*s", (int)ext->size, ext->ptr);
        return;
    }
    fprintf(out, "ext(%d, ", ext->type);
    print_bytes(out, ext->ptr, ext->size, false);
    fputc(')', out);
}

void notation_print(FILE *out, const msgpack_object *object)
{
    switch (object->type) {
    case MSGPACK_OBJECT_NIL:
        fputs("nil", out);
        return;
    case MSGPACK_OBJECT_BOOLEAN:
        fputs(object->via.boolean ? "true" : "false", out);
        return;
    case MSGPACK_OBJECT_POSITIVE_INTEGER:
        fprintf(out, "%llu", (unsigned long long)object->via.u64);
        return;
    case MSGPACK_OBJECT_NEGATIVE_INTEGER:
        fprintf(out, "%lld", (long long)object->via.i64);
        return;
    case MSGPACK_OBJECT_FLOAT32:
    case MSGPACK_OBJECT_FLOAT64:
        fprintf(out, "%#.17g", object->via.f64);
        return;
    case MSGPACK_OBJECT_BIN:
        fputc('b', out);
        print_bytes(out, object->via.bin.ptr, object->via.bin.size, false);
        return;
    case MSGPACK_OBJECT_STR:
        print_bytes(out, object->via.str.ptr, object->via.str.size, true);
        return;
    case MSGPACK_OBJECT_ARRAY:
        print_array(out, &object->via.array);
        return;
    case MSGPACK_OBJECT_MAP:
        print_map(out, &object->via.map);
        return;
    case MSGPACK_OBJECT_EXT:
        print_ext(out, &object->via.ext);
        return;
    }
}
