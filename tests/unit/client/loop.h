/* An event loop of the tests' own, and callbacks that keep what they were told. */
#pragma once

#include "tests/unit/client/client_test.h"

#include <poll.h>
#include <stdio.h>

/* What a callback was told. */
struct outcome {
    unsigned count;
    int status;
    int64_t integer;
    char message[128];
    unsigned order; /* the how many-th callback of the test it was */
};

/* How many callbacks of `keep` there were. */
static unsigned callbacks;

static inline void keep(struct ipcc *conn, int status, const struct ipcc_reply *reply, void *data)
{
    struct outcome *outcome = data;
    outcome->count++;
    outcome->status = status;
    outcome->order = ++callbacks;
    if (status < 0) {
        (void)snprintf(outcome->message, sizeof(outcome->message), "%s", ipcc_last_message());
    } else if (reply->value.kind == IPCC_INT) {
        outcome->integer = reply->value.as.integer;
    }
}

/* One turn of an event loop. */
static inline int turn(struct ipcc *conn)
{
    struct pollfd ready = {.fd = ipcc_fd(conn), .events = (short)ipcc_events(conn)};
    int count = poll(&ready, 1, ipcc_next_timeout(conn));
    assert_true(count >= 0);
    return ipcc_process(conn, count > 0 ? ready.revents : 0);
}

static inline void run_until(struct ipcc *conn, const struct outcome *outcome)
{
    while (outcome->count == 0) {
        (void)turn(conn);
    }
}

static inline int start(struct ipcc *conn, const char *method, struct outcome *outcome,
                        ipcc_call_id *id)
{
    struct ipcc_request request = {.method = method};
    return ipcc_call_async(conn, &request, keep, outcome, id);
}

static inline struct ipcc *open_async(struct fake_server *server, fake_script *script,
                                      const void *data)
{
    struct ipcc *conn = NULL;
    *server = fake_server_start(script, data);
    assert_ok(ipcc_open_async(&conn, &(struct ipcc_options){.path = server->path}));
    callbacks = 0;
    return conn;
}
