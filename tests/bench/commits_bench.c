/*
 * commits_bench: how fast daemon/store is, beside a file that is only appended to and synced.
 *
 *     commits_bench [DIRECTORY [ROUNDS]]
 *
 * Each round is a second of appending and a second of the store, as a disk's speed drifts. A commit
 * has 1, 50 or 800 rows of 64 bytes under a key of 9, each on disk before the next is handed over;
 * with deletions it removes as many of the rows before it, as of a dict that is emptied at the rate
 * at which it is filled. Printed are medians: commits in a second, the share of the append's in the
 * same round, processor time for each row, the longest commit. Then what an empty-running queue of
 * 10 M items leaves on disk, 800 of them in one row and commit, and how long it takes to open
 * and read a million rows.
 *
 * On a virtual disk that others used too (medians of three rounds, the share of the append's): 1
 * row 1.60, 50 rows 0.99, 800 rows 0.35; with deletions 0.90, 0.81, 0.57. A row costs 1.6 us of
 * processor time in large commits, and a deletion 0.9, which is what limits commits of 800: so a
 * queue writes what a commit adds to it as one row. 10 M items left 16.2 MiB on disk, all but 0.2
 * of it the reserve; the longest commit took 108 ms, among appends of which one took 247. A million
 * rows were opened in 0.67 s, nearly all of it SQLite's check, and read in 0.41.
 */
#include <dirent.h>
#include <endian.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "daemon/store/store.h"

enum { VALUE = 64, KEY = 9, OBJECT = 7, ROUNDS_MOST = 25, ROWS_MOST = 800, PATH_SIZE = 512 };

static void must(bool good, const char *what)
{
    if (!good) {
        fprintf(stderr, "commits_bench: %s failed\n", what);
        exit(1);
    }
}

