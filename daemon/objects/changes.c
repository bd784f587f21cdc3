/* changes: see changes.h. Tests: tests/unit/objects/test_changes.c. */
#include "daemon/objects/changes.h"

#include <stdlib.h>

enum { LEAST = 8 };

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

void changes_sort(struct changes *changes)
{
    size_t kept = 0;
    if (changes->len > 0) {
        qsort(changes->numbers, changes->len, sizeof(*changes->numbers), compare);
    }
    for (size_t i = 0; i < changes->len; i++) {
        if (i == 0 || changes->numbers[i] != changes->numbers[kept - 1]) {
            changes->numbers[kept++] = changes->numbers[i];
        }
    }
    changes->len = kept;
}

/* Room for one more: what is there twice goes first, and if that is not half of it, the array
 * grows. */
static int make_room(struct changes *changes)
{
    changes_sort(changes);
    if (changes->cap > 0 && changes->len <= changes->cap / 2) {
        return 0;
    }
    size_t cap = changes->cap == 0 ? LEAST : changes->cap * 2;
    uint64_t *numbers = realloc(changes->numbers, cap * sizeof(*numbers));
    if (numbers == NULL) {
        return changes->len < changes->cap ? 0 : ERR_MEMORY;
    }
    changes->numbers = numbers;
    changes->cap = cap;
    return 0;
}

int changes_note(struct changes *changes, uint64_t number)
{
    if (changes->len > 0 && changes->numbers[changes->len - 1] == number) {
        return 0;
    }
    if (changes->len == changes->cap && make_room(changes) < 0) {
        return ERR_MEMORY;
    }
    changes->numbers[changes->len++] = number;
    return 0;
}

void changes_deinit(struct changes *changes)
{
    free(changes->numbers);
    *changes = (struct changes){0};
}
