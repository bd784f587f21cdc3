/*
 * session: one connection as the calls see it: who it is, what it waits for, what it holds, what it
 * has open, and where its answers go. No socket: daemon/net/ embeds one in each connection, a unit
 * test makes one on its own. How it ends is in ending.h.
 */
#pragma once

#include "daemon/call/output.h"
#include "daemon/call/service.h"
#include "daemon/objects/ahead_page.h"
#include "daemon/objects/tie.h"

enum {
    /* Calls of one session that are held up by objects at work, or at work themselves, before its
     * next requests have to wait; and when they go on. */
    SESSION_UNFINISHED_HIGH = 16,
    SESSION_UNFINISHED_LOW = 4,
    /* The same for calls that an engine has begun and not answered. */
    SESSION_AWAY_HIGH = 1024,
    SESSION_AWAY_LOW = 256,
    SESSION_HELD = 2, /* commits that answers can wait for: the one on its way, the next one */
};

/* The places in the answers of a session from which on they wait for a commit (commits.h). */
struct held {
    TAILQ_ENTRY(held) link; /* service->commits.held */
    struct session *session;
    unsigned count; /* 1 or 2 */
    struct {
        uint64_t commit; /* rising */
        uint64_t ahead;  /* bytes that may leave before that place */
    } places[SESSION_HELD];
};

struct session {
    TAILQ_ENTRY(session) link;  /* service->sessions */
    TAILQ_ENTRY(session) dirty; /* service->dirty */
    struct service *service;
    uint64_t id;
    struct credentials credentials;
    struct user *user;       /* the account of credentials.uid; a reference */
    char *client;            /* what server.hello said, or NULL */
    struct output output;    /* where answers are packed; */
    struct earlier *earlier; /* what leaves before it (unsent.h); owned; NULL: nothing */
    struct held *held;       /* owned; NULL: no answer waits for the disk */
    struct ordered calls;    /* parked (parked.h), in order of arrival; found by msgid */
    uint32_t unfinished; /* those of them that do not wait: they will be done, whatever happens */
    uint32_t away;       /* those of them that an engine is at work on (engine.h) */
    struct tie **ties;   /* sorted by the object's number */
    uint32_t nties;
    uint32_t ties_cap;
    struct ahead_page *page; /* owned; NULL: it has asked for none */
    struct watcher *watcher; /* owned; NULL: it has watched nothing so far */
    uint64_t ncalls;
    struct tally charged; /* to the user: all that follows, parked calls, watches, what is unread or
                             incomplete */
    struct charge memory; /* of its lists and ties, its groups and its name */
    struct timespec since;                  /* wall clock */
    void (*ended)(struct session *session); /* ending.h */
    bool is_dirty;
    bool killed;  /* session.kill: net ends it at the next occasion */
    bool closing; /* no call of its waits any more: one that would is cancelled */
    bool gone;    /* it ends: nothing is given to it */
};

/* Takes over the credentials (and frees their groups at the end). 0, or ERR_LIMIT (sessions),
 * ERR_MEMORY for want of memory; then the session is not in any list. */
int session_init(struct session *session, struct service *service, struct credentials *credentials);
/* Frees what is in it; all its lists must be empty. */
void session_deinit(struct session *session);

/* So many bytes of the answers have left: the places are nearer by that. */
void session_held_sent(struct held *held, uint64_t more);

/* The tie to an object, or NULL. */
struct tie *session_tie(const struct session *session, const struct object *object);
/* The tie to the first object whose number is at least `number`, or NULL: for going through all. */
struct tie *session_tie_from(const struct session *session, uint64_t number);
/* The tie to an object, made if it is not there; NULL for want of memory. What it costs is charged
 * without asking, so that a user who is over a limit can still take what there is; who asks is
 * session_open and session_watch. */
struct tie *session_tie_make(struct session *session, struct object *object);
/* 0 if there is a tie to the object or the user may be charged for one more, else ERR_LIMIT. */
int session_admit_tie(struct session *session, const struct object *object);
/* Charges what its lists, its groups and its name cost now, after one of them has changed. */
void session_charge_memory(struct session *session);
/* Frees the tie if it says nothing any more. */
void session_tie_check(struct tie *tie);
/* The session has the object open from now on: 0, ERR_LIMIT, or ERR_MEMORY for want of memory.
 * `always`: it is not asked whether the user may have one more. */
int session_open(struct session *session, struct object *object, bool always);
/* No longer; a scoped object that nobody has open leaves. True if it was open. */
bool session_close(struct session *session, struct object *object);

/* The object's mode has changed: those who may not keep it any more do not have it open either. */
void object_close_denied(struct object *object);

/* True if so many of its calls are unfinished, here or away, that its next requests wait; and when
 * so few are that they go on. */
static inline bool session_is_held_up(const struct session *session)
{
    return session->unfinished >= SESSION_UNFINISHED_HIGH || session->away >= SESSION_AWAY_HIGH;
}
static inline bool session_may_go_on(const struct session *session)
{
    return session->unfinished <= SESSION_UNFINISHED_LOW && session->away <= SESSION_AWAY_LOW;
}

/* Marks the session as having answers to send; nothing if it ends. */
void session_dirty(struct session *session);

/* Nothing is reserved for the session any more. */
void session_settle(struct session *session);
/* Claims over all objects: tickets, permits, locks. */
uint64_t session_holding(struct session *session);
/* The session of that number, or NULL. */
struct session *session_find(struct service *service, uint64_t id);
