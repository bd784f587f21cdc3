/*
 * pipe: see pipe.h.
 *
 * Tests: tests/unit/methods/test_pipe.c.
 */
#include "daemon/objects/pipe.h"

#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

#include "daemon/objects/row_form.h"

enum { ROW_ENDS = 1 };

enum { CATCH_UP_TRIES = 100000 }; /* some 100 ms, in which others are served */

static void drop_pair(struct pipe *pipe)
{
    for (unsigned i = 0; i < PIPE_ENDS; i++) {
        if (pipe->ends[i] != NULL) {
            object_release(&pipe->object, descriptor_cost());
            descriptor_unref(pipe->ends[i]);
            pipe->ends[i] = NULL;
        }
    }
}

static void pipe_release(struct object *object, struct pace *pace)
{
    drop_pair(pipe_of(object));
}

static enum pipe_end look_at(const struct pipe *pipe, unsigned end)
{
    const struct descriptor *descriptor = pipe->ends[end];
    if (descriptor == NULL) {
        return PIPE_END_FREE;
    }
    if (descriptor->fd >= 0) {
        return descriptor->refs > 1 ? PIPE_END_TAKEN : PIPE_END_FREE;
    }
    int open = socket_pair_is_open(&pipe->token, end);
    if (open < 0) {
        return PIPE_END_UNKNOWN;
    }
    return open > 0 ? PIPE_END_TAKEN : PIPE_END_CLOSED;
}

void pipe_look(const struct pipe *pipe, enum pipe_end ends[PIPE_ENDS])
{
    ends[0] = look_at(pipe, 0);
    ends[1] = look_at(pipe, 1);
    if (ends[0] == PIPE_END_CLOSED && ends[1] == PIPE_END_CLOSED) {
        ends[0] = PIPE_END_FREE;
        ends[1] = PIPE_END_FREE;
    }
}

static bool is_with_somebody(enum pipe_end end)
{
    return end == PIPE_END_TAKEN || end == PIPE_END_UNKNOWN;
}

static size_t pipe_describe(const struct object *object, struct buffer *out, uint64_t now)
{
    static const char *const words[] = {[PIPE_END_FREE] = "free",
                                        [PIPE_END_TAKEN] = "taken",
                                        [PIPE_END_CLOSED] = "closed",
                                        [PIPE_END_UNKNOWN] = "taken"};
    const struct pipe *pipe = (const struct pipe *)object;
    enum pipe_end ends[PIPE_ENDS];
    pipe_look(pipe, ends);
    pack_key_bool(out, "duplex", pipe->duplex);
    pack_key_bool(out, "connected", is_with_somebody(ends[0]) && is_with_somebody(ends[1]));
    pack_string(out, "ends");
    pack_array(out, PIPE_ENDS);
    pack_string(out, words[ends[0]]);
    pack_string(out, words[ends[1]]);
    return 3;
}

static unsigned pipe_descriptors(const struct object *object,
                                 struct descriptor *out[OBJECT_DESCRIPTORS])
{
    const struct pipe *pipe = (const struct pipe *)object;
    unsigned count = 0;
    for (unsigned i = 0; i < PIPE_ENDS; i++) {
        if (pipe->ends[i] != NULL) {
            out[count++] = pipe->ends[i];
        }
    }
    return count;
}

static void pipe_save_options(const struct object *object, struct buffer *out)
{
    const struct pipe *pipe = (const struct pipe *)object;
    pack_bool(out, pipe->duplex);
    pack_bin(out, (struct slice){pipe->token.bytes, SOCKET_TOKEN_SIZE});
}

/* The descriptors, which only those can find again who take this daemon's place. */
static int pipe_save(struct object *object, enum rows which, const struct row_writer *out,
                     const struct moment *now)
{
    const struct pipe *pipe = pipe_of(object);
    struct buffer value = {0};
    struct row_key key;
    if (pipe->ends[0] == NULL) {
        return 0;
    }
    row_begin(&value);
    for (unsigned i = 0; i < PIPE_ENDS; i++) {
        pack_uint(&value, out->descriptor(out->data, pipe->ends[i]));
    }
    int status = row_put(out, row_key(&key, ROW_ENDS, 0), &value);
    buffer_deinit(&value);
    return status;
}

