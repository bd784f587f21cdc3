/*
 * sync: the rows of the commands for what processes wait for each other with: locks, semaphores,
 * conditions, events, barriers; and run, which holds one for a command. See command.h.
 */
#include "tools/ipcctl/context.h"

const struct command lock_commands[] = {
    {
        .words = "lock ls",
        .summary = "List the locks: who holds each one, since when, and how many wait",
        .details =
            "GLOB is a pattern of names, as the shell has it. A lock that is held by a session\n"
            "that has ended (--on-disconnect keep) has no PID.",
        .arguments = {{"GLOB", WORD_GLOB, OPTIONAL}},
        .run = run_lock_ls,
    },
    {
        .words = "lock show",
        .summary = "Show who holds a lock, since when, and who waits for it, in order",
        .arguments = {{"LOCK", WORD_LOCK, SEVERAL}},
        .run = run_describe,
    },
    {
        .words = "lock break",
        .summary = "Take a lock from whoever holds it, and say who that was",
        .details =
            "The next who waits gets it and is told that it was abandoned: what it guards may\n"
            "be half done. Who held it is not told, and goes on as if it still did; it finds\n"
            "out when it releases. 'ipcctl kill SESSION' ends the holder's session instead.\n"
            "It takes the lock's owner, root, or the daemon's user.",
        .arguments = {{"LOCK", WORD_LOCK, ONE}},
        .run = run_lock_break,
    },
    {
        .words = "lock release",
        .summary = "Release a lock that anyone may release (--release-by anyone)",
        .arguments = {{"LOCK", WORD_LOCK, ONE}},
        .method = "lock.release",
        .run = run_method,
    },
    {.words = NULL},
};

const struct command semaphore_commands[] = {
    {
        .words = "semaphore show",
        .summary = "Show the permits that are left, who holds the others, and who waits",
        .arguments = {{"SEMAPHORE", WORD_SEMAPHORE, SEVERAL}},
        .run = run_describe,
    },
    {
        .words = "semaphore release",
        .summary = "Give N (1) permits back, and print how many can be had now",
        .details = "Of a bounded semaphore they are taken off those who hold them.",
        .arguments = {{"SEMAPHORE", WORD_SEMAPHORE, ONE}, {"N", WORD_COUNT, OPTIONAL}},
        .method = "semaphore.release",
        .show = SHOW_VALUE,
        .run = run_method,
    },
    {.words = NULL},
};

const struct command condition_commands[] = {
    {
        .words = "condition show",
        .summary = "Show who waits to be notified, and who holds the lock or waits for it",
        .arguments = {{"CONDITION", WORD_CONDITION, SEVERAL}},
        .run = run_describe,
    },
    {
        .words = "condition notify",
        .summary = "Wake N (1) of those who wait, and print how many were woken",
        .details = "For that ipcctl acquires the lock, waiting for it, for --timeout at most.",
        .arguments = {{"CONDITION", WORD_CONDITION, ONE}, {"N", WORD_COUNT, OPTIONAL}},
        .method = "condition.notify",
        .run = run_condition_notify,
    },
    {
        .words = "condition notify-all",
        .summary = "Wake all who wait, and print how many were woken",
        .details = "For that ipcctl acquires the lock, waiting for it, for --timeout at most.",
        .arguments = {{"CONDITION", WORD_CONDITION, ONE}},
        .method = "condition.notify_all",
        .run = run_condition_notify,
    },
    {.words = NULL},
};

const struct command event_commands[] = {
    {
        .words = "event show",
        .summary = "Show whether an event is set, and who waits for it",
        .arguments = {{"EVENT", WORD_EVENT, SEVERAL}},
        .run = run_describe,
    },
    {
        .words = "event set",
        .summary = "Set an event: all who wait go on",
        .arguments = {{"EVENT", WORD_EVENT, ONE}},
        .method = "event.set",
        .run = run_method,
    },
    {
        .words = "event clear",
        .summary = "Clear an event",
        .arguments = {{"EVENT", WORD_EVENT, ONE}},
        .method = "event.clear",
        .run = run_method,
    },
    {
        .words = "event is-set",
        .summary = "Print true if an event is set, else false",
        .arguments = {{"EVENT", WORD_EVENT, ONE}},
        .method = "event.is_set",
        .show = SHOW_VALUE,
        .run = run_method,
    },
    {
        .words = "event wait",
        .summary = "Wait until an event is set",
        .arguments = {{"EVENT", WORD_EVENT, ONE}},
        .run = run_event_wait,
    },
    {.words = NULL},
};

const struct command barrier_commands[] = {
    {
        .words = "barrier show",
        .summary = "Show how many have come to a barrier, and who they are",
        .arguments = {{"BARRIER", WORD_BARRIER, SEVERAL}},
        .run = run_describe,
    },
    {
        .words = "barrier wait",
        .summary = "Be one of the parties; print how many had come before",
        .details = "If --timeout runs out the barrier breaks for all.",
        .arguments = {{"BARRIER", WORD_BARRIER, ONE}},
        .method = "barrier.wait",
        .waits = true,
        .show = SHOW_VALUE,
        .run = run_method,
    },
    {
        .words = "barrier reset",
        .summary = "Make a barrier as new; those who wait are woken with an error",
        .arguments = {{"BARRIER", WORD_BARRIER, ONE}},
        .method = "barrier.reset",
        .run = run_method,
    },
    {
        .words = "barrier abort",
        .summary = "Break a barrier: all who wait or will wait fail, until it is reset",
        .arguments = {{"BARRIER", WORD_BARRIER, ONE}},
        .method = "barrier.abort",
        .run = run_method,
    },
    {.words = NULL},
};

const struct command run_commands[] = {
    {
        .words = "run",
        .summary = "Run a command while holding a lock or a semaphore",
        .details =
            "The lock is given back however the command ends. The exit status is the command's,\n"
            "or 128 + N if signal N ended it; 124: the time ran out; 125: ipcctl failed; in both\n"
            "the command was not run; 126: it cannot be run; 127: there is no such command.\n"
            "SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1 and SIGUSR2 are passed on. If ipcctl "
            "itself\n"
            "is killed the command is killed too, but not what the command started. Options of\n"
            "ipcctl stand before COMMAND.",
        .arguments = {{"COMMAND", WORD_PROGRAM, ONE}, {"ARGUMENT", WORD_FILE, ANY}},
        .options = {{OPTION_LOCK, NULL},
                    {OPTION_SEMAPHORE, NULL},
                    {OPTION_COUNT, "hold N permits; 1 if not given"},
                    {OPTION_CREATE, NULL},
                    {OPTION_CONFLICT_STATUS, NULL},
                    {OPTION_KILL_ON_LOSS, NULL}},
        .run = run_run,
    },
    {.words = NULL},
};
