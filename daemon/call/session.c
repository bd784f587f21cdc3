/*
 * session: lists of what a session has; see session.h.
 *
 * Tests: tests/unit/call/test_ending.c; tests/unit/methods/, whole calls.
 */
#include "daemon/call/session.h"

#include <assert.h>
#include <stdlib.h>

#include "daemon/objects/allocation.h"

enum { TIES_LEAST = 4 };

int session_init(struct session *session, struct service *service, struct credentials *credentials)
{
    struct accounts *accounts = &service->accounts;
    *session = (struct session){.service = service};
    session->user = accounts_user(accounts, credentials->uid);
    if (session->user == NULL) {
        return ERR_MEMORY;
    }
    int status = user_take(session->user, RESOURCE_SESSIONS, 1);
    if (status < 0) {
        user_unref(session->user);
        return status;
    }
    session->charged.user = session->user;
    session->memory.tally = &session->charged;
    session->credentials = *credentials;
    *credentials = (struct credentials){0};
    session->id = ++service->next_session;
    ordered_init(&session->calls);
    session_charge_memory(session);
    (void)clock_gettime(CLOCK_REALTIME, &session->since);
    TAILQ_INSERT_TAIL(&service->sessions, session, link);
    return 0;
}

void session_held_sent(struct held *held, uint64_t more)
{
    for (unsigned i = 0; i < held->count; i++) {
        held->places[i].ahead -= more;
    }
}

