/*
 * libipcclient: the C client of ipcd, the daemon that owns named queues, dicts and lists and serves
 * them to every process of the machine. This header is the manual; ipcclient(3) is its index.
 *
 *     struct ipcc *conn;
 *     struct ipcc_queue *queue;
 *     if (ipcc_open(&conn, NULL) < 0 || ipcc_queue_open(conn, "jobs", NULL, &queue) < 0 ||
 *         ipcc_queue_put(queue, ipcc_str("hello"), IPCC_FOREVER, NULL) < 0) {
 *         fprintf(stderr, "%s\n", ipcc_last_message());
 *     }
 *
 * Results. Every function that can fail returns 0 or a negative IPCC_ERR_ code. What it finds out
 * it stores through its last parameters, and only when it returns 0; a pointer of which nothing is
 * said may be NULL when the result is not wanted. A NULL handle, name or method, or an option out
 * of its bounds, is IPCC_ERR_ARGUMENT and nothing is sent. Any function that talks to the daemon
 * can return IPCC_ERR_LOST, _CONNECT (reconnecting), _NO_MEMORY, _FORKED, _ARGUMENT, _PROTOCOL,
 * _BUSY, _SYSTEM, _TOO_LARGE, and of the daemon's codes BAD_REQUEST, NOT_FOUND, WRONG_TYPE, DENIED,
 * LIMIT and INTERNAL; a function's own comment names the codes that are its own besides.
 *
 * Blocking. Functions that talk to the daemon wait for its answer, unless their comment says that
 * they do not block. A signal does not end the wait, and no function is a cancellation point of
 * pthread_cancel(3). Those that take `timeout_ms` can wait at the daemon for something to happen:
 * milliseconds, 0 to not wait at all, IPCC_FOREVER for no limit; a wait never ends early. It is the
 * daemon that measures this time; see ipcc_options.guard_ms for a daemon that hangs.
 *
 * Threads. A connection and every handle opened on it may be used by many threads at once, each
 * blocked in a call of its own; the library starts no thread. Only ipcc_close and the close
 * function of a handle must be the last use of what they close. The daemon sees one session: for it
 * all threads of a connection are the same client.
 *
 * Fork. A connection belongs to the process that opened it. In the child of fork(2) every use of it
 * or of its handles is IPCC_ERR_FORKED and touches nothing of the parent's. The child's copy of the
 * socket is closed at the fork, so that the session ends with the parent and not with its last
 * child. The close functions free the child's copies of the structs; they return 0. The child opens
 * connections of its own. (A child that was made without fork's handlers, by vfork(2) or clone(2),
 * must leave the library alone.)
 *
 * Where a rule comes from the protocol, proto/PROTOCOL.md has it in full.
 */
#ifndef IPCCLIENT_H
#define IPCCLIENT_H

#include <msgpack/object.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

struct ipcc;       /* a connection: one session at the daemon */
struct ipcc_queue; /* handles: a name, on a connection */
struct ipcc_dict;
struct ipcc_list;

#define IPCC_FOREVER (-1)   /* timeout_ms: no limit */
#define IPCC_NO_TICKET (-1) /* ticket: none */
#define IPCC_OMIT INT64_MIN /* bound or step of a slice: left out, as in Python's [:] */

/* ---- Errors ---------------------------------------------------------------------------------- */

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
    IPCC_ERR_LIMIT = -21,         /* over a quota, which the message names */
    IPCC_ERR_DENIED = -22,        /* no permission */
    IPCC_ERR_STORAGE = -23,       /* the durable store refused; nothing was changed */
    IPCC_ERR_INTERNAL = -24,      /* a fault of the daemon's own */
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
    IPCC_ERR_OTHER = -109         /* a code of the daemon's that is newer than this library; the
                                   * message begins with its name */
};

/* What a code means, as a static string; never NULL. 0 is "success". */
const char *ipcc_strerror(int error);

/* The code's name without IPCC_ERR_: "EMPTY", "LOST"; "OTHER" for a number that is none. Static. */
const char *ipcc_error_name(int error);

/* One sentence on the last failure of a call in this thread: the daemon's own words, or the
 * library's. Never NULL. It lives until this thread's next failure and is cut at about 500 bytes.
 * In a completion callback with an error it is that call's message. */
const char *ipcc_last_message(void);

/* The version of the library, "0.1.0". Static. */
const char *ipcc_version(void);

/* ---- Values ---------------------------------------------------------------------------------- */

/*
 * A value is one MessagePack value. Scalars are in the struct; everything else is pointed at, never
 * owned: as a param it must stay as it is until the function returns (also the asynchronous ones,
 * which copy it); in an answer it lives as long as the reply that it came with.
 *
 * Answers use NIL to BIN, and RAW for what is nested (arrays, maps) and for ext types: look into it
 * with ipcc_walk_of, ipcc_map_get or ipcc_value_unpack. An answer's integer is INT whenever it
 * fits, UINT only above INT64_MAX. Params may be of any kind.
 */
