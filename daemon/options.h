/*
 * options: the command line of ipcd.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

/* What was given; NULL: not given. All point into argv. */
struct options {
    const char *socket;
    const char *socket_mode;
    const char *socket_group;
    const char *config;
    const char *state;
    const char *engine;         /* a URL; see daemon/engine_config.h */
    const char *check_takeover; /* a version; see takeover.h */
    bool embedded;              /* see embedded.h */
    const char *program;        /* the path of what is running, absolute; set by main */
    char **argv;                /* all arguments */
};

/* What options_parse answers when there is nothing left to do but exit: the exit status. */
enum { OPTIONS_RUN = -1, OPTIONS_DONE = 0, OPTIONS_USAGE = 2 };

/* Reads the command line. OPTIONS_RUN with *out set; OPTIONS_DONE: --help or --version has been
 * answered on standard output; OPTIONS_USAGE: what is wrong has been said on standard error. */
int options_parse(int argc, char **argv, struct options *out);
