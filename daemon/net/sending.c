/*
 * sending: see sending.h.
 *
 * Tests: tests/unit/net/test_connection.c, tests/system/test_slow.c.
 */
#include "daemon/net/sending.h"

#include <inttypes.h>
#include <stdio.h>

#include "daemon/call/commits.h"
#include "daemon/call/watching.h"
#include "daemon/net/leaving.h"

static void over_limit(struct connection *connection, const char *text)
{
    connection_fail(connection, ERR_LIMIT, text);
    connection->hurried = true;
    if (connection_send(connection) == STREAM_BROKEN) {
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
    uint64_t cost = unread == 0 ? 0 : session_unsent_cost(&connection->session);
    if (cost > connection->output_charge.bytes &&
        unread > connection->net->service->accounts.limits.max_output) {
        over_output(connection, unread);
    } else if (charge_set(&connection->output_charge, cost) < 0) {
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
    if (!connection->gone && connection_send(connection) == STREAM_BROKEN) {
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
    bool nobody_reads = connection->gone || connection->hurried;
    return connection->closing && connection->session.unfinished == 0 &&
           (nobody_reads || (connection->session.away == 0 && connection_unread(connection) == 0));
}

/* Goes on with what it was stopped in, if what it waited for has come. */
static void look_whether_to_go_on(struct connection *connection)
{
    bool read = connection->paused && connection_unread(connection) <= CONNECTION_LOW;
    const struct session *session = &connection->session;
    bool free = connection->alone ? session->unfinished == 0 : session_may_go_on(session);
    bool done = connection->held_up && free;
    bool stored = connection->stalled && !session_must_wait_for_disk(&connection->session);
    if ((read && !connection->held_up && !connection->later && !connection->stalled) || done ||
        stored) {
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
    if (connection_set_interest(connection) < 0) {
        connection->gone = true; /* no memory for its event: it could never be served again */
        session_dirty(&connection->session);
    }
}
