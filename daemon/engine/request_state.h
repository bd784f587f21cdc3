/*
 * request_state: where a request is between cluster_send and done, and how it goes from there.
 *
 * A request is fresh, until the end of the turn of the loop; then it is sent, or waits: for its
 * node to have a connection or the library, or, refused, for its time to be sent again. What has
 * been sent ends with its reply or with the connection. Requests that have ended without a reply
 * stand in a list until requests_settle tells them, so that nobody is called from within
 * cluster_send.
 */
#pragma once

#include "daemon/engine/functions.h"
#include "daemon/engine/topology.h"

struct requests {
    struct topology *topology; /* not owned */
    struct event *settle;      /* not owned: activated when there is something to do */
    struct functions functions;
    struct request_list fresh;
    struct request_list waiting;
    struct request_list sent;
    struct request_list ended;
    size_t waiting_count;
    bool gathering; /* what is sent leaves with requests_flush, */
    bool wakes;     /* which wakes */
    uint64_t due;   /* clock_ms at which the next of the waiting is to be looked at */
    uint64_t unknown;
    uint64_t redirects;
    uint64_t refused;
};

/* There is something to settle. */
void requests_wake(struct requests *requests);

/* Takes it out of the state that it is in, and puts it at the end of another. */
void request_set_state(struct requests *requests, struct request *request,
                       enum request_state state);

/* It goes to a certain node, or, NULL, to that of its slot. */
void request_bind(struct request *request, struct node *node);

/* What is in the way of it. */
__attribute__((format(printf, 2, 3))) void request_set_why(struct request *request,
                                                           const char *format, ...);

/* Calls its done; the request is its sender's again. The reply, or NULL, is freed here. */
void request_tell(struct requests *requests, struct request *request, struct redisReply *reply,
                  enum request_fate fate);

/* It has ended so; it is told when requests are settled. */
void request_end(struct requests *requests, struct request *request, enum request_fate fate);

/* It has ended as REQUEST_NOT_DONE, with a reason. */
void request_refuse(struct requests *requests, struct request *request, const char *why);

/* It waits, and is not sent before so many ms have passed. */
void request_wait(struct requests *requests, struct request *request, uint64_t ms);

/* It is nobody's business any more; see cluster_forget. */
void request_forget(struct requests *requests, struct request *request);
