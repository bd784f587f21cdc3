/*
 * account: who may, and how much.
 *
 * Credentials are what the kernel says of a peer. A user is one uid's account: what is stored in
 * objects that the uid owns, and what waits in its sessions, is charged to it, and to the total.
 * A charge is refused before anything is changed, and `refusal` then says which limit it was and
 * the figures, so that whoever answers the call can tell.
 *
 * Nothing here blocks or knows a socket. One thread.
 */
#pragma once

#include <sys/queue.h>
#include <sys/types.h>

#include "daemon/account/closer.h"
#include "proto/buffer.h"
#include "proto/error.h"

/* The kernel's word on a peer (SO_PEERCRED, SO_PEERGROUPS). */
struct credentials {
    uid_t uid;
    gid_t gid;
    pid_t pid;
    gid_t *groups; /* owned; supplementary groups */
    size_t ngroups;
};

void credentials_deinit(struct credentials *credentials);

/* True if gid is the peer's primary group or one of its supplementary ones. */
bool credentials_in_group(const struct credentials *credentials, gid_t gid);

/* The limits of ipcd.conf(5); every one has a default and may be changed while the daemon runs. */
struct limits {
    uint64_t max_message;     /* bytes of one message */
    uint64_t max_sessions;    /* connections at a time */
    uint64_t max_objects;     /* objects in all */
    uint64_t max_bytes;       /* bytes stored, waiting and unread, in all */
    uint64_t max_user_bytes;  /* the same for each user (uid) */
    uint64_t max_waiting;     /* waiting calls of each session */
    uint64_t max_descriptors; /* descriptors held in values and incomplete messages, in all */
    uint64_t max_output;      /* bytes of answers that one session has not read */
    uint64_t max_events;      /* bytes of events that one session is given beyond what it reads */
};

/* The limits by name: for the configuration, server.hello and messages. */
struct limit_row {
    const char *name;
    size_t offset; /* of the uint64_t within struct limits */
    uint64_t standard;
    uint64_t least;
    uint64_t most;
    const char *unit; /* "bytes", "sessions", … */
};

enum { LIMIT_COUNT = 9 };
extern const struct limit_row limit_rows[LIMIT_COUNT];

void limits_init(struct limits *limits);
uint64_t *limit_value(struct limits *limits, const struct limit_row *row);

/* Which limit refused the last charge, and the figures. */
struct refusal {
    const char *limit; /* a name in limit_rows */
    uint64_t used;
    uint64_t wanted;
    uint64_t max;
    uid_t uid; /* for max_user_bytes */
};

struct accounts;

/* One uid's account; made at the first use, freed when nothing refers to it. */
struct user {
    TAILQ_ENTRY(user) link;
    struct accounts *accounts;
    uid_t uid;
    unsigned refs;
    uint64_t bytes;
    uint64_t descriptors; /* that the daemon holds for it, in values and incomplete messages */
};

struct accounts {
    TAILQ_HEAD(user_list, user) users;
    struct limits limits;
    struct refusal refusal;
    uid_t self;            /* the daemon's own user */
    uint64_t bytes;        /* the sum over the users */
    uint64_t objects;      /* registry's count */
    uint64_t sessions;     /* net's count */
    uint64_t descriptors;  /* the sum over the users */
    struct closer *closer; /* not owned; NULL: descriptors are closed by whoever lets go of them */
};

void accounts_init(struct accounts *accounts);
void accounts_deinit(struct accounts *accounts); /* asserts that no user is left */

/* The account of a uid with one more reference, or NULL for want of memory. */
struct user *accounts_user(struct accounts *accounts, uid_t uid);
struct user *user_ref(struct user *user);
void user_unref(struct user *user); /* NULL is allowed */

/* Charges bytes to the user and the total. 0, or ERR_LIMIT with accounts->refusal set. */
int user_charge(struct user *user, uint64_t bytes);
/* The same without asking: for what comes back and must not be lost. */
void user_charge_always(struct user *user, uint64_t bytes);
void user_release(struct user *user, uint64_t bytes);

/* The sum of what one user is charged for one thing that has many parts, such as a session. */
struct tally {
    struct user *user; /* not a reference: the thing's own keeps it */
    uint64_t bytes;
};

/* One part's share of a tally. It knows where it is counted, so that whoever holds it says only
 * what the part costs now. A zeroed one is of nothing, and releasing it does nothing. */
struct charge {
    struct tally *tally;
    uint64_t bytes;
};

/* The part costs so many bytes now, whatever it did before: 0; or ERR_LIMIT, as user_charge, and
 * the charge is what it was. Never fails when it comes to cost less. */
int charge_set(struct charge *charge, uint64_t bytes);
/* As charge_set, without asking. */
void charge_set_always(struct charge *charge, uint64_t bytes);
/* The part is gone. */
void charge_release(struct charge *charge);

/* What waits to be closed counts against max_descriptors like what is held, but for so many: else a
 * descriptor that was just given up could refuse the next one. */
enum { CLOSING_FREE = 256 };

/* Counts descriptors that are held for the user. 0, or ERR_LIMIT with accounts->refusal set. */
int user_hold_descriptors(struct user *user, uint64_t count);
/* So many are held no longer. */
void user_drop_descriptors(struct user *user, uint64_t count);
/* Closes a descriptor that is not counted (any more), without waiting for it; see closer.h. */
void user_close(const struct user *user, int fd);
/* True if some of those are not closed yet. */
bool user_is_closing(const struct user *user);

/* Counts one more of something: 0, or ERR_LIMIT with accounts->refusal set. */
int accounts_admit(struct accounts *accounts, uint64_t *count, const char *limit, uint64_t max);

/* Appends the refusal as a sentence that names the limit and the figures. */
void refusal_print(const struct refusal *refusal, struct buffer *out);

/* The access bits of a mode, as for files: enum method_needs READ or WRITE as 4 and 2. */
enum { ACCESS_READ = 4, ACCESS_WRITE = 2 };

/* True if the mode of something that uid:gid owns grants `bits` to the peer. Root and the daemon's
 * own user (geteuid, given as `self`) are granted everything. */
bool access_granted(const struct credentials *peer, uid_t self, uid_t uid, gid_t gid, mode_t mode,
                    unsigned bits);
/* True if the peer may do what only the owner may. */
bool access_owner(const struct credentials *peer, uid_t self, uid_t uid);
