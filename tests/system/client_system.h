/* What the tests of the client library against a real daemon share. */
#pragma once

#include "client/ipcclient.h"
#include "tests/support/daemon.h"

#include <string.h>

/* The number of a session, which with an engine is "h:NUMBER". */
static inline uint64_t session_number(const struct ipcc_value *value)
{
    return value->kind == IPCC_STR ? strtoull((const char *)value->as.data + 2, NULL, 10)
                                   : (uint64_t)value->as.integer;
}

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

/* The call, which stores into a variable `reply`, must answer with what prints as `text`. */
#define assert_prints(text, call)                                                                  \
    do {                                                                                           \
        char printed[200];                                                                         \
        assert_ok(call);                                                                           \
        assert_ok(ipcc_value_print(&reply.value, printed, sizeof(printed)));                       \
        assert_string_equal(printed, text);                                                        \
        ipcc_reply_free(&reply);                                                                   \
    } while (0)

/* A connection of the library's to the daemon of the test. */
static inline struct ipcc *client_open(const struct daemon *daemon)
{
    struct ipcc *conn = NULL;
    struct ipcc_options options = {.path = daemon->socket, .client = "test"};
    assert_ok(ipcc_open(&conn, &options));
    return conn;
}
