/*
 * takeover: a daemon takes the place of another one, with all that it has: listening sockets, the
 * lock on its address, connections, objects, calls that wait. Clients notice a pause.
 *
 *   in place          the daemon executes the other program (server.upgrade, SIGUSR2): the process
 *                     is the same, and IPCD_TAKEOVER in its environment has the numbers of the
 *                     descriptors: the state (daemon/state/state.h), then the carriers
 *   by the manager    on SIGUSR1, which ipcd.service sends before a restart, the daemon leaves them
 *                     with the service manager (sd_pid_notify_with_fds, FDSTORE=1) and ends; the
 *                     next one gets them with its sockets
 *
 * What is under way is ended first. The program is asked before whether it can do it: it is run
 * with --check-takeover and the version of the state, and reads its options and configuration. If
 * it says no, or cannot be executed, nothing has changed. If it has begun and finds that it cannot
 * read the state, it says so in its log, drops all that it was given, and starts as if there had
 * been nothing.
 */
#pragma once

#include "daemon/net/takeover.h"
#include "daemon/options.h"

struct daemon;

/* What the daemon before this one has left. */
struct takeover {
    struct state_reader state;
    bool is_there;
};

/* Looks for it, and opens it. What is there and cannot be read is said in the log, and dropped. To
 * be called once. The log is not kept. */
void takeover_find(struct takeover *takeover, const struct log *log);
/* Closes what was not taken, for it, if it is given. */
void takeover_drop(struct takeover *takeover, struct closer *closer);

/* Makes all of it again in a daemon whose core was just initialised: 0; or an error, having logged
 * why: its core is to be taken down. */
int daemon_take_over(struct daemon *daemon, struct takeover *takeover);

/* From now on the daemon can be told to let another one take its place. 0 or ERR_MEMORY. */
int upgrade_init(struct daemon *daemon);
void upgrade_deinit(struct daemon *daemon);
/* It is to be done, with the daemon's own program, or by the service manager. */
void upgrade_in_place(struct daemon *daemon);
void upgrade_by_manager(struct daemon *daemon);

/* Where the durable objects are; "": there can be none. */
const char *store_directory(const struct daemon *daemon);

/* What --check-takeover does: an exit status. */
int takeover_check(const struct options *options);
