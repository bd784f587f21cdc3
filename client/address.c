/*
 * address: where the daemon's socket is, by the order of the protocol.
 *
 * Tests: tests/unit/client/test_link.c.
 */
#include "client/address.h"

#include "client/error.h"

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

int address_find(struct address *address, const char *path)
{
    char found[sizeof(address->socket.sun_path)];
    if (path == NULL) {
        path = secure_getenv("IPCD_SOCKET");
        if (path == NULL || path[0] == '\0' || strcmp(path, "embedded") == 0) {
            path = default_path(found, sizeof(found));
        }
    }
    size_t len = strlen(path);
    if (len == 0 || len >= sizeof(address->socket.sun_path)) {
        return error_set(IPCC_ERR_ARGUMENT,
                         "the socket's path must have 1 to %zu bytes; \"%.60s\" has %zu",
                         sizeof(address->socket.sun_path) - 1, path, len);
    }
    bool abstract = path[0] == '@';
    address->socket = (struct sockaddr_un){.sun_family = AF_UNIX};
    memcpy(address->socket.sun_path, path, len);
    if (abstract) {
        address->socket.sun_path[0] = '\0';
    }
    address->length =
        (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + (abstract ? 0 : 1));
    return 0;
}

const char *address_text(const struct address *address, char text[ADDRESS_TEXT])
{
    memcpy(text, address->socket.sun_path, ADDRESS_TEXT);
    if (text[0] == '\0') {
        text[0] = '@';
    }
    text[ADDRESS_TEXT - 1] = '\0';
    return text;
}
