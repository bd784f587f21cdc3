/*
 * supervisor: what the daemon tells the service manager that started it, and gets from it:
 * systemd's notification protocol, sd_notify(3), and its socket activation, sd_listen_fds(3).
 *
 * Without libsystemd at build time, or without systemd at run time ($NOTIFY_SOCKET, $LISTEN_FDS),
 * all of this does nothing. A message is one datagram.
 */
#pragma once

#include <stdint.h>

#include "daemon/log.h"

/* READY=1: calls are served from now on. `status` is a sentence for people (STATUS=). */
void supervisor_ready(const char *status);
/* The start goes on: EXTEND_TIMEOUT_USEC=, and STATUS=. */
void supervisor_starting(const char *status, uint64_t extend_us);
/* RELOADING=1: the configuration is read again; supervisor_ready follows. */
void supervisor_reloading(void);
/* STOPPING=1. */
void supervisor_stopping(void);
/* WATCHDOG=1, and STATUS=. */
void supervisor_alive(const char *status);

/* How often supervisor_alive is expected to be called, in microseconds; 0: no watchdog. */
uint64_t supervisor_interval(void);

/* Leaves a state and the carriers that go with it (takeover.h) with the service manager, for the
 * next daemon. 0, or ERR_UNSUPPORTED: there is none, or it has not taken them. */
int supervisor_leave(int state, const int *carriers, unsigned count);
/* What another one has left so: the descriptor of the state, and at most `max` of carriers, which
 * are the caller's from then on; it is left no longer. -1: nothing. */
int supervisor_left(int *carriers, unsigned max, unsigned *count);

/* Listening sockets that were passed: puts at most `max` descriptors into `fds`, which are the
 * caller's from then on. How many, 0: none; ERR_INTERNAL having logged why. To be called once. */
int supervisor_sockets(int *fds, int max, const struct log *log);
