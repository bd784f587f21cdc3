/*
 * leaving: see leaving.h.
 *
 * Tests: tests/unit/net/test_connection.c, tests/system/test_undelivered.c.
 */
#include "daemon/net/leaving.h"

#include "daemon/net/reading.h"

enum { READS_TO_END = 64 }; /* a peer that goes on sending is not waited for when it leaves */

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
