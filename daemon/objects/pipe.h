/*
 * pipe: a pair of connected sockets, one end for each of two processes (as Python's Pipe).
 *
 * The daemon makes the pair when its first end is asked for, and holds an end until it has been
 * sent to the one who took it; from then on the bytes run between the two processes alone. An end
 * that is on its way can still come back: if its answer never leaves, it is there to be taken
 * again. When both ends have been handed out and closed, the pipe starts anew with another pair.
 *
 * Nobody waits on a pipe, and nothing in it is charged but the daemon's descriptors.
 */
#pragma once

#include "daemon/objects/attachment.h"
#include "daemon/objects/object.h"
#include "daemon/objects/pace.h"
#include "daemon/objects/socket_pair.h"

enum { PIPE_ENDS = 2 };

enum pipe_end {
    PIPE_END_FREE,   /* can be had */
    PIPE_END_TAKEN,  /* has been handed out, or is on its way */
    PIPE_END_CLOSED, /* was handed out, and is closed; the other one is not */
    PIPE_END_UNKNOWN /* was handed out; the system had nothing left to find out more */
};

struct pipe {
    struct object object;
    bool duplex; /* if not, end 0 only receives and end 1 only sends */
    /* References; one that has left has no descriptor any more (descriptor_left). NULL, both: there
     * is no pair yet. */
    struct descriptor *ends[PIPE_ENDS];
    struct socket_token token;
};

extern const struct object_type pipe_type;

static inline struct pipe *pipe_of(struct object *object)
{
    return (struct pipe *)object;
}

/* A new pipe with one reference. 0, or ERR_MEMORY for want of memory. */
int pipe_new(const struct object_options *common, bool duplex, struct pipe **out);

/* How it stands with its ends now; asks the system about those that are not here. */
void pipe_look(const struct pipe *pipe, enum pipe_end ends[PIPE_ENDS]);

/* The daemon's own copy of an end that has left is given up to be closed (attachment.h), and as
 * long as it is open it cannot be told whether there is another. Gives way with `pace` until it is
 * closed, but not for ever. */
void pipe_catch_up(const struct pipe *pipe, struct pace *pace);

/*
 * The descriptor of an end that is free, to be sent in an answer: the pipe keeps it, and nobody
 * else gets it while somebody holds another reference. `end`: 0, 1, or PIPE_ENDS for the first that
 * is free; *taken is which it is.
 * 0; or ERR_EXISTS: it is taken (or both are). ERR_LIMIT: max_descriptors. ERR_MEMORY with errno:
 * no memory or no descriptors.
 */
int pipe_connect(struct pipe *pipe, unsigned end, struct descriptor **out, unsigned *taken);
