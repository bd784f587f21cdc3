/*
 * encode: the params of a call as the arguments of an op, generically, by the signature of its
 * method. What the forms are, is said where the functions in Redis read them:
 * daemon/engine/lua/10_core.lua.
 */
#pragma once

#include "daemon/call/call.h"
#include "daemon/engine/op.h"

/* How many elements an array or a map may have. */
enum { ENCODE_ELEMENTS_MOST = 250000 };

struct open_request; /* daemon/methods/open.h */

/* Which names live in the engine. */
struct residence {
    bool (*has)(void *data, struct slice name);
    void *data;
};

/* Appends the arguments of a call to a part that has its name already. 0; the call's refusal:
 * BAD_REQUEST, TYPE (what cannot be a key), TOO_LARGE, UNSUPPORTED (a value that has a descriptor,
 * or a reference to an object that does not live in the engine); or ERR_MEMORY. */
int encode_call(struct call *call, const struct residence *residence, struct op_part *part);

/* The same of a TYPE.open, whose options have been read. `may_create`: it may make what is not
 * there. */
int encode_open(struct call *call, const struct residence *residence,
                const struct open_request *request, bool may_create, struct op_part *part);

/* Appends the stored form of a value: its bytes if they are canonical, else 0xc1, the length of the
 * canonical form (4 bytes, big-endian), that form, and the bytes. */
void encode_stored(struct slice value, struct buffer *out);
