/* hosts: see hosts.h. */
#include "tests/history/hosts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int hosts_begin(struct hosts *hosts, const struct ipcc_options *options)
{
    const char *list = getenv("IPCD_SOCKETS");
    *hosts = (struct hosts){.sockets = list == NULL ? NULL : strdup(list)};
    char *rest = hosts->sockets;
    for (char *path; (path = strsep(&rest, ",")) != NULL && hosts->count < HOSTS_MAX;) {
        struct ipcc_options own = *options;
        own.path = path;
        if (ipcc_open(&hosts->conns[hosts->count], &own) < 0) {
            (void)fprintf(stderr, "history: %s\n", ipcc_last_message());
            return -1;
        }
        hosts->paths[hosts->count++] = path;
    }
    if (hosts->count == 0) {
        (void)fputs("history: --hosts needs daemons in $IPCD_SOCKETS, with commas between\n",
                    stderr);
        return -1;
    }
    return 0;
}

const char *hosts_socket(const struct hosts *hosts, unsigned process)
{
    return hosts->paths[process % hosts->count];
}

struct ipcc *hosts_conn(const struct hosts *hosts, unsigned process)
{
    return hosts->conns[process % hosts->count];
}

bool hosts_session_has_ended(struct ipcc *conn)
{
    struct ipcc_reply reply = {0};
    struct ipcc_value engine;
    struct ipcc_value ending;
    bool ended = ipcc_server_stats(conn, &reply) == 0 &&
                 ipcc_map_get(&reply.value, "engine", &engine) == 0 &&
                 ipcc_map_get(&engine, "ending", &ending) == 0 && ending.kind == IPCC_INT &&
                 ending.as.integer == 0;
    ipcc_reply_free(&reply);
    return ended;
}

void hosts_end(struct hosts *hosts)
{
    for (unsigned i = 0; i < hosts->count; i++) {
        (void)ipcc_close(hosts->conns[i]);
    }
    free(hosts->sockets);
    *hosts = (struct hosts){0};
}
