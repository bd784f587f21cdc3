/*
 * guest: see guest.h.
 *
 * Tests: tests/unit/engine/test_hosts.c.
 */
#include "daemon/engine/guest.h"

#include <stdlib.h>

static uint32_t hash_number(uint64_t number)
{
    return (uint32_t)((number * 0x9e3779b97f4a7c15) >> 32);
}

static bool is_of_session(const struct ordered_entry *entry, const void *key)
{
    return ((const struct guest *)entry)->session == *(const uint64_t *)key;
}

static struct guest *find(const struct engine *engine, uint64_t session)
{
    uint32_t position =
        ordered_find(&engine->guests, hash_number(session), is_of_session, &session);
    return position == ORDERED_NONE ? NULL : (struct guest *)engine->guests.entries[position];
}

static uint32_t hash_stay(uint64_t session, const struct lane *lane)
{
    return hash_number(session * 31 + lane->entry.seq);
}

static bool is_stay(const struct ordered_entry *entry, const void *key)
{
    const struct stay *stay = (const struct stay *)entry;
    const struct stay *wanted = key;
    return stay->session == wanted->session && stay->lane == wanted->lane;
}

static struct guest *guest_make(struct engine *engine, uint64_t session)
{
    struct guest *guest = find(engine, session);
    if (guest != NULL) {
        return guest;
    }
    guest = calloc(1, sizeof(*guest));
    if (guest == NULL) {
        return NULL;
    }
    guest->session = session;
    LIST_INIT(&guest->stays);
    if (ordered_append(&engine->guests, hash_number(session), &guest->entry) < 0) {
        free(guest);
        return NULL;
    }
    return guest;
}

static void info_done(struct op *op, const struct outcome *outcome)
{
    op_deinit(op);
    free(op);
}

/* Who the session is, for those who ask who holds something. */
static void send_info(const struct session *session, struct lane *lane)
{
    struct op *op = malloc(sizeof(*op));
    if (op == NULL) {
        return;
    }
    op_init(op, "session.info", (struct slice){0});
    argument_int(&op->first.arguments, session->credentials.pid);
    argument_uint(&op->first.arguments, session->credentials.uid);
    argument_text(&op->first.arguments, session->client == NULL ? "" : session->client);
    op->session = session->id;
    op->done = info_done;
    lane_submit(lane, op);
}

int guest_stays(struct engine *engine, const struct session *session, struct lane *lane)
{
    const struct stay wanted = {.session = session->id, .lane = lane};
    uint32_t hash = hash_stay(session->id, lane);
    if (ordered_find(&engine->stays, hash, is_stay, &wanted) != ORDERED_NONE) {
        return 0;
    }
    struct guest *guest = guest_make(engine, session->id);
    struct stay *stay = guest == NULL ? NULL : calloc(1, sizeof(*stay));
    if (stay == NULL) {
        return ERR_MEMORY;
    }
    stay->session = session->id;
    stay->lane = lane;
    if (ordered_append(&engine->stays, hash, &stay->entry) < 0) {
        free(stay);
        return ERR_MEMORY;
    }
    LIST_INSERT_HEAD(&guest->stays, stay, link);
    guest->nstays++;
    lane_use(lane);
    send_info(session, lane);
    return 0;
}

static void stay_free(struct engine *engine, struct stay *stay)
{
    uint32_t position = ordered_from_seq(&engine->stays, stay->entry.seq);
    (void)ordered_remove(&engine->stays, position, hash_stay(stay->session, stay->lane), NULL);
    LIST_REMOVE(stay, link);
    lane_unuse(stay->lane);
    free(stay);
}

static void guest_free(struct engine *engine, struct guest *guest)
{
    while (!LIST_EMPTY(&guest->stays)) {
        stay_free(engine, LIST_FIRST(&guest->stays));
    }
    uint32_t position = ordered_from_seq(&engine->guests, guest->entry.seq);
    (void)ordered_remove(&engine->guests, position, hash_number(guest->session), NULL);
    free(guest);
}

struct ending {
    struct op op;
    struct engine *engine;
};

static void end_done(struct op *op, const struct outcome *outcome)
{
    ((struct ending *)op)->engine->ending--;
    op_deinit(op);
    free(op);
}

/* Without memory for it, what the session has there is given back when this daemon ends. */
static void send_end(struct engine *engine, const struct stay *stay)
{
    struct ending *ending = malloc(sizeof(*ending));
    if (ending == NULL) {
        return;
    }
    op_init(&ending->op, "session.end", (struct slice){0});
    argument_uint(&ending->op.first.arguments, stay->session);
    argument_uint(&ending->op.first.arguments, stay->lane->mailbox.last);
    ending->op.done = end_done;
    ending->engine = engine;
    engine->ending++;
    lane_submit(stay->lane, &ending->op);
}

size_t guest_lanes(const struct engine *engine, uint64_t session)
{
    const struct guest *guest = find(engine, session);
    return guest == NULL ? 0 : guest->nstays;
}

void guest_each_lane(const struct engine *engine, uint64_t session,
                     void (*see)(void *data, struct lane *lane), void *data)
{
    const struct guest *guest = find(engine, session);
    const struct stay *stay;
    if (guest != NULL) {
        LIST_FOREACH (stay, &guest->stays, link) {
            see(data, stay->lane);
        }
    }
}

void guest_leaves(struct engine *engine, uint64_t session)
{
    struct guest *guest = find(engine, session);
    const struct stay *stay;
    if (guest == NULL) {
        return;
    }
    LIST_FOREACH (stay, &guest->stays, link) {
        send_end(engine, stay);
    }
    guest_free(engine, guest);
}

void guests_lose(struct engine *engine, const char *why)
{
    for (uint32_t i = 0; (i = ordered_next(&engine->guests, i)) != ORDERED_NONE; i++) {
        struct guest *guest = (struct guest *)engine->guests.entries[i];
        guest->lost = why;
        guest->nstays = 0;
    }
    uint32_t i;
    while ((i = ordered_next(&engine->stays, 0)) != ORDERED_NONE) {
        stay_free(engine, (struct stay *)engine->stays.entries[i]);
    }
}

const char *guest_take_loss(struct engine *engine, uint64_t session)
{
    struct guest *guest = engine->guests.live == 0 ? NULL : find(engine, session);
    if (guest == NULL || guest->lost == NULL) {
        return NULL;
    }
    const char *lost = guest->lost;
    guest_free(engine, guest);
    return lost;
}

void guests_deinit(struct engine *engine)
{
    uint32_t i;
    while ((i = ordered_next(&engine->guests, 0)) != ORDERED_NONE) {
        guest_free(engine, (struct guest *)engine->guests.entries[i]);
    }
    ordered_deinit(&engine->guests, NULL);
    ordered_deinit(&engine->stays, NULL);
}
