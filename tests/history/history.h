/*
 * history: what several processes did with one object, and when.
 *
 * An operation has the time just before its call and the time just after its answer; the daemon ran
 * it at some moment between. One that was never answered, because its process was killed, may have
 * been run at any moment before the end of its session, or not at all.
 *
 * The end of a process is an operation too. "closed" is a session that was closed in order, from
 * the moment before closing until the daemon was seen to have ended it. "killed" is the same from
 * before the SIGKILL; its argument is the moment at which the process was surely dead. "crashed" is
 * the end of the daemon itself, by SIGKILL, of which there is one at most: from before that until
 * it was dead, which is its argument too. All sessions that had not ended have ended then, at once,
 * and what was not answered has happened before or not at all. A session that was closed just
 * before, and was not seen to have ended, may have ended before the crash or by it.
 *
 * Times are CLOCK_MONOTONIC nanoseconds, which all processes of a machine share. Equal times count
 * as concurrent.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    HISTORY_MAX = 160,  /* operations of one history */
    PROCESSES_MAX = 16, /* process 0 is the one that looks at what is left at the end */
    ARGUMENTS_MAX = 3,
    RESULTS_MAX = 3,
};

#define NO_VALUE INT64_MIN /* no argument, nil, "not there" */
#define UNANSWERED INT64_MAX

enum type { TYPE_QUEUE, TYPE_JOINABLE, TYPE_LOCK, TYPE_SEMAPHORE, TYPE_DICT, TYPES };

enum verb {
    PUT,
    GET,
    QSIZE,
    TASK_DONE,
    GIVE_BACK,
    JOIN,
    LOCK_ACQUIRE,
    LOCK_RELEASE,
    LOCKED,
    SEMAPHORE_ACQUIRE,
    SEMAPHORE_RELEASE,
    SEMAPHORE_VALUE,
    DICT_GET,
    DICT_SET,
    DICT_CAS,
    DICT_DELETE,
    DICT_INCR,
    CLOSED,
    KILLED,
    CRASHED,
    VERBS
};

/* One row for each verb. */
struct verb_row {
    const char *method; /* "queue.put"; the text form has what is behind the dot */
    /* The params behind the object's name, a letter each: a, b, c the argument of that number, left
     * out if it is NO_VALUE; B, C the same as [value], or [] for NO_VALUE; t the timeout. */
    const char *params;
    unsigned arguments;
    unsigned results;
    bool looks_only; /* changes nothing */
};
extern const struct verb_row verb_rows[VERBS];

struct operation {
    int64_t begin;
    int64_t end; /* UNANSWERED: no answer was seen */
    uint8_t process;
    uint8_t verb;   /* enum verb */
    int32_t status; /* 0 or an IPCC_ERR_ code */
    int64_t arguments[ARGUMENTS_MAX];
    int64_t results[RESULTS_MAX]; /* if it was answered with status 0 */
};

/* The object's options, as far as the models know them. All zero: the protocol's defaults, but for
 * the semaphore's value. */
struct object_options {
    int64_t maxsize;
    int64_t value; /* initial, of a semaphore */
    bool lifo;
    bool discard; /* on_disconnect */
    bool keep;
    bool recursive;
    bool anyone; /* release_by */
    bool bounded;
    bool durable;
};

struct history {
    enum type type;
    struct object_options options;
    unsigned count;
    struct operation operations[HISTORY_MAX];
};

const char *type_name(enum type type);
/* The type of that name, or TYPES. */
enum type type_of(const char *name);

static inline bool is_answered(const struct operation *operation)
{
    return operation->end != UNANSWERED;
}

/* True if it was answered, and with success. */
static inline bool is_done(const struct operation *operation)
{
    return is_answered(operation) && operation->status == 0;
}

static inline bool is_end(const struct operation *operation)
{
    return operation->verb == CLOSED || operation->verb == KILLED || operation->verb == CRASHED;
}

/* The end of a process, that of the daemon if it had none of its own before; or NULL. */
const struct operation *history_end_of(const struct history *history, unsigned process);

/* Sorts by the time of the call. */
void history_sort(struct history *history);
