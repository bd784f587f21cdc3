/*
 * object: what all types have in common: a name, an owner, a mode, a lifetime, a price, and the
 * lists of those who wait on it.
 *
 * A type embeds struct object as its first member and describes itself in a struct object_type.
 * The objects are plain data structures: time comes in as an argument (milliseconds or nanoseconds
 * of a monotonic clock, as each function says), and nothing here answers a call. An operation that
 * changes what others may wait for, or its timer, says so itself (object_changed, in waits.h).
 *
 * Where an operation finds an invariant of its object broken, the object is sealed (object_check,
 * object_seal): its contents are not touched again, not even to free them, calls on it answer
 * INTERNAL, and all others go on. It can still be described, closed and deleted.
 *
 * An object lives while it is in the registry or somebody holds a reference (refs). Deleting takes
 * it out of the registry at once and sets `deleted`; the memory goes with the last reference.
 */
#pragma once

#include <sys/queue.h>
#include <time.h>

#include "daemon/account/account.h"
#include "daemon/objects/blob.h"
#include "daemon/objects/deadline.h"
#include "daemon/objects/ordered.h"
#include "daemon/objects/pace.h"
#include "daemon/objects/rows.h"
#include "proto/pack.h"
#include "proto/type.h"

enum lifetime { LIFETIME_DAEMON, LIFETIME_SCOPED, LIFETIME_DURABLE };

enum { OBJECT_NAME_MAX = 255, OBJECT_CHANNELS = 3, OBJECT_DESCRIPTORS = 2 };

struct object;
struct object_options;
struct registry;
struct wait; /* daemon/objects/waits.h */
struct wait_index;
struct hold;  /* daemon/call/hold.h */
struct tie;   /* daemon/objects/tie.h */
struct watch; /* daemon/objects/watch.h */
struct row;   /* daemon/objects/row_form.h */

TAILQ_HEAD(wait_list, wait);
TAILQ_HEAD(tie_list, tie);
LIST_HEAD(watch_list, watch);

/* What a type gives the layers above. */
struct object_type {
    enum object_kind kind;
    size_t size; /* of its struct, which the type allocates */
    /* Frees what the type added and clear leaves; the object itself is freed by object_unref.
     * NULL: there is nothing. */
    void (*deinit)(struct object *object);
    /* Drops the contents: the object is deleted, or deinit is next. This and the two below that
     * take a pace may be long; see pace.h. NULL: there is nothing. */
    void (*clear)(struct object *object, struct pace *pace);
    /* Packs the options and figures of the type at `now` as pairs; returns how many pairs. */
    size_t (*describe)(const struct object *object, struct buffer *out, uint64_t now);
    /* When time next changes something by itself, in nanoseconds; TIME_NEVER: never. NULL: never.
     */
    uint64_t (*due)(const struct object *object);
    /* Does what is due at `now`. NULL with due. */
    void (*tick)(struct object *object, uint64_t now, struct pace *pace);
    /* A session ends (or closes a claim) and leaves what it took: gives it back as the object's
     * options say; called only if the tie holds claims. */
    void (*abandon)(struct object *object, struct tie *tie, uint64_t now, struct pace *pace);
    /* Packs what a tie holds as pairs; returns how many. NULL where nothing can be held. */
    size_t (*describe_claims)(const struct tie *tie, struct buffer *out);
    /* A call that waited goes without what it waited for (cancelled, its session ended, its time
     * up); `progress` is what its handler noted. NULL: it leaves no trace. */
    void (*wait_ended)(struct object *object, uint64_t progress);
    /* Roughly how many values, tickets and the like there are: steps (pace.h) that it takes to go
     * through all of them. NULL: few. */
    uint64_t (*weight)(const struct object *object);
    /* An answer that carried something out of the object never left: puts it back. `note` is what
     * the handler noted (output_note). NULL: nothing is ever noted. */
    void (*put_back)(struct object *object, struct stored value, const void *note);
    /* The note is of no more use: drops what it refers to. */
    void (*forget)(const void *note);
    /* Of an object with something reserved (object->reserved): what the session has taken of it
     * without a call is got now; `whole`: and nothing is reserved any more. NULL: nothing ever is.
     */
    void (*settle)(struct object *object, bool whole);
    /* Its waiters have been served: passes on what other objects are to get. NULL: nothing. */
    void (*pass_on)(struct object *object, uint64_t now);
    /* Another object on which calls of this one may wait, or NULL. NULL: there never is. */
    struct object *(*waits_elsewhere)(const struct object *object);
    /* Of an object that is deleted: takes one that cannot be without it off its list and returns
     * it, whose waiters then end too; NULL when there is none left. NULL: there never is. */
    struct object *(*next_dependent)(struct object *object);
    /* Why the object may not be called that, as a sentence about "it"; NULL: it may. NULL: whatever
     * it is called. */
    const char *(*refuse_name)(const struct object *object, struct slice name);
    /* The descriptors that the object has made itself, for which its owner is counted; returns how
     * many there are. NULL: none. */
    unsigned (*descriptors)(const struct object *object,
                            struct descriptor *out[OBJECT_DESCRIPTORS]);
    /* The rows (rows.h; called by saving.h). Packs the options, one value. NULL: it has none. */
    void (*save_options)(const struct object *object, struct buffer *out);
    /* A new object, with one reference, of options that save_options has packed. 0, ERR_MEMORY;
     * ERR_VALUE: they are not of that form. */
    int (*make)(const struct object_options *common, struct row *options, struct object **out);
    /* Puts the rows, but for the object's own. With ROWS_CHANGED they are known to be written then,
     * and if object->unsaved has UNSAVED_ALL, none is there. 0, or ERR_MEMORY: what has not been
     * put is still changed. NULL: there are none. */
    int (*save)(struct object *object, enum rows which, const struct row_writer *out,
                const struct moment *now);
    /* A row that save has put, in the order of the keys. 0, ERR_MEMORY; ERR_VALUE, with
     * reader->why set. */
    int (*load)(struct object *object, struct slice key, struct slice value,
                struct row_reader *reader);
    /* All rows have been loaded. As load. NULL: there is nothing to do. */
    int (*loaded)(struct object *object, struct row_reader *reader);
    /* What is held of it by no tie, as of one that has been made of its rows, is given back as when
     * a session ends. NULL: nothing can be. */
    void (*give_back_untied)(struct object *object, uint64_t now);
    bool durable; /* its objects can be */
    /* For the daemon that takes this one's place (daemon/call/handover.h). Packs what a tie holds
     * besides the number of claims; and makes a tie that has that number, of a loaded object, hold
     * it again: 0, ERR_VALUE, ERR_MEMORY. NULL: the number is all; nothing can be held. */
    void (*save_claims)(const struct tie *tie, struct buffer *out);
    int (*load_claims)(struct tie *tie, struct row *row);
    /* Packs what was noted (output_note), and notes it again. NULL: nothing ever is. */
    void (*save_note)(const void *note, struct buffer *out, const struct row_writer *writer);
    int (*load_note)(void *note, struct row *row);
};

