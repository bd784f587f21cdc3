/* options: see options.h. */
#include "tools/ipcbench/options.h"
#include "tools/ipcbench/stats.h"

#include <errno.h>
#include <fnmatch.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help_options[] =
    "Usage: ipcbench [OPTION]…\n"
    "Measures a running ipcd: speed, the CPU time it takes, and memory.\n"
    "\n"
    "What is measured:\n"
    "  --socket PATH    the daemon's socket (default: $IPCD_SOCKET,\n"
    "                   $XDG_RUNTIME_DIR/ipcd/ipcd.sock, /run/ipcd/ipcd.sock)\n"
    "  --spawn          start a private daemon instead, and stop it in the end\n"
    "  --daemon PATH    the program that --spawn starts (default: ../daemon/ipcd from here)\n"
    "  --no-ipcd        leave ipcd out: only what the next two ask for\n"
    "  --redis          the same loads against a private redis-server, in the same run\n"
    "  --echo           the same loads against a bare libevent echo server: the limit\n"
    "  --only NAMES     only these loads: names or patterns, with commas between (\"handoff\" is\n"
    "                   the whole group, \"*/put-64x*\" a pattern); --list shows the names\n"
    "How:\n"
    "  --pin            bind the servers to one processor and the load to another\n"
    "  --pin-one        bind servers and load to the same processor: the quiet figures where\n"
    "                   waking another processor is dear, as it is in many virtual machines\n"
    "  --seconds S      how long a run of a load takes, about (default 0.15)\n"
    "  --count N        do N operations in each run instead\n"
    "  --runs N         runs of each load against each target (default 3); medians are shown\n"
    "  --quick          one very short run of everything: does it work at all?\n"
    "Output:\n"
    "  --json           one JSON object for each load, each on a line, instead of the table\n"
    "  --list           the names of the loads\n"
    "  --help, --version\n";

static const char help_columns[] =
    "\n"
    "The columns:\n"
    "  /s        operations per second; in \"handoff\" items per second\n"
    "  p50 p99 p99.9\n"
    "            microseconds that half, 99 % and 99.9 % of the requests stay below, from before\n"
    "            the request is written until its response has been read; \"handoff/paced\": from\n"
    "            before the put is written until the consumer has read the item\n"
    "  CPU       microseconds of CPU time that the server takes for one operation (\"handoff\": "
    "for\n"
    "            one item, put and get together), all its threads, kernel included, from\n"
    "            /proc/PID/task/*/schedstat. On a shared machine this is the figure that keeps\n"
    "            still. Where the kernel has no schedstat, /proc/PID/stat is used, in steps of\n"
    "            10 ms, and a line says so\n"
    "  wait      (JSON only) how long the server was ready to run but had to wait for a processor\n"
    "            that others were using; with --pin, a line below the table says when it was much\n"
    "  B         growth of the server's resident memory (Rss) for each item, entry or session\n"
    "  bare /s   what a bare socket pair carries in the same run, beside a pipe's messages\n"
    "  to Redis  ipcd's rate as a multiple of that of Redis; where there is no rate, its time or\n"
    "            memory\n"
    "  to echo   ipcd's CPU time as a multiple of the echo server's: how far from the limit\n"
    "  bars      what ipcd is to reach, and whether it does. The bars are meant for --pin, on a\n"
    "            machine whose echo server takes 7.0, 0.11 and 2.0 microseconds of CPU for one,\n"
    "            64, and 50 times one outstanding\n"
    "\n"
    "How it is measured:\n"
    "  Items and values are 64 bytes unless the name says otherwise, keys 11 bytes, dict loads go\n"
    "  through 1,024 keys that are there. Requests are encoded beforehand. \"N outstanding\" is a\n"
    "  window: N requests are under way on each connection, and as many new ones go out, in one\n"
    "  write, as responses came with the last read; not N at once and then a pause. Reads take "
    "all\n"
    "  that is there, every response is decoded and an error response ends the load. One\n"
    "  connection is served by blocking calls, several by epoll. A get load takes items that were\n"
    "  put before, unmeasured, and does not wait.\n"
    "  handoff: a producer and a consumer, each a thread with its own connection. put_many and\n"
    "  get_many of 64 go one after the other on each side, so 64 items are under way there too.\n"
    "  library: round trips like those above, by the blocking calls of libipcclient.\n"
    "  pipe: bytes from one process to another through a pipe, by libipcclient; and as many\n"
    "  through a socket pair, a send(2) for each message. The two take turns within each run.\n"
    "  shared: adding to a value, one client, by libipcclient: in the memory that it has mapped,\n"
    "  timed by the thousand, and by calls.\n"
    "  The targets take turns within each load, and the order is ipcd, Redis, echo. Memory is\n"
    "  measured once, in a server started for it (--spawn and Redis); a daemon that has been\n"
    "  running uses freed memory again and shows less.\n"
    "  Redis gets LPUSH/RPOP for put/get, BRPOP for the hand-off, HSET/HGET, LPUSH of 64 values\n"
    "  and RPOP with count 64, over a Unix socket, without persistence. The echo server reads\n"
    "  once and writes once for each libevent event, and its messages have the sizes of ipcd's.\n"
    "\n"
    "Exit status: 0; 1 if something could not be measured; 2 for a mistake on the command line.\n"
    "Bars that are missed do not change it.\n";

enum { EXIT_USAGE = 2, QUICK_RUNS = 1 };

/* What stands for the options that have no letter. */
enum {
    OPTION_SOCKET = 1,
    OPTION_DAEMON,
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
    OPTION_JSON,
    OPTION_QUICK,
    OPTION_LIST,
    OPTION_HELP,
    OPTION_VERSION,
};

static const struct option long_options[] = {
    {"socket", required_argument, NULL, OPTION_SOCKET},
    {"daemon", required_argument, NULL, OPTION_DAEMON},
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
        if (!read_number(text, 1.0, 4e6, &number)) {
            return usage("--count wants a number from 1 to 4000000");
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

static int read_option(int option, struct options *out)
{
    switch (option) {
    case OPTION_SOCKET:
        out->socket = optarg;
        break;
    case OPTION_DAEMON:
        out->daemon = optarg;
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
        (void)fputs(help_options, stdout);
        (void)fputs(help_columns, stdout);
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

static int check(struct options *options)
{
    if (options->quick) {
        options->runs = QUICK_RUNS;
        options->seconds = 0.005;
    }
    if (options->socket != NULL && options->spawn) {
        return usage("--socket names a running daemon and --spawn starts one: choose");
    }
    if (options->daemon != NULL && !options->spawn) {
        return usage("--daemon says what --spawn starts, and --spawn is not there");
    }
    if (options->pin && options->pin_one) {
        return usage("--pin binds to two processors and --pin-one to one: choose");
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
    *out = (struct options){.seconds = 0.15, .runs = 3, .ipcd = true};
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
