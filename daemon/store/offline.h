/*
 * offline: what can be done with a store besides using it: for tools, on its directory.
 *
 * A daemon may be at work in the directory, except for offline_compact: what is read is the state
 * of one moment, and is not changed. The daemon's log grows for as long as that takes. The caller
 * must be the owner of the directory, or root.
 *
 * All functions block, and return 0, or an errno value with *error set to a sentence, which is the
 * caller's to free.
 */
#pragma once

#include <stdint.h>

#include "daemon/store/row.h"

struct offline_report {
    uint64_t rows;
    uint64_t bytes; /* keys and values */
};

/* Reads everything and looks whether it is whole. EBADMSG: it is damaged. */
int offline_check(const char *directory, struct offline_report *out, char **error);

/* Calls `row` with all rows in the order of object and key; what it returns ends the reading and is
 * returned, as by store_read. Ends with EBADMSG at the first that is damaged. */
int offline_read(const char *directory, store_row *row, void *data, char **error);

/* Writes all of it to `file`, which must not be there, and syncs that. The file is the "store.db"
 * of a new directory that has nothing else in it. Nothing is left behind if it fails. */
int offline_backup(const char *directory, const char *file, char **error);

/*
 * Fills a store that has no rows; the directory is made if it is not there. `next` is called for
 * one row after the other: 1 with *object, *key and *value set, good until the next call; 0 when
 * there is none left; or what the filling is to end with, which is returned: the rows before it are
 * there then. EEXIST: there are rows already.
 */
typedef int offline_next(void *data, uint64_t *object, struct slice *key, struct slice *value);
int offline_fill(const char *directory, offline_next *next, void *data, char **error);

/* Writes the database anew, without what is free in it, and puts it in the place of the old. EBUSY:
 * somebody has it open. It needs space for both. */
int offline_compact(const char *directory, char **error);
