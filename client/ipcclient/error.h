/*
 * ipcclient/error: the codes that functions return, and the sentence on the last failure.
 * Part of ipcclient.h, which says what holds for every function.
 */
#ifndef IPCCLIENT_ERROR_H
#define IPCCLIENT_ERROR_H

#include "declarations.h"

IPCC_DECLARATIONS_BEGIN

/* The daemon's codes have the numbers of proto/errors.def and never change; from -100 on they are
 * the library's own. */
enum ipcc_error {
    IPCC_ERR_BAD_REQUEST = -1,    /* malformed params; the message names the param */
    IPCC_ERR_UNKNOWN_METHOD = -2, /* the daemon has no such method */
    IPCC_ERR_NOT_FOUND = -3,      /* no object of that name */
    IPCC_ERR_EXISTS = -4,         /* opened exclusively, but it is there already */
    IPCC_ERR_WRONG_TYPE = -5,     /* the object has another type */
    IPCC_ERR_MISMATCH = -6,       /* the object is there with other options */
    IPCC_ERR_FULL = -7,           /* queue full, also when the wait timed out (queue.Full) */
    IPCC_ERR_EMPTY = -8,          /* queue empty, also when the wait timed out (queue.Empty) */
    IPCC_ERR_SHUT_DOWN = -9,      /* queue shut down (queue.ShutDown) */
    IPCC_ERR_TIMEOUT = -10,       /* a wait other than put and get ran out of time */
    IPCC_ERR_CANCELLED = -11,     /* the wait was cancelled */
    IPCC_ERR_DELETED = -12,       /* the object was deleted during the wait */
    IPCC_ERR_KEY = -13,           /* no such key (KeyError) */
    IPCC_ERR_INDEX = -14,         /* index out of range (IndexError) */
    IPCC_ERR_VALUE = -15,         /* not possible with this value (ValueError) */
    IPCC_ERR_TYPE = -16,          /* not possible with values of this kind (TypeError) */
    IPCC_ERR_RANGE = -17,         /* the number does not fit (OverflowError) */
    IPCC_ERR_NOT_OWNER = -18,     /* the caller does not hold it (RuntimeError) */
    IPCC_ERR_BROKEN = -19,        /* the barrier is broken (BrokenBarrierError) */
    IPCC_ERR_TOO_LARGE = -20,     /* over a size limit; also a request that the daemon would not
                                   * accept, which is not sent */
    IPCC_ERR_LIMIT = -21,         /* over a quota, which the message names; or the daemon has no
                                   * memory or no descriptors left */
    IPCC_ERR_DENIED = -22,        /* no permission */
    IPCC_ERR_STORAGE = -23,       /* no space for what is durable, or no store; nothing changed */
    IPCC_ERR_INTERNAL = -24,      /* a fault of the daemon's own */
    IPCC_ERR_UNSUPPORTED = -25,   /* the engine that this object lives in cannot do this */
    IPCC_ERR_ENGINE = -26,        /* the engine is away, or answered with an error */
    IPCC_ERR_LOST = -100,         /* the connection ended; see Reconnecting */
    IPCC_ERR_CONNECT = -101,      /* no connection could be made */
    IPCC_ERR_NO_MEMORY = -102,    /* this process is out of memory. A call may have been carried
                                   * out all the same if it was its answer that did not fit */
    IPCC_ERR_FORKED = -103,       /* the connection belongs to the parent process */
    IPCC_ERR_ARGUMENT = -104,     /* a null handle, a bad option, a value that is none */
    IPCC_ERR_PROTOCOL = -105,     /* what the other side sends is not as the protocol has it */
    IPCC_ERR_BUSY = -106,         /* a blocking call in a callback, or closing while others wait */
    IPCC_ERR_SYSTEM = -107,       /* a system call failed; the message has errno's text */
    IPCC_ERR_NO_ANSWER = -108,    /* the guard time ran out; see ipcc_options.guard_ms */
    IPCC_ERR_OTHER = -109,        /* a code of the daemon's that is newer than this library; the
                                   * message begins with its name */
    IPCC_ERR_END = -110,          /* the other end of the pipe is closed (EOFError) */
    IPCC_ERR_INTERRUPTED = -111   /* the wait was ended by ipcc_interrupt; nothing was taken */
};

/* What a code means, as a static string; never NULL. 0 is "success". */
const char *ipcc_strerror(int error);

/* The code's name without IPCC_ERR_: "EMPTY", "LOST"; "OTHER" for a number that is none. Static. */
const char *ipcc_error_name(int error);

/* One sentence on the last failure of a call in this thread: the daemon's own words, or the
 * library's. Never NULL. It lives until this thread's next failure and is cut at about 500 bytes.
 * In a completion callback with an error it is that call's message. */
const char *ipcc_last_message(void);

/* Writes one line to standard error: `prefix` and a colon (unless it is NULL), the code's name, and
 * ipcc_last_message, if `error` is negative; else nothing. Returns `error`. To be called before the
 * thread's next failure; so it can stand around the call:
 *
 *     if (ipcc_perror("put", ipcc_queue_put(queue, value, IPCC_FOREVER, NULL)) < 0) {
 *
 * put: SHUT_DOWN: queue "jobs" is shut down */
int ipcc_perror(const char *prefix, int error);

/* The version of the library, "0.1.0". Static. */
const char *ipcc_version(void);

IPCC_DECLARATIONS_END

#endif /* IPCCLIENT_ERROR_H */
