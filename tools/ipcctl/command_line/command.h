/*
 * command: what ipcctl's commands are, as data.
 *
 * The table, areas in rows/areas.c, has one row for each command. Parsing, the usage errors, the
 * help, the completion and a test of the manual page are made from it; a new command is one row and
 * the function that it names. Many commands are no more than a method of the protocol with its
 * params and a way to show the result: their rows name the method, and run_method does the rest.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/type.h"
#include "tools/ipcctl/command_line/nearest.h"

struct ipcc;

/* What ipcctl ends with; part of its interface (see the manual page). */
enum status {
    STATUS_OK = 0,
    STATUS_FAILED = 1,
    STATUS_USAGE = 2,
    STATUS_EMPTY = 3,
    STATUS_FULL = 4,
    STATUS_TIMEOUT = 5,
    STATUS_NOT_FOUND = 6,
    /* Of run alone, so that they differ from most commands' own; env(1) and timeout(1) have them.
     */
    STATUS_RUN_TIMEOUT = 124,
    STATUS_RUN_FAILED = 125,
    STATUS_RUN_CANNOT = 126,
    STATUS_RUN_NO_COMMAND = 127,
    STATUS_RUN_SIGNAL = 128, /* and the signal's number */
};

/* What a word on the command line stands for: how it is checked, and what can complete it. */
enum word_kind {
    WORD_NONE,
    WORD_TEXT,    /* anything */
    WORD_FILE,    /* a path */
    WORD_PROGRAM, /* a program; no option of ours stands behind it */
    WORD_NEW,     /* the name of an object to be made */
    WORD_OBJECT,  /* the name of an object; and of one type, WORD_QUEUE and so on: */
#define TYPE(type, ...) WORD_##type,
#include "proto/types.def"
#undef TYPE
    WORD_GLOB,    /* a pattern of names */
    WORD_TYPE,    /* a type of objects */
    WORD_SESSION, /* the number of a session, or HOST:NUMBER */
    WORD_TICKET,  /* the number of a taken item of the queue that is the first word */
    WORD_METHOD,  /* "queue.get" */
    WORD_COMMAND, /* a word of a command, or a method */
    WORD_JSON,    /* a value */
    WORD_KEY,     /* JSON, or a bare word; see word_key */
    WORD_PAIR,    /* KEY=JSON */
    WORD_INTEGER,
    WORD_COUNT,  /* an integer that is not negative */
    WORD_STATUS, /* what a process can end with: 0 to 255 */
    WORD_NUMBER, /* an integer or a float */
    WORD_TIME,   /* milliseconds, or with a unit: 500ms, 5s, 2m, 1h, 1d */
    WORD_MODE,   /* octal, as chmod(1) */
    WORD_GROUP,  /* a group's name, or its number */
    WORD_OWNER,  /* [USER][:GROUP], names or numbers */
    WORD_CHOICE, /* one of some words */
    WORD_EVENTS, /* names of events, with commas between */
};

enum presence { ONE, OPTIONAL, SEVERAL, ANY }; /* exactly one; 0 or 1; 1 or more; 0 or more */

struct argument {
    const char *name; /* "QUEUE"; NULL after the last one */
    enum word_kind kind;
    enum presence presence; /* SEVERAL and ANY only of the last one */
};

enum option_id {
    OPTION_NONE,
    OPTION_ACK,
    OPTION_ALL,
    OPTION_BOUNDED,
    OPTION_CONFLICT_STATUS,
    OPTION_COUNT,
    OPTION_CREATE,
    OPTION_DEAD_LETTER,
    OPTION_DEFAULT_TIMEOUT,
    OPTION_DELAY,
    OPTION_DURABLE,
    OPTION_EVENTS,
    OPTION_EXISTING,
    OPTION_FORCE,
    OPTION_GLOB,
    OPTION_GROUP,
    OPTION_HELP,
    OPTION_IMMEDIATE,
    OPTION_INITIAL,
    OPTION_INTERVAL,
    OPTION_JOINABLE,
    OPTION_JSON,
    OPTION_JSON_LINES,
    OPTION_KILL_ON_LOSS,
    OPTION_LEASE,
    OPTION_LIFETIME,
    OPTION_LINES,
    OPTION_LOCK,
    OPTION_LONG,
    OPTION_MAX_DELIVERIES,
    OPTION_MAXSIZE,
    OPTION_MODE,
    OPTION_NAMES,
    OPTION_NO_DUPLEX,
    OPTION_ON_DISCONNECT,
    OPTION_OPTION,
    OPTION_ORDER,
    OPTION_PARTIES,
    OPTION_PRIORITY,
    OPTION_RAW,
    OPTION_RECURSIVE,
    OPTION_RELEASE_BY,
    OPTION_REVERSE,
    OPTION_SEMAPHORE,
    OPTION_SIZE,
    OPTION_SOCKET,
    OPTION_START,
    OPTION_STATE,
    OPTION_TEXT,
    OPTION_TIMEOUT,
    OPTION_TTL,
    OPTION_TYPE,
    OPTION_TYPECODE,
    OPTION_UNCOUNTED,
    OPTION_VALUE,
    OPTION_VERSION,
    OPTION_WAIT,
    OPTIONS
};

