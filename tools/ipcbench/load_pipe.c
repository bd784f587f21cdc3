/*
 * load_pipe: messages through a pipe of ipcd's, from a process of its own to this one, and the same
 * number of bytes through a bare socket pair: a send(2) for each message, and a recv(2) of all that
 * has come.
 *
 * The two take turns within each run, so that what else the machine does meets both. The time of a
 * turn is from the first message received to the last.
 */
#include "client/ipcclient.h"
#include "tools/ipcbench/cpu.h"
#include "tools/ipcbench/fail.h"
#include "tools/ipcbench/load.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TURNS = 4, BARE_BUFFER = 64 * 1024, PATIENCE_MILLISECONDS = 10000 };

/* One way of sending: through a pipe of the daemon's, or (pipe NULL) bare. */
struct way {
    struct ipcc_pipe *pipe;
    struct ipcc_pipe_end *ends[2]; /* 1 sends and 0 receives, as of a pipe that is not duplex */
    int bare[2];
    uint8_t *bytes; /* to be sent, and bare, room to receive into */
    size_t payload;
    uint64_t count;       /* messages of one turn */
    uint64_t nanoseconds; /* of all turns */
};

static int bare_send(const struct way *way)
{
    for (uint64_t i = 0; i < way->count; i++) {
        size_t sent = 0;
        while (sent < way->payload) {
            ssize_t now = send(way->bare[1], way->bytes + sent, way->payload - sent, MSG_NOSIGNAL);
            if (now < 0) {
                return -1;
            }
            sent += (size_t)now;
        }
    }
    return 0;
}

static int bare_receive(struct way *way)
{
    uint64_t expected = way->count * way->payload;
    size_t room = way->payload > BARE_BUFFER ? way->payload : BARE_BUFFER;
    uint64_t start = 0;
    for (uint64_t received = 0; received < expected;) {
        ssize_t now = recv(way->bare[0], way->bytes, room, 0);
        if (now <= 0) {
            return fail("the bare socket pair ended before its time");
        }
        start = received == 0 ? clock_now() : start;
        received += (uint64_t)now;
    }
    way->nanoseconds += clock_now() - start;
    return 0;
}

static int pipe_send(const struct way *way)
{
    int status = 0;
    for (uint64_t i = 0; status == 0 && i < way->count; i++) {
        status = ipcc_pipe_send_bytes(way->ends[1], way->bytes, way->payload, IPCC_FOREVER);
    }
    return status;
}

static int pipe_receive(struct way *way)
{
    uint64_t start = 0;
    for (uint64_t i = 0; i < way->count; i++) {
        struct ipcc_reply reply;
        if (ipcc_pipe_receive_bytes(way->ends[0], IPCC_FOREVER, &reply) < 0) {
            return fail("the pipe ended before its time: %s", ipcc_last_message());
        }
        start = i == 0 ? clock_now() : start;
        ipcc_reply_free(&reply);
    }
    way->nanoseconds += clock_now() - start;
    return 0;
}

static int open_ends(struct way *way)
{
    way->bare[0] = -1;
    way->bare[1] = -1;
    if (way->pipe == NULL) {
        return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, way->bare) < 0
                   ? fail("no socket pair")
                   : 0;
    }
    return ipcc_pipe_connect(way->pipe, 0, NULL, &way->ends[0]) < 0 ||
                   ipcc_pipe_connect(way->pipe, 1, NULL, &way->ends[1]) < 0
               ? fail("libipcclient: %s", ipcc_last_message())
               : 0;
}

static void close_end(struct way *way, int which)
{
    (void)ipcc_pipe_end_close(way->ends[which]);
    way->ends[which] = NULL;
    if (way->bare[which] >= 0) {
        (void)close(way->bare[which]);
        way->bare[which] = -1;
    }
}

/* Sends in a child and receives here. If the child fails, what comes here is the end. */
static int take_turn(struct way *way)
{
    int status = interrupted() ? fail("interrupted") : open_ends(way);
    pid_t child = status == 0 ? fork() : -1;
    if (child == 0) {
        close_end(way, 0);
        _exit((way->pipe != NULL ? pipe_send(way) : bare_send(way)) == 0 ? 0 : 1);
    }
    close_end(way, 1);
    if (child > 0) {
        status = way->pipe != NULL ? pipe_receive(way) : bare_receive(way);
    }
    close_end(way, 0);
    if (child > 0) {
        (void)waitpid(child, NULL, 0);
    }
    return child < 0 && status == 0 ? fail("no process can be started") : status;
}

static int take_turns(struct trial *trial, struct way *bare, struct way *through)
{
    int status = 0;
    for (int i = 0; status == 0 && i < TURNS; i++) {
        status = take_turn(bare);
        if (status == 0) {
            status = take_turn(through);
        }
    }
    double messages = (double)bare->count * TURNS * 1e9;
    trial->result.figures[FIGURE_RATE] = messages / (double)through->nanoseconds;
    trial->result.figures[FIGURE_BARE] = messages / (double)bare->nanoseconds;
    return status;
}

int load_pipe(struct trial *trial)
{
    struct ipcc_options options = {.path = trial->target->server.socket,
                                   .client = "ipcbench",
                                   .guard_ms = PATIENCE_MILLISECONDS};
    struct ipcc *connection = NULL;
    size_t payload = trial->load->payload;
    struct way bare = {.payload = payload, .count = trial->count / TURNS + 2};
    struct way through = bare;
    bare.bytes = calloc(1, payload > BARE_BUFFER ? payload : BARE_BUFFER);
    through.bytes = bare.bytes;
    int status = bare.bytes == NULL ? fail("out of memory") : 0;
    if (status == 0 && (ipcc_open(&connection, &options) < 0 ||
                        ipcc_pipe_open(connection, NULL, NULL, &through.pipe) < 0)) {
        status = fail("libipcclient: %s", ipcc_last_message());
    }
    if (status == 0) {
        status = take_turns(trial, &bare, &through);
    }
    (void)ipcc_pipe_close(through.pipe);
    (void)ipcc_close(connection);
    free(bare.bytes);
    return status;
}
