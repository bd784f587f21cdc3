/*
 * net: see net.h.
 *
 * Tests: tests/unit/net/test_connection.c; tests/system/.
 */
#include "daemon/net/net.h"

#include "daemon/call/commits.h"
#include "daemon/net/leaving.h"
#include "daemon/net/listener.h"
#include "daemon/net/reading.h"
#include "daemon/net/sending.h"
#include "daemon/net/processes.h"

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

static void connection_ready(evutil_socket_t fd, short what, void *data)
{
    struct connection *connection = data;
    struct net *net = connection->net;
    (void)fd;
    if ((what & EV_READ) != 0 && !connection_is_stopped(connection) && !connection->closing) {
        (void)connection_read(connection);
    }
    if ((what & EV_TIMEOUT) != 0) {
        connection->gone = true;
    }
    if ((what & (EV_WRITE | EV_TIMEOUT)) != 0) {
        session_dirty(&connection->session);
    }
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
    connection_give_up(net);
    net_settle(net);
}

int net_init(struct net *net, struct event_base *base, struct service *service, struct log *log)
{
    *net = (struct net){.base = base, .service = service, .log = log, .now = net_clock()};
    net->calls = (struct net_calls){.settle = net_settle, .ready = connection_ready};
    TAILQ_INIT(&net->incomplete);
    TAILQ_INIT(&net->later);
    if (event_assign(&net->work, base, -1, 0, work, net) < 0) {
        return ERR_MEMORY;
    }
    int status = input_init(&net->input);
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
    pool_deinit(&net->pool);
    input_deinit(&net->input);
}

/* ---- the loop -------------------------------------------------------------------------------- */

/* Looks for events without sleeping, as long as that pays. What the loop returned. */
static int spin(struct net *net)
{
    int status;
    spin_begin(&net->spin, net_clock());
    do {
        spin_pause();
        status = event_base_loop(net->base, EVLOOP_NONBLOCK);
        if (net->busy) {
            spin_found(&net->spin);
            return status;
        }
    } while (status == 0 && event_base_got_break(net->base) == 0 &&
             spin_goes_on(&net->spin, net_clock()));
    return status;
}

int net_run(struct net *net)
{
    int status;
    do {
        net->busy = false;
        status = spin_wanted(&net->spin) ? spin(net) : 0;
        if (status == 0 && !net->busy && event_base_got_break(net->base) == 0) {
            status = event_base_loop(net->base, EVLOOP_ONCE);
        }
    } while (status == 0 && event_base_got_break(net->base) == 0);
    return status < 0 ? ERR_INTERNAL : 0;
}

/* ---- the end of an event --------------------------------------------------------------------- */

void net_settle(struct net *net)
{
    struct service *service = net->service;
    net->busy = true;
    struct session *session;
    while ((session = TAILQ_FIRST(&service->dirty)) != NULL) {
        TAILQ_REMOVE(&service->dirty, session, dirty);
        session->is_dirty = false;
        connection_settle(connection_of(session));
    }
    if (__builtin_expect(net->turn_ends != NULL, 0) &&
        service->commits.last == service->commits.synced &&
        registry_has_changed(&service->registry, object_is_working)) {
        event_active(net->turn_ends, EV_TIMEOUT, 0);
    }
    if (__builtin_expect(!TAILQ_EMPTY(&net->later) || jobs_pending(&service->jobs), 0) &&
        !net->working) {
        const struct timeval at_once = {0};
        net->working = event_add(&net->work, &at_once) == 0;
    }
    if (net->freed) {
        net->freed = false;
        if (net->listener != NULL) {
            listener_resume(net->listener);
        }
        if (net->processes != NULL) {
            processes_look(net->processes);
        }
    }
    alarm_set(&net->alarm, service_due(service));
    alarm_set(&net->alarm, incomplete_due(&net->incomplete));
    if (net->memory != NULL) {
        memory_watch(net->memory, service->accounts.bytes);
    }
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
