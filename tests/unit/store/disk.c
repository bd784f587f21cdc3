/* disk: see disk.h. */
#include "tests/unit/store/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <sqlite3.h>

#include "tests/support/random_value.h"
#include "tests/support/unit.h"

enum { SECTOR = 512, BLOCK = 4096, NONE = -1 };

static const char *const endings[DISK_FILES] = {"store.db", "store.db-wal", "store.db-journal"};

/* One thing that was done to a file; or a note, of no file. */
struct event {
    enum disk_operation operation;
    int file;
    uint64_t at; /* of a write; the length of a truncation; a note */
    struct slice bytes;
};

struct file {
    sqlite3_file base;
    int which; /* of endings; NONE: no file of the store */
    int error; /* that the last fault was */
    sqlite3_file *real;
};

static struct {
    sqlite3_vfs vfs;
    sqlite3_vfs *real;
    pthread_mutex_t mutex; /* of all that follows */
    struct disk_fault fault;
    bool fails;
    bool has_failed;
    uint64_t free;
    bool remembers;
    struct event *events;
    uint64_t count;
    uint64_t capacity;
} disk = {.mutex = PTHREAD_MUTEX_INITIALIZER, .free = UINT64_MAX};

/* ---- faults and space ------------------------------------------------------------------------ */

void disk_fail(const struct disk_fault *fault)
{
    (void)pthread_mutex_lock(&disk.mutex);
    disk.fault = *fault;
    disk.fails = true;
    disk.has_failed = false;
    (void)pthread_mutex_unlock(&disk.mutex);
}

bool disk_heal(void)
{
    (void)pthread_mutex_lock(&disk.mutex);
    disk.fails = false;
    bool failed = disk.has_failed;
    (void)pthread_mutex_unlock(&disk.mutex);
    return failed;
}

void disk_set_free(uint64_t bytes)
{
    (void)pthread_mutex_lock(&disk.mutex);
    disk.free = bytes;
    (void)pthread_mutex_unlock(&disk.mutex);
}

/* The errno value that an operation fails with now; 0: it does not. */
static int fault_of(enum disk_operation operation, bool *half)
{
    int error = 0;
    (void)pthread_mutex_lock(&disk.mutex);
    if (disk.fails && disk.fault.operation == operation) {
        if (disk.fault.after > 0) {
            disk.fault.after--;
        } else {
            error = disk.fault.error;
            disk.has_failed = true;
            disk.fails = disk.fault.stays;
        }
    }
    if (half != NULL) {
        *half = disk.fault.half;
    }
    (void)pthread_mutex_unlock(&disk.mutex);
    return error;
}

/* A file becomes longer or shorter. False: there is no space for it. */
static bool take(uint64_t before, uint64_t after)
{
    bool enough = true;
    (void)pthread_mutex_lock(&disk.mutex);
    if (disk.free != UINT64_MAX) {
        if (after <= before) {
            disk.free += before - after;
        } else if (after - before <= disk.free) {
            disk.free -= after - before;
        } else {
            enough = false;
        }
    }
    (void)pthread_mutex_unlock(&disk.mutex);
    return enough;
}

/* What SQLite's own file system makes of an errno value. */
static int result_of(struct file *file, int error, int result)
{
    errno = file->error = error;
    return error == ENOSPC && result == SQLITE_IOERR_WRITE ? SQLITE_FULL : result;
}

/* ---- memory ---------------------------------------------------------------------------------- */

static void remember(enum disk_operation operation, int file, uint64_t at, const void *data,
                     size_t len)
{
    (void)pthread_mutex_lock(&disk.mutex);
    if (disk.remembers && file != NONE) {
        if (disk.count == disk.capacity) {
            disk.capacity = disk.capacity > 0 ? 2 * disk.capacity : 1024;
            disk.events = realloc(disk.events, disk.capacity * sizeof(disk.events[0]));
            assert_non_null(disk.events);
        }
        uint8_t *copy = NULL;
        if (len > 0) {
            copy = malloc(len);
            assert_non_null(copy);
            memcpy(copy, data, len);
        }
        disk.events[disk.count++] = (struct event){operation, file, at, {copy, len}};
    }
    (void)pthread_mutex_unlock(&disk.mutex);
}

void disk_forget(void)
{
    disk_stop();
    for (uint64_t i = 0; i < disk.count; i++) {
        free((void *)(uintptr_t)disk.events[i].bytes.data);
    }
    free(disk.events);
    disk.events = NULL;
    disk.count = disk.capacity = 0;
}

void disk_remember(void)
{
    disk_forget();
    disk.remembers = true;
}

void disk_stop(void)
{
    (void)pthread_mutex_lock(&disk.mutex);
    disk.remembers = false;
    (void)pthread_mutex_unlock(&disk.mutex);
}

