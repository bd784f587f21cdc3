/* cpu: see cpu.h. */
#include "tools/ipcbench/cpu.h"
#include "tools/ipcbench/fail.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
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

/* The first two figures of schedstat, added to *out. */
static int add_schedstat(const char *file, struct cpu_usage *out)
{
    char text[128];
    int64_t run;
    int64_t wait;
    if (read_text(file, text, sizeof(text)) < 0 ||
        sscanf(text, "%" SCNd64 " %" SCNd64, &run, &wait) != 2) {
        return -1;
    }
    out->run += run;
    out->wait += wait;
    return 0;
}

/* The sums over the threads. 0, or -1 if there is no schedstat. */
static int sum_schedstat(pid_t pid, struct cpu_usage *out)
{
    char path[64];
    int status = -1;
    (void)snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
    DIR *directory = opendir(path);
    *out = (struct cpu_usage){0};
    for (struct dirent *entry; directory != NULL && (entry = readdir(directory)) != NULL;) {
        char file[sizeof(path) + sizeof(entry->d_name) + 16];
        (void)snprintf(file, sizeof(file), "%s/%s/schedstat", path, entry->d_name);
        if (entry->d_name[0] != '.' && add_schedstat(file, out) == 0) {
            status = 0;
        }
    }
    if (directory != NULL) {
        (void)closedir(directory);
    }
    return status;
}

/* utime and stime: the 14th and 15th field; the second, the name, may hold blanks. */
static int sum_stat(pid_t pid, struct cpu_usage *out)
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
    int64_t ticks = user + system;
    *out = (struct cpu_usage){ticks * (1000000000 / sysconf(_SC_CLK_TCK)), -1, true};
    return 0;
}

int cpu_usage_read(pid_t pid, struct cpu_usage *out)
{
    return sum_schedstat(pid, out) == 0 ? 0 : sum_stat(pid, out);
}

int cpu_thread_read(pid_t pid, struct cpu_usage *out)
{
    char path[64];
    (void)snprintf(path, sizeof(path), "/proc/%d/task/%d/schedstat", (int)pid, (int)pid);
    *out = (struct cpu_usage){0};
    clock_sleep(SETTLE_NANOSECONDS);
    return add_schedstat(path, out);
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
    clock_sleep(SETTLE_NANOSECONDS);
    meter->pid = pid > 0 && cpu_usage_read(pid, &meter->server) == 0 ? pid : 0;
    meter->own = (int64_t)clock_read(CLOCK_PROCESS_CPUTIME_ID);
    meter->wall = clock_now();
}

void meter_stop(const struct meter *meter, uint64_t operations, struct measurement *out)
{
    double count = (double)operations;
    double wall = (double)(clock_now() - meter->wall);
    int64_t own = (int64_t)clock_read(CLOCK_PROCESS_CPUTIME_ID) - meter->own;
    struct cpu_usage server;
    out->figures[FIGURE_RATE] = count * 1e9 / wall;
    out->figures[FIGURE_LOAD_CPU] = (double)own / 1000.0 / count;
    clock_sleep(SETTLE_NANOSECONDS);
    if (meter->pid == 0 || cpu_usage_read(meter->pid, &server) < 0) {
        return;
    }
    out->figures[FIGURE_CPU] = (double)(server.run - meter->server.run) / 1000.0 / count;
    if (server.wait >= 0) {
        out->figures[FIGURE_WAIT] = (double)(server.wait - meter->server.wait) / 1000.0 / count;
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
