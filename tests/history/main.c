/*
 * history: runs rounds of processes against the daemon at $IPCD_SOCKET, and checks what they saw.
 * README.md says how it is used.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/history/check.h"
#include "tests/history/round.h"
#include "tests/history/upgrades.h"

struct settings {
    uint64_t seed;
    uint64_t first;
    uint64_t rounds; /* UINT64_MAX: no limit */
    int64_t seconds; /* INT64_MAX: no limit */
    enum type type;  /* TYPES: all in turn */
    enum verdict expect;
    const char *keep;    /* a folder */
    unsigned upgrade_ms; /* how often another daemon takes over; 0: never */
    bool hosts;          /* several daemons, with an engine */
    const char *durable; /* the daemon to be started and killed; NULL: one that is there */
};

/* Sums over the rounds. */
struct sums {
    uint64_t rounds;
    uint64_t operations;
    uint64_t killed;
    uint64_t undecided;
    uint64_t unanswered;
    unsigned long visited; /* by the largest search */
};

static void usage(FILE *out)
{
    (void)fputs(
        "Usage: history [OPTION]…         works on the daemon at $IPCD_SOCKET, and checks\n"
        "       history --check FILE…     checks histories that were kept\n"
        "  --seed S        repeats the choices of a run (default: another one each time)\n"
        "  --rounds N      so many rounds\n"
        "  --seconds N     for so long (default: 30, without --rounds)\n"
        "  --first N       the number of the first round (default: 0)\n"
        "  --type TYPE     only queue, joinable, lock, semaphore or dict\n"
        "  --hosts         at the daemons in $IPCD_SOCKETS, which share the objects in an engine\n"
        "  --durable IPCD  on a daemon of its own, which keeps the objects on disk, and is killed "
        "in\n"
        "                  each round: queue, joinable and dict\n"
        "  --upgrade MS    every so many milliseconds another daemon takes the place of the one "
        "there\n"
        "  --expect WORD   for daemons that are broken: succeeds when a round shows the verdict\n"
        "  --keep FOLDER   where failed and undecided rounds are kept (default: $TMPDIR or /tmp)\n",
        out);
}

static void keep(const struct settings *settings, const struct round *round)
{
    char path[512];
    (void)snprintf(path, sizeof(path), "%s/history-%" PRIu64 "-%" PRIu64 ".txt", settings->keep,
                   round->seed, round->number);
    FILE *out = fopen(path, "we");
    if (out == NULL || history_write(&round->history, round->origin, out) < 0) {
        (void)fprintf(stderr, "%s cannot be written\n", path);
    } else {
        (void)printf("The whole history is in %s; history --check looks at it again.\n", path);
    }
    if (out != NULL) {
        (void)fclose(out);
    }
}

static void show_failure(const struct settings *settings, const struct round *round,
                         const char *what)
{
    char object[TEXT_MAX];
    object_print(&round->history, object);
    (void)printf("Round %" PRIu64 ", a %s: %s.\n", round->number, object, what);
    (void)printf("The same choices again: --seed %" PRIu64 " --first %" PRIu64 " --rounds 1",
                 round->seed, round->number);
    if (settings->type != TYPES) {
        (void)printf(" --type %s", type_name(settings->type));
    }
    (void)printf("\n");
    keep(settings, round);
}

static void count(struct sums *sums, const struct round *round, unsigned long visited)
{
    sums->rounds++;
    sums->operations += round->history.count;
    sums->killed += round->killed;
    sums->visited = visited > sums->visited ? visited : sums->visited;
    for (unsigned i = 0; i < round->history.count; i++) {
        sums->unanswered += !is_answered(&round->history.operations[i]);
    }
}

