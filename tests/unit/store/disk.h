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
    DISK_NOTE      /* none; see record_note */
};

struct disk_fault {
    enum disk_operation operation;
    uint64_t after; /* so many that succeed; counted from disk_fail on */
    int error;      /* an errno value: EIO, ENOSPC, EDQUOT */
    bool half;      /* of a write, half is done before it fails */
    bool stays;     /* all later ones fail too */
};

void disk_fail(const struct disk_fault *fault);
/* Whether something has failed since. */
bool disk_has_failed(void);
/* Nothing fails any more. True if something has. */
bool disk_heal(void);

/* ---- space ----------------------------------------------------------------------------------- */

/* So many bytes are free from now on; UINT64_MAX: as many as there really are. */
void disk_set_free(uint64_t bytes);
