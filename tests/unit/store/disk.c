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

#include "tests/support/unit.h"
#include "tests/unit/store/record.h"

enum { BLOCK = 4096 };

struct file {
    sqlite3_file base;
    int which; /* as record_file says */
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

bool disk_has_failed(void)
{
    (void)pthread_mutex_lock(&disk.mutex);
    bool failed = disk.has_failed;
    (void)pthread_mutex_unlock(&disk.mutex);
    return failed;
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
        record_event(DISK_WRITE, of(base)->which, (uint64_t)at, data, (size_t)len);
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
        record_event(DISK_TRUNCATE, of(base)->which, (uint64_t)len, NULL, 0);
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
        record_event(DISK_SYNC, of(base)->which, 0, NULL, 0);
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

static int disk_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *base, int flags, int *out)
{
    struct file *file = of(base);
    int error = fault_of(DISK_OPEN, NULL);
    file->base.pMethods = NULL;
    if (error != 0) {
        return result_of(file, error, SQLITE_CANTOPEN);
    }
    *file = (struct file){.which = record_file(name)};
    file->real = (sqlite3_file *)(file + 1);
    int result = disk.real->xOpen(disk.real, name, file->real, flags, out);
    if (file->real->pMethods != NULL) {
        file->base.pMethods = &methods;
        record_event(DISK_OPEN, file->which, 0, NULL, 0);
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
        record_event(DISK_DELETE, record_file(name), (uint64_t)syncs, NULL, 0);
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
    record_forget();
}

/* ---- the store's own calls: of the names that they have where files are large ------------------
 */

int __real_fallocate64(int fd, int mode, off_t offset, off_t len);
int __wrap_fallocate64(int fd, int mode, off_t offset, off_t len);
int __real_ftruncate64(int fd, off_t len);
int __wrap_ftruncate64(int fd, off_t len);
int __real_fstatvfs64(int fd, struct statvfs *out);
int __wrap_fstatvfs64(int fd, struct statvfs *out);

static uint64_t length_of(int fd)
{
    struct stat found;
    return fstat(fd, &found) == 0 ? (uint64_t)found.st_size : 0;
}

int __wrap_fallocate64(int fd, int mode, off_t offset, off_t len)
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
    return __real_fallocate64(fd, mode, offset, len);
}

int __wrap_ftruncate64(int fd, off_t len)
{
    (void)take(length_of(fd), (uint64_t)len);
    return __real_ftruncate64(fd, len);
}

int __wrap_fstatvfs64(int fd, struct statvfs *out)
{
    int result = __real_fstatvfs64(fd, out);
    (void)pthread_mutex_lock(&disk.mutex);
    if (result == 0 && disk.free != UINT64_MAX) {
        out->f_frsize = BLOCK;
        out->f_bavail = disk.free / BLOCK;
    }
    (void)pthread_mutex_unlock(&disk.mutex);
    return result;
}
