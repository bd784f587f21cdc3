/*
 * target_redis: the same operations as commands of Redis in its protocol RESP, and how a private
 * redis-server is started: on a Unix socket alone, without persistence or with a file that each
 * command is on before it is answered, all else as it comes.
 */
#include "tools/ipcbench/target.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void put_text(struct buffer *out, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void put_text(struct buffer *out, const char *format, ...)
{
    char text[128];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    (void)buffer_append(out, text, (size_t)len);
}

static void put_payload(struct buffer *out, size_t size)
{
    put_text(out, "$%zu\r\n", size);
    if (buffer_reserve(out, size) == 0) {
        memset(out->data + out->len, 'x', size);
        out->len += size;
    }
    put_text(out, "\r\n");
}

/* A command's head: how many words it has in all, its name and its key. */
static void put_command(struct buffer *out, int words, const char *name, const char *key)
{
    put_text(out, "*%d\r\n$%zu\r\n%s\r\n$%zu\r\n%s\r\n", words, strlen(name), name, strlen(key),
             key);
}

static void put_field(struct buffer *out, uint32_t index)
{
    char key[KEY_SIZE + 1];
    target_key(index, key);
    put_text(out, "$%d\r\n%s\r\n", KEY_SIZE, key);
}

static void encode(struct buffer *out, const struct request *request)
{
    switch (request->operation) {
    case OPERATION_PUT:
        put_command(out, 3, "LPUSH", TARGET_QUEUE);
        put_payload(out, request->payload);
        break;
    case OPERATION_GET:
        put_command(out, 2, "RPOP", TARGET_QUEUE);
        break;
    case OPERATION_TAKE:
        put_command(out, 3, "BRPOP", TARGET_QUEUE);
        put_text(out, "$1\r\n0\r\n");
        break;
    case OPERATION_PUT_MANY:
        put_command(out, 2 + REQUEST_MANY, "LPUSH", TARGET_QUEUE);
        for (int i = 0; i < REQUEST_MANY; i++) {
            put_payload(out, request->payload);
        }
        break;
    case OPERATION_GET_MANY:
        put_command(out, 3, "RPOP", TARGET_QUEUE);
        put_text(out, "$2\r\n%d\r\n", REQUEST_MANY);
        break;
    case OPERATION_SET:
        put_command(out, 4, "HSET", TARGET_DICT);
        put_field(out, request->index);
        put_payload(out, request->payload);
        break;
    case OPERATION_LOOKUP:
        put_command(out, 3, "HGET", TARGET_DICT);
        put_field(out, request->index);
        break;
    case OPERATION_OPEN_QUEUE:
    case OPERATION_OPEN_DICT:
        put_text(out, "*1\r\n$4\r\nPING\r\n");
        break;
    case OPERATION_CLEAR_QUEUE:
        put_command(out, 2, "DEL", TARGET_QUEUE);
        break;
    case OPERATION_CLEAR_DICT:
        put_command(out, 2, "DEL", TARGET_DICT);
        break;
    default: /* it has nothing else */
        break;
    }
}

/* One line of RESP: its type and its number; -1 if it is not whole. */
struct line {
    char type;
    long number;
    size_t size; /* bytes, the line end included */
};

static int read_line(const uint8_t *data, size_t len, struct line *out)
{
    const uint8_t *end = len > 0 ? memchr(data, '\n', len) : NULL;
    if (end == NULL) {
        return -1;
    }
    out->type = (char)data[0];
    out->size = (size_t)(end - data) + 1;
    out->number = 0;
    if (out->size < 3) {
        return 0;
    }
    bool negative = data[1] == '-';
    for (const uint8_t *p = data + (negative ? 2 : 1); *p >= '0' && *p <= '9'; p++) {
        out->number = out->number * 10 + (*p - '0');
    }
    out->number = negative ? -out->number : out->number;
    return 0;
}

/* The bytes of one reply, its nested parts included; 0 if it is not whole. */
static size_t reply_size(const uint8_t *data, size_t len, const struct line *first)
{
    struct line line = *first;
    size_t at = 0;
    long left = 1;
    while (left > 0) {
        if (at > 0 && read_line(data + at, len - at, &line) < 0) {
            return 0;
        }
        at += line.size;
        left--;
        if (line.type == '$' && line.number >= 0) {
            at += (size_t)line.number + 2;
        } else if (line.type == '*' && line.number > 0) {
            left += line.number;
        }
        if (at > len) {
            return 0;
        }
    }
    return at;
}

static void take_note(enum operation operation, const uint8_t *data, const struct line *first,
                      struct tally *out)
{
    bool nothing = first->number < 0;
    out->count++;
    if (first->type == '-') {
        (void)snprintf(out->error, sizeof(out->error), "%.*s", (int)(first->size - 3),
                       (const char *)data + 1);
    } else if (operation == OPERATION_GET_MANY) {
        out->items += nothing ? 0 : (uint64_t)first->number;
    } else if (nothing) {
        (void)snprintf(out->error, sizeof(out->error), "nil, where a value was expected");
    } else {
        out->items += operation == OPERATION_PUT_MANY ? REQUEST_MANY : 1;
    }
}

static int count(enum operation operation, const uint8_t *data, size_t len, struct tally *out)
{
    struct line first;
    while (out->used < len && (out->most == 0 || out->count < out->most) &&
           read_line(data + out->used, len - out->used, &first) == 0) {
        if (memchr("+-:$*", first.type, 5) == NULL || first.size < 3) {
            return -1;
        }
        size_t size = reply_size(data + out->used, len - out->used, &first);
        if (size == 0) {
            break;
        }
        take_note(operation, data + out->used, &first, out);
        out->used += size;
    }
    return 0;
}

const struct protocol protocol_redis = {
    .encode = encode,
    .count = count,
    .keeps = true,
    .objects = 2,
    .opens = {OPERATION_OPEN_QUEUE, OPERATION_OPEN_DICT},
    .clears = {OPERATION_CLEAR_QUEUE, OPERATION_CLEAR_DICT},
};

void redis_durable_run(const struct server_plan *plan, const char *directory, const char *socket)
{
    (void)execlp(plan->program, plan->program, "--port", "0", "--unixsocket", socket, "--dir",
                 directory, "--save", "", "--appendonly", "yes", "--appendfsync", "always",
                 "--daemonize", "no", (char *)NULL);
    (void)fprintf(stderr, "%s: %s\n", plan->program, strerror(errno));
}

void redis_run(const struct server_plan *plan, const char *directory, const char *socket)
{
    (void)execlp(plan->program, plan->program, "--port", "0", "--unixsocket", socket, "--dir",
                 directory, "--save", "", "--appendonly", "no", "--daemonize", "no", (char *)NULL);
    (void)fprintf(stderr, "%s: %s\n", plan->program, strerror(errno));
}
