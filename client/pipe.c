/*
 * pipe: a function for each row of the method table that begins with "pipe". What can be done with
 * an end is in pipe_end.c and pipe_receive.c.
 *
 * Tests: tests/system/test_client_pipe.c.
 */
#include "client/handle.h"

#include <unistd.h>

static const struct handle *of(const struct ipcc_pipe *pipe)
{
    return pipe != NULL ? &pipe->handle : NULL;
}

int ipcc_pipe_open(struct ipcc *conn, const char *name, const struct ipcc_pipe_options *options,
                   struct ipcc_pipe **pipe)
{
    struct option_map map = {.count = 0};
    int status = options != NULL ? option_open(&map, &options->open) : 0;
    if (status == 0 && options != NULL) {
        option_value(&map, "duplex", options->one_way ? ipcc_bool(false) : ipcc_none());
        status = CHECK_RESERVED(options);
    }
    return status < 0 ? status : handle_open(conn, "pipe.open", name, &map, (struct handle **)pipe);
}

int ipcc_pipe_close(struct ipcc_pipe *pipe)
{
    return handle_close((struct handle *)pipe);
}

const char *ipcc_pipe_name(const struct ipcc_pipe *pipe)
{
    return pipe != NULL ? pipe->handle.name : NULL;
}

/* Whether the pipe is duplex: only its description says. */
static int ask_duplex(const struct ipcc_pipe *pipe, bool *duplex)
{
    struct ipcc_reply reply;
    struct ipcc_value value;
    int status =
        handle_call_reply(of(pipe), &(struct typed_call){.method = "object.describe"}, &reply);
    if (status < 0) {
        return status;
    }
    if (ipcc_map_get(&reply.value, "duplex", &value) < 0 || value.kind != IPCC_BOOL) {
        return wrong_answer("object.describe", "the description of a pipe", &reply);
    }
    *duplex = value.as.boolean;
    ipcc_reply_free(&reply);
    return 0;
}

/* Takes an end: its socket and its number. */
static int take_end(const struct ipcc_pipe *pipe, int number, int *fd, int64_t *taken)
{
    struct ipcc_value wanted = number == IPCC_ANY_END ? ipcc_none() : ipcc_int(number);
    struct typed_call call = {"pipe.connect", {wanted}, 0};
    struct ipcc_value socket;
    struct ipcc_value end;
    struct ipcc_reply reply;
    int status = handle_call_reply(of(pipe), &call, &reply);
    if (status < 0) {
        return status;
    }
    struct ipcc_walk walk = ipcc_walk_of(&reply.value);
    if (!ipcc_walk_next(&walk, &socket) || !ipcc_walk_next(&walk, &end) ||
        ipcc_value_int(&end, taken) < 0 || (*fd = ipcc_reply_take_fd(&reply, &socket)) < 0) {
        return wrong_answer(call.method, "a descriptor and the number of an end", &reply);
    }
    ipcc_reply_free(&reply);
    return 0;
}

int ipcc_pipe_connect(struct ipcc_pipe *pipe, int number,
                      const struct ipcc_pipe_end_options *options, struct ipcc_pipe_end **end)
{
    struct ipcc_pipe_end_options given = {0};
    bool duplex = false;
    int64_t taken = 0;
    int fd = -1;
    if (end == NULL) {
        return error_set(IPCC_ERR_ARGUMENT, "pipe.connect needs a place for the end");
    }
    if (options != NULL) {
        given = *options;
    }
    if (given.direction != IPCC_BOTH_WAYS) {
        return error_set(IPCC_ERR_ARGUMENT,
                         "pipe.connect knows the direction by itself: leave it IPCC_BOTH_WAYS");
    }
    int status = CHECK_RESERVED(&given);
    status = status < 0 ? status : ask_duplex(pipe, &duplex);
    status = status < 0 ? status : take_end(pipe, number, &fd, &taken);
    if (status < 0) {
        return status;
    }
    if (!duplex) {
        given.direction = taken == 0 ? IPCC_RECEIVE_ONLY : IPCC_SEND_ONLY;
    }
    status = ipcc_pipe_end_open(fd, &given, end);
    if (status < 0) {
        (void)close(fd);
    }
    return status;
}
