/*
 * request: one call of a method, its params packed one after the other.
 *
 *     struct request request;
 *     request_init(&request, "queue.peek");
 *     pack_string(request_param(&request), "jobs");
 *     pack_int(request_param(&request), 0);
 *     status = request_send(context, &request, &reply);
 *
 * Whatever becomes of it, sending ends the request.
 */
#pragma once

#include "client/ipcclient.h"
#include "proto/pack.h"
#include "tools/ipcctl/context.h"

enum { REQUEST_PARAMS = 16 };

struct request {
    const char *method;
    struct buffer bytes; /* the params */
    size_t starts[REQUEST_PARAMS];
    size_t count;
    int64_t wait_ms; /* how long the call may wait at the daemon; IPCC_FOREVER: without limit */
};

/* `method` must live as long as the request. */
void request_init(struct request *request, const char *method);
void request_deinit(struct request *request);

/* Starts a param: one value, to be packed into the returned buffer. There may be REQUEST_PARAMS. */
struct buffer *request_param(struct request *request);

/* A timeout as a param: milliseconds, or IPCC_FOREVER. */
void request_timeout(struct request *request, int64_t timeout_ms);

/* Makes the request's params the words of the command line from number `first` on, as the command's
 * arguments say. Reports what is wrong with them: STATUS_USAGE, or of what had to be read (value.h)
 * STATUS_FAILED. */
enum status request_words(struct context *context, struct request *request, size_t first);

/* Sends and waits for the answer. 0 or an IPCC_ERR_ code, with ipcc_last_message. Connects first if
 * need be. `reply` may be NULL; after an error it needs no freeing. */
int request_try(struct context *context, struct request *request, struct ipcc_reply *reply);

/* Sends and waits as request_try does, but after an error *reply has the detail that the daemon's
 * error came with, if it came with one, and is to be freed. `reply` is required. */
int request_try_detail(struct context *context, struct request *request, struct ipcc_reply *reply);

/* As request_try, and reports a failure. */
enum status request_send(struct context *context, struct request *request,
                         struct ipcc_reply *reply);

/* Connects unless that has been done. 0 or an IPCC_ERR_ code. */
int request_connect(struct context *context);

/* The most bytes that the daemon takes in one message. Connects. 0 or an IPCC_ERR_ code. */
int request_message_most(struct context *context, size_t *most);

/* What the daemon is called in the engine that it shares with other hosts; "" if it has none, or no
 * longer answers. Connects. */
const char *request_host(struct context *context);

/* The limit of waiting: --timeout, or IPCC_FOREVER. */
int64_t request_patience(const struct context *context);

/* A member of a map by its key; of kind IPCC_NONE if it is not there. */
struct ipcc_value field(const struct ipcc_value *map, const char *key);

/* A member of a map by its key: as a number, 0 if it is none; whether it is true; as text, empty if
 * it is none. */
int64_t field_int(const struct ipcc_value *map, const char *key);
bool field_true(const struct ipcc_value *map, const char *key);
struct slice field_text(const struct ipcc_value *map, const char *key);
