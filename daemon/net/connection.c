/* connection: from accept to the end; see connection.h. */
#include "daemon/net/connection.h"

#include <event2/event.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/call/commits.h"
#include "daemon/call/watching.h"
#include "daemon/net/goodbye.h"
#include "daemon/net/peer.h"
#include "daemon/net/processes.h"
#include "daemon/objects/allocation.h"

enum {
    EVENT_COST = 48,      /* what libevent keeps for a descriptor that it watches */
    OUTPUTS_AT_ONCE = 16, /* of a session, that are sent in one go */
};

int connection_set_interest(struct connection *connection)
{
    short interest = connection_is_stopped(connection) || connection->closing ? 0 : EV_READ;
    if (session_sendable(&connection->session) > 0) {
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
                     connection->net->calls.ready, connection) < 0) {
        return ERR_MEMORY;
    }
    return event_add(&connection->event, (interest & EV_TIMEOUT) != 0 ? &patience : NULL) < 0
               ? ERR_MEMORY
               : 0;
}

/* Not asked for, so that a user who is over a limit can connect and delete something. */
void connection_charge(struct connection *connection)
{
    connection->memory.tally = &connection->session.charged;
    connection->input_charge.tally = &connection->session.charged;
    connection->output_charge.tally = &connection->session.charged;
    charge_set_always(&connection->memory, allocation_cost(sizeof(*connection)) + EVENT_COST);
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
        connection_charge(connection);
        status = connection_set_interest(connection);
        if (status < 0) {
            charge_release(&connection->memory);
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
        if (net->processes != NULL) {
            processes_connected(net->processes, connection->session.credentials.pid);
        }
        return;
    }
    (void)buffer_append(&why, "", 1);
    const char *text =
        status == ERR_LIMIT && !why.failed ? (const char *)why.data : "out of memory";
    log_fault(net->log, net->now, "a connection is refused: %s", text);
    goodbye_send(fd, status, text);
    buffer_deinit(&why);
    closer_close(net->service->accounts.closer, peer_uid(fd), fd);
    free(connection);
}

void connection_close(struct connection *connection)
{
    struct session *session = &connection->session;
    if (connection->closing) {
        return;
    }
    connection->closing = true;
    session->closing = true;
    incomplete_forget(&connection->net->incomplete, &connection->incomplete);
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

int connection_send(struct connection *connection)
{
    struct session *session = &connection->session;
    uint64_t most = session_sendable(session);
    bool more = true;
    int status = 0;
    for (int i = 0; status == 0 && more && i < OUTPUTS_AT_ONCE; i++) {
        struct output *output = session_next_output(session);
        uint64_t before = output->sent;
        status = stream_send(&connection->stream, output, most);
        most -= output->sent - before;
        more = session_sent(session, output->sent - before) && most > 0;
    }
    return status;
}

/* The session has ended. */
static void free_connection(struct session *session)
{
    struct connection *connection = connection_of(session);
    struct net *net = connection->net;
    free(connection);
    net->freed = true;
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
    incomplete_forget(&connection->net->incomplete, &connection->incomplete);
    charge_release(&connection->memory);
    charge_release(&connection->input_charge);
    charge_release(&connection->output_charge);
    descriptors_clear(&connection->stream.descriptors, connection->session.user);
    stream_deinit(&connection->stream, net->service->accounts.closer,
                  connection->session.credentials.uid);
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