/* Runs and checks one round. 0: go on; 1: the end, as wanted; -1: the end. */
static int one_round(const struct settings *settings, struct round *round, struct sums *sums)
{
    unsigned long visited;
    if (round_run(round) < 0) {
        show_failure(settings, round, "could not be run to its end");
        return -1;
    }
    enum verdict verdict = history_check(&round->history, round->origin, NULL, &visited);
    count(sums, round, visited);
    if (verdict == EXPLAINED) {
        return 0;
    }
    if (verdict == OPEN) {
        sums->undecided++;
        (void)printf("Round %" PRIu64 " of seed %" PRIu64 " is undecided.\n", round->number,
                     round->seed);
        keep(settings, round);
        return 0;
    }
    if (settings->expect != EXPLAINED && verdict != settings->expect) {
        return 0;
    }
    (void)history_check(&round->history, round->origin, stdout, NULL);
    if (settings->expect != EXPLAINED) {
        return 1;
    }
    show_failure(settings, round, verdict_name(verdict));
    return -1;
}

static const enum type durable_types[] = {TYPE_QUEUE, TYPE_JOINABLE, TYPE_DICT};
enum { DURABLE_TYPES = sizeof(durable_types) / sizeof(durable_types[0]) };

static int all_rounds(const struct settings *settings, struct round *round, struct sums *sums)
{
    int64_t until = INT64_MAX;
    if (settings->seconds < INT64_MAX) {
        until = record_now() + settings->seconds * 1000000000;
    }
    int status = 0;
    for (uint64_t i = 0; status == 0 && i < settings->rounds && record_now() < until; i++) {
        round->number = settings->first + i;
        round->type = settings->type;
        if (settings->type == TYPES) {
            round->type = settings->durable != NULL ? durable_types[round->number % DURABLE_TYPES]
                                                    : (enum type)(round->number % TYPES);
        }
        status = one_round(settings, round, sums);
    }
    return status;
}

/* The exit status, and the last line. */
static int sum_up(const struct settings *settings, const struct sums *sums, int status)
{
    (void)printf("history: seed %" PRIu64 ": %" PRIu64 " rounds, %" PRIu64 " operations (%" PRIu64
                 " without an answer), %" PRIu64 " processes killed, %" PRIu64
                 " rounds undecided; the largest search looked at %lu states\n",
                 settings->seed, sums->rounds, sums->operations, sums->unanswered, sums->killed,
                 sums->undecided, sums->visited);
    if (settings->expect != EXPLAINED) {
        if (status == 0) {
            (void)printf("No round was \"%s\".\n", verdict_name(settings->expect));
        }
        return status == 1 ? 0 : 1;
    }
    bool too_many = sums->undecided * 100 > sums->rounds;
    return status == 0 && !too_many ? 0 : 1;
}

/* To the daemons that are there, or to one of its own. */
static int connect_first(const struct settings *settings, struct server *server,
                         struct hosts *hosts, struct round *round)
{
    const struct ipcc_options options = {.guard_ms = HANG_MS};
    if (settings->durable != NULL) {
        round->server = server;
        return server_begin(server, settings->durable) < 0
                   ? -1
                   : server_again(server, &options, &round->conn);
    }
    if (ipcc_open(&round->conn, &options) < 0) {
        (void)fprintf(stderr, "history: %s\n", ipcc_last_message());
        return -1;
    }
    if (settings->hosts) {
        round->hosts = hosts;
        return hosts_begin(hosts, &options);
    }
    return 0;
}

static int run(const struct settings *settings)
{
    struct round *round = calloc(1, sizeof(*round));
    struct record *record = record_new();
    struct sums sums = {0};
    if (round == NULL || record == NULL) {
        (void)fputs("history: out of memory\n", stderr);
        free(round);
        return 1;
    }
    round->record = record;
    round->seed = settings->seed;
    struct server server = {0};
    struct hosts hosts = {0};
    int status = 1;
    pid_t upgrades = settings->upgrade_ms > 0 ? upgrades_begin(settings->upgrade_ms) : 0;
    if (upgrades >= 0 && connect_first(settings, &server, &hosts, round) == 0) {
        (void)setvbuf(stdout, NULL, _IOLBF, 0);
        status = sum_up(settings, &sums, all_rounds(settings, round, &sums));
        (void)ipcc_close(round->conn);
    }
    upgrades_end(upgrades);
    hosts_end(&hosts);
    server_end(&server);
    record_free(record);
    free(round);
    return status;
}

