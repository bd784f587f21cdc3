/*
 * ipcclient/object: what holds for objects of every type: opening, describing, deleting; and the
 * methods of sessions and of the daemon. Part of ipcclient.h.
 */
#ifndef IPCCLIENT_OBJECT_H
#define IPCCLIENT_OBJECT_H

#include "connection.h"

IPCC_DECLARATIONS_BEGIN

#define IPCC_OMIT INT64_MIN /* bound or step of a slice: left out, as in Python's [:] */

enum ipcc_lifetime {
    IPCC_LIFETIME_DEFAULT = 0, /* not given: "daemon" if named, "scoped" if anonymous */
    IPCC_LIFETIME_DAEMON,      /* until deleted, or the daemon ends */
    IPCC_LIFETIME_SCOPED,      /* until no session has it open and nothing refers to it */
    IPCC_LIFETIME_DURABLE      /* until deleted, on disk; see Durable objects */
};

/* What becomes of what a session holds when it ends. Each type takes two of these. */
enum ipcc_on_disconnect {
    IPCC_ON_DISCONNECT_DEFAULT = 0,
    IPCC_ON_DISCONNECT_REQUEUE, /* items taken and not finished go back to the head of the queue */
    IPCC_ON_DISCONNECT_DISCARD, /* … or count as done */
    IPCC_ON_DISCONNECT_RELEASE, /* locks and permits are given back */
    IPCC_ON_DISCONNECT_KEEP     /* … or stay held, though nobody is left to give them back */
};

/* The options of every type. The struct of a type begins with them. In all of these structs zero
 * means "not given": the default if the object is created; nothing is compared if it is there.
 * What is given must agree with an object that is there, else IPCC_ERR_MISMATCH. NULL in place of
 * a struct gives nothing. `reserved` as in ipcc_options. */
struct ipcc_open_options {
    bool existing;  /* do not create it: IPCC_ERR_NOT_FOUND if it is not there */
    bool exclusive; /* IPCC_ERR_EXISTS if it is there */
    enum ipcc_lifetime lifetime;
    unsigned mode;     /* read and write bits as for files, 0660 by default */
    const char *group; /* the name of a group that the user is in, or its number in digits */
    uint64_t reserved[1];
};

/*
 * The open functions create the object or open it. `name` is 1 to 255 bytes of UTF-8 without
 * control characters; NULL makes a new anonymous object, whose name the daemon gives. The handle is
 * required, is set on success only and ends with its close function.
 * IPCC_ERR_EXISTS, _MISMATCH, _STORAGE (lifetime durable, and the daemon keeps nothing on disk).
 *
 * The close functions free the handle and tell the daemon that the session has no longer the object
 * open, which ends one of lifetime "scoped" unless others have it open. A session opens an object
 * once however many handles it has: the first close counts for all. The handle is gone whatever is
 * returned. NULL is allowed.
 *
 * The name functions give the object's name; it lives as long as the handle. NULL for NULL.
 */

/*
 * Durable objects. Queues, dicts, namespaces and lists with a name may have IPCC_LIFETIME_DURABLE;
 * others are IPCC_ERR_BAD_REQUEST. When a call that changed one has returned 0, the change is on
 * disk; and what a call has shown of one is on disk too, whoever changed it. (A daemon may be
 * configured to be less strict; it says so in server.stats.) Calls wait for that, and for nothing
 * else: the changes of all who wait are written together.
 *
 * A call that fails with IPCC_ERR_LOST may have been done or not, as a whole, and so may a batch.
 * When the daemon is there again, so are the objects with all that was in them, and a connection
 * with ipcc_options.reconnect finds them by its handles. Items that were taken from a joinable
 * queue are at its head, their tickets are void (IPCC_ERR_VALUE), and item.deliveries is 2 or more:
 * whoever cannot do a job twice looks at it.
 *
 * IPCC_ERR_STORAGE: there is no space on disk; nothing was changed. IPCC_ERR_TYPE: the value has a
 * descriptor, or a reference to an object that is not durable.
 */

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

/* Gives an object another owner or another group, or both; of a negative uid or gid nothing
 * changes. The owner may give a group that its user is in, root and the daemon's user everything.
 * What the object costs counts for the new owner: IPCC_ERR_LIMIT if that is over a limit. */
int ipcc_object_chown(struct ipcc *conn, const char *name, int64_t uid, int64_t gid);

/* Gives an object another name. Whoever has it open, holds it or waits on it goes on; but a handle
 * goes by the name that it was opened with, here as in other programs, and finds nothing any more,
 * or whatever is called that then. IPCC_ERR_EXISTS: the name is taken; _VALUE: stored values refer
 * to the object by its name, or it would become a dead letter queue of its own. */
int ipcc_object_rename(struct ipcc *conn, const char *name, const char *new_name);

struct ipcc_object_filter {
    const char *glob; /* names that match, "jobs.*"; NULL: all */
    const char *type; /* "queue", "dict", …; NULL: all */
    uint64_t cursor;  /* 0 at first, then that of the last answer */
    size_t limit;     /* at most so many; 0: the daemon's choice */
    bool waiting;     /* only those on which calls wait */
    uint64_t reserved[2];
};

/* Lists objects: a map of "objects", an array of descriptions, and "cursor", which is 0 when there
 * is nothing left. An answer can be short, even empty, without being the last. `filter` may be
 * NULL. */
int ipcc_object_list(struct ipcc *conn, const struct ipcc_object_filter *filter,
                     struct ipcc_reply *reply);

/* Answers with the value. */
int ipcc_server_ping(struct ipcc *conn, struct ipcc_value value, struct ipcc_reply *reply);

/* The methods there are: an array of maps of name, params, options, result, summary, flags. */
int ipcc_server_methods(struct ipcc *conn, struct ipcc_reply *reply);

/* Which daemon it is and its figures, a map: version, pid, socket, uptime, sessions, objects,
 * bytes, limits, users, calls, errors, waiting, memory, engine and more. */
int ipcc_server_stats(struct ipcc *conn, struct ipcc_reply *reply);

/* The sessions: an array of maps of session, pid, uid, gid, client, since, calls, waiting, holding,
 * bytes. If the daemon shares an engine with other hosts they are those of all hosts, `session` is
 * a str, "HOST:NUMBER", and there is `host`. And one of them, with what it has open, waits for and
 * holds; 0 for this session. The number is one of this host's daemon: another host's session is
 * asked for by its name, with ipcc_call and "session.describe". IPCC_ERR_NOT_FOUND. */
int ipcc_session_list(struct ipcc *conn, struct ipcc_reply *reply);
int ipcc_session_describe(struct ipcc *conn, uint64_t session, struct ipcc_reply *reply);

/* Ends a session of this host's daemon, as root, as the daemon's user, or as the session's own;
 * another host's with ipcc_call and "session.kill". IPCC_ERR_NOT_FOUND. */
int ipcc_session_kill(struct ipcc *conn, uint64_t session);

IPCC_DECLARATIONS_END

#endif /* IPCCLIENT_OBJECT_H */
