/*
 * group: the group of an object, as a call gives it.
 */
#pragma once

#include "daemon/call/call.h"

/* The gid that a value of type PARAM_GROUP stands for; `what` is its name, for people. 0, or
 * call_fail: BAD_REQUEST if it is none, or a name that is not in /etc/group; ERR_MEMORY. */
int group_read(struct call *call, const char *what, const struct param *given, gid_t *out);

/* 0 if the caller may give that group to an object of its own: root and the daemon's own user
 * every group, others one that they are in. Else call_fail (DENIED). */
int group_check(struct call *call, gid_t gid);
