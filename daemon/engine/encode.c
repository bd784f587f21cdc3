/*
 * encode: see encode.h.
 *
 * A param or option is written by its type alone; there is no method here. What is packed for the
 * functions is MessagePack, which they read with cmsgpack: byte strings are strs.
 *
 * Tests: tests/unit/engine/test_encode.c; tests/unit/methods/, the suite "engine".
 */
#include "daemon/engine/encode.h"

#include <inttypes.h>
#include <stdlib.h>

#include "daemon/engine/decimal.h"
#include "daemon/methods/group.h"
#include "daemon/methods/open.h"
#include "proto/value.h"

enum { FORM_RAW = 0xc1 }; /* a byte that begins no MessagePack value */

struct encoding {
    struct call *call;
    const struct residence *residence;
    struct arguments *arguments;
};

static struct buffer *out_of(const struct encoding *encoding)
{
    return &encoding->arguments->bytes;
}

void encode_stored(struct slice value, struct buffer *out)
{
    if (value_is_canonical(value)) {
        pack_raw(out, value);
        return;
    }
    struct buffer canonical = {0};
    value_canonical(value, &canonical);
    out->failed |= canonical.failed;
    uint32_t len = (uint32_t)canonical.len;
    const uint8_t head[] = {FORM_RAW, (uint8_t)(len >> 24), (uint8_t)(len >> 16),
                            (uint8_t)(len >> 8), (uint8_t)len};
    (void)buffer_append(out, head, sizeof(head));
    pack_raw(out, buffer_slice(&canonical));
    pack_raw(out, value);
    buffer_deinit(&canonical);
}

/* Packs what `write` writes as a str. */
static void pack_written(struct slice value, void (*write)(struct slice value, struct buffer *out),
                         struct buffer *out)
{
    struct buffer written = {0};
    write(value, &written);
    out->failed |= written.failed;
    pack_str(out, buffer_slice(&written));
    buffer_deinit(&written);
}

static void pack_stored(struct slice value, struct buffer *out)
{
    if (value_is_canonical(value)) {
        pack_str(out, value);
    } else {
        pack_written(value, encode_stored, out);
    }
}

/* What values may carry. */

static int refuse_reference(const struct encoding *encoding, struct slice name)
{
    return call_fail(encoding->call, ERR_UNSUPPORTED,
                     "%s: a value that refers to the object \"%.*s\" cannot be stored in the "
                     "engine: that one lives in this daemon alone",
                     encoding->call->method->name, (int)name.len, (const char *)name.data);
}

/* Of a param that may be stored. */
static int check_exts(const struct encoding *encoding, struct slice rest)
{
    if (encoding->call->origin == NULL) {
        return 0;
    }
    while (rest.len > 0) {
        struct header header;
        if (header_read(rest.data, rest.len, &header) != 0) {
            return ERR_BAD_REQUEST; /* which the message has been checked for */
        }
        struct slice body = {rest.data + header.size, header.length};
        unsigned bit = scan_ext_bit(&header);
        if (bit == SCAN_DESCRIPTOR) {
            return call_fail(encoding->call, ERR_UNSUPPORTED,
                             "%s: a value with a file descriptor cannot be stored in the engine, "
                             "as other machines could not have it",
                             encoding->call->method->name);
        }
        if (bit == SCAN_REFERENCE && !encoding->residence->has(encoding->residence->data, body)) {
            return refuse_reference(encoding, body);
        }
        rest = slice_from(rest, header.size + header.length);
    }
    return 0;
}

/* Keys. */

static int refuse_key(struct call *call, struct slice key, const char *why)
{
    struct buffer shown = {0};
    value_print(key, 64, &shown);
    int status = call_fail(call, ERR_TYPE, "%s: %.*s cannot be a key: it is %s", call->method->name,
                           (int)shown.len, (const char *)shown.data, why);
    buffer_deinit(&shown);
    return status;
}

static int check_key(struct call *call, struct slice key)
{
    const char *why = "not a string";
    int status = 0;
    if (call->service->index.kinds[call->method->id] == OBJECT_NAMESPACE) {
        struct header header;
        bool is_str = header_read(key.data, key.len, &header) == 0 && header.kind == KIND_STR;
        status = is_str ? 0 : ERR_TYPE;
    } else {
        status = value_check_key(key, &why);
    }
    return status < 0 ? refuse_key(call, key, why) : 0;
}

/* Maps: of keys that are equal the last one counts, at the place of the first. */

struct pair_at {
    struct slice key; /* canonical */
    struct slice value;
    uint32_t place;
    bool is_owned; /* the key's bytes */
};

static int by_key(const void *a, const void *b)
{
    const struct pair_at *x = a;
    const struct pair_at *y = b;
    size_t len = x->key.len < y->key.len ? x->key.len : y->key.len;
    int order = memcmp(x->key.data, y->key.data, len);
    if (order == 0 && x->key.len != y->key.len) {
        return x->key.len < y->key.len ? -1 : 1;
    }
    return order != 0 ? order : x->place < y->place ? -1 : 1;
}

