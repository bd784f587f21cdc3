/*
 * database: rows in SQLite, with a write-ahead log; and nothing else: no thread, no lock.
 *
 * One table holds all rows, in the order of object and key, each with a checksum over all of it, so
 * that what the disk has changed is found when it is read. A transaction is written to the log
 * (database_apply), and is on disk when the log has been synced (database_sync); now and then what
 * is in the log is copied to its place (database_checkpoint), after which the log is used anew.
 * SQLite's own syncs keep the file whole at any moment (synchronous=NORMAL); that of each
 * transaction is made here, where it can be left out, and be timed.
 *
 * For one thread at a time. What can fail returns 0, or an errno value with *error set to a
 * sentence (failure.h); ENOSPC says that there was no space, whatever the system said for it, and
 * that nothing has changed.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <sqlite3.h>

#include "daemon/store/gathered.h"
#include "daemon/store/row.h"

/* The format of the rows (PRAGMA user_version). A newer one is refused. */
enum { DATABASE_VERSION = 1 };

enum database_statement {
    DATABASE_BEGIN,
    DATABASE_COMMIT,
    DATABASE_ROLLBACK,
    DATABASE_PUT,
    DATABASE_REMOVE,
    DATABASE_REMOVE_OBJECT,
    DATABASE_STATEMENTS
};

struct database {
    sqlite3 *handle;
    char *path; /* owned; for sentences */
    sqlite3_stmt *statements[DATABASE_STATEMENTS];
    unsigned log_pages; /* what a transaction has left in the log, and is to be copied */
    uint64_t rows;      /* when it was opened */
};

/* Opens the file at `path`, which may be empty, and looks whether it is a store of a format that is
 * known, and whole as far as can be seen without reading it all. With `read_only` it is not
 * changed, and another process may have it. If it fails nothing is open. The path is copied; *out
 * must stay where it is. */
int database_open(const char *path, bool read_only, struct database *out, char **error);
/* Copies the log to its place, unless `fault`: then nothing is written any more. */
void database_close(struct database *database, bool fault);

/* The state of this moment for all that is read until database_close, whatever others write. */
int database_hold(struct database *database, char **error);
/* Writes what is in it to an empty file, without gaps. */
int database_copy(const struct database *database, const char *path, char **error);

/* Calls `row` with each row in order: see store_read. */
int database_read(const struct database *database, store_row *row, void *data, char **error);

/* Makes the log at least so long, of zeros, which no transaction is made of: to write over them
 * needs no space, and syncs faster. If it has become longer than `most` it is cut, when what is in
 * it has been copied. For use before the first transaction. */
int database_size_log(const struct database *database, uint64_t least, uint64_t most, char **error);

/* Writes all changes as one transaction, whole or not at all. */
int database_apply(struct database *database, const struct gathered *changes, char **error);
/* What has been written is on disk when this has succeeded. */
int database_sync(const struct database *database, char **error);
/* Copies the log to its place as far as nobody reads what it had before, and syncs. EBUSY is
 * nothing to worry about: somebody else does so. */
int database_checkpoint(struct database *database, char **error);
/* Bytes of the file that nothing stands in; 0 if that cannot be said. */
uint64_t database_unused(const struct database *database);
/* Gives some of what is free in the file back to the file system, if it is most of it: *more says
 * that there is more to give. The file is shorter after the next copy of the log. */
int database_shrink(const struct database *database, bool *more, char **error);
