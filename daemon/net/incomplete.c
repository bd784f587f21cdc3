/* incomplete: see incomplete.h. */
#include "daemon/net/incomplete.h"

void incomplete_heard(struct incomplete_list *list, struct incomplete *one, uint64_t now)
{
    incomplete_forget(list, one);
    one->heard = now;
    one->listed = true;
    TAILQ_INSERT_TAIL(list, one, link);
}

void incomplete_insert(struct incomplete_list *list, struct incomplete *one, uint64_t heard)
{
    struct incomplete *later = TAILQ_FIRST(list);
    while (later != NULL && later->heard <= heard) {
        later = TAILQ_NEXT(later, link);
    }
    one->heard = heard;
    one->listed = true;
    if (later != NULL) {
        TAILQ_INSERT_BEFORE(later, one, link);
    } else {
        TAILQ_INSERT_TAIL(list, one, link);
    }
}

void incomplete_forget(struct incomplete_list *list, struct incomplete *one)
{
    if (one->listed) {
        one->listed = false;
        TAILQ_REMOVE(list, one, link);
    }
}

struct incomplete *incomplete_take(struct incomplete_list *list, uint64_t now)
{
    struct incomplete *one = TAILQ_FIRST(list);
    if (one == NULL || incomplete_due(list) > now) {
        return NULL;
    }
    incomplete_forget(list, one);
    return one;
}
