/*
 * store_bench: what could keep durable objects: LMDB, SQLite, or a file that is only appended to,
 * which is the limit.
 *
 *     store_bench [DIRECTORY [ROUNDS]]
 *
 * Each round is one second of each engine in turn, as a disk's speed drifts: transactions of 1, 50
 * and 800 changes, each on disk before the next begins, which is what a turn of the loop has when 1
 * client, 50, or 50 with 16 calls outstanding put. A change is a row of 64 bytes under a key of 16;
 * or such a row and the deletion of the one before it, as of a queue that runs empty. Printed are
 * medians: transactions and changes in a second, and the share of the append's in the same round;
 * processor time for each change; what is on disk at the end, and how long it takes to read it.
 *
 * On a virtual disk whose speed changed by a factor of ten within the run (medians of five rounds,
 * the share of the append's): 1 change LMDB 0.71, SQLite 1.17; 50 changes 0.78, 1.92; 800 changes
 * 0.44, 0.37; with deletions 0.88, 0.86; 0.95, 1.87; 0.43, 0.16. LMDB writes and syncs twice for
 * each transaction; SQLite appends once, but pays 1.3 us for each row. A store that keeps what one
 * turn has put into a queue in one row would have the better of both.
 */
#include <dirent.h>
#include <endian.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <lmdb.h>
#include <sqlite3.h>

enum { VALUE = 64, KEY = 16, OBJECT = 7, ROUNDS_MOST = 25, CHANGES_MOST = 800, PATH_SIZE = 512 };

static const uint64_t map_size = UINT64_C(16) << 30;

struct engine {
    const char *name;
    void (*open)(const char *directory);
    void (*begin)(void);
    void (*put)(uint64_t key, const void *value);
    void (*delete)(uint64_t key);
    void (*commit)(void);   /* and to the disk */
    uint64_t (*read)(void); /* every row; how many */
    void (*close)(void);
};

static void must(bool good, const char *what)
{
    if (!good) {
        fprintf(stderr, "store_bench: %s failed\n", what);
        exit(1);
    }
}

/* ---- LMDB ------------------------------------------------------------------------------------ */

static MDB_env *environment;
static MDB_dbi table;
static MDB_txn *transaction;

static void lmdb_open(const char *directory)
{
    must(mdb_env_create(&environment) == 0 && mdb_env_set_mapsize(environment, map_size) == 0 &&
             mdb_env_open(environment, directory, 0, 0600) == 0,
         "opening LMDB");
    must(mdb_txn_begin(environment, NULL, 0, &transaction) == 0 &&
             mdb_dbi_open(transaction, NULL, 0, &table) == 0 && mdb_txn_commit(transaction) == 0,
         "opening LMDB's table");
}

static void lmdb_begin(void)
{
    must(mdb_txn_begin(environment, NULL, 0, &transaction) == 0, "LMDB's begin");
}

static void lmdb_put(uint64_t key, const void *value)
{
    uint64_t parts[2] = {htobe64(OBJECT), htobe64(key)};
    MDB_val where = {sizeof(parts), parts};
    MDB_val what = {VALUE, (void *)(uintptr_t)value};
    must(mdb_put(transaction, table, &where, &what, 0) == 0, "LMDB's put");
}

static void lmdb_delete(uint64_t key)
{
    uint64_t parts[2] = {htobe64(OBJECT), htobe64(key)};
    MDB_val where = {sizeof(parts), parts};
    must(mdb_del(transaction, table, &where, NULL) == 0, "LMDB's delete");
}

static void lmdb_commit(void)
{
    must(mdb_txn_commit(transaction) == 0, "LMDB's commit");
}

static uint64_t lmdb_read(void)
{
    MDB_cursor *cursor = NULL;
    MDB_val where;
    MDB_val what;
    uint64_t rows = 0;
    must(mdb_txn_begin(environment, NULL, MDB_RDONLY, &transaction) == 0 &&
             mdb_cursor_open(transaction, table, &cursor) == 0,
         "LMDB's cursor");
    while (mdb_cursor_get(cursor, &where, &what, MDB_NEXT) == 0) {
        rows += *(const uint8_t *)what.mv_data == 'v';
    }
    mdb_cursor_close(cursor);
    mdb_txn_abort(transaction);
    return rows;
}

static void lmdb_close(void)
{
    mdb_env_close(environment);
}

/* ---- SQLite, with a write-ahead log ---------------------------------------------------------- */

static sqlite3 *database;
static sqlite3_stmt *statements[4];
enum { BEGIN, PUT, DELETE, COMMIT };