enum ipcc_kind {
    IPCC_NONE = 0, /* no value: an optional param that is left out; what {0} gives */
    IPCC_NIL,
    IPCC_BOOL,
    IPCC_INT,
    IPCC_UINT,
    IPCC_FLOAT,
    IPCC_STR,   /* as.str, length bytes of UTF-8; not NUL-terminated in answers */
    IPCC_BIN,   /* as.data, length bytes */
    IPCC_RAW,   /* as.data, length bytes: exactly one MessagePack value, encoded */
    IPCC_ARRAY, /* params only: as.values, length elements */
    IPCC_MAP,   /* params only: as.values, length pairs: key, value, key, value, … */
    IPCC_OBJECT /* params only: as.object, a msgpack-c object */
};

struct ipcc_value {
    enum ipcc_kind kind;
    size_t length; /* STR, BIN, RAW: bytes; ARRAY: elements; MAP: pairs; else 0 */
    union {
        int64_t integer;           /* INT */
        uint64_t unsigned_integer; /* UINT */
        double number;             /* FLOAT */
        bool boolean;              /* BOOL */
        const char *str;
        const void *data;
        const struct ipcc_value *values;
        const msgpack_object *object;
    } as;
};

static inline struct ipcc_value ipcc_none(void)
{
    struct ipcc_value value = {IPCC_NONE, 0, {0}};
    return value;
}

static inline struct ipcc_value ipcc_nil(void)
{
    struct ipcc_value value = {IPCC_NIL, 0, {0}};
    return value;
}

static inline struct ipcc_value ipcc_bool(bool boolean)
{
    struct ipcc_value value = {IPCC_BOOL, 0, {0}};
    value.as.boolean = boolean;
    return value;
}

static inline struct ipcc_value ipcc_int(int64_t integer)
{
    struct ipcc_value value = {IPCC_INT, 0, {0}};
    value.as.integer = integer;
    return value;
}

static inline struct ipcc_value ipcc_uint(uint64_t integer)
{
    struct ipcc_value value = {IPCC_UINT, 0, {0}};
    value.as.unsigned_integer = integer;
    return value;
}

static inline struct ipcc_value ipcc_float(double number)
{
    struct ipcc_value value = {IPCC_FLOAT, 0, {0}};
    value.as.number = number;
    return value;
}

static inline struct ipcc_value ipcc_strn(const char *text, size_t length)
{
    struct ipcc_value value = {IPCC_STR, 0, {0}};
    value.length = length;
    value.as.str = text;
    return value;
}

/* A NUL-terminated string; NULL gives nil. */
static inline struct ipcc_value ipcc_str(const char *text)
{
    return text != NULL ? ipcc_strn(text, strlen(text)) : ipcc_nil();
}

static inline struct ipcc_value ipcc_bin(const void *bytes, size_t length)
{
    struct ipcc_value value = {IPCC_BIN, 0, {0}};
    value.length = length;
    value.as.data = bytes;
    return value;
}

/* One encoded MessagePack value, sent byte for byte. Anything else is IPCC_ERR_ARGUMENT. */
static inline struct ipcc_value ipcc_raw(const void *encoded, size_t length)
{
    struct ipcc_value value = {IPCC_RAW, 0, {0}};
    value.length = length;
    value.as.data = encoded;
    return value;
}

/* An array of `count` values, of any kinds, nested ones too. */
static inline struct ipcc_value ipcc_array(const struct ipcc_value *values, size_t count)
{
    struct ipcc_value value = {IPCC_ARRAY, 0, {0}};
    value.length = count;
    value.as.values = values;
    return value;
}

/* A map of `pairs` pairs; `values` has two times as many: key, value, key, value, … */
static inline struct ipcc_value ipcc_map(const struct ipcc_value *values, size_t pairs)
{
    struct ipcc_value value = {IPCC_MAP, 0, {0}};
    value.length = pairs;
    value.as.values = values;
    return value;
}

static inline struct ipcc_value ipcc_object(const msgpack_object *object)
{
    struct ipcc_value value = {IPCC_OBJECT, 0, {0}};
    value.as.object = object;
    return value;
}

/* None of the functions in the rest of this section talks to the daemon or blocks. */

/* True if the value is the str `text`. */
bool ipcc_value_is_str(const struct ipcc_value *value, const char *text);

/* Gets a value of an answer as an int64_t. IPCC_ERR_TYPE if it is no integer, IPCC_ERR_RANGE if it
 * is above INT64_MAX. `out` is required. */
int ipcc_value_int(const struct ipcc_value *value, int64_t *out);

/* Builds the msgpack-c object of a value of an answer, however deeply nested. Its arrays and maps
 * are allocated in `zone`; its strings point into the reply, which must outlive it. Both pointers
 * are required. IPCC_ERR_ARGUMENT: kinds of params, or bytes that are no MessagePack. */
