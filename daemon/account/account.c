/* account: users, charges and limits; see account.h. */
#include "daemon/account/account.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

void accounts_init(struct accounts *accounts, uid_t self)
{
    *accounts = (struct accounts){.self = self};
    TAILQ_INIT(&accounts->users);
    limits_init(&accounts->limits);
}

void accounts_deinit(struct accounts *accounts)
{
    assert(TAILQ_EMPTY(&accounts->users));
    assert(accounts->bytes == 0);
}

struct user *accounts_user(struct accounts *accounts, uid_t uid)
{
    struct user *user;
    TAILQ_FOREACH (user, &accounts->users, link) {
        if (user->uid == uid) {
            return user_ref(user);
        }
    }
    user = malloc(sizeof(*user));
    if (user == NULL) {
        return NULL;
    }
    *user = (struct user){
        .accounts = accounts, .uid = uid, .trusted = uid == 0 || uid == accounts->self, .refs = 1};
    TAILQ_INSERT_HEAD(&accounts->users, user, link);
    return user;
}

struct user *user_ref(struct user *user)
{
    user->refs++;
    return user;
}

void user_unref(struct user *user)
{
    if (user == NULL || --user->refs > 0) {
        return;
    }
    assert(user->bytes == 0 && user->descriptors == 0);
    TAILQ_REMOVE(&user->accounts->users, user, link);
    free(user);
}

/* One of what there is a limit of in all and for each user: where it is counted, and the limits. */
struct quota {
    size_t of_user; /* offsets of the counts */
    size_t of_all;
    enum limit user_limit;
    enum limit limit;
};

