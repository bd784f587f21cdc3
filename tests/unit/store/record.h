/*
 * record: what was written to a store's files, and synced, in which order; and what could be on
 * disk of it if power was lost.
 *
 * There is one for the process; disk.c fills it, from any thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "proto/buffer.h"
#include "tests/unit/store/disk.h"

/* The contents of the files of a store, without its lock and index. */
enum { DISK_FILES = 3 }; /* database, log, journal */
struct image {
    struct buffer files[DISK_FILES];
    bool there[DISK_FILES];
};
void image_deinit(struct image *image);

/* Remembers all that is done from now on, beginning with empty files; forgets what was before. */
void record_begin(void);
/* From now on nothing is remembered; what has been stays, until record_begin or record_forget. */
void record_stop(void);
void record_forget(void);
/* Adds a note; what it means is the caller's. */
void record_note(uint64_t value);

/* How many things there are to remember. */
uint64_t record_length(void);
/* The last note before the first `length` things have been done; 0: there is none. */
uint64_t record_last_note(uint64_t length);

/*
 * What could be on disk if power was lost when the first `length` things had been done. What was
 * synced is there. Of what came later, each sector of 512 bytes that a write has touched is there
 * or not, and files have been cut, made and removed or not, with the likelihood of `kept` in 256;
 * which it is depends on the seed.
 */
void record_lose_power(uint64_t length, unsigned kept, uint64_t seed, struct image *out);

/* Makes the files in a directory what the image is. */
void record_write_image(const struct image *image, const char *directory);

/* Which of the files a path is; -1: none of them. */
int record_file(const char *path);
/* Notes an operation on one (nothing, for -1): of a write, where and what; of a truncation, the
 * length; of a removal, whether the directory was synced. */
void record_event(enum disk_operation operation, int file, uint64_t at, const void *data,
                  size_t len);
