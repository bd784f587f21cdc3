/* connection: from accept to the end; see connection.h. */
#include "daemon/net/connection.h"

#include <event2/event.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/call/watching.h"
#include "daemon/net/goodbye.h"
#include "daemon/net/listener.h"
#include "daemon/net/peer.h"

enum { READS_TO_END = 64 }; /* a peer that goes on sending is not waited for when it leaves */

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

/* Sets the event to what the connection waits for; usually it is set to that already. */
static int set_interest(struct connection *connection)
{
    short interest = connection_is_stopped(connection) || connection->closing ? 0 : EV_READ;
    if (connection_unread(connection) > 0) {
        interest |= EV_WRITE;
        interest |= connection->closing ? EV_TIMEOUT : 0;
    }
    if (interest == connection->interest) {
        return 0;
    }
    if (connection->interest != 0) {
        (void)event_del(&connection->event);
    }
    connection->interest = interest;
    if (interest == 0) {
        return 0;
    }
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
        connection->input_charge.tally = &connection->session.charged;
        connection->output_charge.tally = &connection->session.charged;
    }
    if (status == ERR_LIMIT) {
        refusal_print(&net->service->accounts.refusal, why);
    } else if (status == 0) {
        status = set_interest(connection);
        if (status < 0) {
            TAILQ_REMOVE(&net->service->sessions, &connection->session, link);
            session_deinit(&connection->session);
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
    session->closing = true;
    session_end_watches(session, NULL); /* else there might always be something more to send */
    session_cancel_all(session, ERR_CANCELLED, "the connection ends");
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

/* All that the peer has sent has been run. */
static void end_leaving(struct connection *connection)
{
    switch (connection->leaving) {
    case CONNECTION_GONE:
        connection_close(connection);
        session_drop_output(&connection->session);
        service_drain(connection->session.service);
        break;
    case CONNECTION_KILLED:
        connection_fail(connection, ERR_CANCELLED, "session.kill has ended this session");
        connection->hurried = true;
        break;
    case CONNECTION_STOPPED:
        session_cancel_all(&connection->session, ERR_CANCELLED, "the daemon is stopping");
        connection_close(connection);
        break;
    case CONNECTION_STAYS:
        break;
    }
}

void connection_leave(struct connection *connection, enum connection_leaving why)
{
    if (connection->leaving == CONNECTION_STAYS) {
        connection->reads = READS_TO_END;
    }
    if (connection->leaving != CONNECTION_GONE) {
        connection->leaving = why;
    }
    if (connection_finish_input(connection)) {
        end_leaving(connection);
    }
}

void connection_go_on(struct connection *connection)
{
    connection_resume(connection);
    if (connection->leaving != CONNECTION_STAYS && connection_finish_input(connection)) {
        end_leaving(connection);
    }
    session_dirty(&connection->session);
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
    uint64_t unread = connection_unread(connection);
    uint64_t charged = connection->output_charge.bytes;
    if (unread == charged) {
        return;
    }
    if (unread > charged && unread > connection->net->service->accounts.limits.max_output) {
        over_output(connection, unread);
    } else if (charge_set(&connection->output_charge, unread) < 0) {
        over_budget(connection);
    }
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
    if (connection->gone && connection->leaving != CONNECTION_GONE) {
        connection_leave(connection, CONNECTION_GONE);
    } else if (connection->gone) {
        session_drop_output(&connection->session);
        service_drain(connection->session.service);
    }
    charge_output(connection);
}

/* True if it has nothing more to do or to say. */
static bool is_over(const struct connection *connection)
{
    return connection->closing && connection->session.unfinished == 0 &&
           (connection_unread(connection) == 0 || connection->gone || connection->hurried);
}

/* Goes on with what it was stopped in, if what it waited for has come. */
static void look_whether_to_go_on(struct connection *connection)
{
    bool read = connection->paused && connection_unread(connection) <= CONNECTION_LOW;
    bool done = connection->held_up && connection->session.unfinished <= SESSION_UNFINISHED_LOW;
    if ((read && !connection->held_up && !connection->later) || done) {
        connection_go_on(connection);
    }
}

void connection_settle(struct connection *connection)
{
    if (connection->session.killed && !connection->closing &&
        connection->leaving == CONNECTION_STAYS) {
        connection_leave(connection, CONNECTION_KILLED);
    }
    flush(connection);
    while (!connection->gone && session_give_events(&connection->session)) {
        flush(connection);
    }
    if (is_over(connection)) {
        connection_end(connection);
        return;
    }
    if (connection_unread(connection) == 0) {
        pool_give(&connection->net->pool, &connection->session.output);
    }
    look_whether_to_go_on(connection);
    if (set_interest(connection) < 0) {
        connection->gone = true; /* no memory for its event: it could never be served again */
        session_dirty(&connection->session);
    }
}

/* The session has ended. */
static void free_connection(struct session *session)
{
    struct connection *connection = connection_of(session);
    struct net *net = connection->net;
    free(connection);
    if (net->listener != NULL) {
        listener_resume(net->listener);
    }
}

void connection_end(struct connection *connection)
{
    struct net *net = connection->net;
    if (connection->interest != 0) {
        (void)event_del(&connection->event);
    }
    if (connection->later) {
        TAILQ_REMOVE(&net->later, connection, turn);
    }
    charge_release(&connection->input_charge);
    charge_release(&connection->output_charge);
    stream_deinit(&connection->stream);
    session_end(&connection->session, free_connection);
    service_drain(net->service);
}

void connection_abort(struct connection *connection)
{
    struct service *service = connection->net->service;
    connection->session.closing = true;
    while (connection->session.unfinished > 0) {
        service_work(service);
    }
    connection_end(connection);
}
