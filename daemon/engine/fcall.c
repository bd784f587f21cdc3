/* fcall: see fcall.h. Tests: tests/unit/engine/test_fcall.c, tests/unit/engine/test_lane.c. */
#include "daemon/engine/fcall.h"

#include <hiredis/hiredis.h>

#include "proto/header.h"

enum {
    NUMBER_BYTES = 8,
    WHO_BYTES = 2 * NUMBER_BYTES,
    WHAT_MOST = 2 * DECIMAL_MAX + 3, /* of a WHAT, besides the verb, the name and the version */
    SINGLE = '\n',                   /* the first byte of a reply that is that of one call */
};

/* Out. */

static void put_number(struct buffer *out, uint64_t number)
{
    uint8_t bytes[NUMBER_BYTES];
    for (size_t i = 0; i < NUMBER_BYTES; i++) {
        bytes[i] = (uint8_t)(number >> (8 * (NUMBER_BYTES - 1 - i)));
    }
    (void)buffer_append(out, bytes, sizeof(bytes));
}

static void put_text(struct buffer *out, const char *text)
{
    (void)buffer_append(out, text, strlen(text));
}

static void put_slice(struct buffer *out, struct slice bytes)
{
    if (bytes.len > 0) {
        (void)buffer_append(out, bytes.data, bytes.len);
    }
}

static void put_decimal(struct buffer *out, uint64_t number)
{
    char text[DECIMAL_MAX];
    (void)buffer_append(out, text, decimal_write(text, number));
}

void fcall_put_head(struct buffer *out, const struct fcall_head *head)
{
    put_number(out, head->seq);
    put_number(out, head->ack);
    put_number(out, head->until);
    put_number(out, head->now);
    put_text(out, head->is_atomic ? "a" : "-");
    put_text(out, head->host);
    put_text(out, "/");
    put_decimal(out, head->epoch);
}

void fcall_put_what(struct buffer *out, const char *verb, unsigned nargs, struct slice name,
                    struct slice version)
{
    put_text(out, verb);
    put_text(out, " ");
    put_decimal(out, nargs);
    put_text(out, " ");
    put_decimal(out, name.len);
    put_text(out, " ");
    put_slice(out, name);
    put_slice(out, version);
}

void fcall_put_who(struct buffer *out, uint64_t session, uint64_t wait)
{
    put_number(out, session);
    put_number(out, wait);
}

/* Arguments that are sent, without the name: what is not given at the end is left out. */
static unsigned count_arguments(const struct op_part *part)
{
    const struct arguments *arguments = &part->arguments;
    unsigned count = arguments->count;
    while (count > 1 && arguments->ends[count - 1] == arguments->ends[count - 2]) {
        count--;
    }
    return count - 1;
}

size_t fcall_count(const struct op_list *ops, size_t *bytes)
{
    size_t count = 0;
    const struct op *op;
    *bytes = 0;
    TAILQ_FOREACH (op, ops, link) {
        for (unsigned i = 0; i < op->count; i++) {
            const struct op_part *part = &op->parts[i];
            count += 2 + part->arguments.count;
            *bytes += WHO_BYTES + WHAT_MOST + strlen(part->verb) + part_name(part).len +
                      part->version.len;
        }
    }
    return count;
}

static bool is_alike(const struct op_part *a, const struct op_part *b)
{
    return (a->verb == b->verb || strcmp(a->verb, b->verb) == 0) &&
           count_arguments(a) == count_arguments(b) && slice_equal(part_name(a), part_name(b)) &&
           slice_equal(buffer_slice(&a->version), buffer_slice(&b->version));
}

static struct slice made_since(const struct buffer *made, size_t start)
{
    return (struct slice){made->data + start, made->len - start};
}

static size_t put_arguments(const struct op_part *part, struct slice *argv)
{
    unsigned count = count_arguments(part);
    for (unsigned i = 0; i < count; i++) {
        argv[i] = argument_at(&part->arguments, i + 1);
    }
    return count;
}

/* A run of `count` calls: a part of the first op, and those of the ops behind it that are like it.
 */
static size_t put_run(const struct op *first, const struct op_part *part, unsigned count,
                      struct buffer *made, struct slice *argv)
{
    const struct op *op = first;
    size_t start = made->len;
    size_t n = 2;
    fcall_put_what(made, part->verb, count_arguments(part), part_name(part),
                   buffer_slice(&part->version));
    argv[0] = made_since(made, start);
    start = made->len;
    for (unsigned i = 0; i < count; i++) {
        fcall_put_who(made, op->session, op->is_late ? 0 : op->wait);
        n += put_arguments(i == 0 ? part : op->parts, argv + n);
        op = TAILQ_NEXT(op, link);
    }
    argv[1] = made_since(made, start);
    return n;
}

