/* calls: an operation as a call of the daemon; see operations.h. */
#include <string.h>

#include "tests/history/operations.h"

enum { ASKED_AHEAD = 20 /* gets after which the library finds it worth while */ };

/* What the params are packed from; arrays of at most one value each. */
struct params {
    struct ipcc_value values[6];
    struct ipcc_value inner[3];
    size_t count;
};

static void add(struct params *params, struct ipcc_value value)
{
    params->values[params->count++] = value;
}

/* [value], or [] for none. */
static void add_optional(struct params *params, unsigned i, int64_t value)
{
    params->inner[i] = ipcc_int(value);
    add(params, ipcc_array(&params->inner[i], value == NO_VALUE ? 0 : 1));
}

static void add_param(struct params *params, char letter, const struct operation *operation,
                      int64_t timeout_ms)
{
    if (letter == 't') {
        add(params, timeout_ms == IPCC_FOREVER ? ipcc_nil() : ipcc_int(timeout_ms));
    } else if (letter >= 'a') {
        add(params, ipcc_int(operation->arguments[letter - 'a']));
    } else {
        add_optional(params, (unsigned)(letter - 'A'), operation->arguments[letter - 'A']);
    }
}

static int64_t number_of(const struct ipcc_value *value)
{
    int64_t number = NO_VALUE;
    if (value->kind == IPCC_BOOL) {
        return value->as.boolean;
    }
    return ipcc_value_int(value, &number) == 0 ? number : NO_VALUE;
}

/* A number, a bool, an array of those, or a lock's {depth, abandoned}. */
static void read_results(struct operation *operation, const struct ipcc_value *value)
{
    struct ipcc_value one;
    if (operation->verb == LOCK_ACQUIRE) {
        static const char *const keys[] = {"depth", "abandoned"};
        for (unsigned i = 0; i < 2; i++) {
            bool there = ipcc_map_get(value, keys[i], &one) == 0;
            operation->results[i] = there ? number_of(&one) : NO_VALUE;
        }
        return;
    }
    operation->results[0] = number_of(value);
    struct ipcc_walk walk = ipcc_walk_of(value);
    for (unsigned i = 0; i < RESULTS_MAX && ipcc_walk_next(&walk, &one); i++) {
        operation->results[i] = number_of(&one);
    }
}

/* Gets an item that is reserved for the process. False: there is none. */
static bool get_ahead(struct ipcc_ahead *ahead, struct operation *operation)
{
    struct ipcc_reply reply = {0};
    operation->status = ipcc_ahead_take(ahead, &reply);
    if (operation->status == 0) {
        read_results(operation, &reply.value);
    }
    ipcc_reply_free(&reply);
    return operation->status == 0;
}

void operation_run(struct ipcc *conn, const char *object, struct operation *operation,
                   int64_t timeout_ms, struct ipcc_ahead *ahead)
{
    const struct verb_row *row = &verb_rows[operation->verb];
    struct params params = {0};
    ahead = operation->verb == GET ? ahead : NULL;
    if (ahead != NULL && get_ahead(ahead, operation)) {
        return;
    }
    add(&params, ipcc_str(object));
    for (const char *letter = row->params; *letter != '\0'; letter++) {
        add_param(&params, *letter, operation, timeout_ms);
    }
    if (ahead != NULL) {
        add(&params, ipcc_ahead_options(ahead));
    }
    struct ipcc_reply reply = {0};
    const struct ipcc_request request = {
        .method = row->method,
        .params = params.values,
        .nparams = params.count,
        .guard_ms = timeout_ms == IPCC_FOREVER ? 0 : HANG_MS,
    };
    operation->status = ipcc_call_request(conn, &request, &reply);
    if (operation->status == 0) {
        read_results(operation, &reply.value);
        if (ahead != NULL) {
            ipcc_ahead_keep(ahead, &reply);
        }
    }
    ipcc_reply_free(&reply);
}

int object_open_ahead(struct ipcc *conn, const char *object, struct ipcc_ahead **ahead)
{
    const struct ipcc_value name = ipcc_str(object);
    int status = ipcc_call(conn, "queue.open", &name, 1, NULL);
    if (status == 0) {
        status = ipcc_ahead_new(conn, ahead);
    }
    for (unsigned i = 0; i < ASKED_AHEAD && status == 0; i++) {
        (void)ipcc_ahead_options(*ahead); /* it is asked for from the first get on */
    }
    return status;
}

/* Options as a map. */
struct option_map {
    struct ipcc_value values[16];
    size_t pairs;
};

static void give(struct option_map *map, const char *name, struct ipcc_value value)
{
    map->values[map->pairs * 2] = ipcc_str(name);
    map->values[map->pairs * 2 + 1] = value;
    map->pairs++;
}

static void give_options(struct option_map *map, enum type type,
                         const struct object_options *options)
{
    switch (type) {
    case TYPE_JOINABLE:
        give(map, "joinable", ipcc_bool(true));
        give(map, "on_disconnect", ipcc_str(options->discard ? "discard" : "requeue"));
        __attribute__((fallthrough));
    case TYPE_QUEUE:
        give(map, "maxsize", ipcc_int(options->maxsize));
        give(map, "order", ipcc_str(options->lifo ? "lifo" : "fifo"));
        break;
    case TYPE_LOCK:
        give(map, "recursive", ipcc_bool(options->recursive));
        give(map, "on_disconnect", ipcc_str(options->keep ? "keep" : "release"));
        give(map, "release_by", ipcc_str(options->anyone ? "anyone" : "owner"));
        break;
    case TYPE_SEMAPHORE:
        give(map, "value", ipcc_int(options->value));
        give(map, "bounded", ipcc_bool(options->bounded));
        give(map, "on_disconnect", ipcc_str(options->keep ? "keep" : "release"));
        break;
    default:
        break;
    }
}

int object_make(struct ipcc *conn, const char *object, enum type type,
                const struct object_options *options)
{
    static const char *const methods[TYPES] = {
        "queue.open", "queue.open", "lock.open", "semaphore.open", "dict.open",
    };
    struct option_map map = {0};
    if (options->durable) {
        give(&map, "lifetime", ipcc_str("durable"));
    }
    give_options(&map, type, options);
    struct ipcc_value params[] = {ipcc_str(object), ipcc_map(map.values, map.pairs)};
    const struct ipcc_request request = {
        .method = methods[type], .params = params, .nparams = 2, .guard_ms = HANG_MS};
    return ipcc_call_request(conn, &request, NULL);
}
