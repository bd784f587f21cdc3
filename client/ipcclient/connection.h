/*
 * ipcclient/connection: opening and closing connections, and calling any method by its name. Part
 * of ipcclient.h.
 */
#ifndef IPCCLIENT_CONNECTION_H
#define IPCCLIENT_CONNECTION_H

#include "value.h"

IPCC_DECLARATIONS_BEGIN

struct ipcc; /* a connection: one session at the daemon */

#define IPCC_FOREVER (-1) /* timeout_ms: no limit */

/* All zero means the defaults; so does NULL in place of the struct. */
struct ipcc_options {
    /* The daemon's socket; "@name" is one in the abstract name space. NULL: $IPCD_SOCKET if set
     * (but to "embedded"), else $XDG_RUNTIME_DIR/ipcd/ipcd.sock if there is a socket there, else
     * /run/ipcd/ipcd.sock. */
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
     * IPCC_FOREVER have none, nor have waits on conditions. */
    int64_t guard_ms;
    /* The largest message to accept from the daemon, in bytes; a larger one ends the connection
     * with IPCC_ERR_TOO_LARGE. 0: as large as a message can be (4 GiB). Memory is only taken for
     * bytes that came. */
    size_t max_message;
    /* Connect again when the connection is lost; see Reconnecting. */
    bool reconnect;
    /* ipcc_interrupt works on it. It takes one more descriptor and, for each wait for an answer,
     * one more system call. */
    bool interruptible;
    /* Start a daemon if nobody has named a socket and none answers; see Embedded daemons. */
    bool embedded;
    /* Before a thread sleeps until an answer comes, it looks for it again and again, for up to 50
     * microseconds. Where the daemon runs on another processor, a call that is answered at once
     * takes half the time then, and a tenth if the daemon does the same ([loop] of ipcd.conf(5)),
     * as nobody has to be woken; the price is the calling thread's processor for as long. It is
     * done only while answers come in that time, and only by threads that may use more than one
     * processor (sched_setaffinity(2)): what waits long burns next to nothing. */
    bool spin;
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

/*
 * Embedded daemons. With ipcc_options.embedded, or $IPCD_SOCKET=embedded in the environment,
 * opening a connection needs no daemon that runs already. If neither ipcc_options.path nor
 * $IPCD_SOCKET names a socket, and nobody answers where a daemon usually is, the library starts an
 * ipcd of the program's own: the one that $IPCD_PATH names; else the first that there is beside the
 * library, as installed or as built, where it was to be installed, or in $PATH. This takes a few
 * milliseconds, also in ipcc_open_async. IPCC_ERR_CONNECT: there is none, or it does not start; the
 * message says where it was looked for, or why.
 *
 * It listens in a new directory of mode 0700 in $XDG_RUNTIME_DIR, $TMPDIR or /tmp, with the limits
 * that an ipcd without configuration has, and with the program's user, priority, resource limits
 * and control group. It logs to the file that $IPCD_LOG names, else nowhere.
 *
 * Who has it. The library sets IPCD_SOCKET in the environment of the process, so that all that it
 * starts from then on find the daemon, and all later connections of its own. A process has one
 * daemon, however many threads open connections at the same time. Processes that have a parent
 * which has not opened a connection have one each: a program whose children are to share a daemon
 * opens a connection before it starts them, or hands ipcc_address on where the environment is not
 * inherited. As with any setenv(3), no other thread may be in getenv(3) while the first connection
 * is opened. The process waits for the child by which it starts the daemon: one SIGCHLD comes, and
 * waitpid(2) for any child in another thread may see it.
 *
 * When it ends. The daemon lives as long as
 *  - there is a connection,
 *  - a process lives that has ever had one, or
 *  - the process that started it lives, or a child of its by fork(2) that has executed no other
 *    program (these hold a descriptor, which a program that closes all descriptors closes too),
 * and two seconds longer, for processes that were being started and have not connected yet. So it
 * outlives whoever started it if others use it, and nobody has to end it: it goes when the last one
 * is gone, killed or not, and its directory with it. It belongs to no terminal and no process group
 * of the program's, and keeps no descriptor of it open: Ctrl-C does not reach it, and who reads the
 * program's output gets the end of it. A daemon that is itself killed by SIGKILL leaves its
 * directory, which the next one that starts there removes.
 *
 * If the daemon has died, its starter gets a new one at its next opening with the option; others
 * that were given its address get IPCC_ERR_CONNECT, rather than each a daemon of its own.
 * Connections with `reconnect` do not start one.
 */

/* Closes: the session ends at the daemon, which gives back what it held. Callbacks still
 * outstanding are called with IPCC_ERR_LOST. Handles of the connection are still to be closed; used
 * otherwise they give IPCC_ERR_LOST. Does not block. NULL is allowed. IPCC_ERR_BUSY, and nothing is
 * closed: other threads are in calls on it (ipcc_disconnect ends those), or it is called in a
 * callback. In a forked child it only frees memory: nothing is sent, no callback called. */
int ipcc_close(struct ipcc *conn);

/* Ends the connection as if it had been lost, from any thread. Does not block. */
int ipcc_disconnect(struct ipcc *conn);

/*
 * Ends what waits on the connection, from a signal handler: for the worker that waits for ever and
 * is to stop on SIGTERM (stopping.c among the examples). It needs ipcc_options.interruptible.
 *
 *     static void stop(int signal) { (void)ipcc_interrupt(conn); }
 *
 * Until ipcc_resume, no thread waits at the daemon on this connection:
 *  - Waits that have begun are cancelled. Each ends as soon as the daemon has answered that, with
 *    IPCC_ERR_INTERRUPTED, and has taken nothing; or with its result as ever, if that was on its
 * way already: no item and no lock is lost. (A daemon that hangs answers nothing; what bounds that
 * is the call's own guard time.) ipcc_wait_watch_event ends at once.
 *  - A call with a timeout_ms that is not 0 is IPCC_ERR_INTERRUPTED and is not sent, so a signal
 *    that comes just before the wait ends it too. (ipcc_condition_wait is sent, so that it gives up
 *    the lock as ever when it is cancelled.)
 *  - Calls that do not wait go on as ever, so that the task in hand can be finished: task_done,
 *    release, a put with timeout_ms 0. A call by name (ipcc_call) does what can be done without
 *    waiting; what would wait is IPCC_ERR_INTERRUPTED.
 * It does not concern ipcc_call_async (see ipcc_cancel), ends of pipes, and the locks in shared
 * memory. A thread that is reading for the others and runs a callback sees to it after that.
 *
 * Async-signal-safe, for any thread, does not block, and leaves errno and ipcc_last_message alone.
 * The connection must not be closed before, or by, whoever may still call it: take the handler away
 * first. 0; IPCC_ERR_ARGUMENT: NULL, or not interruptible; IPCC_ERR_FORKED, in a child of the
 * process that opened it, from the fork on: the parent's waits are not ended.
 */
int ipcc_interrupt(struct ipcc *conn);

/* Threads may wait again. Nothing happens if they may already. Does not block, and is not for
 * signal handlers. An interrupt that comes at the same time can count as before it or after it.
 * IPCC_ERR_ARGUMENT: NULL, or not interruptible. */
int ipcc_resume(struct ipcc *conn);

/* The session's number at the daemon. Does not block. IPCC_ERR_LOST: there is none just now. */
int ipcc_session(struct ipcc *conn, uint64_t *session);

/* Room for any socket's path and a NUL. */
enum { IPCC_ADDRESS_SIZE = 108 };

/* Writes the path of the daemon's socket, as ipcc_options.path takes it, to be handed on to other
 * processes. `path` is required. Does not block. IPCC_ERR_RANGE: it needs more room. */
int ipcc_address(struct ipcc *conn, char *path, size_t size);

/* A copy of the daemon's greeting, a map: server, version, protocol, session, and limits: a map of
 * max_message, max_depth, max_name, … Does not block. IPCC_ERR_LOST: there is none just now. */
int ipcc_greeting(struct ipcc *conn, struct ipcc_reply *reply);

/* ---- Any method ------------------------------------------------------------------------------ */

/*
 * Calls a method by name, "queue.get", and waits for the answer: every method there is, also ones
 * that this library does not know. `params` are `nparams` values, those that `ipcctl help
 * queue.get` and ipcprotocol(7) show, in this order: a timeout without limit is ipcc_nil(), not
 * IPCC_FOREVER. Trailing ones of kind IPCC_NONE are left out, elsewhere IPCC_NONE is
 * IPCC_ERR_ARGUMENT. `reply` may be NULL. If the daemon's error comes with a detail (as that of
 * `atomic` does), reply->value is the detail, and the reply is to be freed although the call
 * failed. Any IPCC_ERR_ code of the daemon's.
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
    /* For runtimes that handle signals outside of signal handlers, as Python does. It is called in
     * the calling thread, with no lock held, when a signal has interrupted the thread's wait, and
     * once shortly after the wait began, for a signal that came just before; it may use the
     * connection. true: the wait is to end. It is then cancelled as by ipcc_interrupt, this call
     * alone: INTERRUPTED, and nothing was taken; or the result as ever, if that was on its way. If
     * it says true again before the daemon has answered, the call is given up as after guard_ms.
     * NULL: signals do not matter. Not for ipcc_call_async, which ignores it. */
    bool (*interrupted)(void *data);
    void *interrupted_data;
    uint64_t reserved[2]; /* zero, else IPCC_ERR_ARGUMENT */
};

/* ipcc_call with a struct. IPCC_ERR_NO_ANSWER besides. */
int ipcc_call_request(struct ipcc *conn, const struct ipcc_request *request,
                      struct ipcc_reply *reply);

/* ipcc_reply_free, for a reply of this connection's whose memory, if it is large, the connection
 * may have back for the next one: who takes many large answers, one after the other, is spared the
 * system's giving out new pages for each, a third of what they cost. NULL and {0} are allowed for
 * both. Does not block. */
void ipcc_reply_recycle(struct ipcc *conn, struct ipcc_reply *reply);

IPCC_DECLARATIONS_END

#endif /* IPCCLIENT_CONNECTION_H */
