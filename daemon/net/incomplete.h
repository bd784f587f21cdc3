/*
 * incomplete: those who have begun a message and not ended it, the one first that has sent nothing
 * for the longest time.
 *
 * What they hold (bytes, descriptors) is held for them as long as they go on: INCOMPLETE_SECONDS
 * after the last byte it is given up. However slow they are, a byte now and then is enough. Nothing
 * here is done for messages that come whole.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

enum { INCOMPLETE_SECONDS = 30 };

/* One of them; zeroed at first. */
struct incomplete {
    TAILQ_ENTRY(incomplete) link;
    uint64_t heard; /* when its last byte came: monotonic, nanoseconds */
    bool listed;
};

TAILQ_HEAD(incomplete_list, incomplete);

/* It has sent something and its message is still not whole. */
void incomplete_heard(struct incomplete_list *list, struct incomplete *one, uint64_t now);
/* The same, at `heard`, which may be before what others have sent: of one who is in no list. */
void incomplete_insert(struct incomplete_list *list, struct incomplete *one, uint64_t heard);
/* It has nothing incomplete; also if it had none. */
void incomplete_forget(struct incomplete_list *list, struct incomplete *one);

/* When the next one is to be given up; UINT64_MAX: there is none. */
static inline uint64_t incomplete_due(const struct incomplete_list *list)
{
    const struct incomplete *first = TAILQ_FIRST(list);
    return first == NULL ? UINT64_MAX : first->heard + INCOMPLETE_SECONDS * UINT64_C(1000000000);
}
/* One that is to be given up, taken out of the list; or NULL. */
struct incomplete *incomplete_take(struct incomplete_list *list, uint64_t now);