void disk_note(uint64_t value)
{
    remember(DISK_NOTE, 0, value, NULL, 0);
}

uint64_t disk_length(void)
{
    (void)pthread_mutex_lock(&disk.mutex);
    uint64_t count = disk.count;
    (void)pthread_mutex_unlock(&disk.mutex);
    return count;
}

uint64_t disk_last_note(uint64_t length)
{
    while (length > 0) {
        const struct event *event = &disk.events[--length];
        if (event->operation == DISK_NOTE) {
            return event->at;
        }
    }
    return 0;
}

/* ---- what is left when power is lost --------------------------------------------------------- */

static void resize(struct buffer *file, size_t len)
{
    if (len > file->len) {
        assert_int_equal(buffer_reserve(file, len - file->len), 0);
        memset(file->data + file->len, 0, len - file->len);
    }
    file->len = len;
}

static void write_part(struct buffer *file, uint64_t at, struct slice bytes)
{
    if (at + bytes.len > file->len) {
        resize(file, at + bytes.len);
    }
    memcpy(file->data + at, bytes.data, bytes.len);
}

/* A write of which each sector is kept or not. */
static void write_torn(struct buffer *file, const struct event *event, unsigned kept,
                       struct random *random)
{
    size_t done = 0;
    while (done < event->bytes.len) {
        size_t len = SECTOR - (event->at + done) % SECTOR;
        len = len < event->bytes.len - done ? len : event->bytes.len - done;
        if (random_below(random, 256) < kept) {
            write_part(file, event->at + done, (struct slice){event->bytes.data + done, len});
        }
        done += len;
    }
}

struct fate {
    uint64_t synced; /* what was written before this is certain */
    bool is_new;     /* it has been made and not been synced yet */
    bool lost;       /* it was not made, or not removed: what came later is lost too */
};

/* When what was made and removed became certain: SQLite syncs the directory with the first sync of
 * a log or journal, and where it says so when it removes one. */
static uint64_t find_certain(uint64_t length, struct fate fates[DISK_FILES])
{
    uint64_t directory = 0;
    for (uint64_t i = 0; i < length; i++) {
        const struct event *event = &disk.events[i];
        struct fate *fate = &fates[event->file];
        if (event->operation == DISK_OPEN) {
            fate->is_new = event->file != 0;
        } else if (event->operation == DISK_SYNC) {
            fate->synced = i;
            directory = fate->is_new ? i : directory;
            fate->is_new = false;
        } else if (event->operation == DISK_DELETE && event->at != 0) {
            directory = i + 1;
        }
    }
    return directory;
}

static void redo(struct disk_image *image, struct fate *fate, const struct event *event,
                 unsigned kept, struct random *random)
{
    struct buffer *file = &image->files[event->file];
    bool is_kept = random_below(random, 256) < kept;
    switch (event->operation) {
    case DISK_OPEN:
        fate->lost = !image->there[event->file] && !is_kept;
        image->there[event->file] = !fate->lost;
        break;
    case DISK_WRITE:
        write_torn(file, event, kept, random);
        break;
    case DISK_TRUNCATE:
        if (is_kept) {
            resize(file, event->at);
        }
        break;
    case DISK_DELETE:
        fate->lost = !is_kept;
        image->there[event->file] = !is_kept;
        if (is_kept) {
            resize(file, 0);
        }
        break;
    default:
        break;
    }
}

void disk_lose_power(uint64_t length, unsigned kept, uint64_t seed, struct disk_image *out)
{
    struct random random = random_from_seed(seed);
    struct fate fates[DISK_FILES] = {0};
    *out = (struct disk_image){0};
    /* The database is made, and its directory synced, before SQLite opens it. */
    out->there[0] = true;
    uint64_t directory = find_certain(length, fates);
    for (uint64_t i = 0; i < length; i++) {
        const struct event *event = &disk.events[i];
        struct fate *fate = &fates[event->file];
        if (!fate->lost) {
            bool names = event->operation == DISK_OPEN || event->operation == DISK_DELETE;
            bool certain = i < (names ? directory : fate->synced);
            redo(out, fate, event, certain ? 256 : kept, &random);
        }
    }
}

void disk_image_deinit(struct disk_image *image)
{
    for (int i = 0; i < DISK_FILES; i++) {
        buffer_deinit(&image->files[i]);
    }
}

void disk_write_image(const struct disk_image *image, const char *directory)
{
    char path[256];
    (void)snprintf(path, sizeof(path), "%s/store.db-shm", directory);
    (void)unlink(path);
    for (int i = 0; i < DISK_FILES; i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", directory, endings[i]);
        (void)unlink(path);
        if (image->there[i]) {
            int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
            assert_true(file >= 0);
            assert_int_equal(write(file, image->files[i].data, image->files[i].len),
                             image->files[i].len);
            assert_int_equal(close(file), 0);
        }
    }
}

