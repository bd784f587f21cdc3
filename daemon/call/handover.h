/*
 * handover: a service is written down, with its objects, its sessions and the calls that wait, for
 * the daemon that takes this one's place (takeover.h).
 *
 * It has to be at rest then (service_come_to_rest): no call is held up, no object is held, and
 * nothing is reserved for a session (queue_ahead.c), whose page stays behind. And nothing may wait
 * for the disk. Nothing changes by it: if the other daemon cannot be had, this one goes on.
 * Descriptors are written once, however many refer to them.
 */
#pragma once

#include "daemon/call/drain.h"
#include "daemon/objects/saving.h"
#include "daemon/state/state.h"

struct saver {
    struct state_writer *state;
    struct row_writer rows;
    uint64_t object;                 /* the number of that whose rows are written */
    struct descriptor **descriptors; /* owned array, not references: those that were named so far */
    uint32_t ndescriptors;
    uint32_t descriptors_cap;
};

/* What the layer above packs of each session, before all else. */
struct session_saver {
    void (*save)(void *data, const struct session *session, struct saver *saver,
                 struct buffer *out);
    void *data;
};

/* Ends what is under way, and what is reserved. */
void service_come_to_rest(struct service *service);

/* Writes all of it, at `now`. Want of memory is latched in the state. */
void service_hand_over(struct service *service, struct state_writer *state,
                       const struct session_saver *above, const struct moment *now);