static int pipe_make(const struct object_options *common, struct row *row, struct object **out)
{
    struct pipe *pipe;
    bool duplex = row_bool(row);
    struct slice token = row_bytes(row);
    row->bad = row->bad || token.len != SOCKET_TOKEN_SIZE;
    int status = row_close(row, "a pipe");
    status = status < 0 ? status : pipe_new(common, duplex, &pipe);
    if (status == 0) {
        memcpy(pipe->token.bytes, token.data, SOCKET_TOKEN_SIZE);
        *out = &pipe->object;
    }
    return status;
}

static int pipe_load(struct object *object, struct slice key, struct slice value,
                     struct row_reader *reader)
{
    struct pipe *pipe = pipe_of(object);
    struct row row;
    if (!row_open(&row, value, reader, "a pipe")) {
        return ERR_VALUE;
    }
    for (unsigned i = 0; i < PIPE_ENDS && pipe->ends[i] == NULL; i++) {
        pipe->ends[i] = row_descriptor(&row);
        if (pipe->ends[i] != NULL) {
            object_charge_always(object, descriptor_cost());
        }
    }
    return row_close(&row, "a pipe");
}

const struct object_type pipe_type = {
    .kind = OBJECT_PIPE,
    .size = sizeof(struct pipe),
    .clear = pipe_release,
    .describe = pipe_describe,
    .descriptors = pipe_descriptors,
    .save_options = pipe_save_options,
    .make = pipe_make,
    .save = pipe_save,
    .load = pipe_load,
};

int pipe_new(const struct object_options *common, bool duplex, struct pipe **out)
{
    struct pipe *pipe = calloc(1, sizeof(*pipe));
    if (pipe == NULL) {
        return ERR_MEMORY;
    }
    int status = object_init(&pipe->object, &pipe_type, common);
    if (status < 0) {
        free(pipe);
        return status;
    }
    pipe->duplex = duplex;
    *out = pipe;
    return 0;
}

/* Takes over both sockets of a pair, or closes them. */
static int adopt_pair(struct user *user, const int fds[PIPE_ENDS],
                      struct descriptor *ends[PIPE_ENDS])
{
    int status = descriptor_new(user, fds[0], &ends[0]);
    if (status < 0) {
        (void)close(fds[0]);
        (void)close(fds[1]);
        return status;
    }
    status = descriptor_new(user, fds[1], &ends[1]);
    if (status < 0) {
        (void)close(fds[1]);
        descriptor_unref(ends[0]);
    }
    return status;
}

/* Another pair in place of what is there. Nothing has changed if it fails. */
static int make_pair(struct pipe *pipe)
{
    struct descriptor *ends[PIPE_ENDS];
    struct socket_token token;
    int fds[PIPE_ENDS];
    int status = object_charge(&pipe->object, PIPE_ENDS * descriptor_cost());
    if (status < 0) {
        return status;
    }
    status = socket_pair_new(pipe->duplex, fds, &token);
    if (status == 0) {
        status = adopt_pair(pipe->object.user, fds, ends);
    }
    if (status < 0) {
        object_release(&pipe->object, PIPE_ENDS * descriptor_cost());
        return status;
    }
    drop_pair(pipe);
    for (unsigned i = 0; i < PIPE_ENDS; i++) {
        ends[i]->moves = true;
        pipe->ends[i] = ends[i];
    }
    pipe->token = token;
    return 0;
}

void pipe_catch_up(const struct pipe *pipe, struct pace *pace)
{
    for (unsigned i = 0; i < CATCH_UP_TRIES && user_is_closing(pipe->object.user); i++) {
        (void)sched_yield();
        pace_step(pace, PACE_STRETCH);
    }
}

int pipe_connect(struct pipe *pipe, unsigned end, struct descriptor **out, unsigned *taken)
{
    enum pipe_end ends[PIPE_ENDS];
    pipe_look(pipe, ends);
    if (end == PIPE_ENDS) {
        end = ends[0] == PIPE_END_FREE ? 0 : 1;
    }
    if (ends[end] != PIPE_END_FREE) {
        /* Had the system told of both, they might be free. */
        return ends[0] == PIPE_END_UNKNOWN || ends[1] == PIPE_END_UNKNOWN ? ERR_MEMORY : ERR_EXISTS;
    }
    if (pipe->ends[end] == NULL || pipe->ends[end]->fd < 0) {
        int status = make_pair(pipe);
        if (status < 0) {
            return status;
        }
    }
    *out = pipe->ends[end];
    *taken = end;
    return 0;
}
