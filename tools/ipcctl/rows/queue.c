/* queue: the rows of the commands for queues; see command.h. */
#include "tools/ipcctl/context.h"

const struct command queue_commands[] = {
    {
        .words = "put",
        .summary = "Put values into a queue",
        .details =
            "Without a VALUE they come from standard input: JSON values with white space\n"
            "between them, or what --lines, --json-lines, --text or --raw say. While the\n"
            "queue is full, put waits, for --timeout at most. On a terminal it shows its progress.",
        .arguments = {{"QUEUE", WORD_QUEUE, ONE}, {"VALUE", WORD_JSON, ANY}},
        .options = {{OPTION_TEXT, "values are strings; of standard input, each line is one"},
                    {OPTION_RAW,
                     "- or @FILE is bytes; without a VALUE standard input is one value"},
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
            "goes back to where it was, and this delivery does not count. --ack counts the item\n"
            "as done once it has been printed.\n"
            "With --count or --all, --wait waits for each item anew. An open file in an item is\n"
            "closed when it has been shown; peek shows it and leaves it where it is.",
        .arguments = {{"QUEUE", WORD_QUEUE, ONE}},
        .options = {{OPTION_WAIT, NULL},
                    {OPTION_COUNT, "take up to N items"},
                    {OPTION_ALL, "take items until there are no more"},
                    {OPTION_ACK, NULL},
                    {OPTION_RAW, NULL}},
        .run = run_get,
    },
    {
        .words = "peek",
        .summary = "Look at the next items without taking them",
        .arguments = {{"QUEUE", WORD_QUEUE, ONE}},
        .options = {{OPTION_START, NULL},
                    {OPTION_COUNT, "show up to N items; 10 if not given"},
                    {OPTION_ALL, "show all items"},
                    {OPTION_RAW, NULL}},
        .run = run_peek,
    },
    {
        .words = "taken",
        .summary = "Show the items that are taken and not done",
        .details =
            "The item that was taken first comes first: its ticket, how often it has been\n"
            "delivered, for how long it has been taken, how much of its lease is left, and who\n"
            "has it. done, give-back and touch take the ticket.",
        .arguments = {{"QUEUE", WORD_QUEUE, ONE}},
        .options = {{OPTION_START, NULL},
                    {OPTION_COUNT, "show up to N items; 100 if not given"},
                    {OPTION_ALL, "show all items"}},
        .run = run_taken,
    },
    {
        .words = "done",
        .summary = "Count taken items as done",
        .details = "Without a TICKET it is the item that was taken first, whoever has it.",
        .arguments = {{"QUEUE", WORD_QUEUE, ONE}, {"TICKET", WORD_TICKET, ANY}},
        .run = run_done,
    },
    {
        .words = "give-back",
        .summary = "Put taken items back at the head of their queue",
        .details =
            "The delivery counts: after --max-deliveries an item goes to the dead letter queue,\n"
            "or is dropped. With --uncounted it stands where it was, as often delivered as before.",
        .arguments = {{"QUEUE", WORD_QUEUE, ONE}, {"TICKET", WORD_TICKET, SEVERAL}},
        .options = {{OPTION_DELAY, NULL}, {OPTION_UNCOUNTED, NULL}},
        .run = run_give_back,
    },
    {
        .words = "touch",
        .summary = "Start the lease of a taken item again",
        .arguments = {{"QUEUE", WORD_QUEUE, ONE}, {"TICKET", WORD_TICKET, ONE}},
        .method = "queue.touch",
        .run = run_method,
    },
    {
        .words = "join",
        .summary = "Wait until nothing in a queue is unfinished",
        .arguments = {{"QUEUE", WORD_QUEUE, ONE}},
        .method = "queue.join",
        .waits = true,
        .run = run_method,
    },
    {
        .words = "purge",
        .summary = "Remove all items and print how many they were",
        .arguments = {{"QUEUE", WORD_QUEUE, ONE}},
        .method = "queue.clear",
        .show = SHOW_VALUE,
        .run = run_method,
    },
    {
        .words = "pause",
        .summary = "Let gets find nothing, for TIME or until resume",
        .details = "Gets wait, or find the queue empty; puts, and what is taken, go on. The queue\n"
                   "stays paused when ipcctl ends. The last pause counts.",
        .arguments = {{"QUEUE", WORD_QUEUE, ONE}, {"TIME", WORD_TIME, OPTIONAL}},
        .method = "queue.pause",
        .run = run_method,
    },
    {
        .words = "resume",
        .summary = "Let gets from a paused queue go on",
        .arguments = {{"QUEUE", WORD_QUEUE, ONE}},
        .method = "queue.resume",
        .run = run_method,
    },
    {
        .words = "shutdown",
        .summary = "No more puts, and no gets once the queue is empty",
        .arguments = {{"QUEUE", WORD_QUEUE, ONE}},
        .options = {{OPTION_IMMEDIATE, NULL}},
        .method = "queue.shutdown",
        .flag = OPTION_IMMEDIATE,
        .run = run_method,
    },
    {.words = NULL},
};