int ipcc_value_unpack(const struct ipcc_value *value, msgpack_zone *zone, msgpack_object *out);

/* Writes a value of an answer as text for people (JSON as far as JSON goes; then b"…" for bin,
 * ext(type, b"…")), NUL-terminated, cut to fit `size`. 0, or IPCC_ERR_ARGUMENT, IPCC_ERR_NO_MEMORY
 * with an empty text. */
int ipcc_value_print(const struct ipcc_value *value, char *text, size_t size);

/* A position in a RAW array or map. The fields are the library's. */
struct ipcc_walk {
    const uint8_t *at;
    const uint8_t *end;
    size_t left;
    bool in_map;
};

/* A walk through the elements of an array, or the keys and values of a map, alternating. Of any
 * other value it is an empty walk. */
struct ipcc_walk ipcc_walk_of(const struct ipcc_value *container);

/* Steps to the next element. false when there is none left. */
bool ipcc_walk_next(struct ipcc_walk *walk, struct ipcc_value *value);

/* Steps to the next key and value: of a map, or of an array of [key, value] arrays, which is how
 * dict.items and dict.scan answer. false when there is none left. */
bool ipcc_walk_pair(struct ipcc_walk *walk, struct ipcc_value *key, struct ipcc_value *value);

/* Finds the value of a str key in a RAW map. IPCC_ERR_KEY if it is not there, IPCC_ERR_TYPE if
 * `map` is no map. `value` is required. */
int ipcc_map_get(const struct ipcc_value *map, const char *key, struct ipcc_value *value);

/* ---- Replies --------------------------------------------------------------------------------- */

/*
 * The answer to a call. The caller has the struct, the library stores into it, and everything that
 * `value` points at lives until ipcc_reply_free or until the reply is used for another call
 * (free it first: a call does not look at what was in it). After a failed call it is {0} and needs
 * no freeing, with one exception: see ipcc_call. A reply is for one thread at a time.
 */
struct ipcc_reply {
    struct ipcc_value value;
    void *owned; /* the library's */
    uint64_t reserved[2];
};

/* Frees what the reply holds and makes it {0}. NULL and {0} are allowed. Does not block. */
void ipcc_reply_free(struct ipcc_reply *reply);

/* Makes *to a copy of its own, to keep what a callback was given. Does not block. NO_MEMORY. */
int ipcc_reply_copy(struct ipcc_reply *to, const struct ipcc_reply *from);

/* ---- Connections ----------------------------------------------------------------------------- */

/* All zero means the defaults; so does NULL in place of the struct. */
struct ipcc_options {
    /* The daemon's socket; "@name" is one in the abstract name space. NULL: $IPCD_SOCKET if set,
     * else $XDG_RUNTIME_DIR/ipcd/ipcd.sock if there is a socket there, else /run/ipcd/ipcd.sock. */
    const char *path;
    /* What `ipcctl sessions` shows as this client: the program and its version. NULL: the name of
     * the running program, and no version. */
    const char *client;
    const char *client_version;
    /* How long connecting may take, in milliseconds, the daemon's greeting included. 0: 10,000;
     * IPCC_FOREVER: no limit. (A daemon that is not there is found out at once.) */
    int64_t connect_timeout_ms;
    /* For daemons that hang: how long an answer may be overdue, in milliseconds, beyond the call's
     * own timeout_ms. Then a typed call fails with IPCC_ERR_NO_ANSWER. It may still be carried
     * out, and an item that arrives after all is lost with its answer. 0: no such limit. Calls with
     * IPCC_FOREVER have none. */
    int64_t guard_ms;
    /* The largest message to accept from the daemon, in bytes; a larger one ends the connection
     * with IPCC_ERR_TOO_LARGE. 0: as large as a message can be (4 GiB). Memory is only taken for
     * bytes that came. */
    size_t max_message;
    /* Connect again when the connection is lost; see Reconnecting. */
    bool reconnect;
    /* Room for options to come. Must be zero; else IPCC_ERR_ARGUMENT, so that a program that sets
     * an option which this library does not know finds out. */
    uint64_t reserved[8];
};

/*
 * Connects and greets (server.hello). *conn is set on success only and ends with ipcc_close.
 * IPCC_ERR_CONNECT: nobody is there, no permission, or the time ran out; the message has the path.
 * A daemon that turns the session away (LIMIT) gives its own code.
 *
 * Reconnecting. Without the option a connection that is lost stays lost: every call on it fails
 * with IPCC_ERR_LOST. With it, the next call connects again, as a new session with a new number.
 * In both cases, when a connection is lost:
 *  - each call in flight fails with IPCC_ERR_LOST, or with the code of the daemon's goodbye. The
 *    library never repeats one: whether it was carried out is not known.
 *  - the daemon ends the session: it gives back what the session held. Tickets are void (their
 *    items go back to the queue or count as done, by the queue's on_disconnect; using one later is
 *    IPCC_ERR_VALUE), locks and permits are released by their own policy, waits take nothing.
 *  - handles stay usable, as they are names. But the new session has not opened the objects: one
 *    of lifetime "scoped", as anonymous ones are, is gone if nobody else had it open (NOT_FOUND).
 */
