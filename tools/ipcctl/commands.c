/* commands: the command table; see command.h. */
#include "tools/ipcctl/context.h"

const char *const area_titles[AREAS] = {
    [AREA_OBJECTS] = "Objects", [AREA_QUEUES] = "Queues",     [AREA_DICTS] = "Dicts",
    [AREA_LISTS] = "Lists",     [AREA_DAEMON] = "The daemon",
};

const char *const area_families[AREAS] = {[AREA_DICTS] = "dict", [AREA_LISTS] = "list"};

#define QUEUE                                                                                      \
    {                                                                                              \
        "QUEUE", WORD_QUEUE, ONE                                                                   \
    }
#define DICT                                                                                       \
    {                                                                                              \
        "DICT", WORD_DICT, ONE                                                                     \
    }
#define LIST                                                                                       \
    {                                                                                              \
        "LIST", WORD_LIST, ONE                                                                     \
    }
#define KEY                                                                                        \
    {                                                                                              \
        "KEY", WORD_KEY, ONE                                                                       \
    }
#define VALUE                                                                                      \
    {                                                                                              \
        "VALUE", WORD_VALUE, ONE                                                                   \
    }
#define INDEX                                                                                      \
    {                                                                                              \
        "INDEX", WORD_INTEGER, ONE                                                                 \
    }

