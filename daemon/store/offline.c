/* offline: see offline.h. */
#include "daemon/store/offline.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/store/database.h"
#include "daemon/store/directory.h"
#include "daemon/store/failure.h"
#include "daemon/store/store.h"

/* DIRECTORY/NAME; the caller's. NULL: there is no memory. */
static char *path_of(const char *directory, const char *name)
{
    char *path;
    return asprintf(&path, "%s/%s", directory, name) < 0 ? NULL : path;
}

static int no_memory(const char *directory, char **error)
{
    return failure(error, ENOMEM, "there is no memory to open the store %s", directory);
}

/* Opens the database of a store that is there. */
static int open_database(const char *directory, bool read_only, struct database *out, char **error)
{
    *error = NULL;
    char *path = path_of(directory, DIRECTORY_DATABASE);
    if (path == NULL) {
        return no_memory(directory, error);
    }
    int code = access(path, F_OK) == 0 ? database_open(path, read_only, out, error)
                                       : failure(error, errno, "there is no store in %s: %s",
                                                 directory, strerror(errno));
    free(path);
    return code;
}

static int open_to_read(const char *directory, struct database *out, char **error)
{
    int code = open_database(directory, true, out, error);
    if (code != 0) {
        return code;
    }
    code = database_hold(out, error);
    if (code != 0) {
        database_close(out, true);
    }
    return code;
}

/* ---- reading --------------------------------------------------------------------------------- */

int offline_read(const char *directory, store_row *row, void *data, char **error)
{
    struct database database;
    int code = open_to_read(directory, &database, error);
    if (code == 0) {
        code = database_read(&database, row, data, error);
        database_close(&database, true);
    }
    return code;
}

static int count_row(void *data, uint64_t object, struct slice key, struct slice value)
{
    struct offline_report *report = data;
    report->rows++;
    report->bytes += key.len + value.len;
    return 0;
}

int offline_check(const char *directory, struct offline_report *out, char **error)
{
    *out = (struct offline_report){0};
    return offline_read(directory, count_row, out, error);
}

/* ---- filling --------------------------------------------------------------------------------- */

enum { FILL_BYTES = 1024 * 1024 }; /* of a commit */

/* Commits what has been gathered and waits for the end of it. */
static int commit(struct store *store, char **error)
{
    uint64_t number;
    const char *sentence = NULL;
    struct pollfd ended = {.fd = store_descriptor(store), .events = POLLIN};
    if (store_commit(store, &number) < 0) {
        return failure(error, ENOMEM, "there is no memory for the rows");
    }
    int code;
    do {
        code = poll(&ended, 1, -1) < 0 && errno != EINTR ? errno
                                                         : store_reap(store, &number, &sentence);
    } while (code == EAGAIN);
    return code == 0 ? 0 : failure(error, code, "%s", sentence != NULL ? sentence : strerror(code));
}

static int fill(struct store *store, offline_next *next, void *data, char **error)
{
    uint64_t object;
    struct slice key;
    struct slice value;
    int more;
    int code = 0;
    while (code == 0 && (more = next(data, &object, &key, &value)) == 1) {
        store_put(store, object, key, value);
        code = store_gathered(store) >= FILL_BYTES ? commit(store, error) : 0;
    }
    if (code == 0) {
        code = commit(store, error);
    }
    return code == 0 ? more : code;
}

int offline_fill(const char *directory, offline_next *next, void *data, char **error)
{
    struct store *store;
    const struct store_options options = {.directory = directory};
    int code = store_open(&options, &store, error);
    if (code != 0) {
        return code;
    }
    code = store_row_count(store) == 0
               ? fill(store, next, data, error)
               : failure(error, EEXIST, "the store %s has rows already: name an empty directory",
                         directory);
    store_close(store);
    return code;
}

/* ---- copies ---------------------------------------------------------------------------------- */

static int sync_path(const char *path, int flags)
{
    int file = open(path, O_RDONLY | O_CLOEXEC | flags);
    int code = file < 0 || fsync(file) < 0 ? errno : 0;
    if (file >= 0) {
        (void)close(file);
    }
    return code;
}

/* The directory of a file, so that its name is there after a power loss. */
static int sync_parent(const char *file)
{
    const char *slash = strrchr(file, '/');
    size_t len = slash == file ? 1 : slash != NULL ? (size_t)(slash - file) : 0;
    char *parent = len > 0 ? strndup(file, len) : strdup(".");
    int code = parent != NULL ? sync_path(parent, O_DIRECTORY) : ENOMEM;
    free(parent);
    return code;
}

/* A copy of the database in a new file, on disk; nothing is left if it fails. */
static int copy_to(const struct database *database, const char *file, char **error)
{
    int made = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (made < 0) {
        return errno == EEXIST
                   ? failure(error, EEXIST, "%s is there already: name another file", file)
                   : failure(error, errno, "%s cannot be made: %s", file, strerror(errno));
    }
    (void)close(made);
    int code = database_copy(database, file, error);
    if (code == 0) {
        code = sync_path(file, 0);
        code = code == 0 ? sync_parent(file) : code;
        if (code != 0) {
            (void)failure(error, code, "%s cannot be synced: %s", file, strerror(code));
        }
    }
    if (code != 0) {
        (void)unlink(file);
    }
    return code;
}

int offline_backup(const char *directory, const char *file, char **error)
{
    struct database database;
    int code = open_database(directory, true, &database, error);
    if (code == 0) {
        code = copy_to(&database, file, error);
        database_close(&database, true);
    }
    return code;
}

/* Puts the new file in the place of the old, which nobody has open: its log is gone then. What is
 * in a log would be taken for part of the new one. */
static int replace(const struct directory *at, const char *path, const char *fresh, char **error)
{
    if (faccessat(at->fd, DIRECTORY_LOG, F_OK, 0) == 0) {
        return failure(error, EBUSY,
                       "%s is in use by another program: try again when that has ended", path);
    }
    if (fsync(at->fd) < 0 || rename(fresh, path) < 0 || fsync(at->fd) < 0) {
        return failure(error, errno, "%s cannot be replaced: %s", path, strerror(errno));
    }
    return 0;
}

static int compact(const struct directory *at, const char *path, const char *fresh, char **error)
{
    struct database database;
    int code = database_open(path, false, &database, error);
    if (code != 0) {
        return code;
    }
    /* Left behind by one that was interrupted. */
    (void)unlink(fresh);
    code = copy_to(&database, fresh, error);
    database_close(&database, false);
    if (code == 0) {
        code = replace(at, path, fresh, error);
        if (code != 0) {
            (void)unlink(fresh);
        }
    }
    return code;
}

int offline_compact(const char *directory, char **error)
{
    struct directory at;
    *error = NULL;
    char *path = path_of(directory, DIRECTORY_DATABASE);
    char *fresh = path_of(directory, DIRECTORY_DATABASE ".new");
    int code = path == NULL || fresh == NULL ? no_memory(directory, error) : 0;
    if (code == 0 && access(path, F_OK) < 0) {
        code = failure(error, errno, "there is no store in %s: %s", directory, strerror(errno));
    }
    if (code == 0) {
        code = directory_open(directory, &at, error);
    }
    if (code == 0) {
        code = compact(&at, path, fresh, error);
        directory_close(&at);
    }
    free(path);
    free(fresh);
    return code;
}