int ipcc_open(struct ipcc **conn, const struct ipcc_options *options);

/* Closes: the session ends at the daemon, which gives back what it held. Callbacks still
 * outstanding are called with IPCC_ERR_LOST. Handles of the connection are still to be closed; used
 * otherwise they give IPCC_ERR_LOST. Does not block. NULL is allowed. IPCC_ERR_BUSY, and nothing is
 * closed: other threads are in calls on it (ipcc_disconnect ends those), or it is called in a
 * callback. In a forked child it only frees memory: nothing is sent, no callback called. */
int ipcc_close(struct ipcc *conn);

/* Ends the connection as if it had been lost, from any thread. Does not block. */
int ipcc_disconnect(struct ipcc *conn);

/* The session's number at the daemon. Does not block. IPCC_ERR_LOST: there is none just now. */
int ipcc_session(struct ipcc *conn, uint64_t *session);

/* A copy of the daemon's greeting, a map: server, version, protocol, session, and limits: a map of
 * max_message, max_depth, max_name, … Does not block. IPCC_ERR_LOST: there is none just now. */
int ipcc_greeting(struct ipcc *conn, struct ipcc_reply *reply);

/* ---- Any method ------------------------------------------------------------------------------ */

/*
 * Calls a method by name, "queue.get", and waits for the answer: every method there is, also ones
 * that this library does not know. `params` are `nparams` values; trailing ones of kind IPCC_NONE
 * are left out, elsewhere IPCC_NONE is IPCC_ERR_ARGUMENT. `reply` may be NULL.
 * If the daemon's error comes with a detail (as that of `atomic` does), reply->value is the detail,
 * and the reply is to be freed although the call failed.
 * Any IPCC_ERR_ code of the daemon's.
 */
int ipcc_call(struct ipcc *conn, const char *method, const struct ipcc_value *params,
              size_t nparams, struct ipcc_reply *reply);

/* A call as a struct, for what ipcc_call has no parameter for. All zero but `method` is fine. */
struct ipcc_request {
    const char *method;
    const struct ipcc_value *params;
    size_t nparams;
    /* How long to wait for the answer in all, in milliseconds; then the call is cancelled and fails
     * with IPCC_ERR_NO_ANSWER. A limit against a daemon that hangs: the time that the method itself
     * should wait is one of its params. 0: no limit. */
    int64_t guard_ms;
    uint64_t reserved[4]; /* zero, else IPCC_ERR_ARGUMENT */
};

/* ipcc_call with a struct. IPCC_ERR_NO_ANSWER besides. */
int ipcc_call_request(struct ipcc *conn, const struct ipcc_request *request,
                      struct ipcc_reply *reply);

/* ---- The non-blocking core ------------------------------------------------------------------- */

/*
 * For programs with an event loop. None of these functions blocks. The loop watches ipcc_fd for
 * ipcc_events (level-triggered), calls ipcc_process when one came or ipcc_next_timeout ran out, and
 * then asks all three again, since they change. Blocking calls can be mixed in, from this or other
 * threads; while they wait they run the callbacks that are due.
 */

/* As ipcc_open, but returns at once; calls can be made at once, too, and leave when the connection
 * stands. If it cannot be made, they fail with IPCC_ERR_CONNECT. IPCC_ERR_CONNECT also at once if
 * nobody is there. */
int ipcc_open_async(struct ipcc **conn, const struct ipcc_options *options);

/* The descriptor to watch; -1 while there is none. Do not read, write or close it. */
int ipcc_fd(struct ipcc *conn);

/* What to watch for: POLLIN, and POLLOUT while there is something to send; 0 while there is no
 * descriptor. */
int ipcc_events(struct ipcc *conn);

/* Milliseconds until ipcc_process has to be called even if nothing happens; -1 for never. */
int ipcc_next_timeout(struct ipcc *conn);

/* Sends what waits to be sent, reads what came, and calls the callbacks of calls that are done.
 * `revents` is what poll(2) reported, or 0 for a timeout. 0, or the reason for which the connection
 * has just ended; calls in flight have then had their callbacks. IPCC_ERR_BUSY: in a callback. */
int ipcc_process(struct ipcc *conn, int revents);

/* Sends what asynchronous calls have left to be sent, as far as the socket takes it. ipcc_process
 * does the same; calling this after a batch of calls saves the loop a turn. */
int ipcc_flush(struct ipcc *conn);

/*
 * Told once that a call is done: status is 0 or an IPCC_ERR_ code. `reply` is never NULL; it is the
 * library's and ends with the callback: keep it with ipcc_reply_copy. With an error of the daemon's
 * its value is the detail, if there is one.
 * It runs in the thread that reads: the one in ipcc_process or ipcc_close, or one that is blocked
 * in a call on the connection. No lock is held: it may make asynchronous calls; blocking ones on
 * the same connection are IPCC_ERR_BUSY. It should be short, as nothing is read meanwhile.
 */
