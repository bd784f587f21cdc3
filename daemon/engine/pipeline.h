/*
 * pipeline: commands over a link, and who gets the reply to each.
 *
 * Replies come in the order of the commands. What the server says of its own accord (messages of
 * channels) is sorted out by the listener first.
 */
#pragma once

#include "daemon/engine/link.h"

/* The reply, which is the callee's; or NULL: the connection has ended, the command may have been
 * run. */
typedef void pipeline_done(void *data, struct redisReply *reply);

struct pipeline_listener {
    void (*ready)(void *data);
    /* Called when all commands have been told that there is no reply for them. */
    void (*lost)(void *data, bool was_ready);
    /* True: it was no reply but a message, and is the callee's now. NULL: there are none. */
    bool (*message)(void *data, struct redisReply *reply);
    /* Every now and then while it is ready: something may be sent that keeps the server answering.
     * NULL: nothing is. */
    void (*pulse)(void *data);
    void *data;
};

struct pipeline {
    struct link link;
    struct pipeline_listener listener;
    struct expected *expected; /* owned: a ring, the oldest first */
    size_t first;
    size_t count;
    size_t capacity;
};

/* 0; or ERR_MEMORY, with nothing to be deinited. */
int pipeline_init(struct pipeline *pipeline, struct link_settings *settings,
                  const struct dial_address *address, const struct pipeline_listener *listener);
/* Nobody is told. */
void pipeline_deinit(struct pipeline *pipeline);

/* Whether there is to be a connection. What is under way on one that is not is told that there is
 * no reply; the listener is not. */
void pipeline_want(struct pipeline *pipeline, bool wanted);

bool pipeline_is_ready(const struct pipeline *pipeline);

/* Sends a command, with the next link_flush at the latest. Only while it is ready. `patience_ms`:
 * how long the server may take for it besides the ordinary. 0; or ERR_MEMORY: nothing was done. */
int pipeline_send(struct pipeline *pipeline, struct slice command, uint64_t patience_ms,
                  pipeline_done *done, void *data);

/* Of several words; for what is sent now and then. */
int pipeline_command(struct pipeline *pipeline, size_t argc, const char *const *words,
                     pipeline_done *done, void *data);

/* `done` is not called with this `data` any more; the replies are dropped. */
void pipeline_forget(struct pipeline *pipeline, const void *data);

/* Whether the oldest command that has no reply yet is one of these. */
bool pipeline_next_is(const struct pipeline *pipeline, pipeline_done *done, const void *data);
