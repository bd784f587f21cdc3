/*
 * takeover: the registry with all its objects is written down, and made again by the daemon that
 * takes this one's place. Numbers, names and order are as they were.
 *
 * Nothing may be at work on an object (hold.h), and none may be about to leave. What an object
 * holds for a session, and who waits on it, is the business of the layer above.
 */
#pragma once

#include "daemon/objects/saving.h"

/* First that there are these objects, then what is in them. */
void objects_hand_over(const struct registry *registry, struct saver *saver);

/* A record of kind STATE_OBJECT or STATE_ROW. 0; ERR_VALUE, ERR_MEMORY. Limits must not be in force
 * (limits_lift). */
int object_take_over(struct loader *loader, struct fields *fields);
int object_take_over_record(struct loader *loader, struct fields *fields);
