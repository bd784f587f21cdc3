/* holding: see holding.h. Tests: tests/hosts/test_together.py, tests/unit/methods/, suite "engine".
 */
#include "daemon/engine/holding.h"

#include <stdlib.h>

#include "daemon/call/lookup.h"
#include "daemon/engine/guest.h"
#include "daemon/engine/letter.h"

struct holding_op {
    struct op op;
    LIST_ENTRY(holding_op) link;
    struct holding *holding; /* NULL: nobody waits for it */
};

/* Appends the elements of an array, and counts them. */
static void take_elements(struct param array, struct buffer *out, uint64_t *count)
{
    if (array.header.kind == KIND_ARRAY) {
        struct slice elements = slice_from(array.raw, array.header.size);
        (void)buffer_append(out, elements.data, elements.len);
        *count += array.header.count;
    }
}

/* How many tickets or permits one entry of `holds` tells of; a lock is one. */
static uint64_t held(struct slice *rest)
{
    struct header header;
    struct slice entry = value_next(rest).raw;
    if (header_read(entry.data, entry.len, &header) != 0 || header.kind != KIND_MAP) {
        return 0;
    }
    struct slice pairs = slice_from(entry, header.size);
    for (uint32_t i = 0; i < header.count; i++) {
        struct param key = value_next(&pairs);
        struct param value = value_next(&pairs);
        struct slice name = key.header.kind == KIND_STR ? param_bytes(&key) : (struct slice){0};
        if ((slice_equal(name, slice_of_string("tickets")) ||
             slice_equal(name, slice_of_string("permits"))) &&
            param_fits(&value.header, PARAM_UINT)) {
            return (uint64_t)value.header.i;
        }
    }
    return 1;
}

static uint64_t held_in_all(struct param array)
{
    uint64_t count = 0;
    struct slice rest = slice_from(array.raw, array.header.size);
    for (uint32_t i = 0; array.header.kind == KIND_ARRAY && i < array.header.count; i++) {
        count += held(&rest);
    }
    return count;
}

/* {open: [name…], holds: [map…], …} */
static void take(struct holding *holding, struct slice packed)
{
    struct header header;
    if (packed.len == 0 || scan_length(packed.data, packed.len) != packed.len ||
        header_read(packed.data, packed.len, &header) != 0 || header.kind != KIND_MAP) {
        return;
    }
    struct slice rest = slice_from(packed, header.size);
    for (uint32_t i = 0; i < header.count; i++) {
        struct param key = value_next(&rest);
        struct param value = value_next(&rest);
        struct slice name = key.header.kind == KIND_STR ? param_bytes(&key) : (struct slice){0};
        if (slice_equal(name, slice_of_string("open"))) {
            take_elements(value, &holding->open, &holding->more.open_count);
        } else if (slice_equal(name, slice_of_string("holds"))) {
            take_elements(value, &holding->holds, &holding->more.holds_count);
            holding->more.holding += held_in_all(value);
        }
    }
}

static void answered(struct op *op, const struct outcome *outcome)
{
    struct holding_op *question = (struct holding_op *)op;
    struct holding *holding = question->holding;
    if (holding != NULL) {
        LIST_REMOVE(question, link);
        if (outcome->fate == OP_DONE && outcome->replies[0].len > 0 &&
            outcome->replies[0].data[0] == '=') {
            take(holding, slice_from(outcome->replies[0], 1));
        }
    }
    op_deinit(op);
    free(question);
    if (holding != NULL && LIST_EMPTY(&holding->ops)) {
        if (holding->open.failed || holding->holds.failed) { /* as if nothing had come */
            holding->more = (struct session_more){0};
        } else {
            holding->more.open = buffer_slice(&holding->open);
            holding->more.holds = buffer_slice(&holding->holds);
        }
        holding->done(holding);
    }
}

struct asking {
    struct holding *holding;
    uint64_t session;
    bool failed;
};

static void ask_lane(void *data, struct lane *lane)
{
    struct asking *asking = data;
    struct holding_op *question = malloc(sizeof(*question));
    if (question == NULL) {
        asking->failed = true;
        return;
    }
    op_init(&question->op, "session.holding", (struct slice){0});
    question->op.done = answered;
    question->op.session = asking->session;
    question->holding = asking->holding;
    LIST_INSERT_HEAD(&asking->holding->ops, question, link);
    lane_submit(lane, &question->op);
}

int holding_ask(struct engine *engine, uint64_t session, struct holding *holding)
{
    struct asking asking = {.holding = holding, .session = session};
    LIST_INIT(&holding->ops);
    holding->more = (struct session_more){0};
    struct lane *letters = letters_lane(engine);
    if (letters != NULL) {
        ask_lane(&asking, letters); /* where it has nothing: so that one is asked */
    }
    guest_each_lane(engine, session, ask_lane, &asking);
    return asking.failed || LIST_EMPTY(&holding->ops) ? ERR_MEMORY : 0;
}

void holding_deinit(struct holding *holding)
{
    struct holding_op *question;
    while ((question = LIST_FIRST(&holding->ops)) != NULL) {
        LIST_REMOVE(question, link);
        question->holding = NULL;
    }
    buffer_deinit(&holding->open);
    buffer_deinit(&holding->holds);
}