/* What of a durable object has not been saved, besides what its type knows. */
enum {
    UNSAVED_OWN = 1, /* its own row */
    UNSAVED_ALL = 2, /* everything: what is written counts for nothing */
};

struct object {
    struct ordered_entry entry; /* in the registry; seq is the object's number */
    const struct object_type *type;
    struct user *user; /* who pays: the owner's account; a reference */
    char *name;        /* owned, NUL-terminated */
    struct wait_list waits[OBJECT_CHANNELS];
    struct wait_index *sleeping; /* owned; those that wait for a key; NULL: none */
    struct wait *cursor;         /* where a pass over all waits of a channel stands, or NULL */
    struct hold *hold;           /* an operation in steps is under way; NULL: none is */
    struct tie *reserved;        /* the session that can take something without a call (settle), or
                                    NULL: nobody can */
    struct tie_list ties;        /* the sessions that have it open or hold something of it */
    struct watch_list watches;   /* who wants to be told what happens to it */
    struct registry *registry;   /* that it is or was in; NULL: never */
    TAILQ_ENTRY(object) leaving; /* in the registry's list of objects that leave */
    TAILQ_ENTRY(object) ready;   /* in the registry's list of ready objects */
    TAILQ_ENTRY(object) changed; /* in the registry's list of those that are to be saved */
    struct timespec created;     /* wall clock */
    uint64_t bytes;              /* charged for its contents, beside its overhead */
    uint64_t commit;             /* of a durable one: in which what is known of it was written */
    struct deadline deadline;    /* when time next changes it; in the service's heap or not */
    uint32_t hash;               /* of the name */
    uint64_t refs;
    uint32_t opens;      /* sessions that have it open */
    uint64_t contained;  /* references to it in stored values */
    uint32_t dependents; /* objects that go by it, as conditions by a lock */
    uint32_t waiting;    /* waits on it, all channels */
    uint32_t watched;    /* the events that somebody wants, a bit for each */
    uid_t uid;
    gid_t gid;
    uint16_t mode;
    uint8_t name_len;
    uint8_t lifetime; /* enum lifetime */
    uint8_t kind;     /* the type's, for who looks for a method; OBJECT_KINDS: it is sealed */
    uint8_t ask_all;  /* bit N: all waits of channel N are to be asked, whoever stays */
    bool is_ready;
    bool is_leaving;
    bool is_changed;
    bool is_gone; /* it is durable and has left the registry */
    bool deleted;
    uint8_t unsaved; /* UNSAVED_…; of a durable object */
};

