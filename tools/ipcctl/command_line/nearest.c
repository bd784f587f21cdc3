/* nearest: the word that somebody may have meant; see nearest.h. */
#include "tools/ipcctl/command_line/nearest.h"

#include <stdio.h>

struct nearest nearest_to(struct slice typed)
{
    unsigned allowed = typed.len < NEAREST_MOST ? (unsigned)typed.len / 3 : 0;
    if (allowed == 0 && typed.len > 0 && typed.len < NEAREST_MOST) {
        allowed = 1;
    }
    return (struct nearest){.typed = typed, .distance = allowed + 1};
}

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* How many letters must be changed, left out, added or swapped: optimal string alignment, row by
 * row, of which only the last three are kept. Both are shorter than NEAREST_MOST. */
static unsigned distance_of(struct slice a, struct slice b)
{
    unsigned rows[3][NEAREST_MOST + 1];
    for (unsigned j = 0; j <= b.len; j++) {
        rows[0][j] = j;
    }
    for (unsigned i = 1; i <= a.len; i++) {
        unsigned *row = rows[i % 3];
        const unsigned *above = rows[(i + 2) % 3];
        const unsigned *before = rows[(i + 1) % 3];
        row[0] = i;
        for (unsigned j = 1; j <= b.len; j++) {
            bool same = a.data[i - 1] == b.data[j - 1];
            row[j] = least(above[j - 1] + !same, 1 + least(above[j], row[j - 1]));
            if (i > 1 && j > 1 && a.data[i - 1] == b.data[j - 2] &&
                a.data[i - 2] == b.data[j - 1]) {
                row[j] = least(row[j], before[j - 2] + 1);
            }
        }
    }
    return rows[a.len % 3][b.len];
}

void nearest_offer(struct nearest *nearest, struct slice word)
{
    if (word.len == 0 || word.len >= NEAREST_MOST || nearest->distance <= 1) {
        return;
    }
    unsigned distance = distance_of(nearest->typed, word);
    if (distance > 0 && distance < nearest->distance) {
        nearest->distance = distance;
        memcpy(nearest->word, word.data, word.len);
        nearest->word[word.len] = '\0';
    }
}

const char *nearest_hint(const struct nearest *nearest, const char *before, const char *behind,
                         char hint[NEAREST_HINT])
{
    hint[0] = '\0';
    if (nearest->word[0] != '\0') {
        (void)snprintf(hint, NEAREST_HINT, " (did you mean %s%s%s?)", before, nearest->word,
                       behind);
    }
    return hint;
}
