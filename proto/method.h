/*
 * method: the method table (methods.def) as data, and that of their options (options.def).
 *
 * The daemon dispatches and checks params by it, ipcctl prints its help from it, and the reference
 * is made from it. The rows are constant; a struct method_table adds what is worked out from them
 * once: the signatures, decoded, and an index by name.
 */
#pragma once

#include "proto/slice.h"

/* What the caller must be allowed on the object named by the first param. */
enum method_needs { METHOD_NEEDS_NONE, METHOD_NEEDS_READ, METHOD_NEEDS_WRITE, METHOD_NEEDS_OWNER };

/* flags */
enum {
    METHOD_WAITS = 1,
    METHOD_LOOKS = 2,
    METHOD_BEHIND = 4,
};

enum method_id {
#define METHOD(type, verb, ...) METHOD_##type##_##verb,
#include "proto/methods.def"
#undef METHOD
    METHOD_COUNT
};

/* The place of each option in the map of its method, and how many there are: OPTIONS_TYPE_VERB.
 * Those that every open has (OPTION_TYPE_open_…) stand in front of the type's own, which count from
 * 0. */
enum method_option_place {
#define OPTION(type, verb, option, ...) OPTION_##type##_##verb##_##option,
#define OPTIONS(type, verb) OPTIONS_##type##_##verb, OPTIONS_##type##_##verb##_behind = -1,
#include "proto/options.def"
#undef OPTIONS
#undef OPTION
};

/* The types a param can have; the word in a signature in quotes. */
enum param_type {
    PARAM_OBJECT, /* "object": str, the name of an object that must exist; always the first param */
    PARAM_OBJECTS, /* "objects": array of such names; the same place */
    PARAM_NAME,    /* "name": str, a name that need not exist; nil: a new anonymous object */
    PARAM_VALUE,   /* "value": any value; nil is a value, only leaving it out means none */
    PARAM_STR,     /* "str" */
    PARAM_BOOL,    /* "bool" */
    PARAM_INT,     /* "int": an integer that fits int64 */
    PARAM_OPTINT,  /* "optint": the same or nil, in a place that cannot be left out */
    PARAM_UINT,    /* "uint": an integer from 0 to INT64_MAX: ticket, cursor */
    PARAM_COUNT,   /* "count": the same, for how many of something */
    PARAM_NUMBER,  /* "number": an integer or a float */
    PARAM_MS,      /* "ms": milliseconds, not negative */
    PARAM_TIMEOUT, /* "timeout": milliseconds; 0 does not wait, nil or absent waits without limit */
    PARAM_ARRAY,   /* "array" */
    PARAM_MAP,     /* "map" */
    PARAM_OWNER,   /* "owner": an integer or a str; tells callers of one session apart */
    PARAM_GROUP,   /* "group": a gid, an integer that is not negative, or a group's name, a str */
    PARAM_SESSION, /* "session": the number of a session of this daemon, or a str "HOST:NUMBER" */
};

enum { METHOD_PARAMS_MAX = 5, METHOD_OPTIONS_MAX = 16 };

struct method_param {
    struct slice name;
    enum param_type type;
    bool optional;
};

/* One row of methods.def. */
struct method {
    enum method_id id;
    const char *name;   /* "queue.get"; "atomic" */
    const char *type;   /* "queue"; "" */
    const char *params; /* the signature as it stands in the row */
    const char *result;
    const char *errors;
    const char *summary;
    enum method_needs needs;
    unsigned flags;
};

/* One row of options.def. */
struct method_option {
    const char *method; /* "queue.put"; "TYPE.open": of every open */
    const char *name;
    enum param_type type;
    const char *words; /* "fifo lifo priority"; "": it is no choice */
    const char *standard;
    const char *summary;
};

/* A signature, decoded, with the options that may stand in its map: of an open first those of every
 * open. */
struct method_signature {
    unsigned count;
    unsigned required;
    struct method_param params[METHOD_PARAMS_MAX];
    unsigned option_count;
    const struct method_option *options[METHOD_OPTIONS_MAX];
};

/* The rows, in the order of methods.def; indexed by enum method_id. */
extern const struct method methods[METHOD_COUNT];

/* Decodes the signature of a row. The table is constant, so a row that cannot be decoded is a
 * mistake in it: that is an assertion, and a unit test decodes every row. */
void method_signature(const struct method *method, struct method_signature *out);

/* The method of that name, or NULL. A linear search, for tools and start-up; the daemon's dispatch
 * has an index of its own. */
const struct method *method_find(struct slice name);

/* How a param type is called in messages to people: "an integer", "milliseconds", … */
const char *param_type_name(enum param_type type);

/* Its word in a signature: "int", "ms", … */
const char *param_type_word(enum param_type type);

/* The place of a word among those of a choice, or -1. */
int method_option_word(const struct method_option *option, struct slice word);
