/*
 * decimal: numbers as decimal text, as Redis and its functions take them. For the paths where each
 * call has several.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { DECIMAL_MAX = 21 }; /* characters of one, a sign included, and the NUL */

/* Writes the number and a NUL; returns the length. */
size_t decimal_write(char text[DECIMAL_MAX], uint64_t number);
size_t decimal_write_signed(char text[DECIMAL_MAX], int64_t number);
