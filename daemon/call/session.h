/*
 * session: one connection as the calls see it: who it is, what it waits for, what it holds, what it
 * has open, and where its answers go. No socket: daemon/net/ embeds one in each connection, a unit
 * test makes one on its own.
 *
 * A session ends in one order (session_end): its watches end, its waits are cancelled, answers that
 * have not left give their items back, claims are given back as each object's options say, what was
 * open is closed, and then every list is asserted to be empty.
 */
#pragma once

#include "daemon/call/call.h"
#include "daemon/objects/watch.h"

struct session {
    TAILQ_ENTRY(session) link;  /* service->sessions, oldest first */
    TAILQ_ENTRY(session) dirty; /* service->dirty: has answers to be sent */
    struct service *service;
    uint64_t id;
    struct credentials credentials;
    struct user *user; /* the account of credentials.uid; a reference */
    char *client;      /* what server.hello said, or NULL */
    struct output output;
    struct ordered calls; /* parked, in order of arrival; found by msgid */
    struct tie **ties;    /* sorted by the object's number */
    uint32_t nties;
    uint32_t ties_cap;
    struct watcher *watcher; /* owned; NULL: it has watched nothing so far */
    uint64_t ncalls;
    uint64_t charged;      /* bytes charged to the user: parked calls, unread answers; the watcher
                              has its own count */
    struct timespec since; /* wall clock */
    bool is_dirty;
    bool killed; /* session.kill: net ends it at the next occasion */
};

/* Takes over the credentials (and frees their groups at the end). 0, or ERR_LIMIT (sessions),
 * ERR_MEMORY for want of memory; then the session is not in any list. */
int session_init(struct session *session, struct service *service, struct credentials *credentials);
/* Ends it, in the order given above, and frees what is in it. The waiters that its leaving wakes
 * are served by the next service_drain. */
void session_end(struct session *session);

/* What has been answered will not be sent, because the peer is gone: gives the items of plain
 * queues back and empties the output. service_drain then serves whoever waits for them. */
void session_drop_output(struct session *session);

/* The tie to an object, or NULL. */
struct tie *session_tie(const struct session *session, const struct object *object);
/* The same, made if it is not there; NULL for want of memory. */
struct tie *session_tie_make(struct session *session, struct object *object);
/* Frees the tie if it says nothing any more. */
void session_tie_check(struct tie *tie);
/* The session has the object open from now on: 0 or ERR_MEMORY for want of memory. */
int session_open(struct session *session, struct object *object);
/* No longer; a scoped object that nobody has open goes. True if it was open. */
bool session_close(struct session *session, struct object *object);

/* watching.c */

/* The session is told those events of the object from now on. 0, ERR_LIMIT, ERR_MEMORY. */
int session_watch(struct session *session, struct object *object, uint32_t events);
/* No longer. */
void session_unwatch(struct session *session, struct object *object);
/* Puts what it has been told into its output, as far as there is room: true if that was anything.
 * Not while an answer of the session is being packed. */
bool session_give_events(struct session *session);
/* All of its watches end without a word. */
void session_end_watches(struct session *session);

/* What is charged to its user for it: calls that wait, unread answers, watches. */
uint64_t session_charged(const struct session *session);
/* Claims over all objects: tickets, permits, locks. */
uint64_t session_holding(const struct session *session);
/* The parked call of that msgid, or NULL. */
struct call *session_call(const struct session *session, uint32_t msgid);
/* The oldest parked call whose sequence number is at least `seq`, or NULL. */
struct call *session_call_from(const struct session *session, uint64_t seq);
/* The session of that number, or NULL. */
struct session *session_find(struct service *service, uint64_t id);