static double seconds_of(clockid_t clock)
{
    struct timespec time;
    (void)clock_gettime(clock, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* ---- the two --------------------------------------------------------------------------------- */

struct bench {
    char directory[PATH_SIZE];
    char log[PATH_SIZE + 8];
    int file;
    struct store *store;
    uint64_t key;
};

static void store_start(struct bench *bench)
{
    char *error = NULL;
    struct store_options options = {.directory = bench->directory};
    if (store_open(&options, &bench->store, &error) != 0) {
        fprintf(stderr, "commits_bench: %s\n", error);
        exit(1);
    }
}

static void commit_and_wait(struct store *store)
{
    uint64_t number;
    const char *error;
    struct pollfd event = {.fd = store_descriptor(store), .events = POLLIN};
    must(store_commit(store, &number) == 0, "handing over");
    must(poll(&event, 1, -1) == 1 && store_reap(store, &number, &error) == 0, "a commit");
}

static struct slice key_of(uint64_t number, uint8_t bytes[KEY])
{
    uint64_t big = htobe64(number);
    bytes[0] = 'k';
    memcpy(bytes + 1, &big, sizeof(big));
    return (struct slice){bytes, KEY};
}

static void store_rows(struct bench *bench, int rows, bool empties)
{
    static const uint8_t value[VALUE] = "v";
    uint8_t key[KEY];
    for (int i = 0; i < rows; i++) {
        store_put(bench->store, OBJECT, key_of(bench->key, key), (struct slice){value, VALUE});
        if (empties && bench->key >= 2 * ROWS_MOST) {
            store_remove(bench->store, OBJECT, key_of(bench->key - ROWS_MOST, key));
        }
        bench->key++;
    }
    commit_and_wait(bench->store);
}

static void append_rows(struct bench *bench, int rows, bool empties)
{
    static uint8_t bytes[2 * ROWS_MOST * (KEY + VALUE)];
    size_t len = (size_t)rows * (size_t)(KEY + VALUE + (empties ? KEY : 0));
    must(write(bench->file, bytes, len) == (ssize_t)len && fdatasync(bench->file) == 0,
         "appending");
}

/* ---- measuring ------------------------------------------------------------------------------- */

struct figures {
    double rate;
    double share;
    double cpu;
    double longest;
};

static struct figures run(struct bench *bench, void (*commit)(struct bench *, int, bool), int rows,
                          bool empties)
{
    struct figures figures = {0};
    double cpu = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
    double start = seconds_of(CLOCK_MONOTONIC);
    double now = start;
    uint64_t count = 0;
    for (; now - start < 1.0; count++) {
        double began = now;
        commit(bench, rows, empties);
        now = seconds_of(CLOCK_MONOTONIC);
        figures.longest = now - began > figures.longest ? now - began : figures.longest;
    }
    figures.rate = (double)count / (now - start);
    figures.longest *= 1e3;
    figures.cpu = (seconds_of(CLOCK_PROCESS_CPUTIME_ID) - cpu) * 1e6 / ((double)count * rows);
    return figures;
}

static int by_value(const void *a, const void *b)
{
    double difference = *(const double *)a - *(const double *)b;
    return (difference > 0) - (difference < 0);
}

static double median(const struct figures *rounds, int count, size_t member)
{
    double values[ROUNDS_MOST];
    for (int i = 0; i < count; i++) {
        values[i] = *(const double *)((const char *)&rounds[i] + member);
    }
    qsort(values, (size_t)count, sizeof(values[0]), by_value);
    return values[count / 2];
}

static void print(const char *name, const struct figures *rounds, int count, int rows, bool empties)
{
    printf("%-7s %3d %-15s %7.0f/s  %5.2f of append  %6.2f us CPU  longest %5.1f ms\n", name, rows,
           empties ? "rows, deletions" : "rows",
           median(rounds, count, offsetof(struct figures, rate)),
           median(rounds, count, offsetof(struct figures, share)),
           median(rounds, count, offsetof(struct figures, cpu)),
           median(rounds, count, offsetof(struct figures, longest)));
}

static void measure(struct bench *bench, int count, int rows, bool empties)
{
    struct figures append[ROUNDS_MOST];
    struct figures store[ROUNDS_MOST];
    for (int i = 0; i < count; i++) {
        append[i] = run(bench, append_rows, rows, empties);
        store[i] = run(bench, store_rows, rows, empties);
        append[i].share = 1;
        store[i].share = store[i].rate / append[i].rate;
    }
    print("append", append, count, rows, empties);
    print("store", store, count, rows, empties);
    (void)fflush(stdout);
}

/* Of all commits, the longest, and what of it was the sync; and the longest of as many appends
 * among them, as a disk can be slow for other reasons. */
static void run_empty(struct bench *bench)
{
    enum { COMMITS = 12500, CHUNK = ROWS_MOST * (VALUE + 10) };
    static uint8_t chunk[CHUNK];
    static uint8_t own[40] = "the queue's own";
    uint8_t key[KEY];
    double longest = 0;
    double sync = 0;
    double append = 0;
    struct store_figures figures;
    double start = seconds_of(CLOCK_MONOTONIC);
    for (int i = 0; i < COMMITS; i++) {
        double began = seconds_of(CLOCK_MONOTONIC);
        store_put(bench->store, OBJECT, (struct slice){NULL, 0}, (struct slice){own, sizeof(own)});
        store_put(bench->store, OBJECT, key_of(bench->key, key), (struct slice){chunk, CHUNK});
        store_remove(bench->store, OBJECT, key_of(bench->key - 1, key));
        bench->key++;
        commit_and_wait(bench->store);
        double ended = seconds_of(CLOCK_MONOTONIC);
        if (ended - began > longest) {
            longest = ended - began;
            store_figures(bench->store, &figures);
            sync = (double)figures.sync_ns / 1e9;
        }
        append_rows(bench, ROWS_MOST, false);
        double appended = seconds_of(CLOCK_MONOTONIC) - ended;
        append = appended > append ? appended : append;
    }
    store_figures(bench->store, &figures);
    printf("10 M items through an empty-running queue: %.1f s with appends, longest commit %.1f ms "
           "(its sync %.1f), longest append %.1f ms, on disk %.1f MiB\n",
           seconds_of(CLOCK_MONOTONIC) - start, longest * 1e3, sync * 1e3, append * 1e3,
           (double)figures.bytes / 1048576);
    (void)fflush(stdout);
}

static int count_row(void *data, uint64_t object, struct slice key, struct slice value)
{
    *(uint64_t *)data += 1;
    return 0;
}

static void read_million(struct bench *bench)
{
    uint64_t rows = 0;
    char *error = NULL;
    store_remove_object(bench->store, OBJECT);
    for (int i = 0; i < 1000 * 1000 / ROWS_MOST; i++) {
        store_rows(bench, ROWS_MOST, false);
    }
    store_close(bench->store);
    double start = seconds_of(CLOCK_MONOTONIC);
    store_start(bench);
    double opened = seconds_of(CLOCK_MONOTONIC);
    must(store_read(bench->store, count_row, &rows, &error) == 0, "reading");
    printf("%" PRIu64 " rows of %d bytes: opened in %.2f s, read in %.2f s\n", rows, VALUE,
           opened - start, seconds_of(CLOCK_MONOTONIC) - opened);
    struct store_figures figures;
    store_figures(bench->store, &figures);
    printf("on disk %.1f MiB\n", (double)figures.bytes / 1048576);
}

static void remove_all(const char *directory)
{
    DIR *entries = opendir(directory);
    const struct dirent *entry;
    while (entries != NULL && (entry = readdir(entries)) != NULL) {
        (void)unlinkat(dirfd(entries), entry->d_name, 0);
    }
    if (entries != NULL) {
        (void)closedir(entries);
    }
    (void)rmdir(directory);
}

int main(int argc, char **argv)
{
    static const int loads[] = {1, 50, ROWS_MOST};
    struct bench bench = {.key = 1};
    int rounds = argc > 2 ? atoi(argv[2]) : 5;
    must(rounds > 0 && rounds <= ROUNDS_MOST, "ROUNDS of 1 to 25");
    (void)snprintf(bench.directory, PATH_SIZE, "%s/commits_bench.XXXXXX",
                   argc > 1 ? argv[1] : "/var/tmp");
    must(mkdtemp(bench.directory) != NULL, "making a directory");
    (void)snprintf(bench.log, sizeof(bench.log), "%s/append", bench.directory);
    bench.file = open(bench.log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    must(bench.file >= 0, "opening a file");
    store_start(&bench);
    run_empty(&bench);
    for (int i = 0; i < 6; i++) {
        measure(&bench, rounds, loads[i % 3], i >= 3);
    }
    read_million(&bench);
    store_close(bench.store);
    (void)close(bench.file);
    remove_all(bench.directory);
    return 0;
}
