/*
 * reply: the answer to a call, with memory of its own for what its value points at.
 *
 * Scalars take none. A copy is one allocation, of the value's encoding, and one more if there are
 * descriptors with it, which are duplicated.
 *
 * Tests: tests/unit/client/test_call.c.
 */
#include "client/reply.h"

#include "client/descriptors.h"
#include "client/error.h"
#include "client/value.h"

#include <stdlib.h>

int reply_set(struct ipcc_reply *reply, struct slice raw)
{
    *reply = (struct ipcc_reply){.value = value_decode(raw)};
    if (reply->value.kind < IPCC_STR) {
        return 0;
    }
    uint8_t *copy = malloc(raw.len);
    if (copy == NULL) {
        *reply = (struct ipcc_reply){0};
        return IPCC_ERR_NO_MEMORY;
    }
    memcpy(copy, raw.data, raw.len);
    *reply =
        (struct ipcc_reply){.value = value_decode((struct slice){copy, raw.len}), .owned = copy};
    return 0;
}

void reply_clear(struct ipcc_reply *reply)
{
    if (reply != NULL) {
        *reply = (struct ipcc_reply){0};
    }
}

void ipcc_reply_free(struct ipcc_reply *reply)
{
    if (reply != NULL) {
        free(reply->owned);
        descriptors_free(reply->descriptors);
        *reply = (struct ipcc_reply){0};
    }
}

int ipcc_reply_copy(struct ipcc_reply *to, const struct ipcc_reply *from)
{
    if (to == NULL || from == NULL) {
        return error_set(IPCC_ERR_ARGUMENT, "ipcc_reply_copy wants two replies");
    }
    if (from->value.kind > IPCC_RAW || !value_has_bytes(&from->value)) {
        return error_set(IPCC_ERR_ARGUMENT, "the reply holds no value of an answer");
    }
    struct ipcc_reply copy = {.value = from->value};
    if (from->descriptors != NULL) {
        int status = descriptors_duplicate(from->descriptors->fds, from->descriptors->count,
                                           &copy.descriptors);
        if (status < 0) {
            return status;
        }
    }
    if (from->value.kind >= IPCC_STR) {
        copy.owned = malloc(from->value.length + 1);
        if (copy.owned == NULL) {
            descriptors_free(copy.descriptors);
            return error_set(IPCC_ERR_NO_MEMORY, "no memory for an answer of %zu bytes",
                             from->value.length);
        }
        if (from->value.length > 0) {
            memcpy(copy.owned, from->value.as.data, from->value.length);
        }
        copy.value.as.data = copy.owned;
    }
    *to = copy;
    return 0;
}
