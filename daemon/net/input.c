/* input: see input.h. */
#include "daemon/net/input.h"

#include <stdlib.h>

#include "daemon/objects/allocation.h"

enum { ROOM_MIN = 64 * 1024 }; /* what a read into a long rest has room for, at least */

int input_init(struct input *input)
{
    *input = (struct input){.shared = malloc(INPUT_SIZE)};
    return input->shared == NULL ? ERR_MEMORY : 0;
}

void input_deinit(struct input *input)
{
    free(input->shared);
    rest_free(input->rest);
    *input = (struct input){0};
}

struct rest *rest_new(struct slice bytes)
{
    size_t cap = bytes.len > INPUT_SHORT ? bytes.len * 2 : bytes.len;
    struct rest *rest = malloc(sizeof(*rest) + cap);
    if (rest != NULL) {
        rest->len = bytes.len;
        rest->cap = cap;
        rest->begun = false;
        memcpy(rest->data, bytes.data, bytes.len);
    }
    return rest;
}

void rest_free(struct rest *rest)
{
    free(rest);
}

size_t rest_cost(const struct rest *rest)
{
    return allocation_cost(sizeof(*rest) + rest->cap);
}

/* Doubles a long rest when it is nearly full. */
static struct rest *make_room(struct rest *rest)
{
    if (rest->cap - rest->len >= ROOM_MIN) {
        return rest;
    }
    size_t cap = rest->cap * 2 > rest->len + ROOM_MIN ? rest->cap * 2 : rest->len + ROOM_MIN;
    struct rest *grown = realloc(rest, sizeof(*rest) + cap);
    if (grown != NULL) {
        grown->cap = cap;
    }
    return grown;
}

int input_open(struct input *input, struct rest **rest)
{
    struct rest *old = *rest;
    input->rest = NULL;
    input->data = input->shared;
    input->len = 0;
    input->at = 0;
    input->gone = 0;
    input->begun = false;
    if (old == NULL) {
        return 0;
    }
    if (old->len > INPUT_SHORT) {
        old = make_room(old);
        if (old == NULL) {
            return ERR_MEMORY;
        }
        input->rest = old;
        input->data = old->data;
    } else {
        memcpy(input->shared, old->data, old->len);
    }
    input->len = old->len;
    input->begun = old->begun;
    if (old->begun) {
        input->progress = old->progress;
    }
    if (input->rest == NULL) {
        rest_free(old);
    }
    *rest = NULL;
    return 0;
}

/* Decodes the message at the front, which is not whole or was not the last time. */
static int decode_on(struct input *input, size_t max_size, struct message *out)
{
    int status = message_decode_on(input->data + input->at, input->len - input->at, MESSAGE_DEPTH,
                                   max_size, &input->progress, out);
    input->begun = status == MESSAGE_MORE;
    return status;
}

int input_next(struct input *input, size_t max_size, struct message *out)
{
    if (input->at == input->len) {
        return MESSAGE_MORE;
    }
    int status;
    if (input->begun) {
        status = decode_on(input, max_size, out);
    } else {
        status = message_decode(input->data + input->at, input->len - input->at, MESSAGE_DEPTH,
                                max_size, out);
        if (status == MESSAGE_MORE &&
            message_progress_begin(&input->progress, input->data + input->at,
                                   input->len - input->at)) {
            status = decode_on(input, max_size, out);
        }
    }
    if (status == 0) {
        input->at += out->size;
    }
    return status;
}

/* The bytes of a message lie elsewhere now. */
static void move_to(struct message *message, uintptr_t from, const uint8_t *to)
{
    message->method.data = to + ((uintptr_t)message->method.data - from);
    for (unsigned i = 0; i < message->nparams && i < MESSAGE_PARAMS_MAX; i++) {
        message->params[i].raw.data = to + ((uintptr_t)message->params[i].raw.data - from);
    }
}

bool input_detach(struct input *input, struct message *message, void **memory, size_t *size)
{
    struct rest *rest = input->rest;
    size_t left = input->len - input->at;
    if (rest == NULL || message->size <= INPUT_LARGE || left > INPUT_SIZE) {
        return false;
    }
    memcpy(input->shared, input->data + input->at, left);
    *memory = rest;
    *size = sizeof(*rest) + input->at;
    uintptr_t from = (uintptr_t)rest;
    void *shorter = realloc(rest, *size);
    if (shorter != NULL) { /* mostly where it was */
        move_to(message, from, shorter);
        *memory = shorter;
    }
    input->rest = NULL;
    input->data = input->shared;
    input->gone += input->at;
    input->at = 0;
    input->len = left;
    return true;
}

/* True if what is left is long, lies in the connection's own memory already and fills it well. */
static bool may_stay(const struct input *input, size_t left)
{
    return input->rest != NULL && left > INPUT_SHORT && left >= input->rest->cap / 4;
}

static struct rest *keep_long(struct input *input, size_t left)
{
    struct rest *rest = input->rest;
    input->rest = NULL;
    if (input->at > 0) {
        memmove(rest->data, rest->data + input->at, left);
    }
    rest->len = left;
    return rest;
}

int input_close(struct input *input, struct rest **rest)
{
    size_t left = input->len - input->at;
    struct rest *kept = NULL;
    if (may_stay(input, left)) {
        kept = keep_long(input, left);
    } else if (left > 0) {
        kept = rest_new((struct slice){input->data + input->at, left});
    }
    rest_free(input->rest);
    input->rest = NULL;
    if (kept != NULL) {
        kept->begun = input->begun;
        if (input->begun) {
            kept->progress = input->progress;
        }
    }
    *rest = kept;
    return left > 0 && kept == NULL ? ERR_MEMORY : 0;
}
