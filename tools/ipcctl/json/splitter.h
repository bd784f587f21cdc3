/*
 * splitter: cuts a stream of bytes into texts: lines, or JSON values with anything between them
 * that separates them.
 *
 * It looks at each byte once. It finds where a JSON value ends, not whether it is one: json_read
 * does that.
 */
#pragma once

#include "proto/buffer.h"

enum split { SPLIT_LINES, SPLIT_VALUES };

enum { SPLITTER_TEXT_MAX = 64 * 1024 * 1024 }; /* the longest text, in bytes */

struct splitter {
    enum split split;
    struct buffer bytes;
    size_t start;   /* of the text that is being read */
    size_t at;      /* the next byte to look at */
    unsigned depth; /* brackets that are open */
    bool in_string;
    bool escaped;
    bool in_scalar; /* within a number or a bare word */
};

/* Appends bytes that have come. Texts handed out before are gone. */
void splitter_add(struct splitter *splitter, const void *data, size_t len);

/* Takes the next whole text; `ended`: no more bytes will come, so what is left is the last one.
 * false if there is none. The text is valid until splitter_add. Empty lines are texts; white space
 * between JSON values is not. */
bool splitter_take(struct splitter *splitter, bool ended, struct slice *text);

void splitter_deinit(struct splitter *splitter);
