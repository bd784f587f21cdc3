/* methods/claims: see claims.h. */
#include "daemon/methods/claims.h"

#include "daemon/objects/queue.h"

enum { NS_PER_MS = 1000000 };

/* How long the call waits at most, in milliseconds; CALL_FOREVER. One that waits in the engine has
 * not said so to the daemon, but its params do. */
static int64_t timeout_of(const struct parked *parked)
{
    const struct call *call = &parked->call;
    if (parked->state != PARKED_WAITS_AWAY) {
        return call->wish.timeout_ms;
    }
    const struct method_signature *signature = &call->service->index.signatures[call->method->id];
    for (unsigned i = 0; i < signature->count; i++) {
        if (signature->params[i].type == PARAM_TIMEOUT) {
            return call_int(call, i, CALL_FOREVER);
        }
    }
    return CALL_FOREVER;
}

size_t pack_wait(struct buffer *out, const struct parked *parked, uint64_t now)
{
    pack_key_string(out, "method", parked->call.method->name);
    pack_key_uint(out, "msgid", parked->call.msgid);
    pack_key_uint(out, "since_ms", (now - parked->since) / NS_PER_MS);
    pack_string(out, "timeout_ms");
    int64_t timeout_ms = timeout_of(parked);
    if (timeout_ms >= 0) {
        pack_int(out, timeout_ms);
    } else {
        pack_nil(out);
    }
    return 4;
}

size_t pack_hold(struct buffer *out, const struct tie *tie)
{
    pack_string(out, "since");
    pack_timestamp(out, tie->since.tv_sec, (uint32_t)tie->since.tv_nsec);
    return 1 + tie->object->type->describe_claims(tie, out);
}

size_t pack_claimant(struct buffer *out, const struct session *session)
{
    pack_key_uint(out, "session", session->id);
    pack_key_int(out, "pid", session->credentials.pid);
    pack_key_uint(out, "uid", session->credentials.uid);
    pack_key_string(out, "client", session->client);
    return 4;
}

static void pack_waits(struct buffer *out, const struct object *object, uint64_t now)
{
    size_t at = pack_array_begin(out);
    size_t count = 0;
    for (unsigned channel = 0; channel < OBJECT_CHANNELS; channel++) {
        const struct wait *wait = TAILQ_FIRST(&object->waits[channel]);
        for (; wait != NULL && count < CLAIMS_MOST; wait = TAILQ_NEXT(wait, link)) {
            size_t pairs = pack_map_begin(out);
            size_t claimant = pack_claimant(out, wait->call->session);
            pack_map_end(out, pairs, claimant + pack_wait(out, parked_of(wait->call), now));
            count++;
        }
    }
    pack_array_end(out, at, count);
}

static void pack_holds(struct buffer *out, const struct object *object)
{
    size_t at = pack_array_begin(out);
    size_t count = 0;
    const struct tie *tie = TAILQ_FIRST(&object->ties);
    for (; tie != NULL && count < CLAIMS_MOST; tie = TAILQ_NEXT(tie, of_object)) {
        if (tie->holding > 0) {
            size_t pairs = pack_map_begin(out);
            size_t claimant = pack_claimant(out, tie->session);
            pack_map_end(out, pairs, claimant + pack_hold(out, tie));
            count++;
        }
    }
    pack_array_end(out, at, count);
}

/* For whom items of a queue are reserved, and how many; nil if there are none. */
static void pack_ahead(struct buffer *out, const struct queue *queue)
{
    const struct tie *tie = queue->object.reserved;
    if (tie == NULL) {
        pack_nil(out);
        return;
    }
    size_t pairs = pack_map_begin(out);
    size_t claimant = pack_claimant(out, tie->session);
    pack_key_uint(out, "items", queue->ahead.count - queue->ahead.taken);
    pack_map_end(out, pairs, claimant + 1);
}

size_t pack_claims(struct buffer *out, const struct object *object, uint64_t now)
{
    pack_string(out, "waits");
    pack_waits(out, object, now);
    pack_string(out, "holds");
    pack_holds(out, object);
    if (object->type != &queue_type) {
        return 2;
    }
    pack_string(out, "ahead");
    pack_ahead(out, (const struct queue *)object);
    return 3;
}
