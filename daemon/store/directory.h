/*
 * directory: where a store is, and that it is this daemon's alone.
 *
 * It must be the caller's own, and nobody else may write it, nor the files in it. Who has it holds
 * a lock on the file "lock" in it, which ends with the process, however that ends; the file has the
 * process' number, for whoever is refused.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct directory {
    int fd;
    int lock;          /* -1: not taken */
    uint64_t database; /* the numbers of the two files (inodes) */
    uint64_t log;
};

/* The names of the files. */
#define DIRECTORY_DATABASE "store.db"
#define DIRECTORY_LOG "store.db-wal"
#define DIRECTORY_INDEX "store.db-shm"
#define DIRECTORY_JOURNAL "store.db-journal"
#define DIRECTORY_LOCK "lock"
#define DIRECTORY_RESERVE "reserve"

/* Makes the directory if it is not there, checks it and its files, takes the lock, and makes an
 * empty database (of mode 0600) if there is none. A log that a daemon has left behind that could
 * not sync it is written anew, as it is: what the system has of it in memory may not be on disk,
 * and would not be written by another sync. 0, or an errno value with *error as in store_open. */
int directory_open(const char *path, struct directory *out, char **error);
void directory_close(struct directory *directory);

/* The files of the database are open now: notes which they are. */
void directory_note(struct directory *directory);
/* Whether they are still there. What is written to files that have been removed is lost. */
bool directory_is_whole(const struct directory *directory);

/* What its files have on disk, in bytes. */
uint64_t directory_bytes(const struct directory *directory);
