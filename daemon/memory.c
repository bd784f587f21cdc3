/*
 * memory: see memory.h.
 *
 * Tests: tests/unit/daemon/test_memory.c, tests/system/test_charges.c.
 */
#include "daemon/memory.h"

#include <limits.h>
#include <malloc.h>

#include "proto/error.h"

enum { TOP_PAD = 4 * 1024 * 1024 }; /* the heap grows in steps of this size */

void memory_tune(void)
{
    (void)mallopt(M_MMAP_THRESHOLD, MEMORY_HEAP_MAX);
    (void)mallopt(M_TRIM_THRESHOLD, INT_MAX); /* only give_back does it */
    (void)mallopt(M_TOP_PAD, TOP_PAD);
    (void)mallopt(M_MXFAST, 0); /* freed blocks are joined at once, not all of them later */
}

static void give_back(evutil_socket_t fd, short what, void *data)
{
    struct memory *memory = data;
    (void)fd;
    (void)what;
    if (memory->bytes > MEMORY_SHORT && memory->events > MEMORY_QUIET) {
        memory_wait(memory);
        return;
    }
    memory->waiting = false;
    memory->peak = memory->bytes;
    (void)malloc_trim(0);
}

int memory_init(struct memory *memory, struct event_base *base)
{
    *memory = (struct memory){0};
    return event_assign(&memory->timer, base, -1, 0, give_back, memory) < 0 ? ERR_MEMORY : 0;
}

void memory_deinit(struct memory *memory)
{
    (void)event_del(&memory->timer);
}

void memory_wait(struct memory *memory)
{
    const struct timeval delay = {.tv_sec = MEMORY_DELAY_S};
    memory->events = 0;
    memory->waiting = event_add(&memory->timer, &delay) == 0;
}
