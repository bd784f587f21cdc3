/*
 * value: struct ipcc_value to MessagePack and back.
 */
#pragma once

#include "client/encoding.h"
#include "client/ipcclient/value.h"

/* Appends the encoding. `depth` containers may be opened. ARGUMENT, with a message; want of memory
 * is latched in the buffer. */
int value_encode(const struct ipcc_value *value, unsigned depth, struct encoding *to);

/* The value of a whole, valid encoding, pointing into it. */
struct ipcc_value value_decode(struct slice raw);

/* "a boolean", "a str", … for messages. */
const char *value_kind_name(const struct ipcc_value *value);

/* False if it has a length, but a NULL pointer. */
static inline bool value_has_bytes(const struct ipcc_value *value)
{
    return value->length == 0 || value->as.data != NULL;
}
