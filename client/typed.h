/*
 * typed: what the typed handles are made of, over blocking calls: a handle is a name on a
 * connection, and each of its functions a call of one row of the method table (typed.c). Then what
 * several types have in common: dict and namespace (mapping.c), lock, condition and semaphore
 * (guard.c).
 */
#pragma once

#include "client/internal.h"

struct handle {
    struct ipcc *conn;
    uint32_t epoch; /* the connection on which it was opened */
    char *name;
};

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

enum { TYPED_PARAMS = 4 };

/* A call of a row of the method table. Params that are IPCC_NONE at the end are left out. */
struct typed_call {
    const char *method;
    struct ipcc_value params[TYPED_PARAMS]; /* of a handle: those after the object's name */
    int64_t timeout_ms;                     /* how long it may wait at the daemon */
};

/* Calls and takes the result as the kind that the name says. A NULL result is not wanted. */
int typed_call(struct ipcc *conn, const struct typed_call *call, struct ipcc_reply *reply);
int typed_call_nil(struct ipcc *conn, const struct typed_call *call);
/* As typed_call; if it fails, the reply holds the error's detail, or is {0}. */
int typed_call_detail(struct ipcc *conn, const struct typed_call *call, struct ipcc_reply *reply);
int handle_call(const struct handle *handle, const struct typed_call *call,
                struct ipcc_reply *reply);
/* handle_call for a call that ipcc_interrupt is to treat in a way of its own. */
int handle_call_wait(const struct handle *handle, const struct typed_call *call,
                     enum call_wait wait, struct ipcc_reply *reply);
int handle_call_nil(const struct handle *handle, const struct typed_call *call);
int handle_call_bool(const struct handle *handle, const struct typed_call *call, bool *result);
int handle_call_uint(const struct handle *handle, const struct typed_call *call, uint64_t *result);

/* As handle_call, but the reply is required: ARGUMENT. */
int handle_call_reply(const struct handle *handle, const struct typed_call *call,
                      struct ipcc_reply *reply);

/* The answer to `method` is not of the kind that it should be: frees the reply. PROTOCOL. */
int wrong_answer(const char *method, const char *expected, struct ipcc_reply *reply);

/* Takes a result that is a boolean, and frees the reply. PROTOCOL. */
int take_bool(const char *method, struct ipcc_reply *reply, bool *result);

/* The value of a str key in an answer that is a map. false: there is none of that kind. */
bool map_count(const struct ipcc_value *map, const char *key, uint64_t *count);
bool map_bool(const struct ipcc_value *map, const char *key, bool *value);

/* ARGUMENT unless it is milliseconds or IPCC_FOREVER. Every call checks its own timeout_ms. */
int timeout_check(int64_t timeout_ms);

/* timeout_ms as a param. */
struct ipcc_value timeout_value(int64_t timeout_ms);

/* `value` in an array of its own, or an empty array if it is NONE. */
struct ipcc_value optional_array(const struct ipcc_value *value);

/* A map of options that is being made. Each option_ function adds an option that is given (not
 * NONE, not 0, not NULL, not false). */
enum { OPTIONS_MAX = 16 };
struct option_map {
    struct ipcc_value pairs[2 * OPTIONS_MAX];
    size_t count;
};

void option_value(struct option_map *map, const char *name, struct ipcc_value value);
void option_int(struct option_map *map, const char *name, int64_t value);
void option_str(struct option_map *map, const char *name, const char *value);
void option_true(struct option_map *map, const char *name, bool value);

/* Adds the name of a choice, names[choice]; 0 is none. ARGUMENT: there is no such name. */
int option_choice(struct option_map *map, const char *name, unsigned choice,
                  const char *const *names, unsigned count);

/* Adds the options of every type. ARGUMENT. */
int option_open(struct option_map *map, const struct ipcc_open_options *options);

/* The map as a value that points into it, or NONE if it is empty. */
struct ipcc_value option_map_value(const struct option_map *map);

/* Calls `method`, a TYPE.open, and makes a handle, which is required. */
int handle_open(struct ipcc *conn, const char *method, const char *name,
                const struct option_map *options, struct handle **handle);
int handle_close(struct handle *handle);

/* ---- guard.c: lock, condition and semaphore -------------------------------------------------- */

/* Adds on_disconnect of what is held: release or keep. ARGUMENT. */
int option_holding(struct option_map *map, enum ipcc_on_disconnect choice);

/* Calls, and takes the result of lock.acquire. */
int handle_acquire(const struct handle *handle, const struct typed_call *call,
                   struct ipcc_acquired *acquired);

/* Every function that fills a guard begins with this: {0}. ARGUMENT: it is NULL. */
int guard_clear(struct ipcc_guard *guard, const char *method);

/* Calls `acquire` for a guard that is to call `release`. */
int guard_lock(const struct handle *handle, const char *acquire, const char *release,
               int64_t timeout_ms, struct ipcc_guard *guard);
