/* The options of methods: those of proto/options.def are taken, of the type that stands there, and
 * no others. */
#include "tests/support/stage.h"

#include <stdio.h>

enum { TEXT_MAX = 512 };

static int set_up(void **state)
{
    *state = stage_new();
    return 0;
}

static int tear_down(void **state)
{
    stage_free(*state);
    return 0;
}

typedef void check_of_method(struct actor *a, const struct method *method,
                             const struct method_signature *signature);

/* Runs a check for each method that has options; a queue "q" is there. */
static void for_each_method(void **state, check_of_method *run)
{
    struct actor *a = actor_new(*state, 0);
    unsigned count = 0;
    check(a, "queue.open", "['q']", "_map");
    for (size_t i = 0; i < METHOD_COUNT; i++) {
        struct method_signature signature;
        method_signature(&methods[i], &signature);
        if (signature.option_count > 0) {
            run(a, &methods[i], &signature);
            actor_forget(a);
            count++;
        }
    }
    assert_in_range(count, OBJECT_KINDS, METHOD_COUNT);
    actor_leave(a);
}

/* Calls the method with an option: BAD_REQUEST with that text behind the method's name. */
static void expect_refused(struct actor *a, const struct method *method, const char *key,
                           const char *value, const char *text)
{
    char params[TEXT_MAX] = "[";
    char error[2 * TEXT_MAX];
    struct method_signature signature;
    method_signature(method, &signature);
    for (unsigned i = 0; i + 1 < signature.count; i++) {
        const struct method_param *param = &signature.params[i];
        (void)strcat(params, param->type == PARAM_OBJECT ? "'q', "
                             : param->optional           ? "nil, "
                                                         : "1, ");
    }
    size_t len = strlen(params);
    (void)snprintf(params + len, sizeof(params) - len, "{%s: %s}]", key, value);
    (void)snprintf(error, sizeof(error), "['BAD_REQUEST', '%s: %s']", method->name, text);
    check_fails(a, method->name, params, error);
}

static void check_unknown(struct actor *a, const struct method *method,
                          const struct method_signature *signature)
{
    char text[TEXT_MAX] = "\"bogus\" is no option; there are ";
    for (unsigned i = 0; i < signature->option_count; i++) {
        size_t len = strlen(text);
        (void)snprintf(text + len, sizeof(text) - len, "%s%s", i > 0 ? ", " : "",
                       signature->options[i]->name);
    }
    expect_refused(a, method, "bogus", "1", text);
    expect_refused(a, method, "bogus", "nil", text);
}

static void an_option_without_a_row_is_refused_with_those_there_are(void **state)
{
    for_each_method(state, check_unknown);
}

static void check_types(struct actor *a, const struct method *method,
                        const struct method_signature *signature)
{
    for (unsigned i = 0; i < signature->option_count; i++) {
        const struct method_option *option = signature->options[i];
        bool is_choice = option->words[0] != '\0';
        char text[TEXT_MAX];
        if (option->type == PARAM_VALUE) {
            continue;
        }
        (void)snprintf(text, sizeof(text), "option %s must be %s%s, not a float 1.5", option->name,
                       is_choice ? "one of " : "",
                       is_choice ? option->words : param_type_name(option->type));
        expect_refused(a, method, option->name, "1.5", text);
        if (is_choice) {
            (void)snprintf(text, sizeof(text), "option %s must be one of %s, not a str \"bogus\"",
                           option->name, option->words);
            expect_refused(a, method, option->name, "'bogus'", text);
        }
    }
}

static void a_value_is_of_the_type_or_one_of_the_words_of_its_row(void **state)
{
    for_each_method(state, check_types);
}

/* Everything that a queue can be given, so that no option is mistaken for its neighbour. */
static void options_come_to_what_they_are_called(void **state)
{
    struct actor *a = actor_new(*state, 0);
    check(a, "queue.open",
          "['all', {dead_letter: 'd', max_deliveries: 7, lease_ms: 9, on_disconnect: 'discard',"
          " joinable: true, order: 'lifo', maxsize: 5, mode: 256, group: 5, lifetime: 'scoped',"
          " exclusive: true, create: true}]",
          "{mode: 256, group: 5, lifetime: 'scoped', maxsize: 5, order: 'lifo', joinable: true,"
          " on_disconnect: 'discard', lease_ms: 9, max_deliveries: 7, dead_letter: 'd', ...}");
    check(a, "lock.open", "['l', {release_by: 'anyone', on_disconnect: 'keep', recursive: true}]",
          "{recursive: true, on_disconnect: 'keep', release_by: 'anyone', ...}");
    check(a, "semaphore.open", "['s', {on_disconnect: 'keep', bounded: true, value: 3}]",
          "{value: 3, bounded: true, on_disconnect: 'keep', ...}");
    check(a, "barrier.open", "['b', {timeout: 11, parties: 2}]", "{parties: 2, timeout: 11, ...}");
    check(a, "array.open", "['a', {initial: [1, 2], size: 2, typecode: 'q'}]",
          "{typecode: 'q', size: 2, ...}");
    actor_leave(a);
}

/* A literal default, as notation; NULL if the row says it in words, or the description has it not.
 */
static const char *literal(const struct method_option *option)
{
    static char text[64];
    bool is_word = method_option_word(option, slice_of_string(option->standard)) >= 0;
    switch (option->type) {
    case PARAM_STR:
        (void)snprintf(text, sizeof(text), "'%s'", option->standard);
        return is_word ? text : NULL;
    case PARAM_BOOL:
    case PARAM_INT:
    case PARAM_COUNT:
    case PARAM_MS:
    case PARAM_TIMEOUT:
        return strchr(option->standard, ' ') == NULL ? option->standard : NULL;
    default:
        return NULL;
    }
}

/* What a new object has that was given nothing but what it needs. */
static void what_is_not_given_is_what_the_row_says(void **state)
{
    static const char *const needed[OBJECT_KINDS] = {
        [OBJECT_BARRIER] = "parties: 2",
        [OBJECT_VALUE] = "typecode: 'i'",
        [OBJECT_ARRAY] = "typecode: 'i', size: 1",
    };
    struct actor *a = actor_new(*state, 0);
    unsigned count = 0;
    for (int kind = 0; kind < OBJECT_KINDS; kind++) {
        char method[32];
        char params[TEXT_MAX];
        char description[TEXT_MAX] = "{";
        struct method_signature signature;
        (void)snprintf(method, sizeof(method), "%s.open", object_kind_name((enum object_kind)kind));
        method_signature(method_find(slice_of_string(method)), &signature);
        for (unsigned i = OPTIONS_TYPE_open; i < signature.option_count; i++) {
            const struct method_option *option = signature.options[i];
            if (literal(option) != NULL) {
                size_t len = strlen(description);
                (void)snprintf(description + len, sizeof(description) - len, "%s: %s, ",
                               option->name, literal(option));
                count++;
            }
        }
        (void)strcat(description, "mode: 432, lifetime: 'scoped', ...}");
        (void)snprintf(params, sizeof(params), "[nil, {%s}]",
                       needed[kind] != NULL ? needed[kind] : "");
        check(a, method, params, description);
    }
    assert_in_range(count, 12, METHOD_COUNT);
    actor_leave(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_option_without_a_row_is_refused_with_those_there_are,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_value_is_of_the_type_or_one_of_the_words_of_its_row,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_not_given_is_what_the_row_says, set_up, tear_down),
        cmocka_unit_test_setup_teardown(options_come_to_what_they_are_called, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
