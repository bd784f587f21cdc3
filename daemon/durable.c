/*
 * durable: see durable.h.
 *
 * Tests: tests/system/test_durable.c, tests/crash/crash.py.
 */
#include "daemon/durable.h"

#include <errno.h>
#include <event2/event.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/call/commits.h"
#include "daemon/objects/saving.h"
#include "daemon/supervisor.h"
#include "proto/pack.h"

enum {
    PATIENCE = 2,  /* of the time of a commit, that part is waited for others to join the next, */
    VAIN_MOST = 6, /* waits in vain in a row that make a difference */
    ABSENT = 16,   /* and that part of them may stay away */
    PATIENCE_MOST_NS = 2000000,    /* but no longer than that */
    PROGRESS_ROWS = 16384,         /* after so many rows the clock is looked at */
    PROGRESS_NS = 500000000,       /* how often it is said how far reading has come */
    PROGRESS_EXTEND_US = 20000000, /* the time that is asked of the service manager each time */
};

const char *durable_directory(const char *option, const struct config *config)
{
    const char *systemd = getenv("STATE_DIRECTORY");
    if (option != NULL) {
        return option;
    }
    return systemd != NULL && systemd[0] != '\0' ? systemd : config->state;
}

static struct moment moment_at(uint64_t monotonic_ns)
{
    struct timespec wall;
    (void)clock_gettime(CLOCK_REALTIME, &wall);
    return (struct moment){.monotonic_ns = monotonic_ns,
                           .wall_us =
                               (uint64_t)wall.tv_sec * 1000000 + (uint64_t)wall.tv_nsec / 1000};
}

/* As the configuration says it. */
static void print_sync(struct durable *durable)
{
    if (durable->sync == STORE_SYNC_INTERVAL) {
        (void)snprintf(durable->sync_text, DURABLE_SYNC, "%" PRIu64 "ms", durable->interval_ms);
    } else {
        (void)snprintf(durable->sync_text, DURABLE_SYNC, "%s",
                       durable->sync == STORE_SYNC_ALWAYS ? "always" : "never");
    }
}

/* Writing. */

/* Nobody is told that anything was done: the daemon ends. */
static void fail(struct durable *durable, const char *why)
{
    durable->failed = true;
    log_line(durable->log, LOG_LEVEL_ERROR,
             "the durable store %s: %s. What has not been answered may be there or not; the daemon "
             "ends, and begins anew from what is on disk when it is started again",
             durable->directory, why);
    (void)event_base_loopbreak(durable->net->base);
}

/* Where the rows of an object go. */
struct row_target {
    struct store *store;
    uint64_t object;
};

static int put_row(void *data, struct slice key, struct slice value)
{
    const struct row_target *target = data;
    store_put(target->store, target->object, key, value);
    return 0; /* want of memory is said by store_commit */
}

static int remove_row(void *data, struct slice key)
{
    const struct row_target *target = data;
    store_remove(target->store, target->object, key);
    return 0;
}

static int remove_all_rows(void *data)
{
    const struct row_target *target = data;
    store_remove_object(target->store, target->object);
    return 0;
}

/* Gathers what has changed of an object. */
static int gather(struct durable *durable, struct object *object, const struct moment *now)
{
    struct row_target target = {durable->store, object->entry.seq};
    const struct row_writer writer = {
        .put = put_row, .remove = remove_row, .remove_all = remove_all_rows, .data = &target};
    object->commit = durable->service->commits.next;
    durable->waited_for = true;
    return object_save(object, ROWS_CHANGED, &writer, now);
}

/* Gathers what has changed of all objects that nobody works on, and which numbers have been given.
 */
static int gather_all(struct durable *durable)
{
    struct registry *registry = &durable->service->registry;
    struct moment now = moment_at(durable->service->now);
    struct object *object;
    int status = 0;
    while (status == 0 && (object = registry_next_changed(registry, object_is_working)) != NULL) {
        status = gather(durable, object, &now);
        object_unref(object);
    }
    struct row_target target = {durable->store, 0};
    const struct row_writer writer = {
        .put = put_row, .remove = remove_row, .remove_all = remove_all_rows, .data = &target};
    return status < 0 || store_gathered(durable->store) == 0
               ? status
               : registry_save(registry, ROWS_CHANGED, &writer);
}

static bool is_anything_to_commit(const struct durable *durable)
{
    return durable->waited_for ||
           registry_has_changed(&durable->service->registry, object_is_working);
}

