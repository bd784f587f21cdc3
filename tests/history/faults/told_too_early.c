/* Fault: a short answer leaves before what it tells of is on disk. (Long ones wait, so that the
 * object is there, which its description was the answer for.) */
#include "daemon/call/commits.h"

enum { LONG = 100 };

void __real_session_hold(struct session *session, uint64_t commit, uint64_t bytes);
void __wrap_session_hold(struct session *session, uint64_t commit, uint64_t bytes);

void __wrap_session_hold(struct session *session, uint64_t commit, uint64_t bytes)
{
    if (bytes > LONG) {
        __real_session_hold(session, commit, bytes);
    }
}
