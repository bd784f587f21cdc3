/*
 * asking: a call as a part of an op: its params encoded, the rights to what it names checked, its
 * answer packed. It is a request of its own, or one of a batch (call->batch).
 */
#pragma once

#include "daemon/engine/state.h"

/* True for TYPE.open. */
bool asking_is_open(const struct call *call);
/* Whether it may leave something of its session in the engine. */
bool asking_leaves_something(const struct call *call);
/* True if it names several objects, which are at several places: no one step is about them all. */
bool asking_is_apart(const struct engine *engine, const struct call *call);
/* The first name that it names. */
struct slice asking_name(const struct call *call);

/* Appends its arguments to a part that has that name already. 0, or the call's refusal. */
int asking_encode(struct engine *engine, struct call *call, struct op_part *part);

/* May it do what it wants to what it names? By what is remembered (`fresh` NULL), or what the
 * engine has said behind "?". 0: the part has the versions of what it was checked by. Else the part
 * has none, and: ERR_NOT_FOUND, nothing is remembered of one, and nothing has been packed; or the
 * call's refusal. */
int asking_check(struct engine *engine, struct call *call, const struct slice *fresh,
                 struct op_part *part);
/* What has been packed of a refusal is thrown away. */
void asking_forget_refusal(struct call *call);

/* Packs the answer that a reply "=" or "!" of the lane is. 0, or the error. */
int asking_answer(struct engine *engine, struct call *call, struct lane *lane, struct slice reply);
