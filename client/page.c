/* page: see page.h. Tests: tests/system/test_client_ahead.c. */
#include "client/page.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/stat.h>

bool page_map(struct page *page, const struct ipcc_reply *reply)
{
    struct ipcc_value descriptor;
    struct ipcc_value number;
    uint64_t slots;
    struct stat status;
    struct ipcc_walk walk = ipcc_walk_of(&reply->value);
    if (!ipcc_walk_next(&walk, &descriptor) || !ipcc_walk_next(&walk, &number) ||
        ipcc_value_uint(&number, &slots) < 0 || slots == 0) {
        return false;
    }
    int fd = ipcc_reply_fd(reply, &descriptor);
    if (fd < 0 || fstat(fd, &status) < 0 || (fcntl(fd, F_GET_SEALS) & F_SEAL_SHRINK) == 0 ||
        (uint64_t)status.st_size / sizeof(uint64_t) < slots) {
        return false;
    }
    size_t size = slots * sizeof(uint64_t);
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED) {
        return false;
    }
    page->memory = memory;
    page->size = size;
    return true;
}

bool page_take(struct page *page, unsigned slot, uint32_t generation, uint32_t taken)
{
    _Atomic uint64_t *at = (_Atomic uint64_t *)page->memory + slot;
    uint64_t before = (uint64_t)generation << 32 | taken;
    return atomic_compare_exchange_strong(at, &before, before + 1);
}

void page_deinit(struct page *page)
{
    if (page->memory != NULL) {
        (void)munmap(page->memory, page->size);
        page->memory = NULL;
    }
}
