/*
 * op: see op.h.
 *
 * Tests: tests/unit/engine/test_lane.c, tests/unit/engine/test_encode.c.
 */
#include "daemon/engine/op.h"

#include <assert.h>
#include <stdlib.h>

#include "proto/error.h"

void part_init(struct op_part *part, const char *verb, struct slice name)
{
    *part = (struct op_part){.verb = verb};
    argument_bytes(&part->arguments, name);
}

void op_init(struct op *op, const char *verb, struct slice name)
{
    *op = (struct op){.count = 1, .deadline = UINT64_MAX};
    op->parts = &op->first;
    part_init(&op->first, verb, name);
}

void op_renew(struct op *op, const char *verb, struct slice name)
{
    struct buffer bytes = op->first.arguments.bytes;
    struct buffer version = op->first.version;
    assert(op->lane == NULL && op->count == 1 && op->parts == &op->first);
    bytes.len = 0;
    version.len = 0;
    *op = (struct op){
        .count = 1,
        .deadline = UINT64_MAX,
        .parts = &op->first,
        .first = {.verb = verb, .arguments.bytes = bytes, .version = version},
    };
    argument_bytes(&op->first.arguments, name);
}

int op_init_atomic(struct op *op, unsigned count)
{
    *op = (struct op){.is_atomic = true, .deadline = UINT64_MAX};
    op->parts = calloc(count, sizeof(*op->parts));
    if (op->parts == NULL) {
        op->parts = &op->first;
        return ERR_MEMORY;
    }
    op->count = count;
    return 0;
}

void op_deinit(struct op *op)
{
    assert(op->lane == NULL);
    op_truncate(op, 0);
    if (op->parts != &op->first) {
        free(op->parts);
    }
    op->parts = &op->first;
}

void op_truncate(struct op *op, unsigned count)
{
    while (op->count > count) {
        op->count--;
        buffer_deinit(&op->parts[op->count].arguments.bytes);
        buffer_deinit(&op->parts[op->count].version);
    }
}

struct slice part_name(const struct op_part *part)
{
    return argument_at(&part->arguments, 0);
}

void part_set_version(struct op_part *part, struct slice version)
{
    part->version.len = 0;
    if (version.len > 0) {
        (void)buffer_append(&part->version, version.data, version.len);
    }
}

void argument_end(struct arguments *arguments)
{
    assert(arguments->count <= ARGUMENTS_MAX);
    arguments->ends[arguments->count++] = (uint32_t)arguments->bytes.len;
}

void argument_bytes(struct arguments *arguments, struct slice bytes)
{
    if (bytes.len > 0) {
        (void)buffer_append(&arguments->bytes, bytes.data, bytes.len);
    }
    argument_end(arguments);
}

void argument_text(struct arguments *arguments, const char *text)
{
    argument_bytes(arguments, slice_of_string(text));
}

void argument_int(struct arguments *arguments, int64_t value)
{
    char text[DECIMAL_MAX];
    size_t len = decimal_write_signed(text, value);
    argument_bytes(arguments, (struct slice){(const uint8_t *)text, len});
}

void argument_uint(struct arguments *arguments, uint64_t value)
{
    char text[DECIMAL_MAX];
    size_t len = decimal_write(text, value);
    argument_bytes(arguments, (struct slice){(const uint8_t *)text, len});
}

struct slice argument_at(const struct arguments *arguments, unsigned i)
{
    size_t begin = i == 0 ? 0 : arguments->ends[i - 1];
    if (arguments->bytes.failed || arguments->bytes.data == NULL) {
        return (struct slice){(const uint8_t *)"", 0};
    }
    return (struct slice){arguments->bytes.data + begin, arguments->ends[i] - begin};
}

size_t op_size(const struct op *op)
{
    size_t size = 0;
    for (unsigned i = 0; i < op->count; i++) {
        size += op->parts[i].arguments.bytes.len + 64;
    }
    return size;
}
