/*
 * endpoint: see endpoint.h.
 *
 * Tests: tests/system/test_startup.c.
 */
#include "daemon/endpoint.h"

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char SYSTEM_PATH[] = "/run/ipcd/ipcd.sock";

static int refuse(struct fault *fault, const char *what, const char *value, const char *wanted)
{
    (void)snprintf(fault->text, sizeof(fault->text), "%s \"%s\": %s", what, value, wanted);
    return ERR_BAD_REQUEST;
}

/* What $IPCD_SOCKET says to clients that are to have a daemon of their own; it is no path. */
static const char EMBEDDED[] = "embedded";

/* The value of an environment variable, or NULL if it is not set or empty. */
static const char *environment(const char *name)
{
    const char *value = getenv(name);
    return value != NULL && value[0] != '\0' ? value : NULL;
}

static int find_path(const struct config *config, const struct options *options,
                     struct endpoint *out)
{
    const char *given = options->socket;
    const char *runtime = environment("XDG_RUNTIME_DIR");
    const char *socket = environment("IPCD_SOCKET");
    if (given == NULL && socket != NULL && strcmp(socket, EMBEDDED) != 0) {
        given = socket;
    }
    given = given != NULL ? given : config->path;
    if (given != NULL) {
        out->path = strdup(given);
    } else if (geteuid() != 0 && runtime != NULL) {
        out->parent = 0700;
        if (asprintf(&out->path, "%s/ipcd/ipcd.sock", runtime) < 0) {
            out->path = NULL;
        }
    } else {
        out->parent = 0755;
        out->path = strdup(SYSTEM_PATH);
    }
    return out->path == NULL ? ERR_INTERNAL : 0;
}

static int find_group(const char *name, gid_t *out, struct fault *fault)
{
    if (name == NULL) {
        *out = (gid_t)-1;
        return 0;
    }
    uint64_t number;
    if (config_number(name, false, &number)) {
        if (number >= (gid_t)-1) {
            return refuse(fault, "socket group", name, "is no group number");
        }
        *out = (gid_t)number;
        return 0;
    }
    errno = 0;
    const struct group *group = getgrnam(name);
    if (group == NULL) {
        return refuse(fault, "socket group", name,
                      errno == 0 ? "there is no such group; it must be a name or a number"
                                 : strerror(errno));
    }
    *out = group->gr_gid;
    return 0;
}

int endpoint_find(const struct config *config, const struct options *options, struct endpoint *out,
                  struct fault *fault)
{
    const char *group = options->socket_group != NULL ? options->socket_group : config->group;
    *out = (struct endpoint){.mode = config->mode};
    if (options->socket_mode != NULL && !config_mode(options->socket_mode, &out->mode)) {
        return refuse(fault, "--socket-mode", options->socket_mode,
                      "must be file mode bits in octal, as 0660");
    }
    int status = find_group(group, &out->group, fault);
    if (status < 0) {
        return status;
    }
    status = find_path(config, options, out);
    if (status < 0) {
        (void)snprintf(fault->text, sizeof(fault->text), "out of memory");
    }
    return status;
}

void endpoint_deinit(struct endpoint *endpoint)
{
    free(endpoint->path);
    endpoint->path = NULL;
}
