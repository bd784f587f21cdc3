/* Threads that call, for the tests of many on one connection. */
#pragma once

#include "tests/unit/client/client_test.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "client/connection.h"

/* One thread: a call with a number of its own, which the answer must give back. */
struct caller {
    pthread_t thread;
    struct ipcc *conn;
    int64_t number;
    int status;
    bool wrong;
    int rounds;
    size_t payload;
    int64_t guard_ms;
    char message[128];
};

static inline void *call_rounds(void *data)
{
    struct caller *caller = data;
    void *bytes = calloc(1, caller->payload + 1);
    for (int i = 0; i < caller->rounds && caller->status == 0; i++) {
        struct ipcc_reply reply;
        int64_t number = caller->number * 1000 + i;
        struct ipcc_value params[] = {ipcc_int(number), ipcc_bin(bytes, caller->payload)};
        struct ipcc_request request = {
            .method = "a.a", .params = params, .nparams = 2, .guard_ms = caller->guard_ms};
        caller->status = ipcc_call_request(caller->conn, &request, &reply);
        caller->wrong |= caller->status == 0 && reply.value.as.integer != number;
        ipcc_reply_free(&reply);
    }
    if (caller->status < 0) {
        (void)snprintf(caller->message, sizeof(caller->message), "%s", ipcc_last_message());
    }
    free(bytes);
    return NULL;
}

static inline void start_callers(struct caller *callers, size_t count, const struct caller *model)
{
    for (size_t i = 0; i < count; i++) {
        callers[i] = *model;
        callers[i].number = (int64_t)i;
        assert_int_equal(pthread_create(&callers[i].thread, NULL, call_rounds, &callers[i]), 0);
    }
}

static inline void join_callers(struct caller *callers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(pthread_join(callers[i].thread, NULL), 0);
        assert_false(callers[i].wrong);
    }
}

/* Waits until a thread is in a receive that only input ends, or another one waits for room. */
static inline void await_receiver(struct ipcc *conn, bool and_flusher)
{
    bool there = false;
    while (!there) {
        (void)pthread_mutex_lock(&conn->lock);
        there = conn->reader.receiving && (!and_flusher || conn->reader.flusher != NULL);
        (void)pthread_mutex_unlock(&conn->lock);
    }
}

/* Waits until a thread sleeps as a follower. */
static inline void await_waiters(struct ipcc *conn)
{
    bool there = false;
    while (!there) {
        (void)pthread_mutex_lock(&conn->lock);
        there = !TAILQ_EMPTY(&conn->reader.waiters);
        (void)pthread_mutex_unlock(&conn->lock);
    }
}

static inline void start_caller(struct caller *caller)
{
    assert_int_equal(pthread_create(&caller->thread, NULL, call_rounds, caller), 0);
}

static inline void answer_number(struct fake *fake, uint32_t msgid, int64_t number)
{
    fake_send(fake, "[1, %u, nil, %lld]", msgid, (long long)number);
}
