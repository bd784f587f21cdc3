/* caller: see caller.h. */
#include "tools/ipcbench/caller.h"
#include "tools/ipcbench/cpu.h"
#include "tools/ipcbench/fail.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    INPUT_FIRST = 64 * 1024,
    LOOK_MILLISECONDS = 200, /* how long it sleeps before it looks at the clock and for signals */
    GONE_NANOSECONDS = 2000000,
};

static void expect_message(struct caller *caller)
{
    scan_init(&caller->scan, SCAN_DEPTH_MAX, UINT32_MAX);
}

int caller_open(struct caller *caller, const struct target *target, uint64_t deadline)
{
    struct buffer hello = {0};
    *caller = (struct caller){.target = target, .deadline = deadline, .capacity = INPUT_FIRST};
    expect_message(caller);
    caller->fd = server_connect(target->server.socket);
    caller->input = malloc(caller->capacity);
    if (caller->fd < 0) {
        return fail("no connection to %s at %s: %s", target->plan.name, target->server.socket,
                    strerror(errno));
    }
    message_request(&hello, 0, slice_of_string("server.hello"), 1);
    pack_map(&hello, 1);
    pack_key_string(&hello, "client", "ipcbench");
    int status = hello.failed || caller->input == NULL ? fail("out of memory") : 0;
    if (status == 0) {
        status = caller_exchange(caller, buffer_slice(&hello), 1, NULL);
    }
    if (status == 0) {
        status = caller_number(caller, "session", &caller->session);
    }
    buffer_deinit(&hello);
    return status;
}

void caller_close(struct caller *caller)
{
    if (caller->fd >= 0) {
        (void)close(caller->fd);
    }
    free(caller->input);
    *caller = (struct caller){.fd = -1};
}

static int lost(const struct caller *caller)
{
    return fail("the connection to %s is lost: %s", caller->target->plan.name, strerror(errno));
}

static int send_some(const struct caller *caller, struct slice *bytes)
{
    ssize_t sent = send(caller->fd, bytes->data, bytes->len, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0) {
        return errno == EAGAIN || errno == EINTR ? 0 : lost(caller);
    }
    *bytes = slice_from(*bytes, (size_t)sent);
    return 0;
}

/* Before more is read: what has been used goes, and there is room. */
static int make_room(struct caller *caller)
{
    memmove(caller->input, caller->input + caller->used, caller->have - caller->used);
    caller->have -= caller->used;
    caller->used = 0;
    if (caller->have < caller->capacity) {
        return 0;
    }
    uint8_t *input = realloc(caller->input, caller->capacity * 2);
    if (input == NULL) {
        return fail("out of memory");
    }
    caller->input = input;
    caller->capacity *= 2;
    return 0;
}

static int receive_some(struct caller *caller)
{
    int status = make_room(caller);
    if (status < 0) {
        return status;
    }
    ssize_t got = recv(caller->fd, caller->input + caller->have, caller->capacity - caller->have,
                       MSG_DONTWAIT);
    if (got == 0) {
        return fail("%s has closed the connection", caller->target->plan.name);
    }
    if (got < 0) {
        return errno == EAGAIN || errno == EINTR ? 0 : lost(caller);
    }
    caller->have += (size_t)got;
    return 0;
}

/* The bytes of a str or bin at the start of a whole value; of another kind none. */
static struct slice text_of(const struct param *value)
{
    return (struct slice){value->raw.data + value->header.size, value->header.length};
}

/* [code, text, …] of an error response, which must be the one that is expected. */
static int check_error(struct caller *caller, const struct param *error, const char *expected)
{
    struct slice rest = slice_from(error->raw, error->header.size);
    struct param code = value_next(&rest);
    struct param text = value_next(&rest);
    caller->error = text_of(&code);
    if (expected != NULL && slice_equal(caller->error, slice_of_string(expected))) {
        return 0;
    }
    return fail("%s has answered %.*s: %.*s", caller->target->plan.name, (int)caller->error.len,
                (const char *)caller->error.data, (int)text_of(&text).len,
                (const char *)text_of(&text).data);
}

