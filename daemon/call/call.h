/*
 * call: one request in flight, as its handler sees it.
 *
 * A handler (daemon/methods/) is given a call and does one of four things: packs a result
 * (call_result, return 0), refuses (return call_fail(...) or a bare error code), has to wait
 * (return call_wait(...)), or finds that what it is about to do is long (return CALL_PACED) or not
 * to be done just now (return CALL_HELD_UP). A call that does not end is moved to memory of its own
 * (parked.h) and its handler is run again later, so that a handler is at the same time the function
 * that tries. It must leave no trace when it does not end, except in `progress`. A method that
 * changes something by waiting (condition.wait gives its lock back) says call_wait_again: it is run
 * once more when it stands in the lists and nothing can refuse it any more.
 *
 * Params: call->params[i] is the i-th param of the method's signature, checked for its type; one
 * that was left out (or sent as nil where nil means the default) has raw.len 0. Slices in them are
 * valid while the handler runs, and for a parked call until it is finished.
 */
#pragma once

#include "daemon/call/session.h"
#include "daemon/objects/pace.h"
#include "proto/message.h"
#include "proto/method.h"

struct call;
struct parked; /* daemon/call/parked.h */

enum { CALL_TEXT_MAX = 512 }; /* bytes of an error's text, the NUL included */

/* The calls that are run within another one (atomic). */
struct batch {
    struct output results; /* one behind the other */
    /* What the call that failed was refused with. */
    int error;
    char text[CALL_TEXT_MAX];
    bool shows; /* one of the answers has to wait for the disk (commits.h) */
};

/* What a handler answers besides 0 and an error. */
enum {
    CALL_WAIT = 1,    /* it has to wait; see call_wait */
    CALL_PACED = 2,   /* it is long, and is to be run again with a pace; see call_needs_pace */
    CALL_HELD_UP = 3, /* an object that it needs is held; see call_may_enter */
    CALL_AWAY = 4,    /* its object lives elsewhere: the engine does it (engine.h) */
};

enum { CALL_FOREVER = -1 }; /* timeout without limit */

enum { CALL_OBJECTS_MAX = 1000 }; /* how many objects one call can name in a param "objects" */

/* What a call waits for that waits on several objects at once: the same channel of each. One that
 * is named twice counts once. */
struct wait_set {
    unsigned channel;
    unsigned count; /* at least 1 */
    struct object *objects[CALL_OBJECTS_MAX];
};

/* What a handler has said that its call waits for. */
struct wish {
    struct object *object; /* not a reference; NULL: it waits on several (waits) */
    unsigned channel;
    bool by_key; /* for the key with that hash to be added */
    bool again;  /* its handler is run once more as soon as it stands in the lists */
    uint32_t hash;
    struct wait *waits; /* owned array of `count`, their objects and channels filled in */
    unsigned count;
    int64_t timeout_ms;
};

struct call {
    struct service *service;
    struct session *session;
    const struct method *method;
    struct object *object; /* what the first param names, if the signature says object, else NULL;
                              a parked call has a reference */
    struct param *params;
    struct origin *origin; /* what the values in the params may carry; NULL: nothing */
    struct output *out;    /* where the reply goes */
    struct output_mark start;
    struct batch *batch; /* the call is one of those: it never waits, and its result or refusal goes
                            there; NULL: it is a request of its own */
    struct pace *pace;   /* for operations that take one; NULL: they are done in one go */
    struct parked *parked;     /* its memory, if it has some of its own */
    struct object *held_up_by; /* what a handler that answers CALL_HELD_UP needs */
    uint64_t now;              /* monotonic, nanoseconds */
    uint64_t progress;         /* the handler's own: what earlier tries have done; 0 at first */
    uint32_t msgid;
    bool notification; /* no reply is sent */
    bool waited;       /* this is a wake-up: it has stood in the lists of those who wait */
    bool timed_out;    /* this is the last try: call_wait answers the timeout's error */
    bool refused;      /* an error has been packed */
    bool over;         /* its user may not have more memory for the answer in progress */
    bool shows_all;    /* the answer shows of durable objects more than that of its first param: it
                          waits until all that has changed is on disk (commits.h) */
    struct wish wish;
};

/* A handler: 0, a negative error code, or CALL_WAIT. */
typedef int call_handler(struct call *call);

/* Params. */
static inline bool call_given(const struct call *call, unsigned i)
{
    return call->params[i].raw.len > 0;
}
static inline struct slice call_value(const struct call *call, unsigned i)
{
    return call->params[i].raw;
}
/* The value of param i, to be stored. */
static inline struct incoming call_incoming(const struct call *call, unsigned i)
{
    return (struct incoming){call->params[i].raw, call->origin, call->pace};
}
/* The bytes of a str or bin, without its header. */
static inline struct slice param_bytes(const struct param *param)
{
    return (struct slice){param->raw.data + param->header.size, param->header.length};
}
static inline struct slice call_bytes(const struct call *call, unsigned i)
{
    return param_bytes(&call->params[i]);
}
/* True if the call is about to do so many steps (daemon/objects/pace.h) that it needs a pace and
 * has none: the handler returns CALL_PACED, having changed and packed nothing. It is run again from
 * its beginning with call->pace set, which it gives to the operation, while its object is held. */
