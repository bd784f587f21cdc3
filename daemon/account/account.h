/*
 * account: who may, and how much.
 *
 * Credentials are what the kernel says of a peer. A user is one uid's account: what is stored in
 * objects that the uid owns, and what waits in its sessions, is charged to it, and to the total.
 * Sessions, objects and descriptors are counted the same way. A charge is refused before anything
 * is changed, and `refusal` then says which limit it was and the figures, so that whoever answers
 * the call can tell.
 *
 * Each of these has a limit in all and one for each user below it. Root and the daemon's own user
 * are trusted: only the limits in all hold for them, and of those they have a reserve that others
 * cannot use up (limit_reserve), so that there is always room for them to put things right.
 *
 * Nothing here blocks or knows a socket. One thread.
 */
#pragma once

#include <sys/queue.h>
#include <sys/types.h>

#include "daemon/account/closer.h"
#include "proto/buffer.h"
#include "proto/error.h"
#include "proto/message.h"

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
    uint64_t max_message;          /* bytes of one message */
    uint64_t max_sessions;         /* connections at a time, in all */
    uint64_t max_user_sessions;    /* of each user (uid) */
    uint64_t max_objects;          /* objects in all */
    uint64_t max_user_objects;     /* that each user owns */
    uint64_t max_bytes;            /* bytes stored, waiting and unread, in all */
    uint64_t max_user_bytes;       /* charged to each user */
    uint64_t max_stored;           /* bytes of durable objects in all, as they are charged */
    uint64_t max_user_stored;      /* of those that each user owns */
    uint64_t max_waiting;          /* waiting calls of each session */
    uint64_t max_descriptors;      /* descriptors held in values and incomplete messages, in all */
    uint64_t max_user_descriptors; /* that each user has sent or owns */
    uint64_t max_output;           /* bytes of answers that one session has not read */
    uint64_t max_events; /* bytes of events that one session is given beyond what it reads */
};

/* Their numbers, in the order in which they are shown. */
enum limit {
    LIMIT_max_message,
    LIMIT_max_sessions,
    LIMIT_max_user_sessions,
    LIMIT_max_objects,
    LIMIT_max_user_objects,
    LIMIT_max_bytes,
    LIMIT_max_user_bytes,
    LIMIT_max_stored,
    LIMIT_max_user_stored,
    LIMIT_max_waiting,
    LIMIT_max_descriptors,
    LIMIT_max_user_descriptors,
    LIMIT_max_output,
    LIMIT_max_events,
    LIMIT_COUNT
};

/* The limits by name: for the configuration, server.hello and messages. */
struct limit_row {
    const char *name;
    size_t offset;     /* of the uint64_t within struct limits */
    uint64_t standard; /* with 32 GiB of memory */
    uint64_t least;
    uint64_t most;
    const char *unit; /* "bytes", "sessions", … */
    enum limit whole; /* of a limit for each user: the one in all; else LIMIT_COUNT */
};

extern const struct limit_row limit_rows[LIMIT_COUNT];

void limits_init(struct limits *limits);
uint64_t *limit_value(struct limits *limits, const struct limit_row *row);

/* Makes the limits that follow from how much memory there is fit it, but for those that are given
 * (a bit set): with all of them used up the process stays below it, whatever is stored. */
void limits_fit_memory(struct limits *limits, uint32_t given, uint64_t memory);

/* Makes the limits for each user fit those in all: one that is not given (no bit set for it) is
 * half of that in all; one that is more becomes the same. Returns a bit for each of the latter. */
uint32_t limits_complete(struct limits *limits, uint32_t given);

/* Makes max_sessions and max_descriptors fit so many descriptors of the process, both in the same
 * proportion. True if they do already. */
bool limits_fit(struct limits *limits, uint64_t descriptors);

/* How much of a limit in all is kept for trusted users: a sixteenth, and 1 at least of 2. */
enum { LIMIT_RESERVE = 16 };
uint64_t limit_reserve(uint64_t max);

