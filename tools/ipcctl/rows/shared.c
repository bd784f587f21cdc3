/*
 * shared: the rows of the commands for numbers in shared memory, values and arrays. They go by the
 * daemon's methods, and map nothing. See command.h.
 */
#include "tools/ipcctl/context.h"

const struct command value_commands[] = {
    {
        .words = "value get",
        .summary = "Print the number",
        .arguments = {{"VALUE", WORD_VALUE, ONE}},
        .method = "value.get",
        .show = SHOW_VALUE,
        .run = run_method,
    },
    {
        .words = "value set",
        .summary = "Set the number",
        .details = "NUMBER is JSON: an integer, a float, true or false, as the typecode takes it.",
        .arguments = {{"VALUE", WORD_VALUE, ONE}, {"NUMBER", WORD_JSON, ONE}},
        .method = "value.set",
        .run = run_method,
    },
    {
        .words = "value add",
        .summary = "Add to the number, atomically, and print the sum",
        .arguments = {{"VALUE", WORD_VALUE, ONE}, {"DELTA", WORD_NUMBER, ONE}},
        .method = "value.add",
        .show = SHOW_VALUE,
        .run = run_method,
    },
    {.words = NULL},
};

const struct command array_commands[] = {
    {
        .words = "array get",
        .summary = "Print the number at an index; -1 is the last",
        .arguments = {{"ARRAY", WORD_ARRAY, ONE}, {"INDEX", WORD_INTEGER, ONE}},
        .method = "array.get",
        .show = SHOW_VALUE,
        .run = run_method,
    },
    {
        .words = "array set",
        .summary = "Set the number at an index",
        .arguments = {{"ARRAY", WORD_ARRAY, ONE},
                      {"INDEX", WORD_INTEGER, ONE},
                      {"NUMBER", WORD_JSON, ONE}},
        .method = "array.set",
        .run = run_method,
    },
    {
        .words = "array add",
        .summary = "Add to the number at an index, atomically, and print the sum",
        .arguments = {{"ARRAY", WORD_ARRAY, ONE},
                      {"INDEX", WORD_INTEGER, ONE},
                      {"DELTA", WORD_NUMBER, ONE}},
        .method = "array.add",
        .show = SHOW_VALUE,
        .run = run_method,
    },
    {
        .words = "array slice",
        .summary = "Print the numbers of a slice, or all, one on each line",
        .details = "START and STOP are as in Python's slices.",
        .arguments = {{"ARRAY", WORD_ARRAY, ONE},
                      {"START", WORD_INTEGER, OPTIONAL},
                      {"STOP", WORD_INTEGER, OPTIONAL}},
        .method = "array.slice",
        .show = SHOW_ELEMENTS,
        .run = run_method,
    },
    {
        .words = "array set-slice",
        .summary = "Set numbers from an index on; all of them must fit",
        .details = "NUMBERS is a JSON array: '[1, 2, 3]'.",
        .arguments = {{"ARRAY", WORD_ARRAY, ONE},
                      {"START", WORD_INTEGER, ONE},
                      {"NUMBERS", WORD_JSON, ONE}},
        .method = "array.set_slice",
        .run = run_method,
    },
    {
        .words = "array len",
        .summary = "Print how many numbers there are",
        .arguments = {{"ARRAY", WORD_ARRAY, ONE}},
        .method = "array.len",
        .show = SHOW_VALUE,
        .run = run_method,
    },
    {.words = NULL},
};

/* None: the ends of a pipe are descriptors, and a command that ends has closed them. */
const struct command pipe_commands[] = {{.words = NULL}};
