/*
 * sharing: the engine that the daemon's objects are in which several machines share, as the
 * configuration and the command line have it.
 */
#pragma once

struct daemon;

/* Opens the engine, if there is to be one: it connects in the background. 0; or a negative code,
 * having logged what is wrong: something that can never work, or that this program is built without
 * engines. */
int sharing_open(struct daemon *daemon);

/* The sessions have ended: what they held in the engine is given back, as far as that is possible
 * in a moment, and the engine is closed. */
void sharing_close(struct daemon *daemon);