struct option {
    const char *name;    /* without the dashes */
    char letter;         /* '\0': none */
    enum word_kind kind; /* of its value; WORD_NONE: it has none */
    const char *value;   /* the name of its value, "N" */
    bool optional;       /* the value may be left out: --wait, --wait=5s */
    const char *choices; /* WORD_CHOICE: words with spaces between */
    const char *key;     /* of create: its name in the map of TYPE.open; NULL: it is not in there */
    const char *summary;
};

/* An option of a command, with a summary of its own or NULL. */
struct option_use {
    enum option_id id; /* OPTION_NONE after the last one */
    const char *summary;
};

/* How run_method shows the result of its method. */
enum show {
    SHOW_NOTHING,  /* with --json the result unless it is nil */
    SHOW_VALUE,    /* the value on a line */
    SHOW_ELEMENTS, /* each element of an array on a line */
    SHOW_PAIRS,    /* each [key, value] of an array on a line */
};

enum { COMMAND_ARGUMENTS = 4, COMMAND_OPTIONS = 24 };

struct context;

struct command {
    const char *words; /* "get", "dict get" */
    const char *summary;
    const char *details; /* lines of text, or NULL */
    bool hidden;         /* not in the help: for the completion */
    struct argument arguments[COMMAND_ARGUMENTS + 1];
    struct option_use options[COMMAND_OPTIONS + 1];
    /* Of run_method: the method; whether --timeout is its last param; the option that, if given, is
     * sent as a last param true; and how the result is shown. */
    const char *method;
    bool waits;
    enum option_id flag;
    enum show show;
    enum status (*run)(struct context *context);
};

/* Commands that belong together: a title, the name of the type that they are for (or "server") or
 * NULL, and the rows, the last one of which has no words. */
struct area {
    const char *title;
    const char *type;
    const struct command *commands;
};

/* All of them; the last one has no title. */
extern const struct area areas[];

/* The rows for each type, queue_commands and so on. */
#define TYPE(kind, type, ...) extern const struct command type##_commands[];
#include "proto/types.def"
#undef TYPE

extern const struct command run_commands[];

/* Indexed by enum option_id. */
extern const struct option options[OPTIONS];

/* The options that every command has. */
extern const enum option_id global_options[];
extern const size_t global_option_count;

/* The command that the first of `count` words name, and how many words that takes; NULL if there is
 * none. */
const struct command *command_find(char *const *words, size_t count, size_t *taken);

/* True if the commands of the area have two words, the first one being the name of its type. */
bool area_is_family(const struct area *area);

/* The area whose commands have two words, of which this is the first ("dict"), or NULL. */
const struct area *command_family(const char *word);

/* The type of the objects that a word of this kind names: "queue"; NULL if it names none, or one of
 * any type. */
const char *word_type(enum word_kind kind);

/* True if a word of this kind is the name of an object. */
bool word_is_object(enum word_kind kind);

/* The last word of a command: "get" of "dict get". */
const char *command_last_word(const struct command *command);

/* The option of a command by its name (`len` bytes) or its letter; OPTION_NONE if it has none such.
 * `command` may be NULL: only the options that every command has. */
enum option_id command_option(const struct command *command, const char *name, size_t len);
enum option_id command_letter(const struct command *command, char letter);

/* What comes nearest to a word of which there is no command (`first` NULL: a first word; else one
 * behind that word), to an option's name that a command does not have, and to a type. */
struct nearest command_nearest(const char *first, const char *word);
struct nearest command_nearest_option(const struct command *command, const char *name, size_t len);
struct nearest command_nearest_type(const char *type);

/* The summary of an option as this command has it. */
const char *command_option_summary(const struct command *command, enum option_id id);

/* The argument that positional word `index` is for, or NULL if there are too many. */
const struct argument *command_argument(const struct command *command, size_t index);
