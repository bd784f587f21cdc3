/* methods/queue_open: queue.open, its options and what they must be. */
#include "daemon/methods/methods.h"
#include "daemon/methods/open.h"
#include "daemon/objects/queue.h"

static int check_options(struct call *call, const struct param *given)
{
    const char *why;
    if (option_given(&given[OPTION_queue_open_dead_letter]) &&
        registry_check_name(option_str(&given[OPTION_queue_open_dead_letter]), &why) < 0) {
        return call_fail(call, ERR_BAD_REQUEST, "queue.open: option dead_letter: %s", why);
    }
    if (option_bool(&given[OPTION_queue_open_joinable], false)) {
        return 0;
    }
    static const char *const of_joinable[OPTIONS_queue_open] = {
        [OPTION_queue_open_on_disconnect] = "on_disconnect",
        [OPTION_queue_open_lease_ms] = "lease_ms",
        [OPTION_queue_open_max_deliveries] = "max_deliveries",
        [OPTION_queue_open_dead_letter] = "dead_letter",
    };
    for (int i = 0; i < OPTIONS_queue_open; i++) {
        if (of_joinable[i] != NULL && option_given(&given[i])) {
            return call_fail(call, ERR_BAD_REQUEST,
                             "queue.open: option %s is for queues with option joinable",
                             of_joinable[i]);
        }
    }
    return 0;
}

/* Refuses a queue whose items, once dead, would come back to it. */
static int check_dead_letter(struct call *call, struct slice name, struct slice dead_letter)
{
    switch (dead_letter_check(&call->service->registry, name, dead_letter)) {
    case DEAD_LETTER_FINE:
        return 0;
    case DEAD_LETTER_ITSELF:
        return call_fail(call, ERR_BAD_REQUEST,
                         "queue.open: option dead_letter must name another queue");
    case DEAD_LETTER_CIRCLE:
        return call_fail(call, ERR_BAD_REQUEST,
                         "queue.open: option dead_letter: dead items would come back to this queue "
                         "by way of its dead letter queue's own");
    case DEAD_LETTER_LONG:
        break;
    }
    return call_fail(call, ERR_BAD_REQUEST,
                     "queue.open: option dead_letter: more than %d queues would pass on their dead "
                     "items one to the next",
                     DEAD_LETTER_CHAIN_MAX);
}

static int make_queue(struct call *call, const struct object_options *common,
                      const struct param *given, struct object **out)
{
    int status = check_options(call, given);
    if (status < 0) {
        return status;
    }
    struct queue_options options = {
        .maxsize = option_int(&given[OPTION_queue_open_maxsize], 0),
        .order = (enum queue_order)option_word(&given[OPTION_queue_open_order], QUEUE_FIFO),
        .joinable = option_bool(&given[OPTION_queue_open_joinable], false),
        .discard = option_word(&given[OPTION_queue_open_on_disconnect], 0) == 1,
        .lease_ms = option_int(&given[OPTION_queue_open_lease_ms], 0),
        .max_deliveries = option_int(&given[OPTION_queue_open_max_deliveries], 0),
        .dead_letter = option_str(&given[OPTION_queue_open_dead_letter]),
    };
    status = check_dead_letter(call, common->name, options.dead_letter);
    if (status < 0) {
        return status;
    }
    struct queue *queue;
    status = queue_new(common, &options, &queue);
    if (status == 0) {
        *out = &queue->object;
    }
    return status;
}

static void queue_differs(const struct object *object, const struct param *given, bool *differs)
{
    const struct queue_options *is = &((const struct queue *)object)->options;
    const struct param *dead_letter = &given[OPTION_queue_open_dead_letter];
    differs[OPTION_queue_open_maxsize] =
        option_int(&given[OPTION_queue_open_maxsize], is->maxsize) != is->maxsize;
    differs[OPTION_queue_open_order] =
        option_word(&given[OPTION_queue_open_order], (int)is->order) != (int)is->order;
    differs[OPTION_queue_open_joinable] =
        option_bool(&given[OPTION_queue_open_joinable], is->joinable) != is->joinable;
    differs[OPTION_queue_open_on_disconnect] =
        option_word(&given[OPTION_queue_open_on_disconnect], is->discard) != (int)is->discard;
    differs[OPTION_queue_open_lease_ms] =
        option_int(&given[OPTION_queue_open_lease_ms], is->lease_ms) != is->lease_ms;
    differs[OPTION_queue_open_max_deliveries] =
        option_int(&given[OPTION_queue_open_max_deliveries], is->max_deliveries) !=
        is->max_deliveries;
    differs[OPTION_queue_open_dead_letter] =
        option_given(dead_letter) && !slice_equal(option_str(dead_letter), is->dead_letter);
}

int method_queue_open(struct call *call)
{
    static const struct open_type type = {
        .type = &queue_type,
        .make = make_queue,
        .differs = queue_differs,
    };
    return open_object(call, &type);
}
