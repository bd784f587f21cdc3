/*
 * waiting: what becomes of a call whose handler has not ended it: it waits and is asked again, or
 * is done in steps, or stands behind a hold. And the one way out, whatever ends it.
 *
 * Waking is trying again: the same handler is run once more. When an object has changed, its waits
 * are asked in order until one of them must go on waiting (object_serve).
 */
#pragma once

#include "daemon/call/parked.h"

/* The handler of a call that has no memory of its own has answered CALL_WAIT, CALL_PACED or
 * CALL_HELD_UP: sees to it that it goes on; `passed` as with parked_new. 0; or the error with which
 * it is to be refused. */
int call_suspend(struct call *call, int status, struct passed *passed);

/* Ends a parked call from outside: with the answer that has been packed into call->out since
 * call->start (status 0), or refuses it. */
void call_finish(struct call *call, int status);
/* Of a call that is away (engine.h), before its answer is packed: it stands nowhere any more, and
 * call_finish is next. */
void call_take_up(struct call *call);
/* It is known to wait there, until `deadline` at most (monotonic, nanoseconds; TIME_NEVER: without
 * limit). It may end within this call: its session closes, or there is no memory. */
void call_wait_away(struct call *call, uint64_t deadline);
/* Ends one that waits, or is away, with an error. */
void call_cancel(struct call *call, int error, const char *text);
/* Takes one that waits, or is away, without an answer: its session is gone. */
void call_drop(struct call *call);
/* The time of one that waits is up. */
void call_time_out(struct call *call);

/* A call goes on waiting on a channel of another object (or of the same), at the end of its list
 * and now without limit. Returns CALL_WAIT. */
int call_move(struct call *call, struct object *object, unsigned channel);

/* Asks one that waits on no object. */
void call_ask(struct call *call);

/* Asks the waits of an object, lets it pass on what others are to get, and sets its timer. If many
 * are served that goes on as a job. */
void object_serve(struct service *service, struct object *object);
