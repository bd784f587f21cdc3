/*
 * context: one run of a command: what was said on the command line, and the connection.
 */
#pragma once

#include "client/ipcclient.h"
#include "proto/buffer.h"
#include "tools/ipcctl/command_line/command.h"

/* What was given for an option. */
struct given {
    bool is;
    const char *text; /* its value, or NULL */
    int64_t number;   /* the value, where word_check turns it into one */
};

enum { CONTEXT_HOST = 65 }; /* bytes of a host's name, the NUL included */

struct context {
    const struct command *command;
    struct given options[OPTIONS];
    char **words;     /* the positional words after the command */
    int64_t *numbers; /* the words as numbers, where word_check turns them into one */
    size_t count;
    size_t literal;  /* the words from this one on stood behind "--" */
    bool took_input; /* standard input was a value */
    char **pairs;    /* what --option was given, in order */
    size_t pair_count;
    const char *client; /* what others see the session as; NULL: ipcctl and its version */
    bool interruptible; /* ipcc_interrupt is to work on the connection */
    struct ipcc *conn;  /* NULL until request_connect */
    bool host_known;    /* host is what the daemon is called: request_host */
    char host[CONTEXT_HOST];
    struct ipcc_reply answer; /* what the last call answered, which has the descriptors that values
                                 of it name; the command's, good until it frees its own */
    struct buffer message;    /* call_message's */
    int write_error;          /* errno of the first write to standard output that failed, or 0 */
};

/* The commands; each prints what it has to say, failures too. */
enum status run_call(struct context *context);
enum status run_chgrp(struct context *context);
enum status run_chmod(struct context *context);
enum status run_chown(struct context *context);
enum status run_complete(struct context *context);
enum status run_condition_notify(struct context *context);
enum status run_create(struct context *context);
enum status run_describe(struct context *context);
enum status run_dict_scan(struct context *context);
enum status run_done(struct context *context);
enum status run_event_wait(struct context *context);
enum status run_get(struct context *context);
enum status run_give_back(struct context *context);
enum status run_help(struct context *context);
enum status run_kill(struct context *context);
enum status run_list_append(struct context *context);
enum status run_lock_break(struct context *context);
enum status run_lock_ls(struct context *context);
enum status run_ls(struct context *context);
enum status run_method(struct context *context);
enum status run_methods(struct context *context);
enum status run_peek(struct context *context);
enum status run_put(struct context *context);
enum status run_rm(struct context *context);
enum status run_run(struct context *context);
enum status run_sessions(struct context *context);
enum status run_stats(struct context *context);
enum status run_store_backup(struct context *context);
enum status run_store_check(struct context *context);
enum status run_store_compact(struct context *context);
enum status run_store_dump(struct context *context);
enum status run_store_load(struct context *context);
enum status run_taken(struct context *context);
enum status run_watch(struct context *context);
