/*
 * libipcclient: the C client of ipcd, the daemon that owns named queues, dicts, lists, locks and
 * their kind and serves them to every process of the machine. This header is the manual;
 * ipcclient(3) is its index.
 *
 *     struct ipcc *conn;
 *     struct ipcc_queue *queue;
 *     if (ipcc_perror("connecting", ipcc_open(&conn, NULL)) == 0 &&
 *         ipcc_perror("jobs", ipcc_queue_open(conn, "jobs", NULL, &queue)) == 0) {
 *         ipcc_perror("putting", ipcc_queue_put(queue, ipcc_str("hello"), IPCC_FOREVER, NULL));
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
 * they do not block. A signal does not end the wait (its handler can: ipcc_interrupt), and no
 * function is a cancellation point of pthread_cancel(3). Those that take `timeout_ms` can wait at
 * the daemon for something to happen: milliseconds, 0 to not wait at all, IPCC_FOREVER for no
 * limit; a wait never ends early. It is the daemon that measures this time; see
 * ipcc_options.guard_ms for a daemon that hangs.
 *
 * Threads. A connection and every handle opened on it may be used by many threads at once, each
 * blocked in a call of its own; the library starts no thread. Only ipcc_close and the close
 * function of a handle must be the last use of what they close. The daemon sees one session: for it
 * all threads of a connection are the same client, but for locks and conditions, which a thread
 * holds (see ipcclient/guard.h).
 *
 * Fork. A connection belongs to the process that opened it. In the child of fork(2) every use of it
 * or of its handles is IPCC_ERR_FORKED and touches nothing of the parent's. The child's copy of the
 * socket is closed at the fork, so that the session ends with the parent and not with its last
 * child; so are its copies of descriptors that are on their way in calls and answers, but for those
 * that another thread is being told of in a callback just then. The close functions free the
 * child's copies of the structs; they return 0. The child opens connections of its own; ends of
 * pipes it may use, and values and arrays that are mapped (see ipcclient/memory.h). What the parent
 * holds stays the parent's. (A child that was made without fork's handlers, by vfork(2) or
 * clone(2), must leave the library alone.)
 *
 * Where a rule comes from the protocol, ipcprotocol(7) has it in full.
 *
 * The parts, each of which can be included alone: error, value, connection, async (the non-blocking
 * core), batch (several calls as one), result (what calls by name have given), object (what all
 * types have in common), ahead (items of queues without a call), watch (events of objects), and one
 * for each type of object. ipcclient/msgpack.h is apart: it is for programs that have msgpack-c,
 * which the others need not.
 */
#ifndef IPCCLIENT_H
#define IPCCLIENT_H

#include "ipcclient/ahead.h"
#include "ipcclient/async.h"
#include "ipcclient/barrier.h"
#include "ipcclient/batch.h"
#include "ipcclient/condition.h"
#include "ipcclient/connection.h"
#include "ipcclient/dict.h"
#include "ipcclient/error.h"
#include "ipcclient/event.h"
#include "ipcclient/guard.h"
#include "ipcclient/list.h"
#include "ipcclient/lock.h"
#include "ipcclient/memory.h"
#include "ipcclient/namespace.h"
#include "ipcclient/object.h"
#include "ipcclient/pipe.h"
#include "ipcclient/queue.h"
#include "ipcclient/result.h"
#include "ipcclient/semaphore.h"
#include "ipcclient/value.h"
#include "ipcclient/watch.h"

#endif /* IPCCLIENT_H */
