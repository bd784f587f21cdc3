/*
 * storm: random calls to a daemon that runs.
 *
 *   storm SOCKET SEED CALLS
 *
 * Three sessions send so many calls of all methods (program.h) without waiting for each answer; now
 * and then one of them goes and comes again. Every answer must be one to a call, and none may tell
 * of a fault of the daemon's or the engine's functions; at the end each session is still served.
 * Exits with 1 if not.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon/call/index.h"
#include "proto/message.h"
#include "proto/pack.h"
#include "tests/fuzz/program.h"

enum { SESSIONS = 3, CHOICES = 512, READ_SIZE = 65536, PATIENCE_MS = 60000, LAST_CALL = 1 };

struct actor {
    int fd;
    struct buffer received;
    bool is_served; /* the last call has been answered */
};

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static void give_up(const char *why)
{
    (void)fprintf(stderr, "storm: %s\n", why);
    exit(1);
}

static void come(struct actor *actor, const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    actor->received.len = 0;
    actor->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (actor->fd < 0 || connect(actor->fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
        give_up("the daemon is not there");
    }
}

static bool contains(struct slice text, const char *words)
{
    return text.len > 0 && memmem(text.data, text.len, words, strlen(words)) != NULL;
}

/* The messages that have come whole. */
static void look_at_messages(struct actor *actor)
{
    struct message message;
    int status;
    while ((status = message_decode(actor->received.data, actor->received.len, SCAN_DEPTH_MAX,
                                    SIZE_MAX, &message)) == 0) {
        struct slice whole = {actor->received.data, message.size};
        if (contains(whole, "a fault of the functions' own") || contains(whole, "INTERNAL")) {
            (void)fwrite(whole.data, 1, whole.len, stderr);
            give_up(": the answer tells of a fault");
        }
        actor->is_served |= message.type == MESSAGE_RESPONSE && message.msgid == LAST_CALL;
        buffer_consume(&actor->received, message.size);
    }
    if (status != MESSAGE_MORE) {
        give_up("what came is no message");
    }
}

/* Reads what is there. False: the connection was ended. */
static bool read_some(struct actor *actor)
{
    static uint8_t bytes[READ_SIZE];
    ssize_t count = recv(actor->fd, bytes, sizeof(bytes), MSG_DONTWAIT);
    if (count == 0 || (count < 0 && errno != EAGAIN)) {
        return false;
    }
    if (count > 0) {
        (void)buffer_append(&actor->received, bytes, (size_t)count);
        look_at_messages(actor);
    }
    return true;
}

static bool wait_for(struct actor *actor, short events)
{
    struct pollfd poll_fd = {.fd = actor->fd, .events = events};
    if (poll(&poll_fd, 1, PATIENCE_MS) != 1) {
        give_up("the daemon does not answer any more");
    }
    return (poll_fd.revents & POLLIN) == 0 || read_some(actor);
}

/* Sends bytes while it reads. False: the connection was ended. */
static bool send_all(struct actor *actor, struct slice bytes)
{
    while (bytes.len > 0) {
        ssize_t count = send(actor->fd, bytes.data, bytes.len, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (count < 0 && errno != EAGAIN) {
            return false;
        }
        if (count > 0) {
            bytes = slice_from(bytes, (size_t)count);
        } else if (!wait_for(actor, POLLIN | POLLOUT)) {
            return false;
        }
    }
    return read_some(actor);
}

/* One call; the daemon is not to be exchanged for another. */
static void pack_some_call(struct buffer *out, uint64_t *state, uint32_t msgid)
{
    uint8_t choices[CHOICES];
    do {
        for (size_t i = 0; i < sizeof(choices); i++) {
            choices[i] = (uint8_t)(next_random(state) >> 32);
        }
        struct program program = {choices, sizeof(choices)};
        out->len = 0;
        pack_array(out, 4);
        pack_int(out, 0);
        pack_uint(out, msgid);
        program_call(out, &program, 2);
    } while (contains(buffer_slice(out), "server.upgrade"));
}

static void pack_last_call(struct buffer *out)
{
    out->len = 0;
    pack_array(out, 4);
    pack_int(out, 0);
    pack_int(out, LAST_CALL);
    pack_string(out, "server.ping");
    pack_array(out, 0);
}

int main(int argc, char **argv)
{
    struct actor actors[SESSIONS] = {{0}};
    struct buffer out = {0};
    if (argc != 4) {
        give_up("usage: storm SOCKET SEED CALLS");
    }
    uint64_t state = strtoull(argv[2], NULL, 10) * UINT64_C(0x9E3779B97F4A7C15) + 1;
    unsigned long calls = strtoul(argv[3], NULL, 10);
    for (int i = 0; i < SESSIONS; i++) {
        come(&actors[i], argv[1]);
    }
    for (uint32_t n = 0; n < calls; n++) {
        struct actor *actor = &actors[next_random(&state) % SESSIONS];
        pack_some_call(&out, &state, n + LAST_CALL + 1);
        bool goes = next_random(&state) % 1000 == 0;
        if (!send_all(actor, buffer_slice(&out)) || goes) {
            (void)close(actor->fd);
            come(actor, argv[1]);
        }
    }
    pack_last_call(&out);
    for (int i = 0; i < SESSIONS; i++) {
        while (!actors[i].is_served) {
            bool is_there = send_all(&actors[i], buffer_slice(&out));
            while (is_there && !actors[i].is_served) {
                is_there = wait_for(&actors[i], POLLIN);
            }
            if (!is_there) {
                (void)close(actors[i].fd);
                come(&actors[i], argv[1]);
            }
        }
        (void)close(actors[i].fd);
        buffer_deinit(&actors[i].received);
    }
    buffer_deinit(&out);
    return 0;
}