/* One whole message of an array's header and what follows. Notifications do not count, but for a
 * goodbye, which is an error. */
static int take_message(struct caller *caller, struct slice message, const char *expected,
                        uint64_t *responses)
{
    struct header header;
    (void)header_read(message.data, message.len, &header);
    struct slice rest = slice_from(message, header.size);
    if (header.kind != KIND_ARRAY || header.count < 3) {
        return fail("what %s sends is no message", caller->target->plan.name);
    }
    (void)value_next(&rest);
    struct param second = value_next(&rest);
    struct param third = value_next(&rest);
    if (header.count == 3) {
        return slice_equal(text_of(&second), slice_of_string("goodbye")) &&
                       third.header.kind == KIND_ARRAY
                   ? check_error(caller, &third, NULL)
                   : 0;
    }
    caller->error = (struct slice){0};
    caller->result = rest;
    --*responses;
    return third.header.kind == KIND_ARRAY ? check_error(caller, &third, expected) : 0;
}

static int take_messages(struct caller *caller, const char *expected, uint64_t *responses)
{
    while (*responses > 0 && caller->used < caller->have) {
        const uint8_t *data = caller->input + caller->used;
        int status = scan_run(&caller->scan, data, caller->have - caller->used);
        if (status == SCAN_MORE) {
            return 0;
        }
        if (status < 0) {
            return fail("what %s sends is not MessagePack", caller->target->plan.name);
        }
        struct slice message = {data, caller->scan.at};
        caller->used += message.len;
        expect_message(caller);
        status = take_message(caller, message, expected, responses);
        if (status < 0) {
            return status;
        }
    }
    return 0;
}

int caller_exchange(struct caller *caller, struct slice bytes, uint64_t responses,
                    const char *error)
{
    int status = take_messages(caller, error, &responses);
    while (status == 0 && (bytes.len > 0 || responses > 0)) {
        struct pollfd ready = {.fd = caller->fd,
                               .events = (short)(bytes.len > 0 ? POLLIN | POLLOUT : POLLIN)};
        (void)poll(&ready, 1, LOOK_MILLISECONDS);
        if (interrupted()) {
            return fail("interrupted");
        }
        if (clock_now() >= caller->deadline) {
            return CALLER_GIVEN_UP;
        }
        if (ready.revents & POLLOUT) {
            status = send_some(caller, &bytes);
        }
        if (status == 0 && (ready.revents & ~POLLOUT)) {
            status = receive_some(caller);
        }
        if (status == 0) {
            status = take_messages(caller, error, &responses);
        }
    }
    return status;
}

static bool is_number(const struct param *value)
{
    return value->header.kind == KIND_INT && value->header.i >= 0;
}

int caller_number(const struct caller *caller, const char *key, uint64_t *out)
{
    struct slice rest = caller->result;
    struct param value = {0};
    if (rest.len > 0) {
        value = value_next(&rest);
    }
    if (key != NULL && value.header.kind == KIND_MAP) {
        uint32_t pairs = value.header.count;
        rest = slice_from(value.raw, value.header.size);
        value = (struct param){0};
        for (uint32_t i = 0; i < pairs; i++) {
            struct param name = value_next(&rest);
            struct param found = value_next(&rest);
            value = slice_equal(text_of(&name), slice_of_string(key)) ? found : value;
        }
    }
    if (!is_number(&value)) {
        return fail("%s has answered without the number %s", caller->target->plan.name,
                    key != NULL ? key : "that was asked for");
    }
    *out = (uint64_t)value.header.i;
    return 0;
}

int caller_wait_gone(struct caller *caller, uint64_t session)
{
    struct buffer request = {0};
    message_request(&request, 0, slice_of_string("session.describe"), 1);
    pack_uint(&request, session);
    int status = request.failed ? fail("out of memory") : 0;
    while (status == 0) {
        status = caller_exchange(caller, buffer_slice(&request), 1, "NOT_FOUND");
        if (status == 0 && caller->error.len > 0) {
            break;
        }
        clock_sleep(GONE_NANOSECONDS);
    }
    buffer_deinit(&request);
    return status;
}
