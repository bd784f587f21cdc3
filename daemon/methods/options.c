/*
 * options: see options.h.
 *
 * Tests: tests/unit/methods/test_queue_open.c, tests/wire/test_params.c.
 */
#include "daemon/methods/options.h"

#include "daemon/call/lookup.h"

#include "proto/value.h"

static const struct option *find(const struct option *table, size_t count, struct slice name)
{
    for (size_t i = 0; i < count; i++) {
        if (slice_equal(name, slice_of_string(table[i].name))) {
            return &table[i];
        }
    }
    return NULL;
}

static int refuse_unknown(struct call *call, struct slice key, const struct option *table,
                          size_t count)
{
    struct buffer text = {0};
    value_print(key, 64, &text);
    const char *between = " is no option; there are ";
    for (size_t i = 0; i < count; i++) {
        (void)buffer_append(&text, between, strlen(between));
        (void)buffer_append(&text, table[i].name, strlen(table[i].name));
        between = ", ";
    }
    (void)call_fail(call, ERR_BAD_REQUEST, "%s: %.*s", call->method->name, (int)text.len,
                    (const char *)text.data);
    buffer_deinit(&text);
    return ERR_BAD_REQUEST;
}

static int refuse_value(struct call *call, const struct option *option, const struct param *given)
{
    struct buffer shown = {0};
    value_print(given->raw, 64, &shown);
    (void)call_fail(call, ERR_BAD_REQUEST, "%s: option %s must be %s, not %s %.*s",
                    call->method->name, option->name, param_type_name(option->type),
                    kind_name(given->header.kind), (int)shown.len, (const char *)shown.data);
    buffer_deinit(&shown);
    return ERR_BAD_REQUEST;
}

int option_word(const struct param *option, const char *const *words, int count, int standard)
{
    if (!option_given(option)) {
        return standard;
    }
    for (int i = 0; i < count; i++) {
        if (slice_equal(option_str(option), slice_of_string(words[i]))) {
            return i;
        }
    }
    return -1;
}

int options_read(struct call *call, unsigned i, const struct option *table, size_t count,
                 struct param *out)
{
    memset(out, 0, count * sizeof(*out));
    if (!call_given(call, i)) {
        return 0;
    }
    struct slice rest = call_value(call, i);
    uint32_t pairs = call->params[i].header.count;
    rest = slice_from(rest, call->params[i].header.size);
    for (uint32_t pair = 0; pair < pairs; pair++) {
        struct param key = value_next(&rest);
        struct param value = value_next(&rest);
        struct slice name = {key.raw.data + key.header.size, key.header.length};
        const struct option *option = key.header.kind == KIND_STR ? find(table, count, name) : NULL;
        if (option == NULL) {
            return refuse_unknown(call, key.raw, table, count);
        }
        if (value.header.kind == KIND_NIL && option->type != PARAM_VALUE) {
            continue;
        }
        if (!param_fits(&value.header, option->type)) {
            return refuse_value(call, option, &value);
        }
        out[option - table] = value;
    }
    return 0;
}
