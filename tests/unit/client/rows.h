/*
 * rows: a fake server that goes through a table of calls and answers, in the order of the test's
 * calls.
 */
#pragma once

#include "tests/unit/client/client_test.h"

#include <string.h>

struct row {
    const char *method;
    const char *params;
    const char *answer;
};

static inline void serve_rows(struct fake *fake)
{
    fake_greet(fake);
    for (const struct row *row = fake->data; row->method != NULL; row++) {
        fake_answer(fake, fake_expect(fake, row->method, row->params), row->answer);
    }
    fake_expect_end(fake);
}

/* The call, which stores into a variable `reply`, must answer with an integer. */
#define assert_answers(number, call)                                                               \
    do {                                                                                           \
        assert_ok(call);                                                                           \
        assert_int_equal(reply.value.kind, IPCC_INT);                                              \
        assert_int_equal(reply.value.as.integer, number);                                          \
        ipcc_reply_free(&reply);                                                                   \
    } while (0)

/* It must answer with this encoding. */
#define assert_encoding(bytes, call)                                                               \
    do {                                                                                           \
        assert_ok(call);                                                                           \
        assert_int_equal(reply.value.length, sizeof(bytes) - 1);                                   \
        assert_memory_equal(reply.value.as.data, bytes, sizeof(bytes) - 1);                        \
        ipcc_reply_free(&reply);                                                                   \
    } while (0)
