/*
 * embedded: a daemon that belongs to those who use it: a program has started it (libipcclient, with
 * ipcc_options.embedded), and it ends when nobody is left who may use it (net/processes.h).
 *
 * The starter gives it a socket as standard error, the lifeline. Until the daemon is ready its log
 * goes there, so that whoever waits can say why it did not start; then one line, "ready PATH"; then
 * nothing any more. The end of the lifeline is the end of the starter and its forks.
 *
 * It takes nothing of the starter's along: no descriptor, no directory, no parent that would have
 * to wait for it. (A session of its own, a signal mask and the environment it was given by the
 * starter, as these are from before its first instruction.) Its own log goes to the file $IPCD_LOG,
 * or nowhere.
 *
 * It listens in a directory of its own, mode 0700, named ipcd-embedded-XXXXXX, in the first of
 * $XDG_RUNTIME_DIR, $TMPDIR and /tmp that is safe: nobody but root and this user could put another
 * one in its place. An abstract socket would leave nothing behind, but anybody could bind its name
 * once this daemon is gone, and be taken for it by those who have the name. The directory is
 * removed at the end. One that a killed daemon has left is removed by the next daemon to start
 * there: it is this user's, nobody has the lock in it, and it is old enough not to be one that is
 * just being made.
 */
#pragma once

#include "daemon/endpoint.h"
#include "daemon/log.h"

enum { EMBEDDED_STALE_S = 10 }; /* age of a directory that may be removed if nobody has its lock */

struct embedded {
    int lifeline;    /* owned; 0: this is no embedded daemon */
    int log_fd;      /* owned, until it is ready: $IPCD_LOG, or the null device */
    char *directory; /* owned; NULL: none was made, or it is not to be removed */
};

/* To be called before there is a thread, a descriptor or a file of the process's own: goes on in a
 * child, and leaves behind what came from the starter. 0; ERR_BAD_REQUEST, ERR_INTERNAL, having
 * logged why. */
int embedded_begin(struct embedded *embedded, const struct log *log);

/* Makes the directory, and sets *out to a socket in it. ERR_INTERNAL with *fault set. */
int embedded_endpoint(struct embedded *embedded, struct endpoint *out, struct fault *fault);

/* Connections are accepted: tells the starter where, and logs elsewhere from now on. */
void embedded_ready(struct embedded *embedded, const char *path, struct log *log);

/* Removes what killed daemons of this user have left in `base`. */
void embedded_sweep(const char *base);

/* Removes the directory, once the socket has gone, and closes the lifeline. A zeroed one is
 * allowed. */
void embedded_end(struct embedded *embedded);
