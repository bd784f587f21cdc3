/*
 * areas: the command table, put together; see command.h. The rows for the types are in the files
 * beside this one.
 */
#include "tools/ipcctl/context.h"

static const struct command object_commands[] = {
    {
        .words = "ls",
        .summary = "List the objects",
        .details = "SIZE is the number of items that a get could return now, or of keys, or of\n"
                   "values; WAITING is how many calls wait on the object. GLOB is a pattern of\n"
                   "names, as the shell has it: 'jobs.*'.",
        .arguments = {{"GLOB", WORD_GLOB, OPTIONAL}},
        .options = {{OPTION_TYPE, NULL}, {OPTION_LONG, NULL}, {OPTION_NAMES, NULL}},
        .run = run_ls,
    },
    {
        .words = "describe",
        .summary = "Show figures, options, who holds and who waits",
        .details =
            "Of each object: its figures and what they mean, the sessions that hold the object, "
            "or\n"
            "tickets or permits of it, and those that wait on it in the order in which they\n"
            "are served, with process, program and for how long. With a queue go the first\n"
            "items that are taken; with a condition, the lock that it was made with.",
        .arguments = {{"NAME", WORD_OBJECT, SEVERAL}},
        .run = run_describe,
    },
    {
        .words = "create",
        .summary = "Make an object",
        .details =
            "It is an error if the name is taken, unless --existing is given and the object\n"
            "has the type and the options that were asked for. Lifetime scoped is for\n"
            "programs that keep the object open: ipcctl ends, and the object with it.\n"
            "Queues, dicts, namespaces and lists can be durable, if the daemon has a\n"
            "directory for them (ipcctl stats: store).",
        .arguments = {{"TYPE", WORD_TYPE, ONE}, {"NAME", WORD_NEW, ONE}},
        .options = {{OPTION_MAXSIZE, NULL},
                    {OPTION_ORDER, NULL},
                    {OPTION_JOINABLE, NULL},
                    {OPTION_ON_DISCONNECT, NULL},
                    {OPTION_LEASE, NULL},
                    {OPTION_MAX_DELIVERIES, NULL},
                    {OPTION_DEAD_LETTER, NULL},
                    {OPTION_INITIAL, NULL},
                    {OPTION_RECURSIVE, NULL},
                    {OPTION_RELEASE_BY, NULL},
                    {OPTION_VALUE, NULL},
                    {OPTION_BOUNDED, NULL},
                    {OPTION_LOCK, "the lock that a condition goes by; one of its own if not given"},
                    {OPTION_PARTIES, NULL},
                    {OPTION_DEFAULT_TIMEOUT, NULL},
                    {OPTION_TYPECODE, NULL},
                    {OPTION_SIZE, NULL},
                    {OPTION_NO_DUPLEX, NULL},
                    {OPTION_MODE, NULL},
                    {OPTION_GROUP, NULL},
                    {OPTION_DURABLE, NULL},
                    {OPTION_LIFETIME, NULL},
                    {OPTION_OPTION, NULL},
                    {OPTION_EXISTING, NULL}},
        .run = run_create,
    },
    {
        .words = "rm",
        .summary = "Delete objects; who waits on them gets an error",
        .arguments = {{"NAME", WORD_OBJECT, SEVERAL}},
        .options = {{OPTION_FORCE, NULL}},
        .run = run_rm,
    },
    {
        .words = "chmod",
        .summary = "Set read and write bits of objects, as for files",
        .details = "MODE is in octal, with a digit for owner, group and others: 0660.",
        .arguments = {{"MODE", WORD_MODE, ONE}, {"NAME", WORD_OBJECT, SEVERAL}},
        .run = run_chmod,
    },
    {
        .words = "chown",
        .summary = "Give objects to another user, or to a group",
        .details = "OWNER is USER, USER:GROUP or :GROUP, by name or number. Only root and the\n"
                   "daemon's own user may give an object to another user, and to any group; its\n"
                   "owner, to a group that the owner is in.",
        .arguments = {{"OWNER", WORD_OWNER, ONE}, {"NAME", WORD_OBJECT, SEVERAL}},
        .run = run_chown,
    },
    {
        .words = "chgrp",
        .summary = "Give objects to a group",
        .arguments = {{"GROUP", WORD_GROUP, ONE}, {"NAME", WORD_OBJECT, SEVERAL}},
        .run = run_chgrp,
    },
    {
        .words = "rename",
        .summary = "Give an object another name",
        .details =
            "Whoever has it open, holds it or waits on it goes on. Programs that use the old\n"
            "name find nothing, or whatever is called that then; a dead letter queue is found\n"
            "by its name too.",
        .arguments = {{"NAME", WORD_OBJECT, ONE}, {"NEW", WORD_NEW, ONE}},
        .method = "object.rename",
        .run = run_method,
    },
    {
        .words = "watch",
        .summary = "Print events of objects; no NAME: a table of all",
        .details =
            "With names: a line for each event, until the objects are deleted or Ctrl-C.\n"
            "Without: depth, taken, waiting and rates of the queues, and below them all other\n"
            "objects on which calls wait. On a terminal the table refreshes itself until q is\n"
            "pressed; elsewhere each look is a table of its own.\n"
            "PUT/S and GET/S are rates since the last look.",
        .arguments = {{"NAME", WORD_OBJECT, ANY}},
        .options = {{OPTION_EVENTS, NULL},
                    {OPTION_COUNT, "end after N events, or N looks"},
                    {OPTION_INTERVAL, "table: time between two looks; 2s if not given"},
                    {OPTION_GLOB, "table: only objects whose names match"}},
        .run = run_watch,
    },
    {.words = NULL},
};

