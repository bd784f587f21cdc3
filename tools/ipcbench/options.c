/* options: see options.h. */
#include "tools/ipcbench/options.h"
#include "tools/ipcbench/help.h"
#include "tools/ipcbench/stats.h"

#include <errno.h>
#include <fnmatch.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXIT_USAGE = 2, QUICK_RUNS = 1, RUNS = 3 };

#define SECONDS 0.15
#define QUICK_SECONDS 0.005

/* What stands for the options that have no letter. */
enum {
    OPTION_SOCKET = 1,
    OPTION_DAEMON,
    OPTION_REDIS_CLUSTER,
    OPTION_ONLY,
    OPTION_SECONDS,
    OPTION_COUNT,
    OPTION_RUNS,
    OPTION_SPAWN,
    OPTION_NO_IPCD,
    OPTION_REDIS,
    OPTION_ECHO,
    OPTION_PIN,
    OPTION_PIN_ONE,
    OPTION_STALL,
    OPTION_DURABLE,
    OPTION_ENGINE,
    OPTION_JSON,
    OPTION_QUICK,
    OPTION_LIST,
    OPTION_HELP,
    OPTION_VERSION,
};

static const struct option long_options[] = {
    {"socket", required_argument, NULL, OPTION_SOCKET},
    {"daemon", required_argument, NULL, OPTION_DAEMON},
    {"redis-cluster", required_argument, NULL, OPTION_REDIS_CLUSTER},
    {"only", required_argument, NULL, OPTION_ONLY},
    {"seconds", required_argument, NULL, OPTION_SECONDS},
    {"count", required_argument, NULL, OPTION_COUNT},
    {"runs", required_argument, NULL, OPTION_RUNS},
    {"spawn", no_argument, NULL, OPTION_SPAWN},
    {"no-ipcd", no_argument, NULL, OPTION_NO_IPCD},
    {"redis", no_argument, NULL, OPTION_REDIS},
    {"echo", no_argument, NULL, OPTION_ECHO},
    {"pin", no_argument, NULL, OPTION_PIN},
    {"pin-one", no_argument, NULL, OPTION_PIN_ONE},
    {"stall", optional_argument, NULL, OPTION_STALL},
    {"durable", optional_argument, NULL, OPTION_DURABLE},
    {"engine", optional_argument, NULL, OPTION_ENGINE},
    {"json", no_argument, NULL, OPTION_JSON},
    {"quick", no_argument, NULL, OPTION_QUICK},
    {"list", no_argument, NULL, OPTION_LIST},
    {"help", no_argument, NULL, OPTION_HELP},
    {"version", no_argument, NULL, OPTION_VERSION},
    {NULL, 0, NULL, 0},
};

static int usage(const char *what)
{
    (void)fprintf(stderr, "ipcbench: %s; see ipcbench --help\n", what);
    return EXIT_USAGE;
}

/* A number from low to high, the whole text. False if it is none. */
static bool read_number(const char *text, double low, double high, double *out)
{
    char *end;
    errno = 0;
    *out = strtod(text, &end);
    return errno == 0 && end != text && *end == '\0' && *out >= low && *out <= high;
}

static int read_amount(int option, const char *text, struct options *out)
{
    double number;
    if (option == OPTION_SECONDS) {
        return read_number(text, 0.001, 10.0, &out->seconds)
                   ? OPTIONS_GO
                   : usage("--seconds wants a number from 0.001 to 10");
    }
    if (option == OPTION_COUNT) {
        if (!read_number(text, 1.0, 1e8, &number)) {
            return usage("--count wants a number from 1 to 100000000");
        }
        out->count = (uint64_t)number;
        return OPTIONS_GO;
    }
    if (!read_number(text, 1.0, STATS_RUNS_MAX, &number)) {
        return usage("--runs wants a number from 1 to 99");
    }
    out->runs = (unsigned)number;
    return OPTIONS_GO;
}

/* A table in place of the loads, and perhaps which of its rows. */
static void read_table(int option, struct options *out)
{
    bool *table = option == OPTION_STALL     ? &out->stall
                  : option == OPTION_DURABLE ? &out->durable
                                             : &out->engine;
    *table = true;
    out->only = optarg != NULL ? optarg : out->only;
}

