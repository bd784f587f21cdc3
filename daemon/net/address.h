/*
 * address: the place in the file system (or in the abstract name space) where the daemon listens.
 *
 * Two daemons never serve one path: who wants it must first hold an exclusive flock(2) on the file
 * PATH.lock. With the lock held, a socket that is at PATH belongs to a daemon that has died, and is
 * taken over, unless somebody else turns out to listen on it. At the end the socket and the lock
 * file are removed while the lock is still held; whoever has opened the lock file before that sees
 * that it is no longer the one at its path, and tries again. Abstract sockets ("@name") need no
 * lock: the kernel lets nobody bind a name that is in use, and frees it with the socket.
 *
 * A running daemon looks now and then whether both files are still its own (address_check). Who
 * deletes them does not take the path from it: it takes its lock anew, by the same rule as at the
 * start, and then binds anew. If another daemon has the lock, the path is that one's, and nothing
 * at it is touched.
 *
 * Everything here may block for as long as the file system does.
 */
#pragma once

#include <sys/types.h>

#include "daemon/log.h"
#include "daemon/objects/row_form.h"
#include "daemon/state/state.h"

struct address_options {
    const char *path;
    mode_t mode;   /* of the socket */
    gid_t group;   /* of the socket; (gid_t)-1: as it comes */
    mode_t parent; /* with which a missing directory is made; 0: it must be there */
};

struct address {
    struct address_options options; /* the path is owned; NULL: none was claimed */
    char *lock_path;                /* owned; NULL: abstract */
    int lock_fd;                    /* owned; -1: none */
    dev_t device; /* of the socket at path, so that no other one is removed at the end */
    ino_t inode;
    bool lost; /* it has been logged that files are gone, and that they are back has not */
};

/* Claims the path, binds to it and listens. Returns the listening socket, which is the caller's,
 * and sets *address, to be released at the end; or ERR_INTERNAL, having logged why, with nothing
 * left behind. */
int address_listen(struct address *address, const struct address_options *options,
                   const struct log *log);

/* Sees to it that the files are there, after address_listen. A listening socket in place of the one
 * before, which nobody can reach any more, having logged why, and the caller's; or -1: the socket
 * is there, or cannot be had back now. What cannot be done is logged the first time. */
int address_check(struct address *address, const struct log *log);

/* Where a listening socket is bound: its path, absolute if that is known, or "@name"; to be freed
 * by the caller. NULL: nowhere, or for want of memory. */
char *address_text(int fd);

/* For the daemon that takes over: packs the address, whose lock goes along; and makes it again, in
 * place of a zeroed one. 0; ERR_VALUE, ERR_MEMORY: it is to be released, whatever is in it. */
void address_hand_over(const struct address *address, struct state_writer *state,
                       struct buffer *out);
int address_take_over(struct address *address, struct state_reader *state, struct row *row);

/* Removes the socket and the lock file, as far as they are still those of this address. A zeroed
 * address is allowed. */
void address_release(struct address *address);
