/*
 * event: a function for each row of the method table that begins with "event".
 *
 * Tests: tests/system/test_client_sync.c.
 */
#include "client/handle.h"

static const struct handle *of(const struct ipcc_event *event)
{
    return event != NULL ? &event->handle : NULL;
}

static int event_options(struct option_map *map, const struct ipcc_event_options *options)
{
    int status = option_open(map, &options->open);
    return status < 0 ? status : CHECK_RESERVED(options);
}

int ipcc_event_open(struct ipcc *conn, const char *name, const struct ipcc_event_options *options,
                    struct ipcc_event **event)
{
    struct option_map map = {.count = 0};
    int status = options != NULL ? event_options(&map, options) : 0;
    return status < 0 ? status
                      : handle_open(conn, "event.open", name, &map, (struct handle **)event);
}

int ipcc_event_close(struct ipcc_event *event)
{
    return handle_close((struct handle *)event);
}

const char *ipcc_event_name(const struct ipcc_event *event)
{
    return event != NULL ? event->handle.name : NULL;
}

int ipcc_event_set(struct ipcc_event *event)
{
    return handle_call_nil(of(event), &(struct typed_call){.method = "event.set"});
}

int ipcc_event_clear(struct ipcc_event *event)
{
    return handle_call_nil(of(event), &(struct typed_call){.method = "event.clear"});
}

int ipcc_event_is_set(struct ipcc_event *event, bool *is_set)
{
    return handle_call_bool(of(event), &(struct typed_call){.method = "event.is_set"}, is_set);
}

int ipcc_event_wait(struct ipcc_event *event, int64_t timeout_ms, bool *is_set)
{
    struct typed_call call = {"event.wait", {timeout_value(timeout_ms)}, timeout_ms};
    return handle_call_bool(of(event), &call, is_set);
}
