/* directory: see directory.h. Tests: tests/unit/store/test_store.c. */
#include "daemon/store/directory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "daemon/store/failure.h"

enum { OTHERS_WRITE = S_IWGRP | S_IWOTH };

static const char *const files[] = {DIRECTORY_DATABASE, DIRECTORY_LOG,  DIRECTORY_INDEX,
                                    DIRECTORY_JOURNAL,  DIRECTORY_LOCK, DIRECTORY_RESERVE};
enum { FILES = sizeof(files) / sizeof(files[0]) };

/* A directory that has just been made is there after a power loss only if its parent is synced. */
static int sync_parent(const char *path, char **error)
{
    char *copy = strdup(path);
    if (copy == NULL) {
        return failure(error, ENOMEM, "there is no memory to open the store %s", path);
    }
    char *slash = strrchr(copy, '/');
    slash[slash == copy ? 1 : 0] = '\0';
    int parent = open(copy, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int code = parent < 0 || fsync(parent) < 0 ? errno : 0;
    if (parent >= 0) {
        (void)close(parent);
    }
    free(copy);
    return code == 0 ? 0
                     : failure(error, code, "the directory of the store %s cannot be synced: %s",
                               path, strerror(code));
}

static int make(const char *path, char **error)
{
    if (path[0] != '/') {
        return failure(error, EINVAL, "the directory of the store, %s, must begin with \"/\"",
                       path);
    }
    if (mkdir(path, S_IRWXU) < 0) {
        return errno == EEXIST ? 0
                               : failure(error, errno, "the directory %s cannot be made: %s", path,
                                         strerror(errno));
    }
    return sync_parent(path, error);
}

static int check_owner(const char *path, const char *name, const struct stat *found, char **error)
{
    const char *slash = name[0] != '\0' ? "/" : "";
    if (found->st_uid != geteuid()) {
        return failure(error, EPERM,
                       "%s%s%s belongs to uid %u, and the daemon runs as uid %u: give it to that "
                       "uid, or name another directory",
                       path, slash, name, found->st_uid, geteuid());
    }
    if ((found->st_mode & OTHERS_WRITE) != 0) {
        return failure(error, EPERM,
                       "%s%s%s may be written by others (mode %04o): what is in it cannot be "
                       "trusted; \"chmod go-w\" it if it can",
                       path, slash, name, found->st_mode & 07777U);
    }
    return 0;
}

static int check(const char *path, int fd, char **error)
{
    struct stat found;
    struct statvfs system;
    if (fstat(fd, &found) < 0 || fstatvfs(fd, &system) < 0) {
        return failure(error, errno, "%s cannot be examined: %s", path, strerror(errno));
    }
    int code = check_owner(path, "", &found, error);
    if (code == 0 && (system.f_flag & ST_RDONLY) != 0) {
        return failure(error, EROFS,
                       "%s is on a file system that is mounted read-only: a store must be written",
                       path);
    }
    for (int i = 0; code == 0 && i < FILES; i++) {
        if (fstatat(fd, files[i], &found, AT_SYMLINK_NOFOLLOW) < 0) {
            if (errno != ENOENT) {
                return failure(error, errno, "%s/%s cannot be examined: %s", path, files[i],
                               strerror(errno));
            }
        } else if (!S_ISREG(found.st_mode)) {
            return failure(error, EPERM, "%s/%s is not a plain file: take it away", path, files[i]);
        } else {
            code = check_owner(path, files[i], &found, error);
        }
    }
    return code;
}

/* Somebody else has the lock. */
static int refuse(const char *path, int lock, char **error)
{
    char text[32] = {0};
    ssize_t len = pread(lock, text, sizeof(text) - 1, 0);
    unsigned long process = len > 0 ? strtoul(text, NULL, 10) : 0;
    if (process == 0) {
        return failure(error, EBUSY, "%s is in use by another daemon: name another directory",
                       path);
    }
    return failure(error, EBUSY,
                   "%s is in use by another daemon, process %lu: stop that, or name another "
                   "directory",
                   path, process);
}

static int take_lock(const char *path, struct directory *directory, char **error)
{
    char text[32];
    int lock = openat(directory->fd, DIRECTORY_LOCK, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
                      S_IRUSR | S_IWUSR);
    if (lock < 0) {
        return failure(error, errno, "%s/%s cannot be opened: %s", path, DIRECTORY_LOCK,
                       strerror(errno));
    }
    directory->lock = lock;
    if (flock(lock, LOCK_EX | LOCK_NB) < 0) {
        return errno == EWOULDBLOCK ? refuse(path, lock, error)
                                    : failure(error, errno, "%s/%s cannot be locked: %s", path,
                                              DIRECTORY_LOCK, strerror(errno));
    }
    /* Without the number, as on a full disk, the lock holds no less. */
    int len = snprintf(text, sizeof(text), "%ld\n", (long)getpid());
    if (ftruncate(lock, 0) < 0 || pwrite(lock, text, (size_t)len, 0) < 0) {
        return 0;
    }
    return 0;
}

/* SQLite would make it readable for everybody. */
static int make_database(const char *path, const struct directory *directory, char **error)
{
    int file = openat(directory->fd, DIRECTORY_DATABASE, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC,
                      S_IRUSR | S_IWUSR);
    if (file < 0) {
        return errno == EEXIST ? 0
                               : failure(error, errno, "%s/%s cannot be made: %s", path,
                                         DIRECTORY_DATABASE, strerror(errno));
    }
    (void)close(file);
    return fsync(directory->fd) == 0
               ? 0
               : failure(error, errno, "%s cannot be synced: %s", path, strerror(errno));
}

/* Reads the file and writes the same to the same place. 0 or an errno value. */
static int write_again(int file)
{
    enum { BLOCK = 64 * 1024 };
    uint8_t block[BLOCK];
    ssize_t len;
    for (off_t at = 0; (len = pread(file, block, sizeof(block), at)) > 0; at += len) {
        if (pwrite(file, block, (size_t)len, at) != len) {
            return errno != 0 ? errno : EIO;
        }
    }
    return len < 0 || fdatasync(file) < 0 ? errno : 0;
}

static int write_log_again(const char *path, const struct directory *directory, char **error)
{
    int file = openat(directory->fd, DIRECTORY_LOG, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (file < 0 && errno == ENOENT) {
        return 0;
    }
    int code = file < 0 ? errno : write_again(file);
    if (file >= 0) {
        (void)close(file);
    }
    return code == 0 ? 0
                     : failure(error, code, "%s/%s cannot be written: %s", path, DIRECTORY_LOG,
                               strerror(code));
}

int directory_open(const char *path, struct directory *out, char **error)
{
    struct directory directory = {.fd = -1, .lock = -1};
    int code = make(path, error);
    if (code != 0) {
        return code;
    }
    directory.fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory.fd < 0) {
        return failure(error, errno, "%s cannot be opened: %s", path, strerror(errno));
    }
    code = check(path, directory.fd, error);
    if (code == 0) {
        code = take_lock(path, &directory, error);
    }
    if (code == 0) {
        code = make_database(path, &directory, error);
    }
    if (code == 0) {
        code = write_log_again(path, &directory, error);
    }
    if (code != 0) {
        directory_close(&directory);
        return code;
    }
    *out = directory;
    return 0;
}

void directory_close(struct directory *directory)
{
    if (directory->lock >= 0) {
        (void)close(directory->lock);
    }
    if (directory->fd >= 0) {
        (void)close(directory->fd);
    }
    *directory = (struct directory){.fd = -1, .lock = -1};
}

/* The number of a file; 0: it is not there. */
static uint64_t identity(const struct directory *directory, const char *name)
{
    struct stat found;
    return fstatat(directory->fd, name, &found, AT_SYMLINK_NOFOLLOW) == 0 ? found.st_ino : 0;
}

void directory_note(struct directory *directory)
{
    directory->database = identity(directory, DIRECTORY_DATABASE);
    directory->log = identity(directory, DIRECTORY_LOG);
}

bool directory_is_whole(const struct directory *directory)
{
    return identity(directory, DIRECTORY_DATABASE) == directory->database &&
           identity(directory, DIRECTORY_LOG) == directory->log;
}

uint64_t directory_bytes(const struct directory *directory)
{
    uint64_t bytes = 0;
    for (int i = 0; i < FILES; i++) {
        struct stat found;
        if (fstatat(directory->fd, files[i], &found, AT_SYMLINK_NOFOLLOW) == 0) {
            bytes += (uint64_t)found.st_blocks * 512;
        }
    }
    return bytes;
}
