/*
 * failure: what went wrong with a store, as an errno value and a sentence.
 *
 * The sentence says what is wrong and what can be done. It is malloc'd and the caller's; if there
 * is no memory for it, it is NULL.
 */
#pragma once

#include <sqlite3.h>

/* Sets *error, unless it is NULL, to the sentence, and returns `code`. */
__attribute__((format(printf, 3, 4))) int failure(char **error, int code, const char *format, ...);

/* The errno value that a result of SQLite's comes to; EIO for those that no other fits. */
int failure_of_sqlite(sqlite3 *handle, int result);

/* The same with its sentence: `what` (as in "opening", "reading") failed on the file. */
int failure_of_database(char **error, sqlite3 *handle, int result, const char *what,
                        const char *path);
