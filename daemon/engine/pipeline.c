/* pipeline: see pipeline.h. Tests: tests/unit/engine/test_node.c. */
#include "daemon/engine/pipeline.h"

#include <stdlib.h>

#include "daemon/engine/clock.h"
#include "daemon/engine/command.h"
#include "proto/error.h"

enum {
    CAPACITY_LEAST = 16,
};

struct expected {
    pipeline_done *done;
    void *data;
    uint64_t since; /* clock_ms from which on the server is late */
};

static void drop(void *data, struct redisReply *reply)
{
    reader_free_reply(reply);
}

static struct expected take_first(struct pipeline *pipeline)
{
    struct expected first = pipeline->expected[pipeline->first];
    pipeline->first = (pipeline->first + 1) & (pipeline->capacity - 1);
    pipeline->count--;
    return first;
}

static struct expected *at(const struct pipeline *pipeline, size_t index)
{
    return &pipeline->expected[(pipeline->first + index) & (pipeline->capacity - 1)];
}

static void on_ready(void *data)
{
    struct pipeline *pipeline = data;
    pipeline->listener.ready(pipeline->listener.data);
}

static void on_reply(void *data, struct redisReply *reply)
{
    struct pipeline *pipeline = data;
    const struct pipeline_listener *listener = &pipeline->listener;
    if (listener->message != NULL && listener->message(listener->data, reply)) {
        return;
    }
    if (pipeline->count == 0) {
        reader_free_reply(reply);
        link_fail(&pipeline->link, "it has sent a reply that nobody asked for");
        return;
    }
    struct expected first = take_first(pipeline);
    first.done(first.data, reply);
}

static void tell_all(struct pipeline *pipeline)
{
    while (pipeline->count > 0) {
        struct expected first = take_first(pipeline);
        first.done(first.data, NULL);
    }
}

static void on_lost(void *data, bool was_ready)
{
    struct pipeline *pipeline = data;
    tell_all(pipeline);
    pipeline->listener.lost(pipeline->listener.data, was_ready);
}

static uint64_t owed(void *data)
{
    struct pipeline *pipeline = data;
    if (pipeline->listener.pulse != NULL) {
        pipeline->listener.pulse(pipeline->listener.data);
    }
    return pipeline->count == 0 ? UINT64_MAX : at(pipeline, 0)->since;
}

int pipeline_init(struct pipeline *pipeline, struct link_settings *settings,
                  const struct dial_address *address, const struct pipeline_listener *listener)
{
    *pipeline = (struct pipeline){.listener = *listener, .capacity = CAPACITY_LEAST};
    pipeline->expected = calloc(CAPACITY_LEAST, sizeof(*pipeline->expected));
    if (pipeline->expected == NULL) {
        return ERR_MEMORY;
    }
    struct link_listener ours = {on_ready, on_reply, on_lost, owed, pipeline};
    if (link_init(&pipeline->link, settings, address, &ours) < 0) {
        free(pipeline->expected);
        return ERR_MEMORY;
    }
    return 0;
}

void pipeline_deinit(struct pipeline *pipeline)
{
    link_deinit(&pipeline->link);
    free(pipeline->expected);
    *pipeline = (struct pipeline){0};
}

void pipeline_want(struct pipeline *pipeline, bool wanted)
{
    link_want(&pipeline->link, wanted);
    if (!wanted) {
        tell_all(pipeline);
    }
}

bool pipeline_is_ready(const struct pipeline *pipeline)
{
    return pipeline->link.state == LINK_READY;
}

static int make_room(struct pipeline *pipeline)
{
    if (pipeline->count < pipeline->capacity) {
        return 0;
    }
    struct expected *larger = calloc(pipeline->capacity * 2, sizeof(*larger));
    if (larger == NULL) {
        return ERR_MEMORY;
    }
    for (size_t i = 0; i < pipeline->count; i++) {
        larger[i] = *at(pipeline, i);
    }
    free(pipeline->expected);
    pipeline->expected = larger;
    pipeline->first = 0;
    pipeline->capacity *= 2;
    return 0;
}

int pipeline_send(struct pipeline *pipeline, struct slice command, uint64_t patience_ms,
                  pipeline_done *done, void *data)
{
    if (make_room(pipeline) < 0 || link_write(&pipeline->link, command) < 0) {
        return ERR_MEMORY;
    }
    uint64_t now = clock_ms();
    uint64_t since = patience_ms > UINT64_MAX - 1 - now ? UINT64_MAX - 1 : now + patience_ms;
    *at(pipeline, pipeline->count) = (struct expected){done, data, since};
    pipeline->count++;
    return 0;
}

int pipeline_command(struct pipeline *pipeline, size_t argc, const char *const *words,
                     pipeline_done *done, void *data)
{
    struct slice argv[8];
    struct buffer bytes = {0};
    for (size_t i = 0; i < argc; i++) {
        argv[i] = slice_of_string(words[i]);
    }
    command_print(&bytes, argc, argv);
    int status =
        bytes.failed ? ERR_MEMORY : pipeline_send(pipeline, buffer_slice(&bytes), 0, done, data);
    buffer_deinit(&bytes);
    return status;
}

void pipeline_forget(struct pipeline *pipeline, const void *data)
{
    for (size_t i = 0; i < pipeline->count; i++) {
        if (at(pipeline, i)->data == data) {
            at(pipeline, i)->done = drop;
            at(pipeline, i)->data = NULL;
        }
    }
}

bool pipeline_next_is(const struct pipeline *pipeline, pipeline_done *done, const void *data)
{
    return pipeline->count > 0 && at(pipeline, 0)->done == done && at(pipeline, 0)->data == data;
}
