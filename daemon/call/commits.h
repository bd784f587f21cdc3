/*
 * commits: which answers wait for the disk.
 *
 * A change of a durable object is applied at once, and everybody sees it; but an answer that tells
 * of it, or shows it, leaves only when the commit in which it is written is on disk, so that nobody
 * is told what a crash could take back. Commits have numbers (daemon/store/store.h). What changes
 * now will be in commit `next`; of an object that has not changed since it was last written, the
 * commit is known by its number.
 *
 * A session's answers leave in their order. So of each session it is only remembered from where on
 * they wait, and for which commit: two such places are the most there can be, as one commit is on
 * its way and the next one gathers. Sessions that wait for nothing, and all of a daemon without a
 * store, pay one comparison for each answer.
 *
 * Who writes and syncs, and says when it is done, is above (daemon/durable.h).
 */
#pragma once

#include "daemon/call/unsent.h"

struct call;

enum {
    COMMITS_HIGH = 4 * 1024 * 1024, /* bytes that may wait to be written before sessions must */
};

/* True if a job is at work on the object: nobody sees what it has changed, and it is not saved,
 * before that is over. */
bool object_is_working(const struct object *object);

/* The commit after which what is known of the object now is on disk: 0 if there is none to wait
 * for. NULL: of everything that there is. */
uint64_t commit_of(const struct service *service, const struct object *object);

/* The last `bytes` of what the session has been answered wait for a commit; and so does all that
 * comes after them. Nothing if it is on disk. */
void session_hold(struct session *session, uint64_t commit, uint64_t bytes);
/* Nothing is held any more: the session ends. */
void session_unhold(struct session *session);

/* How many bytes of its answers may leave now. */
uint64_t session_sendable(const struct session *session);

/* The call is about to change a durable object: 0; or ERR_STORAGE, and it has been refused. */
int call_promise(struct call *call);
/* True if so much waits to be written that a session which has answers that wait is not to change
 * more. */
static inline bool session_must_wait_for_disk(const struct session *session)
{
    const struct commits *commits = &session->service->commits;
    return session->held != NULL && commits->promised + commits->promised_before > COMMITS_HIGH;
}

/* What has changed was handed to the store as the commit `next`. */
void service_commits(struct service *service);
/* A commit, and so all before it, is on disk: the answers that waited for it may leave. */
void service_committed(struct service *service, uint64_t commit);
