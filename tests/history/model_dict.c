/* model_dict: one key of a dict; keys do not concern each other. The values are integers. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "client/ipcclient.h"
#include "tests/history/model.h"

struct state {
    int64_t value; /* NO_VALUE: the key is not there */
};

static void init(const struct object_options *options, void *state)
{
    (void)options;
    ((struct state *)state)->value = NO_VALUE;
}

/* What the operation answers here, in *result, or the error it gives; changes the state. */
static int32_t apply(const struct operation *operation, struct state *state, int64_t *result)
{
    const int64_t *arguments = operation->arguments;
    bool there = state->value != NO_VALUE;
    switch ((enum verb)operation->verb) {
    case DICT_GET:
        *result = state->value;
        return there ? 0 : IPCC_ERR_KEY;
    case DICT_SET:
        *result = !there;
        state->value = arguments[1];
        return 0;
    case DICT_CAS:
        *result = state->value == arguments[1];
        if (*result) {
            state->value = arguments[2];
        }
        return 0;
    case DICT_DELETE:
        state->value = NO_VALUE;
        return there ? 0 : IPCC_ERR_KEY;
    case DICT_INCR:
        state->value = there ? state->value + arguments[1] : arguments[1];
        *result = state->value;
        return 0;
    default:
        return IPCC_ERR_INTERNAL;
    }
}

static unsigned step_dict(const struct step *step, const void *before, void *after)
{
    const struct operation *operation = step->event->operation;
    int64_t result = 0;
    memcpy(after, before, sizeof(struct state));
    if (step->event->happening != CALL) {
        return 1;
    }
    int32_t status = apply(operation, after, &result);
    if (!step->event->answered) {
        return 1;
    }
    bool has_result = verb_rows[operation->verb].results > 0 && status == 0;
    return operation->status == status && (!has_result || operation->results[0] == result);
}

static void print(const void *data, char *text, size_t size)
{
    const struct state *state = data;
    if (state->value == NO_VALUE) {
        (void)snprintf(text, size, "the key is not there");
    } else {
        (void)snprintf(text, size, "the key has %" PRId64, state->value);
    }
}

const struct model model_dict = {
    .size = sizeof(struct state),
    .init = init,
    .step = step_dict,
    .print = print,
    .by_key = true,
};