#define QUOTA(resource_, name_)                                                                    \
    [resource_] = {.of_user = offsetof(struct user, name_),                                        \
                   .of_all = offsetof(struct accounts, name_),                                     \
                   .user_limit = LIMIT_max_user_##name_,                                           \
                   .limit = LIMIT_max_##name_}

static const struct quota quotas[RESOURCE_COUNT] = {
    QUOTA(RESOURCE_BYTES, bytes),
    QUOTA(RESOURCE_SESSIONS, sessions),
    QUOTA(RESOURCE_OBJECTS, objects),
    QUOTA(RESOURCE_STORED, stored),
    QUOTA(RESOURCE_DESCRIPTORS, descriptors),
};

#undef QUOTA

static uint64_t *count_of_user(struct user *user, const struct quota *quota)
{
    return (uint64_t *)((char *)user + quota->of_user);
}

static uint64_t *count_of_all(struct accounts *accounts, const struct quota *quota)
{
    return (uint64_t *)((char *)accounts + quota->of_all);
}

/* Of so many descriptors that wait to be closed, those that count. */
static uint64_t counted(uint64_t waiting)
{
    return waiting > CLOSING_FREE ? waiting - CLOSING_FREE : 0;
}

static uint64_t used_by_user(struct user *user, const struct quota *quota)
{
    struct closer *closer = user->accounts->closer;
    uint64_t used = *count_of_user(user, quota);
    bool waits = quota == &quotas[RESOURCE_DESCRIPTORS] && closer_waiting(closer) > CLOSING_FREE;
    return waits ? used + counted(closer_waiting_of(closer, user->uid)) : used;
}

static uint64_t used_by_all(struct accounts *accounts, const struct quota *quota)
{
    uint64_t used = *count_of_all(accounts, quota);
    bool waits = quota == &quotas[RESOURCE_DESCRIPTORS];
    return waits ? used + counted(closer_waiting(accounts->closer)) : used;
}

/* True if so much more would be over the limit; what is used may be over it already. */
static bool is_over(uint64_t used, uint64_t more, uint64_t max)
{
    return used > max || more > max - used;
}

/* Whether the limit for each user allows the user so many more, and `slack` beyond it. */
static int check_own(struct user *user, const struct quota *quota, uint64_t more, uint64_t slack)
{
    struct accounts *accounts = user->accounts;
    uint64_t user_max = *limit_value(&accounts->limits, &limit_rows[quota->user_limit]);
    uint64_t used = used_by_user(user, quota);
    if (!user->trusted && is_over(used, more, user_max + slack) && !accounts->is_loading) {
        accounts->refusal = (struct refusal){.limit = &limit_rows[quota->user_limit],
                                             .used = used,
                                             .wanted = more,
                                             .max = user_max,
                                             .uid = user->uid};
        return ERR_LIMIT;
    }
    return 0;
}

/* Whether the user may have so many more, with `slack` beyond what the limits say. */
static int check(struct user *user, const struct quota *quota, uint64_t more, uint64_t slack)
{
    struct accounts *accounts = user->accounts;
    int status = check_own(user, quota, more, slack);
    if (status < 0) {
        return status;
    }
    uint64_t max = *limit_value(&accounts->limits, &limit_rows[quota->limit]);
    uint64_t reserve = user->trusted ? 0 : limit_reserve(max);
    uint64_t used = used_by_all(accounts, quota);
    if (is_over(used, more, max - reserve + slack) && !accounts->is_loading) {
        accounts->refusal = (struct refusal){.limit = &limit_rows[quota->limit],
                                             .used = used,
                                             .wanted = more,
                                             .max = max,
                                             .reserve = reserve};
        return ERR_LIMIT;
    }
    return 0;
}

int user_take(struct user *user, enum resource resource, uint64_t count)
{
    int status = check(user, &quotas[resource], count, 0);
    if (status == 0) {
        user_take_always(user, resource, count);
    }
    return status;
}

void user_take_always(struct user *user, enum resource resource, uint64_t count)
{
    *count_of_user(user, &quotas[resource]) += count;
    *count_of_all(user->accounts, &quotas[resource]) += count;
}

void user_give_back(struct user *user, enum resource resource, uint64_t count)
{
    uint64_t *used = count_of_user(user, &quotas[resource]);
    uint64_t *all = count_of_all(user->accounts, &quotas[resource]);
    assert(*used >= count && *all >= count);
    *used -= count;
    *all -= count;
}

int user_hand_over(struct user *from, struct user *to, const uint64_t counts[RESOURCE_COUNT])
{
    int status = 0;
    for (int i = 0; i < RESOURCE_COUNT && status == 0; i++) {
        status = counts[i] > 0 ? check_own(to, &quotas[i], counts[i], 0) : 0;
    }
    for (int i = 0; i < RESOURCE_COUNT && status == 0; i++) {
        assert(*count_of_user(from, &quotas[i]) >= counts[i]);
        *count_of_user(from, &quotas[i]) -= counts[i];
        *count_of_user(to, &quotas[i]) += counts[i];
    }
    return status;
}

int user_may_charge(struct user *user, uint64_t bytes)
{
    return check(user, &quotas[RESOURCE_BYTES], bytes, 0);
}

int user_charge(struct user *user, uint64_t bytes)
{
    int status = user_may_charge(user, bytes);
    if (status == 0) {
        user_charge_always(user, bytes);
    }
    return status;
}

int user_check_bytes(struct user *user, uint64_t slack)
{
    return check(user, &quotas[RESOURCE_BYTES], 0, slack);
}

void user_charge_always(struct user *user, uint64_t bytes)
{
    user->bytes += bytes;
    user->accounts->bytes += bytes;
}

void user_release(struct user *user, uint64_t bytes)
{
    assert(user->bytes >= bytes && user->accounts->bytes >= bytes);
    user->bytes -= bytes;
    user->accounts->bytes -= bytes;
}

int charge_set(struct charge *charge, uint64_t bytes)
{
    if (bytes > charge->bytes) {
        int status = user_charge(charge->tally->user, bytes - charge->bytes);
        if (status < 0) {
            return status;
        }
    } else if (bytes < charge->bytes) {
        user_release(charge->tally->user, charge->bytes - bytes);
    }
    charge->tally->bytes += bytes - charge->bytes;
    charge->bytes = bytes;
    return 0;
}

void charge_set_always(struct charge *charge, uint64_t bytes)
{
    if (bytes > charge->bytes) {
        user_charge_always(charge->tally->user, bytes - charge->bytes);
        charge->tally->bytes += bytes - charge->bytes;
        charge->bytes = bytes;
    } else {
        (void)charge_set(charge, bytes);
    }
}

void charge_release(struct charge *charge)
{
    if (charge->bytes > 0) {
        (void)charge_set(charge, 0);
    }
}

void user_close(const struct user *user, int fd)
{
    closer_close(user->accounts->closer, user->uid, fd);
}

bool user_is_closing(const struct user *user)
{
    struct closer *closer = user->accounts->closer;
    return closer_waiting(closer) > 0 && closer_waiting_of(closer, user->uid) > 0;
}

int accounts_admit(struct accounts *accounts, uint64_t count, enum limit limit)
{
    uint64_t max = *limit_value(&accounts->limits, &limit_rows[limit]);
    if (count < max) {
        return 0;
    }
    accounts->refusal =
        (struct refusal){.limit = &limit_rows[limit], .used = count, .wanted = 1, .max = max};
    return ERR_LIMIT;
}

void refusal_print(const struct refusal *refusal, struct buffer *out)
{
    const struct limit_row *limit = refusal->limit;
    char text[128];
    int len =
        limit->whole != LIMIT_COUNT
            ? snprintf(text, sizeof(text),
                       "over the limit %s: user %u has %" PRIu64 " of %" PRIu64 " %s", limit->name,
                       (unsigned)refusal->uid, refusal->used, refusal->max, limit->unit)
            : snprintf(text, sizeof(text),
                       "over the limit %s: %" PRIu64 " of %" PRIu64 " are in use", limit->name,
                       refusal->used, refusal->max);
    (void)buffer_append(out, text, (size_t)len);
    if (refusal->reserve > 0) {
        len = snprintf(text, sizeof(text),
                       ", %" PRIu64 " are kept for root and the daemon's own user,",
                       refusal->reserve);
        (void)buffer_append(out, text, (size_t)len);
    }
    if (refusal->wanted > 0) {
        len = snprintf(text, sizeof(text), " and this needs %" PRIu64 " more", refusal->wanted);
        (void)buffer_append(out, text, (size_t)len);
    }
}
