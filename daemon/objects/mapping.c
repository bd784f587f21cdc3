/* mapping: see mapping.h. Tests: tests/unit/objects/model_shared.c, tests/system/test_shared.c. */
#include "daemon/objects/mapping.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/objects/bulk.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U /* of Linux 6.3: it cannot be made a program */
#endif

/* What is unmapped at a time: whole pages, of whatever size. */
enum { UNMAP_STRETCH = PACE_STRETCH * BULK_FREE_STEP };

static int new_memfd(void)
{
    int fd = memfd_create("ipcd", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);
    if (fd < 0 && errno == EINVAL) {
        fd = memfd_create("ipcd", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    }
    return fd;
}

int mapping_init(struct mapping *mapping, size_t size)
{
    int fd = new_memfd();
    if (fd < 0) {
        return ERR_MEMORY;
    }
    void *memory = MAP_FAILED;
    if (ftruncate(fd, (off_t)size) == 0 && fchmod(fd, S_IRUSR | S_IWUSR) == 0 &&
        fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0) {
        memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    }
    if (memory == MAP_FAILED) {
        int error = errno;
        (void)close(fd);
        errno = error;
        return ERR_MEMORY;
    }
    *mapping = (struct mapping){.fd = fd, .memory = memory, .size = size};
    return 0;
}

int mapping_take_over(struct mapping *mapping, int fd, size_t size)
{
    struct stat file;
    int seals = fcntl(fd, F_GET_SEALS);
    if (size == 0 || fstat(fd, &file) < 0 || (uint64_t)file.st_size != size || seals < 0 ||
        (seals & F_SEAL_SHRINK) == 0) {
        return ERR_VALUE;
    }
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED) {
        return ERR_MEMORY;
    }
    *mapping = (struct mapping){.fd = fd, .memory = memory, .size = size};
    return 0;
}

void mapping_unmap(struct mapping *mapping, struct pace *pace)
{
    size_t stretch = pace == NULL ? mapping->size : UNMAP_STRETCH;
    while (mapping->memory != NULL && mapping->size > 0) {
        size_t part = mapping->size < stretch ? mapping->size : stretch;
        (void)munmap(mapping->memory, part);
        mapping->memory += part;
        mapping->size -= part;
        pace_step(pace, part / BULK_FREE_STEP);
    }
    mapping->memory = NULL;
}

int mapping_open_read(const struct mapping *mapping)
{
    char path[32];
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", mapping->fd);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    return fd < 0 ? ERR_MEMORY : fd;
}

size_t mapping_size(size_t size)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t most = (size_t)1 << 60;
    return size >= most ? most : (size + page - 1) / page * page;
}
