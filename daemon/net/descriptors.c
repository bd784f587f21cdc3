/* descriptors: see descriptors.h. */
#include "daemon/net/descriptors.h"

#include <stdlib.h>

int descriptors_add(struct descriptor_list *list, const struct user *user, const int *fds,
                    unsigned count, size_t from, size_t until)
{
    struct descriptor_set *set = malloc(sizeof(*set) + count * sizeof(int));
    if (set == NULL) {
        for (unsigned i = 0; i < count; i++) {
            user_close(user, fds[i]);
        }
        return ERR_MEMORY;
    }
    set->from = from;
    set->until = until;
    set->count = count;
    memcpy(set->fds, fds, count * sizeof(int));
    STAILQ_INSERT_TAIL(list, set, link);
    return 0;
}

void descriptor_set_free(struct descriptor_set *set, const struct user *user)
{
    if (set == NULL) {
        return;
    }
    for (unsigned i = 0; i < set->count; i++) {
        if (set->fds[i] >= 0) {
            user_close(user, set->fds[i]);
        }
    }
    free(set);
}

struct descriptor_set *descriptors_take(struct descriptor_list *list, size_t at)
{
    struct descriptor_set *set;
    STAILQ_FOREACH (set, list, link) {
        if (set->from <= at && at < set->until) {
            STAILQ_REMOVE(list, set, descriptor_set, link);
            return set;
        }
    }
    return NULL;
}

void descriptors_shift(struct descriptor_list *list, const struct user *user, size_t gone,
                       bool incomplete)
{
    struct descriptor_set *set = STAILQ_FIRST(list);
    while (set != NULL) {
        struct descriptor_set *next = STAILQ_NEXT(set, link);
        if (set->until <= gone || (incomplete && set->from > gone)) {
            STAILQ_REMOVE(list, set, descriptor_set, link);
            descriptor_set_free(set, user);
        } else {
            set->from = set->from > gone ? set->from - gone : 0;
            set->until -= gone;
        }
        set = next;
    }
}

void descriptors_clear(struct descriptor_list *list, const struct user *user)
{
    descriptors_shift(list, user, SIZE_MAX, false);
}
