/* options: see options.h. */
#include "daemon/methods/options.h"

#include "daemon/call/lookup.h"

#include "daemon/objects/walk.h"
#include "proto/value.h"

/* The place of the option of that name, or -1. */
static int find(const struct method_signature *signature, struct slice name)
{
    for (unsigned i = 0; i < signature->option_count; i++) {
        if (slice_equal(name, slice_of_string(signature->options[i]->name))) {
            return (int)i;
        }
    }
    return -1;
}

static int refuse_unknown(struct call *call, struct slice key,
                          const struct method_signature *signature)
{
    struct buffer text = {0};
    value_print(key, 64, &text);
    const char *between = " is no option; there are ";
    for (unsigned i = 0; i < signature->option_count; i++) {
        (void)buffer_append(&text, between, strlen(between));
        (void)buffer_append(&text, signature->options[i]->name,
                            strlen(signature->options[i]->name));
        between = ", ";
    }
    (void)call_fail(call, ERR_BAD_REQUEST, "%s: %.*s", call->method->name, (int)text.len,
                    (const char *)text.data);
    buffer_deinit(&text);
    return ERR_BAD_REQUEST;
}

static int refuse_value(struct call *call, const struct method_option *option,
                        const struct param *given)
{
    bool is_choice = option->words[0] != '\0';
    struct buffer shown = {0};
    value_print(given->raw, 64, &shown);
    (void)call_fail(call, ERR_BAD_REQUEST, "%s: option %s must be %s%s, not %s %.*s",
                    call->method->name, option->name, is_choice ? "one of " : "",
                    is_choice ? option->words : param_type_name(option->type),
                    kind_name(given->header.kind), (int)shown.len, (const char *)shown.data);
    buffer_deinit(&shown);
    return ERR_BAD_REQUEST;
}

/* One pair of the map. */
static int read_option(struct call *call, const struct param *key, struct param *value,
                       struct param *given)
{
    const struct method_signature *signature = &call->service->index.signatures[call->method->id];
    int place = key->header.kind == KIND_STR ? find(signature, param_bytes(key)) : -1;
    if (place < 0) {
        return refuse_unknown(call, key->raw, signature);
    }
    const struct method_option *option = signature->options[place];
    if (value->header.kind == KIND_NIL && option->type != PARAM_VALUE) {
        return 0;
    }
    if (!param_fits(&value->header, option->type)) {
        return refuse_value(call, option, value);
    }
    if (option->words[0] != '\0') {
        value->header.i = method_option_word(option, param_bytes(value));
        if (value->header.i < 0) {
            return refuse_value(call, option, value);
        }
    }
    given[place] = *value;
    return 0;
}

int options_read(struct call *call, unsigned i, struct param *given)
{
    const struct method_signature *signature = &call->service->index.signatures[call->method->id];
    memset(given, 0, signature->option_count * sizeof(*given));
    if (!call_given(call, i)) {
        return 0;
    }
    struct slice rest = slice_from(call_value(call, i), call->params[i].header.size);
    int status = 0;
    for (uint32_t left = call->params[i].header.count; left > 0 && status == 0; left--) {
        struct param key = walk_next(&rest, call->pace);
        struct param value = walk_next(&rest, call->pace);
        status = read_option(call, &key, &value, given);
    }
    return status;
}
