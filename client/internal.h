/*
 * internal: what the files of the library share.
 *
 * One mutex, ipcc.lock, guards a connection. One role is taken beside it, the reader's: whoever has
 * set ipcc.reading is the only one to receive, to take apart what came, to try to connect again and
 * to end the connection (connection_lost), and the only one to touch ipcc.in, with or without the
 * lock. A thread blocked in a call takes the role when it is free and passes it on to the next
 * blocked thread when its own call is done (sync.c); ipcc_process takes it for one turn (async.c).
 * Nobody holds the lock while waiting for the socket or while a callback runs.
 *
 * Layers, each using those after it: typed handles (a file for each type, and object.c; they share
 * typed.h), blocking calls (sync.c), the non-blocking core (async.c, connection.c, stream.c,
 * flight.c), values, descriptors and replies, errors.
 */
#pragma once

#include "client/encoding.h"
#include "client/ipcclient.h"
#include "proto/message.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/un.h>

enum {
    MESSAGE_TEXT = 512,          /* bytes of a failure's message, its NUL included */
    CONNECT_TIMEOUT_MS = 10000,  /* ipcc_options.connect_timeout_ms when it is 0 */
    CONNECT_RETRY_MS = 5,        /* pause when the daemon's backlog is full */
    RECEIVE_ROOM = 16 * 1024,    /* bytes of free room for each receive, at least */
    KEEP_CAPACITY = 1024 * 1024, /* an empty buffer with more capacity than this is freed */
    BATCH_BYTES = 64 * 1024,     /* asynchronous calls leave by themselves when so much waits */
    DESCRIPTORS_RECEIVED = 253,  /* the most that one receive can bring: SCM_MAX_FD of Linux */
};

/* No deadline. Deadlines are milliseconds of CLOCK_MONOTONIC. */
#define NEVER INT64_MAX

/* ---- error.c: what this thread was told last ------------------------------------------------- */

/* A callback that is running in this thread. One of another connection can run inside it, if it
 * blocks in a call there. */
struct callback {
    const struct ipcc *conn;
    const struct callback *outer;
};

/* What the library keeps for each thread. */
struct thread_state {
    char message[MESSAGE_TEXT];
    const struct callback *callback; /* the innermost one, or NULL */
};

struct thread_state *thread_state(void);