typedef void ipcc_done_fn(struct ipcc *conn, int status, const struct ipcc_reply *reply,
                          void *data);

/* Names an asynchronous call; never used twice on a connection, never 0. */
typedef uint64_t ipcc_call_id;

/* Starts a call. The request, params included, is copied; it leaves at the next ipcc_process or
 * ipcc_flush (or blocking call), so that many leave together. If this returns 0, `done` (NULL: no
 * interest) will be called exactly once; else never. `id` may be NULL. Started calls reach the
 * daemon in the order in which they were started, blocking ones included. */
int ipcc_call_async(struct ipcc *conn, const struct ipcc_request *request, ipcc_done_fn *done,
                    void *data, ipcc_call_id *id);

/* Asks the daemon to end the call's wait. Its callback comes as ever: with IPCC_ERR_CANCELLED, or
 * with the result if that was on its way already. IPCC_ERR_NOT_FOUND: no such call in flight. */
int ipcc_cancel(struct ipcc *conn, ipcc_call_id id);

/* Told of each notification from the daemon, such as object.event, but for goodbye, which the
 * library takes: `method` is a str, `params` a RAW array; both end with the callback. Where it runs
 * and what it may do: as ipcc_done_fn. */
typedef void ipcc_notify_fn(struct ipcc *conn, const struct ipcc_value *method,
                            const struct ipcc_value *params, void *data);

/* Sets who is told of notifications, in place of whoever was; NULL for nobody. */
int ipcc_on_notification(struct ipcc *conn, ipcc_notify_fn *notify, void *data);

/* ---- Opening objects ------------------------------------------------------------------------- */

enum ipcc_lifetime {
    IPCC_LIFETIME_DEFAULT = 0, /* not given: "daemon" if named, "scoped" if anonymous */
    IPCC_LIFETIME_DAEMON,      /* until deleted, or the daemon ends */
    IPCC_LIFETIME_SCOPED,      /* until no session has it open and nothing refers to it */
    IPCC_LIFETIME_DURABLE      /* survives restarts of the daemon */
};

/* The options of every type. The struct of a type begins with them. In all of these structs zero
 * means "not given": the default if the object is created; nothing is compared if it is there.
 * What is given must agree with an object that is there, else IPCC_ERR_MISMATCH. NULL in place of
 * a struct gives nothing. `reserved` as in ipcc_options. */
struct ipcc_open_options {
    bool existing;  /* do not create it: IPCC_ERR_NOT_FOUND if it is not there */
    bool exclusive; /* IPCC_ERR_EXISTS if it is there */
    enum ipcc_lifetime lifetime;
    unsigned mode; /* read and write bits as for files, 0660 by default */
    uint64_t reserved[2];
};

/*
 * The open functions create the object or open it. `name` is 1 to 255 bytes of UTF-8 without
 * control characters; NULL makes a new anonymous object, whose name the daemon gives. The handle is
 * required, is set on success only and ends with its close function.
 * IPCC_ERR_EXISTS, _MISMATCH, _STORAGE (lifetime durable without a store).
 *
 * The close functions free the handle and tell the daemon that the session has no longer the object
 * open, which ends one of lifetime "scoped" unless others have it open. A session opens an object
 * once however many handles it has: the first close counts for all. The handle is gone whatever is
 * returned. NULL is allowed.
 *
 * The name functions give the object's name; it lives as long as the handle. NULL for NULL.
 */

/* ---- Queues ---------------------------------------------------------------------------------- */

enum ipcc_order {
    IPCC_ORDER_DEFAULT = 0,
    IPCC_ORDER_FIFO,
    IPCC_ORDER_LIFO,
    IPCC_ORDER_PRIORITY /* lowest priority number first */
};

enum ipcc_on_disconnect {
    IPCC_ON_DISCONNECT_DEFAULT = 0,
    IPCC_ON_DISCONNECT_REQUEUE, /* what a session took and did not finish goes back to the head */
    IPCC_ON_DISCONNECT_DISCARD  /* it counts as done */
};

struct ipcc_queue_options {
    struct ipcc_open_options open;
    int64_t maxsize; /* items at most, queued and delayed; negative: unbounded, as by default */
    enum ipcc_order order;
    bool joinable; /* items are taken with a ticket and count as unfinished until task_done */
    /* Of joinable queues: */
    enum ipcc_on_disconnect on_disconnect;
    int64_t lease_ms;        /* a taken item goes back after this time unless touched */
    int64_t max_deliveries;  /* after so many it goes to dead_letter, or is dropped */
    const char *dead_letter; /* the name of a queue */
    uint64_t reserved[4];
};

int ipcc_queue_open(struct ipcc *conn, const char *name, const struct ipcc_queue_options *options,
                    struct ipcc_queue **queue);
