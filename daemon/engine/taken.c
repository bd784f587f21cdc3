/*
 * taken: see taken.h.
 *
 * An item of a joinable queue has a ticket, and comes back with its session's claims; those of a
 * plain one have nil there.
 *
 * Tests: tests/unit/methods/test_queue.c, test_get_any.c, the suite "engine";
 * tests/hosts/test_undelivered.py.
 */
#include "daemon/engine/taken.h"

#include <stdlib.h>

#include "daemon/engine/answer.h"

/* What is noted of an item: where it goes back to. */
struct receipt {
    struct lane *lane; /* used */
    uint8_t name_len;
    char name[]; /* of the queue */
};

/* An item on its way back. */
struct returning {
    struct op op; /* first */
    struct engine *engine;
};

/* Until it is back its session has not ended, for those who ask (server.stats). */
static void sent_back(struct op *op, const struct outcome *outcome)
{
    ((struct returning *)op)->engine->ending--;
    op_deinit(op);
    free(op);
}

/* An op that is about the way back; NULL for want of memory. Its arguments are to be added. */
static struct op *begin_returning(struct lane *lane, const char *verb, struct slice name)
{
    struct returning *returning = malloc(sizeof(*returning));
    if (returning == NULL) {
        return NULL;
    }
    op_init(&returning->op, verb, name);
    returning->op.done = sent_back;
    returning->engine = lane->lanes->listener.data;
    returning->engine->ending++;
    return &returning->op;
}

/* A value; NULL for want of memory. */
static struct op *begin_send_back(struct lane *lane, struct slice name, struct slice value)
{
    struct op *op = begin_returning(lane, "queue.put_back", name);
    if (op != NULL) {
        pack_array(&op->first.arguments.bytes, 1);
        pack_str(&op->first.arguments.bytes, value);
        argument_end(&op->first.arguments);
    }
    return op;
}

static void send_back(struct lane *lane, struct slice name, struct slice value)
{
    struct op *op = begin_send_back(lane, name, value);
    if (op != NULL) {
        lane_submit(lane, op);
    }
}

static struct receipt *receipt_of(const void *note)
{
    struct receipt *receipt;
    memcpy(&receipt, note, sizeof(receipt));
    return receipt;
}

static void put_back(struct object *object, struct stored value, const void *note)
{
    const struct receipt *receipt = receipt_of(note);
    send_back(receipt->lane, (struct slice){(const uint8_t *)receipt->name, receipt->name_len},
              value.bytes);
}

static void forget(const void *note)
{
    struct receipt *receipt = receipt_of(note);
    lane_unuse(receipt->lane);
    free(receipt);
}

/* What the notes hang on: it is there while there are any. */
struct receipts {
    struct object object; /* first */
    struct engine *engine;
};

static void receipts_deinit(struct object *object)
{
    ((struct receipts *)object)->engine->receipts = NULL;
}

static const struct object_type receipts_type = {.kind = OBJECT_QUEUE,
                                                 .size = sizeof(struct receipts),
                                                 .deinit = receipts_deinit,
                                                 .put_back = put_back,
                                                 .forget = forget};

/* With one reference. NULL for want of memory. */
static struct object *take_receipts(struct engine *engine)
{
    struct accounts *accounts = &engine->service->accounts;
    if (engine->receipts != NULL) {
        return object_ref(engine->receipts);
    }
    struct user *user = accounts_user(accounts, accounts->self);
    struct receipts *receipts = user == NULL ? NULL : calloc(1, sizeof(*receipts));
    const struct object_options options = {.name = slice_of_string("engine"), .user = user};
    int status =
        receipts == NULL ? ERR_MEMORY : object_init(&receipts->object, &receipts_type, &options);
    user_unref(user);
    if (status < 0) {
        free(receipts);
        return NULL;
    }
    receipts->engine = engine;
    engine->receipts = &receipts->object;
    return engine->receipts;
}

bool taken_is_given_by(const struct call *call)
{
    return call->method->id == METHOD_queue_get || call->method->id == METHOD_queue_get_many ||
           call->method->id == METHOD_queue_get_any;
}

/* One item whose queue has that name. */
static int pack_item(struct engine *engine, struct call *call, struct lane *lane, struct slice name,
                     struct slice value)
{
    const struct stored stored = {.bytes = value};
    struct object *receipts = take_receipts(engine);
    struct receipt *receipt = receipts == NULL ? NULL : malloc(sizeof(*receipt) + name.len);
    if (receipt == NULL || output_reserve_away(call->out, stored) < 0) {
        free(receipt);
        if (receipts != NULL) {
            object_unref(receipts);
        }
        send_back(lane, name, value);
        return ERR_MEMORY;
    }
    receipt->lane = lane;
    receipt->name_len = (uint8_t)name.len;
    memcpy(receipt->name, name.data, name.len);
    lane_use(lane);
    output_taken_away(call->out, receipts, &receipt, sizeof(receipt), stored);
    object_unref(receipts); /* the note has its own */
    return 0;
}