/* ---- the file system of SQLite's ------------------------------------------------------------- */

static struct file *of(sqlite3_file *base)
{
    return (struct file *)base;
}

static sqlite3_file *real_of(sqlite3_file *base)
{
    return of(base)->real;
}

static int file_close(sqlite3_file *base)
{
    return real_of(base)->pMethods->xClose(real_of(base));
}

static int file_read(sqlite3_file *base, void *data, int len, sqlite3_int64 at)
{
    int error = fault_of(DISK_READ, NULL);
    if (error != 0) {
        return result_of(of(base), error, SQLITE_IOERR_READ);
    }
    return real_of(base)->pMethods->xRead(real_of(base), data, len, at);
}

static int do_write(sqlite3_file *base, const void *data, int len, sqlite3_int64 at)
{
    int result = real_of(base)->pMethods->xWrite(real_of(base), data, len, at);
    if (result == SQLITE_OK) {
        remember(DISK_WRITE, of(base)->which, (uint64_t)at, data, (size_t)len);
    }
    return result;
}

static int file_write(sqlite3_file *base, const void *data, int len, sqlite3_int64 at)
{
    bool half;
    int error = fault_of(DISK_WRITE, &half);
    if (error != 0) {
        if (half) {
            (void)do_write(base, data, len / 2, at);
        }
        return result_of(of(base), error, SQLITE_IOERR_WRITE);
    }
    sqlite3_int64 before = 0;
    (void)real_of(base)->pMethods->xFileSize(real_of(base), &before);
    if (at + len > before && !take((uint64_t)before, (uint64_t)(at + len))) {
        return result_of(of(base), ENOSPC, SQLITE_IOERR_WRITE);
    }
    return do_write(base, data, len, at);
}

static int file_truncate(sqlite3_file *base, sqlite3_int64 len)
{
    sqlite3_int64 before = 0;
    int error = fault_of(DISK_TRUNCATE, NULL);
    if (error != 0) {
        return result_of(of(base), error, SQLITE_IOERR_TRUNCATE);
    }
    (void)real_of(base)->pMethods->xFileSize(real_of(base), &before);
    if (!take((uint64_t)before, (uint64_t)len)) {
        return result_of(of(base), ENOSPC, SQLITE_IOERR_WRITE);
    }
    int result = real_of(base)->pMethods->xTruncate(real_of(base), len);
    if (result == SQLITE_OK) {
        remember(DISK_TRUNCATE, of(base)->which, (uint64_t)len, NULL, 0);
    }
    return result;
}

static int file_sync(sqlite3_file *base, int flags)
{
    int error = fault_of(DISK_SYNC, NULL);
    if (error != 0) {
        return result_of(of(base), error, SQLITE_IOERR_FSYNC);
    }
    int result = real_of(base)->pMethods->xSync(real_of(base), flags);
    if (result == SQLITE_OK) {
        remember(DISK_SYNC, of(base)->which, 0, NULL, 0);
    }
    return result;
}

static int file_size(sqlite3_file *base, sqlite3_int64 *out)
{
    return real_of(base)->pMethods->xFileSize(real_of(base), out);
}

static int file_lock(sqlite3_file *base, int lock)
{
    return real_of(base)->pMethods->xLock(real_of(base), lock);
}

static int file_unlock(sqlite3_file *base, int lock)
{
    return real_of(base)->pMethods->xUnlock(real_of(base), lock);
}

static int file_check_reserved(sqlite3_file *base, int *out)
{
    return real_of(base)->pMethods->xCheckReservedLock(real_of(base), out);
}

static int file_control(sqlite3_file *base, int operation, void *argument)
{
    if (operation == SQLITE_FCNTL_LAST_ERRNO && of(base)->error != 0) {
        *(int *)argument = of(base)->error;
        return SQLITE_OK;
    }
    return real_of(base)->pMethods->xFileControl(real_of(base), operation, argument);
}

static int file_sector(sqlite3_file *base)
{
    return real_of(base)->pMethods->xSectorSize(real_of(base));
}

static int file_characteristics(sqlite3_file *base)
{
    return real_of(base)->pMethods->xDeviceCharacteristics(real_of(base));
}

static int file_map(sqlite3_file *base, int page, int size, int extends, void volatile **out)
{
    return real_of(base)->pMethods->xShmMap(real_of(base), page, size, extends, out);
}

static int file_lock_shared(sqlite3_file *base, int offset, int n, int flags)
{
    return real_of(base)->pMethods->xShmLock(real_of(base), offset, n, flags);
}