/* Where the tie to the object of that number stands in the array, or would stand. */
static uint32_t tie_position(const struct session *session, uint64_t number)
{
    uint32_t low = 0;
    uint32_t high = session->nties;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (session->ties[middle]->object->entry.seq < number) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

struct tie *session_tie_from(const struct session *session, uint64_t number)
{
    uint32_t position = tie_position(session, number);
    return position < session->nties ? session->ties[position] : NULL;
}

struct tie *session_tie(const struct session *session, const struct object *object)
{
    struct tie *tie = session_tie_from(session, object->entry.seq);
    return tie != NULL && tie->object == object ? tie : NULL;
}

void session_charge_memory(struct session *session)
{
    uint64_t cost = ordered_cost(&session->calls) +
                    allocation_cost(session->ties_cap * sizeof(struct tie *)) +
                    session->nties * allocation_cost(sizeof(struct tie)) +
                    allocation_cost(session->credentials.ngroups * sizeof(gid_t));
    if (session->client != NULL) {
        cost += allocation_cost(strlen(session->client) + 1);
    }
    if (session->page != NULL) {
        cost += ahead_page_cost();
    }
    charge_set_always(&session->memory, cost);
}

int session_admit_tie(struct session *session, const struct object *object)
{
    return session_tie(session, object) != NULL
               ? 0
               : user_may_charge(session->user, allocation_cost(sizeof(struct tie)));
}

static int reserve_tie(struct session *session)
{
    if (session->nties < session->ties_cap) {
        return 0;
    }
    uint32_t cap = session->ties_cap > 0 ? session->ties_cap * 2 : TIES_LEAST;
    struct tie **ties = realloc(session->ties, cap * sizeof(struct tie *));
    if (ties == NULL) {
        return ERR_MEMORY;
    }
    session->ties = ties;
    session->ties_cap = cap;
    return 0;
}

/* Gives memory back when most of it is free; without memory for less it stays as it is. */
static void shrink_ties(struct session *session)
{
    uint32_t cap = session->ties_cap / 2;
    if (cap < TIES_LEAST || session->nties > cap / 2) {
        return;
    }
    struct tie **ties = realloc(session->ties, cap * sizeof(struct tie *));
    if (ties != NULL) {
        session->ties = ties;
        session->ties_cap = cap;
    }
}

struct tie *session_tie_make(struct session *session, struct object *object)
{
    struct tie *tie = session_tie(session, object);
    if (tie != NULL) {
        return tie;
    }
    if (reserve_tie(session) < 0) {
        return NULL;
    }
    tie = malloc(sizeof(*tie));
    if (tie == NULL) {
        return NULL;
    }
    *tie = (struct tie){.session = session, .object = object_ref(object)};
    TAILQ_INIT(&tie->taken);
    TAILQ_INSERT_TAIL(&object->ties, tie, of_object);
    uint32_t position = tie_position(session, object->entry.seq);
    memmove(session->ties + position + 1, session->ties + position,
            (session->nties - position) * sizeof(struct tie *));
    session->ties[position] = tie;
    session->nties++;
    session_charge_memory(session);
    return tie;
}

void session_tie_check(struct tie *tie)
{
    if (!tie_is_idle(tie)) {
        return;
    }
    struct session *session = tie->session;
    uint32_t position = tie_position(session, tie->object->entry.seq);
    session->nties--;
    memmove(session->ties + position, session->ties + position + 1,
            (session->nties - position) * sizeof(struct tie *));
    TAILQ_REMOVE(&tie->object->ties, tie, of_object);
    object_unref(tie->object);
    free(tie);
    shrink_ties(session);
    session_charge_memory(session);
}

int session_open(struct session *session, struct object *object, bool always)
{
    int status = always ? 0 : session_admit_tie(session, object);
    if (status < 0) {
        return status;
    }
    struct tie *tie = session_tie_make(session, object);
    if (tie == NULL) {
        return ERR_MEMORY;
    }
    if (!tie->open) {
        tie->open = true;
        object->opens++;
    }
    return 0;
}

bool session_close(struct session *session, struct object *object)
{
    struct tie *tie = session_tie(session, object);
    if (tie == NULL || !tie->open) {
        return false;
    }
    if (object->reserved == tie) { /* who has it not open has nothing reserved: the tie may go */
        object_settle(object, true);
    }
    tie->open = false;
    object->opens--;
    object_check_orphan(object);
    session_tie_check(tie);
    return true;
}

void object_close_denied(struct object *object)
{
    struct tie *next;
    for (struct tie *tie = TAILQ_FIRST(&object->ties); tie != NULL; tie = next) {
        next = TAILQ_NEXT(tie, of_object);
        if (tie->open && !object_may_be_kept(object, &tie->session->credentials)) {
            (void)session_close(tie->session, object);
        }
    }
}

/* Looks at what is reserved for the session, or ends it. */
static void settle(struct session *session, bool whole)
{
    struct ahead_page *page = session->page;
    for (unsigned i = 0; page != NULL && page->used != 0 && i < AHEAD_SLOTS; i++) {
        if ((page->used >> i & 1) != 0) {
            object_settle(page->objects[i], whole);
        }
    }
}

void session_settle(struct session *session)
{
    settle(session, true);
}

uint64_t session_holding(struct session *session)
{
    uint64_t holding = 0;
    settle(session, false);
    for (uint32_t i = 0; i < session->nties; i++) {
        holding += session->ties[i]->holding;
    }
    return holding;
}

struct session *session_find(struct service *service, uint64_t id)
{
    struct session *session;
    TAILQ_FOREACH (session, &service->sessions, link) {
        if (session->id == id) {
            return session;
        }
    }
    return NULL;
}

void session_dirty(struct session *session)
{
    if (!session->is_dirty && !session->gone) {
        session->is_dirty = true;
        TAILQ_INSERT_TAIL(&session->service->dirty, session, dirty);
    }
}

void session_deinit(struct session *session)
{
    struct service *service = session->service;
    assert(session->nties == 0 && session->calls.live == 0 && session->earlier == NULL);
    ordered_deinit(&session->calls, NULL);
    if (session->is_dirty) {
        TAILQ_REMOVE(&service->dirty, session, dirty);
    }
    user_give_back(session->user, RESOURCE_SESSIONS, 1);
    output_deinit(&session->output);
    charge_release(&session->memory);
    assert(session->charged.bytes == 0);
    user_unref(session->user);
    credentials_deinit(&session->credentials);
    ahead_page_free(session->page);
    free(session->ties);
    free(session->client);
}
