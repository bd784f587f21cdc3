/*
 * commits: see commits.h.
 *
 * Tests: tests/unit/call/test_commits.c, tests/system/test_durable.c.
 */
#include "daemon/call/commits.h"

#include <assert.h>
#include <stdlib.h>

#include "daemon/call/call.h"
#include "daemon/objects/saving.h"

/* The methods that make more of what is stored; all others make less, or the same. */
static const bool adds[METHOD_COUNT] = {
    [METHOD_queue_put] = true,        [METHOD_queue_put_many] = true,
    [METHOD_dict_set] = true,         [METHOD_dict_update] = true,
    [METHOD_dict_setdefault] = true,  [METHOD_dict_incr] = true,
    [METHOD_dict_cas] = true,         [METHOD_namespace_set] = true,
    [METHOD_namespace_update] = true, [METHOD_namespace_setdefault] = true,
    [METHOD_namespace_incr] = true,   [METHOD_namespace_cas] = true,
    [METHOD_list_append] = true,      [METHOD_list_extend] = true,
    [METHOD_list_insert] = true,      [METHOD_list_set] = true,
    [METHOD_list_set_slice] = true,   [METHOD_list_repeat] = true,
    [METHOD_list_incr] = true,
};

/* Those that may change where all others are. */
static bool moves(enum method_id method)
{
    return method == METHOD_list_sort || method == METHOD_list_reverse ||
           method == METHOD_list_insert || method == METHOD_list_set_slice ||
           method == METHOD_list_delete || method == METHOD_list_delete_slice ||
           method == METHOD_list_remove || method == METHOD_list_pop;
}

bool object_is_working(const struct object *object)
{
    return object_is_busy(object);
}

uint64_t commit_of(const struct service *service, const struct object *object)
{
    const struct commits *commits = &service->commits;
    uint64_t commit = object == NULL || object->deleted ? commits->last : object->commit;
    bool changed = object == NULL || object->deleted
                       ? registry_has_changed(&service->registry, object_is_working)
                       : object->is_changed;
    if (changed) {
        return commits->next;
    }
    return commit > commits->synced ? commit : 0;
}

/* Those of the places are forgotten whose commit is on disk. */
static void forget_synced(struct held *held, uint64_t synced)
{
    while (held->count > 0 && held->places[0].commit <= synced) {
        held->places[0] = held->places[1];
        held->count--;
    }
}

static struct held *held_new(struct session *session)
{
    struct held *held = calloc(1, sizeof(*held));
    if (held != NULL) {
        held->session = session;
        session->held = held;
        TAILQ_INSERT_TAIL(&session->service->commits.held, held, link);
        session->service->commits.nheld++;
    }
    return held;
}

void session_hold(struct session *session, uint64_t commit, uint64_t bytes)
{
    uint64_t synced = session->service->commits.synced;
    if (commit <= synced || session->gone) {
        return;
    }
    struct held *held = session->held != NULL ? session->held : held_new(session);
    if (held == NULL) {
        session->output.bytes.failed = true; /* what must not leave cannot be told apart */
        return;
    }
    forget_synced(held, synced);
    if (held->count > 0 && held->places[held->count - 1].commit >= commit) {
        return; /* what it stands behind waits as long */
    }
    assert(held->count < SESSION_HELD);
    held->places[held->count].commit = commit;
    held->places[held->count].ahead = session_unsent(session) - bytes;
    held->count++;
}

void session_unhold(struct session *session)
{
    if (session->held != NULL) {
        TAILQ_REMOVE(&session->service->commits.held, session->held, link);
        session->service->commits.nheld--;
        free(session->held);
        session->held = NULL;
    }
}

uint64_t session_sendable(const struct session *session)
{
    const struct held *held = session->held;
    uint64_t unsent = session_unsent(session);
    for (unsigned i = 0; held != NULL && i < held->count; i++) {
        if (held->places[i].commit > session->service->commits.synced) {
            return held->places[i].ahead < unsent ? held->places[i].ahead : unsent;
        }
    }
    return unsent;
}

/* What a call may change at most, in bytes. */
static uint64_t change_cost(const struct call *call)
{
    const struct method_signature *signature = &call->service->index.signatures[call->method->id];
    uint64_t bytes = 0;
    uint64_t values = 1;
    for (unsigned i = 1; i < signature->count; i++) {
        bytes += call->params[i].raw.len;
        values += call->params[i].raw.len > 0 ? call->params[i].header.count : 0;
    }
    if (call->method->id == METHOD_list_repeat && call_int(call, 1, 0) > 1) {
        uint64_t times = (uint64_t)call_int(call, 1, 0);
        uint64_t each = call->object->bytes;
        return each > UINT64_MAX / 2 / times ? UINT64_MAX / 2 : each * times;
    }
    return object_save_cost(call->object, values, bytes, moves(call->method->id));
}

int call_promise(struct call *call)
{
    struct commits *commits = &call->service->commits;
    uint64_t cost = change_cost(call);
    bool frees = !adds[call->method->id];
    if (!commits->keeper.promise(commits->keeper.data, cost, frees)) {
        return call_fail(
            call, ERR_STORAGE,
            "%s: there is no space on the disk of the durable store for this change of "
            "\"%s\"; it works again when there is",
            call->method->name, call->object->name);
    }
    commits->promised += cost;
    if (commits->promised + commits->promised_before > COMMITS_HIGH) {
        call->service->credit = -1; /* the session in hand is to look whether it must wait */
    }
    return 0;
}

void service_commits(struct service *service)
{
    struct commits *commits = &service->commits;
    commits->last = commits->next++;
    commits->promised_before = commits->promised;
    commits->promised = 0;
}

void service_committed(struct service *service, uint64_t commit)
{
    struct commits *commits = &service->commits;
    struct held *next;
    commits->synced = commit;
    commits->promised_before = 0;
    for (struct held *held = TAILQ_FIRST(&commits->held); held != NULL; held = next) {
        struct session *session = held->session;
        next = TAILQ_NEXT(held, link);
        forget_synced(held, commit);
        if (held->count == 0) {
            session_unhold(session);
        }
        session_dirty(session);
    }
}