/* Checks one file. */
static int check_file(const char *path)
{
    char why[TEXT_MAX] = "it cannot be opened";
    struct history history;
    FILE *in = fopen(path, "re");
    int status = in == NULL ? -1 : history_read(&history, in, why);
    if (in != NULL) {
        (void)fclose(in);
    }
    if (status < 0) {
        (void)fprintf(stderr, "%s: %s\n", path, why);
        return 1;
    }
    enum verdict verdict = history_check(&history, 0, stdout, NULL);
    (void)printf("%s: %s\n", path, verdict_name(verdict));
    return verdict != EXPLAINED;
}

static enum verdict verdict_of(const char *name)
{
    for (unsigned i = 0; i < VERDICTS; i++) {
        if (strcmp(name, verdict_name((enum verdict)i)) == 0) {
            return (enum verdict)i;
        }
    }
    return VERDICTS;
}

static bool read_option(struct settings *settings, int option, const char *value, bool *check)
{
    switch (option) {
    case 's':
        settings->seed = strtoull(value, NULL, 10);
        return true;
    case 'r':
        settings->rounds = strtoull(value, NULL, 10);
        return true;
    case 't':
        settings->seconds = strtoll(value, NULL, 10);
        return true;
    case 'f':
        settings->first = strtoull(value, NULL, 10);
        return true;
    case 'y':
        settings->type = type_of(value);
        return settings->type != TYPES;
    case 'e':
        settings->expect = verdict_of(value);
        return settings->expect != VERDICTS;
    case 'k':
        settings->keep = value;
        return true;
    case 'd':
        settings->durable = value;
        return true;
    case 'u':
        settings->upgrade_ms = (unsigned)strtoul(value, NULL, 10);
        return settings->upgrade_ms > 0;
    case 'o':
        settings->hosts = true;
        return true;
    case 'c':
        *check = true;
        return true;
    default:
        return false;
    }
}

static bool read_options(struct settings *settings, int argc, char **argv, bool *check)
{
    static const struct option options[] = {
        {"seed", required_argument, NULL, 's'},
        {"rounds", required_argument, NULL, 'r'},
        {"seconds", required_argument, NULL, 't'},
        {"first", required_argument, NULL, 'f'},
        {"type", required_argument, NULL, 'y'},
        {"expect", required_argument, NULL, 'e'},
        {"keep", required_argument, NULL, 'k'},
        {"check", no_argument, NULL, 'c'},
        {"help", no_argument, NULL, 'h'},
        {"durable", required_argument, NULL, 'd'},
        {"upgrade", required_argument, NULL, 'u'},
        {"hosts", no_argument, NULL, 'o'},
        {0},
    };
    int option;
    while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0) {
        if (option == 'h') {
            usage(stdout);
            exit(0);
        }
        if (!read_option(settings, option, optarg, check)) {
            return false;
        }
    }
    if (settings->rounds == UINT64_MAX && settings->seconds == INT64_MAX) {
        settings->seconds = 30;
    }
    return *check ? optind < argc : optind == argc;
}

int main(int argc, char **argv)
{
    const char *temporary = getenv("TMPDIR");
    struct settings settings = {
        .seed = (uint64_t)record_now() % 1000000007,
        .rounds = UINT64_MAX,
        .seconds = INT64_MAX,
        .type = TYPES,
        .keep = temporary != NULL ? temporary : "/tmp",
    };
    bool check = false;
    if (!read_options(&settings, argc, argv, &check)) {
        usage(stderr);
        return 2;
    }
    if (!check) {
        return run(&settings);
    }
    int status = 0;
    for (int i = optind; i < argc; i++) {
        status |= check_file(argv[i]);
    }
    return status;
}
