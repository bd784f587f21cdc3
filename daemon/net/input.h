/*
 * input: the bytes that have come from one peer and are to be run, and what is kept of them.
 *
 * There is one struct input in a daemon. While the event of a connection is handled it shows a
 * window of that connection's stream: the rest that was left the last time, if there was one, and
 * what has come since. Messages are taken from its front, in place. What is left at the end (an
 * incomplete message, or messages that must wait because the peer does not read its answers) goes
 * into a struct rest that belongs to the connection; a connection with nothing left owns no memory.
 *
 * A short rest is copied in front of what comes next; a long one stays where it is and is read into
 * directly, its memory doubling as bytes come. No length in a message makes anything be allocated.
 * A message that is not whole is decoded on from where that stopped, so each byte of it is looked
 * at a fixed number of times, however small the pieces.
 *
 * No socket here: whoever uses it puts bytes into the window (input_space, input_filled).
 */
#pragma once

#include "proto/message.h"

enum {
    INPUT_SIZE = 256 * 1024,  /* of the window that all connections share */
    INPUT_SHORT = 16 * 1024,  /* a longer rest is not copied */
    INPUT_LARGE = 512 * 1024, /* a message that is longer can be detached */
};

/* What a connection keeps of its input. */
struct rest {
    size_t len;
    size_t cap;
    bool begun;                       /* it begins with a message that is not whole, */
    struct message_progress progress; /* of which so much is decoded; valid if begun */
    uint8_t data[];
};

struct input {
    uint8_t *shared;   /* owned, INPUT_SIZE bytes */
    struct rest *rest; /* owned while the window is open: the window lies in it; or NULL */
    uint8_t *data;     /* the window */
    size_t len;
    size_t at;   /* where the next message begins */
    size_t gone; /* bytes that were in the window before its first, in front of a message whose
                    memory was detached */
    bool begun;
    struct message_progress progress;
};

/* 0, or ERR_MEMORY for want of memory. */
int input_init(struct input *input);
void input_deinit(struct input *input);

/* Opens the window on a connection's rest (*rest may be NULL), with room for more behind it. It
 * takes the rest over and sets *rest to NULL. 0, or ERR_MEMORY for want of memory: then nothing
 * has changed and the window is not open. */
int input_open(struct input *input, struct rest **rest);

/* Where bytes that come may be put, and how many: at least one. */
static inline uint8_t *input_space(const struct input *input, size_t *room)
{
    size_t cap = input->rest != NULL ? input->rest->cap : INPUT_SIZE;
    *room = cap - input->len;
    return input->data + input->len;
}

/* That many bytes have been put there. */
static inline void input_filled(struct input *input, size_t len)
{
    input->len += len;
}

/* Takes the next message out of the window. 0 with *out set, valid while the window is open;
 * MESSAGE_MORE: there is no whole one; ERR_BAD_REQUEST or ERR_TOO_LARGE: there never will be. */
int input_next(struct input *input, size_t max_size, struct message *out);

/* The message that was just taken is large (INPUT_LARGE): lets go of the memory in which it lies,
 * if it has some of its own, so that it stays valid as long as whoever calls this likes. That is
 * *memory, of *size bytes, to be freed with free(3); what is not needed of it is given back.
 * False: it has none. */
bool input_detach(struct input *input, struct message *message, void **memory, size_t *size);

/* Where the next message begins, counted from what the window began with. */
static inline size_t input_position(const struct input *input)
{
    return input->gone + input->at;
}

/* Closes the window: what has not been taken goes into *rest, which is NULL if nothing is left.
 * 0, or ERR_MEMORY for want of memory: what was left is lost. */
int input_close(struct input *input, struct rest **rest);

/* A rest with those bytes, or NULL for want of memory. */
struct rest *rest_new(struct slice bytes);
void rest_free(struct rest *rest); /* NULL is allowed */
/* What it costs in memory: the figure that is charged. */
size_t rest_cost(const struct rest *rest);
