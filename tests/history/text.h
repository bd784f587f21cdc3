/*
 * text: histories as text, to be kept, read by people, and written by hand for the tests.
 *
 *     # comments; the first line has the object's type and options
 *     queue maxsize=2
 *     10 20 1 put 7 = ok
 *     15  ? 2 get
 *     30 60 2 killed 45
 *     70 80 0 get = EMPTY
 *
 * A line is the time of the call, that of the answer (? if there was none), the process, the
 * operation with its arguments, and behind the = its results, "ok" if it has none, or the error's
 * name. "none" is the value that is not there. README.md has the operations of each type.
 */
#pragma once

#include <stdio.h>

#include "tests/history/history.h"

enum { TEXT_MAX = 256 };

/* Writes one operation, "put 7 = ok", without its times and process. */
void operation_print(const struct operation *operation, char text[TEXT_MAX]);

/* Writes the first line's text: the type and the options. */
void object_print(const struct history *history, char text[TEXT_MAX]);

/* Writes a whole history, its times counted from `origin`. 0, or -1 if the file does not take it.
 */
int history_write(const struct history *history, int64_t origin, FILE *out);

/* Reads one. 0, or -1 with a sentence about what is wrong in `why`. */
int history_read(struct history *history, FILE *in, char why[TEXT_MAX]);