/* Writes into a text of MESSAGE_TEXT bytes; what is cut off ends with a whole character. */
void message_format(char *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Sets this thread's message and returns `code`. */
int error_set(int code, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* ARGUMENT unless all are zero. */
int check_reserved(const uint64_t *reserved, size_t count);
#define CHECK_RESERVED(options)                                                                    \
    check_reserved((options)->reserved,                                                            \
                   sizeof((options)->reserved) / sizeof((options)->reserved[0]))

/* ---- value.c, reply.c ------------------------------------------------------------------------ */

/* Appends the encoding. `depth` containers may be opened. ARGUMENT, with a message; want of memory
 * is latched in the buffer. */
int value_encode(const struct ipcc_value *value, unsigned depth, struct encoding *to);

/* The value of a whole, valid encoding, pointing into it. */
struct ipcc_value value_decode(struct slice raw);

/* Takes apart an item as queue.get answers it, [value, ticket, deliveries]. false: it is none. */
bool item_decode(const struct ipcc_value *array, struct ipcc_item *item);
/* The same with the queue's name in front, as queue.get_any answers it. */
bool item_decode_named(const struct ipcc_value *array, struct ipcc_value *name,
                       struct ipcc_item *item);

/* "a boolean", "a str", … for messages. */
const char *value_kind_name(const struct ipcc_value *value);

/* False if it has a length, but a NULL pointer. */
static inline bool value_has_bytes(const struct ipcc_value *value)
{
    return value->length == 0 || value->as.data != NULL;
}

/* {0}, so that it need not be freed; NULL is allowed. Every function that takes a reply begins with
 * this. */
void reply_clear(struct ipcc_reply *reply);

/* Makes *reply hold a copy of the value. 0, or NO_MEMORY with *reply {0} and no message, since the
 * reply can be another thread's. */
int reply_set(struct ipcc_reply *reply, struct slice raw);

/* ---- descriptors.c: file descriptors on their way, and in replies ------------------------------
 */

/* The descriptors of one message. */
struct ipcc_descriptors {
    STAILQ_ENTRY(ipcc_descriptors) link; /* out: in ipcc.passing */
    uint32_t msgid;                      /* out */
    bool cut;                            /* in: the kernel could not hand over all of them */
    size_t at; /* out: the message's first byte in ipcc.out; in: it is in [at, until) of ipcc.in */
    size_t until; /* in */
    unsigned count;
    int fds[]; /* owned; -1: taken */
};

STAILQ_HEAD(passing, ipcc_descriptors);

/* Room for `count`, of which there are none yet. NULL: no memory. */
struct ipcc_descriptors *descriptors_new(unsigned count);
void descriptors_free(struct ipcc_descriptors *descriptors); /* closes them; NULL is allowed */

/* Makes duplicates; -1 stays -1. ARGUMENT: one is not open. SYSTEM, NO_MEMORY. */
int descriptors_duplicate(const int *fds, unsigned count, struct ipcc_descriptors **out);

/* ---- flight.c: the calls in flight ------------------------------------------------------------
 */

/* A thread that waits for an answer in a blocking call. It lives on that thread's stack. While the
 * thread sleeps it is in ipcc.waiters; whoever changes `state` takes it out and wakes the thread.
 */
struct waiter {
    _Atomic uint32_t state; /* enum waiter_state; a futex */
    int status;             /* DONE: of the call; with a message in `message` */
    struct ipcc_reply reply;
    char *message; /* the thread's own */
    bool listed;
    TAILQ_ENTRY(waiter) link;
    bool listening; /* for events, not for an answer: in ipcc.listeners */
    TAILQ_ENTRY(waiter) listener;
};

enum waiter_state {
    WAITER_PENDING,
    WAITER_DONE,  /* its answer is there; the thread needs the lock no more */
    WAITER_LEAD,  /* it has been given the reader's role */
    WAITER_FLUSH, /* it is asked to see to what waits to be sent */
};

TAILQ_HEAD(waiters, waiter);

enum slot_kind {
    SLOT_FREE,
    SLOT_BLOCKING,  /* a thread waits for it */
    SLOT_ASYNC,     /* a callback does */
    SLOT_ABANDONED, /* nobody does any more; its msgid is not free before the answer came */
};

/* Whether a call waits at the daemon, which ipcc_interrupt ends. */
enum call_wait {
    CALL_NEVER_WAITS,
    CALL_WAITS,    /* while the connection is interrupted it is not sent */
    CALL_MAY_WAIT, /* … it is sent and cancelled: done if that can be done without waiting */
};

/* A call in flight. Its index is its msgid. */
struct slot {
    enum slot_kind kind;
    enum call_wait wait;
    bool greeting;    /* it is the server.hello of the connection */
    bool interrupted; /* it has been cancelled for ipcc_interrupt */
    uint32_t serial;  /* tells the calls apart that use the slot one after the other */
    uint32_t epoch;   /* the connection that it went out on */
    uint32_t next;    /* of the free ones */
    int unpassed;     /* not 0: it went out without its descriptors, for this errno */
    int64_t deadline;
    struct waiter *waiter;
    ipcc_done_fn *done;
    void *data;
};

struct flight {
    struct slot *slots;
    uint32_t count;   /* of slots */
    uint32_t free;    /* the first free one; count if there is none */
    int64_t deadline; /* no asynchronous call's deadline is earlier; may be too early */
};

void flight_deinit(struct flight *flight);

/* Takes a slot, zeroed but for its serial. NULL: no memory. Valid until the next flight_add. */
struct slot *flight_add(struct flight *flight, uint32_t *msgid);
void flight_remove(struct flight *flight, uint32_t msgid);

/* The slot in use under that msgid, or NULL. */
struct slot *flight_find(struct flight *flight, uint32_t msgid);

/* The name of an asynchronous call, and back; NULL when it is not in flight any more. */
ipcc_call_id flight_id(const struct flight *flight, uint32_t msgid);
struct slot *flight_find_id(struct flight *flight, ipcc_call_id id, uint32_t *msgid);

/* ---- the connection -------------------------------------------------------------------------- */

enum link_state { LINK_DOWN, LINK_CONNECTING, LINK_UP };

struct ipcc {
    pthread_mutex_t lock;
    atomic_uint references; /* the connection's own and one for each handle */
    atomic_uint inside;     /* threads in a blocking call */
    unsigned forks;         /* how many there were when it was opened; see fork.c */
    bool watched;
    LIST_ENTRY(ipcc) link_all;

    /* As opened. */
    struct sockaddr_un address;
    socklen_t address_len;
    char *client;
    char *client_version;
    int64_t connect_timeout_ms;
    int64_t guard_ms;
    size_t max_message;
    bool reconnect;

    enum link_state link;
    bool closed;              /* by ipcc_close; it is never up again */
    bool reading;             /* somebody has the reader's role */
    bool receiving;           /* … and waits for input only, not for room to send */
    uint32_t epoch;           /* counts connections; changes when one is lost */
    int fd;                   /* -1 unless LINK_UP */
    int64_t connect_deadline; /* of connecting and greeting */
    int64_t retry_at;         /* LINK_CONNECTING: when to try next */

    struct buffer out; /* what waits to be sent, from `sent` on */
    size_t sent;
    bool send_failed;       /* the peer takes no more; what it still had to say can be received */
    struct passing passing; /* descriptors of messages in `out` */

    struct buffer in;
    struct ipcc_descriptors *front; /* of the message at the front of `in`, or NULL */
    /* Of the latest receive, or NULL. The reader sets it without the lock: a child of fork sees a
     * whole one or none. */
    _Atomic(struct ipcc_descriptors *) came;
    struct scan scan; /* of the message at the front of `in`, if `scanning` */
    bool scanning;

    struct flight flight;
    struct waiters waiters;
    struct waiter *flusher; /* a thread that waits for room to send, or NULL */
    int wake_fd;            /* wakes the flusher; -1 until first needed */

    pid_t process;           /* that opened it */
    int interrupt_fd;        /* readable from an interrupt until it is resumed; -1: there is none */
    atomic_bool interrupted; /* set before interrupt_fd is written to; no call may wait */
    bool interrupt_seen;     /* the waits in flight have been cancelled; nobody polls it any more */

    bool greeted;
    struct buffer greeting; /* the daemon's answer to server.hello */
    uint64_t session;
    size_t max_request; /* the daemon's max_message */

    int end_code; /* not 0: to be ended by the reader, for this reason; or ended for it */
    char end_message[MESSAGE_TEXT];

    ipcc_notify_fn *notify;
    void *notify_data;
    ipcc_watch_event_fn *event_told;
    void *event_data;
    struct waiters listeners; /* threads in ipcc_wait_watch_event */
};

/* fork.c: from now on, or no longer, seen to at forks. NO_MEMORY. Not locked. */
int fork_watch(struct ipcc *conn);
void fork_unwatch(struct ipcc *conn);

/* True in a child of the process that opened it. Not locked. */
bool fork_happened(const struct ipcc *conn);

/* address.c: fills conn->address by the protocol's order. ARGUMENT. */
int address_find(struct ipcc *conn, const char *path);

/* connection.c. Functions named connection_ want the lock to be held unless they say otherwise. */

/* Checks, without the lock, that the connection may be used here at all. ARGUMENT, FORKED. */
int connection_enter(const struct ipcc *conn);

/* As connection_enter for what waits for the connection or drives it: BUSY in its callbacks. */
int connection_enter_blocking(const struct ipcc *conn);

/* Makes a connection that is not connected. Not locked. ARGUMENT, NO_MEMORY. */
int connection_new(struct ipcc **conn, const struct ipcc_options *options);
void connection_ref(struct ipcc *conn);
void connection_unref(struct ipcc *conn); /* not locked */

/* link.c */

/* Sees to it that the connection is up or about to be, if it may. LOST, CONNECT, SYSTEM, NO_MEMORY.
 * `waiter`, or NULL, waits for the greeting if one is sent now. */
int connection_start(struct ipcc *conn, struct waiter *waiter);

/* Reader: does what is due by the clock: connecting again, giving up connecting. */
void connection_tick(struct ipcc *conn, int64_t now);

/* Takes the result of server.hello. PROTOCOL, NO_MEMORY, with a message in `text`. */
int connection_greeted(struct ipcc *conn, struct slice result, char *text);

/* Asks for the connection's end; the reader, whoever that is or will be, carries it out. */
void connection_end(struct ipcc *conn, int code, const char *message);

/* Reader: the connection has ended, for the reason asked for or else the one given. All calls in
 * flight fail. Lets go of the lock while callbacks run. */
void connection_lost(struct ipcc *conn, int code, const char *message);

/* stream.c */

/* Appends a request to what waits to be sent and takes a slot for it. ARGUMENT, TOO_LARGE,
 * NO_MEMORY. */
int stream_request(struct ipcc *conn, const struct ipcc_request *request, struct slot **slot,
                   uint32_t *msgid);

/* Appends [2, "cancel", [msgid]]. Want of memory is ignored: a cancel is a wish. */
void stream_cancel(struct ipcc *conn, uint32_t msgid);

/* Sends what waits, as far as the socket takes it. */
void stream_send(struct ipcc *conn);
bool stream_pending(const struct ipcc *conn);

/* Reader, without the lock: receives once, with recvmsg's `flags`. 1: bytes came. 0: there are none
 * now. Negative: the connection has ended, or can no longer be received from; `text` says why. */
int stream_receive(struct ipcc *conn, int flags, char *text);

/* descriptors.c. The first message that waits to be sent goes on without its descriptors. */
void passing_drop_first(struct ipcc *conn);
/* `gone` bytes were taken from the front of ipcc.out. */
void passing_shift(struct ipcc *conn, size_t gone);

/* Reader, without the lock: takes what came with the bytes [from, until) of ipcc.in. -1: there is
 * no memory to do so, and all is closed. */
int descriptors_receive(struct ipcc *conn, struct msghdr *message, size_t from, size_t until);

/* The descriptors of the message that begins at `at` of ipcc.in and names some; NULL if none came.
 * The caller frees them. */
struct ipcc_descriptors *descriptors_take(struct ipcc *conn, size_t at);

/* All whole messages are dealt with, and `at` bytes of ipcc.in done; `incomplete`: behind them is
 * the beginning of one more. Closes all that belongs to no message that can still come. */
void descriptors_settle(struct ipcc *conn, size_t at, bool incomplete);

/* Closes all that is on its way. */
void descriptors_clear(struct ipcc *conn);

/* incoming.c. Reader, after stream_receive: deals with all whole messages that have come, or with
 * the end. Lets go of the lock while callbacks run. */
void incoming_take(struct ipcc *conn, int status, const char *text);

/* sync.c */

/* Ends a thread's wait: with *reply (moved) and a message, both possibly NULL. */
void waiter_finish(struct ipcc *conn, struct waiter *waiter, int status);

/* Waits until the waiter's call is done, or `deadline` has passed (NO_ANSWER; the call `msgid` is
 * abandoned then; TIMEOUT if it waits for events). Called with the lock held, returns without it.
 * The status of the call. */
int waiter_wait(struct ipcc *conn, struct waiter *waiter, uint32_t msgid, int64_t deadline);

/* Ends the waits of all threads in ipcc_wait_watch_event; an error has a message. */
void listeners_finish(struct ipcc *conn, int status, const char *message);

/* Runs a call and waits for its answer, as ipcc_call_request. INTERRUPTED besides. */
int call_run(struct ipcc *conn, const struct ipcc_request *request, enum call_wait wait,
             struct ipcc_reply *reply);

/* Lets go of the reader's role: gives it to a thread that waits, if there is one. */
void reader_leave(struct ipcc *conn);

/* interrupt.c. Makes a new connection one that can be interrupted. Not locked. SYSTEM. */
int interrupt_prepare(struct ipcc *conn);

/* INTERRUPTED, with the message of a wait that is not begun. */
int interrupt_refuse(void);

/* Cancels one wait in flight: if it has nothing to show at the daemon it ends as INTERRUPTED. */
void interrupt_call(struct ipcc *conn, uint32_t msgid);

/* Reader, when interrupt_fd is readable: cancels all waits in flight. */
void interrupt_waits(struct ipcc *conn);

/* watch.c. Reader: takes a notification if it is an event and somebody wants those: calls the
 * callback, without the lock meanwhile. */
bool event_take(struct ipcc *conn, const struct ipcc_value *method,
                const struct ipcc_value *params);

/* async.c */

/* Around a callback: let go of the lock and note it, and back. */
void callback_enter(struct ipcc *conn, struct callback *frame);
void callback_leave(struct ipcc *conn, const struct callback *frame);

/* Calls the callback of a call that is done, without the lock meanwhile. */
void callback_run(struct ipcc *conn, const struct slot *slot, int status,
                  const struct ipcc_reply *reply);

/* Fails asynchronous calls whose guard time has run out. Lets go of the lock for their callbacks.
 */
void async_expire(struct ipcc *conn, int64_t now);

/* When the clock next asks for something: connecting, or a guard. NEVER if it does not. */
int64_t async_deadline(const struct ipcc *conn);

int64_t clock_ms(void);

/* `ms` from now, NEVER for IPCC_FOREVER or what would overflow. */
int64_t deadline_in(int64_t ms);
