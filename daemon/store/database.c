/* database: see database.h. Tests: tests/unit/store/. */
#include "daemon/store/database.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "daemon/store/failure.h"

/* PRAGMA application_id: "ipcd". */
enum { APPLICATION = 0x69706364 };

/* Somebody else may have the file for as long as SQLite recovers or copies the log. */
enum { PATIENCE_MS = 10 * 1000 };

/* A deleted row is not overwritten with zeros, which would be written to the log (Debian's SQLite
 * does so). The log is truncated only if it has grown far beyond what it is between two copies. */
static const char settings[] = "PRAGMA trusted_schema = OFF;"
                               "PRAGMA cell_size_check = ON;"
                               "PRAGMA secure_delete = OFF;"
                               "PRAGMA temp_store = MEMORY;"
                               "PRAGMA cache_size = -8192;"
                               "PRAGMA wal_autocheckpoint = 0;";

#define TABLE                                                                                      \
    "CREATE TABLE rows (object INTEGER, key BLOB, value BLOB, sum INTEGER,"                        \
    " PRIMARY KEY (object, key)) WITHOUT ROWID"

static const char *const texts[DATABASE_STATEMENTS] = {
    [DATABASE_BEGIN] = "BEGIN IMMEDIATE",
    [DATABASE_COMMIT] = "COMMIT",
    [DATABASE_ROLLBACK] = "ROLLBACK",
    [DATABASE_PUT] = "INSERT OR REPLACE INTO rows VALUES (?, ?, ?, ?)",
    [DATABASE_REMOVE] = "DELETE FROM rows WHERE object = ? AND key = ?",
    [DATABASE_REMOVE_OBJECT] = "DELETE FROM rows WHERE object = ?",
};

/* ---- opening --------------------------------------------------------------------------------- */

static int execute(struct database *database, const char *text)
{
    return sqlite3_exec(database->handle, text, NULL, NULL, NULL);
}

/* The one number that a statement answers with. */
static int number(const struct database *database, const char *text, int64_t *out)
{
    sqlite3_stmt *statement;
    int result = sqlite3_prepare_v2(database->handle, text, -1, &statement, NULL);
    if (result != SQLITE_OK) {
        return result;
    }
    result = sqlite3_step(statement);
    *out = result == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : 0;
    (void)sqlite3_finalize(statement);
    return result == SQLITE_ROW ? SQLITE_OK : result;
}

/* The file says that it has a log; SQLite does not call it an error if it cannot have one. */
static int use_log(struct database *database)
{
    sqlite3_stmt *statement = NULL;
    int result =
        sqlite3_prepare_v2(database->handle, "PRAGMA journal_mode = WAL", -1, &statement, NULL);
    if (result == SQLITE_OK) {
        result = sqlite3_step(statement);
    }
    if (result == SQLITE_ROW) {
        const char *mode = (const char *)sqlite3_column_text(statement, 0);
        result = mode != NULL && strcmp(mode, "wal") == 0 ? SQLITE_OK : SQLITE_CANTOPEN;
    }
    /* It has not been written before the statement has come to its end. */
    if (result == SQLITE_OK) {
        result = sqlite3_step(statement);
    }
    (void)sqlite3_finalize(statement);
    return result == SQLITE_DONE ? SQLITE_OK : result;
}

/* An empty file becomes a store at once or not at all. Until there is a log SQLite has a journal,
 * which is safe with more syncs only. */
static int make(struct database *database)
{
    int result = execute(database, "PRAGMA page_size = 4096; PRAGMA auto_vacuum = INCREMENTAL; "
                                   "PRAGMA synchronous = EXTRA");
    if (result == SQLITE_OK) {
        result = use_log(database);
    }
    if (result == SQLITE_OK) {
        result =
            execute(database, "BEGIN IMMEDIATE; " TABLE "; PRAGMA application_id = 1768973156; "
                              "PRAGMA user_version = 1; COMMIT");
        if (result != SQLITE_OK && sqlite3_get_autocommit(database->handle) == 0) {
            (void)execute(database, "ROLLBACK");
        }
    }
    return result;
}

