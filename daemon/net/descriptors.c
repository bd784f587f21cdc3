/* descriptors: see descriptors.h. */
#include "daemon/net/descriptors.h"

#include <stdlib.h>

static void close_all(const struct user *user, const int *fds, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (fds[i] >= 0) {
            user_close(user, fds[i]);
        }
    }
}

int descriptors_add(struct descriptor_list *list, const struct user *user,
                    const struct arrival *arrival, size_t from, size_t until)
{
    bool keep = !arrival->cut && arrival->count <= DESCRIPTORS_PER_MESSAGE;
    unsigned held = keep ? arrival->count : 0;
    struct descriptor_set *set = malloc(sizeof(*set) + held * sizeof(int));
    if (set == NULL || held == 0) {
        close_all(user, arrival->fds, arrival->count);
    }
    if (set == NULL) {
        return ERR_MEMORY;
    }
    *set = (struct descriptor_set){.from = from,
                                   .until = until,
                                   .count = arrival->count,
                                   .held = held,
                                   .lost = arrival->cut ? ERR_MEMORY : 0};
    memcpy(set->fds, arrival->fds, held * sizeof(int));
    STAILQ_INSERT_TAIL(list, set, link);
    return 0;
}

/* What is held is counted, or lost. */
static void count(struct descriptor_set *set, struct user *user)
{
    if (set->counted || set->held == 0) {
        return;
    }
    set->counted = user_take(user, RESOURCE_DESCRIPTORS, set->held) == 0;
    if (!set->counted) {
        set->lost = ERR_LIMIT;
        set->refusal = user->accounts->refusal;
        close_all(user, set->fds, set->held);
        set->held = 0;
    }
}

static void remove_set(struct descriptor_list *list, struct user *user, struct descriptor_set *set)
{
    STAILQ_REMOVE(list, set, descriptor_set, link);
    if (set->counted) {
        user_give_back(user, RESOURCE_DESCRIPTORS, set->held);
    }
}

void descriptor_set_free(struct descriptor_set *set, struct user *user)
{
    if (set != NULL) {
        close_all(user, set->fds, set->held);
        free(set);
    }
}

struct descriptor_set *descriptors_take(struct descriptor_list *list, struct user *user, size_t at)
{
    struct descriptor_set *set;
    STAILQ_FOREACH (set, list, link) {
        if (set->from <= at && at < set->until) {
            remove_set(list, user, set);
            return set;
        }
    }
    return NULL;
}

void descriptors_shift(struct descriptor_list *list, struct user *user, size_t gone,
                       bool incomplete)
{
    struct descriptor_set *set = STAILQ_FIRST(list);
    while (set != NULL) {
        struct descriptor_set *next = STAILQ_NEXT(set, link);
        if (set->until <= gone || (incomplete && set->from > gone)) {
            remove_set(list, user, set);
            descriptor_set_free(set, user);
        } else {
            set->from = set->from > gone ? set->from - gone : 0;
            set->until -= gone;
            count(set, user);
        }
        set = next;
    }
}

void descriptors_clear(struct descriptor_list *list, struct user *user)
{
    descriptors_shift(list, user, SIZE_MAX, false);
}
