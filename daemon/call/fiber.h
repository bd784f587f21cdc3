/*
 * fiber: a function on a stack of its own, which can stop in the middle and be gone on with later.
 *
 * There is one thread, and at any time one stack that runs: the loop's, or that of the fiber which
 * the loop has resumed. So nothing needs a lock; what can change while a fiber has stopped is what
 * the loop does meanwhile.
 */
#pragma once

#include <stdbool.h>

/* Bytes of address space for a stack, the guard page included; what is not touched costs nothing.
 */
enum { FIBER_STACK = 256 * 1024 };

struct fiber;

/* A fiber that will run `function` with `data`; it does not run yet. NULL for want of memory. */
struct fiber *fiber_new(void (*function)(struct fiber *fiber, void *data), void *data);

/* Runs it until it yields or its function returns; true if it has returned. Not from a fiber. */
bool fiber_resume(struct fiber *fiber);

/* Stops the fiber that runs, which this must be; returns when it is resumed. */
void fiber_yield(struct fiber *fiber);

/* Frees one whose function has returned or that was never resumed; NULL is allowed. */
void fiber_free(struct fiber *fiber);
