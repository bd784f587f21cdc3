/* space: see space.h. Tests: tests/unit/store/test_space.c. */
#include "daemon/store/space.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "daemon/store/directory.h"
#include "daemon/store/failure.h"

static uint64_t allocated(int file)
{
    struct stat found;
    return fstat(file, &found) == 0 ? (uint64_t)found.st_blocks * 512 : 0;
}

static uint64_t length(int file)
{
    struct stat found;
    return fstat(file, &found) == 0 ? (uint64_t)found.st_size : 0;
}

static uint64_t free_bytes(int directory)
{
    struct statvfs system;
    return fstatvfs(directory, &system) == 0 ? (uint64_t)system.f_bavail * system.f_frsize : 0;
}

int space_open(struct space *space, int directory, uint64_t reserve, char **error)
{
    *space = (struct space){.directory = directory, .log = -1, .file = -1, .half = reserve / 2};
    space->log = openat(directory, DIRECTORY_LOG, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (space->log >= 0) {
        space->file = openat(directory, DIRECTORY_RESERVE,
                             O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR);
    }
    if (space->file < 0) {
        int code = failure(error, errno, "the file \"%s\" in the store cannot be opened: %s",
                           space->log < 0 ? DIRECTORY_LOG : DIRECTORY_RESERVE, strerror(errno));
        space_close(space);
        return code;
    }
    (void)space_restore(space);
    return 0;
}

void space_close(struct space *space)
{
    if (space->log >= 0) {
        (void)close(space->log);
    }
    if (space->file >= 0) {
        (void)close(space->file);
    }
    space->log = space->file = -1;
}

void space_look(const struct space *space, uint64_t used, struct space_view *out)
{
    /* The other thread may give the file up meanwhile: it must not count twice. */
    uint64_t before = allocated(space->file);
    uint64_t system = free_bytes(space->directory);
    uint64_t after = allocated(space->file);
    *out = (struct space_view){.log = length(space->log),
                               .used = used,
                               .kept = before < after ? before : after,
                               .free = system};
}

bool space_release(struct space *space)
{
    if (allocated(space->file) == 0 || ftruncate(space->file, 0) < 0) {
        return false;
    }
    space->is_short = true;
    return true;
}

bool space_restore(struct space *space)
{
    uint64_t kept = allocated(space->file);
    bool whole = kept >= space->half;
    if (!whole && free_bytes(space->directory) / 2 >= space->half - kept) {
        /* Where files cannot be allocated, what is free is what there is. */
        whole = fallocate(space->file, 0, 0, (off_t)space->half) == 0 || errno == EOPNOTSUPP;
    }
    space->is_short = !whole;
    return whole;
}

/* a + b, or as much as there can be. */
static uint64_t plus(uint64_t a, uint64_t b)
{
    return a <= UINT64_MAX - b ? a + b : UINT64_MAX;
}

/* What the log must have: the last part is for changes that make room. */
static uint64_t log_needed(const struct space *space, const struct space_view *view, uint64_t bytes,
                           bool freeing)
{
    return plus(plus(view->used, bytes), freeing ? 0 : space->half / 4);
}

bool space_suffices(const struct space *space, const struct space_view *view, uint64_t bytes,
                    bool freeing)
{
    if (log_needed(space, view, bytes, freeing) > view->log) {
        return false;
    }
    return freeing || plus(view->used, bytes) <= plus(plus(view->kept, view->free), view->inside);
}

bool space_lengthen(const struct space *space, struct space_view *view, uint64_t bytes)
{
    uint64_t needed = log_needed(space, view, bytes, false);
    needed = needed > 2 * space->half ? needed : 2 * space->half;
    if (needed > INT64_MAX) {
        return false;
    }
    if (fallocate(space->log, 0, 0, (off_t)needed) == 0) {
        view->log = length(space->log);
        return true;
    }
    if (errno != EOPNOTSUPP || view->free / 2 < needed) {
        return false;
    }
    view->log = needed;
    return true;
}
