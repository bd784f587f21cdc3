/*
 * append: the limit of what is kept on disk: a loop that appends to a file and syncs it.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct append {
    int fd;
    size_t size; /* bytes so far */
};

/* Makes the file in the directory, and takes its name away at once. 0, or -1 with a sentence. */
int append_open(struct append *append, const char *directory);
void append_close(struct append *append);

/* Appends `bytes` and syncs, again and again, for so long. *syncs is how often, *longest how long
 * one of them took at most, in nanoseconds. 0, or -1 with a sentence. */
int append_run(struct append *append, size_t bytes, uint64_t nanoseconds, uint64_t *syncs,
               uint64_t *longest);
