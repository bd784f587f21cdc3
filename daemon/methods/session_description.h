/*
 * session_description: what session.describe tells of one session of this daemon's, with no call in
 * hand; see sessions.h.
 */
#pragma once

#include "daemon/call/call.h"

/* The part of a description that is asked for. */
struct session_page {
    struct slice cursor; /* one MessagePack value, as an answer gave it; empty: the beginning */
    uint64_t limit;      /* entries of each list */
};

/* What it has besides, of objects in an engine: elements of the lists, packed one behind the other.
 */
struct session_more {
    struct slice open;
    struct slice holds;
    uint64_t open_count;
    uint64_t holds_count;
    uint64_t holding; /* tickets, locks and permits in them */
};

/* Reads it from the options of session.describe, which are param 1: 0, or the call's refusal. The
 * cursor is a part of the call's params. */
int session_page_read(struct call *call, struct session_page *page);

/* Packs the description of a session, a map; `more` goes onto the first page, NULL: nothing. 0; or
 * an error, with the sentence for it in `text`, and nothing is packed: NOT_FOUND, or BAD_REQUEST
 * (it is no page). */
int session_describe(const struct service *service, uint64_t number,
                     const struct session_page *page, const struct session_more *more,
                     struct buffer *out, char text[CALL_TEXT_MAX]);