/* Hands what has changed to the store, if it can take it. */
static void commit(struct durable *durable)
{
    struct service *service = durable->service;
    if (durable->failed || store_is_busy(durable->store) || !is_anything_to_commit(durable)) {
        return;
    }
    uint64_t number;
    int status = gather_all(durable);
    durable->waited_for = false;
    if (status == 0 && store_gathered(durable->store) == 0) {
        /* What came has gone again: there is nothing to write. */
        store_forget_promises(durable->store);
        service_commits(service);
        service_committed(service, service->commits.last);
        net_settle(durable->net);
        return;
    }
    status = status < 0 ? status : store_commit(durable->store, &number);
    if (status < 0) {
        fail(durable, "out of memory for what is to be written");
        return;
    }
    service_commits(service);
}

/* When the last commit ended many sessions were changing things, and those that it has let go on
 * have hardly come back so far. If they are waited for a moment, one sync is for all of them; else
 * there are two groups of sessions that take turns, with a sync for each. */
static bool are_some_missing(const struct durable *durable)
{
    return durable->service->commits.nheld + durable->active / ABSENT < durable->active;
}

/* Where they take longer to come back than the disk to sync, two groups are the better way: the
 * wait was in vain then, and the next ones are left out, the more the more often that was so. */
static void learn_from_wait(struct durable *durable)
{
    if (durable->has_waited) {
        bool in_vain = are_some_missing(durable);
        durable->vain = !in_vain ? 0 : durable->vain < VAIN_MOST ? durable->vain + 1 : VAIN_MOST;
        durable->left_out = (UINT64_C(1) << durable->vain) - 1;
        durable->has_waited = false;
    }
}

/* Commits, now or when those that are waited for are there. */
static void commit_in_time(struct durable *durable)
{
    if (store_is_busy(durable->store) || !is_anything_to_commit(durable)) {
        return; /* it is looked again when the commit has ended, or something has changed */
    }
    if (durable->left_out == 0 && are_some_missing(durable) &&
        net_clock() < durable->patient_until) {
        durable->has_waited = true;
        alarm_set(&durable->patience, durable->patient_until);
        return;
    }
    learn_from_wait(durable);
    commit(durable);
}

static void turn_ends(evutil_socket_t fd, short what, void *data)
{
    (void)fd;
    (void)what;
    commit_in_time(data);
}

static void patience_is_over(evutil_socket_t fd, short what, void *data)
{
    struct durable *durable = data;
    (void)fd;
    (void)what;
    alarm_rung(&durable->patience);
    commit_in_time(durable);
}

/* Learns what became of the commit that was on its way. */
static void reap(struct durable *durable)
{
    struct commits *commits = &durable->service->commits;
    uint64_t number;
    const char *error;
    int status = store_reap(durable->store, &number, &error);
    if (status == 0) {
        durable->active = commits->nheld;
        durable->left_out -= durable->left_out > 0;
        service_committed(durable->service, commits->last);
        uint64_t patience = store_commit_ns(durable->store) / PATIENCE;
        durable->patient_until =
            net_clock() + (patience < PATIENCE_MOST_NS ? patience : PATIENCE_MOST_NS);
    } else if (status != EAGAIN) {
        fail(durable, error);
    }
}

static void commit_ended(evutil_socket_t fd, short what, void *data)
{
    struct durable *durable = data;
    (void)fd;
    (void)what;
    reap(durable);
    if (!durable->failed) {
        event_active(&durable->turn, EV_TIMEOUT, 0);
    }
    net_settle(durable->net);
}

static bool promise(void *data, uint64_t bytes, bool frees)
{
    struct durable *durable = data;
    struct service *service = durable->service;
    if (!is_anything_to_commit(durable)) {
        store_forget_promises(durable->store); /* the calls before have changed nothing */
        service->commits.promised = 0;
    }
    return store_promise(durable->store, bytes, frees);
}

/* An operation in steps is about to hold an object: what has changed of it is gathered first, since
 * it belongs into one commit with what was changed of others together with it. */
static void save_before_hold(void *data, struct object *object)
{
    struct durable *durable = data;
    if (!object->is_changed) {
        return;
    }
    struct moment now = moment_at(durable->service->now);
    registry_take_changed(&durable->service->registry, object);
    if (!durable->failed && gather(durable, object, &now) < 0) {
        fail(durable, "out of memory for what is to be written");
    }
    object_unref(object);
}

