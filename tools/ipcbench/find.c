/* find: see find.h. */
#include "tools/ipcbench/find.h"

#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* What was given; else what is at a place seen from this program; else a name for PATH. */
static void find_program(const char *given, const char *place, const char *name, char *path,
                         size_t size)
{
    char self[PATH_MAX];
    if (given != NULL) {
        (void)snprintf(path, size, "%s", given);
        return;
    }
    ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
    self[len > 0 ? len : 0] = '\0';
    int written = snprintf(path, size, "%s/%s", dirname(self), place);
    if (written >= (int)size || access(path, X_OK) < 0) {
        (void)snprintf(path, size, "%s", name);
    }
}

void find_daemon(const struct options *options, char *path, size_t size)
{
    find_program(options->daemon, "../daemon/ipcd", "ipcd", path, size);
}

void find_cluster(const struct options *options, char *path, size_t size)
{
    find_program(options->redis_cluster, "redis-cluster", "redis-cluster", path, size);
}

/* Protocol, "The socket": the first that is set. */
void find_socket(const struct options *options, char *path, size_t size)
{
    const char *given = options->socket != NULL ? options->socket : getenv("IPCD_SOCKET");
    const char *runtime = getenv("XDG_RUNTIME_DIR");
    if (given != NULL) {
        (void)snprintf(path, size, "%s", given);
        return;
    }
    if (runtime != NULL) {
        (void)snprintf(path, size, "%s/ipcd/ipcd.sock", runtime);
        if (access(path, F_OK) == 0) {
            return;
        }
    }
    (void)snprintf(path, size, "/run/ipcd/ipcd.sock");
}
