/* net: see net.h. */
#include "daemon/net/net.h"

#include <time.h>

#include "daemon/net/connection.h"

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

/* Gives those who have more to run than fits into one turn a turn more: sessions, then jobs. */
static void work(evutil_socket_t fd, short what, void *data)
{
    struct net *net = data;
    (void)fd;
    (void)what;
    net->working = false;
    (void)event_base_gettimeofday_cached(net->base, &net->round);
    net->now = net_clock();
    net->turn_end = net->now + NET_TURN_NS;
    struct connection *connection;
    do {
        connection = TAILQ_FIRST(&net->later);
        if (connection != NULL) {
            connection_go_on(connection);
        }
    } while (connection != NULL && net_clock() < net->turn_end);
    service_work(net->service);
    net_settle(net);
}

static void deadline_came(evutil_socket_t fd, short what, void *data)
{
    struct net *net = data;
    (void)fd;
    (void)what;
    alarm_rung(&net->alarm);
    net->now = net_clock();
    service_tick(net->service, net->now);
    net_settle(net);
}

int net_init(struct net *net, struct event_base *base, struct service *service, struct log *log)
{
    *net = (struct net){.base = base, .service = service, .log = log, .now = net_clock()};
    TAILQ_INIT(&net->later);
    if (event_assign(&net->work, base, -1, 0, work, net) < 0) {
        return ERR_MEMORY;
    }
    int status = memory_init(&net->memory, base);
    if (status < 0) {
        return status;
    }
    status = input_init(&net->input);
    if (status == 0) {
        status = alarm_init(&net->alarm, base, deadline_came, net);
        if (status < 0) {
            input_deinit(&net->input);
        }
    }
    return status;
}

void net_deinit(struct net *net)
{
    struct session *session;
    net->listener = NULL;
    while ((session = TAILQ_FIRST(&net->service->sessions)) != NULL) {
        connection_abort(connection_of(session));
    }
    service_finish(net->service);
    (void)event_del(&net->work);
    alarm_deinit(&net->alarm);
    memory_deinit(&net->memory);
    pool_deinit(&net->pool);
    input_deinit(&net->input);
}

void net_settle(struct net *net)
{
    struct service *service = net->service;
    struct session *session;
    while ((session = TAILQ_FIRST(&service->dirty)) != NULL) {
        TAILQ_REMOVE(&service->dirty, session, dirty);
        session->is_dirty = false;
        connection_settle(connection_of(session));
    }
    if (__builtin_expect(!TAILQ_EMPTY(&net->later) || jobs_pending(&service->jobs), 0) &&
        !net->working) {
        const struct timeval at_once = {0};
        net->working = event_add(&net->work, &at_once) == 0;
    }
    alarm_set(&net->alarm, service_due(service));
    memory_watch(&net->memory, service->accounts.bytes);
    if (__builtin_expect(net->stopping, 0) && service->accounts.sessions == 0) {
        (void)event_base_loopbreak(net->base);
    }
}

void net_stop(struct net *net)
{
    struct session *session;
    net->stopping = true;
    net->now = net_clock();
    TAILQ_FOREACH (session, &net->service->sessions, link) {
        connection_leave(connection_of(session), CONNECTION_STOPPED);
    }
    net_settle(net);
}
