/*
 * space: what is taken on disk beforehand, so that what has been promised can be written whatever
 * else fills the file system.
 *
 * A commit goes to the end of the log. The log is longer than what is in it: its end has been
 * written before, so writing there needs no block of the file system (and is synced the faster).
 * When the log is copied to its place the database may have to grow. For that a file of nothing is
 * kept, which is cut to nothing when there is no space otherwise, and made again when there is.
 * Either is half of the reserve.
 *
 * What a commit needs of the log is not known before it is made; a change is taken to need two
 * pages besides its bytes (SPACE_CHANGE). If that was too little on a full disk, the commit waits.
 *
 * The writer's thread measures, and makes the file (space_look, space_release, space_restore); the
 * caller's may lengthen the log (space_lengthen).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { SPACE_CHANGE = 2 * 4120 };

struct space {
    int directory; /* not owned */
    int log;       /* open for both threads; of the log of the database */
    int file;      /* the file of nothing */
    uint64_t half; /* of the reserve */
    bool is_short; /* the file is not whole; for the writer's thread */
};

/* How much there is; a plain value that one thread gives the other. */
struct space_view {
    uint64_t log;  /* the log's length */
    uint64_t used; /* of it, and not copied to its place yet */
    uint64_t kept; /* in the file of nothing */
    uint64_t free; /* in the file system, for everybody */
    uint64_t
        inside; /* in the database, for what comes next; asked for only when the rest is short */
};

/* Opens the log, which must be there, and makes the file of nothing as far as there is space. 0 or
 * an errno value with *error set. */
int space_open(struct space *space, int directory, uint64_t reserve, char **error);
void space_close(struct space *space);

/* Looks how much there is now. `used` is what the caller knows. */
void space_look(const struct space *space, uint64_t used, struct space_view *out);
/* Gives up the file of nothing. False: there was nothing in it. */
bool space_release(struct space *space);
/* Makes it again, if there is space for it and as much beside it. True: it is whole. */
bool space_restore(struct space *space);

/* Whether changes of `bytes` can be written: see store_promise. */
bool space_suffices(const struct space *space, const struct space_view *view, uint64_t bytes,
                    bool freeing);
/* Lengthens the log so that they can, which does not wait for the disk. False: there is no space.
 */
bool space_lengthen(const struct space *space, struct space_view *view, uint64_t bytes);
