/*
 * Every param of every method, from the method table: a value of each wrong kind is BAD_REQUEST and
 * names the param; so is one param too few; one too many is BAD_REQUEST; and none of it changes
 * anything. The table is the only thing taken from proto/.
 */
#include "proto/method.h"
#include "tests/support/daemon.h"

#include <string.h>

enum { PARAMS_SIZE = 256 };

/* One value of each kind, with the bit by which good_kinds knows it. */
enum kind_bit {
    NIL = 1,
    BOOL = 2,
    POSITIVE = 4,
    NEGATIVE = 8,
    FLOAT = 16,
    STR = 32,
    ARRAY = 64,
    MAP = 128,
    EXT = 256,
};

static const struct {
    enum kind_bit bit;
    const char *value;
} kinds[] = {
    {NIL, "nil"}, {BOOL, "true"}, {POSITIVE, "5"},   {NEGATIVE, "-5"},         {FLOAT, "1.5"},
    {STR, "'s'"}, {ARRAY, "[7]"}, {MAP, "{k: 'v'}"}, {EXT, "ext(5, 'bytes')"},
};

/* What each param type takes. bin is not among the kinds: whether a name may be bin is left open.
 */
static unsigned good_kinds(enum param_type type)
{
    static const unsigned good[] = {
        [PARAM_OBJECT] = STR,
        [PARAM_OBJECTS] = ARRAY,
        [PARAM_NAME] = STR | NIL,
        [PARAM_VALUE] = ~0U,
        [PARAM_BOOL] = BOOL,
        [PARAM_INT] = POSITIVE | NEGATIVE,
        [PARAM_OPTINT] = POSITIVE | NEGATIVE | NIL,
        [PARAM_UINT] = POSITIVE,
        [PARAM_COUNT] = POSITIVE,
        [PARAM_NUMBER] = POSITIVE | NEGATIVE | FLOAT,
        [PARAM_MS] = POSITIVE,
        [PARAM_TIMEOUT] = POSITIVE | NIL,
        [PARAM_ARRAY] = ARRAY,
        [PARAM_MAP] = MAP,
        [PARAM_STR] = STR,
        [PARAM_OWNER] = POSITIVE | NEGATIVE | STR,
        [PARAM_GROUP] = POSITIVE | STR,
        [PARAM_SESSION] = POSITIVE | STR,
    };
    return good[type];
}

/* A value that the param takes; the objects of open_objects are called as their types. */
static const char *good_value(struct rpc *c, const struct method *method, enum param_type type)
{
    static const char *const values[] = {
        [PARAM_NAME] = "'new'", [PARAM_VALUE] = "1",    [PARAM_BOOL] = "false",
        [PARAM_INT] = "0",      [PARAM_OPTINT] = "nil", [PARAM_UINT] = "0",
        [PARAM_COUNT] = "1",    [PARAM_NUMBER] = "1",   [PARAM_MS] = "0",
        [PARAM_TIMEOUT] = "0",  [PARAM_ARRAY] = "[]",   [PARAM_MAP] = "{}",
        [PARAM_STR] = "'s'",    [PARAM_OWNER] = "1",    [PARAM_GROUP] = "0",
        [PARAM_SESSION] = "0",
    };
    if (type != PARAM_OBJECT && type != PARAM_OBJECTS) {
        return values[type];
    }
    return rpc_text(c, type == PARAM_OBJECTS ? "['%s']" : "'%s'",
                    strcmp(method->type, "object") == 0 ? "queue" : method->type);
}

/* Params up to `count`, good ones except that `wrong` (if not NULL) stands at index `at`. */
static void write_params(char out[PARAMS_SIZE], struct rpc *c, const struct method *method,
                         unsigned count, unsigned at, const char *wrong)
{
    struct method_signature signature;
    method_signature(method, &signature);
    size_t len = 0;
    out[len++] = '[';
    for (unsigned i = 0; i < count; i++) {
        const char *value = i == at && wrong != NULL ? wrong
                            : i < signature.count ? good_value(c, method, signature.params[i].type)
                                                  : "nil";
        len += (size_t)snprintf(out + len, PARAMS_SIZE - len, "%s%s", i == 0 ? "" : ", ", value);
    }
    (void)snprintf(out + len, PARAMS_SIZE - len, "]");
}

static void refused(struct rpc *c, const struct method *method, const char *params, unsigned at)
{
    struct method_signature signature;
    method_signature(method, &signature);
    const struct slice name = signature.params[at].name;
    expect_error_word(c, method->name, params, "BAD_REQUEST",
                      rpc_text(c, "%.*s", (int)name.len, (const char *)name.data));
}

