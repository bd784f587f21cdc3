/*
 * stage: a struct service and sessions without a daemon, for unit tests of calls.
 *
 * With a Redis in the environment (stage_engine.h) all named objects live there; a
 * request has been answered, as far as it can be, when it has been run.
 *
 * Time stands still unless stage_advance moves it. Requests are written and answers expected in
 * the notation of notation.h; an answer is there as soon as the daemon's code has packed it.
 */
#pragma once

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "daemon/call/ending.h"
#include "daemon/call/unsent.h"
#include "daemon/call/dispatch.h"
#include "tests/support/notation.h"

enum { STAGE_ANSWERS_MAX = 1024 };

struct stage {
    struct service service;
    uint64_t now;                /* monotonic, nanoseconds */
    bool takes_over;             /* before each request of the first ones, and then now and then */
    unsigned requests;           /* that have been run */
    struct stage_engine *engine; /* where named objects live; NULL: here */
    bool by_hand; /* the test runs the jobs itself, one slice at a time (stage_step) */
};

/* One session and the answers that it has read. */
struct actor {
    struct session session;
    struct stage *stage;
    uint32_t last_msgid;
    msgpack_unpacked answers[STAGE_ANSWERS_MAX]; /* they point into bytes[] */
    uint8_t *bytes[STAGE_ANSWERS_MAX];
    size_t nanswers;
};

struct stage *stage_new(void);
/* A test that makes no sense, or is not right, where objects live in an engine: it is left out
 * then; `why` is for the reader. To be said before there is an actor. */
static inline void only_here(const struct stage *stage, const char *why)
{
    if (stage->engine != NULL) {
        (void)why;
        skip();
    }
}
/* Every actor must have left. Asserts that nothing is charged any more. */
void stage_free(struct stage *stage);

/* Time goes on by so many milliseconds, and what is due happens. */
void stage_advance(struct stage *stage, uint64_t ms);

/* From now on whatever can be done in steps is, and gives way at each of them. A stage is made like
 * this if the environment has IPCD_TEST_STEPS. */
void stage_in_steps(struct stage *stage);
/* Runs one step of what is under way. False if there is nothing. */
bool stage_step(struct stage *stage);
/* Runs all of it. */
void stage_finish(struct stage *stage);

/* All that there is is written down, taken down, and made again from what was written, as when one
 * daemon takes the place of another; pointers to objects and calls are void then. Nothing may be
 * under way. With IPCD_TEST_TAKEOVER in the environment that is done before each request (of many,
 * before some). */
void stage_take_over(struct stage *stage);

/* A new session of a user; 0 is root. */
struct actor *actor_new(struct stage *stage, uid_t uid);
/* The session ends, having read everything: its waits, tickets and open objects go. */
void actor_leave(struct actor *actor);
/* The session ends, and nothing of its unread answers has left. */
void actor_vanish(struct actor *actor);

/* Runs a request; returns its msgid. */
uint32_t actor_send(struct actor *actor, const char *method, const char *params);
/* Packs a request (msgid 0) instead of running it. */
void actor_pack(struct buffer *out, const char *method, const char *params);
/* Runs a notification. */
void actor_notify(struct actor *actor, const char *method, const char *params);
/* What is in the output becomes read. */
void actor_read(struct actor *actor);
/* Forgets the answers read so far. */
void actor_forget(struct actor *actor);

/* Runs a request that must be answered at once with that result. */
#define check(actor, method, params, result)                                                       \
    stage_expect(actor, actor_send(actor, method, params), result, __FILE__, __LINE__)
/* Runs a request that must be refused at once with that code. */
#define check_error(actor, method, params, code)                                                   \
    stage_expect_error(actor, actor_send(actor, method, params), code, __FILE__, __LINE__)
/* The same; the whole error must be that. */
#define check_fails(actor, method, params, error)                                                  \
    stage_expect_failure(actor, actor_send(actor, method, params), error, __FILE__, __LINE__)
/* An earlier request has been answered, refused, or still waits. */
#define check_answer(actor, msgid, result) stage_expect(actor, msgid, result, __FILE__, __LINE__)
#define check_refused(actor, msgid, code) stage_expect_error(actor, msgid, code, __FILE__, __LINE__)
#define check_waits(actor, msgid) stage_expect_waits(actor, msgid, __FILE__, __LINE__)

/* What the actor has been told since it was last asked: an array of [name, event, detail]. */
#define check_events(actor, events) stage_expect_events(actor, events, __FILE__, __LINE__)

void stage_expect(struct actor *actor, uint32_t msgid, const char *result, const char *file,
                  int line);
void stage_expect_error(struct actor *actor, uint32_t msgid, const char *code, const char *file,
                        int line);
void stage_expect_events(struct actor *actor, const char *events, const char *file, int line);
void stage_expect_failure(struct actor *actor, uint32_t msgid, const char *error, const char *file,
                          int line);
void stage_expect_waits(struct actor *actor, uint32_t msgid, const char *file, int line);
