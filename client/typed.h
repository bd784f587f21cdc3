/*
 * typed: what the typed functions are made of, over blocking calls.
 *
 * Each of them is one struct typed_call (the method and its params) handed to the function here
 * that takes the result as it should be. A handle is a name on a connection.
 */
#pragma once

#include "client/call.h"

struct handle {
    struct ipcc *conn;
    uint32_t epoch; /* the connection on which it was opened */
    char *name;
    size_t length;            /* of the name */
    struct ipcc_ahead *ahead; /* owned; of a queue that items are got ahead of; else NULL */
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
/* typed_call, but if it fails the reply holds the error's detail, or is {0}. */
int typed_call_detail(struct ipcc *conn, const struct typed_call *call, struct ipcc_reply *reply);
int handle_call(const struct handle *handle, const struct typed_call *call,
                struct ipcc_reply *reply);
/* handle_call for a call that ipcc_interrupt is to treat in a way of its own. */
int handle_call_wait(const struct handle *handle, const struct typed_call *call,
                     enum call_wait wait, struct ipcc_reply *reply);
int handle_call_nil(const struct handle *handle, const struct typed_call *call);
int handle_call_bool(const struct handle *handle, const struct typed_call *call, bool *result);
int handle_call_uint(const struct handle *handle, const struct typed_call *call, uint64_t *result);

/* handle_call, but the reply is required: ARGUMENT. */
int handle_call_reply(const struct handle *handle, const struct typed_call *call,
                      struct ipcc_reply *reply);

/* The answer to `method` is not of the kind that it should be: frees the reply. PROTOCOL. */
int wrong_answer(const char *method, const char *expected, struct ipcc_reply *reply);

/* Takes a result that is a boolean, and frees the reply. PROTOCOL. */
int take_bool(const char *method, struct ipcc_reply *reply, bool *result);

/* Takes a number out of what a function that returned `status` has stored, and frees the reply.
 * `status` if that is an error; TYPE, RANGE. A NULL number is not wanted. */
int take_int(const char *method, int status, struct ipcc_reply *reply, int64_t *number);
int take_double(const char *method, int status, struct ipcc_reply *reply, double *number);

/* ARGUMENT unless it is milliseconds or IPCC_FOREVER. Every call checks its own timeout_ms. */
int timeout_check(int64_t timeout_ms);

/* timeout_ms as a param. */
struct ipcc_value timeout_value(int64_t timeout_ms);

/* `value` in an array of its own, or an empty array if it is NONE. */
struct ipcc_value optional_array(const struct ipcc_value *value);
