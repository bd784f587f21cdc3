/*
 * handle: opening and closing, for every type. A handle keeps the connection's struct, though not
 * the connection itself, alive.
 */
#pragma once

#include "client/ipcclient.h"
#include "client/option.h"
#include "client/typed.h"

struct ipcc_queue {
    struct handle handle;
};
struct ipcc_dict {
    struct handle handle;
};
struct ipcc_list {
    struct handle handle;
};
struct ipcc_namespace {
    struct handle handle;
};
struct ipcc_event {
    struct handle handle;
};
struct ipcc_lock {
    struct handle handle;
};
struct ipcc_semaphore {
    struct handle handle;
};
struct ipcc_barrier {
    struct handle handle;
};
struct ipcc_pipe {
    struct handle handle;
};
struct ipcc_condition {
    struct handle handle;
};

/* Calls `method`, a TYPE.open, and makes a handle, which is required. */
int handle_open(struct ipcc *conn, const char *method, const char *name,
                const struct option_map *options, struct handle **handle);

/* Tells the daemon, if the session is still there, and frees the handle, which may be NULL. */
int handle_close(struct handle *handle);
