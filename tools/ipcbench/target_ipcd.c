/*
 * target_ipcd: the operations as MessagePack-RPC requests, and how a private daemon is started.
 *
 * Items and values are bin, keys are str. Message numbers are five bytes long, as they are for a
 * client that has been connected for a while. The queue and the dict are scoped: they go when the
 * control connection closes, also when ipcbench is killed. They are opened exclusively, so that
 * two runs on one daemon do not disturb each other unnoticed. Those of the durable loads stay, with
 * the directory of the private daemon.
 */
#include "proto/message.h"
#include "tools/ipcbench/target.h"
#include "tools/ipcbench/fail.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

enum { FIRST_MSGID = 0x10000, MSGID_MASK = 0xffff };

/* The constant part of each operation: method, object, how many params. */
struct form {
    const char *method;
    const char *object;
    size_t params;
};

static const struct form forms[] = {
    [OPERATION_PUT] = {"queue.put", TARGET_QUEUE, 2},
    [OPERATION_GET] = {"queue.get", TARGET_QUEUE, 2},
    [OPERATION_TAKE] = {"queue.get", TARGET_QUEUE, 1},
    [OPERATION_PUT_MANY] = {"queue.put_many", TARGET_QUEUE, 2},
    [OPERATION_GET_MANY] = {"queue.get_many", TARGET_QUEUE, 2},
    [OPERATION_SET] = {"dict.set", TARGET_DICT, 3},
    [OPERATION_LOOKUP] = {"dict.get", TARGET_DICT, 2},
    [OPERATION_OPEN_QUEUE] = {"queue.open", TARGET_QUEUE, 2},
    [OPERATION_OPEN_DICT] = {"dict.open", TARGET_DICT, 2},
    [OPERATION_CLEAR_QUEUE] = {"queue.clear", TARGET_QUEUE, 1},
    [OPERATION_CLEAR_DICT] = {"dict.clear", TARGET_DICT, 1},
    [OPERATION_PUT_JOB] = {"queue.put", TARGET_JOBS, 2},
    [OPERATION_TAKE_JOB] = {"queue.get", TARGET_JOBS, 2},
    [OPERATION_FINISH_JOB] = {"queue.task_done", TARGET_JOBS, 2},
    [OPERATION_OPEN_JOBS] = {"queue.open", TARGET_JOBS, 2},
    [OPERATION_CLEAR_JOBS] = {"queue.clear", TARGET_JOBS, 1},
    [OPERATION_PUT_PLAIN] = {"queue.put", TARGET_PLAIN, 2},
    [OPERATION_OPEN_PLAIN] = {"queue.open", TARGET_PLAIN, 2},
    [OPERATION_CLEAR_PLAIN] = {"queue.clear", TARGET_PLAIN, 1},
};

static void pack_payload(struct buffer *out, size_t size)
{
    struct buffer bytes = {0};
    if (buffer_reserve(&bytes, size) < 0) {
        out->failed = true;
        return;
    }
    memset(bytes.data, 'x', size);
    pack_bin(out, (struct slice){bytes.data, size});
    buffer_deinit(&bytes);
}

static void pack_key(struct buffer *out, uint32_t index)
{
    char key[KEY_SIZE + 1];
    target_key(index, key);
    pack_string(out, key);
}

static void pack_open_options(struct buffer *out)
{
    pack_map(out, 2);
    pack_key_string(out, "lifetime", "scoped");
    pack_key_bool(out, "exclusive", true);
}

static void encode(struct buffer *out, const struct request *request)
{
    const struct form *form = &forms[request->operation];
    message_request(out, FIRST_MSGID + (request->index & MSGID_MASK), slice_of_string(form->method),
                    form->params);
    pack_string(out, request->object != NULL ? request->object : form->object);
    switch (request->operation) {
    case OPERATION_PUT:
    case OPERATION_PUT_JOB:
    case OPERATION_PUT_PLAIN:
        pack_payload(out, request->payload);
        break;
    case OPERATION_GET:
    case OPERATION_TAKE_JOB:
        pack_int(out, 0); /* does not wait: an item that is missing shall be an error */
        break;
    case OPERATION_PUT_MANY:
        pack_array(out, REQUEST_MANY);
        for (int i = 0; i < REQUEST_MANY; i++) {
            pack_payload(out, request->payload);
        }
        break;
    case OPERATION_GET_MANY:
        pack_int(out, REQUEST_MANY);
        break;
    case OPERATION_SET:
        pack_key(out, request->index);
        pack_payload(out, request->payload);
        break;
    case OPERATION_LOOKUP:
        pack_key(out, request->index);
        break;
    case OPERATION_FINISH_JOB:
        pack_uint(out, request->job);
        break;
    case OPERATION_OPEN_QUEUE:
    case OPERATION_OPEN_DICT:
    case OPERATION_OPEN_PLAIN:
        pack_open_options(out);
        break;
    default: /* the object is all */
        break;
    }
}

