/*
 * page: the memory in which a session notes how many of the items that are reserved for it it has
 * taken (session.page): slots of 64 bits, the generation of a reservation in the upper half, how
 * many are taken in the lower one.
 *
 * It belongs to one session, which is asked for it when it is first wanted (ahead.c). All functions
 * want the connection's lock to be held where others know the page.
 */
#pragma once

#include "client/ipcclient/value.h"

struct page {
    void *memory; /* mapped, `size` bytes; NULL: there is none */
    size_t size;
    bool asked;      /* it, or none, is what the connection of `epoch` has given */
    uint32_t epoch;  /* see link.h */
    uint32_t number; /* counts those that the connection's struct has had */
};

/* Maps what the answer of session.page has, [descriptor, slots]. False: this cannot be done here.
 */
bool page_map(struct page *page, const struct ipcc_reply *reply);

/* Takes one more of the reservation of that generation, of which `taken` are taken. False: others
 * have ended it. */
bool page_take(struct page *page, unsigned slot, uint32_t generation, uint32_t taken);

/* True if the connection of that epoch has been asked. */
static inline bool page_is_of(const struct page *page, uint32_t epoch)
{
    return page->asked && page->epoch == epoch;
}

/* True if the slot is there. */
static inline bool page_has(const struct page *page, uint64_t slot)
{
    return page->memory != NULL && slot < page->size / sizeof(uint64_t);
}

void page_deinit(struct page *page);
