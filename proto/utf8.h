/*
 * utf8: well-formed UTF-8 as RFC 3629 has it, one character at a time.
 */
#pragma once

#include "proto/slice.h"

/* The length (1 to 4) of the character that `data` begins with, or 0 if the first of its `len`
 * bytes begin no well-formed one: overlong forms, surrogates, what lies beyond U+10FFFF, and
 * sequences that are cut off. */
size_t utf8_character(const uint8_t *data, size_t len);
