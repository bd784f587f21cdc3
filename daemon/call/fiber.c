/*
 * fiber: see fiber.h.
 *
 * With the C library's contexts (makecontext(3)); a switch costs two system calls for the signal
 * mask, which is little against the slice that a fiber runs for. The address sanitizer is told of
 * each switch, as it keeps track of the stack.
 */
#include "daemon/call/fiber.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define FIBER_SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(FIBER_SANITIZED)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

struct fiber {
    ucontext_t context; /* where it goes on */
    ucontext_t caller;  /* where whoever resumed it goes on */
    void (*function)(struct fiber *fiber, void *data);
    void *data;
    void *stack;     /* owned; the guard page is its lowest */
    void *caller_at; /* the caller's stack, for the sanitizer */
    size_t caller_size;
    bool returned;
};

/* What the sanitizer is told: before a switch to another stack, and after one, on the new stack. */

static void before_switch(void **save, const void *bottom, size_t size)
{
#if defined(__SANITIZE_ADDRESS__) || defined(FIBER_SANITIZED)
    __sanitizer_start_switch_fiber(save, bottom, size);
#else
    (void)save;
    (void)bottom;
    (void)size;
#endif
}

static void after_switch(void *saved, const void **bottom, size_t *size)
{
#if defined(__SANITIZE_ADDRESS__) || defined(FIBER_SANITIZED)
    __sanitizer_finish_switch_fiber(saved, bottom, size);
#else
    (void)saved;
    if (bottom != NULL) {
        *bottom = NULL;
        *size = 0;
    }
#endif
}

/* The frames that were left on a stack are forgotten. */
static void forget_frames(const void *stack, size_t size)
{
#if defined(__SANITIZE_ADDRESS__) || defined(FIBER_SANITIZED)
    __asan_unpoison_memory_region(stack, size);
#else
    (void)stack;
    (void)size;
#endif
}

static void enter(unsigned high, unsigned low)
{
    struct fiber *fiber = (struct fiber *)((uintptr_t)high << 32 | low);
    after_switch(NULL, (const void **)&fiber->caller_at, &fiber->caller_size);
    fiber->function(fiber, fiber->data);
    fiber->returned = true;
    before_switch(NULL, fiber->caller_at, fiber->caller_size);
    (void)setcontext(&fiber->caller);
    abort(); /* setcontext has failed, and there is nowhere to return to */
}

/* The context of a fiber that has not run yet: it begins in `enter`. False if there can be none. */
static bool make_context(struct fiber *fiber, size_t page)
{
    if (getcontext(&fiber->context) < 0) {
        return false;
    }
    uintptr_t self = (uintptr_t)fiber;
    fiber->context.uc_stack.ss_sp = (char *)fiber->stack + page;
    fiber->context.uc_stack.ss_size = FIBER_STACK - page;
    fiber->context.uc_link = NULL;
    makecontext(&fiber->context, (void (*)(void))enter, 2, (unsigned)(self >> 32), (unsigned)self);
    return true;
}

struct fiber *fiber_new(void (*function)(struct fiber *fiber, void *data), void *data)
{
    struct fiber *fiber = malloc(sizeof(*fiber));
    if (fiber == NULL) {
        return NULL;
    }
    *fiber = (struct fiber){.function = function, .data = data};
    fiber->stack = mmap(NULL, FIBER_STACK, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    if (fiber->stack == MAP_FAILED) {
        fiber->stack = NULL;
    }
    if (fiber->stack == NULL || mprotect(fiber->stack, page, PROT_NONE) < 0 ||
        !make_context(fiber, page)) {
        fiber_free(fiber);
        return NULL;
    }
    return fiber;
}

bool fiber_resume(struct fiber *fiber)
{
    void *saved;
    before_switch(&saved, fiber->context.uc_stack.ss_sp, fiber->context.uc_stack.ss_size);
    (void)swapcontext(&fiber->caller, &fiber->context);
    after_switch(saved, NULL, NULL);
    return fiber->returned;
}

void fiber_yield(struct fiber *fiber)
{
    void *saved;
    before_switch(&saved, fiber->caller_at, fiber->caller_size);
    (void)swapcontext(&fiber->context, &fiber->caller);
    after_switch(saved, (const void **)&fiber->caller_at, &fiber->caller_size);
}

void fiber_free(struct fiber *fiber)
{
    if (fiber != NULL) {
        if (fiber->stack != NULL) {
            forget_frames(fiber->stack, FIBER_STACK);
            (void)munmap(fiber->stack, FIBER_STACK);
        }
        free(fiber);
    }
}
