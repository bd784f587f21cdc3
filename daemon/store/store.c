/* store: see store.h. Tests: tests/unit/store/test_store.c. */
#include "daemon/store/store.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "daemon/store/gathered.h"
#include "daemon/store/database.h"
#include "daemon/store/directory.h"
#include "daemon/store/failure.h"
#include "daemon/store/writer.h"
#include "proto/error.h"

static const uint64_t reserve_default = UINT64_C(16) << 20;

struct store {
    struct writer writer;
    struct gathered gathered;
    uint64_t number; /* of the last commit */
    uint64_t ended;  /* the last one of which the caller has been told */
    uint64_t handed; /* bytes of the commit that is on its way */
    uint64_t reserve;
    uint64_t promised;        /* since the last commit */
    uint64_t promised_before; /* for the commit that is on its way */
    char *error;              /* owned; the sentence of the last store_reap that failed */
};

/* ---- opening and reading --------------------------------------------------------------------- */

static int open_database(struct store *store, const char *directory, char **error)
{
    char *path;
    if (asprintf(&path, "%s/%s", directory, DIRECTORY_DATABASE) < 0) {
        return failure(error, ENOMEM, "there is no memory to open the store %s", directory);
    }
    int code = database_open(path, false, &store->writer.database, error);
    free(path);
    return code;
}

/* No time is never, so it is a short one; one beyond all clocks is a long one. */
static uint64_t interval_ns(const struct store_options *options)
{
    static const uint64_t longest_ms = UINT64_C(1) << 40;
    uint64_t ms = options->interval_ms < longest_ms ? options->interval_ms : longest_ms;
    return ms > 0 ? ms * 1000000 : 1;
}

int store_open(const struct store_options *options, struct store **out, char **error)
{
    *error = NULL;
    struct store *store = calloc(1, sizeof(*store));
    if (store == NULL) {
        return failure(error, ENOMEM, "there is no memory to open the store %s",
                       options->directory);
    }
    store->writer.sync_each = options->sync == STORE_SYNC_ALWAYS;
    store->writer.interval_ns = options->sync == STORE_SYNC_INTERVAL ? interval_ns(options) : 0;
    store->reserve = options->reserve > 0 ? options->reserve : reserve_default;
    int code = directory_open(options->directory, &store->writer.directory, error);
    if (code != 0) {
        free(store);
        return code;
    }
    code = open_database(store, options->directory, error);
    if (code == 0) {
        code = writer_start(&store->writer);
        if (code != 0) {
            (void)failure(error, code, "the thread of the store %s cannot be started",
                          options->directory);
            database_close(&store->writer.database, false);
        }
    }
    if (code != 0) {
        directory_close(&store->writer.directory);
        free(store);
        return code;
    }
    *out = store;
    return 0;
}

void store_close(struct store *store)
{
    if (store == NULL) {
        return;
    }
    writer_stop(&store->writer);
    database_close(&store->writer.database, store->writer.state.failed != 0);
    directory_close(&store->writer.directory);
    gathered_deinit(&store->gathered);
    free(store->error);
    free(store);
}

int store_read(struct store *store, store_row *row, void *data, char **error)
{
    *error = NULL;
    return database_read(&store->writer.database, row, data, error);
}

uint64_t store_row_count(const struct store *store)
{
    return store->writer.database.rows;
}

/* ---- gathering ------------------------------------------------------------------------------- */

void store_put(struct store *store, uint64_t object, struct slice key, struct slice value)
{
    gathered_add(&store->gathered, &(struct change){CHANGE_PUT, object, key, value});
}

void store_remove(struct store *store, uint64_t object, struct slice key)
{
    gathered_add(&store->gathered, &(struct change){CHANGE_REMOVE, object, key, {NULL, 0}});
}

void store_remove_object(struct store *store, uint64_t object)
{
    gathered_add(&store->gathered,
                 &(struct change){CHANGE_REMOVE_OBJECT, object, {NULL, 0}, {NULL, 0}});
}

uint64_t store_gathered(const struct store *store)
{
    return store->gathered.bytes.len;
}

/* ---- commits --------------------------------------------------------------------------------- */

bool store_is_busy(const struct store *store)
{
    return store->ended != store->number;
}

int store_commit(struct store *store, uint64_t *number)
{
    if (store->gathered.failed) {
        return ERR_MEMORY;
    }
    store->handed = store->gathered.bytes.len;
    store->promised_before = store->promised;
    store->promised = 0;
    *number = ++store->number;
    writer_hand_over(&store->writer, &store->gathered, store->number);
    return 0;
}

int store_descriptor(const struct store *store)
{
    return store->writer.event;
}

/* The writer's last sentence becomes the store's own, which stays until there is another. The mutex
 * is held. */
static void take_error(struct store *store)
{
    if (store->writer.state.error != NULL) {
        free(store->error);
        store->error = store->writer.state.error;
        store->writer.state.error = NULL;
    }
}

int store_reap(struct store *store, uint64_t *number, const char **error)
{
    uint64_t count;
    if (read(store->writer.event, &count, sizeof(count)) < 0) {
        return EAGAIN;
    }
    struct writer *writer = &store->writer;
    (void)pthread_mutex_lock(&writer->mutex);
    uint64_t ended = writer->state.ended;
    int failed = writer->state.failed;
    take_error(store);
    (void)pthread_mutex_unlock(&writer->mutex);
    if (failed != 0) {
        *error = store->error != NULL ? store->error : "writing the store failed";
        return failed;
    }
    if (ended == store->ended) {
        return EAGAIN;
    }
    store->ended = ended;
    store->handed = 0;
    store->promised_before = 0;
    *number = ended;
    return 0;
}

/* ---- space and figures ----------------------------------------------------------------------- */

bool store_promise(struct store *store, uint64_t bytes, bool freeing)
{
    struct statvfs system;
    if (fstatvfs(store->writer.directory.fd, &system) < 0) {
        return false;
    }
    uint64_t free_bytes = (uint64_t)system.f_bavail * system.f_frsize;
    uint64_t kept = freeing ? store->reserve / 4 : store->reserve;
    uint64_t needed;
    if (__builtin_add_overflow(store->promised + store->promised_before, bytes, &needed) ||
        __builtin_add_overflow(needed, kept, &needed) || needed > free_bytes) {
        return false;
    }
    store->promised += bytes;
    return true;
}

void store_figures(struct store *store, struct store_figures *out)
{
    struct writer *writer = &store->writer;
    (void)pthread_mutex_lock(&writer->mutex);
    *out = (struct store_figures){
        .commits = writer->state.ended,
        .syncs = writer->state.syncs,
        .rows = writer->state.rows,
        .queued = store->gathered.bytes.len + store->handed,
        .commit_ns = writer->state.commit_ns,
        .sync_ns = writer->state.sync_ns,
    };
    take_error(store);
    (void)pthread_mutex_unlock(&writer->mutex);
    out->last_error = store->error;
    out->bytes = directory_bytes(&writer->directory);
}
