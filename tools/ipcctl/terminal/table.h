/*
 * table: rows of cells in aligned columns, for people.
 *
 * Cells are added from left to right, row by row; the table is printed when it is whole, since only
 * then its widths are known. Running out of memory is latched and told by table_print.
 */
#pragma once

#include "proto/buffer.h"

struct column {
    const char *title;
    bool right;    /* numbers stand at the right */
    bool flexible; /* is cut when the line is too long for the terminal */
};

struct table {
    const struct column *columns; /* must live as long as the table */
    size_t count;                 /* of columns */
    bool whole;                   /* is not to be cut to the width of a terminal */
    struct buffer text;           /* the cells, one after the other */
    struct buffer ends;           /* where each ends: size_t */
};

/* An empty table; ended by table_deinit. */
void table_init(struct table *table, const struct column *columns, size_t count);
void table_deinit(struct table *table);

/* The next cell is what has been appended to the returned buffer since the last cell. */
struct buffer *table_text(struct table *table);
void table_cell(struct table *table);

/* Cells in one step: a text as it is; a number; a text from elsewhere (control characters are
 * escaped); a name (quoted if need be). */
void table_put(struct table *table, const char *text);
void table_number(struct table *table, int64_t number);
void table_plain(struct table *table, struct slice text);
void table_name(struct table *table, struct slice name);

/* The number of whole rows. */
size_t table_rows(const struct table *table);

/* Appends the table: the titles, and the rows from `first` on, `rows` at most, each ended by a
 * newline. Lines are cut to `width` columns unless that is 0. -1: want of memory. */
int table_print(const struct table *table, size_t first, size_t rows, size_t width,
                struct buffer *out);
