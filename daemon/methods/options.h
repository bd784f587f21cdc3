/*
 * options: reading an options map against a table of what may be in it.
 */
#pragma once

#include "daemon/call/call.h"

/* One option that a map may have. */
struct option {
    const char *name;
    enum param_type type;
};

enum { OPTIONS_MAX = 16 };

/*
 * Reads param `i` of the call, a map or left out. out[k] becomes the value of table[k], or has
 * raw.len 0 if it is missing or nil. An unknown option, a key that is no str, or a value of the
 * wrong type is refused: the call's BAD_REQUEST says which and what was expected.
 */
int options_read(struct call *call, unsigned i, const struct option *table, size_t count,
                 struct param *out);

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
/* The place of a str among `count` words; `standard` if it is not given, -1 if it is none of them.
 */
int option_word(const struct param *option, const char *const *words, int count, int standard);
/* The bytes of a str; empty if it is not given. */
static inline struct slice option_str(const struct param *option)
{
    struct slice empty = {0};
    return option_given(option)
               ? (struct slice){option->raw.data + option->header.size, option->header.length}
               : empty;
}