static size_t describe(void *data, struct buffer *out)
{
    const struct durable *durable = data;
    struct store_figures figures;
    store_figures(durable->store, &figures);
    pack_key_string(out, "path", durable->directory);
    pack_key_string(out, "sync", durable->sync_text);
    pack_key_uint(out, "bytes", figures.bytes);
    pack_key_uint(out, "commits", figures.commits);
    pack_key_uint(out, "syncs", figures.syncs);
    pack_key_uint(out, "rows", figures.rows);
    pack_key_uint(out, "queued", figures.queued);
    pack_key_uint(out, "commit_us", figures.commit_ns / 1000);
    pack_key_uint(out, "sync_us", figures.sync_ns / 1000);
    pack_string(out, "last_error");
    if (figures.last_error == NULL) {
        pack_nil(out);
    } else {
        pack_string(out, figures.last_error);
    }
    return 10;
}

/* Reading. */

/* The rows are gone through twice (saving.h). */
struct reading {
    struct row_reader reader;
    const struct durable *durable;
    bool own;       /* this time for the objects' own rows; else for all others */
    uint64_t rows;  /* that have been gone through, both times */
    uint64_t total; /* that there are, roughly, both times */
    uint64_t told;  /* when it was last said how far it is */
};

static void tell_progress(struct reading *reading)
{
    uint64_t now = net_clock();
    char status[DURABLE_STATUS];
    if (now - reading->told < PROGRESS_NS) {
        return;
    }
    reading->told = now;
    uint64_t percent = reading->rows >= reading->total ? 99 : reading->rows * 100 / reading->total;
    (void)snprintf(status, sizeof(status),
                   "Reading the durable store: %" PRIu64 " of 100, %" PRIu64 " objects.", percent,
                   reading->reader.accounts->objects);
    supervisor_starting(status, PROGRESS_EXTEND_US);
    log_line(reading->durable->log, LOG_LEVEL_INFO, "%s", status);
}

static int read_row(void *data, uint64_t object, struct slice key, struct slice value)
{
    struct reading *reading = data;
    if (++reading->rows % PROGRESS_ROWS == 0) {
        tell_progress(reading);
    }
    if ((key.len == 0) != reading->own) {
        return 0;
    }
    return reading->own ? loading_object(&reading->reader, object, value)
                        : loading_row(&reading->reader, object, key, value);
}

static int read_all(struct reading *reading, char **error)
{
    struct store *store = reading->durable->store;
    loading_begin(&reading->reader);
    reading->own = true;
    int status = store_read(store, read_row, reading, error);
    if (status == 0) {
        reading->own = false;
        status = store_read(store, read_row, reading, error);
    }
    int end = loading_end(&reading->reader);
    return status != 0 ? status : end;
}

static int load_row(void *data, uint64_t object, struct slice key, struct slice value)
{
    return key.len == 0 ? 0 : loading_row(data, object, key, value);
}

int durable_load_rows(void *data, struct row_reader *reader)
{
    const struct durable *durable = data;
    char *error = NULL;
    int status = store_read(durable->store, load_row, reader, &error);
    if (error != NULL) {
        (void)snprintf(reader->why, sizeof(reader->why), "%s", error);
        free(error);
        status = ERR_VALUE;
    }
    return status;
}

/* Nobody is there any more who could say what became of what was taken. */
static void give_back_taken(struct service *service, uint64_t now)
{
    struct registry *registry = &service->registry;
    struct object *object = registry_from(registry, 0);
    while (object != NULL) {
        if (object->type->give_back_untied != NULL) {
            object->type->give_back_untied(object, now);
        }
        object = registry_from(registry, object->entry.seq + 1);
    }
    service->now = now;
    service_drain(service);
}

static int read_objects(struct durable *durable)
{
    struct service *service = durable->service;
    uint64_t begun = net_clock();
    struct reading reading = {
        .reader = {.registry = &service->registry,
                   .accounts = &service->accounts,
                   .now = moment_at(begun)},
        .durable = durable,
        .total = 2 * store_row_count(durable->store) + 1,
        .told = begun,
    };
    char *error = NULL;
    int status = read_all(&reading, &error);
    if (status != 0) {
        const char *why = error != NULL          ? error
                          : status == ERR_MEMORY ? "out of memory for the objects"
                                                 : reading.reader.why;
        log_line(durable->log, LOG_LEVEL_ERROR,
                 "the durable store %s: %s. Nothing is served from it. ipcctl store check says "
                 "what is damaged; a backup can be put in its place, or another directory be given",
                 durable->directory, why);
        free(error);
        return ERR_STORAGE;
    }
    give_back_taken(service, net_clock());
    log_line(durable->log, LOG_LEVEL_INFO,
             "the durable store %s, sync %s: %" PRIu64 " objects, read in %" PRIu64 " ms",
             durable->directory, durable->sync_text, service->accounts.objects,
             (net_clock() - begun) / 1000000);
    return 0;
}

