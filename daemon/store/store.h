/*
 * store: the rows of durable objects, on disk.
 *
 * It knows rows and transactions, not what a queue is: a row belongs to an object (by its number),
 * has a key that is unique within the object, and a value. What the rows of a type mean, its file
 * in daemon/objects/ says (rows.h). A store is a directory that one daemon has at a time.
 *
 * Commits are numbered 1, 2, …. The caller gathers what a commit is to change (store_put and its
 * like), and hands it over (store_commit); a thread of the store's own writes it as one transaction
 * and syncs as the store was told to. One commit is on its way at a time: the next one gathers
 * meanwhile, so all that happens during a sync is in one transaction. When a commit has ended the
 * store's descriptor is readable, and store_reap says what became of it.
 *
 * After a write or a sync that failed for another reason than space, nothing is written any more:
 * what the disk holds is not known then (fsync(2): the pages are marked clean). The caller says so
 * and ends.
 *
 * All functions are for the caller's one thread; none blocks but store_open, store_close and
 * store_read.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "daemon/store/row.h"
#include "proto/slice.h"

struct store;

/* When a commit has ended: its changes are on disk; will be within an interval; or whenever the
 * system writes them. */
enum store_sync { STORE_SYNC_ALWAYS, STORE_SYNC_INTERVAL, STORE_SYNC_NEVER };

struct store_options {
    const char *directory; /* absolute; made (0700) if it is not there and its parent is */
    enum store_sync sync;
    uint64_t interval_ms; /* of STORE_SYNC_INTERVAL */
    uint64_t reserve;     /* bytes kept free on disk for what has been promised; 0: the default */
};

/* What a store says of itself. */
struct store_figures {
    uint64_t bytes;   /* on disk, all its files */
    uint64_t commits; /* ended, since it was opened */
    uint64_t syncs;
    uint64_t rows;      /* changed by them */
    uint64_t queued;    /* bytes that have been gathered and are not in an ended commit */
    uint64_t commit_ns; /* how long the last commit took, of which the sync took sync_ns */
    uint64_t sync_ns;
    const char *last_error; /* a sentence; NULL: none so far */
};

/* Opens a store, or makes an empty one. 0; or an errno value with *error set, a sentence that says
 * what is wrong and what can be done (malloc'd, the caller's): the directory is another daemon's
 * (EBUSY), is not the caller's or others may write it (EPERM), is on a read-only file system, its
 * format is newer than this program's (ENOTSUP), it is damaged (EBADMSG). */
int store_open(const struct store_options *options, struct store **out, char **error);
/* Ends the commit that is on its way and the thread, and closes. What has been gathered and not
 * been handed over is dropped. */
void store_close(struct store *store);

/* Goes through all rows in the order of object and key. 0, or what `row` returned, at which it
 * stops; or EBADMSG, EIO with *error set as in store_open: nothing may be served then. The slices
 * are valid during the call of `row`. For use before the first commit. */
int store_read(struct store *store, store_row *row, void *data, char **error);
/* How many rows there were when it was opened: for saying how far a store_read has come. */
uint64_t store_row_count(const struct store *store);

/* Gather changes for the next commit. The bytes are copied. A later change of the same row is done
 * after an earlier one. Want of memory is latched: store_commit says it then. */
void store_put(struct store *store, uint64_t object, struct slice key, struct slice value);
void store_remove(struct store *store, uint64_t object, struct slice key);
/* All rows of an object. */
void store_remove_object(struct store *store, uint64_t object);
/* Bytes that have been gathered so far. */
uint64_t store_gathered(const struct store *store);

/* True if a commit is on its way: store_commit must not be called. */
bool store_is_busy(const struct store *store);
/* Hands what has been gathered to the writer, as the next commit; *number is its. 0; ERR_MEMORY:
 * something gathered is missing, nothing has been handed over, and the store is of no use any more.
 */
int store_commit(struct store *store, uint64_t *number);

/* Readable when a commit has ended. */
int store_descriptor(const struct store *store);
/* What has ended: 0, and *number is the last commit that is on disk as the options say; EAGAIN:
 * none since the last call; another errno value with *error set (a sentence, owned by the store):
 * the commit failed, and the store writes nothing any more. */
int store_reap(struct store *store, uint64_t *number, const char **error);

/* Whether there is space on disk for changes of so many bytes more, beside those that have been
 * gathered or promised since the last commit; if so, it is promised. The reserve is on disk (so
 * nobody else can take it), and what is promised can be written whatever happens to the rest of the
 * file system. `freeing` changes (which remove more than they add) may use the last part of it.
 * When space comes back, it is noticed by itself. */
bool store_promise(struct store *store, uint64_t bytes, bool freeing);
/* What has been promised since the last commit was not used: nothing has changed, so no commit
 * follows. */
void store_forget_promises(struct store *store);

/* How long the last commit that has ended took, in nanoseconds. */
uint64_t store_commit_ns(struct store *store);
/* The sentence is valid until the next call of a function of the store. */
void store_figures(struct store *store, struct store_figures *out);
