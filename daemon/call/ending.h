/*
 * ending: sessions that go.
 *
 * A session ends in one order: its watches end, its waits end, answers that have not left give back
 * what they carry, claims are given back as each object's options say, what was open is closed;
 * then every list is asserted to be empty. What is much, or concerns an object that a job works on,
 * is done in steps.
 */
#pragma once

#include "daemon/call/drain.h"

/* All calls of the session that wait end with an error. */
void session_cancel_all(struct session *session, int error, const char *text);

/* Ends it. None of its calls may be unfinished (session->unfinished). Nothing is given to it from
 * now on; when it has gone, which may be before this returns, `ended` is called, in which it may be
 * freed. service_drain then serves those whom its leaving wakes. */
void session_end(struct session *session, void (*ended)(struct session *session));
