/*
 * rpc: a bare-socket MessagePack-RPC client for tests.
 *
 * Blocking, with a limit on every wait: a test of a daemon that hangs fails, and does not hang.
 * Values are written and expected in the notation of notation.h. It reads with msgpack-c's own
 * unpacker and shares no code with the daemon. What goes wrong ends the running test through
 * cmocka, at the line of the caller for the expect_ macros.
 */
#pragma once

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "tests/support/notation.h"

enum {
    RPC_LIMIT_MS = 30 * 1000,  /* no single wait of a test takes longer */
    RPC_DESCRIPTORS_MAX = 253, /* what one message can carry in Linux */
    RPC_TEXTS = 64,            /* texts of rpc_text that are valid at the same time */
};

enum reply_type { REPLY_RESPONSE = 1, REPLY_NOTIFICATION = 2 };

/* One message from the daemon. The objects point into bytes and zone, which it owns. */
struct reply {
    enum reply_type type;
    uint32_t msgid;        /* of a response */
    msgpack_object error;  /* of a response */
    msgpack_object result; /* of a response */
    msgpack_object method; /* of a notification */
    msgpack_object params; /* of a notification */
    char *bytes;           /* the whole message */
    size_t size;
    size_t result_at; /* where the result (the params) stands in bytes; it goes to their end */
    int64_t received; /* when it was read, in the milliseconds of rpc_now */
    msgpack_unpacked unpacked;
    struct reply *next;
};

struct rpc {
    int fd;
    uint32_t last_msgid;
    char *in; /* bytes that are not a whole message yet */
    size_t in_size;
    size_t in_capacity;
    struct reply *first;          /* read, not asked for yet, in order of arrival */
    int fds[RPC_DESCRIPTORS_MAX]; /* received, in order of arrival; closed with the client */
    unsigned fd_count;
    bool ended; /* the daemon has closed the connection */
    char *texts[RPC_TEXTS];
    unsigned text_at;
};

/* Milliseconds of the monotonic clock. */
int64_t rpc_now(void);

/* The address of a socket path; "@name" is abstract. Returns its length. */
struct sockaddr_un;
unsigned rpc_address(const char *path, struct sockaddr_un *out);

/* A connection to the daemon at `path`; NULL with errno if it refuses. */
struct rpc *rpc_open(const char *path);

/* A client on a connected socket, which belongs to it from now on. */
struct rpc *rpc_from_fd(int fd);

/* Closes the connection; NULL is fine. */
void rpc_close(struct rpc *rpc);

/* printf into a text that stays valid until RPC_TEXTS further ones were made. */
const char *rpc_text(struct rpc *rpc, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Writes bytes as they are; blocks until all are in the kernel. */
void rpc_write(struct rpc *rpc, const void *data, size_t len);

/* The same, with descriptors (which stay the caller's) at the first byte. */
void rpc_write_descriptors(struct rpc *rpc, const void *data, size_t len, const int *fds,
                           size_t count);

/* Writes all values in `notation`, whatever they are. */
void rpc_write_notation(struct rpc *rpc, const char *notation);

/* Sends a request and does not wait; returns its msgid. params: an array in notation. With
 * IPCD_TEST_TAKEOVER in the environment another daemon takes over before some of them (SIGUSR2). */
uint32_t rpc_send(struct rpc *rpc, const char *method, const char *params);

/* The same, and waits until the daemon has begun it: requests of one connection start in order, so
 * the response to a ping behind it says so. */
uint32_t rpc_start(struct rpc *rpc, const char *method, const char *params);

/* Waits until the call waits where its object lives, or has been answered: with an engine that is
 * later. */
void rpc_await_begun(struct rpc *rpc, uint32_t msgid);

/* Appends the bytes of a request to *out instead of sending it; returns its msgid. */
uint32_t rpc_pack(struct rpc *rpc, msgpack_sbuffer *out, const char *method, const char *params);

void rpc_notify(struct rpc *rpc, const char *method, const char *params);
void rpc_cancel(struct rpc *rpc, uint32_t msgid);

/* The next message in order of arrival, or NULL when the connection has ended. Free it. */
struct reply *rpc_next(struct rpc *rpc);

/* The response to msgid; others are kept for later. NULL when the connection has ended. Free it. */
struct reply *rpc_wait(struct rpc *rpc, uint32_t msgid);

/* Sends a request and waits for its response, whatever it is. Free it. */
struct reply *rpc_call(struct rpc *rpc, const char *method, const char *params);

void reply_free(struct reply *reply);

/* An integer in the result of a call that must succeed: the result itself, or that of a map's key.
 */
int64_t rpc_number(struct rpc *rpc, const char *method, const char *params, const char *key);

/* Where a test stands, for its messages. */
struct place {
    const char *file;
    int line;
};
#define HERE ((struct place){__FILE__, __LINE__})

/* The call must succeed with a result that matches. */
#define expect(rpc, method, params, result) rpc_expect(rpc, method, params, result, HERE)
void rpc_expect(struct rpc *rpc, const char *method, const char *params, const char *result,
                struct place place);

/* The result's bytes must be those of `result`, encoded just so. */
#define expect_bytes(rpc, method, params, result)                                                  \
    rpc_expect_bytes(rpc, method, params, result, HERE)
void rpc_expect_bytes(struct rpc *rpc, const char *method, const char *params, const char *result,
                      struct place place);

/* The call must fail with this code, and a message that holds `word` (NULL: any). */
#define expect_error(rpc, method, params, code)                                                    \
    rpc_expect_error(rpc, method, params, (const char *[]){code, NULL}, HERE)
#define expect_error_word(rpc, method, params, code, word)                                         \
    rpc_expect_error(rpc, method, params, (const char *[]){code, word}, HERE)
void rpc_expect_error(struct rpc *rpc, const char *method, const char *params,
                      const char *const code_and_word[2], struct place place);

/* The response to a request sent before. */
#define expect_result(rpc, msgid, result) rpc_expect_result(rpc, msgid, result, HERE)
void rpc_expect_result(struct rpc *rpc, uint32_t msgid, const char *result, struct place place);
#define expect_failure(rpc, msgid, code) rpc_expect_failure(rpc, msgid, code, HERE)
void rpc_expect_failure(struct rpc *rpc, uint32_t msgid, const char *code, struct place place);

/* The request has no response yet, although everything sent before on this connection was run. */
#define expect_waiting(rpc, msgid) rpc_expect_waiting(rpc, msgid, HERE)
void rpc_expect_waiting(struct rpc *rpc, uint32_t msgid, struct place place);

/* Asks again until the result matches, within RPC_LIMIT_MS. */
#define expect_soon(rpc, method, params, result) rpc_expect_soon(rpc, method, params, result, HERE)
void rpc_expect_soon(struct rpc *rpc, const char *method, const char *params, const char *result,
                     struct place place);

/* A goodbye with this code, then the end of the connection. */
#define expect_goodbye(rpc, code) rpc_expect_goodbye(rpc, code, HERE)
void rpc_expect_goodbye(struct rpc *rpc, const char *code, struct place place);

/* The end of the connection; a goodbye before it is allowed. */
#define expect_closed(rpc) rpc_expect_closed(rpc, HERE)
void rpc_expect_closed(struct rpc *rpc, struct place place);

/* Ends the running test with a message. */
_Noreturn void test_fail(struct place place, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