/* The queues of the durable loads are durable, which is all that is different. */
static void encode_durable(struct buffer *out, const struct request *request)
{
    if (request->operation != OPERATION_OPEN_QUEUE && request->operation != OPERATION_OPEN_JOBS) {
        encode(out, request);
        return;
    }
    const struct form *form = &forms[request->operation];
    message_request(out, FIRST_MSGID, slice_of_string(form->method), form->params);
    pack_string(out, form->object);
    pack_map(out, 2);
    pack_key_string(out, "lifetime", "durable");
    pack_key_bool(out, "joinable", request->operation == OPERATION_OPEN_JOBS);
}

/* The two texts of [code, message, …] as "CODE: message", as far as they are there. */
static void copy_error(struct slice raw, struct tally *out)
{
    struct slice texts[2] = {{0}, {0}};
    size_t at = 1;
    for (int i = 0; i < 2; i++) {
        struct header header;
        if (at >= raw.len || header_read(raw.data + at, raw.len - at, &header) != 0 ||
            header.kind != KIND_STR || raw.len - at < (size_t)header.size + header.length) {
            break;
        }
        texts[i] = (struct slice){raw.data + at + header.size, header.length};
        at += (size_t)header.size + header.length;
    }
    (void)snprintf(out->error, sizeof(out->error), "%.*s: %.*s", (int)texts[0].len,
                   (const char *)texts[0].data, (int)texts[1].len, (const char *)texts[1].data);
}

static void take_note(enum operation operation, const struct message *message, struct tally *out)
{
    const struct param *error = &message->params[0];
    const struct param *result = &message->params[1];
    if (message->type == MESSAGE_NOTIFICATION) {
        if (slice_equal(message->method, slice_of_string("goodbye")) && message->nparams == 2) {
            (void)snprintf(out->error, sizeof(out->error), "goodbye: %.*s",
                           (int)result->header.length,
                           (const char *)result->raw.data + result->header.size);
        }
        return;
    }
    out->count++;
    if (error->header.kind != KIND_NIL) {
        copy_error(error->raw, out);
        return;
    }
    if (operation == OPERATION_TAKE_JOB) {
        struct slice rest = slice_from(result->raw, result->header.size);
        (void)value_next(&rest); /* [value, ticket, deliveries] */
        out->job = (uint64_t)value_next(&rest).header.i;
    }
    out->items += operation == OPERATION_GET_MANY   ? result->header.count
                  : operation == OPERATION_PUT_MANY ? REQUEST_MANY
                                                    : 1;
}

static int count(enum operation operation, const uint8_t *data, size_t len, struct tally *out)
{
    while (out->used < len && (out->most == 0 || out->count < out->most)) {
        struct message message;
        int status = message_decode(data + out->used, len - out->used, MESSAGE_DEPTH,
                                    2 * (size_t)MESSAGE_SIZE, &message);
        if (status == MESSAGE_MORE) {
            return 0;
        }
        if (status < 0 || message.type == MESSAGE_REQUEST) {
            return -1;
        }
        out->used += message.size;
        take_note(operation, &message, out);
    }
    return 0;
}

const struct protocol protocol_ipcd = {
    .encode = encode,
    .count = count,
    .keeps = true,
    .objects = 2,
    .opens = {OPERATION_OPEN_QUEUE, OPERATION_OPEN_DICT},
    .clears = {OPERATION_CLEAR_QUEUE, OPERATION_CLEAR_DICT},
};

const struct protocol protocol_guest = {.encode = encode, .count = count, .keeps = true};

const struct protocol protocol_durable = {
    .encode = encode_durable,
    .count = count,
    .keeps = true,
    .objects = 3,
    .opens = {OPERATION_OPEN_QUEUE, OPERATION_OPEN_JOBS, OPERATION_OPEN_PLAIN},
    .clears = {OPERATION_CLEAR_QUEUE, OPERATION_CLEAR_JOBS, OPERATION_CLEAR_PLAIN},
};

void ipcd_durable_run(const struct server_plan *plan, const char *directory, const char *socket)
{
    char state[SERVER_PATH_MAX];
    (void)snprintf(state, sizeof(state), "%s/state", directory);
    (void)execl(plan->program, "ipcd", "--socket", socket, "--state", state, (char *)NULL);
    (void)fprintf(stderr, "%s: %s\n", plan->program, strerror(errno));
}

void ipcd_engine_run(const struct server_plan *plan, const char *directory, const char *socket)
{
    char path[SERVER_PATH_MAX];
    (void)snprintf(path, sizeof(path), "%s/ipcd.conf", directory);
    FILE *file = fopen(path, "we");
    if (file == NULL || fprintf(file, "[engine]\nurl = %s\nrealm = bench\nhost = %s\n",
                                plan->engine, plan->name) < 0) {
        (void)fprintf(stderr, "%s: %s\n", path, strerror(errno));
        return;
    }
    (void)fclose(file);
    (void)execl(plan->program, "ipcd", "--socket", socket, "--config", path, (char *)NULL);
    (void)fprintf(stderr, "%s: %s\n", plan->program, strerror(errno));
}

void ipcd_run(const struct server_plan *plan, const char *directory, const char *socket)
{
    (void)execl(plan->program, "ipcd", "--socket", socket, (char *)NULL);
    (void)fprintf(stderr, "%s: %s\n", plan->program, strerror(errno));
}
