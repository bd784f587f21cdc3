/*
 * ipcclient/msgpack: values as objects of msgpack-c, for programs that use that library. Not part
 * of ipcclient.h, which needs no msgpack-c: include it besides, and compile and link with
 * msgpack-c. None of these functions talks to the daemon or blocks.
 */
#ifndef IPCCLIENT_MSGPACK_H
#define IPCCLIENT_MSGPACK_H

#include <msgpack/object.h>

#include "value.h"

IPCC_DECLARATIONS_BEGIN

/* A value for a call that is an object of msgpack-c. */
static inline struct ipcc_value ipcc_object(const msgpack_object *object)
{
    struct ipcc_value value = {IPCC_OBJECT, 0, {0}};
    value.as.object = object;
    return value;
}

/* Builds the msgpack-c object of a value of an answer, however deeply nested. Its arrays and maps
 * are allocated in `zone`; its strings point into the reply, which must outlive it. Both pointers
 * are required. IPCC_ERR_ARGUMENT: kinds of params, or bytes that are no MessagePack. */
int ipcc_value_unpack(const struct ipcc_value *value, msgpack_zone *zone, msgpack_object *out);

IPCC_DECLARATIONS_END

#endif /* IPCCLIENT_MSGPACK_H */
