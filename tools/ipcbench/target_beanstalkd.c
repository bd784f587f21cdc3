/*
 * target_beanstalkd: jobs at a private beanstalkd that has each on disk before it answers.
 *
 * A put is "put", a job is taken by "reserve" and finished by "delete". Its text lines end with CR
 * LF; only RESERVED is followed by the bytes of the job.
 */
#include "tools/ipcbench/target.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void put_text(struct buffer *out, const char *text)
{
    (void)buffer_append(out, text, strlen(text));
}

static void encode(struct buffer *out, const struct request *request)
{
    char text[64];
    switch (request->operation) {
    case OPERATION_PUT:
    case OPERATION_PUT_JOB: /* priority, delay, time to run, bytes */
        (void)snprintf(text, sizeof(text), "put 0 0 3600 %zu\r\n", request->payload);
        put_text(out, text);
        if (buffer_reserve(out, request->payload) == 0) {
            memset(out->data + out->len, 'x', request->payload);
            out->len += request->payload;
        }
        put_text(out, "\r\n");
        break;
    case OPERATION_TAKE_JOB:
        put_text(out, "reserve\r\n");
        break;
    case OPERATION_FINISH_JOB:
        (void)snprintf(text, sizeof(text), "delete %" PRIu64 "\r\n", request->job);
        put_text(out, text);
        break;
    default: /* a tube is there when it is used */
        put_text(out, "use default\r\n");
        break;
    }
}

static bool begins(const uint8_t *data, size_t len, const char *word)
{
    return len >= strlen(word) && memcmp(data, word, strlen(word)) == 0;
}

/* The line at the start of the data, of `size` bytes with its end. Returns the bytes that follow it
 * and belong to it. */
static size_t take_note(const uint8_t *data, size_t size, struct tally *out)
{
    size_t more = 0;
    if (begins(data, size, "RESERVED ")) {
        char *rest;
        out->job = strtoull((const char *)data + strlen("RESERVED "), &rest, 10);
        more = (size_t)strtoull(rest, NULL, 10) + strlen("\r\n");
    } else if (!begins(data, size, "INSERTED ") && !begins(data, size, "DELETED\r\n") &&
               !begins(data, size, "USING ")) {
        (void)snprintf(out->error, sizeof(out->error), "%.*s", (int)size - 2, (const char *)data);
    }
    return more;
}

static int count(enum operation operation, const uint8_t *data, size_t len, struct tally *out)
{
    (void)operation; /* a reply says itself what it is */
    while (out->used < len && (out->most == 0 || out->count < out->most)) {
        const uint8_t *start = data + out->used;
        const uint8_t *end = memchr(start, '\n', len - out->used);
        if (end == NULL) {
            break;
        }
        size_t size = (size_t)(end - start) + 1;
        if (size < 2) {
            return -1;
        }
        size += take_note(start, size, out);
        if (size > len - out->used) {
            break;
        }
        out->used += size;
        out->count++;
        out->items++;
    }
    return 0;
}

const struct protocol protocol_beanstalkd = {
    .encode = encode, .count = count, .keeps = true, .objects = 1, .opens = {OPERATION_OPEN_QUEUE}};

void beanstalkd_run(const struct server_plan *plan, const char *directory, const char *socket)
{
    char address[SERVER_PATH_MAX + 8];
    (void)snprintf(address, sizeof(address), "unix:%s", socket);
    (void)execlp(plan->program, plan->program, "-b", directory, "-f", "0", "-l", address,
                 (char *)NULL);
    (void)fprintf(stderr, "%s: %s\n", plan->program, strerror(errno));
}
