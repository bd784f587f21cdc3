/* scarce: see scarce.h. The linker sends the calls here (--wrap). */
#include "tests/support/scarce.h"

#include <stddef.h>
#include <stdint.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);

static struct {
    uint64_t left; /* allocations until the one that fails; UINT64_MAX: none does */
    bool failed;
} scarce = {.left = UINT64_MAX};

void scarce_begin(unsigned n)
{
    scarce.left = n;
    scarce.failed = false;
}

bool scarce_end(void)
{
    scarce.left = UINT64_MAX;
    return scarce.failed;
}

static bool fails_now(void)
{
    if (scarce.left == UINT64_MAX || scarce.left-- > 0) {
        return false;
    }
    scarce.left = UINT64_MAX;
    scarce.failed = true;
    return true;
}

void *__wrap_malloc(size_t size)
{
    return fails_now() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails_now() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
    return fails_now() ? NULL : __real_realloc(memory, size);
}
