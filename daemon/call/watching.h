/* watching: the watches of a session, and how what they were told comes into its output. */
#pragma once

#include "daemon/call/session.h"

/* The session is told those events of the object from now on. 0, ERR_LIMIT, ERR_MEMORY, or
 * ERR_CANCELLED: it ends. */
int session_watch(struct session *session, struct object *object, uint32_t events);
/* What it watches with, made if there is none; NULL for want of memory. */
struct watcher *session_watcher(struct session *session);
/* No longer. */
void session_unwatch(struct session *session, struct object *object);
/* Puts what it has been told into its output, as far as there is room: true if that was anything.
 * Not while an answer of the session is being packed. */
bool session_give_events(struct session *session);
/* All of its watches end without a word. */
void session_end_watches(struct session *session, struct pace *pace);

/* The object's mode has changed: the watches of those who may not read it any more end. */
void service_check_watches(struct service *service, struct object *object);
/* Gives each session that was told events what it has room for. */
void service_give_events(struct service *service);
