/* ties: for faults at the end of a session: what it has of objects. */
#pragma once

#include "daemon/call/ending.h"

void __real_session_end(struct session *session, void (*ended)(struct session *session));
void __wrap_session_end(struct session *session, void (*ended)(struct session *session));

static inline void each_tie(struct session *session, void (*spoil)(struct tie *tie))
{
    for (uint32_t i = 0; i < session->nties; i++) {
        spoil(session->ties[i]);
    }
}
