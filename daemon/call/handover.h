/*
 * handover: a service is written down, with its objects, its sessions and the calls that wait, for
 * the daemon that takes this one's place (takeover.h).
 *
 * Nothing may be under way then (service_finish), so no call is held up and no object is held.
 * Nothing changes by it: if the other daemon cannot be had, this one goes on.
 */
#pragma once

#include "daemon/call/drain.h"
#include "daemon/objects/takeover.h"

/* What the layer above adds to each session. */
struct session_saver {
    void (*save)(void *data, const struct session *session, struct saver *saver,
                 struct buffer *out);
    void *data;
};

/* Writes all of it, but for the descriptors (saver_finish). */
void service_hand_over(struct service *service, struct saver *saver,
                       const struct session_saver *above);
