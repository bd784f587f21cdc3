/* message: see message.h. */
#include "proto/message.h"

#include <endian.h>

#include "proto/header_decode.h"

/*
 * A position in the bytes of one message. `end` is where the bytes end, or the size limit if that
 * comes first: so one comparison tells whether something is there and allowed, and only when it is
 * not does cut_off look at which of the two it was.
 */
struct cursor {
    const uint8_t *start;
    const uint8_t *at;
    const uint8_t *end;
    size_t max_size;
};

static size_t left_of(const struct cursor *cursor)
{
    return (size_t)(cursor->end - cursor->at);
}

/* The answer when at least `need` bytes from the cursor on are wanted and are not there. */
__attribute__((cold)) static int cut_off(const struct cursor *cursor, uint64_t need)
{
    uint64_t used = (uint64_t)(cursor->at - cursor->start);
    return used + need > cursor->max_size ? ERR_TOO_LARGE : MESSAGE_MORE;
}

/* Reads a header of several bytes; out of line, since the common ones have one. */
__attribute__((noinline)) static int next_long_header(struct cursor *cursor, struct header *out)
{
    int status = header_decode(cursor->at, left_of(cursor), out);
    if (status == 0) {
        cursor->at += out->size;
    }
    return status == HEADER_MORE ? cut_off(cursor, left_of(cursor) + 1) : status;
}

/* Reads one header and steps behind it. */
static inline int next_header(struct cursor *cursor, struct header *out)
{
    if (cursor->at == cursor->end || header_is_long(*cursor->at)) {
        return next_long_header(cursor, out);
    }
    out->size = 1;
    out->length = 0;
    out->count = 0;
    header_decode_short(*cursor->at++, out);
    return 0;
}

/* Steps over the bytes that belong to a header just read. */
static inline int skip_run(struct cursor *cursor, uint32_t length)
{
    if (left_of(cursor) < length) {
        return cut_off(cursor, length);
    }
    cursor->at += length;
    return 0;
}

static int read_msgid(struct cursor *cursor, struct message *out)
{
    struct header header;
    int status = next_header(cursor, &header);
    if (status != 0) {
        return status;
    }
    if (header.kind != KIND_INT || header.i < 0 || header.i > UINT32_MAX) {
        return ERR_BAD_REQUEST;
    }
    out->msgid = (uint32_t)header.i;
    return 0;
}

static int read_method(struct cursor *cursor, struct message *out)
{
    struct header header;
    int status = next_header(cursor, &header);
    if (status != 0) {
        return status;
    }
    if (header.kind != KIND_STR && header.kind != KIND_BIN) {
        return ERR_BAD_REQUEST;
    }
    out->method = (struct slice){cursor->at, header.length};
    return skip_run(cursor, header.length);
}

/* Scans the container that starts at `start`; `depth` of them may be open at once, this one
 * included. */
static int skip_container(struct cursor *cursor, const uint8_t *start, unsigned depth,
                          struct message *message)
{
    struct scan scan;
    scan_init(&scan, depth, cursor->max_size - (size_t)(start - cursor->start));
    int status = scan_run(&scan, start, (size_t)(cursor->end - start));
    message->exts |= scan.exts;
    cursor->at = start + scan.at;
    return status == SCAN_MORE ? MESSAGE_MORE : status;
}

/* Reads one value into *out; `depth` containers may still be opened. */
static int read_value(struct cursor *cursor, unsigned depth, struct message *message,
                      struct param *out)
{
    const uint8_t *start = cursor->at;
    int status = next_header(cursor, &out->header);
    if (status != 0) {
        return status;
    }
    if (out->header.kind == KIND_ARRAY || out->header.kind == KIND_MAP) {
        status = skip_container(cursor, start, depth, message);
    } else {
        status = skip_run(cursor, out->header.length);
        message->exts |= scan_ext_bit(&out->header);
    }
    out->raw = (struct slice){start, (size_t)(cursor->at - start)};
    return status;
}

