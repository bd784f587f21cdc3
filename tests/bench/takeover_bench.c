/*
 * takeover_bench: how long clients notice that another daemon takes over.
 *
 *     takeover_bench [ITEMS [SESSIONS]]
 *
 * Starts the daemon $IPCD_BINARY, puts so many items of 64 bytes (1,000,000) into a queue and as
 * many into a dict, has so many sessions (1,000) that wait, and lets the daemon be upgraded a few
 * times. Printed is for each how long the call took, and the daemon's memory after it.
 */
#include "tests/support/daemon.h"

#include <stdlib.h>
#include <sys/resource.h>

enum { TIMES = 5, AT_ONCE = 1000 };

static void put_items(struct rpc *c, unsigned items)
{
    char params[256];
    expect(c, "queue.open", "['q']", "_map");
    expect(c, "dict.open", "['d']", "_map");
    for (unsigned i = 0; i < items; i += AT_ONCE) {
        (void)snprintf(params, sizeof(params), "['q', ['%*s']*%d]", 62, "x", AT_ONCE);
        expect(c, "queue.put_many", params, "_int");
    }
    for (unsigned i = 0; i < items / 4; i++) { /* four times dearer to make */
        (void)snprintf(params, sizeof(params), "['d', %u, '%*s']", i, 62, "y");
        expect(c, "dict.set", params, "true");
    }
}

int main(int argc, char **argv)
{
    unsigned items = argc > 1 ? (unsigned)atoi(argv[1]) : 1000000;
    unsigned sessions = argc > 2 ? (unsigned)atoi(argv[2]) : 1000;
    struct rlimit limit;
    (void)getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
    struct daemon *daemon = daemon_start(&(struct daemon_options){0});
    struct rpc *c = rpc_open(daemon->socket);
    struct rpc **clients = calloc(sessions, sizeof(struct rpc *));
    put_items(c, items);
    expect(c, "event.open", "['e']", "_map");
    for (unsigned i = 0; i < sessions; i++) {
        clients[i] = rpc_open(daemon->socket);
        (void)rpc_start(clients[i], "event.wait", "['e']");
    }
    for (int i = 0; i < TIMES; i++) {
        int64_t begun = rpc_now();
        expect(c, "server.upgrade", "[]", "_map");
        (void)printf("%u items, %u pairs, %u sessions that wait: %lld ms, then %llu MiB\n", items,
                     items / 4, sessions, (long long)(rpc_now() - begun),
                     (unsigned long long)daemon_memory(daemon) >> 20);
    }
    for (unsigned i = 0; i < sessions; i++) {
        rpc_close(clients[i]);
    }
    free(clients);
    rpc_close(c);
    daemon_stop(daemon);
    return 0;
}