static int by_place(const void *a, const void *b)
{
    const struct pair_at *x = a;
    const struct pair_at *y = b;
    return x->place < y->place ? -1 : 1;
}

/* Sorted by key: leaves one of each, and returns how many those are. */
static uint32_t merge_equal(struct pair_at *pairs, uint32_t count)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (kept > 0 && slice_equal(pairs[kept - 1].key, pairs[i].key)) {
            pairs[kept - 1].value = pairs[i].value;
            if (pairs[i].is_owned) {
                free((void *)(uintptr_t)pairs[i].key.data);
            }
        } else {
            pairs[kept++] = pairs[i];
        }
    }
    return kept;
}

/* Reads the pairs of a map; *count is how many have been read, of which some may own their keys. */
static int read_pairs(const struct encoding *encoding, const struct param *map,
                      struct pair_at *pairs, uint32_t *count)
{
    struct slice rest = slice_from(map->raw, map->header.size);
    for (*count = 0; *count < map->header.count;) {
        struct slice key = value_next(&rest).raw;
        struct pair_at *pair = &pairs[*count];
        int status = check_key(encoding->call, key);
        if (status < 0) {
            return status;
        }
        *pair = (struct pair_at){.key = key, .place = *count, .value = value_next(&rest).raw};
        if (!value_is_canonical(key)) {
            struct buffer canonical = {0};
            value_canonical(key, &canonical);
            if (canonical.failed) {
                buffer_deinit(&canonical);
                return ERR_MEMORY;
            }
            pair->key = buffer_slice(&canonical);
            pair->is_owned = true;
        }
        (*count)++;
    }
    return 0;
}

static int encode_map(const struct encoding *encoding, const struct param *map)
{
    struct buffer *out = out_of(encoding);
    uint32_t count = 0;
    struct pair_at *pairs = calloc((size_t)map->header.count + 1, sizeof(*pairs));
    int status = pairs == NULL ? ERR_MEMORY : read_pairs(encoding, map, pairs, &count);
    if (status == 0) {
        qsort(pairs, count, sizeof(*pairs), by_key);
        count = merge_equal(pairs, count);
        qsort(pairs, count, sizeof(*pairs), by_place);
        pack_array(out, (size_t)count * 2);
    }
    for (uint32_t i = 0; i < count; i++) {
        if (status == 0) {
            pack_str(out, pairs[i].key);
            pack_stored(pairs[i].value, out);
        }
        if (pairs[i].is_owned) {
            free((void *)(uintptr_t)pairs[i].key.data);
        }
    }
    free(pairs);
    return status;
}

/* Params. */

static int encode_key(const struct encoding *encoding, struct slice key)
{
    int status = check_key(encoding->call, key);
    if (status == 0 && value_is_canonical(key)) {
        pack_raw(out_of(encoding), key);
    } else if (status == 0) {
        value_canonical(key, out_of(encoding));
    }
    return status;
}

/* While they are put in, the engine does nothing else. */
static int check_count(const struct encoding *encoding, const struct param *given)
{
    if (given->header.count <= ENCODE_ELEMENTS_MOST) {
        return 0;
    }
    return call_fail(encoding->call, ERR_TOO_LARGE,
                     "%s: %" PRIu32 " values are too many for one call to the engine: %d are the "
                     "most",
                     encoding->call->method->name, given->header.count, ENCODE_ELEMENTS_MOST);
}

static void encode_array(const struct encoding *encoding, const struct param *array)
{
    struct slice rest = slice_from(array->raw, array->header.size);
    pack_array(out_of(encoding), array->header.count);
    for (uint32_t i = 0; i < array->header.count; i++) {
        pack_stored(value_next(&rest).raw, out_of(encoding));
    }
}

static int encode_names(const struct encoding *encoding, const struct param *names)
{
    struct slice rest = slice_from(names->raw, names->header.size);
    pack_array(out_of(encoding), names->header.count);
    for (uint32_t i = 0; i < names->header.count; i++) {
        struct param name = value_next(&rest);
        pack_str(out_of(encoding), param_bytes(&name));
    }
    return 0;
}

static int encode_group(const struct encoding *encoding, const struct param *given)
{
    gid_t gid;
    int status = group_read(encoding->call, "param gid", given, &gid);
    if (status == 0) {
        char text[DECIMAL_MAX];
        (void)buffer_append(out_of(encoding), text, decimal_write(text, gid));
    }
    return status;
}

static void encode_number(const struct encoding *encoding, int64_t value)
{
    char text[DECIMAL_MAX];
    (void)buffer_append(out_of(encoding), text, decimal_write_signed(text, value));
}