/* Which limit refused the last charge, and the figures. */
struct refusal {
    const struct limit_row *limit;
    uint64_t used;
    uint64_t wanted; /* 0: what is used is too much already */
    uint64_t max;
    uint64_t reserve; /* the part of max that the caller may not use */
    uid_t uid;        /* for a limit for each user */
};

/* What is counted for each user and in all, and has a limit for both. */
enum resource {
    RESOURCE_BYTES,
    RESOURCE_SESSIONS,
    RESOURCE_OBJECTS,
    RESOURCE_STORED,
    RESOURCE_DESCRIPTORS,
    RESOURCE_COUNT
};

struct accounts;

/* One uid's account; made at the first use, freed when nothing refers to it. */
struct user {
    TAILQ_ENTRY(user) link;
    struct accounts *accounts;
    uid_t uid;
    bool trusted; /* root, or the daemon's own user */
    unsigned refs;
    uint64_t bytes;
    uint64_t sessions;
    uint64_t objects;     /* that it owns */
    uint64_t stored;      /* bytes of those of them that are durable; they are among `bytes`, too */
    uint64_t descriptors; /* that the daemon holds for it: those that it has sent, or that its
                             objects have made */
};

struct accounts {
    TAILQ_HEAD(user_list, user) users;
    struct limits limits;
    struct refusal refusal;
    uid_t self;     /* the daemon's own user */
    uint64_t bytes; /* the sums over the users */
    uint64_t sessions;
    uint64_t objects;
    uint64_t stored;
    uint64_t descriptors;
    bool is_loading;       /* what is charged was within the limits before: none refuses it */
    struct closer *closer; /* not owned; NULL: descriptors are closed by whoever lets go of them */
};

void accounts_init(struct accounts *accounts, uid_t self);
void accounts_deinit(struct accounts *accounts); /* asserts that no user is left */

/* The account of a uid with one more reference, or NULL for want of memory. */
struct user *accounts_user(struct accounts *accounts, uid_t uid);
struct user *user_ref(struct user *user);
void user_unref(struct user *user); /* NULL is allowed */

/* Charges bytes to the user and the total. 0, or ERR_LIMIT with accounts->refusal set. */
int user_charge(struct user *user, uint64_t bytes);
/* Charges without asking: for what comes back and must not be lost. */
void user_charge_always(struct user *user, uint64_t bytes);
void user_release(struct user *user, uint64_t bytes);
/* As user_charge, but nothing is charged. */
int user_may_charge(struct user *user, uint64_t bytes);
/* 0; or ERR_LIMIT with accounts->refusal set, if what was charged without asking is more than
 * `slack` bytes over a limit. */
int user_check_bytes(struct user *user, uint64_t slack);

/* What waits to be closed counts as descriptors that are held, but for so many: else one that was
 * just given up could refuse the next one. */
enum { CLOSING_FREE = 256 };

/* Closes a descriptor that is not counted (any more), without waiting for it; see closer.h. */
void user_close(const struct user *user, int fd);
/* True if some of those are not closed yet. */
bool user_is_closing(const struct user *user);

/* The user has so many more of a resource that is not bytes: 0, or ERR_LIMIT with
 * accounts->refusal set. */
int user_take(struct user *user, enum resource resource, uint64_t count);
/* Without asking. */
void user_take_always(struct user *user, enum resource resource, uint64_t count);
/* So many less. */
void user_give_back(struct user *user, enum resource resource, uint64_t count);

/* A thing, with so much of each resource, becomes another user's. 0; or ERR_LIMIT with
 * accounts->refusal set, and nothing has changed: the limits of `to` hold. Those in all are not
 * asked, since all users together have what they had. */
int user_hand_over(struct user *from, struct user *to, const uint64_t counts[RESOURCE_COUNT]);

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

/* Of a limit that is not a user's: 0 if there may be one more than `count`, or ERR_LIMIT with
 * accounts->refusal set. */
int accounts_admit(struct accounts *accounts, uint64_t count, enum limit limit);

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
