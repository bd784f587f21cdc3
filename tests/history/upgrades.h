/*
 * upgrades: while processes work, other daemons take the place of the one they work on, again and
 * again.
 */
#pragma once

#include <sys/types.h>

/* A process that has the daemon at $IPCD_SOCKET upgraded every so many milliseconds (SIGUSR2),
 * until upgrades_end or the end of its parent. Its pid; -1 having said why not. */
pid_t upgrades_begin(unsigned ms);
/* Ends it; 0 is allowed. */
void upgrades_end(pid_t pid);
