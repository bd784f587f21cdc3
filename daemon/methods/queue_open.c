/* methods/queue_open: queue.open, its options and what they must be. */
#include "daemon/methods/methods.h"
#include "daemon/methods/open.h"
#include "daemon/objects/queue.h"

enum {
    MAXSIZE,
    ORDER,
    JOINABLE,
    ON_DISCONNECT,
    LEASE_MS,
    MAX_DELIVERIES,
    DEAD_LETTER,
    QUEUE_OPTIONS
};

enum { DEAD_LETTER_CHAIN_MAX = 64 };

static const struct option open_options[QUEUE_OPTIONS] = {
    [MAXSIZE] = {"maxsize", PARAM_INT},         [ORDER] = {"order", PARAM_STR},
    [JOINABLE] = {"joinable", PARAM_BOOL},      [ON_DISCONNECT] = {"on_disconnect", PARAM_STR},
    [LEASE_MS] = {"lease_ms", PARAM_MS},        [MAX_DELIVERIES] = {"max_deliveries", PARAM_COUNT},
    [DEAD_LETTER] = {"dead_letter", PARAM_STR},
};

static const char *const orders[] = {
    [QUEUE_FIFO] = "fifo", [QUEUE_LIFO] = "lifo", [QUEUE_PRIORITY] = "priority"};

static int read_order(const struct param *given)
{
    return option_word(given, orders, 3, QUEUE_FIFO);
}

/* 0 for requeue, 1 for discard, -1 for anything else. */
static int read_on_disconnect(const struct param *given)
{
    static const char *const words[] = {"requeue", "discard"};
    return option_word(given, words, 2, 0);
}

static int check_options(struct call *call, const struct param *given)
{
    if (read_order(&given[ORDER]) < 0) {
        return call_fail(call, ERR_BAD_REQUEST,
                         "queue.open: option order must be \"fifo\", \"lifo\" or \"priority\"");
    }
    if (read_on_disconnect(&given[ON_DISCONNECT]) < 0) {
        return call_fail(call, ERR_BAD_REQUEST,
                         "queue.open: option on_disconnect must be \"requeue\" or \"discard\"");
    }
    const char *why;
    if (option_given(&given[DEAD_LETTER]) &&
        registry_check_name(option_str(&given[DEAD_LETTER]), &why) < 0) {
        return call_fail(call, ERR_BAD_REQUEST, "queue.open: option dead_letter: %s", why);
    }
    if (option_bool(&given[JOINABLE], false)) {
        return 0;
    }
    for (int i = ON_DISCONNECT; i <= DEAD_LETTER; i++) {
        if (option_given(&given[i])) {
            return call_fail(call, ERR_BAD_REQUEST,
                             "queue.open: option %s is for joinable queues: give joinable true too",
                             open_options[i].name);
        }
    }
    return 0;
}

/* Refuses a queue whose items, once dead, would come back to it. The last queue of a circle to be
 * made is the one that closes it, so that there never is one; what is longer than the walk is
 * refused unseen. */
static int check_dead_letter(struct call *call, struct slice name, struct slice dead_letter)
{
    const struct registry *registry = &call->service->registry;
    for (int i = 0; dead_letter.len > 0; i++) {
        if (i == DEAD_LETTER_CHAIN_MAX) {
            return call_fail(call, ERR_BAD_REQUEST,
                             "queue.open: option dead_letter: more than %d queues would pass on "
                             "their dead items one to the next",
                             DEAD_LETTER_CHAIN_MAX);
        }
        if (slice_equal(dead_letter, name)) {
            return call_fail(call, ERR_BAD_REQUEST,
                             i == 0 ? "queue.open: option dead_letter must name another queue"
                                    : "queue.open: option dead_letter: dead items would come back "
                                      "to this queue by way of its dead letter queue's own");
        }
        const struct object *object = registry_find(registry, dead_letter);
        bool is_queue = object != NULL && object->kind == OBJECT_QUEUE;
        dead_letter =
            is_queue ? ((const struct queue *)object)->options.dead_letter : (struct slice){0};
    }
    return 0;
}

static int make_queue(struct call *call, const struct object_options *common,
                      const struct param *given, struct object **out)
{
    int status = check_options(call, given);
    if (status < 0) {
        return status;
    }
    struct queue_options options = {
        .maxsize = option_int(&given[MAXSIZE], 0),
        .order = (enum queue_order)read_order(&given[ORDER]),
        .joinable = option_bool(&given[JOINABLE], false),
        .discard = read_on_disconnect(&given[ON_DISCONNECT]) == 1,
        .lease_ms = option_int(&given[LEASE_MS], 0),
        .max_deliveries = option_int(&given[MAX_DELIVERIES], 0),
        .dead_letter = option_str(&given[DEAD_LETTER]),
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

static const char *queue_differs(const struct object *object, const struct param *given)
{
    const struct queue_options *is = &((const struct queue *)object)->options;
    const bool differs[QUEUE_OPTIONS] = {
        [MAXSIZE] = option_int(&given[MAXSIZE], is->maxsize) != is->maxsize,
        [ORDER] = option_given(&given[ORDER]) && read_order(&given[ORDER]) != (int)is->order,
        [JOINABLE] = option_bool(&given[JOINABLE], is->joinable) != is->joinable,
        [ON_DISCONNECT] = option_given(&given[ON_DISCONNECT]) &&
                          read_on_disconnect(&given[ON_DISCONNECT]) != (int)is->discard,
        [LEASE_MS] = option_int(&given[LEASE_MS], is->lease_ms) != is->lease_ms,
        [MAX_DELIVERIES] =
            option_int(&given[MAX_DELIVERIES], is->max_deliveries) != is->max_deliveries,
        [DEAD_LETTER] = option_given(&given[DEAD_LETTER]) &&
                        !slice_equal(option_str(&given[DEAD_LETTER]), is->dead_letter),
    };
    for (int i = 0; i < QUEUE_OPTIONS; i++) {
        if (differs[i]) {
            return open_options[i].name;
        }
    }
    return NULL;
}

int method_queue_open(struct call *call)
{
    static const struct open_type type = {
        .type = &queue_type,
        .table = open_options,
        .count = QUEUE_OPTIONS,
        .make = make_queue,
        .differs = queue_differs,
    };
    return open_object(call, &type);
}