static const struct command daemon_commands[] = {
    {
        .words = "stats",
        .summary = "Show which daemon answers, its limits and figures",
        .details =
            "Version, process, socket, uptime, objects of each type, limits, memory; the store\n"
            "of durable objects; what each user has of what the limits count; and how often\n"
            "each method was called.",
        .run = run_stats,
    },
    {
        .words = "sessions",
        .summary = "List who is connected, or show one session",
        .details = "Of one SESSION: what it has open, what it waits for and what it holds.",
        .arguments = {{"SESSION", WORD_SESSION, OPTIONAL}},
        .run = run_sessions,
    },
    {
        .words = "kill",
        .summary = "End sessions; what they held is given back",
        .arguments = {{"SESSION", WORD_SESSION, SEVERAL}},
        .run = run_kill,
    },
    {
        .words = "call",
        .summary = "Call any method with JSON params, print the result",
        .details = "The params are sent as they are: a name is \"jobs\", with its quotes.",
        .arguments = {{"METHOD", WORD_METHOD, ONE}, {"PARAM", WORD_JSON, ANY}},
        .options = {{OPTION_TEXT, "params are strings, not JSON"}, {OPTION_RAW, NULL}},
        .show = SHOW_VALUE,
        .run = run_call,
    },
    {
        .words = "methods",
        .summary = "List the methods, or show what one takes and gives",
        .arguments = {{"METHOD", WORD_METHOD, OPTIONAL}},
        .run = run_methods,
    },
    {
        .words = "help",
        .summary = "Show what a command or a method does",
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
    {.words = NULL},
};

static const struct command server_commands[] = {
    {
        .words = "server upgrade",
        .summary = "Let the ipcd that is installed now take the place of this one",
        .details =
            "All that the daemon has goes on in the new one: objects, sessions, those who wait "
            "and\n"
            "what is held. Clients notice a pause. PROGRAM is another ipcd, by its absolute path.\n"
            "If it cannot take over, nothing changes. For root and the daemon's own user.",
        .arguments = {{"PROGRAM", WORD_TEXT, OPTIONAL}},
        .method = "server.upgrade",
        .show = SHOW_VALUE,
        .run = run_method,
    },
    {.words = NULL},
};

static const struct command store_commands[] = {
    {
        .words = "store check",
        .summary = "Read all that is durable and say whether it is whole",
        .details =
            "The daemon may go on meanwhile. For root and the daemon's own user, as all of store.",
        .options = {{OPTION_STATE, NULL}},
        .run = run_store_check,
    },
    {
        .words = "store dump",
        .summary = "Print the rows that are on disk, as JSON lines",
        .details = "Each is {\"object\": N, \"key\": BYTES, \"value\": BYTES}: what an object has "
                   "written\n"
                   "down of itself. The daemon may go on meanwhile.",
        .options = {{OPTION_STATE, NULL}},
        .run = run_store_dump,
    },
    {
        .words = "store load",
        .summary = "Make what dump has printed the rows of an empty store",
        .details = "The lines are read from standard input. The daemon must not be running.",
        .options = {{OPTION_STATE, "the directory of the store"}},
        .run = run_store_load,
    },
    {
        .words = "store backup",
        .summary = "Copy all that is durable at this moment to a new file",
        .details =
            "The daemon may go on meanwhile. The file is the store.db of a new, empty directory.",
        .arguments = {{"FILE", WORD_FILE, ONE}},
        .options = {{OPTION_STATE, NULL}},
        .run = run_store_backup,
    },
    {
        .words = "store compact",
        .summary = "Give back what is free in the files of the store",
        .details = "The daemon must not be running: it gives most of it back by itself.",
        .options = {{OPTION_STATE, NULL}},
        .run = run_store_compact,
    },
    {.words = NULL},
};

const struct area areas[] = {
    {"Objects", NULL, object_commands},
#define TYPE(kind, type, plural, ...) {plural, #type, type##_commands},
#include "proto/types.def"
#undef TYPE
    {"Commands under a lock", NULL, run_commands},
    {"The daemon", NULL, daemon_commands},
    {"The daemon itself", "server", server_commands},
    {"The store of durable objects", "store", store_commands},
    {NULL, NULL, NULL},
};