/* [value, ticket, …], behind the header of the array; `failed`: its item is sent back. */
static int pack_taken(struct engine *engine, struct call *call, struct lane *lane,
                      struct slice name, struct slice *rest, uint32_t count, bool failed)
{
    struct param value = value_next(rest);
    struct slice behind = *rest;
    bool has_ticket = count < 2 || value_next(&behind).header.kind != KIND_NIL;
    int status = 0;
    if (has_ticket) {
        pack_raw(&call->out->bytes, value.raw);
    } else if (failed) {
        send_back(lane, name, value.raw);
    } else {
        status = pack_item(engine, call, lane, name, value.raw);
    }
    for (uint32_t i = 1; i < count; i++) {
        pack_raw(&call->out->bytes, value_next(rest).raw);
    }
    return status;
}

static int pack_many(struct engine *engine, struct call *call, struct lane *lane,
                     const struct param *result)
{
    struct slice rest = slice_from(result->raw, result->header.size);
    struct slice name = call_bytes(call, 0);
    int status = 0;
    pack_array(&call->out->bytes, result->header.count);
    for (uint32_t i = 0; i < result->header.count; i++) {
        struct param item = value_next(&rest);
        struct slice inside = slice_from(item.raw, item.header.size);
        pack_array(&call->out->bytes, item.header.count);
        int packed = item.header.count == 0 ? 0
                                            : pack_taken(engine, call, lane, name, &inside,
                                                         item.header.count, status < 0);
        status = status < 0 ? status : packed;
    }
    return status;
}

int taken_answer(struct engine *engine, struct call *call, struct lane *lane, struct slice result)
{
    struct slice whole = result;
    bool is_value = result.len > 0 && scan_length(result.data, result.len) == result.len;
    struct param array = is_value ? value_next(&whole) : (struct param){0};
    struct slice rest = is_value ? slice_from(array.raw, array.header.size) : result;
    uint32_t count = array.header.count;
    if (!is_value || array.header.kind != KIND_ARRAY || count == 0) {
        return answer_result(call, result);
    }
    (void)call_result(call);
    if (call->method->id == METHOD_queue_get_many) {
        return pack_many(engine, call, lane, &array);
    }
    pack_array(&call->out->bytes, count);
    struct slice name = call_bytes(call, 0);
    if (call->method->id == METHOD_queue_get_any && count > 1) {
        struct param queue = value_next(&rest);
        pack_raw(&call->out->bytes, queue.raw);
        name = slice_from(queue.raw, queue.header.size);
        lane = lanes_of_name(&engine->lanes, name);
        count--;
    }
    return lane == NULL ? ERR_MEMORY : pack_taken(engine, call, lane, name, &rest, count, false);
}

/* The elements of what begins with an array's head; nothing if it is none. */
static uint32_t open_array(struct slice *rest)
{
    struct header header;
    if (header_read(rest->data, rest->len, &header) != 0 || header.kind != KIND_ARRAY) {
        return 0;
    }
    *rest = slice_from(*rest, header.size);
    return header.count;
}

/* [value, ticket, …], so many elements of which are at `rest`. The items of a batch are returned
 * one after the other, each before those that have been; so the first one is at the head in the
 * end. */
static void return_item(struct lane *lane, struct slice name, struct slice rest, uint32_t count)
{
    struct param value = count > 1 ? value_next(&rest) : (struct param){0};
    struct param ticket = count > 1 ? value_next(&rest) : (struct param){0};
    struct op *op = NULL;
    if (ticket.header.kind == KIND_INT) {
        op = begin_returning(lane, "queue.untake", name);
        if (op != NULL) {
            argument_uint(&op->first.arguments, (uint64_t)ticket.header.i);
        }
    } else if (count > 1) {
        op = begin_send_back(lane, name, value.raw);
    }
    if (op != NULL) {
        lane_submit_first(lane, op);
    }
}

static void return_many(struct lane *lane, struct slice name, struct slice rest, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct slice item = value_next(&rest).raw;
        uint32_t elements = open_array(&item);
        return_item(lane, name, item, elements);
    }
}

void taken_return(struct engine *engine, const char *verb, struct slice name, struct slice result)
{
    bool is_many = strcmp(verb, "queue.get_many") == 0;
    bool is_any = strcmp(verb, "queue.get_any") == 0;
    bool is_value = result.len > 0 && scan_length(result.data, result.len) == result.len;
    if (!is_value || (!is_many && !is_any && strcmp(verb, "queue.get") != 0)) {
        return;
    }
    uint32_t count = open_array(&result);
    if (is_any && count > 0) {
        struct param queue = value_next(&result);
        name = param_bytes(&queue);
        count--;
    }
    struct lane *lane = count == 0 ? NULL : lanes_of_name(&engine->lanes, name);
    if (lane != NULL && is_many) {
        return_many(lane, name, result, count);
    } else if (lane != NULL) {
        return_item(lane, name, result, count);
    }
}
