/*
 * corpus: the files of tests/wire/corpus, read. Their form is in tests/wire/README.md.
 */
#pragma once

#include <msgpack.h>

enum { CORPUS_REPLIES_MAX = 8, CORPUS_TEXT_MAX = 4096 };

enum outcome { OUTCOME_GOES_ON, OUTCOME_GOODBYE, OUTCOME_INCOMPLETE, OUTCOME_ANY };

struct corpus_case {
    char config[CORPUS_TEXT_MAX];                      /* "" if the file has none */
    msgpack_sbuffer sent;                              /* the bytes of all its send lines */
    char replies[CORPUS_REPLIES_MAX][CORPUS_TEXT_MAX]; /* in notation */
    unsigned reply_count;
    enum outcome outcome;
    char code[32]; /* of the goodbye */
};

/* Reads one file. A mistake in it ends the test. corpus_free frees it. */
struct corpus_case *corpus_read(const char *path);
void corpus_free(struct corpus_case *corpus);