/* The bytes of one that is given. */
static int encode_given(const struct encoding *encoding, enum param_type type, bool is_key,
                        const struct param *given)
{
    struct buffer *out = out_of(encoding);
    int status;
    switch (type) {
    case PARAM_BOOL:
        (void)buffer_append(out, given->header.b ? "1" : "0", 1);
        return 0;
    case PARAM_INT:
    case PARAM_OPTINT:
    case PARAM_UINT:
    case PARAM_COUNT:
    case PARAM_MS:
    case PARAM_TIMEOUT:
        encode_number(encoding, given->header.i);
        return 0;
    case PARAM_NAME:
        pack_raw(out, param_bytes(given));
        return 0;
    case PARAM_SESSION:
    case PARAM_OWNER:
        value_canonical(given->raw, out);
        return 0;
    case PARAM_STR:
        if (is_key) {
            return encode_key(encoding, given->raw);
        }
        pack_raw(out, param_bytes(given));
        return 0;
    case PARAM_VALUE:
        if (is_key) {
            return encode_key(encoding, given->raw);
        }
        encode_stored(given->raw, out);
        return check_exts(encoding, given->raw);
    case PARAM_NUMBER:
        encode_stored(given->raw, out);
        return 0;
    case PARAM_ARRAY:
        status = check_count(encoding, given);
        if (status < 0) {
            return status;
        }
        encode_array(encoding, given);
        return check_exts(encoding, given->raw);
    case PARAM_MAP:
        status = check_count(encoding, given);
        status = status < 0 ? status : encode_map(encoding, given);
        return status < 0 ? status : check_exts(encoding, given->raw);
    case PARAM_GROUP:
        return encode_group(encoding, given);
    case PARAM_OBJECTS:
        return encode_names(encoding, given);
    case PARAM_OBJECT:
        break;
    }
    return ERR_INTERNAL; /* an object is the name of the part */
}

static int encode_param(const struct encoding *encoding, enum param_type type, bool is_key,
                        const struct param *given)
{
    int status = given->raw.len == 0 ? 0 : encode_given(encoding, type, is_key, given);
    argument_end(encoding->arguments);
    return status;
}

/* The options of its own, from the `first` on. */
static int encode_options(const struct encoding *encoding, unsigned first,
                          const struct param *options)
{
    const struct call *call = encoding->call;
    const struct method_signature *signature = &call->service->index.signatures[call->method->id];
    int status = 0;
    for (unsigned i = first; i < signature->option_count && status == 0; i++) {
        status = encode_param(encoding, signature->options[i]->type, false, &options[i]);
    }
    return status;
}

static int ended(const struct encoding *encoding, int status)
{
    return status == 0 && out_of(encoding)->failed ? ERR_MEMORY : status;
}

/* True if the param is the map of options, which are passed one by one. */
static bool is_options(const struct method_signature *signature, unsigned i)
{
    return signature->option_count > 0 && signature->params[i].type == PARAM_MAP;
}

int encode_call(struct call *call, const struct residence *residence, struct op_part *part)
{
    const struct method_signature *signature = &call->service->index.signatures[call->method->id];
    const struct encoding encoding = {call, residence, &part->arguments};
    struct param options[METHOD_OPTIONS_MAX];
    bool has_options = false;
    int status = 0;
    for (unsigned i = 0; i < signature->count && status == 0; i++) {
        const struct method_param *param = &signature->params[i];
        if (param->type == PARAM_OBJECT) {
            continue;
        }
        if (is_options(signature, i)) {
            has_options = call_given(call, i);
            status = options_read(call, i, options);
            continue;
        }
        bool is_key = slice_equal(param->name, slice_of_string("key"));
        status = encode_param(&encoding, param->type, is_key, &call->params[i]);
    }
    if (status == 0 && call->method->id == METHOD_queue_get && call->session->page == NULL) {
        options[OPTION_queue_get_ahead].raw.len = 0; /* nobody would see what is reserved */
    }
    if (status == 0 && signature->option_count > 0) {
        status = encode_options(&encoding, 0, options);
        argument_text(&part->arguments, has_options ? "1" : "");
    }
    return ended(&encoding, status);
}

int encode_open(struct call *call, const struct residence *residence,
                const struct open_request *request, bool may_create, struct op_part *part)
{
    struct arguments *arguments = &part->arguments;
    const struct encoding encoding = {call, residence, arguments};
    const struct param *options = request->options;
    const struct credentials *peer = &call->session->credentials;
    const struct param *mode = &options[OPTION_TYPE_open_mode];
    bool lifetime = option_given(&options[OPTION_TYPE_open_lifetime]);
    bool group = option_given(&options[OPTION_TYPE_open_group]);
    bool exclusive = option_bool(&options[OPTION_TYPE_open_exclusive], false);
    argument_uint(arguments, peer->uid);
    argument_uint(arguments, peer->gid);
    if (option_given(mode)) {
        argument_int(arguments, mode->header.i);
    } else {
        argument_text(arguments, "");
    }
    argument_text(arguments, lifetime ? lifetime_name((uint8_t)request->lifetime) : "");
    if (group) {
        argument_uint(arguments, request->gid);
    } else {
        argument_text(arguments, "");
    }
    argument_text(arguments, may_create ? "1" : "0");
    argument_text(arguments, exclusive ? "1" : "0");
    argument_text(arguments, ""); /* rights */
    return ended(&encoding, encode_options(&encoding, OPTIONS_TYPE_open, options));
}
