/* frees: see frees.h. Tests: tests/unit/engine/test_lane.c. */
#include "daemon/engine/frees.h"

/* The words behind the dot, of all types, and the verbs without one. */
static const char *const words[] = {
    "break",        "cancel",    "clear",    "close",   "contains", "copy",  "count",     "delete",
    "delete_slice", "describe",  "empty",    "end",     "fetch",    "full",  "get",       "get_any",
    "get_many",     "holding",   "host",     "index",   "is_set",   "items", "keys",      "len",
    "locked",       "peek",      "pop",      "popitem", "put_back", "qsize", "release",   "remove",
    "scan",         "session",   "shutdown", "slice",   "state",    "taken", "task_done", "tick",
    "timeout",      "undeliver", "unwatch",  "value",   "values",
};

static bool verb_frees(const char *verb)
{
    const char *dot = strchr(verb, '.');
    const char *word = dot == NULL ? verb : dot + 1;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcmp(word, words[i]) == 0) {
            return true;
        }
    }
    return false;
}

bool op_frees(const struct op *op)
{
    for (unsigned i = 0; i < op->count; i++) {
        if (!verb_frees(op->parts[i].verb)) {
            return false;
        }
    }
    return true;
}