static int read_values(struct cursor *cursor, unsigned depth, uint32_t count, struct message *out)
{
    if (count > left_of(cursor)) {
        int status = cut_off(cursor, count);
        if (status < 0) {
            return status;
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        struct param beyond;
        struct param *param = i < MESSAGE_PARAMS_MAX ? &out->params[i] : &beyond;
        int status = read_value(cursor, depth, out, param);
        if (status != 0) {
            return status;
        }
    }
    out->nparams = count;
    return 0;
}

static int read_params(struct cursor *cursor, unsigned max_depth, struct message *out)
{
    struct header header;
    int status = next_header(cursor, &header);
    if (status != 0) {
        return status;
    }
    if (header.kind != KIND_ARRAY) {
        return ERR_BAD_REQUEST;
    }
    return read_values(cursor, max_depth - 2, header.count, out);
}

static int read_body(struct cursor *cursor, unsigned max_depth, struct message *out)
{
    int status = 0;
    out->msgid = 0;
    out->method = (struct slice){cursor->start, 0};
    if (out->type != MESSAGE_NOTIFICATION) {
        status = read_msgid(cursor, out);
    }
    if (status != 0) {
        return status;
    }
    if (out->type == MESSAGE_RESPONSE) {
        return read_values(cursor, max_depth - 1, 2, out);
    }
    status = read_method(cursor, out);
    return status != 0 ? status : read_params(cursor, max_depth, out);
}

int message_decode(const uint8_t *data, size_t len, unsigned max_depth, size_t max_size,
                   struct message *out)
{
    if (len == 0) {
        return MESSAGE_MORE;
    }
    max_size = max_size < UINT32_MAX ? max_size : UINT32_MAX; /* as scan_init has it */
    struct cursor cursor = {data, data, data + (len < max_size ? len : max_size), max_size};
    struct header outer;
    struct header type;
    int status = next_header(&cursor, &outer);
    if (status != 0) {
        return status;
    }
    if (outer.kind != KIND_ARRAY || (outer.count != 3 && outer.count != 4)) {
        return ERR_BAD_REQUEST;
    }
    status = next_header(&cursor, &type);
    if (status != 0) {
        return status;
    }
    if (type.kind != KIND_INT || type.i < 0 || type.i > 2 || (outer.count == 3) != (type.i == 2)) {
        return ERR_BAD_REQUEST;
    }
    out->type = (enum message_type)type.i;
    out->exts = 0;
    status = read_body(&cursor, max_depth, out);
    out->size = (size_t)(cursor.at - data);
    return status;
}

/* Reads the header at *at and steps behind it and its bytes: if it is a container, to its first
 * element. False if they are not all there. */
static bool step(const uint8_t *data, size_t len, size_t *at, struct header *out)
{
    if (header_read(data + *at, len - *at, out) != 0 || out->length > len - *at - out->size) {
        return false;
    }
    *at += out->size + out->length;
    return true;
}

bool message_progress_begin(struct message_progress *progress, const uint8_t *data, size_t len)
{
    struct header outer;
    struct header type;
    struct header header = {0};
    size_t at = 0;
    *progress = (struct message_progress){0};
    if (!step(data, len, &at, &outer) || !step(data, len, &at, &type)) {
        return false;
    }
    progress->type = (enum message_type)type.i;
    progress->count = 2;
    if (progress->type != MESSAGE_NOTIFICATION) {
        if (!step(data, len, &at, &header)) {
            return false;
        }
        progress->msgid = (uint32_t)header.i;
    }
    if (progress->type != MESSAGE_RESPONSE) {
        if (!step(data, len, &at, &header)) {
            return false;
        }
        progress->method_at = at - header.length;
        progress->method_len = header.length;
        if (!step(data, len, &at, &header)) {
            return false;
        }
        progress->count = header.count;
    }
    progress->at = at;
    progress->begin = at;
    return true;
}

/* The message is whole, and it is known where all of it is. */
static void read_known(const uint8_t *data, const struct message_progress *progress,
                       struct message *out)
{
    out->type = progress->type;
    out->msgid = progress->msgid;
    out->method = (struct slice){data + progress->method_at, progress->method_len};
    out->nparams = progress->count;
    size_t at = progress->begin;
    for (uint32_t i = 0; i < progress->nparams && i < MESSAGE_PARAMS_MAX; i++) {
        out->params[i].raw = (struct slice){data + at, progress->ends[i] - at};
        (void)header_read(data + at, progress->ends[i] - at, &out->params[i].header);
        at = progress->ends[i];
    }
    out->exts = progress->exts;
}

/* The cursor stands at a param: goes on with what of it has not been seen. */
static int skip_on(struct cursor *cursor, unsigned depth, struct message_progress *progress)
{
    const uint8_t *start = cursor->at;
    struct header header;
    int status = next_long_header(cursor, &header);
    if (status != 0) {
        return status;
    }
    if (header.kind != KIND_ARRAY && header.kind != KIND_MAP) {
        progress->exts |= scan_ext_bit(&header);
        return skip_run(cursor, header.length);
    }
    if (!progress->scanning) {
        scan_init(&progress->scan, depth, cursor->max_size - (size_t)(start - cursor->start));
    }
    status = scan_run(&progress->scan, start, (size_t)(cursor->end - start));
    progress->scanning = status == SCAN_MORE;
    progress->exts |= progress->scan.exts;
    cursor->at = start + progress->scan.at;
    return status == SCAN_MORE ? MESSAGE_MORE : status;
}

/* Goes on with the params that are not known to be whole. */
static int read_on(struct cursor *cursor, unsigned depth, struct message_progress *progress)
{
    while (progress->nparams < progress->count) {
        int status = skip_on(cursor, depth, progress);
        if (status != 0) {
            return status;
        }
        progress->at = (size_t)(cursor->at - cursor->start);
        if (progress->nparams < MESSAGE_PARAMS_MAX) {
            progress->ends[progress->nparams] = progress->at;
        }
        progress->nparams++;
    }
    return 0;
}

int message_decode_on(const uint8_t *data, size_t len, unsigned max_depth, size_t max_size,
                      struct message_progress *progress, struct message *out)
{
    max_size = max_size < UINT32_MAX ? max_size : UINT32_MAX;
    struct cursor cursor = {data, data, data + (len < max_size ? len : max_size), max_size};
    cursor.at = data + progress->at;
    unsigned depth = progress->type == MESSAGE_RESPONSE ? max_depth - 1 : max_depth - 2;
    int status = read_on(&cursor, depth, progress);
    if (status == 0) {
        read_known(data, progress, out);
        out->size = progress->at;
    }
    return status;
}

struct param value_next(struct slice *rest)
{
    struct param param;
    (void)header_read(rest->data, rest->len, &param.header);
    size_t len = param.header.size + param.header.length;
    if (param.header.kind == KIND_ARRAY || param.header.kind == KIND_MAP) {
        len = scan_length(rest->data, rest->len);
    }
    param.raw = (struct slice){rest->data, len};
    *rest = slice_from(*rest, len);
    return param;
}

void message_request(struct buffer *out, uint32_t msgid, struct slice method, size_t count)
{
    pack_array(out, 4);
    pack_int(out, MESSAGE_REQUEST);
    pack_uint(out, msgid);
    pack_str(out, method);
    pack_array(out, count);
}

void message_result(struct buffer *out, uint32_t msgid)
{
    /* Written by hand, since every answer begins with it: array of 4, 1, msgid as uint32, nil. */
    enum { HEAD = 8 };
    if (buffer_reserve(out, HEAD) < 0) {
        return;
    }
    uint8_t *at = out->data + out->len;
    *at++ = 0x94;
    *at++ = MESSAGE_RESPONSE;
    if (msgid < 0x80) {
        *at++ = (uint8_t)msgid;
    } else {
        *at++ = 0xce;
        uint32_t number = htobe32(msgid);
        memcpy(at, &number, sizeof(number));
        at += sizeof(number);
    }
    *at++ = 0xc0;
    out->len = (size_t)(at - out->data);
}

static void pack_error(struct buffer *out, uint32_t msgid, size_t count, int error,
                       const char *text)
{
    pack_array(out, 4);
    pack_int(out, MESSAGE_RESPONSE);
    pack_uint(out, msgid);
    pack_array(out, count);
    pack_string(out, error_name(error));
    pack_string(out, text);
}

void message_error_head(struct buffer *out, uint32_t msgid, int error, const char *text)
{
    pack_error(out, msgid, 3, error, text);
}

void message_error(struct buffer *out, uint32_t msgid, int error, const char *text,
                   struct slice detail)
{
    pack_error(out, msgid, detail.len > 0 ? 3 : 2, error, text);
    pack_raw(out, detail);
    pack_nil(out);
}

void message_notification(struct buffer *out, const char *method, size_t count)
{
    pack_array(out, 3);
    pack_int(out, MESSAGE_NOTIFICATION);
    pack_string(out, method);
    pack_array(out, count);
}