int ipcc_queue_close(struct ipcc_queue *queue);
const char *ipcc_queue_name(const struct ipcc_queue *queue);

struct ipcc_put_options {
    struct ipcc_value
        priority;     /* numbers, or strs, or bins: one kind in a queue; IPCC_NONE for 0 */
    int64_t delay_ms; /* not to be got before so many milliseconds */
    int64_t ttl_ms;   /* dropped if not got within so many milliseconds; 0: never */
    uint64_t reserved[2];
};

/* Puts one value. Waits while the queue is full. IPCC_ERR_FULL, _SHUT_DOWN; _TYPE for a priority of
 * another kind than those in the queue; _DELETED while waiting, as all that wait. `options` may be
 * NULL. */
int ipcc_queue_put(struct ipcc_queue *queue, struct ipcc_value value, int64_t timeout_ms,
                   const struct ipcc_put_options *options);

/* Puts the elements of an array in order. *count is how many were put: fewer than all only if the
 * time ran out or the queue was shut down meanwhile. IPCC_ERR_FULL if none, _SHUT_DOWN, _TYPE. */
int ipcc_queue_put_many(struct ipcc_queue *queue, struct ipcc_value values, int64_t timeout_ms,
                        uint64_t *count);

struct ipcc_item {
    struct ipcc_value value; /* lives as long as the reply it came with */
    int64_t ticket;          /* of a joinable queue, for task_done; else IPCC_NO_TICKET */
    int64_t deliveries;      /* 1 the first time */
};

/* Takes the next item. `item` and `reply` are required; free the reply when done with the value.
 * If the item of a plain queue cannot be kept for want of memory, it is lost. IPCC_ERR_EMPTY,
 * _SHUT_DOWN. */
int ipcc_queue_get(struct ipcc_queue *queue, int64_t timeout_ms, struct ipcc_item *item,
                   struct ipcc_reply *reply);

/* Takes up to `max` items; waits for the first one only. `reply` is required: go through it with
 * ipcc_walk_of(&reply->value) and ipcc_walk_item. IPCC_ERR_EMPTY, _SHUT_DOWN. */
int ipcc_queue_get_many(struct ipcc_queue *queue, size_t max, int64_t timeout_ms,
                        struct ipcc_reply *reply);

/* Steps to the next item of an answer of get_many. false when there is none left. Does not block.
 */
bool ipcc_walk_item(struct ipcc_walk *walk, struct ipcc_item *item);

/* Counts a taken item as done. With IPCC_NO_TICKET the session's oldest unfinished one, else the
 * queue's oldest taken one. *unfinished is how many are left. IPCC_ERR_VALUE: none, or not yours.
 */
int ipcc_queue_task_done(struct ipcc_queue *queue, int64_t ticket, uint64_t *unfinished);

/* Puts a taken item back at the head, after delay_ms if that is not 0. IPCC_ERR_VALUE. */
int ipcc_queue_give_back(struct ipcc_queue *queue, int64_t ticket, int64_t delay_ms);

/* Starts the lease of a taken item again. IPCC_ERR_VALUE. */
int ipcc_queue_touch(struct ipcc_queue *queue, int64_t ticket);

/* Waits until nothing is unfinished: queued, delayed or taken. IPCC_ERR_TIMEOUT. */
int ipcc_queue_join(struct ipcc_queue *queue, int64_t timeout_ms);

/* How many items a get could return now; whether a get would find none; whether a put would find
 * no room. Exact at that moment. */
int ipcc_queue_qsize(struct ipcc_queue *queue, uint64_t *size);
int ipcc_queue_empty(struct ipcc_queue *queue, bool *empty);
int ipcc_queue_full(struct ipcc_queue *queue, bool *full);

/* Looks at up to `count` values from position `start` on, in the order in which get would return
 * them; removes nothing. The answer is an array. */
int ipcc_queue_peek(struct ipcc_queue *queue, size_t start, size_t count, struct ipcc_reply *reply);

/* Removes all queued and delayed items; *removed is how many. */
int ipcc_queue_clear(struct ipcc_queue *queue, uint64_t *removed);

/* Shuts down as Python 3.13: puts fail, gets drain and then fail; immediate drops the items too. */
int ipcc_queue_shutdown(struct ipcc_queue *queue, bool immediate);

/* ---- Dicts ----------------------------------------------------------------------------------- */

/* Keys are values: any but a map, NaN and ext types 1 and 2 (IPCC_ERR_TYPE). 5, "5", 5.0 and true
 * are four keys. Insertion order is kept. */

struct ipcc_dict_options {
    struct ipcc_open_options open;
    struct ipcc_value initial; /* a map, for a dict that is created */
    uint64_t reserved[2];
};

int ipcc_dict_open(struct ipcc *conn, const char *name, const struct ipcc_dict_options *options,
                   struct ipcc_dict **dict);
int ipcc_dict_close(struct ipcc_dict *dict);
const char *ipcc_dict_name(const struct ipcc_dict *dict);

