/*
 * descriptors: file descriptors that have come with a connection's input (SCM_RIGHTS).
 *
 * The kernel gives the descriptors of one sendmsg(2) together with the bytes that were sent with
 * them, but may put bytes sent earlier in front of those. So what is known of a set of descriptors
 * is a stretch of the input in which its message begins: the set belongs to the first message that
 * begins in the stretch and has an ext of type 2 in it. Positions are counted in the window of
 * struct input. A set whose message can no longer come is closed.
 *
 * Sets are few: a connection whose message is incomplete has at most one, and one that is not read
 * from gets no more of them. A set keeps DESCRIPTORS_PER_MESSAGE descriptors at most: a message
 * with more is refused if it names one, so they are closed as they come. Those that stay when the
 * window is closed are counted as the user's; what is over a limit then, or what the kernel has cut
 * off before, is lost, and the set says so to its message.
 *
 * Nothing is done with a descriptor here but to pass it on or to give it up (user_close).
 */
#pragma once

#include <sys/queue.h>

#include "daemon/account/account.h"
#include "proto/message.h"

enum { DESCRIPTORS_MAX = 253 }; /* the kernel's limit for one message */

/* What one recvmsg(2) has brought besides bytes. */
struct arrival {
    unsigned count;
    bool cut; /* there were more, but the process may have no more */
    int fds[DESCRIPTORS_MAX];
};

struct descriptor_set {
    STAILQ_ENTRY(descriptor_set) link;
    size_t from; /* the set's message begins in [from, until) */
    size_t until;
    unsigned count; /* that came */
    unsigned held;  /* how many of them are here: count or 0 */
    bool counted;   /* as the user's */
    int lost;       /* 0; ERR_LIMIT with `refusal`: one; ERR_MEMORY: they were cut off */
    struct refusal refusal;
    int fds[]; /* owned, `held` of them; -1: taken */
};

STAILQ_HEAD(descriptor_list, descriptor_set);

/* All functions: of a list that belongs to one user's connection. */

/* Takes over the descriptors that came with the bytes [from, until). 0, or ERR_MEMORY for want of
 * memory: then they are closed. */
int descriptors_add(struct descriptor_list *list, const struct user *user,
                    const struct arrival *arrival, size_t from, size_t until);

/* The set of a message that begins at `at` and names descriptors, taken out of the list and counted
 * no longer, or NULL. Free it with descriptor_set_free. */
struct descriptor_set *descriptors_take(struct descriptor_list *list, struct user *user, size_t at);
/* Closes what was not taken; NULL is allowed. */
void descriptor_set_free(struct descriptor_set *set, struct user *user);

/* The window is closed and the next one begins `gone` bytes later. Closes the sets whose message
 * can no longer come; `incomplete`: the window is left at a message that is not whole, so that no
 * other one begins behind it. */
void descriptors_shift(struct descriptor_list *list, struct user *user, size_t gone,
                       bool incomplete);

/* Closes everything. */
void descriptors_clear(struct descriptor_list *list, struct user *user);
