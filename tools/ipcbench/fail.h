/*
 * fail: one way to say what went wrong, and one way to notice that the user wants to stop.
 *
 * ipcbench ends on a failure, so a fault is told where it is found, as one sentence on stderr, and
 * travels upwards only as -1.
 *
 * SIGINT and SIGTERM are kept blocked instead of handled: whoever waits or loops asks now and then
 * whether one is pending, and the ordinary way out then stops the servers and removes their
 * sockets. So there is no handler and no global flag.
 */
#pragma once

#include <stdbool.h>

/* Prints "ipcbench: " and the sentence to stderr. Always -1, for `return fail(…)`. Thread-safe. */
int fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Blocks SIGINT and SIGTERM for this thread and those it starts, and ignores SIGPIPE. */
void interrupt_block(void);

/* Undoes interrupt_block in a child, whose program expects the defaults. */
void interrupt_unblock(void);

/* True once SIGINT or SIGTERM has arrived. */
bool interrupted(void);
