/*
 * goodbye: the last message to a peer whose connection the daemon ends, [2, "goodbye", [code,
 * message]], and the line about it in the log.
 */
#pragma once

#include "daemon/call/session.h"
#include "daemon/log.h"

/* Appends a goodbye. Want of memory is latched in the buffer. */
void goodbye_pack(struct buffer *out, int error, const char *text);

/* Sends one to a socket that is to be closed, as far as that is possible without blocking. */
void goodbye_send(int fd, int error, const char *text);

/* Logs why a session is ended. `now`: monotonic, nanoseconds. */
void goodbye_log(struct log *log, uint64_t now, const struct session *session, const char *text);