static struct rpc *open_objects(void **state)
{
    struct rpc *c = daemon_client(*state);
    expect(c, "queue.open", "['queue', {joinable: true}]", "_map");
    expect(c, "dict.open", "['dict', {initial: {a: 1}}]", "_map");
    expect(c, "list.open", "['list', {initial: [1, 2]}]", "_map");
    expect(c, "namespace.open", "['namespace', {initial: {a: 1}}]", "_map");
    expect(c, "event.open", "['event']", "_map");
    expect(c, "lock.open", "['lock']", "_map");
    expect(c, "semaphore.open", "['semaphore', {value: 9}]", "_map");
    expect(c, "barrier.open", "['barrier', {parties: 2}]", "_map");
    expect(c, "condition.open", "['condition']", "_map");
    expect(c, "pipe.open", "['pipe']", "_map");
    return c;
}

static void check_unchanged(struct rpc *c)
{
    expect(c, "object.list", "[{}]",
           "{objects: [_map, _map, _map, _map, _map, _map, _map, _map, _map, _map], ...}");
    expect(c, "object.describe", "['queue']",
           "{size: 0, delayed: 0, taken: 0, waiting: 0, shut_down: false, mode: 432, ...}");
    expect(c, "dict.copy", "['dict']", "{a: 1}");
    expect(c, "list.slice", "['list']", "[1, 2]");
    expect(c, "namespace.copy", "['namespace']", "{a: 1}");
    expect(c, "event.is_set", "['event']", "false");
    expect(c, "lock.locked", "['lock']", "false");
    expect(c, "semaphore.value", "['semaphore']", "9");
    expect(c, "barrier.state", "['barrier']", "{waiting: 0, broken: false, ...}");
    expect(c, "object.describe", "['condition']", "{waiting: 0, holder: nil, ...}");
    expect(c, "object.describe", "['pipe']", "{ends: ['free', 'free'], ...}");
}

static void wrong_kinds_are_refused_by_the_name_of_the_param(void **state)
{
    struct rpc *c = open_objects(state);
    char params[PARAMS_SIZE];
    for (size_t i = 0; i < METHOD_COUNT; i++) {
        struct method_signature signature;
        method_signature(&methods[i], &signature);
        for (unsigned at = 0; at < signature.count; at++) {
            const struct method_param *param = &signature.params[at];
            unsigned good = good_kinds(param->type) | (param->optional ? (unsigned)NIL : 0);
            for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
                if ((good & kinds[k].bit) == 0) {
                    unsigned count = at + 1 < signature.required ? signature.required : at + 1;
                    write_params(params, c, &methods[i], count, at, kinds[k].value);
                    refused(c, &methods[i], params, at);
                }
            }
        }
    }
    check_unchanged(c);
}

static void too_few_params_are_refused_by_the_name_of_the_first_missing(void **state)
{
    struct rpc *c = open_objects(state);
    char params[PARAMS_SIZE];
    for (size_t i = 0; i < METHOD_COUNT; i++) {
        struct method_signature signature;
        method_signature(&methods[i], &signature);
        for (unsigned count = 0; count < signature.required; count++) {
            write_params(params, c, &methods[i], count, 0, NULL);
            refused(c, &methods[i], params, count);
        }
    }
    check_unchanged(c);
}

static void too_many_params_are_refused(void **state)
{
    struct rpc *c = open_objects(state);
    char params[PARAMS_SIZE];
    for (size_t i = 0; i < METHOD_COUNT; i++) {
        struct method_signature signature;
        method_signature(&methods[i], &signature);
        for (unsigned more = 1; more <= 8; more++) {
            write_params(params, c, &methods[i], signature.count + more, 0, NULL);
            expect_error(c, methods[i].name, params, "BAD_REQUEST");
        }
    }
    check_unchanged(c);
}

static void negative_timeouts_are_refused(void **state)
{
    struct rpc *c = open_objects(state);
    char params[PARAMS_SIZE];
    unsigned checked = 0;
    for (size_t i = 0; i < METHOD_COUNT; i++) {
        struct method_signature signature;
        method_signature(&methods[i], &signature);
        for (unsigned at = 0; at < signature.count; at++) {
            if (signature.params[at].type == PARAM_TIMEOUT) {
                write_params(params, c, &methods[i], at + 1, at, "-9223372036854775808");
                refused(c, &methods[i], params, at);
                write_params(params, c, &methods[i], at + 1, at, "-1");
                refused(c, &methods[i], params, at);
                checked++;
            }
        }
    }
    assert_true(checked >= 6);
    check_unchanged(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        daemon_test(wrong_kinds_are_refused_by_the_name_of_the_param),
        daemon_test(too_few_params_are_refused_by_the_name_of_the_first_missing),
        daemon_test(too_many_params_are_refused),
        daemon_test(negative_timeouts_are_refused),
    };
    return cmocka_run_group_tests_name("params", tests, NULL, NULL);
}
