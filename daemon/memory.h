/*
 * memory: how the C library's heap is used, and when memory goes back to the system.
 *
 * Blocks up to MEMORY_HEAP_MAX live in the heap and are used again when they are freed, so that the
 * pages under a message or a stored value are not given back and faulted in anew each time; larger
 * ones are mapped one by one. The price is that the heap keeps what it once had. So when much less
 * is stored than there was (by MEMORY_STEP and an eighth), a moment later, what is free in the heap
 * is given back. For that the library goes through all free blocks, of which there can be as many
 * as of those in use: so while much is stored, it is done when nobody asks for anything (with a
 * million items it takes some 200 ms). Short blocks that are freed are joined with their neighbours
 * at once; left for later, as the library does otherwise, a million of them are joined in one go,
 * which stops everybody.
 */
#pragma once

#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdbool.h>
#include <stdint.h>

enum {
    MEMORY_HEAP_MAX = 4 * 1024 * 1024,
    MEMORY_STEP = 8 * 1024 * 1024,
    MEMORY_SHORT = 4 * 1024 * 1024, /* so little is stored that there are few blocks */
    MEMORY_QUIET = 8,               /* events in a delay: nobody asks for anything */
    MEMORY_DELAY_S = 2,
};

struct memory {
    struct event timer;
    uint64_t bytes;  /* stored now */
    uint64_t peak;   /* the most since memory was last given back */
    uint64_t events; /* since the timer runs */
    bool waiting;    /* the timer runs */
};

/* Sets the C library's allocator up, for the process. */
void memory_tune(void);

/* 0, or ERR_MEMORY. */
int memory_init(struct memory *memory, struct event_base *base);
void memory_deinit(struct memory *memory);

/* Starts the timer. */
void memory_wait(struct memory *memory);

/* To be told after each event how many bytes are stored. */
static inline void memory_watch(struct memory *memory, uint64_t bytes)
{
    memory->bytes = bytes;
    memory->events++;
    if (bytes >= memory->peak) {
        memory->peak = bytes;
    } else if (memory->peak - bytes > MEMORY_STEP + memory->peak / 8 && !memory->waiting) {
        memory_wait(memory);
    }
}
