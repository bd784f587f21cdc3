/*
 * word: words of the command line, checked and turned into numbers or values by their kind.
 */
#pragma once

#include "proto/buffer.h"
#include "tools/ipcctl/command_line/command.h"

enum { WORD_ERROR_TEXT = 512 };

/*
 * Checks a word of a kind that can be wrong by itself. WORD_INTEGER, _COUNT, _SESSION, _TICKET,
 * _STATUS, _TIME (in milliseconds) and _MODE set *number. `choices` is for WORD_CHOICE. 0, or -1
 * with `error` set to what completes "N must be ...": "a count, not \"x\"", or of a number that is
 * too large or too small, "from 0 to 255, not \"256\"".
 */
int word_check(const char *word, enum word_kind kind, const char *choices, int64_t *number,
               char error[WORD_ERROR_TEXT]);

/* True if the word begins like a time or a number: a digit. */
bool word_is_number(const char *word);

/* True if the word, given as a WORD_KEY, is the string itself: it begins with a letter or "_" and
 * is not true, false or null. */
bool word_is_bare(const char *word);

/*
 * Appends the value that a word stands for. `text`: WORD_JSON and WORD_KEY are strings. 0, or -1
 * with `error` set to a whole sentence without its point.
 */
int word_pack(const char *word, enum word_kind kind, bool text, struct buffer *out,
              char error[WORD_ERROR_TEXT]);