/* The value of a key, or `fallback` if the key is missing and `fallback` is not IPCC_NONE.
 * IPCC_ERR_KEY. */
int ipcc_dict_get(struct ipcc_dict *dict, struct ipcc_value key, struct ipcc_value fallback,
                  struct ipcc_reply *reply);

/* Sets the value of a key. *is_new: the key was not there. */
int ipcc_dict_set(struct ipcc_dict *dict, struct ipcc_value key, struct ipcc_value value,
                  bool *is_new);

/* Sets each key of a map, or none if one of them cannot be a key. *added: how many are new. */
int ipcc_dict_update(struct ipcc_dict *dict, struct ipcc_value map, uint64_t *added);

/* The value of a key, set to `value` first if it is missing. */
int ipcc_dict_setdefault(struct ipcc_dict *dict, struct ipcc_value key, struct ipcc_value value,
                         struct ipcc_reply *reply);

/* Deletes a key. IPCC_ERR_KEY. */
int ipcc_dict_delete(struct ipcc_dict *dict, struct ipcc_value key);

/* Removes a key and gives its value, or `fallback` as in ipcc_dict_get. IPCC_ERR_KEY. */
int ipcc_dict_pop(struct ipcc_dict *dict, struct ipcc_value key, struct ipcc_value fallback,
                  struct ipcc_reply *reply);

/* Removes the pair inserted last and gives it; `reply` is required and holds both.
 * IPCC_ERR_KEY: the dict is empty. */
int ipcc_dict_popitem(struct ipcc_dict *dict, struct ipcc_value *key, struct ipcc_value *value,
                      struct ipcc_reply *reply);

int ipcc_dict_contains(struct ipcc_dict *dict, struct ipcc_value key, bool *there);
int ipcc_dict_len(struct ipcc_dict *dict, uint64_t *length);
int ipcc_dict_clear(struct ipcc_dict *dict);

/* All keys, all values: an array. All items: an array of [key, value]. A copy: a map. */
int ipcc_dict_keys(struct ipcc_dict *dict, struct ipcc_reply *reply);
int ipcc_dict_values(struct ipcc_dict *dict, struct ipcc_reply *reply);
int ipcc_dict_items(struct ipcc_dict *dict, struct ipcc_reply *reply);
int ipcc_dict_copy(struct ipcc_dict *dict, struct ipcc_reply *reply);

/* Goes through a large dict in steps of about `count` items (0: the daemon's choice). *cursor is 0
 * at first, is changed by each step, and is 0 again after the last one. The answer is an array of
 * [key, value]. Each key that stays throughout is seen once. `cursor` is required. */
int ipcc_dict_scan(struct ipcc_dict *dict, uint64_t *cursor, size_t count,
                   struct ipcc_reply *reply);

/* Adds delta (IPCC_NONE: 1) to the number of a key, atomically; a missing key starts at `initial`
 * (IPCC_NONE: 0). The answer is the new number. IPCC_ERR_TYPE, _RANGE. */
int ipcc_dict_incr(struct ipcc_dict *dict, struct ipcc_value key, struct ipcc_value delta,
                   struct ipcc_value initial, struct ipcc_reply *reply);

/* Compare and set: if the key has the value `expected` now (IPCC_NONE: is not there), it gets
 * `value` (IPCC_NONE: is deleted). *changed says whether. */
int ipcc_dict_cas(struct ipcc_dict *dict, struct ipcc_value key, struct ipcc_value expected,
                  struct ipcc_value value, bool *changed);

/* Waits until the key is there; gives its value. IPCC_ERR_TIMEOUT. */
int ipcc_dict_wait(struct ipcc_dict *dict, struct ipcc_value key, int64_t timeout_ms,
                   struct ipcc_reply *reply);

/* ---- Lists ----------------------------------------------------------------------------------- */

/* As Python's list: negative indexes count from the end; IPCC_ERR_INDEX when out of range. */

struct ipcc_list_options {
    struct ipcc_open_options open;
    struct ipcc_value initial; /* an array, for a list that is created */
    uint64_t reserved[2];
};

int ipcc_list_open(struct ipcc *conn, const char *name, const struct ipcc_list_options *options,
                   struct ipcc_list **list);
int ipcc_list_close(struct ipcc_list *list);
const char *ipcc_list_name(const struct ipcc_list *list);

/* Adds a value, or the elements of an array, at the end. *length is the new one. */
int ipcc_list_append(struct ipcc_list *list, struct ipcc_value value, uint64_t *length);
int ipcc_list_extend(struct ipcc_list *list, struct ipcc_value values, uint64_t *length);

/* Inserts before index; an index out of range is clamped. */
int ipcc_list_insert(struct ipcc_list *list, int64_t index, struct ipcc_value value);

