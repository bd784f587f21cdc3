/*
 * hosts: what daemons ask each other: session.list, session.describe and session.kill about
 * sessions of other hosts.
 *
 * A question is a letter to each daemon that is meant and has a lease (mail.send in the functions),
 * and comes as every entry of an outbox does (waits.h); so does the answer. Who does not answer
 * within HOSTS_PATIENCE_MS is not waited for: its sessions are missing from a list, and a question
 * about one of them is refused with ENGINE.
 */
#pragma once

#include "daemon/engine/state.h"

enum { HOSTS_PATIENCE_MS = 1000 };

/* True if calls of that method are the business of this module. */
bool hosts_are_asked(const struct method *method);

/* The functions of struct engine_api for these; see there. */
int hosts_begin(struct engine *engine, struct call *call);
void hosts_cancel(struct engine *engine, struct call *call, int why);
void hosts_forget(struct engine *engine, struct call *call);

/* A letter from another daemon, or an answer. Anything may stand in it. */
void hosts_mail(struct engine *engine, struct slice letter);

/* A lease has begun: letters are listened for. */
void hosts_listen(struct engine *engine);

/* When the patience with somebody is over, monotonic, in nanoseconds; TIME_NEVER: nobody is asked.
 * And what is done then. */
uint64_t hosts_due(const struct engine *engine);
void hosts_tick(struct engine *engine, uint64_t now);

/* The daemon ends: who still waits is gone. */
void hosts_end(struct engine *engine);