/* Beginning and end. */

/* The first of the directories, as an absolute path. NULL: out of memory, or there is no current
 * directory. */
static char *absolute_path(const char *directories)
{
    int len = (int)strcspn(directories, ":");
    char *path = NULL;
    char *current = directories[0] == '/' ? NULL : getcwd(NULL, 0);
    if (directories[0] == '/') {
        path = strndup(directories, (size_t)len);
    } else if (current != NULL && asprintf(&path, "%s/%.*s", current, len, directories) < 0) {
        path = NULL;
    }
    free(current);
    return path;
}

static int add_events(struct durable *durable)
{
    struct event_base *base = durable->net->base;
    if (event_assign(&durable->turn, base, -1, 0, turn_ends, durable) < 0 ||
        event_assign(&durable->ended, base, store_descriptor(durable->store), EV_READ | EV_PERSIST,
                     commit_ended, durable) < 0 ||
        event_add(&durable->ended, NULL) < 0) {
        return ERR_MEMORY;
    }
    durable->net->turn_ends = &durable->turn;
    return alarm_init(&durable->patience, base, patience_is_over, durable);
}

/* From now on objects can be durable. */
static void begin(struct durable *durable)
{
    struct commits *commits = &durable->service->commits;
    commits->next = 1;
    durable->service->state_directory = durable->directory;
    durable->service->registry.sync = durable->sync_text;
    commits->keeper = (struct keeper){.promise = promise, .describe = describe, .data = durable};
    durable->service->jobs.listener = (struct hold_listener){save_before_hold, durable};
}

int durable_go_on(struct durable *durable)
{
    int status = add_events(durable);
    if (status == 0) {
        begin(durable);
    }
    return status;
}

int durable_read(struct durable *durable)
{
    int status = read_objects(durable);
    return status < 0 ? status : durable_go_on(durable);
}

int durable_open(struct durable *durable, const char *directory, const struct config *config,
                 struct net *net)
{
    *durable = (struct durable){.net = net,
                                .service = net->service,
                                .log = net->log,
                                .directory = absolute_path(directory),
                                .sync = config->sync,
                                .interval_ms = config->interval_ms};
    if (durable->directory == NULL) {
        return ERR_MEMORY;
    }
    print_sync(durable);
    const struct store_options options = {.directory = durable->directory,
                                          .sync = config->sync,
                                          .interval_ms = config->interval_ms,
                                          .reserve = config->reserve};
    char *error = NULL;
    if (store_open(&options, &durable->store, &error) != 0) {
        log_line(durable->log, LOG_LEVEL_ERROR, "%s",
                 error != NULL ? error : "out of memory for the durable store");
        free(error);
        return ERR_STORAGE;
    }
    return 0;
}

/* Waits until the commit that is on its way has ended. */
static void finish_commit(struct durable *durable)
{
    struct pollfd ended = {.fd = store_descriptor(durable->store), .events = POLLIN};
    while (!durable->failed && store_is_busy(durable->store)) {
        (void)poll(&ended, 1, -1);
        uint64_t number;
        const char *error;
        int status = store_reap(durable->store, &number, &error);
        if (status != 0 && status != EAGAIN) {
            fail(durable, error);
        }
    }
}

int durable_finish(struct durable *durable)
{
    struct pollfd ended = {.events = POLLIN};
    if (durable->store == NULL) {
        return 0;
    }
    ended.fd = store_descriptor(durable->store);
    commit(durable);
    while (!durable->failed && store_is_busy(durable->store)) {
        (void)poll(&ended, 1, -1);
        reap(durable);
    }
    return durable->failed ? ERR_STORAGE : 0;
}

void durable_deinit(struct durable *durable)
{
    if (durable->store != NULL) {
        if (durable->net->turn_ends != NULL) {
            finish_commit(durable);
            commit(durable); /* what sessions have given back as they ended */
            finish_commit(durable);
            (void)event_del(&durable->turn);
            (void)event_del(&durable->ended);
            alarm_deinit(&durable->patience);
            durable->net->turn_ends = NULL;
        }
        durable->service->commits =
            (struct commits){.held = TAILQ_HEAD_INITIALIZER(durable->service->commits.held)};
        durable->service->jobs.listener = (struct hold_listener){0};
        store_close(durable->store);
    }
    if (durable->service != NULL) {
        durable->service->state_directory = NULL;
        durable->service->registry.sync = NULL;
    }
    free(durable->directory);
    *durable = (struct durable){0};
}
