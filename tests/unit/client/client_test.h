/* What the tests of the client library share. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "client/ipcclient.h"
#include "tests/support/fake_server.h"

/* The call must succeed. */
#define assert_ok(call)                                                                            \
    do {                                                                                           \
        if ((call) != 0) {                                                                         \
            fail_msg("%s: %s", #call, ipcc_last_message());                                        \
        }                                                                                          \
    } while (0)

/* The call must fail with this code, and with a message that holds `word`. */
#define assert_fails(call, code, word)                                                             \
    do {                                                                                           \
        assert_string_equal(ipcc_error_name(call), #code);                                         \
        if (strstr(ipcc_last_message(), word) == NULL) {                                           \
            fail_msg("%s: the message is \"%s\"", #call, ipcc_last_message());                     \
        }                                                                                          \
    } while (0)

/* Starts a fake server and connects to it. */
static inline struct ipcc *connect_to(struct fake_server *server, fake_script *script,
                                      const void *data)
{
    struct ipcc *conn = NULL;
    struct ipcc_options options = {.path = server->path};
    *server = fake_server_start(script, data);
    assert_ok(ipcc_open(&conn, &options));
    return conn;
}

/* Closes, and waits for the script to end. */
static inline void close_and_join(struct ipcc *conn, struct fake_server *server)
{
    assert_ok(ipcc_close(conn));
    fake_server_join(server);
}
