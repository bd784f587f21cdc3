/*
 * claims: who waits and who holds what, as session.describe and object.describe tell it.
 */
#pragma once

#include "daemon/call/parked.h"

/* Whose claim it is: session, pid, uid, client. Returns how many pairs. */
size_t pack_claimant(struct buffer *out, const struct session *session);

/* What is told of a parked call besides whose it is and what it waits on. Returns how many pairs.
 */
size_t pack_wait(struct buffer *out, const struct parked *parked, uint64_t now);

/* What is told of a tie's claims besides whose they are and on what. Returns how many pairs. */
size_t pack_hold(struct buffer *out, const struct tie *tie);

/* Packs "waits" and "holds" of an object, each at most CLAIMS_MOST of them: the calls in the order
 * in which they will be asked, the sessions in the order in which they came to have to do with it.
 * Returns how many pairs. */
enum { CLAIMS_MOST = 1000 };
size_t pack_claims(struct buffer *out, const struct object *object, uint64_t now);
