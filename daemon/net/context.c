/*
 * context: see context.h.
 *
 * Tests: tests/unit/net/test_connection.c.
 */
#include "daemon/net/context.h"

#include <time.h>

uint64_t net_clock(void)
{
    struct timespec time;
    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

static uint64_t service_clock(void *data)
{
    (void)data;
    return net_clock();
}

const struct clock net_service_clock = {.now = service_clock};

bool net_turn_is_over(struct net *net)
{
    struct timeval round;
    uint64_t now = net_clock();
    (void)event_base_gettimeofday_cached(net->base, &round); /* stays the same for a whole turn */
    if (round.tv_sec != net->round.tv_sec || round.tv_usec != net->round.tv_usec) {
        net->round = round;
        net->turn_end = now + NET_TURN_NS;
    }
    return now >= net->turn_end;
}
