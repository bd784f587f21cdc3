/* methods/event: the handlers of event.*; the operations are in daemon/objects/event.h. */
#include "daemon/objects/event.h"
#include "daemon/methods/methods.h"
#include "daemon/methods/open.h"

static int make_event(struct call *call, const struct object_options *common,
                      const struct param *given, struct object **out)
{
    struct event *event;
    int status = event_object_new(common, &event);
    if (status == 0) {
        *out = &event->object;
    }
    return status;
}

int method_event_open(struct call *call)
{
    static const struct open_type type = {.type = &event_type, .make = make_event};
    return open_object(call, &type);
}

int method_event_set(struct call *call)
{
    (void)event_object_set(event_of(call->object));
    return call_answer_nil(call);
}

int method_event_clear(struct call *call)
{
    event_object_clear(event_of(call->object));
    return call_answer_nil(call);
}

int method_event_is_set(struct call *call)
{
    return call_answer_bool(call, event_of(call->object)->set);
}

int method_event_wait(struct call *call)
{
    const struct event *event = event_of(call->object);
    if (!call->waited) {
        call->progress = event->sets;
    }
    if (event->set || event->sets != call->progress) {
        return call_answer_bool(call, true);
    }
    int status = call_wait(call, EVENT_WAITERS, 1, ERR_TIMEOUT);
    return status == ERR_TIMEOUT ? call_answer_bool(call, false) : status;
}
