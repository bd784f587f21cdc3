/*
 * object: what calls of object.* are checked for, wherever the object lives.
 */
#pragma once

#include "daemon/call/lookup.h"

/* Each answers 0, or the call's refusal. */

/* object.chmod: the mode is one. */
int object_check_mode(struct call *call);
/* object.chown: the user and the group that an object of that standing is to have, if the caller
 * may give it to them. */
int object_read_owner(struct call *call, const struct standing *of, uid_t *uid, gid_t *gid);
/* object.rename: the new name is one, and that of no object here. */
int object_check_new_name(struct call *call);
/* object.watch, of an object of that type: the events that are asked for. */
int object_read_events(struct call *call, const struct object_type *type, uint32_t *events);

/* With that bit the cursor of object.list stands among the objects of an engine, behind those that
 * live here. */
#define OBJECT_CURSOR_AWAY (UINT64_C(1) << 62)

/* What object.list is asked for. */
struct object_query {
    char *glob;            /* owned (free); NULL: every name */
    enum object_kind kind; /* OBJECT_KINDS: every type */
    bool waiting;          /* only those on which calls wait */
    uint64_t cursor;
    uint64_t limit;
};

/* 0, or the call's refusal, or ERR_MEMORY. */
int object_read_query(struct call *call, struct object_query *query);
