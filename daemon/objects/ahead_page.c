/* ahead_page: see ahead_page.h. Tests: tests/unit/methods/test_queue_ahead.c. */
#include "daemon/objects/ahead_page.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "daemon/objects/allocation.h"

enum { PAGE_SIZE = AHEAD_SLOTS * sizeof(uint64_t) }; /* rounded up to a page of the system's */

static _Atomic uint64_t *slot_of(const struct ahead_page *page, unsigned slot)
{
    return (_Atomic uint64_t *)(void *)page->mapping.memory + slot;
}

/* What a slot says when nothing is taken. */
static uint64_t fresh(const struct ahead_page *page, unsigned slot)
{
    return (uint64_t)page->generations[slot] << 32;
}

/* How many a slot's value says, believed only of the generation that it is of. */
static uint32_t read_taken(const struct ahead_page *page, unsigned slot, uint64_t value,
                           uint32_t most)
{
    uint32_t taken = (uint32_t)value;
    if (value >> 32 != page->generations[slot]) {
        return 0;
    }
    return taken < most ? taken : most;
}

uint64_t ahead_page_cost(void)
{
    return allocation_cost(sizeof(struct ahead_page)) + mapping_size(PAGE_SIZE);
}

int ahead_page_new(struct ahead_page **out, int *fd)
{
    struct ahead_page *page = calloc(1, sizeof(*page));
    int status = page == NULL ? ERR_MEMORY : mapping_init(&page->mapping, mapping_size(PAGE_SIZE));
    if (status < 0) {
        free(page);
        return status;
    }
    *fd = page->mapping.fd;
    page->mapping.fd = -1;
    *out = page;
    return 0;
}

void ahead_page_free(struct ahead_page *page)
{
    if (page != NULL) {
        assert(page->used == 0);
        mapping_unmap(&page->mapping, NULL);
        free(page);
    }
}

int ahead_page_use(struct ahead_page *page, struct object *object)
{
    if (page->used == UINT64_MAX) {
        return -1;
    }
    unsigned slot = (unsigned)__builtin_ctzll(~page->used);
    page->used |= UINT64_C(1) << slot;
    page->objects[slot] = object;
    atomic_store(slot_of(page, slot), fresh(page, slot));
    return (int)slot;
}

uint32_t ahead_page_taken(const struct ahead_page *page, unsigned slot, uint32_t most)
{
    return read_taken(page, slot, atomic_load(slot_of(page, slot)), most);
}

uint32_t ahead_page_end(struct ahead_page *page, unsigned slot, uint32_t most)
{
    uint32_t next = page->generations[slot] + 1;
    uint64_t value = atomic_exchange(slot_of(page, slot), (uint64_t)next << 32);
    uint32_t taken = read_taken(page, slot, value, most);
    page->generations[slot] = next;
    page->objects[slot] = NULL;
    page->used &= ~(UINT64_C(1) << slot);
    return taken;
}
