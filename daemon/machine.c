/*
 * machine: see machine.h.
 *
 * Tests: tests/unit/daemon/test_machine.c, tests/system/test_memory.c.
 */
#include "daemon/machine.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* A version of control groups: where its memory controller is, and the file of the limit. */
struct hierarchy {
    const char *mount;
    const char *file;
};

static const struct hierarchy version_1 = {"/sys/fs/cgroup/memory", "memory.limit_in_bytes"};
static const struct hierarchy version_2 = {"/sys/fs/cgroup", "memory.max"};

static void lower(struct machine_memory *memory, uint64_t bytes, const char *what)
{
    if (bytes < memory->bytes) {
        *memory = (struct machine_memory){bytes, what};
    }
}

/* The number that the file has; UINT64_MAX: there is no such file, or "max" in it. */
static uint64_t read_number(const char *path)
{
    char text[32];
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return UINT64_MAX;
    }
    bool read = fgets(text, sizeof(text), file) != NULL;
    (void)fclose(file);
    if (!read || text[0] < '0' || text[0] > '9') {
        return UINT64_MAX;
    }
    errno = 0;
    unsigned long long number = strtoull(text, NULL, 10);
    return errno == 0 ? number : UINT64_MAX;
}

/* The limits of a group and of all those above it. */
static void look_at_group(const char *root, const struct hierarchy *hierarchy, char *group,
                          struct machine_memory *memory)
{
    char path[2 * PATH_MAX];
    for (;;) {
        (void)snprintf(path, sizeof(path), "%s%s%s/%s", root, hierarchy->mount, group,
                       hierarchy->file);
        lower(memory, read_number(path), "the memory limit of its control group");
        char *last = strrchr(group, '/');
        if (last == NULL) {
            return;
        }
        *last = '\0';
    }
}

/* True if a list with commas between has the word. */
static bool has_word(const char *list, size_t len, const char *word)
{
    while (len > 0) {
        const char *comma = memchr(list, ',', len);
        size_t one = comma != NULL ? (size_t)(comma - list) : len;
        if (one == strlen(word) && memcmp(list, word, one) == 0) {
            return true;
        }
        one += comma != NULL;
        list += one;
        len -= one;
    }
    return false;
}

/* "9:memory:/system.slice", "0::/system.slice": one of the groups that the process is in. */
static void look_at_line(const char *root, char *line, struct machine_memory *memory)
{
    char *controllers = strchr(line, ':');
    char *group = controllers != NULL ? strchr(controllers + 1, ':') : NULL;
    if (group == NULL) {
        return;
    }
    controllers++;
    size_t len = (size_t)(group - controllers);
    group++;
    group[strcspn(group, "\n")] = '\0';
    if (len == 0) {
        look_at_group(root, &version_2, group, memory);
    } else if (has_word(controllers, len, "memory")) {
        look_at_group(root, &version_1, group, memory);
    }
}

static void look_at_groups(const char *root, struct machine_memory *memory)
{
    char path[PATH_MAX];
    char line[PATH_MAX];
    (void)snprintf(path, sizeof(path), "%s/proc/self/cgroup", root);
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return;
    }
    while (fgets(line, sizeof(line), file) != NULL) {
        look_at_line(root, line, memory);
    }
    (void)fclose(file);
}

struct machine_memory machine_memory(const char *root)
{
    struct machine_memory memory = {UINT64_MAX, "not known"};
    struct rlimit space;
    long pages = sysconf(_SC_PHYS_PAGES); /* a system call, /proc/meminfo may be out of sight */
    if (pages > 0) {
        lower(&memory, (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE), "the machine's memory");
    }
    look_at_groups(root, &memory);
    if (getrlimit(RLIMIT_AS, &space) == 0 && space.rlim_cur != RLIM_INFINITY) {
        lower(&memory, space.rlim_cur, "its address space (RLIMIT_AS)");
    }
    return memory;
}
