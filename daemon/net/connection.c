/* connection: from accept to the end; see connection.h. */
#include "daemon/net/connection.h"

#include <event2/event.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/net/goodbye.h"
#include "daemon/net/listener.h"
#include "daemon/net/peer.h"

static void connection_ready(evutil_socket_t fd, short what, void *data)
{
    struct connection *connection = data;
    struct net *net = connection->net;
    (void)fd;
    if ((what & EV_READ) != 0 && !connection->paused && !connection->closing) {
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

/* Sets the event to what the connection waits for; usually it is set to that already. */
static int set_interest(struct connection *connection)
{
    short interest = EV_READ;
    if (connection->closing) {
        interest = EV_WRITE | EV_TIMEOUT;
    } else if (connection->paused) {
        interest = EV_WRITE;
    } else if (connection_unread(connection) > 0) {
        interest = EV_READ | EV_WRITE;
    }
    if (interest == connection->interest) {
        return 0;
    }
    if (connection->interest != 0) {
        (void)event_del(&connection->event);
    }
    connection->interest = interest;
    const struct timeval patience = {.tv_sec = CONNECTION_PATIENCE};
    short events = (short)((interest & (EV_READ | EV_WRITE)) | EV_PERSIST);
    if (event_assign(&connection->event, connection->net->base, connection->stream.fd, events,
                     connection_ready, connection) < 0) {
        return ERR_MEMORY;
    }
    return event_add(&connection->event, (interest & EV_TIMEOUT) != 0 ? &patience : NULL) < 0
               ? ERR_MEMORY
               : 0;
}

/* Makes the session of a connection, or says why there can be none. */
static int start(struct connection *connection, struct net *net, struct buffer *why)
{
    struct credentials credentials;
    int status = peer_credentials(connection->stream.fd, &credentials);
    if (status == 0) {
        status = session_init(&connection->session, net->service, &credentials);
        credentials_deinit(&credentials);
    }
    if (status == ERR_LIMIT) {
        refusal_print(&net->service->accounts.refusal, why);
    } else if (status == 0) {
        status = set_interest(connection);
        if (status < 0) {
            session_end(&connection->session);
        }
    }
    return status;
}

void connection_open(struct net *net, int fd)
{
    struct buffer why = {0};
    int status = ERR_MEMORY;
    struct connection *connection = calloc(1, sizeof(*connection));
    if (connection != NULL) {
        connection->net = net;
        stream_init(&connection->stream, fd);
        status = start(connection, net, &why);
    }
    if (status == 0) {
        net->accepted++;
        return;
    }
    (void)buffer_append(&why, "", 1);
    const char *text =
        status == ERR_LIMIT && !why.failed ? (const char *)why.data : "out of memory";
    log_fault(net->log, net->now, "a connection is refused: %s", text);
    goodbye_send(fd, status, text);
    buffer_deinit(&why);
    if (connection != NULL) {
        stream_deinit(&connection->stream);
        free(connection);
    } else {
        (void)evutil_closesocket(fd);
    }
}

void connection_close(struct connection *connection)
{
    struct session *session = &connection->session;
    if (connection->closing) {
        return;
    }
    connection->closing = true;
    session_end_watches(session); /* else there might always be something more to send */
    struct call *call;
    while ((call = session_call_from(session, 0)) != NULL) {
        call_cancel(call, ERR_CANCELLED, "the connection ends");
    }
    service_drain(session->service);
    session_dirty(session);
}

void connection_fail(struct connection *connection, int error, const char *text)
{
    struct session *session = &connection->session;
    if (connection->closing) {
        return;
    }
    goodbye_log(connection->net->log, connection->net->now, session, text);
    connection_close(connection);
    goodbye_pack(&session->output.bytes, error, text);
}

/* session.kill was called for it. */
static void be_killed(struct connection *connection)
{
    connection_finish_input(connection);
    connection_fail(connection, ERR_CANCELLED, "session.kill has ended this session");
    connection->hurried = true;
}

/* The peer does not read any more: what it has sent is run, the answers are dropped. */
static void hang_up(struct connection *connection)
{
    connection_finish_input(connection);
    connection_close(connection);
    session_drop_output(&connection->session);
    service_drain(connection->session.service);
}

static void over_limit(struct connection *connection, const char *text)
{
    connection_fail(connection, ERR_LIMIT, text);
    connection->hurried = true;
    if (stream_send(&connection->stream, &connection->session.output) == STREAM_BROKEN) {
        connection->gone = true;
    }
}

static void over_output(struct connection *connection, uint64_t unread)
{
    char text[128];
    (void)snprintf(text, sizeof(text),
                   "over the limit max_output: %" PRIu64 " bytes of answers are unread, %" PRIu64
                   " may be",
                   unread, connection->net->service->accounts.limits.max_output);
    over_limit(connection, text);
}

static void over_budget(struct connection *connection)
{
    struct buffer why = {0};
    refusal_print(&connection->net->service->accounts.refusal, &why);
    (void)buffer_append(&why, "", 1);
    over_limit(connection, why.failed ? "over a limit" : (const char *)why.data);
    buffer_deinit(&why);
}

/* Charges the user for the answers that stay behind, or gives back what was charged. */
static void charge_output(struct connection *connection)
{
    struct session *session = &connection->session;
    uint64_t unread = connection_unread(connection);
    uint64_t charged = connection->output_charge;
    if (unread == charged) {
        return;
    }
    if (unread < charged) {
        user_release(session->user, charged - unread);
    } else if (unread > connection->net->service->accounts.limits.max_output) {
        over_output(connection, unread);
        return;
    } else if (user_charge(session->user, unread - charged) < 0) {
        over_budget(connection);
        return;
    }
    session->charged += unread - charged;
    connection->output_charge = unread;
}

/* Sends, and finds out what that means for the connection. */
static void flush(struct connection *connection)
{
    struct session *session = &connection->session;
    if (session->output.bytes.failed && !connection->gone) {
        connection_fail(connection, ERR_MEMORY, "out of memory for an answer");
        connection->gone = true; /* some bytes are missing: nothing can follow them */
    }
    if (!connection->gone && stream_send(&connection->stream, &session->output) == STREAM_BROKEN) {
        connection->gone = true;
    }
    if (connection->gone) {
        hang_up(connection);
    }
    charge_output(connection);
}

void connection_settle(struct connection *connection)
{
    if (connection->session.killed && !connection->closing) {
        be_killed(connection);
    }
    flush(connection);
    while (!connection->gone && session_give_events(&connection->session)) {
        flush(connection);
    }
    uint64_t unread = connection_unread(connection);
    if (connection->closing && (unread == 0 || connection->gone || connection->hurried)) {
        connection_end(connection);
        return;
    }
    if (unread == 0) {
        pool_give(&connection->net->pool, &connection->session.output);
    }
    if (connection->paused && unread <= CONNECTION_LOW) {
        connection_resume(connection);
    }
    if (set_interest(connection) < 0) {
        connection->gone = true; /* no memory for its event: it could never be served again */
        session_dirty(&connection->session);
    }
}

void connection_end(struct connection *connection)
{
    struct net *net = connection->net;
    if (connection->interest != 0) {
        (void)event_del(&connection->event);
    }
    session_end(&connection->session);
    service_drain(net->service);
    stream_deinit(&connection->stream);
    free(connection);
    if (net->listener != NULL) {
        listener_resume(net->listener);
    }
}
