/*
 * barrier: a function for each row of the method table that begins with "barrier".
 *
 * Tests: tests/system/test_client_sync.c.
 */
#include "client/handle.h"
#include "client/ipcclient/result.h"

static const struct handle *of(const struct ipcc_barrier *barrier)
{
    return barrier != NULL ? &barrier->handle : NULL;
}

static int barrier_options(struct option_map *map, const struct ipcc_barrier_options *options)
{
    option_int(map, "parties", options->parties);
    option_int(map, "timeout", options->timeout_ms);
    int status = option_open(map, &options->open);
    return status < 0 ? status : CHECK_RESERVED(options);
}

int ipcc_barrier_open(struct ipcc *conn, const char *name,
                      const struct ipcc_barrier_options *options, struct ipcc_barrier **barrier)
{
    struct option_map map = {.count = 0};
    int status = options != NULL ? barrier_options(&map, options) : 0;
    return status < 0 ? status
                      : handle_open(conn, "barrier.open", name, &map, (struct handle **)barrier);
}

int ipcc_barrier_close(struct ipcc_barrier *barrier)
{
    return handle_close((struct handle *)barrier);
}

const char *ipcc_barrier_name(const struct ipcc_barrier *barrier)
{
    return barrier != NULL ? barrier->handle.name : NULL;
}

int ipcc_barrier_wait(struct ipcc_barrier *barrier, int64_t timeout_ms, uint64_t *index)
{
    struct typed_call call = {"barrier.wait", {timeout_value(timeout_ms)}, timeout_ms};
    return handle_call_uint(of(barrier), &call, index);
}

int ipcc_barrier_reset(struct ipcc_barrier *barrier)
{
    return handle_call_nil(of(barrier), &(struct typed_call){.method = "barrier.reset"});
}

int ipcc_barrier_abort(struct ipcc_barrier *barrier)
{
    return handle_call_nil(of(barrier), &(struct typed_call){.method = "barrier.abort"});
}

int ipcc_barrier_state(struct ipcc_barrier *barrier, struct ipcc_barrier_state *state)
{
    struct typed_call call = {.method = "barrier.state"};
    struct ipcc_reply reply;
    int status = handle_call(of(barrier), &call, &reply);
    if (status < 0) {
        return status;
    }
    struct ipcc_barrier_state now;
    if (ipcc_value_barrier_state(&reply.value, &now) < 0) {
        return wrong_answer(call.method, "a map of parties, waiting and broken", &reply);
    }
    ipcc_reply_free(&reply);
    if (state != NULL) {
        *state = now;
    }
    return 0;
}
