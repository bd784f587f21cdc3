/* append: see append.h. */
#include "tools/ipcbench/append.h"
#include "tools/ipcbench/cpu.h"
#include "tools/ipcbench/fail.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FILE_BYTES_MAX = 256 * 1024 * 1024 }; /* then from the beginning */

int append_open(struct append *append, const char *directory)
{
    char path[128];
    (void)snprintf(path, sizeof(path), "%s/append", directory);
    *append = (struct append){.fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600)};
    if (append->fd < 0) {
        return fail("no file can be made in %s: %s", directory, strerror(errno));
    }
    (void)unlink(path);
    return 0;
}

void append_close(struct append *append)
{
    if (append->fd >= 0) {
        (void)close(append->fd);
        append->fd = -1;
    }
}

static int append_once(struct append *append, const void *data, size_t bytes)
{
    if (append->size > FILE_BYTES_MAX) {
        append->size = 0;
        (void)ftruncate(append->fd, 0);
    }
    if (pwrite(append->fd, data, bytes, (off_t)append->size) != (ssize_t)bytes ||
        fdatasync(append->fd) < 0) {
        return fail("a file cannot be written: %s", strerror(errno));
    }
    append->size += bytes;
    return 0;
}

int append_run(struct append *append, size_t bytes, uint64_t nanoseconds, uint64_t *syncs,
               uint64_t *longest)
{
    void *data = calloc(1, bytes);
    uint64_t began = clock_now();
    uint64_t last = began;
    int status = data == NULL ? fail("out of memory") : 0;
    *syncs = 0;
    *longest = 0;
    while (status == 0 && last - began < nanoseconds) {
        status = append_once(append, data, bytes);
        uint64_t now = clock_now();
        *longest = now - last > *longest ? now - last : *longest;
        last = now;
        ++*syncs;
        if (interrupted()) {
            status = fail("interrupted");
        }
    }
    free(data);
    return status;
}