static int read_option(int option, struct options *out)
{
    switch (option) {
    case OPTION_SOCKET:
    case OPTION_DAEMON:
    case OPTION_REDIS_CLUSTER:
        *(option == OPTION_SOCKET   ? &out->socket
          : option == OPTION_DAEMON ? &out->daemon
                                    : &out->redis_cluster) = optarg;
        break;
    case OPTION_ONLY:
        out->only = optarg;
        break;
    case OPTION_SECONDS:
    case OPTION_COUNT:
    case OPTION_RUNS:
        return read_amount(option, optarg, out);
    case OPTION_SPAWN:
        out->spawn = true;
        break;
    case OPTION_NO_IPCD:
        out->ipcd = false;
        break;
    case OPTION_REDIS:
        out->redis = true;
        break;
    case OPTION_ECHO:
        out->echo = true;
        break;
    case OPTION_PIN:
        out->pin = true;
        break;
    case OPTION_PIN_ONE:
        out->pin_one = true;
        break;
    case OPTION_STALL:
    case OPTION_DURABLE:
    case OPTION_ENGINE:
        read_table(option, out);
        break;
    case OPTION_JSON:
        out->json = true;
        break;
    case OPTION_QUICK:
        out->quick = true;
        break;
    case OPTION_LIST:
        out->list = true;
        break;
    case OPTION_HELP:
        help_print();
        return EXIT_SUCCESS;
    case OPTION_VERSION:
        (void)puts("ipcbench " IPCD_VERSION);
        return EXIT_SUCCESS;
    default:
        (void)fprintf(stderr, "See ipcbench --help.\n");
        return EXIT_USAGE;
    }
    return OPTIONS_GO;
}

/* The tables that start all servers themselves, and have defaults of their own. */
static int check_table(const struct options *options)
{
    if (options->socket != NULL || !options->ipcd || options->redis || options->echo) {
        return usage("--durable and --engine start their daemons and what they compare with: leave "
                     "--socket, --no-ipcd, --redis and --echo out");
    }
    if (options->durable && (options->pin || options->pin_one)) {
        return usage("--durable measures servers where they find room: leave --pin out");
    }
    return OPTIONS_GO;
}

static int check(struct options *options)
{
    if (options->stall + options->durable + options->engine > 1) {
        return usage("--stall, --durable and --engine are tables: choose one");
    }
    if (options->pin && options->pin_one) {
        return usage("--pin binds to two processors and --pin-one to one: choose");
    }
    if (options->durable || options->engine) {
        return check_table(options);
    }
    if (options->redis_cluster != NULL) {
        return usage("--redis-cluster says what --engine starts, and --engine is not there");
    }
    options->runs = options->quick ? QUICK_RUNS : options->runs > 0 ? options->runs : RUNS;
    options->seconds = options->quick           ? QUICK_SECONDS
                       : options->seconds > 0.0 ? options->seconds
                                                : SECONDS;
    if (options->stall && (!options->ipcd || options->redis || options->echo)) {
        return usage("--stall is about ipcd alone: leave --no-ipcd, --redis and --echo out");
    }
    if (options->socket != NULL && options->spawn) {
        return usage("--socket names a running daemon and --spawn starts one: choose");
    }
    if (options->daemon != NULL && !options->spawn) {
        return usage("--daemon says what --spawn starts, and --spawn is not there");
    }
    if (!options->ipcd && (options->socket != NULL || options->spawn)) {
        return usage("--no-ipcd leaves out what --socket or --spawn asks for");
    }
    if (!options->ipcd && !options->redis && !options->echo) {
        return usage("--no-ipcd leaves nothing to measure without --redis or --echo");
    }
    return OPTIONS_GO;
}

int options_read(int argc, char **argv, struct options *out)
{
    *out = (struct options){.ipcd = true};
    for (;;) {
        int option = getopt_long(argc, argv, "", long_options, NULL);
        if (option == -1) {
            break;
        }
        int status = read_option(option, out);
        if (status != OPTIONS_GO) {
            return status;
        }
    }
    return optind < argc ? usage("only options are expected") : check(out);
}

/* "handoff" stands for "handoff/…". */
static bool matches(const char *pattern, const char *name)
{
    size_t len = strlen(pattern);
    return fnmatch(pattern, name, 0) == 0 || (strncmp(pattern, name, len) == 0 && name[len] == '/');
}

bool options_select(const struct options *options, const char *name)
{
    char pattern[64];
    const char *rest = options->only;
    if (rest == NULL) {
        return true;
    }
    while (*rest != '\0') {
        size_t len = strcspn(rest, ",");
        (void)snprintf(pattern, sizeof(pattern), "%.*s", (int)len, rest);
        if (matches(pattern, name)) {
            return true;
        }
        rest += len + (rest[len] == ',');
    }
    return false;
}
