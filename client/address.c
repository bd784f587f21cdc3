/*
 * address: where the daemon's socket is, by the order of the protocol.
 */
#include "client/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static const char system_path[] = "/run/ipcd/ipcd.sock";

static bool is_socket(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISSOCK(status.st_mode);
}

/* The user's daemon, written into `path` if there is a socket; else the system's. */
static const char *default_path(char *path, size_t size)
{
    const char *runtime = secure_getenv("XDG_RUNTIME_DIR");
    if (runtime != NULL && runtime[0] != '\0') {
        int len = snprintf(path, size, "%s/ipcd/ipcd.sock", runtime);
        if (len > 0 && (size_t)len < size && is_socket(path)) {
            return path;
        }
    }
    return system_path;
}

int address_find(struct ipcc *conn, const char *path)
{
    char found[sizeof(conn->address.sun_path)];
    if (path == NULL) {
        path = secure_getenv("IPCD_SOCKET");
        if (path == NULL || path[0] == '\0') {
            path = default_path(found, sizeof(found));
        }
    }
    size_t len = strlen(path);
    if (len == 0 || len >= sizeof(conn->address.sun_path)) {
        return error_set(IPCC_ERR_ARGUMENT,
                         "the socket's path must have 1 to %zu bytes; \"%.60s\" has %zu",
                         sizeof(conn->address.sun_path) - 1, path, len);
    }
    bool abstract = path[0] == '@';
    conn->address = (struct sockaddr_un){.sun_family = AF_UNIX};
    memcpy(conn->address.sun_path, path, len);
    if (abstract) {
        conn->address.sun_path[0] = '\0';
    }
    conn->address_len =
        (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + (abstract ? 0 : 1));
    return 0;
}
