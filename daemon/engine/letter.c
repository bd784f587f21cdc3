/* letter: see letter.h. Tests: tests/hosts/test_together.py. */
#include "daemon/engine/letter.h"

#include <stdlib.h>

#include "daemon/engine/tag.h"
#include "proto/message.h"

enum { NS_PER_MS = 1000000 };

static void letter_done(struct op *op, const struct outcome *outcome)
{
    op_deinit(op);
    free(op);
}

struct lane *letters_lane(struct engine *engine)
{
    struct buffer prefix = {0};
    tag_prefix(engine->options.realm, slice_of_string(TAG_HOSTS), &prefix);
    struct lane *lane =
        prefix.failed ? NULL : lanes_of_prefix(&engine->lanes, buffer_slice(&prefix));
    buffer_deinit(&prefix);
    return lane;
}

bool letter_send(struct engine *engine, struct slice to, struct slice letter)
{
    struct lane *lane = letters_lane(engine);
    struct op *op = lane == NULL ? NULL : malloc(sizeof(*op));
    if (op == NULL) {
        return false;
    }
    op_init(op, "mail.send", (struct slice){0});
    op->done = letter_done;
    op->deadline = engine_now(engine) + LETTER_PATIENCE_MS * (uint64_t)NS_PER_MS;
    argument_bytes(&op->first.arguments, to);
    argument_bytes(&op->first.arguments, letter);
    lane_submit(lane, op);
    return true;
}

bool letter_next(struct letter *letter, struct param *out)
{
    if (letter->left == 0 || scan_length(letter->rest.data, letter->rest.len) == 0) {
        return false;
    }
    letter->left--;
    *out = value_next(&letter->rest);
    return true;
}

bool letter_open(struct letter *letter, struct slice packed)
{
    struct header header;
    if (packed.len == 0 || header_read(packed.data, packed.len, &header) != 0 ||
        header.kind != KIND_ARRAY) {
        return false;
    }
    *letter = (struct letter){slice_from(packed, header.size), header.count};
    return true;
}

bool letter_uint(struct letter *letter, uint64_t *out)
{
    struct param param;
    if (!letter_next(letter, &param) || param.header.kind != KIND_INT || param.header.i < 0) {
        return false;
    }
    *out = (uint64_t)param.header.i;
    return true;
}

bool letter_bytes(struct letter *letter, struct slice *out)
{
    struct param param;
    if (!letter_next(letter, &param) ||
        (param.header.kind != KIND_STR && param.header.kind != KIND_BIN)) {
        return false;
    }
    *out = param_bytes(&param);
    return true;
}
