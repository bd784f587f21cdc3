/*
 * disk: what the store's files are on, in tests: it fails when it is told to, fills up, and
 * remembers what was written and synced in which order.
 *
 * It is a file system of SQLite's (a VFS) over the real one, and the default after disk_install;
 * the store's own calls of fallocate, ftruncate and fstatvfs come here too (the linker's --wrap).
 * There is one for the process, as SQLite has it; any thread may write. Its files are told apart by
 * their names, of which a test has one set at a time.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "proto/buffer.h"

/* Makes it the default, without faults and limits, and remembering nothing. */
void disk_install(void);

/* ---- faults ---------------------------------------------------------------------------------- */

enum disk_operation {
    DISK_OPEN,
    DISK_READ,
    DISK_WRITE,
    DISK_SYNC,
    DISK_TRUNCATE,
    DISK_DELETE,
    DISK_ALLOCATE, /* the store's own fallocate */
    DISK_NOTE      /* none; see disk_note */
};

struct disk_fault {
    enum disk_operation operation;
    uint64_t after; /* so many that succeed; counted from disk_fail on */
    int error;      /* an errno value: EIO, ENOSPC, EDQUOT */
    bool half;      /* of a write, half is done before it fails */
    bool stays;     /* all later ones fail too */
};

void disk_fail(const struct disk_fault *fault);
/* Nothing fails any more. True if something has. */
bool disk_heal(void);

/* ---- space ----------------------------------------------------------------------------------- */

/* So many bytes are free from now on; UINT64_MAX: as many as there really are. */
void disk_set_free(uint64_t bytes);

/* ---- memory ---------------------------------------------------------------------------------- */

/* The contents of the files of a store, without its lock and index. */
enum { DISK_FILES = 3 }; /* database, log, journal */
struct disk_image {
    struct buffer files[DISK_FILES];
    bool there[DISK_FILES];
};
void disk_image_deinit(struct disk_image *image);

/* Remembers all that is done from now on, beginning with empty files; forgets what was before. */
void disk_remember(void);
/* From now on nothing is remembered; what has been stays, until disk_remember or disk_forget. */
void disk_stop(void);
void disk_forget(void);
/* Adds a note; what it means is the caller's. */
void disk_note(uint64_t value);

/* How many things there are to remember. */
uint64_t disk_length(void);
/* The last note before the first `length` things have been done; 0: there is none. */
uint64_t disk_last_note(uint64_t length);

/*
 * What could be on disk if power was lost when the first `length` things had been done. What was
 * synced is there. Of what came later, each sector of 512 bytes that a write has touched is there
 * or not, and files have been cut, made and removed or not, with the likelihood of `kept` in 256;
 * which it is depends on the seed.
 */
void disk_lose_power(uint64_t length, unsigned kept, uint64_t seed, struct disk_image *out);

/* Makes the files in a directory what the image is. */
void disk_write_image(const struct disk_image *image, const char *directory);
