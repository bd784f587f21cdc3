/* pinger: see pinger.h. */
#include "tools/ipcbench/pinger.h"
#include "tools/ipcbench/cpu.h"
#include "tools/ipcbench/fail.h"
#include "tools/ipcbench/stats.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LOOK_MILLISECONDS = 20, TIMER_SLACK = 1000, PRIORITY = -20 };

#define START_NANOSECONDS 10000000000U /* how long the first ping may take */

/* [0, 0, "server.ping", []] and [1, 0, nil, nil] */
static const uint8_t ping[] = "\x94\x00\x00\xabserver.ping\x90";
static const uint8_t pong[] = {0x94, 0x01, 0x00, 0xc0, 0xc0};

/* Waits for the response, as long as it may. False if it has not come whole. */
static bool take_pong(struct pinger *pinger)
{
    uint8_t bytes[sizeof(pong)];
    size_t have = 0;
    while (have < sizeof(pong)) {
        struct pollfd ready = {.fd = pinger->fd, .events = POLLIN};
        if (poll(&ready, 1, LOOK_MILLISECONDS) <= 0) {
            if (clock_now() >= atomic_load(&pinger->leave)) {
                return false;
            }
            continue;
        }
        ssize_t got = recv(pinger->fd, bytes + have, sizeof(pong) - have, MSG_DONTWAIT);
        if (got == 0 || (got < 0 && errno != EINTR && errno != EAGAIN)) {
            break;
        }
        have += got > 0 ? (size_t)got : 0;
    }
    pinger->lost = have < sizeof(pong) || memcmp(bytes, pong, sizeof(pong)) != 0;
    return !pinger->lost;
}

static bool send_ping(struct pinger *pinger)
{
    ssize_t size = sizeof(ping) - 1; /* without the NUL */
    pinger->lost = send(pinger->fd, ping, (size_t)size, MSG_NOSIGNAL) != size;
    return !pinger->lost;
}

/* Sleeps until the ping is due, if it is not, and notes by how much that was too long. */
static void sleep_until(struct pinger *pinger, uint64_t due)
{
    uint64_t now = clock_now();
    if (now < due) {
        clock_sleep(due - now);
        now = clock_now();
        pinger->late = now - due > pinger->late ? now - due : pinger->late;
    }
}

static void *run(void *argument)
{
    struct pinger *pinger = argument;
    /* Both only help, where they are allowed: its own waits for a processor are not what counts. */
    (void)prctl(PR_SET_TIMERSLACK, TIMER_SLACK, 0, 0, 0);
    (void)setpriority(PRIO_PROCESS, 0, PRIORITY); /* on Linux: of this thread */
    bool answered = true;
    for (uint64_t due = clock_now(); answered && due < atomic_load(&pinger->end);
         due += PING_NANOSECONDS) {
        sleep_until(pinger, due);
        answered = send_ping(pinger) && take_pong(pinger);
        if (pinger->count < PINGS_MAX) {
            pinger->waits[pinger->count++] = clock_now() - due;
        }
    }
    return NULL;
}

int pinger_start(struct pinger *pinger, const struct target *target)
{
    *pinger = (struct pinger){.end = UINT64_MAX, .leave = clock_now() + START_NANOSECONDS};
    pinger->fd = server_connect(target->server.socket);
    pinger->waits = malloc(PINGS_MAX * sizeof(pinger->waits[0]));
    int status = 0;
    if (pinger->fd < 0) {
        status = fail("no connection for the pinger: %s", strerror(errno));
    } else if (pinger->waits == NULL) {
        status = fail("out of memory");
    } else if (!send_ping(pinger) || !take_pong(pinger)) {
        status = fail("%s does not answer a ping", target->plan.name);
    } else {
        atomic_store(&pinger->leave, UINT64_MAX);
        status = pthread_create(&pinger->thread, NULL, run, pinger) == 0
                     ? 0
                     : fail("no thread can be started");
    }
    if (status < 0) {
        (void)close(pinger->fd);
        free(pinger->waits);
    }
    return status;
}

void pinger_sum(uint64_t *waits, size_t count, struct pinger_waits *out)
{
    stats_sort(waits, count);
    out->count = count;
    out->longest = stats_percentile(waits, count, 100.0);
    out->p99 = stats_percentile(waits, count, 99.0);
    out->p999 = stats_percentile(waits, count, 99.9);
}

int pinger_stop(struct pinger *pinger, uint64_t patience, struct pinger_waits *out)
{
    atomic_store(&pinger->end, clock_now());
    atomic_store(&pinger->leave, clock_now() + patience);
    (void)pthread_join(pinger->thread, NULL);
    *out = (struct pinger_waits){.late = (double)pinger->late};
    pinger_sum(pinger->waits, pinger->count, out);
    (void)close(pinger->fd);
    free(pinger->waits);
    return pinger->lost ? fail("the pinger's connection was closed") : 0;
}