/* IPCC_ERR_INDEX, all four. pop removes the value (of the last: -1) and gives it. */
int ipcc_list_get(struct ipcc_list *list, int64_t index, struct ipcc_reply *reply);
int ipcc_list_delete(struct ipcc_list *list, int64_t index);
int ipcc_list_set(struct ipcc_list *list, int64_t index, struct ipcc_value value);
int ipcc_list_pop(struct ipcc_list *list, int64_t index, struct ipcc_reply *reply);

/* list[start:stop:step], each of them IPCC_OMIT if left out. slice gives an array; set_slice
 * replaces by the elements of one. IPCC_ERR_VALUE: step 0, or sizes that differ where Python wants
 * them equal. */
int ipcc_list_slice(struct ipcc_list *list, int64_t start, int64_t stop, int64_t step,
                    struct ipcc_reply *reply);
int ipcc_list_set_slice(struct ipcc_list *list, int64_t start, int64_t stop, int64_t step,
                        struct ipcc_value values);
int ipcc_list_delete_slice(struct ipcc_list *list, int64_t start, int64_t stop, int64_t step);

int ipcc_list_len(struct ipcc_list *list, uint64_t *length);
int ipcc_list_clear(struct ipcc_list *list);

/* The index of the first value that is equal, between start and stop (IPCC_OMIT). IPCC_ERR_VALUE:
 * there is none. */
int ipcc_list_index(struct ipcc_list *list, struct ipcc_value value, int64_t start, int64_t stop,
                    uint64_t *index);

/* How many values are equal; whether one is; removal of the first one (IPCC_ERR_VALUE: none is). */
int ipcc_list_count(struct ipcc_list *list, struct ipcc_value value, uint64_t *count);
int ipcc_list_contains(struct ipcc_list *list, struct ipcc_value value, bool *there);
int ipcc_list_remove(struct ipcc_list *list, struct ipcc_value value);

int ipcc_list_reverse(struct ipcc_list *list);

/* Sorts in place, stable. IPCC_ERR_TYPE: values that cannot be compared. */
int ipcc_list_sort(struct ipcc_list *list, bool reverse);

/* Repeats in place `times` times, as *= does. */
int ipcc_list_repeat(struct ipcc_list *list, int64_t times);

/* Adds delta (IPCC_NONE: 1) to the number at an index, atomically. The answer is the new number.
 * IPCC_ERR_INDEX, _TYPE, _RANGE. */
int ipcc_list_incr(struct ipcc_list *list, int64_t index, struct ipcc_value delta,
                   struct ipcc_reply *reply);

/* ---- Objects, sessions, the daemon ----------------------------------------------------------- */

/* The description of an object, a map: name, type, owner, group, mode, lifetime, created, waiting,
 * bytes, the type's options and figures. */
int ipcc_object_describe(struct ipcc *conn, const char *name, struct ipcc_reply *reply);

/* Deletes an object; all who wait on it get IPCC_ERR_DELETED. */
int ipcc_object_delete(struct ipcc *conn, const char *name);

/* The session has the object no longer open. The close function of a handle does this. */
int ipcc_object_close(struct ipcc *conn, const char *name);

/* Sets the read and write bits for owner, group and others: 0640. */
int ipcc_object_chmod(struct ipcc *conn, const char *name, unsigned mode);

struct ipcc_object_filter {
    const char *glob; /* names that match, "jobs.*"; NULL: all */
    const char *type; /* "queue", "dict", …; NULL: all */
    uint64_t cursor;  /* 0 at first, then that of the last answer */
    size_t limit;     /* at most so many; 0: the daemon's choice */
    uint64_t reserved[2];
};

/* Lists objects: a map of "objects", an array of descriptions, and "cursor", which is 0 when there
 * is nothing left. An answer can be short, even empty, without being the last. `filter` may be
 * NULL. */
int ipcc_object_list(struct ipcc *conn, const struct ipcc_object_filter *filter,
                     struct ipcc_reply *reply);

/* Answers with the value. */
int ipcc_server_ping(struct ipcc *conn, struct ipcc_value value, struct ipcc_reply *reply);

/* The methods there are: an array of maps of name, params, result, summary, flags. */
int ipcc_server_methods(struct ipcc *conn, struct ipcc_reply *reply);

/* The daemon's figures, a map: uptime, sessions, objects, bytes, calls, errors, waiting, memory. */
int ipcc_server_stats(struct ipcc *conn, struct ipcc_reply *reply);

/* The sessions: an array of maps of session, pid, uid, gid, client, since, calls, waiting, holding,
 * bytes. And one of them, with what it has open, waits for and holds; 0 for this session.
 * IPCC_ERR_NOT_FOUND. */
int ipcc_session_list(struct ipcc *conn, struct ipcc_reply *reply);
int ipcc_session_describe(struct ipcc *conn, uint64_t session, struct ipcc_reply *reply);

/* Ends a session, as root, as the daemon's user, or as the session's own. IPCC_ERR_NOT_FOUND. */
int ipcc_session_kill(struct ipcc *conn, uint64_t session);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif /* IPCCLIENT_H */
