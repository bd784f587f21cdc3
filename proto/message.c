/* message: see message.h. */
#include "proto/message.h"

/* A position in the bytes of one message. */
struct cursor {
    const uint8_t *data;
    size_t len;
    size_t at;
    size_t max_size;
};

/* Reads one header and steps behind it. */
static int next_header(struct cursor *cursor, struct header *out)
{
    int status = header_read(cursor->data + cursor->at, cursor->len - cursor->at, out);
    if (status == 0) {
        cursor->at += out->size;
        if (cursor->at + out->length > cursor->max_size) {
            return ERR_TOO_LARGE;
        }
    }
    return status;
}

/* Steps over the bytes that belong to a header already read. */
static int skip_run(struct cursor *cursor, const struct header *header)
{
    if (cursor->len - cursor->at < header->length) {
        return MESSAGE_MORE;
    }
    cursor->at += header->length;
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
    out->method = (struct slice){cursor->data + cursor->at, header.length};
    return skip_run(cursor, &header);
}

/* Reads one value into *out; `depth` containers may still be opened. */
static int read_value(struct cursor *cursor, unsigned depth, struct message *message,
                      struct param *out)
{
    const uint8_t *start = cursor->data + cursor->at;
    int status = next_header(cursor, &out->header);
    if (status != 0) {
        return status;
    }
    if (out->header.kind == KIND_ARRAY || out->header.kind == KIND_MAP) {
        struct scan scan;
        size_t from = (size_t)(start - cursor->data);
        scan_init(&scan, depth, cursor->max_size - from);
        status = scan_run(&scan, start, cursor->len - from);
        cursor->at = from + scan.at;
        message->exts |= scan.exts;
    } else {
        status = skip_run(cursor, &out->header);
        if (out->header.kind == KIND_EXT) {
            message->exts |= out->header.ext_type == EXT_REFERENCE    ? SCAN_REFERENCE
                             : out->header.ext_type == EXT_DESCRIPTOR ? SCAN_DESCRIPTOR
                                                                      : 0U;
        }
    }
    out->raw = (struct slice){start, (size_t)(cursor->data + cursor->at - start)};
    return status == SCAN_MORE ? MESSAGE_MORE : status;
}

static int read_values(struct cursor *cursor, unsigned depth, uint32_t count, struct message *out)
{
    if (cursor->at + count > cursor->max_size) {
        return ERR_TOO_LARGE;
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
    struct cursor cursor = {data, len, 0, max_size};
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
    out->size = cursor.at;
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
    if (buffer_reserve(out, 8) < 0) {
        return;
    }
    pack_array(out, 4);
    pack_int(out, MESSAGE_RESPONSE);
    pack_uint(out, msgid);
    pack_nil(out);
}

void message_error(struct buffer *out, uint32_t msgid, int error, const char *text,
                   struct slice detail)
{
    pack_array(out, 4);
    pack_int(out, MESSAGE_RESPONSE);
    pack_uint(out, msgid);
    pack_array(out, detail.len > 0 ? 3 : 2);
    pack_string(out, error_name(error));
    pack_string(out, text);
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