/* Is it a store, and of which version? 0 or an errno value; or a result of SQLite's in *result. */
static int examine(struct database *database, bool read_only, int *result, char **error)
{
    int64_t application = 0;
    int64_t version = 0;
    int64_t tables = 0;
    int64_t ours = 0;
    *result = number(database, "PRAGMA application_id", &application);
    if (*result == SQLITE_OK) {
        *result = number(database, "PRAGMA user_version", &version);
    }
    if (*result == SQLITE_OK) {
        *result = number(database, "SELECT count(*) FROM sqlite_schema", &tables);
    }
    if (*result != SQLITE_OK) {
        return 0;
    }
    if (application == 0 && version == 0 && tables == 0) {
        *result = read_only ? SQLITE_OK : make(database);
        return read_only ? failure(error, ENOENT, "there is no store in %s yet", database->path)
                         : 0;
    }
    if (application != APPLICATION) {
        return failure(error, EBADMSG, "%s is not a store of ipcd: name another directory",
                       database->path);
    }
    if (version > DATABASE_VERSION) {
        return failure(
            error, ENOTSUP,
            "%s has format %lld, and this ipcd knows formats up to %d: it was written by "
            "a newer ipcd; use that one",
            database->path, (long long)version, DATABASE_VERSION);
    }
    *result = number(database, "SELECT count(*) FROM sqlite_schema WHERE sql = '" TABLE "'", &ours);
    if (*result == SQLITE_OK && (version < 1 || tables != 1 || ours != 1)) {
        return failure(
            error, EBADMSG,
            "%s is damaged (its table is not that of a store): put a backup in its place",
            database->path);
    }
    return 0;
}

/* Whether SQLite finds its pages in order, each used once. A tenth of a microsecond for each row;
 * what is in the rows is found wrong when they are read. */
static int check(const struct database *database, int *result, char **error)
{
    int code = 0;
    sqlite3_stmt *statement = NULL;
    *result = sqlite3_prepare_v2(database->handle, "PRAGMA quick_check(1)", -1, &statement, NULL);
    if (*result == SQLITE_OK) {
        *result = sqlite3_step(statement);
    }
    if (*result == SQLITE_ROW) {
        const char *answer = (const char *)sqlite3_column_text(statement, 0);
        *result = answer != NULL ? SQLITE_OK : SQLITE_NOMEM;
        if (answer != NULL && strcmp(answer, "ok") != 0) {
            code = failure(error, EBADMSG,
                           "%s is damaged (%s): put a backup in its place, or look at what is left "
                           "of it with \"ipcctl store dump\"",
                           database->path, answer);
        }
    }
    (void)sqlite3_finalize(statement);
    return code;
}

static int prepare(struct database *database)
{
    int result = SQLITE_OK;
    for (int i = 0; result == SQLITE_OK && i < DATABASE_STATEMENTS; i++) {
        result = sqlite3_prepare_v3(database->handle, texts[i], -1, SQLITE_PREPARE_PERSISTENT,
                                    &database->statements[i], NULL);
    }
    return result;
}

static int note_log(void *data, sqlite3 *handle, const char *schema, int pages)
{
    struct database *database = data;
    database->log_pages = (unsigned)pages;
    return SQLITE_OK;
}

