/*
 * box: a directory for a store that a test opens, fills and opens again.
 *
 * What is asserted here fails the test that called.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/store/store.h"

enum { BOX_PATH = 200 };

struct box {
    char directory[BOX_PATH];
    struct store_options options; /* for whoever opens it; the smallest reserve */
    struct store *store;          /* NULL: not open */
};

/* Makes a directory with nothing in it, in memory if there is such a file system, else below
 * $TMPDIR; nothing is open. */
void box_init(struct box *box);
/* Closes the store and removes everything. */
void box_deinit(struct box *box);

/* Set-up and teardown of a test that wants one in *state. */
int box_set_up(void **state);
int box_tear_down(void **state);

/* Opens the store, synced with each commit. box_try_open says what store_open has said; the
 * sentence is the caller's. */
void box_open(struct box *box);
int box_try_open(struct box *box, char **error);
void box_close(struct box *box);
void box_reopen(struct box *box);

/* One change, gathered. */
void box_put(struct box *box, uint64_t object, const char *key, const char *value);
void box_remove(struct box *box, uint64_t object, const char *key);

/* Commits what has been gathered and waits for the end of it. */
void box_commit(struct box *box);
/* The same; what store_reap has said, with its sentence. */
int box_try_commit(struct box *box, const char **error);
/* Waits for the end of a commit: what store_reap says then. */
int box_wait(struct box *box, uint64_t *number, const char **error);

/* What is in the store, as "OBJECT KEY=VALUE; …"; the caller's. For rows that are text. */
char *box_text(struct box *box);
void box_expect(struct box *box, const char *text);

/* The path of a file in the directory; valid until the next call. */
const char *box_file(const struct box *box, const char *name);