static void sqlite_open(const char *directory)
{
    static const char *const texts[] = {
        [BEGIN] = "BEGIN IMMEDIATE",
        [PUT] = "INSERT INTO rows VALUES (7, ?, ?)",
        [DELETE] = "DELETE FROM rows WHERE object = 7 AND key = ?",
        [COMMIT] = "COMMIT",
    };
    char path[PATH_SIZE];
    (void)snprintf(path, sizeof(path), "%s/store", directory);
    must(
        sqlite3_open(path, &database) == SQLITE_OK &&
            sqlite3_exec(database,
                         "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
                         "PRAGMA locking_mode=EXCLUSIVE; PRAGMA wal_autocheckpoint=4000;"
                         "CREATE TABLE IF NOT EXISTS rows (object INTEGER, key INTEGER, value BLOB,"
                         " PRIMARY KEY (object, key)) WITHOUT ROWID",
                         NULL, NULL, NULL) == SQLITE_OK,
        "opening SQLite");
    for (int i = 0; i < 4; i++) {
        must(sqlite3_prepare_v2(database, texts[i], -1, &statements[i], NULL) == SQLITE_OK,
             texts[i]);
    }
}

static void sqlite_run(int i)
{
    must(sqlite3_step(statements[i]) == SQLITE_DONE, sqlite3_errmsg(database));
    (void)sqlite3_reset(statements[i]);
}

static void sqlite_begin(void)
{
    sqlite_run(BEGIN);
}

static void sqlite_put(uint64_t key, const void *value)
{
    (void)sqlite3_bind_int64(statements[PUT], 1, (int64_t)key);
    (void)sqlite3_bind_blob(statements[PUT], 2, value, VALUE, SQLITE_STATIC);
    sqlite_run(PUT);
}

static void sqlite_delete(uint64_t key)
{
    (void)sqlite3_bind_int64(statements[DELETE], 1, (int64_t)key);
    sqlite_run(DELETE);
}

static void sqlite_commit(void)
{
    sqlite_run(COMMIT);
}

static uint64_t sqlite_read(void)
{
    sqlite3_stmt *all;
    uint64_t rows = 0;
    must(sqlite3_prepare_v2(database, "SELECT key, value FROM rows", -1, &all, NULL) == SQLITE_OK,
         "SQLite's select");
    while (sqlite3_step(all) == SQLITE_ROW) {
        rows += *(const uint8_t *)sqlite3_column_blob(all, 1) == 'v';
    }
    (void)sqlite3_finalize(all);
    return rows;
}

static void sqlite_close(void)
{
    for (int i = 0; i < 4; i++) {
        (void)sqlite3_finalize(statements[i]);
    }
    (void)sqlite3_close(database);
}

/* ---- a file that is appended to -------------------------------------------------------------- */

static int file;
static uint8_t changes[2 * CHANGES_MOST * (KEY + VALUE)];
static size_t changes_len;

static void append_open(const char *directory)
{
    char path[PATH_SIZE];
    (void)snprintf(path, sizeof(path), "%s/log", directory);
    file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    must(file >= 0, "opening the log");
}

static void append_begin(void)
{
    changes_len = 0;
}

static void append_key(uint64_t key, uint64_t what)
{
    uint64_t parts[2] = {what, key};
    memcpy(changes + changes_len, parts, KEY);
    changes_len += KEY;
}

static void append_put(uint64_t key, const void *value)
{
    append_key(key, 1);
    memcpy(changes + changes_len, value, VALUE);
    changes_len += VALUE;
}

static void append_delete(uint64_t key)
{
    append_key(key, 2);
}

static void append_commit(void)
{
    must(write(file, changes, changes_len) == (ssize_t)changes_len && fdatasync(file) == 0,
         "appending");
}

static uint64_t append_read(void)
{
    return 0; /* it is no store */
}

static void append_close(void)
{
    (void)close(file);
}

/* ---- measuring ------------------------------------------------------------------------------- */

static const struct engine engines[] = {
    {"append", append_open, append_begin, append_put, append_delete, append_commit, append_read,
     append_close},
    {"LMDB", lmdb_open, lmdb_begin, lmdb_put, lmdb_delete, lmdb_commit, lmdb_read, lmdb_close},
    {"SQLite", sqlite_open, sqlite_begin, sqlite_put, sqlite_delete, sqlite_commit, sqlite_read,
     sqlite_close},
};
enum { ENGINES = sizeof(engines) / sizeof(engines[0]) };

