/*
 * refusal: what an error reply means for a request: whether it was run, and what is to be done.
 *
 * Errors that came up while a function was running name it ("script: …, on @user_function…"): they
 * are never refusals, however they begin.
 */
#pragma once

#include "proto/slice.h"

enum refusal_kind {
    REFUSAL_NONE,      /* the command's own error: it was run, or is wrong */
    REFUSAL_MOVED,     /* the slot is at another node, from now on */
    REFUSAL_ASK,       /* this one time it is to be sent there, with ASKING in front */
    REFUSAL_LATER,     /* the same again after a moment: TRYAGAIN, LOADING, BUSY, NOREPLICAS */
    REFUSAL_ELSEWHERE, /* a node that cannot, or not now: look for the right one: CLUSTERDOWN,
                          READONLY, MASTERDOWN */
    REFUSAL_LIBRARY,   /* it does not know the function */
    REFUSAL_FINAL,     /* not run, and waiting does not help: OOM, MISCONF, NOPERM, NOAUTH */
};

struct refusal {
    enum refusal_kind kind;
    uint16_t slot;     /* of MOVED and ASK … */
    struct slice host; /* … and where; within the text. Empty: the host of the node that says so */
    uint16_t port;
};

/* The reply of type REDIS_REPLY_ERROR with this text. A MOVED or ASK that cannot be read is
 * REFUSAL_LATER. */
struct refusal refusal_of(struct slice text);
