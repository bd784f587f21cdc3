/*
 * moment: points of time, as MessagePack's timestamps (ext type -1) and as RFC 3339 text.
 *
 * Both hold seconds since 1970 in UTC, possibly negative, and nanoseconds. Text is limited to the
 * years 0000 to 9999; a timestamp outside them has no text.
 */
#pragma once

#include "proto/slice.h"

struct moment {
    int64_t seconds;
    uint32_t nanoseconds; /* below 1,000,000,000 */
};

enum { MOMENT_TEXT = 36 }; /* bytes of a text, its NUL included */

/* Decodes the bytes of an ext of type -1. 0, or -1 if they are none of the three forms. */
int moment_decode(struct slice bytes, struct moment *out);

/* Writes "2026-11-21T20:52:02Z", with 3, 6 or 9 digits of a second if they are not 0.
 * 0, or -1 for a year that has no text. */
int moment_print(struct moment moment, char text[MOMENT_TEXT]);

/* Reads such a text, and any other offset than Z. 0, or -1 if it is none. */
int moment_parse(struct slice text, struct moment *out);