static double seconds_of(clockid_t clock)
{
    struct timespec time;
    (void)clock_gettime(clock, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

struct load {
    int changes;  /* of a transaction */
    bool empties; /* each change deletes the row before it, too */
};

struct figures {
    double rate;    /* transactions in a second */
    double share;   /* of the append's */
    double cpu;     /* microseconds for each change */
    double longest; /* transaction, in milliseconds */
};

static struct figures run(const struct engine *engine, const struct load *load, uint64_t *key)
{
    static uint8_t value[VALUE];
    memset(value, 'v', sizeof(value));
    struct figures figures = {0};
    double cpu = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
    double start = seconds_of(CLOCK_MONOTONIC);
    double now = start;
    uint64_t count = 0;
    uint64_t first = *key;
    for (; now - start < 1.0; count++) {
        double began = now;
        engine->begin();
        for (int i = 0; i < load->changes; i++) {
            engine->put((*key)++, value);
            if (load->empties && *key - first > 1) {
                engine->delete (*key - 2);
            }
        }
        engine->commit();
        now = seconds_of(CLOCK_MONOTONIC);
        figures.longest = now - began > figures.longest ? now - began : figures.longest;
    }
    figures.rate = (double)count / (now - start);
    figures.longest *= 1e3;
    figures.cpu = (seconds_of(CLOCK_PROCESS_CPUTIME_ID) - cpu) * 1e6 /
                  ((double)count * (double)load->changes);
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

static void print(const struct engine *engine, const struct load *load,
                  const struct figures *rounds, int count)
{
    double rate = median(rounds, count, offsetof(struct figures, rate));
    printf(
        "%-7s %3d %-13s %7.0f/s %9.0f changes/s  %5.2f of append  %6.2f us CPU  longest %5.1f ms\n",
        engine->name, load->changes, load->empties ? "puts, deletes" : "puts", rate,
        rate * load->changes, median(rounds, count, offsetof(struct figures, share)),
        median(rounds, count, offsetof(struct figures, cpu)),
        median(rounds, count, offsetof(struct figures, longest)));
}

static void measure(const struct load *load, int count, uint64_t *key)
{
    struct figures rounds[ENGINES][ROUNDS_MOST];
    for (int round = 0; round < count; round++) {
        for (int i = 0; i < ENGINES; i++) {
            rounds[i][round] = run(&engines[i], load, key);
            rounds[i][round].share = rounds[i][round].rate / rounds[0][round].rate;
        }
    }
    for (int i = 0; i < ENGINES; i++) {
        print(&engines[i], load, rounds[i], count);
    }
    (void)fflush(stdout);
}

/* What stands in a directory, in bytes, and is removed if `remove` says so. */
static uint64_t sum_up(const char *directory, bool remove)
{
    uint64_t bytes = 0;
    DIR *entries = opendir(directory);
    const struct dirent *entry;
    while (entries != NULL && (entry = readdir(entries)) != NULL) {
        struct stat found;
        int at = dirfd(entries);
        if (fstatat(at, entry->d_name, &found, 0) == 0 && S_ISREG(found.st_mode)) {
            bytes += (uint64_t)found.st_blocks * 512;
            if (remove) {
                (void)unlinkat(at, entry->d_name, 0);
            }
        }
    }
    if (entries != NULL) {
        (void)closedir(entries);
    }
    if (remove) {
        (void)rmdir(directory);
    }
    return bytes;
}

int main(int argc, char **argv)
{
    static const struct load loads[] = {{1, false}, {50, false}, {800, false},
                                        {1, true},  {50, true},  {800, true}};
    char directories[ENGINES][PATH_SIZE];
    int rounds = argc > 2 ? atoi(argv[2]) : 5;
    uint64_t key = 1;
    must(rounds > 0 && rounds <= ROUNDS_MOST, "ROUNDS of 1 to 25");
    for (int i = 0; i < ENGINES; i++) {
        (void)snprintf(directories[i], PATH_SIZE, "%s/store_bench.XXXXXX",
                       argc > 1 ? argv[1] : "/var/tmp");
        must(mkdtemp(directories[i]) != NULL, "making a directory");
        engines[i].open(directories[i]);
    }
    for (size_t i = 0; i < sizeof(loads) / sizeof(loads[0]); i++) {
        measure(&loads[i], rounds, &key);
    }
    for (int i = 0; i < ENGINES; i++) {
        engines[i].close();
        uint64_t bytes = sum_up(directories[i], false);
        engines[i].open(directories[i]);
        double start = seconds_of(CLOCK_MONOTONIC);
        uint64_t rows = engines[i].read();
        printf("%-7s %" PRIu64 " MB on disk; %" PRIu64 " rows read in %.2f s\n", engines[i].name,
               bytes >> 20, rows, seconds_of(CLOCK_MONOTONIC) - start);
        engines[i].close();
        (void)sum_up(directories[i], true);
    }
    return 0;
}