/* How many ops, from this one on, are a run. */
static unsigned count_alike(const struct op *first)
{
    unsigned count = 0;
    const struct op *op = first;
    do {
        count++;
        op = TAILQ_NEXT(op, link);
    } while (op != NULL && !op->is_atomic && count < FCALL_RUN_MOST &&
             is_alike(first->parts, op->parts));
    return count;
}

size_t fcall_put_ops(const struct op_list *ops, struct buffer *made, struct slice *argv)
{
    size_t n = 0;
    struct op *op = TAILQ_FIRST(ops);
    while (op != NULL) {
        unsigned run = op->is_atomic ? 1 : count_alike(op);
        n += put_run(op, op->parts, run, made, argv + n);
        for (unsigned i = 1; i < op->count; i++) {
            n += put_run(op, &op->parts[i], 1, made, argv + n);
        }
        op->run = run;
        while (--run > 0) {
            op = TAILQ_NEXT(op, link);
            op->run = 0;
        }
        op = TAILQ_NEXT(op, link);
    }
    return n;
}

/* In. */

/* Takes the header of the next value off the front. */
static bool take_header(struct slice *rest, enum kind kind, struct header *out)
{
    if (rest->len == 0 || header_read(rest->data, rest->len, out) != 0 || out->kind != kind ||
        out->length > rest->len - out->size) {
        return false;
    }
    *rest = slice_from(*rest, out->size);
    return true;
}

static bool take_str(struct slice *rest, struct slice *out)
{
    struct header header;
    if (!take_header(rest, KIND_STR, &header)) {
        return false;
    }
    *out = (struct slice){rest->data, header.length};
    *rest = slice_from(*rest, header.length);
    return true;
}

bool fcall_open(struct fcall_reply *reply, const struct redisReply *from, struct slice *status)
{
    struct header header;
    *reply = (struct fcall_reply){.runs = 0};
    *status = (struct slice){0};
    if (from->type != REDIS_REPLY_STRING || from->len == 0) {
        return false;
    }
    reply->rest = (struct slice){(const uint8_t *)from->str, (size_t)from->len};
    if (reply->rest.data[0] == SINGLE) {
        reply->rest = slice_from(reply->rest, 1);
        reply->is_single = true;
        reply->runs = 1;
        return true;
    }
    if (!take_header(&reply->rest, KIND_ARRAY, &header) || header.count == 0 ||
        !take_str(&reply->rest, status)) {
        return false;
    }
    reply->runs = header.count - 1;
    return true;
}

/* The replies of a run of several calls begin. */
static bool open_run(struct fcall_reply *reply, unsigned run)
{
    struct header header;
    if (!take_header(&reply->rest, KIND_ARRAY, &header)) {
        return false;
    }
    reply->left = run;
    reply->is_same = header.count == 1;
    reply->is_spliced = header.count == run + 2;
    if (reply->is_same) {
        return take_str(&reply->rest, &reply->before);
    }
    if (reply->is_spliced) {
        return take_str(&reply->rest, &reply->before) && take_str(&reply->rest, &reply->behind);
    }
    return header.count == run;
}

static bool splice(struct fcall_reply *reply, struct slice between, struct slice *out)
{
    struct buffer *spliced = &reply->spliced;
    spliced->len = 0;
    put_slice(spliced, reply->before);
    put_slice(spliced, between);
    put_slice(spliced, reply->behind);
    *out = buffer_slice(spliced);
    return !spliced->failed;
}

bool fcall_next(struct fcall_reply *reply, unsigned run, struct slice *out)
{
    if (reply->left == 0) {
        if (run == 0 || reply->runs == 0) {
            return false;
        }
        reply->runs--;
        if (reply->is_single) {
            *out = reply->rest;
            return run == 1 && out->len > 0;
        }
        if (run == 1) {
            return take_str(&reply->rest, out);
        }
        if (!open_run(reply, run)) {
            reply->left = 0;
            reply->runs = 0;
            return false;
        }
    } else if (run != 0) {
        return false;
    }
    reply->left--;
    if (reply->is_same) {
        *out = reply->before;
        return true;
    }
    return take_str(&reply->rest, out) && (!reply->is_spliced || splice(reply, *out, out));
}

void fcall_close(struct fcall_reply *reply)
{
    buffer_deinit(&reply->spliced);
}
