/*
 * encode_object: objects of msgpack-c as values of calls. Where an object comes from, unpack.c has.
 */
#pragma once

#include "client/encoding.h"

struct msgpack_object;

/* Appends the encoding. `depth` containers may be opened. ARGUMENT, with a message; want of memory
 * is latched in the buffer. */
int encode_object(const struct msgpack_object *object, unsigned depth, struct encoding *to);
