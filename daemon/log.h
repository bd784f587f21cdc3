/*
 * log: one line on standard error for each event that an operator wants to know of.
 *
 * When standard error is a terminal a line is plain; otherwise, and always under the journal
 * (JOURNAL_STREAM), it begins with systemd's priority prefix, "<4>" for a warning. A line is
 * written with one write(2), control characters in it are shown as "?", and what is longer than
 * about 1000 bytes is cut off. Writing may block for as long as whoever reads standard error lets
 * it.
 *
 * Faults of sessions come in at the peers' pace, so they are held to LOG_FAULTS in ten seconds; how
 * many were left out is said with the next line of the kind.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* syslog's priorities. */
enum log_level {
    LOG_LEVEL_ERROR = 3,
    LOG_LEVEL_WARNING = 4,
    LOG_LEVEL_NOTICE = 5,
    LOG_LEVEL_INFO = 6
};

enum { LOG_FAULTS = 20 };

struct log {
    int fd; /* not owned */
    bool prefixed;
    uint64_t window; /* start of the ten seconds, monotonic, nanoseconds */
    unsigned faults; /* written within them */
    unsigned hidden; /* left out since the last one written */
};

/* Lines go to the descriptor `fd`. */
void log_init(struct log *log, int fd);

/* Writes one line; the format is printf's, without a newline at the end. */
void log_line(const struct log *log, enum log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Writes one line about something that a peer can bring about, at `now` (monotonic, nanoseconds).
 */
void log_fault(struct log *log, uint64_t now, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
