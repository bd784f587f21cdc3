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
        connection_end(connection_of(session));
    }
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
    alarm_set(&net->alarm, service_due(service));
    memory_watch(&net->memory, service->accounts.bytes);
    if (__builtin_expect(net->stopping, 0) && TAILQ_EMPTY(&service->sessions)) {
        (void)event_base_loopbreak(net->base);
    }
}

void net_stop(struct net *net)
{
    struct session *session;
    net->stopping = true;
    net->now = net_clock();
    TAILQ_FOREACH (session, &net->service->sessions, link) {
        connection_finish_input(connection_of(session));
    }
    service_cancel_all(net->service, ERR_CANCELLED, "the daemon is stopping");
    service_drain(net->service);
    TAILQ_FOREACH (session, &net->service->sessions, link) {
        connection_close(connection_of(session));
    }
    net_settle(net);
}
