/*
 * sessions: what is told of this daemon's sessions, and how one is ended, with no call in hand: for
 * the handlers of session.*, and for an engine, by which other hosts ask for the same. One session
 * alone is described in session_description.h.
 *
 * With an engine (daemon/call/engine.h) a session is called "HOST:NUMBER", without one by its
 * number alone.
 */
#pragma once

#include "daemon/call/call.h"

enum {
    SESSIONS_HOST_MOST = 64,                      /* bytes of a host's name */
    SESSIONS_NAME_SIZE = SESSIONS_HOST_MOST + 22, /* "HOST:NUMBER", the NUL included */
};

/* Takes "HOST:NUMBER" apart. False: it has another form. The host is a part of `name`. */
bool sessions_read_name(struct slice name, struct slice *host, uint64_t *number);

/* The session that param `i` of a call means, the call's own if it is left out, to *number: 0, the
 * call's refusal, or CALL_AWAY: it is another host's. Whether it is there is not said. */
int sessions_read_param(struct call *call, unsigned i, uint64_t *number);

/* This daemon's session of that number; or NULL, and the sentence for NOT_FOUND in `text`. */
struct session *sessions_find(const struct service *service, uint64_t number,
                              char text[CALL_TEXT_MAX]);

/* Packs the entries of session.list, a map each, of those sessions whose numbers are greater than
 * *last, `most` of them at most, and sets *last to the last one's. Returns how many; 0: there are
 * no more. */
size_t sessions_pack(const struct service *service, uint64_t *last, size_t most,
                     struct buffer *out);

/* Packs the pairs of such an entry; returns how many. `holding_away` is what it holds in an engine,
 * as far as that is known: session.list does not ask. */
size_t sessions_pack_summary(struct buffer *out, struct session *session, uint64_t holding_away);

/* Ends a session for a user, who must be the session's own, the daemon's or root. 0; or an error,
 * with the sentence for it in `text`: NOT_FOUND, DENIED. */
int sessions_kill(struct service *service, uint64_t number, uid_t uid, char text[CALL_TEXT_MAX]);
