/*
 * answer: a reply of the engine as the answer of a call.
 */
#pragma once

#include "daemon/call/call.h"
#include "daemon/engine/meta.h"

/* Where the answer is packed: at the end of what the session has been answered. */
void answer_begin(struct call *call);

/* Packs the result behind the "=" of a reply: one value. 0, or ERR_ENGINE: it is none, and the call
 * is refused. */
int answer_result(struct call *call, struct slice result);

/* The result of one that answers a description, which has what is to be remembered of the object in
 * front of it: *meta is set to that, and the description gets `engine`, with where the object is
 * (`host`). 0 or ERR_ENGINE, as answer_result. */
int answer_description(struct call *call, struct slice result, struct slice host,
                       struct meta *meta);

/* The same on its own: packs it into `out`. 0; or ERR_VALUE, and nothing is packed: it is none. */
int answer_pack_description(struct buffer *out, struct slice result, struct slice host,
                            struct meta *meta);

/* Refuses with what stands behind the "!" of a reply, "CODE text"; without a text, with a sentence
 * about the object of that name. Returns the code. */
int answer_refusal(struct call *call, struct slice refusal, struct slice name);
/* The code of it. */
int answer_code(struct slice refusal);

/* Refuses with ERR_ENGINE and the detail {done: false}, or {done: nil} if nobody knows. */
int answer_failure(struct call *call, bool unknown, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The same of one whose op has failed: `why` is a sentence. */
int answer_lost(struct call *call, bool unknown, const char *why);
/* Such a one: fewer replicas have it than are wanted. */
extern const char answer_unconfirmed[];
