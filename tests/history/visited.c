/* visited: see visited.h. An open hash whose entries stand one behind the other in one array. */
#include "tests/history/visited.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { SLOTS_FIRST = 1024 };

struct visited {
    size_t first_size;
    size_t size; /* of a pair */
    size_t count;
    size_t slots_count; /* a power of two; half of them are used at most */
    uint32_t *slots;    /* number of the entry + 1; 0: free */
    char *entries;
};

struct visited *visited_new(size_t first_size, size_t second_size)
{
    struct visited *visited = calloc(1, sizeof(*visited));
    if (visited == NULL) {
        return NULL;
    }
    visited->first_size = first_size;
    visited->size = first_size + second_size;
    visited->slots_count = SLOTS_FIRST;
    visited->slots = calloc(SLOTS_FIRST, sizeof(visited->slots[0]));
    visited->entries = malloc(SLOTS_FIRST / 2 * visited->size);
    if (visited->slots == NULL || visited->entries == NULL) {
        visited_free(visited);
        return NULL;
    }
    return visited;
}

void visited_free(struct visited *visited)
{
    free(visited->slots);
    free(visited->entries);
    free(visited);
}

/* FNV-1a. */
static uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t size)
{
    const uint8_t *at = bytes;
    for (size_t i = 0; i < size; i++) {
        hash = (hash ^ at[i]) * UINT64_C(0x100000001b3);
    }
    return hash;
}

/* The slot of the pair, or the free one where it belongs. */
static size_t find(const struct visited *visited, const void *first, const void *second)
{
    size_t second_size = visited->size - visited->first_size;
    uint64_t hash = hash_bytes(UINT64_C(0xcbf29ce484222325), first, visited->first_size);
    hash = hash_bytes(hash, second, second_size);
    size_t slot = (hash ^ hash >> 32) & (visited->slots_count - 1);
    for (; visited->slots[slot] != 0; slot = (slot + 1) & (visited->slots_count - 1)) {
        const char *entry = visited->entries + (visited->slots[slot] - 1) * visited->size;
        if (memcmp(entry, first, visited->first_size) == 0 &&
            memcmp(entry + visited->first_size, second, second_size) == 0) {
            break;
        }
    }
    return slot;
}

static bool grow(struct visited *visited)
{
    size_t slots_count = visited->slots_count * 2;
    char *entries = realloc(visited->entries, slots_count / 2 * visited->size);
    if (entries != NULL) {
        visited->entries = entries;
    }
    uint32_t *slots = calloc(slots_count, sizeof(*slots));
    if (entries == NULL || slots == NULL) {
        free(slots);
        return false;
    }
    free(visited->slots);
    visited->slots = slots;
    visited->slots_count = slots_count;
    for (size_t i = 0; i < visited->count; i++) {
        const char *entry = entries + i * visited->size;
        slots[find(visited, entry, entry + visited->first_size)] = (uint32_t)i + 1;
    }
    return true;
}

int visited_add(struct visited *visited, const void *first, const void *second)
{
    if (visited->count == visited->slots_count / 2 && !grow(visited)) {
        return -1;
    }
    size_t slot = find(visited, first, second);
    if (visited->slots[slot] != 0) {
        return 0;
    }
    char *entry = visited->entries + visited->count * visited->size;
    memcpy(entry, first, visited->first_size);
    memcpy(entry + visited->first_size, second, visited->size - visited->first_size);
    visited->slots[slot] = (uint32_t)++visited->count;
    return 1;
}