static void file_barrier(sqlite3_file *base)
{
    real_of(base)->pMethods->xShmBarrier(real_of(base));
}

static int file_unmap(sqlite3_file *base, int removes)
{
    return real_of(base)->pMethods->xShmUnmap(real_of(base), removes);
}

static const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = file_close,
    .xRead = file_read,
    .xWrite = file_write,
    .xTruncate = file_truncate,
    .xSync = file_sync,
    .xFileSize = file_size,
    .xLock = file_lock,
    .xUnlock = file_unlock,
    .xCheckReservedLock = file_check_reserved,
    .xFileControl = file_control,
    .xSectorSize = file_sector,
    .xDeviceCharacteristics = file_characteristics,
    .xShmMap = file_map,
    .xShmLock = file_lock_shared,
    .xShmBarrier = file_barrier,
    .xShmUnmap = file_unmap,
};

static int which_of(const char *name)
{
    size_t len = name != NULL ? strlen(name) : 0;
    for (int i = 0; i < DISK_FILES; i++) {
        size_t ending = strlen(endings[i]);
        if (len >= ending && strcmp(name + len - ending, endings[i]) == 0) {
            return i;
        }
    }
    return NONE;
}

static int disk_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *base, int flags, int *out)
{
    struct file *file = of(base);
    int error = fault_of(DISK_OPEN, NULL);
    file->base.pMethods = NULL;
    if (error != 0) {
        return result_of(file, error, SQLITE_CANTOPEN);
    }
    *file = (struct file){.which = which_of(name)};
    file->real = (sqlite3_file *)(file + 1);
    int result = disk.real->xOpen(disk.real, name, file->real, flags, out);
    if (file->real->pMethods != NULL) {
        file->base.pMethods = &methods;
        remember(DISK_OPEN, file->which, 0, NULL, 0);
    }
    return result;
}

static int disk_delete(sqlite3_vfs *vfs, const char *name, int syncs)
{
    struct stat found;
    int error = fault_of(DISK_DELETE, NULL);
    if (error != 0) {
        errno = error;
        return SQLITE_IOERR_DELETE;
    }
    uint64_t len = stat(name, &found) == 0 ? (uint64_t)found.st_size : 0;
    int result = disk.real->xDelete(disk.real, name, syncs);
    if (result == SQLITE_OK) {
        (void)take(len, 0);
        remember(DISK_DELETE, which_of(name), (uint64_t)syncs, NULL, 0);
    }
    return result;
}

void disk_install(void)
{
    if (disk.real == NULL) {
        disk.real = sqlite3_vfs_find(NULL);
        disk.vfs = *disk.real;
        disk.vfs.zName = "disk";
        disk.vfs.pNext = NULL;
        disk.vfs.szOsFile = (int)sizeof(struct file) + disk.real->szOsFile;
        disk.vfs.xOpen = disk_open;
        disk.vfs.xDelete = disk_delete;
        assert_int_equal(sqlite3_vfs_register(&disk.vfs, 1), SQLITE_OK);
    }
    (void)disk_heal();
    disk_set_free(UINT64_MAX);
    disk_forget();
}

/* ---- the store's own calls ------------------------------------------------------------------- */

int __real_fallocate(int fd, int mode, off_t offset, off_t len);
int __wrap_fallocate(int fd, int mode, off_t offset, off_t len);
int __real_ftruncate(int fd, off_t len);
int __wrap_ftruncate(int fd, off_t len);
int __real_fstatvfs(int fd, struct statvfs *out);
int __wrap_fstatvfs(int fd, struct statvfs *out);

static uint64_t length_of(int fd)
{
    struct stat found;
    return fstat(fd, &found) == 0 ? (uint64_t)found.st_size : 0;
}

int __wrap_fallocate(int fd, int mode, off_t offset, off_t len)
{
    int error = fault_of(DISK_ALLOCATE, NULL);
    uint64_t before = length_of(fd);
    uint64_t after = (uint64_t)(offset + len);
    if (error == 0 && after > before && !take(before, after)) {
        error = ENOSPC;
    }
    if (error != 0) {
        errno = error;
        return -1;
    }
    return __real_fallocate(fd, mode, offset, len);
}

int __wrap_ftruncate(int fd, off_t len)
{
    (void)take(length_of(fd), (uint64_t)len);
    return __real_ftruncate(fd, len);
}

int __wrap_fstatvfs(int fd, struct statvfs *out)
{
    int result = __real_fstatvfs(fd, out);
    (void)pthread_mutex_lock(&disk.mutex);
    if (result == 0 && disk.free != UINT64_MAX) {
        out->f_frsize = BLOCK;
        out->f_bavail = disk.free / BLOCK;
    }
    (void)pthread_mutex_unlock(&disk.mutex);
    return result;
}