bool call_needs_pace(struct call *call, uint64_t steps);
/* Of a call that needs an object, such as the one of its first param: true if it may use it now.
 * Else the handler returns CALL_HELD_UP, having changed nothing, and is run again from its
 * beginning when others have let the object go. */
bool call_may_enter(struct call *call, struct object *object);

/* Of a call that has a pace: it holds an object besides that of its first param until it has ended,
 * which may take until others have let it go. Several are to be held in the order of their numbers.
 */
void call_hold(struct call *call, struct object *object);

int64_t call_int(const struct call *call, unsigned i, int64_t standard);
bool call_bool(const struct call *call, unsigned i, bool standard);

/* Starts the answer: packs its head, if it has one of its own, and returns the buffer into which
 * the handler packs the result, exactly one value. What was packed is thrown away again if the
 * handler then fails. */
struct buffer *call_result(struct call *call);
/* The whole answer in one step. */
int call_answer_nil(struct call *call);
int call_answer_bool(struct call *call, bool value);
int call_answer_int(struct call *call, int64_t value);
int call_answer_value(struct call *call, struct stored value);
/* The whole answer is the value of param i. */
int call_answer_param(struct call *call, unsigned i);
/* Within a result: a stored value, by reference if it is large. The session has the objects that
 * it refers to open from then on. */
void call_pack_value(struct call *call, struct stored value);
/* Within a result: a descriptor of the object's own, as an ext value of type 2. It travels with the
 * answer, which holds a reference to it until then. */
void call_pack_descriptor(struct call *call, struct descriptor *descriptor);

/* As call_pack_value, for a value that is taken out of an object with this answer and may have to
 * be put back: output_taken, for which there must be room (output_reserve_taken). */
void call_pack_taken(struct call *call, struct object *object, const void *note, size_t size,
                     struct stored value);
/* True if the descriptors of a value still fit into the answer: no message carries more than
 * DESCRIPTORS_PER_MESSAGE, and an answer of many items ends before that. */
bool call_has_room(const struct call *call, struct stored value);
/* Whether the object may have the values among the params, if it is durable. 0, or the call's
 * refusal. Asked of call->object before a handler runs; of one that the handler makes it asks
 * itself. */
int call_check_lasting(struct call *call, const struct object *object);

/* Of a call that is about to take a value away from where it is stored: 0, or ERR_TOO_LARGE if its
 * descriptors do not fit into the answer. */
int call_need_room(struct call *call, struct stored value);
/* True once the answer is longer than the limit max_message: an answer of many items ends there. */
bool call_is_long(const struct call *call);
/* True once the answer, with those of the same batch, is longer than the limit max_output, so that
 * it will be refused (TOO_LARGE): an answer that must be whole need not be packed any further. */
bool call_is_over(const struct call *call);

/* Refuses: packs the error with a sentence for people and returns `error`. A handler that returns
 * a bare code gets a sentence made from the code, the object's name and the last refusal. */
int call_fail(struct call *call, int error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Refuses because the object is sealed. */
int call_refuse_sealed(struct call *call, const struct object *object);

/* True if this is the first try and others wait on the channel already: it must wait behind them.
 */
bool call_is_behind(const struct call *call, unsigned channel);
/* Says that the call must wait on a channel of its object, for the timeout in param `i`
 * (absent: without limit). Returns CALL_WAIT, or `error` if the time is up (or 0 to begin with), or
 * the call is one of a batch. */
int call_wait(struct call *call, unsigned channel, unsigned i, int error);

/* The two with more said: what it waits for is a channel of any object (which then lives as long as
 * the call), for `timeout_ms` (CALL_FOREVER: without limit). */
bool call_is_behind_on(const struct call *call, const struct object *object, unsigned channel);
int call_wait_on(struct call *call, struct object *object, unsigned channel, int64_t timeout_ms,
                 int error);
/* As call_wait_on, and on success the handler is run once more as soon as the call is parked. */
int call_wait_again(struct call *call, unsigned channel, int64_t timeout_ms, int error);
/* As call_wait, for a key of the object to be added; `hash` is that by which it is announced
 * (object_key_added). Right for a call that has waited, too: it goes on waiting. */
int call_wait_for_key(struct call *call, unsigned channel, uint32_t hash, unsigned i, int error);
/* As call_wait, on several objects: when the handler is run again, call->parked->woken_by->object
 * is the one that has changed. ERR_MEMORY for want of memory. */
int call_wait_any(struct call *call, const struct wait_set *set, unsigned i, int error);
