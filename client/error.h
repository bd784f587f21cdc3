/*
 * error: codes with a sentence, and what the library keeps for each thread.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "client/ipcclient/error.h"

enum { MESSAGE_TEXT = 512 }; /* bytes of a failure's message, its NUL included */

/* A callback that is running in this thread. One of another connection can run inside it, if it
 * blocks in a call there. */
struct callback {
    const void *conn;
    const struct callback *outer;
};

/* What the library keeps for each thread. */
struct thread_state {
    char message[MESSAGE_TEXT];
    const struct callback *callback; /* the innermost one, or NULL */
    pid_t number;                    /* gettid(2), if it is known; see guard.c */
    unsigned number_of;              /* … what fork_count was then */
};

struct thread_state *thread_state(void);

/* Writes into a text of MESSAGE_TEXT bytes; what is cut off ends with a whole character. */
void message_format(char *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Sets this thread's message and returns `code`. */
int error_set(int code, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* ARGUMENT unless all are zero. */
int check_reserved(const uint64_t *reserved, size_t count);
#define CHECK_RESERVED(options)                                                                    \
    check_reserved((options)->reserved,                                                            \
                   sizeof((options)->reserved) / sizeof((options)->reserved[0]))
