/*
 * progress: a line on standard error that says how far a long put has come, while it runs, if
 * standard error is a terminal. Nothing of it stays.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct progress {
    bool shown;    /* it is to be shown at all */
    bool visible;  /* a line stands there */
    int64_t begun; /* clock_ms */
    int64_t next;  /* when to show it again */
    uint64_t size; /* bytes of the file that standard input is, or 0 */
};

/* Begins; nothing is shown unless `wanted` and before half a second has passed. */
void progress_begin(struct progress *progress, bool wanted);

/* `done` values, `bytes` of the input have been read. */
void progress_show(struct progress *progress, uint64_t done, uint64_t bytes);

/* Removes the line. */
void progress_end(struct progress *progress);
