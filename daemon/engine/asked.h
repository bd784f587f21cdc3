/*
 * asked: questions of other daemons about sessions of this one, and the answers (hosts.h).
 */
#pragma once

#include "daemon/engine/state.h"

/* A letter that is a question: it is answered, now or when the engine has said what is needed. */
void asked_take(struct engine *engine, struct slice packed);

/* The daemon ends: what is not answered is answered without that. */
void asked_end(struct engine *engine);