int database_open(const char *path, bool read_only, struct database *out, char **error)
{
    int64_t rows = 0;
    struct database database = {.path = strdup(path)};
    if (database.path == NULL) {
        return failure(error, ENOMEM, "there is no memory to open %s", path);
    }
    int code = 0;
    int result =
        sqlite3_open_v2(path, &database.handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    if (result == SQLITE_OK) {
        (void)sqlite3_extended_result_codes(database.handle, 1);
        (void)sqlite3_busy_timeout(database.handle, PATIENCE_MS);
        result = execute(&database, settings);
    }
    if (result == SQLITE_OK && read_only) {
        (void)sqlite3_db_config(database.handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
        result = execute(&database, "PRAGMA query_only = ON");
    }
    if (result == SQLITE_OK) {
        code = examine(&database, read_only, &result, error);
    }
    if (code == 0 && result == SQLITE_OK) {
        code = check(&database, &result, error);
    }
    /* A copy of a store has no log yet. */
    if (code == 0 && result == SQLITE_OK && !read_only) {
        result = use_log(&database);
    }
    if (code == 0 && result == SQLITE_OK) {
        result = execute(&database, "PRAGMA synchronous = NORMAL");
    }
    if (code == 0 && result == SQLITE_OK) {
        result = number(&database, "SELECT count(*) FROM rows", &rows);
    }
    if (code == 0 && result == SQLITE_OK) {
        result = prepare(&database);
    }
    if (code == 0 && result != SQLITE_OK) {
        code = failure_of_database(error, database.handle, result, "opening", path);
    }
    if (code != 0) {
        database_close(&database, true);
        return code;
    }
    *out = database;
    out->rows = (uint64_t)rows;
    (void)sqlite3_wal_hook(out->handle, note_log, out);
    return 0;
}

void database_close(struct database *database, bool fault)
{
    for (int i = 0; i < DATABASE_STATEMENTS; i++) {
        (void)sqlite3_finalize(database->statements[i]);
    }
    if (fault && database->handle != NULL) {
        (void)sqlite3_db_config(database->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    }
    (void)sqlite3_close(database->handle);
    free(database->path);
    *database = (struct database){0};
}

/* ---- reading --------------------------------------------------------------------------------- */

/* SQLite's integers have a sign; the numbers of objects are those of the same bits. */
static int64_t signed_of(uint64_t object)
{
    int64_t value;
    memcpy(&value, &object, sizeof(value));
    return value;
}

static int64_t sum(uint64_t object, struct slice key, struct slice value)
{
    uint64_t parts[3] = {object, key.len, 0};
    parts[2] = XXH3_64bits(key.data, key.len);
    return signed_of(
        XXH3_64bits_withSeed(value.data, value.len, XXH3_64bits(parts, sizeof(parts))));
}

/* A column's bytes; valid until the next step. False: there was no memory for them. */
static bool column(sqlite3_stmt *statement, int i, struct slice *out)
{
    const void *data = sqlite3_column_blob(statement, i);
    out->data = data;
    out->len = (size_t)sqlite3_column_bytes(statement, i);
    return data != NULL || out->len == 0;
}

static int damaged_row(const struct database *database, uint64_t object, char **error)
{
    return failure(error, EBADMSG,
                   "%s is damaged (a row of object %llu has a wrong checksum): put a backup in its "
                   "place, or look at what is left of it with \"ipcctl store dump\"",
                   database->path, (unsigned long long)object);
}

/* All rows that a statement finds. */
static int read_rows(const struct database *database, sqlite3_stmt *statement, store_row *row,
                     void *data, char **error)
{
    int result;
    while ((result = sqlite3_step(statement)) == SQLITE_ROW) {
        struct slice key;
        struct slice value;
        uint64_t object = (uint64_t)sqlite3_column_int64(statement, 0);
        if (!column(statement, 1, &key) || !column(statement, 2, &value)) {
            return failure(error, ENOMEM, "there is no memory to read %s", database->path);
        }
        if (sum(object, key, value) != sqlite3_column_int64(statement, 3)) {
            return damaged_row(database, object, error);
        }
        int answer = row(data, object, key, value);
        if (answer != 0) {
            return answer;
        }
    }
    return result == SQLITE_DONE
               ? 0
               : failure_of_database(error, database->handle, result, "reading", database->path);
}

int database_hold(struct database *database, char **error)
{
    int64_t pages;
    int result = execute(database, "BEGIN");
    if (result == SQLITE_OK) {
        /* It begins with what is read first. */
        result = number(database, "SELECT count(*) FROM sqlite_schema", &pages);
    }
    return result == SQLITE_OK
               ? 0
               : failure_of_database(error, database->handle, result, "reading", database->path);
}

int database_copy(const struct database *database, const char *path, char **error)
{
    sqlite3_stmt *statement = NULL;
    /* Where nothing may be changed SQLite does not write elsewhere either. */
    int result = sqlite3_exec(database->handle, "PRAGMA query_only = OFF", NULL, NULL, NULL);
    if (result == SQLITE_OK) {
        result = sqlite3_prepare_v2(database->handle, "VACUUM INTO ?", -1, &statement, NULL);
    }
    if (result == SQLITE_OK) {
        result = sqlite3_bind_text(statement, 1, path, -1, SQLITE_STATIC);
    }
    if (result == SQLITE_OK) {
        result = sqlite3_step(statement);
    }
    (void)sqlite3_finalize(statement);
    return result == SQLITE_DONE
               ? 0
               : failure_of_database(error, database->handle, result, "copying", database->path);
}

int database_read(const struct database *database, store_row *row, void *data, char **error)
{
    /* What is negative for SQLite are the largest numbers. */
    static const char *const halves[] = {
        "SELECT object, key, value, sum FROM rows WHERE object >= 0 ORDER BY object, key",
        "SELECT object, key, value, sum FROM rows WHERE object < 0 ORDER BY object, key",
    };
    int code = 0;
    for (int i = 0; code == 0 && i < 2; i++) {
        sqlite3_stmt *statement = NULL;
        int result = sqlite3_prepare_v2(database->handle, halves[i], -1, &statement, NULL);
        code = result == SQLITE_OK ? read_rows(database, statement, row, data, error)
                                   : failure_of_database(error, database->handle, result, "reading",
                                                         database->path);
        (void)sqlite3_finalize(statement);
    }
    return code;
}

/* ---- writing --------------------------------------------------------------------------------- */

static int run(struct database *database, enum database_statement which)
{
    sqlite3_stmt *statement = database->statements[which];
    int result = sqlite3_step(statement);
    (void)sqlite3_reset(statement);
    return result == SQLITE_DONE ? SQLITE_OK : result;
}

static int bind(sqlite3_stmt *statement, int i, struct slice bytes)
{
    /* NULL would be SQL's NULL. */
    return sqlite3_bind_blob64(statement, i, bytes.len > 0 ? (const void *)bytes.data : "",
                               bytes.len, SQLITE_STATIC);
}

static int apply_one(struct database *database, const struct change *change)
{
    static const enum database_statement statements[] = {
        [CHANGE_PUT] = DATABASE_PUT,
        [CHANGE_REMOVE] = DATABASE_REMOVE,
        [CHANGE_REMOVE_OBJECT] = DATABASE_REMOVE_OBJECT,
    };
    enum database_statement which = statements[change->kind];
    sqlite3_stmt *statement = database->statements[which];
    int result = sqlite3_bind_int64(statement, 1, signed_of(change->object));
    if (result == SQLITE_OK && which != DATABASE_REMOVE_OBJECT) {
        result = bind(statement, 2, change->key);
    }
    if (result == SQLITE_OK && which == DATABASE_PUT) {
        result = bind(statement, 3, change->value);
        if (result == SQLITE_OK) {
            result =
                sqlite3_bind_int64(statement, 4, sum(change->object, change->key, change->value));
        }
    }
    return result == SQLITE_OK ? run(database, which) : result;
}

int database_apply(struct database *database, const struct gathered *changes, char **error)
{
    struct change change;
    size_t at = 0;
    int code = 0;
    int result = run(database, DATABASE_BEGIN);
    while (result == SQLITE_OK && gathered_next(changes, &at, &change)) {
        result = apply_one(database, &change);
    }
    if (result == SQLITE_OK) {
        result = run(database, DATABASE_COMMIT);
    }
    if (result != SQLITE_OK) {
        code = failure_of_database(error, database->handle, result, "writing", database->path);
        /* Some errors have ended the transaction by themselves. */
        if (sqlite3_get_autocommit(database->handle) == 0) {
            (void)run(database, DATABASE_ROLLBACK);
        }
    }
    return code;
}

/* SQLite's file of the log; NULL: none is open. */
static sqlite3_file *log_file(const struct database *database)
{
    sqlite3_file *log = NULL;
    int result = sqlite3_file_control(database->handle, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log);
    return result == SQLITE_OK && log != NULL && log->pMethods != NULL ? log : NULL;
}

/* What the system said when the log could not be written or synced. */
static int log_failure(const struct database *database, sqlite3_file *log, int result,
                       const char *what, char **error)
{
    int code = 0;
    (void)log->pMethods->xFileControl(log, SQLITE_FCNTL_LAST_ERRNO, &code);
    const char *why = code != 0 ? strerror(code) : sqlite3_errstr(result);
    bool full = result == SQLITE_FULL || code == EDQUOT;
    return failure(error, full && result != SQLITE_IOERR_FSYNC ? ENOSPC : EIO,
                   "%s the log of %s failed: %s", what, database->path, why);
}

int database_sync(const struct database *database, char **error)
{
    sqlite3_file *log = log_file(database);
    /* There is none before the first transaction. */
    if (log == NULL) {
        return 0;
    }
    int result = log->pMethods->xSync(log, SQLITE_SYNC_NORMAL | SQLITE_SYNC_DATAONLY);
    return result == SQLITE_OK ? 0 : log_failure(database, log, result, "syncing", error);
}

/* SQLite cuts the log to `most` when it begins it anew. */
static int limit_log(const struct database *database, uint64_t most)
{
    char text[64];
    (void)snprintf(text, sizeof(text), "PRAGMA journal_size_limit = %llu",
                   (unsigned long long)most);
    return sqlite3_exec(database->handle, text, NULL, NULL, NULL);
}

int database_size_log(const struct database *database, uint64_t least, uint64_t most, char **error)
{
    static const uint8_t zeros[64 * 1024];
    sqlite3_int64 at = 0;
    sqlite3_file *log = log_file(database);
    if (log == NULL) {
        return 0;
    }
    int result = limit_log(database, most);
    if (result != SQLITE_OK) {
        return failure_of_database(error, database->handle, result, "opening", database->path);
    }
    result = log->pMethods->xFileSize(log, &at);
    while (result == SQLITE_OK && (uint64_t)at < least) {
        uint64_t left = least - (uint64_t)at;
        int len = left < sizeof(zeros) ? (int)left : (int)sizeof(zeros);
        result = log->pMethods->xWrite(log, zeros, len, at);
        at += len;
    }
    return result == SQLITE_OK ? database_sync(database, error)
                               : log_failure(database, log, result, "lengthening", error);
}

int database_checkpoint(struct database *database, char **error)
{
    int left = 0;
    int copied = 0;
    int result = sqlite3_wal_checkpoint_v2(database->handle, "main", SQLITE_CHECKPOINT_PASSIVE,
                                           &left, &copied);
    if (result != SQLITE_OK) {
        return failure_of_database(error, database->handle, result, "copying the log of",
                                   database->path);
    }
    if (left == copied) {
        database->log_pages = 0;
    }
    return 0;
}

enum { PAGE_BYTES = 4096 }; /* as database_make says */

uint64_t database_unused(const struct database *database)
{
    int64_t unused = 0;
    int result = number(database, "PRAGMA freelist_count", &unused);
    return result == SQLITE_OK && unused > 0 ? (uint64_t)unused * PAGE_BYTES : 0;
}

int database_shrink(const struct database *database, bool *more, char **error)
{
    /* Fewer are not worth it, and are used again soon. */
    enum { WORTH = 2048 };
    int64_t unused = 0;
    int64_t pages = 0;
    *more = false;
    int result = number(database, "PRAGMA freelist_count", &unused);
    if (result == SQLITE_OK) {
        result = number(database, "PRAGMA page_count", &pages);
    }
    if (result == SQLITE_OK && unused > WORTH && unused > pages / 2) {
        result = sqlite3_exec(database->handle, "PRAGMA incremental_vacuum(256)", NULL, NULL, NULL);
        *more = result == SQLITE_OK;
    }
    return result == SQLITE_OK
               ? 0
               : failure_of_database(error, database->handle, result, "shrinking", database->path);
}
