/* bulk: see bulk.h. */
#include "daemon/objects/bulk.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    MOVE_STRETCH = PACE_STRETCH * PACE_STEP_BYTES,
    FREE_STRETCH = PACE_STRETCH * BULK_FREE_STEP,
    FREE_LEAST = 4 * 1024 * 1024, /* what is smaller is given back in one go */
    VALUE_STEPS = 4,              /* to free one that is short */
    FEW = 16,
};

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

void bulk_move(void *to, const void *from, size_t bytes, struct pace *pace)
{
    uint8_t *target = to;
    const uint8_t *source = from;
    size_t stretch = pace == NULL ? bytes : MOVE_STRETCH;
    bool backwards = target > source;
    for (size_t done = 0; done < bytes;) {
        size_t part = least(stretch, bytes - done);
        size_t at = backwards ? bytes - done - part : done;
        memmove(target + at, source + at, part);
        done += part;
        pace_bytes(pace, part);
    }
}

void bulk_give_back(void *memory, size_t keep, size_t bytes, struct pace *pace)
{
    if (pace == NULL || bytes - keep < FREE_LEAST) {
        return;
    }
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    uint8_t *block = memory;
    size_t at = keep + (page - (uintptr_t)(block + keep) % page) % page;
    size_t end = bytes - (uintptr_t)(block + bytes) % page;
    while (at < end) {
        size_t part = least(FREE_STRETCH, end - at);
        (void)madvise(block + at, part, MADV_DONTNEED);
        at += part;
        pace_step(pace, part / BULK_FREE_STEP);
    }
}

void bulk_free(void *memory, size_t bytes, struct pace *pace)
{
    bulk_give_back(memory, 0, bytes, pace);
    free(memory);
}

uint64_t bulk_drop_steps(uint64_t values, uint64_t bytes)
{
    return VALUE_STEPS * values + (values < FEW ? 0 : bytes / BULK_FREE_STEP);
}
