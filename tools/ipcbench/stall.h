/*
 * stall: how long one client waits for the work of another: the table of works, and how one of them
 * is done while a pinger (pinger.h) looks on.
 *
 * A row fills an object, or several, which is not measured; then it does its work; then all that
 * it has made goes, with the session that has it open. Whatever takes longer than STALL_LIMIT is
 * given up, and said to be. So nothing here waits without an end.
 *
 * The object of a row is called STALL_OBJECT, in one byte, so that many calls fit into one read of
 * the daemon. It is opened exclusively: if somebody has an object of that name, the row fails.
 */
#pragma once

#include "tools/ipcbench/caller.h"
#include "tools/ipcbench/options.h"
#include "tools/ipcbench/pinger.h"

#define STALL_OBJECT "~"
#define STALL_LIMIT 60000000000U /* nanoseconds, for the filling and for the work */

struct stall;

struct stall_row {
    const char *name;                 /* "group/what" */
    const char *title;                /* for the table */
    int (*fill)(struct stall *stall); /* makes what the work needs; NULL: nothing */
    void (*ask)(struct stall *stall); /* encodes the requests of the work; NULL: none */
    int (*work)(struct stall *stall); /* NULL: stall_send */
    const char *method;               /* for fill, ask and work, as are the following */
    const char *error;                /* the code that is the answer; NULL: none */
    uint64_t size;                    /* values, keys, waiters… in the object */
    uint64_t times;                   /* calls of the work */
};

/* The table, by what the works are done on: stall_list.c, … The end of each has no name. */
extern const struct stall_row stall_rows_list[];
extern const struct stall_row stall_rows_queue[];
extern const struct stall_row stall_rows_timed[];
extern const struct stall_row stall_rows_dict[];
extern const struct stall_row stall_rows_wait[];
extern const struct stall_row stall_rows_other[];

/* The row of a number, in the order in which they are run; NULL behind the last. */
const struct stall_row *stall_row(size_t index);

/* One row under way. */
struct stall {
    const struct stall_row *row;
    const struct target *target;
    uint64_t size; /* those of the row, or less with --quick */
    uint64_t times;
    struct caller owner;   /* opens and fills the objects, which go with it */
    struct caller client;  /* does the work */
    struct caller *others; /* more clients, if the row needs them: stall_open_others */
    size_t other_count;
    struct buffer requests; /* encoded, and not yet sent: stall_request */
    uint64_t responses;     /* that they are going to have */
    uint32_t msgid;         /* of the last one */
    uint64_t due;           /* the work begins then, clock_now(); 0: when `work` is called */
};

struct stall_result {
    struct pinger_waits waits; /* nanoseconds, as are the following */
    double total;              /* from the first request to the last response */
    double cpu;                /* of the daemon; NAN: not known */
    double starved;            /* how long it was ready to run and had no processor; or NAN */
    double retries;            /* by server.stats; NAN: not known */
    bool given_up;
};

/*
 * Runs the rows that were asked for and prints each, when it is done, as a line of the table or of
 * JSON. 0; 1 if a row could not be measured, which it has said; -1 with a sentence if there is no
 * going on.
 */
int stall_run(const struct options *options, struct target *target);

/* Prints the names of the rows that were asked for. */
void stall_list(const struct options *options);

/* Begins a request, whose params follow. The object is the first of them in the second form. Want
 * of memory is latched in the buffer, and stall_flush says so. */
void stall_request(struct stall *stall, const char *method, size_t params);
void stall_request_on(struct stall *stall, const char *method, size_t params);

/* The request, for the owner to send, that makes an object of a type, exclusive and scoped, with
 * `pairs` more options, which follow. */
void stall_open(struct stall *stall, const char *type, const char *name, size_t pairs);

/* As caller_exchange, the following: 0, CALLER_GIVEN_UP, or -1 with a sentence. */

/* Sends the requests of the buffer by one of the callers, waits until they are answered, and
 * empties the buffer. */
int stall_flush(struct stall *stall, struct caller *caller, const char *error);

/* Sends calls that wait, but for so many that are answered, and returns when all of them do. */
int stall_park(struct stall *stall, struct caller *caller, uint64_t answered);

/* The method of the row on the object without more params, as many times as the row says. */
void stall_ask(struct stall *stall);

/* What most rows do for work: the client sends the requests, and has the responses. */
int stall_send(struct stall *stall);

/* The owner puts so many nils into the queue. It sends what has been encoded before, too. */
int stall_put_nils(struct stall *stall, uint64_t count);

/* Connects more clients, which are closed with the row. */
int stall_open_others(struct stall *stall, size_t count);

/* As many as are needed if `size` calls wait; how many of these are for the other of an index; and
 * the responses of them all, errors if `error` says so. */
int stall_open_waiters(struct stall *stall);
uint64_t stall_waiters(const struct stall *stall, size_t index);
int stall_collect(struct stall *stall, const char *error);

/* Numbers without order, the same in each run: the next one after *state. */
uint32_t stall_random(uint64_t *state);

/* The title line, and one row in either form: stall_report.c. The last returns 0, or -1 with a
 * sentence. */
void stall_report_begin(void);
void stall_report(const struct stall_row *row, const struct stall_result *result);
int stall_report_json(const struct stall_row *row, const struct stall_result *result);
