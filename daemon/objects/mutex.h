/*
 * mutex: who holds a lock, how often, and what becomes of it when its holder goes.
 *
 * It is the part that a lock and a condition's own lock have in common; `object` is the one that it
 * belongs to, and those who want it wait on that object's channel MUTEX_WAITERS, first come first
 * served. The holder is a session and one of its owners (a thread id, say). While somebody holds
 * it, that session's tie to the object has one claim; with on_disconnect "keep" the mutex stays
 * held when the tie is gone.
 */
#pragma once

#include "daemon/objects/tie.h"
#include "proto/header.h"

/* The channel that calls wait on. */
enum { MUTEX_WAITERS };

enum { OWNER_NAME_MAX = 255 };

/* Tells callers within one session apart. */
struct owner {
    enum kind kind; /* KIND_INT, KIND_UINT, KIND_STR; KIND_NIL: none was given */
    uint8_t len;    /* of the name */
    union {
        int64_t i;
        uint64_t u;
    };
    char name[OWNER_NAME_MAX];
};

struct holder {
    uint64_t session; /* its number */
    struct owner owner;
};

struct mutex_options {
    bool recursive;
    bool keep;   /* on_disconnect "keep" instead of "release" */
    bool anyone; /* release_by "anyone" instead of "owner" */
};

struct mutex {
    struct object *object; /* that it is a part of */
    struct mutex_options options;
    uint64_t depth;        /* how often the holder has acquired it; 0: nobody holds it */
    struct holder holder;  /* if depth > 0 */
    struct timespec since; /* wall clock: when the holder got it */
    struct tie *tie;       /* the holder's; NULL: nobody's, or the session is gone */
    bool abandoned;        /* a holder lost it, and the next one has not been told */
};

bool mutex_held_by(const struct mutex *mutex, const struct holder *holder);

/* True if the holder may have it now, or once more. */
bool mutex_is_open_to(const struct mutex *mutex, const struct holder *holder);

/* A free mutex, or one that the holder has already, is held `depth` times from now on. */
void mutex_take(struct mutex *mutex, struct tie *tie, const struct holder *holder, uint64_t depth);

/* A held mutex is held `levels` times less, at most as often as it is. When nobody holds it any
 * more, returns the tie that had the claim, for session_tie_check; else NULL. */
struct tie *mutex_release(struct mutex *mutex, uint64_t levels);

/* A held mutex is taken from whoever holds it, and the next one is told. Returns as mutex_release.
 */
struct tie *mutex_break(struct mutex *mutex);

/* The session of the tie, which has the claim, ends (object_type.abandon). */
void mutex_abandon(struct mutex *mutex, struct tie *tie);

/* Packs how it stands; and makes it stand so again. But for the tie, which comes with its claim: 0
 * or ERR_VALUE. */
void mutex_save(const struct mutex *mutex, struct buffer *out);
void mutex_load(struct mutex *mutex, struct row *row);
int mutex_load_claim(struct mutex *mutex, struct tie *tie);

/* Packs "holder", "depth" and "held_since"; returns how many pairs. */
size_t mutex_describe(const struct mutex *mutex, struct buffer *out);
/* Packs "depth" and "owner" of the one who holds it; returns how many pairs. */
size_t mutex_describe_claim(const struct mutex *mutex, struct buffer *out);
