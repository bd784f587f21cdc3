/* Fault: the permits of a session that ends are not given back. */
#include "daemon/objects/semaphore.h"
#include "tests/history/faults/ties.h"

static void lose(struct tie *tie)
{
    if (tie->object->type->kind == OBJECT_SEMAPHORE) {
        semaphore_of(tie->object)->held -= (int64_t)tie->holding;
        tie->holding = 0;
    }
}

void __wrap_session_end(struct session *session, void (*ended)(struct session *session))
{
    each_tie(session, lose);
    __real_session_end(session, ended);
}