/* What every TYPE.open says about an object to be made. */
struct object_options {
    struct slice name;
    struct user *user;
    uid_t uid;
    gid_t gid;
    uint16_t mode;
    uint8_t lifetime;
};

/* Fills in the common part of a zeroed object of `type`, with one reference, and charges what it
 * costs without contents. 0, or ERR_MEMORY for want of memory, ERR_LIMIT. */
int object_init(struct object *object, const struct object_type *type,
                const struct object_options *options);

/* An invariant of the object is broken: seals it, and tells what it was (registry.h). Does nothing
 * if it is sealed already. Aborts if nobody wants to be told, as in builds for tests. */
void object_seal(struct object *object, const char *what);
static inline bool object_is_sealed(const struct object *object)
{
    return object->kind == OBJECT_KINDS;
}
/* Returns whether the invariant holds; if not, the object is sealed now. */
static inline bool object_check(struct object *object, bool holds, const char *what)
{
    if (__builtin_expect(!holds, 0)) {
        object_seal(object, what);
    }
    return holds;
}

/* What the type does in these cases (see there), if it does anything and the object is not sealed.
 */
void object_clear(struct object *object, struct pace *pace);
uint64_t object_due(const struct object *object);
void object_tick(struct object *object, uint64_t now, struct pace *pace);

/* A durable object is to be saved: it goes onto its registry's list of those, with a reference; not
 * if it is in none, is gone from it or just being loaded, or stands there already. */
void object_join_changed(struct object *object);
static inline bool object_is_durable(const struct object *object)
{
    return __builtin_expect(object->lifetime == LIFETIME_DURABLE, 0);
}
/* Of an object of any lifetime: its own row, or all its rows (UNSAVED_…), are to be saved. */
void object_unsaved(struct object *object, uint8_t what);

/* From now on its mode is that. */
void object_set_mode(struct object *object, uint16_t mode);

/* Somebody else comes to the object, or looks at it: what has been taken without a call is got.
 * `whole`: nothing is reserved any more, as is due before its head changes, before it is watched,
 * and where two looks at it must agree. */
static inline void object_settle(struct object *object, bool whole)
{
    if (__builtin_expect(object->reserved != NULL, 0)) {
        object->type->settle(object, whole);
    }
}

struct object *object_ref(struct object *object);
/* Drops a reference; the last one deinits the type, releases every charge and frees the object. */
void object_unref(struct object *object);

/* True if somebody with those credentials may keep it alive at its owner's cost, by having it open
 * or by a reference in a value: whoever may read or write it, and the owner. */
bool object_may_be_kept(const struct object *object, const struct credentials *peer);

/* True if a session, a value or an object that goes by it keeps a scoped object. */
static inline bool object_is_kept(const struct object *object)
{
    return object->opens > 0 || object->contained > 0 || object->dependents > 0;
}
/* A scoped object that nobody keeps any more goes onto the registry's list of those that leave. */
void object_check_orphan(struct object *object);
/* Puts the object onto the registry's list of those that leave, with a reference; once. */
void object_leave(struct object *object);
/* A stored value no longer refers to it: drops that reference; it may have to leave now. */
void object_let_go(struct object *object);
/* The same of an object that went by it. */
void object_lose_dependent(struct object *object);

/* The object becomes the user's and the group's, and what is charged and counted for it becomes the
 * user's too; what others have sent in values stays theirs. 0; or ERR_LIMIT: that would be over a
 * limit of the user's, and nothing has changed. */
int object_chown(struct object *object, struct user *user, gid_t gid);

/* What it costs with no contents: its struct, its name, its place in the registry. It is charged to
 * the owner as long as the object has its memory. */
uint64_t object_overhead(const struct object *object);

/* Gives it another name, of which it keeps a copy, and tells those who watch it. For the registry,
 * which finds it by its name. 0; or ERR_LIMIT, ERR_MEMORY: nothing has changed. */
int object_set_name(struct object *object, struct slice name);

/* Charges the contents: 0, or ERR_LIMIT and nothing charged. */
int object_charge(struct object *object, uint64_t bytes);
void object_charge_always(struct object *object, uint64_t bytes);
void object_release(struct object *object, uint64_t bytes);
/* Moves the charge from `before` to `after` bytes in one step: 0, or ERR_LIMIT, nothing changed.
 * Never fails when after <= before. */
int object_recharge(struct object *object, uint64_t before, uint64_t after);

/* The name of its type, "queue", which it has for ever (a sealed one too). */
static inline const char *object_type_name(const struct object *object)
{
    return type_row(object->type->kind)->name;
}

static inline struct slice object_name(const struct object *object)
{
    return (struct slice){(const uint8_t *)object->name, object->name_len};
}

const char *lifetime_name(enum lifetime lifetime);
