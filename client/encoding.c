/*
 * encoding: see encoding.h.
 *
 * Tests: tests/unit/client/test_typed.c.
 */
#include "client/encoding.h"

#include "client/error.h"

int encoding_too_deep(void)
{
    return error_set(
        IPCC_ERR_ARGUMENT,
        "a value nests too deeply: a message has at most %d containers within each other",
        MESSAGE_DEPTH);
}

int encoding_index_refused(void)
{
    return error_set(IPCC_ERR_ARGUMENT,
                     "an encoded value holds the index of a file descriptor, which means nothing "
                     "in another message: pass the descriptor itself, with ipcc_descriptor");
}
