/*
 * error: the one list of error codes, errors.def, as C numbers and back.
 *
 * Every function of proto/ and daemon/ that can fail returns 0 or one of these negative numbers,
 * and no layer renames another's.
 */
#pragma once

#include "proto/slice.h"

enum error {
#define ERROR(name, number, meaning) ERR_##name = -(number),
#include "proto/errors.def"
#undef ERROR
    /* Not on the list: want of memory. It travels as LIMIT, and its text says what ran out. */
    ERR_MEMORY = -500,
};

/* The name on the wire ("NOT_FOUND") of a code; "LIMIT" of ERR_MEMORY; "INTERNAL" for a number that
 * is none. */
const char *error_name(int error);

/* What the code means, in a few words; a static string. */
const char *error_meaning(int error);

/* The code of a name on the wire, or 0 when there is none of that name. */
int error_from_name(struct slice name);
