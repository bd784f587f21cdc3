/*
 * shell_line: a command line that is being typed, taken apart as the shell would: what its words
 * are without quotes and backslashes, and how a word must be written to take the place of the last
 * one.
 */
#pragma once

#include "proto/buffer.h"

enum { SHELL_WORDS = 256 };

struct shell_line {
    struct buffer text; /* the words without quotes, each ended by NUL */
    size_t starts[SHELL_WORDS];
    size_t count; /* words, the last one (possibly empty) being typed; at least 1 */
    char quote;   /* the quote that is open at the end, or '\0' */
    size_t kept;  /* bytes at the front of the last word that stand where readline leaves them */
};

/* Takes the line apart. `breaks` are the characters that end a word for readline
 * ($COMP_WORDBREAKS). -1: want of memory, or too many words. To be ended by shell_line_deinit. */
int shell_line_parse(struct shell_line *line, const char *text, const char *breaks);
void shell_line_deinit(struct shell_line *line);

/* Word number `i`; valid until shell_line_deinit. */
const char *shell_line_word(const struct shell_line *line, size_t i);

/* Appends what readline is to put in place of what it takes for the word being typed, so that the
 * whole word becomes `word`, which begins with what was typed. */
void shell_line_complete(const struct shell_line *line, const char *word, struct buffer *out);
