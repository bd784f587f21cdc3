/*
 * lookup: what stands between a message and its handler: the params are checked against the
 * method's signature, the object is found, and the caller's right to it.
 */
#pragma once

#include "daemon/call/call.h"

/* True if a value with that header is of the type. */
bool param_fits(const struct header *header, enum param_type type);

/* Checks `count` params against the signature; one that means its default gets raw.len 0. 0, or the
 * call's refusal. */
int call_check_params(struct call *call, unsigned count);

/* Finds the object that the first param names, or looks at each of several. 0 with call->object
 * set; the call's refusal; CALL_HELD_UP: somebody holds it; or CALL_AWAY: it lives elsewhere. */
int call_find_objects(struct call *call);

/* Refuses one that names both objects that live elsewhere and others. */
int call_refuse_mixed(struct call *call);

/* Whose an object is, wherever it lives. */
struct standing {
    const char *name;
    uid_t uid;
    gid_t gid;
    uint16_t mode;
};

/* 0 if the caller may do to it what the method does; else the call's refusal. */
int call_check_access(struct call *call, const struct standing *of);
/* The call's refusal: there is no object of the name in that param; it is of another type. */
int call_refuse_missing(struct call *call, const struct param *name);
int call_refuse_type(struct call *call, const struct param *name, const char *type);
