/*
 * localize: answers of a daemon with an engine, as those of one without.
 */
#pragma once

#include <msgpack.h>

/* Sessions, which with an engine are "h:NUMBER" (tests name their host h), get their bare numbers.
 */
void localize_sessions(msgpack_object *answer);
