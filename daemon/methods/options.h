/*
 * options: reading the map of a call's options against the rows of options.def.
 */
#pragma once

#include "daemon/call/call.h"

/*
 * Reads the call's options: the values in param `i`, a map or left out, to given[place] of each
 * (enum method_option_place), of which there is room for all of the method's. One that is missing
 * or nil has raw.len 0. An option that the method has not, a key that is no str, a value of the
 * wrong type, or a word that is none of its choice is refused: the call's BAD_REQUEST says which
 * and what was expected.
 */
int options_read(struct call *call, unsigned i, struct param *given);

/* Reading what options_read found. */
static inline bool option_given(const struct param *option)
{
    return option->raw.len > 0;
}
static inline int64_t option_int(const struct param *option, int64_t standard)
{
    return option_given(option) ? option->header.i : standard;
}
static inline bool option_bool(const struct param *option, bool standard)
{
    return option_given(option) ? option->header.b : standard;
}
/* Of a choice: the place of the word among its words. options_read has found it, and left it where
 * an integer has its number. */
static inline int option_word(const struct param *option, int standard)
{
    return (int)option_int(option, standard);
}
/* The bytes of a str; empty if it is not given. */
static inline struct slice option_str(const struct param *option)
{
    return option_given(option) ? param_bytes(option) : (struct slice){0};
}
