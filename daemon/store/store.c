/* store: see store.h. Tests: tests/unit/store/test_store.c. */
#include "daemon/store/store.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "daemon/store/gathered.h"
#include "daemon/store/database.h"
#include "daemon/store/directory.h"
#include "daemon/store/failure.h"
#include "daemon/store/space.h"
#include "daemon/store/writer.h"
#include "proto/error.h"

/* The default is for what 50 clients with 16 calls outstanding each have promised at a time, twice:
 * in the commit that is on its way, and for the next (13 MiB). */
static const uint64_t reserve_default = UINT64_C(16) << 20;
static const uint64_t reserve_least = UINT64_C(1) << 20;

struct store {
    struct writer writer;
    struct gathered gathered;
    uint64_t number;          /* of the last commit */
    uint64_t ended;           /* the last one of which the caller has been told */
    uint64_t handed;          /* bytes of the commit that is on its way */
    uint64_t promised;        /* since the last commit */
    uint64_t promised_before; /* for the commit that is on its way */
    uint64_t refused;         /* what there has been no space for in that second */
    uint64_t refused_at;
    char *error; /* owned; the sentence of the last store_reap that failed */
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

/* The log is copied to its place, so that it begins anew, and it is given its length. Without space
 * for that the store is open, and takes what frees some. */
static int prepare_log(struct store *store, uint64_t reserve, char **error)
{
    struct writer *writer = &store->writer;
    int code = database_checkpoint(&writer->database, error);
    if (code == 0 || code == ENOSPC || code == EBUSY) {
        free(*error);
        *error = NULL;
        code = database_size_log(&writer->database, reserve / 2, reserve, error);
    }
    if (code == ENOSPC) {
        store->error = *error;
        *error = NULL;
        code = 0;
    }
    return code;
}

static int start_writer(struct store *store, const char *directory, char **error)
{
    int code = writer_start(&store->writer);
    return code == 0 ? 0
                     : failure(error, code, "the thread of the store %s cannot be started: %s",
                               directory, strerror(code));
}

/* What is open, is closed by the caller. */
static int open_all(struct store *store, const struct store_options *options, char **error)
{
    struct writer *writer = &store->writer;
    uint64_t reserve = options->reserve == 0              ? reserve_default
                       : options->reserve < reserve_least ? reserve_least
                                                          : options->reserve;
    int code = directory_open(options->directory, &writer->directory, error);
    if (code == 0) {
        code = open_database(store, options->directory, error);
    }
    if (code == 0) {
        code = prepare_log(store, reserve, error);
    }
    if (code == 0) {
        code = space_open(&writer->space, writer->directory.fd, reserve, error);
    }
    if (code == 0) {
        directory_note(&writer->directory);
        space_look(&writer->space, 0, &writer->state.view);
        code = start_writer(store, options->directory, error);
    }
    return code;
}

int store_open(const struct store_options *options, struct store **out, char **error)
{
    *error = NULL;
    struct store *store = calloc(1, sizeof(*store));
    if (store == NULL) {
        return failure(error, ENOMEM, "there is no memory to open the store %s",
                       options->directory);
    }
    struct writer *writer = &store->writer;
    writer->directory.fd = writer->directory.lock = -1;
    writer->space.log = writer->space.file = writer->event = -1;
    writer->sync_each = options->sync == STORE_SYNC_ALWAYS;
    writer->interval_ns = options->sync == STORE_SYNC_INTERVAL ? interval_ns(options) : 0;
    int code = open_all(store, options, error);
    if (code != 0) {
        store_close(store);
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
    struct writer *writer = &store->writer;
    writer_stop(writer);
    space_close(&writer->space);
    database_close(&writer->database, writer->state.failed != 0);
    directory_close(&writer->directory);
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

static uint64_t seconds(void)
{
    struct timespec time;
    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec;
}

/* Looks again, and has the log lengthened if that is what is missing. */
static bool find_space(struct store *store, struct space_view *view, uint64_t needed, bool freeing)
{
    const struct space *space = &store->writer.space;
    /* What has not been there is looked for once a second. */
    uint64_t now = seconds();
    if (now == store->refused_at && needed >= store->refused) {
        return false;
    }
    uint64_t inside = view->inside; /* the writer's thread knows it */
    space_look(space, view->used, view);
    view->inside = inside;
    if (space_suffices(space, view, needed, freeing) ||
        (space_lengthen(space, view, needed) && space_suffices(space, view, needed, freeing))) {
        return true;
    }
    store->refused_at = now;
    store->refused = needed;
    return false;
}

bool store_promise(struct store *store, uint64_t bytes, bool freeing)
{
    uint64_t cost;
    uint64_t needed;
    if (__builtin_add_overflow(bytes, bytes / 32 + SPACE_CHANGE, &cost) ||
        __builtin_add_overflow(store->promised + store->promised_before, cost, &needed)) {
        return false;
    }
    struct writer *writer = &store->writer;
    struct space_view view = writer_view(writer);
    if (!space_suffices(&writer->space, &view, needed, freeing) &&
        !find_space(store, &view, needed, freeing)) {
        return false;
    }
    store->promised += cost;
    return true;
}

void store_forget_promises(struct store *store)
{
    store->promised = 0;
}

uint64_t store_commit_ns(struct store *store)
{
    struct writer *writer = &store->writer;
    (void)pthread_mutex_lock(&writer->mutex);
    uint64_t took = writer->state.commit_ns;
    (void)pthread_mutex_unlock(&writer->mutex);
    return took;
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