const struct command commands[] = {
    /* ---- Objects ---- */
    {
        .words = "ls",
        .summary = "List the objects",
        .details = "SIZE is the number of items that a get could return now, or of keys, or of\n"
                   "values; WAITING is how many calls wait on the object. GLOB is a pattern of\n"
                   "names, as the shell has it: 'jobs.*'.",
        .area = AREA_OBJECTS,
        .arguments = {{"GLOB", WORD_GLOB, OPTIONAL}},
        .options = {{OPTION_TYPE, NULL}, {OPTION_LONG, NULL}, {OPTION_NAMES, NULL}},
        .run = run_ls,
    },
    {
        .words = "describe",
        .summary = "Show an object: its figures, its options, who waits and who holds what",
        .details = "Below the figures stand the sessions that wait on the object and those that\n"
                   "hold tickets of it, with process, program and since when.",
        .area = AREA_OBJECTS,
        .arguments = {{"NAME", WORD_OBJECT, SEVERAL}},
        .run = run_describe,
    },
    {
        .words = "create",
        .summary = "Make an object",
        .details =
            "It is an error if the name is taken, unless --existing is given and the object\n"
            "has the type and the options that were asked for. Lifetime scoped is for\n"
            "programs that keep the object open: ipcctl ends, and the object with it.",
        .area = AREA_OBJECTS,
        .arguments = {{"TYPE", WORD_TYPE, ONE}, {"NAME", WORD_NEW, ONE}},
        .options = {{OPTION_MAXSIZE, NULL},
                    {OPTION_ORDER, NULL},
                    {OPTION_JOINABLE, NULL},
                    {OPTION_ON_DISCONNECT, NULL},
                    {OPTION_LEASE, NULL},
                    {OPTION_MAX_DELIVERIES, NULL},
                    {OPTION_DEAD_LETTER, NULL},
                    {OPTION_INITIAL, NULL},
                    {OPTION_MODE, NULL},
                    {OPTION_LIFETIME, NULL},
                    {OPTION_OPTION, NULL},
                    {OPTION_EXISTING, NULL}},
        .run = run_create,
    },
    {
        .words = "rm",
        .summary = "Delete objects; all who wait on them are woken with an error",
        .area = AREA_OBJECTS,
        .arguments = {{"NAME", WORD_OBJECT, SEVERAL}},
        .options = {{OPTION_FORCE, NULL}},
        .run = run_rm,
    },
    {
        .words = "chmod",
        .summary = "Set the read and write bits of objects, as for files",
        .area = AREA_OBJECTS,
        .arguments = {{"MODE", WORD_MODE, ONE}, {"NAME", WORD_OBJECT, SEVERAL}},
        .run = run_chmod,
    },
    /* ---- Queues ---- */
    {
        .words = "put",
        .summary = "Put values into a queue",
        .details = "Without a VALUE they come from standard input: JSON values with white space\n"
                   "between them, or what --lines, --json-lines or --text say. While the queue is\n"
                   "full, put waits, for --timeout at most. On a terminal it shows its progress.",
        .area = AREA_QUEUES,
        .arguments = {QUEUE, {"VALUE", WORD_VALUE, ANY}},
        .options = {{OPTION_TEXT, "values are strings; of standard input, each line is one"},
                    {OPTION_LINES, NULL},
                    {OPTION_JSON_LINES, NULL},
                    {OPTION_PRIORITY, NULL},
                    {OPTION_DELAY, NULL},
                    {OPTION_TTL, NULL}},
        .run = run_put,
    },
    {
        .words = "get",
        .summary = "Take the next item of a queue and print it",
        .details =
            "Of a joinable queue the item is yours while ipcctl runs: when it ends, the item\n"
            "goes back to the queue (or counts as done, if the queue was made with\n"
            "--on-disconnect discard). --ack counts it as done once it has been printed.\n"
            "With --count or --all, --wait waits for each item anew.",
        .area = AREA_QUEUES,
        .arguments = {QUEUE},
        .options = {{OPTION_WAIT, NULL},
                    {OPTION_COUNT, "take up to N items"},
                    {OPTION_ALL, "take items until there are no more"},
                    {OPTION_ACK, NULL},
                    {OPTION_RAW, NULL}},
        .run = run_get,
    },
    {
        .words = "peek",
        .summary = "Look at the next items of a queue without taking them",
        .area = AREA_QUEUES,
        .arguments = {QUEUE},
        .options = {{OPTION_START, NULL},
                    {OPTION_COUNT, "show up to N items; 10 if not given"},
                    {OPTION_ALL, "show all items"},
                    {OPTION_RAW, NULL}},
        .run = run_peek,
    },
    {
        .words = "done",
        .summary = "Count taken items as done",
        .details = "Without a TICKET it is the item that was taken first, whoever has it.",
        .area = AREA_QUEUES,
        .arguments = {QUEUE, {"TICKET", WORD_COUNT, ANY}},
        .run = run_done,
    },
    {
        .words = "give-back",
        .summary = "Put taken items back at the head of their queue",
        .area = AREA_QUEUES,
        .arguments = {QUEUE, {"TICKET", WORD_COUNT, SEVERAL}},
        .options = {{OPTION_DELAY, NULL}},
        .run = run_give_back,
    },
    {
        .words = "touch",
        .summary = "Start the lease of a taken item again",
        .area = AREA_QUEUES,
        .arguments = {QUEUE, {"TICKET", WORD_COUNT, ONE}},
        .method = "queue.touch",
        .run = run_method,
    },
    {
        .words = "join",
        .summary = "Wait until nothing in a queue is unfinished",
        .area = AREA_QUEUES,
        .arguments = {QUEUE},
        .method = "queue.join",
        .waits = true,
        .run = run_method,
    },
    {
        .words = "purge",
        .summary = "Remove all items of a queue and print how many they were",
        .area = AREA_QUEUES,
        .arguments = {QUEUE},
        .method = "queue.clear",
        .show = SHOW_VALUE,
        .run = run_method,
    },
    {
        .words = "shutdown",
        .summary = "Shut a queue down: no more puts, and no gets once it is empty",
        .area = AREA_QUEUES,
        .arguments = {QUEUE},
        .options = {{OPTION_IMMEDIATE, NULL}},
        .method = "queue.shutdown",
        .flag = OPTION_IMMEDIATE,
        .run = run_method,
    },
    {
        .words = "watch",
        .summary = "Watch the queues: depth, taken, waiting, rates",
        .details =
            "On a terminal the table refreshes itself until q is pressed; elsewhere each look\n"
            "is a table of its own. PUT/S and GET/S are rates since the last look.",
        .area = AREA_QUEUES,
        .arguments = {{"GLOB", WORD_GLOB, OPTIONAL}},
        .options = {{OPTION_INTERVAL, "time between two looks; 2s if not given"},
                    {OPTION_COUNT, "end after N looks"}},
        .run = run_watch,
    },
    /* ---- Dicts ---- */
    {
        .words = "dict get",
        .summary = "Print the value of a key, or DEFAULT if the key is missing",
        .area = AREA_DICTS,
        .arguments = {DICT, KEY, {"DEFAULT", WORD_VALUE, OPTIONAL}},
        .options = {{OPTION_TEXT, NULL}, {OPTION_RAW, NULL}},
        .method = "dict.get",
        .show = SHOW_VALUE,
        .run = run_method,
    },
    {
        .words = "dict set",
        .summary = "Set the value of a key",
        .area = AREA_DICTS,
        .arguments = {DICT, KEY, VALUE},
        .options = {{OPTION_TEXT, NULL}},
        .method = "dict.set",
        .run = run_method,
    },
    {
        .words = "dict del",
        .summary = "Delete a key",
        .area = AREA_DICTS,
        .arguments = {DICT, KEY},
        .options = {{OPTION_TEXT, NULL}},
        .method = "dict.delete",
        .run = run_method,
    },
    {
        .words = "dict keys",
        .summary = "Print the keys, in the order in which they were inserted",
        .area = AREA_DICTS,
        .arguments = {DICT},
        .options = {{OPTION_RAW, NULL}},
        .method = "dict.keys",
        .show = SHOW_ELEMENTS,
        .run = run_method,
    },
    {
        .words = "dict values",
        .summary = "Print the values",
        .area = AREA_DICTS,
        .arguments = {DICT},
        .options = {{OPTION_RAW, NULL}},
        .method = "dict.values",
        .show = SHOW_ELEMENTS,
        .run = run_method,
    },
    {
        .words = "dict items",
        .summary = "Print the keys with their values",
        .area = AREA_DICTS,
        .arguments = {DICT},
        .method = "dict.items",
        .show = SHOW_PAIRS,
        .run = run_method,
    },
    {
        .words = "dict scan",
        .summary = "Print keys and values in steps, for large dicts",
        .details =
            "Others may change the dict between two steps. Each key that stays throughout is\n"
            "printed once.",
        .area = AREA_DICTS,
        .arguments = {DICT},
        .options = {{OPTION_COUNT, "about N items in each step; 1000 if not given"}},
        .run = run_dict_scan,
    },
    {
        .words = "dict copy",
        .summary = "Print the whole dict as one map",
        .area = AREA_DICTS,
        .arguments = {DICT},
        .method = "dict.copy",
        .show = SHOW_VALUE,
        .run = run_method,
    },
    {
        .words = "dict len",
        .summary = "Print the number of keys",
        .area = AREA_DICTS,
        .arguments = {DICT},
        .method = "dict.len",
        .show = SHOW_VALUE,
        .run = run_method,
    },
    {
        .words = "dict contains",
        .summary = "Print true if the key is there, else false",
        .area = AREA_DICTS,
        .arguments = {DICT, KEY},
        .options = {{OPTION_TEXT, NULL}},
        .method = "dict.contains",
        .show = SHOW_VALUE,
        .run = run_method,
    },
    {
        .words = "dict incr",
        .summary = "Add to the number of a key, atomically, and print the new one",
        .details = "DELTA is 1 and INITIAL, where a missing key starts, 0 if they are not given.",
        .area = AREA_DICTS,
        .arguments =
            {DICT, KEY, {"DELTA", WORD_NUMBER, OPTIONAL}, {"INITIAL", WORD_NUMBER, OPTIONAL}},
        .options = {{OPTION_TEXT, "the key is text, not JSON"}},
        .method = "dict.incr",
        .show = SHOW_VALUE,
        .run = run_method,
    },
    {
        .words = "dict cas",
        .summary = "Compare and set: print true if the key has been set",
        .details =
            "EXPECTED and VALUE are arrays: [5] is the value 5, [] is \"not there\". The key\n"
            "is set to VALUE, or deleted, if it has the value EXPECTED now.",
        .area = AREA_DICTS,
        .arguments = {DICT, KEY, {"EXPECTED", WORD_VALUE, ONE}, VALUE},
        .method = "dict.cas",
        .show = SHOW_VALUE,
        .run = run_method,
    },
    {
        .words = "dict update",
        .summary = "Set each key of a map",
        .area = AREA_DICTS,
        .arguments = {DICT, {"MAP", WORD_VALUE, ONE}},
        .method = "dict.update",
        .run = run_method,
    },
    {
        .words = "dict setdefault",
        .summary = "Print the value of a key, which is set to VALUE first if it is missing",
        .area = AREA_DICTS,
        .arguments = {DICT, KEY, {"VALUE", WORD_VALUE, OPTIONAL}},
        .options = {{OPTION_TEXT, NULL}, {OPTION_RAW, NULL}},
        .method = "dict.setdefault",
        .show = SHOW_VALUE,
        .run = run_method,
    },
    {
        .words = "dict pop",
        .summary = "Remove a key and print its value, or DEFAULT if it is missing",
        .area = AREA_DICTS,
        .arguments = {DICT, KEY, {"DEFAULT", WORD_VALUE, OPTIONAL}},
        .options = {{OPTION_TEXT, NULL}, {OPTION_RAW, NULL}},
        .method = "dict.pop",
        .show = SHOW_VALUE,
        .run = run_method,
    },
    {
        .words = "dict popitem",
        .summary = "Remove the key inserted last and print it with its value, as an array",
        .area = AREA_DICTS,
        .arguments = {DICT},
        .method = "dict.popitem",
        .show = SHOW_VALUE,
        .run = run_method,
    },
    {
        .words = "dict wait",
        .summary = "Wait until a key is there and print its value",
        .area = AREA_DICTS,
        .arguments = {DICT, KEY},
        .options = {{OPTION_TEXT, "the key is text, not JSON"}, {OPTION_RAW, NULL}},
        .method = "dict.wait",
        .waits = true,
        .show = SHOW_VALUE,
        .run = run_method,
    },
    {
        .words = "dict clear",
        .summary = "Remove all keys",
        .area = AREA_DICTS,
        .arguments = {DICT},
        .method = "dict.clear",
        .run = run_method,
    },
    /* ---- Lists ---- */
    {
        .words = "list get",
        .summary = "Print the value at an index; -1 is the last",
        .area = AREA_LISTS,
        .arguments = {LIST, INDEX},
        .options = {{OPTION_RAW, NULL}},
        .method = "list.get",
        .show = SHOW_VALUE,
        .run = run_method,
    },
    {
        .words = "list set",
        .summary = "Replace the value at an index",
        .area = AREA_LISTS,
        .arguments = {LIST, INDEX, VALUE},
        .options = {{OPTION_TEXT, NULL}},
        .method = "list.set",
        .run = run_method,
    },
    {
        .words = "list append",
        .summary = "Add values at the end",
        .details = "Without a VALUE they come from standard input, as for put.",
        .area = AREA_LISTS,
        .arguments = {LIST, {"VALUE", WORD_VALUE, ANY}},
        .options = {{OPTION_TEXT, "values are strings; of standard input, each line is one"},
                    {OPTION_LINES, NULL},
                    {OPTION_JSON_LINES, NULL}},
        .run = run_list_append,
    },
    {
        .words = "list insert",
        .summary = "Insert a value before an index",
        .area = AREA_LISTS,
        .arguments = {LIST, INDEX, VALUE},
        .options = {{OPTION_TEXT, NULL}},
        .method = "list.insert",
        .run = run_method,
    },
    {
        .words = "list pop",
        .summary = "Remove the value at an index, or the last one, and print it",
        .area = AREA_LISTS,
        .arguments = {LIST, {"INDEX", WORD_INTEGER, OPTIONAL}},
        .options = {{OPTION_RAW, NULL}},
        .method = "list.pop",
        .show = SHOW_VALUE,
        .run = run_method,
    },
    {
        .words = "list del",
        .summary = "Delete the value at an index",
        .area = AREA_LISTS,
        .arguments = {LIST, INDEX},
        .method = "list.delete",
        .run = run_method,
    },
    {
        .words = "list slice",
        .summary = "Print the values of a slice, or all, one on each line",
        .details = "START, STOP and STEP are as in Python's slices; null leaves one out.",
        .area = AREA_LISTS,
        .arguments = {LIST,
                      {"START", WORD_INTEGER, OPTIONAL},
                      {"STOP", WORD_INTEGER, OPTIONAL},
                      {"STEP", WORD_INTEGER, OPTIONAL}},
        .options = {{OPTION_RAW, NULL}},
        .method = "list.slice",
        .show = SHOW_ELEMENTS,
        .run = run_method,
    },
    {
        .words = "list len",
        .summary = "Print the number of values",
        .area = AREA_LISTS,
        .arguments = {LIST},
        .method = "list.len",
        .show = SHOW_VALUE,
        .run = run_method,
    },
    {
        .words = "list index",
        .summary = "Print the index of the first value that is equal",
        .area = AREA_LISTS,
        .arguments =
            {LIST, VALUE, {"START", WORD_INTEGER, OPTIONAL}, {"STOP", WORD_INTEGER, OPTIONAL}},
        .options = {{OPTION_TEXT, NULL}},
        .method = "list.index",
        .show = SHOW_VALUE,
        .run = run_method,
    },
    {
        .words = "list count",
        .summary = "Print how many values are equal",
        .area = AREA_LISTS,
        .arguments = {LIST, VALUE},
        .options = {{OPTION_TEXT, NULL}},
        .method = "list.count",
        .show = SHOW_VALUE,
        .run = run_method,
    },
    {
        .words = "list contains",
        .summary = "Print true if a value is equal, else false",
        .area = AREA_LISTS,
        .arguments = {LIST, VALUE},
        .options = {{OPTION_TEXT, NULL}},
        .method = "list.contains",
        .show = SHOW_VALUE,
        .run = run_method,
    },
    {
        .words = "list remove",
        .summary = "Remove the first value that is equal",
        .area = AREA_LISTS,
        .arguments = {LIST, VALUE},
        .options = {{OPTION_TEXT, NULL}},
        .method = "list.remove",
        .run = run_method,
    },
    {
        .words = "list incr",
        .summary = "Add to the number at an index, atomically, and print the new one",
        .area = AREA_LISTS,
        .arguments = {LIST, INDEX, {"DELTA", WORD_NUMBER, OPTIONAL}},
        .method = "list.incr",
        .show = SHOW_VALUE,
        .run = run_method,
    },
    {
        .words = "list sort",
        .summary = "Sort in place",
        .area = AREA_LISTS,
        .arguments = {LIST},
        .options = {{OPTION_REVERSE, NULL}},
        .method = "list.sort",
        .flag = OPTION_REVERSE,
        .run = run_method,
    },
    {
        .words = "list reverse",
        .summary = "Reverse in place",
        .area = AREA_LISTS,
        .arguments = {LIST},
        .method = "list.reverse",
        .run = run_method,
    },
    {
        .words = "list repeat",
        .summary = "Repeat in place, N times in all",
        .area = AREA_LISTS,
        .arguments = {LIST, {"N", WORD_INTEGER, ONE}},
        .method = "list.repeat",
        .run = run_method,
    },
    {
        .words = "list clear",
        .summary = "Remove all values",
        .area = AREA_LISTS,
        .arguments = {LIST},
        .method = "list.clear",
        .run = run_method,
    },
    /* ---- The daemon ---- */
    {
        .words = "stats",
        .summary = "Show the daemon's figures: objects, memory, calls and errors by method",
        .area = AREA_DAEMON,
        .run = run_stats,
    },
    {
        .words = "sessions",
        .summary = "List the sessions, or show what one has open, waits for and holds",
        .area = AREA_DAEMON,
        .arguments = {{"SESSION", WORD_SESSION, OPTIONAL}},
        .run = run_sessions,
    },
    {
        .words = "kill",
        .summary = "End sessions; what they held is given back",
        .area = AREA_DAEMON,
        .arguments = {{"SESSION", WORD_SESSION, SEVERAL}},
        .run = run_kill,
    },
    {
        .words = "call",
        .summary = "Call any method with JSON params and print the result",
        .details = "The params are sent as they are: a name is \"jobs\", with its quotes.",
        .area = AREA_DAEMON,
        .arguments = {{"METHOD", WORD_METHOD, ONE}, {"PARAM", WORD_VALUE, ANY}},
        .options = {{OPTION_TEXT, "params are strings, not JSON"}, {OPTION_RAW, NULL}},
        .run = run_call,
    },
    {
        .words = "methods",
        .summary = "List the daemon's methods, or show what one takes and gives",
        .area = AREA_DAEMON,
        .arguments = {{"METHOD", WORD_METHOD, OPTIONAL}},
        .run = run_methods,
    },
    {
        .words = "help",
        .summary = "Show what a command or a method does",
        .area = AREA_DAEMON,
        .arguments = {{"COMMAND", WORD_COMMAND, ANY}},
        .run = run_help,
    },
    {
        .words = "complete",
        .summary = "Print what can complete a command line: for the bash completion",
        .hidden = true,
        .arguments = {{"LINE", WORD_TEXT, ONE}, {"BREAKS", WORD_TEXT, OPTIONAL}},
        .run = run_complete,
    },
};

const size_t command_count = sizeof(commands) / sizeof(commands[0]);
