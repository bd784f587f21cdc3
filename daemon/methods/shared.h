/*
 * shared: what the handlers of value.* and array.* have in common; the operations are in
 * daemon/objects/shared.h.
 */
#pragma once

#include "daemon/methods/open.h"
#include "daemon/objects/shared.h"

/* Makes the object of an open: `typecode` and `count` from its options. 0, or refused. */
int shared_make(struct call *call, const struct object_options *common,
                const struct param *typecode, uint64_t count, struct shared **out);
/* True if option typecode was given and is not the object's. */
bool shared_differs(const struct shared *shared, const struct param *typecode);

/* The item that a number makes. 0; ERR_TYPE, ERR_RANGE: the call is refused with the reason. */
int shared_read(struct call *call, const struct typecode *item, const struct param *number,
                uint64_t *bits);

/* The answers of get, set, add and map; number and delta are the params of that place. */
int shared_answer_get(struct call *call, uint64_t position);
int shared_answer_set(struct call *call, uint64_t position, unsigned number);
int shared_answer_add(struct call *call, uint64_t position, unsigned delta);
int shared_answer_map(struct call *call);
