/* account: users, charges and limits; see account.h. */
#include "daemon/account/account.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "proto/message.h"

#define ROW(name_, standard_, least_, most_, unit_)                                                \
    {                                                                                              \
        .name = #name_, .offset = offsetof(struct limits, name_), .standard = standard_,           \
        .least = least_, .most = most_, .unit = unit_                                              \
    }

const struct limit_row limit_rows[LIMIT_COUNT] = {
    ROW(max_message, MESSAGE_SIZE, 1024, 1UL << 30, "bytes"),
    ROW(max_sessions, 10000, 1, 1000000, "sessions"),
    ROW(max_objects, 1000000, 1, 1UL << 30, "objects"),
    ROW(max_bytes, 8UL << 30, 1UL << 16, 1UL << 50, "bytes"),
    ROW(max_user_bytes, 4UL << 30, 1UL << 16, 1UL << 50, "bytes"),
    ROW(max_waiting, 10000, 1, 1000000, "waiting calls"),
    ROW(max_descriptors, 4096, 0, 1UL << 20, "descriptors"),
    ROW(max_output, 256UL << 20, 1UL << 16, 1UL << 40, "bytes"),
    ROW(max_events, 128UL << 10, 1024, 1UL << 30, "bytes"),
};

#undef ROW

void limits_init(struct limits *limits)
{
    for (size_t i = 0; i < LIMIT_COUNT; i++) {
        *limit_value(limits, &limit_rows[i]) = limit_rows[i].standard;
    }
}

uint64_t *limit_value(struct limits *limits, const struct limit_row *row)
{
    return (uint64_t *)((char *)limits + row->offset);
}

void accounts_init(struct accounts *accounts)
{
    *accounts = (struct accounts){0};
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
    *user = (struct user){.accounts = accounts, .uid = uid, .refs = 1};
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

/* True if so much more would be over the limit; what is used may be over it already. */
static bool is_over(uint64_t used, uint64_t more, uint64_t max)
{
    return used > max || more > max - used;
}

int user_charge(struct user *user, uint64_t bytes)
{
    struct accounts *accounts = user->accounts;
    const struct limits *limits = &accounts->limits;
    if (is_over(user->bytes, bytes, limits->max_user_bytes)) {
        accounts->refusal = (struct refusal){.limit = "max_user_bytes",
                                             .used = user->bytes,
                                             .wanted = bytes,
                                             .max = limits->max_user_bytes,
                                             .uid = user->uid};
        return ERR_LIMIT;
    }
    if (is_over(accounts->bytes, bytes, limits->max_bytes)) {
        accounts->refusal = (struct refusal){.limit = "max_bytes",
                                             .used = accounts->bytes,
                                             .wanted = bytes,
                                             .max = limits->max_bytes};
        return ERR_LIMIT;
    }
    user_charge_always(user, bytes);
    return 0;
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

int user_hold_descriptors(struct user *user, uint64_t count)
{
    struct accounts *accounts = user->accounts;
    uint64_t used = accounts->descriptors;
    uint64_t max = accounts->limits.max_descriptors;
    uint64_t closing = closer_waiting(accounts->closer);
    if (closing > CLOSING_FREE) {
        used += closing - CLOSING_FREE;
    }
    if (count > max || used > max - count) {
        accounts->refusal =
            (struct refusal){.limit = "max_descriptors", .used = used, .wanted = count, .max = max};
        return ERR_LIMIT;
    }
    user->descriptors += count;
    accounts->descriptors += count;
    return 0;
}

void user_drop_descriptors(struct user *user, uint64_t count)
{
    assert(user->descriptors >= count && user->accounts->descriptors >= count);
    user->descriptors -= count;
    user->accounts->descriptors -= count;
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

int accounts_admit(struct accounts *accounts, uint64_t *count, const char *limit, uint64_t max)
{
    if (*count >= max) {
        accounts->refusal =
            (struct refusal){.limit = limit, .used = *count, .wanted = 1, .max = max};
        return ERR_LIMIT;
    }
    ++*count;
    return 0;
}

void refusal_print(const struct refusal *refusal, struct buffer *out)
{
    char text[256];
    int len;
    if (strcmp(refusal->limit, "max_user_bytes") == 0) {
        len = snprintf(text, sizeof(text),
                       "over the limit max_user_bytes: user %u has %" PRIu64 " of %" PRIu64
                       " bytes and this needs %" PRIu64 " more",
                       (unsigned)refusal->uid, refusal->used, refusal->max, refusal->wanted);
    } else {
        len = snprintf(text, sizeof(text),
                       "over the limit %s: %" PRIu64 " of %" PRIu64
                       " are in use and this needs %" PRIu64 " more",
                       refusal->limit, refusal->used, refusal->max, refusal->wanted);
    }
    (void)buffer_append(out, text, (size_t)len);
}
