/* cpu: see cpu.h. */
#include "tools/ipcbench/cpu.h"
#include "tools/ipcbench/fail.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { SETTLE_NANOSECONDS = 2000000 };

static int read_text(const char *path, char *text, size_t size)
{
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return -1;
    }
    size_t len = fread(text, 1, size - 1, file);
    text[len] = '\0';
    (void)fclose(file);
    return len > 0 ? 0 : -1;
}

/* The sum over the threads, or -1 if there is no schedstat. */
static int64_t schedstat_sum(pid_t pid)
{
    char path[64];
    (void)snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
    DIR *directory = opendir(path);
    if (directory == NULL) {
        return -1;
    }
    int64_t sum = -1;
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        char file[sizeof(path) + sizeof(entry->d_name) + 16];
        char text[128];
        (void)snprintf(file, sizeof(file), "%s/%s/schedstat", path, entry->d_name);
        if (entry->d_name[0] != '.' && read_text(file, text, sizeof(text)) == 0) {
            sum = (sum < 0 ? 0 : sum) + strtoll(text, NULL, 10);
        }
    }
    (void)closedir(directory);
    return sum;
}

/* utime and stime: the 14th and 15th field; the second, the name, may hold blanks. */
static int64_t stat_sum(pid_t pid)
{
    char path[64];
    char text[1024];
    (void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    if (read_text(path, text, sizeof(text)) < 0) {
        return -1;
    }
    const char *rest = strrchr(text, ')');
    int64_t user;
    int64_t system;
    if (rest == NULL ||
        sscanf(rest + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %" SCNd64 " %" SCNd64, &user,
               &system) != 2) {
        return -1;
    }
    return (user + system) * (1000000000 / sysconf(_SC_CLK_TCK));
}

int64_t cpu_time(pid_t pid, bool *coarse)
{
    int64_t sum = schedstat_sum(pid);
    *coarse = sum < 0;
    return *coarse ? stat_sum(pid) : sum;
}

static uint64_t clock_read(clockid_t clock)
{
    struct timespec now;
    (void)clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

uint64_t clock_now(void)
{
    return clock_read(CLOCK_MONOTONIC);
}

void clock_sleep(uint64_t nanoseconds)
{
    struct timespec left = {(time_t)(nanoseconds / 1000000000U), (long)(nanoseconds % 1000000000U)};
    while (nanosleep(&left, &left) < 0 && errno == EINTR) {
        continue;
    }
}

void meter_start(struct meter *meter, pid_t pid)
{
    bool coarse;
    clock_sleep(SETTLE_NANOSECONDS);
    meter->pid = pid;
    meter->server = pid > 0 ? cpu_time(pid, &coarse) : -1;
    meter->own = (int64_t)clock_read(CLOCK_PROCESS_CPUTIME_ID);
    meter->wall = clock_now();
}

void meter_stop(const struct meter *meter, uint64_t operations, struct measurement *out)
{
    bool coarse;
    double count = (double)operations;
    double wall = (double)(clock_now() - meter->wall);
    int64_t own = (int64_t)clock_read(CLOCK_PROCESS_CPUTIME_ID) - meter->own;
    out->figures[FIGURE_RATE] = count * 1e9 / wall;
    out->figures[FIGURE_LOAD_CPU] = (double)own / 1000.0 / count;
    clock_sleep(SETTLE_NANOSECONDS);
    int64_t server = meter->server >= 0 ? cpu_time(meter->pid, &coarse) : -1;
    if (server >= 0) {
        out->figures[FIGURE_CPU] = (double)(server - meter->server) / 1000.0 / count;
    }
}

int cpu_choose(bool one, int *server, int *load)
{
    cpu_set_t set;
    int found[2] = {-1, -1};
    int count = 0;
    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof(set), &set) == 0) {
        for (unsigned i = 0; i < CPU_SETSIZE && count < 2; i++) {
            if (CPU_ISSET(i, &set)) {
                found[count++] = (int)i;
            }
        }
    }
    if (count == 0 || (count < 2 && !one)) {
        return fail("--pin needs two processors, one for the server and one for the load, and "
                    "this process may use only one");
    }
    *server = found[0];
    *load = found[one ? 0 : 1];
    return 0;
}

int cpu_bind(pid_t pid, int processor)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET((unsigned)processor, &set);
    return sched_setaffinity(pid, sizeof(set), &set);
}
