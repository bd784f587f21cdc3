/* Tests of proto/method: the rows of methods.def, and how their signatures are decoded. */
#include "proto/method.h"

#include "proto/error.h"
#include "proto/message.h"
#include "tests/support/bytes.h"
#include "tests/support/unit.h"

#include <stdio.h>

static void methods_are_indexed_by_their_id(void **state)
{
    for (unsigned i = 0; i < METHOD_COUNT; i++) {
        assert_int_equal(methods[i].id, i);
    }
    assert_string_equal(methods[METHOD_queue_get].name, "queue.get");
    assert_string_equal(methods[METHOD_queue_get].type, "queue");
    assert_string_equal(methods[METHOD__atomic].name, "atomic");
}

static void methods_have_unique_names_made_of_type_and_verb(void **state)
{
    for (unsigned i = 0; i < METHOD_COUNT; i++) {
        size_t type = strlen(methods[i].type);
        const char *dot = strchr(methods[i].name, '.');
        if (type > 0) {
            assert_memory_equal(methods[i].name, methods[i].type, type);
            assert_ptr_equal(dot, methods[i].name + type);
        } else {
            assert_null(dot);
        }
        for (unsigned j = 0; j < i; j++) {
            assert_string_not_equal(methods[i].name, methods[j].name);
        }
    }
}

static bool is_sentence(const char *text)
{
    size_t len = strlen(text);
    return len > 0 && text[0] >= 'A' && text[0] <= 'Z' && text[len - 1] != '.';
}

static void methods_have_a_summary_and_a_result(void **state)
{
    for (unsigned i = 0; i < METHOD_COUNT; i++) {
        if (!is_sentence(methods[i].summary) || strlen(methods[i].result) == 0) {
            print_error("%s\n", methods[i].name);
            fail();
        }
    }
}

static void methods_name_errors_that_exist(void **state)
{
    for (unsigned i = 0; i < METHOD_COUNT; i++) {
        const char *at = methods[i].errors;
        while (*at != '\0') {
            size_t len = strcspn(at, " ");
            assert_int_not_equal(error_from_name((struct slice){(const uint8_t *)at, len}), 0);
            at += len;
            at += strspn(at, " ");
        }
    }
}

/* A signature written out again as it stands in the row. */
static void write_signature(const struct method_signature *signature, char *out, size_t size)
{
    static const char *const words[] = {
        [PARAM_OBJECT] = "object",   [PARAM_NAME] = "name",       [PARAM_VALUE] = "value",
        [PARAM_BOOL] = "bool",       [PARAM_INT] = "int",         [PARAM_OPTINT] = "optint",
        [PARAM_UINT] = "uint",       [PARAM_COUNT] = "count",     [PARAM_NUMBER] = "number",
        [PARAM_MS] = "ms",           [PARAM_TIMEOUT] = "timeout", [PARAM_ARRAY] = "array",
        [PARAM_OBJECTS] = "objects", [PARAM_MAP] = "map",         [PARAM_STR] = "str",
        [PARAM_OWNER] = "owner",     [PARAM_GROUP] = "group",     [PARAM_SESSION] = "session",
    };
    size_t len = 0;
    out[0] = '\0';
    for (unsigned i = 0; i < signature->count; i++) {
        const struct method_param *param = &signature->params[i];
        int wrote = snprintf(out + len, size - len, "%s%s%.*s:%s%s", i > 0 ? " " : "",
                             param->optional ? "[" : "", (int)param->name.len, param->name.data,
                             words[param->type], param->optional ? "]" : "");
        assert_in_range(wrote, 1, size - len - 1);
        len += (size_t)wrote;
    }
}

static void method_signatures_decode_to_what_is_written(void **state)
{
    for (unsigned i = 0; i < METHOD_COUNT; i++) {
        struct method_signature signature;
        char text[256];
        method_signature(&methods[i], &signature);
        write_signature(&signature, text, sizeof(text));
        assert_string_equal(text, methods[i].params);
    }
}

static void method_signatures_have_optional_params_last(void **state)
{
    for (unsigned i = 0; i < METHOD_COUNT; i++) {
        struct method_signature signature;
        method_signature(&methods[i], &signature);
        assert_in_range(signature.count, 0, METHOD_PARAMS_MAX);
        for (unsigned j = 0; j < signature.count; j++) {
            assert_int_equal(signature.params[j].optional, j >= signature.required);
            assert_true(signature.params[j].type != PARAM_OBJECT || j == 0);
        }
    }
    assert_true((int)METHOD_PARAMS_MAX < (int)MESSAGE_PARAMS_MAX);
}

static void methods_that_need_a_permission_have_an_object(void **state)
{
    for (unsigned i = 0; i < METHOD_COUNT; i++) {
        struct method_signature signature;
        method_signature(&methods[i], &signature);
        bool has_object = signature.count > 0 && (signature.params[0].type == PARAM_OBJECT ||
                                                  signature.params[0].type == PARAM_OBJECTS);
        assert_true(has_object || methods[i].needs == METHOD_NEEDS_NONE);
    }
}

static void methods_that_take_a_timeout_are_those_that_wait(void **state)
{
    for (unsigned i = 0; i < METHOD_COUNT; i++) {
        struct method_signature signature;
        method_signature(&methods[i], &signature);
        bool timeout = false;
        for (unsigned j = 0; j < signature.count; j++) {
            timeout |= signature.params[j].type == PARAM_TIMEOUT;
        }
        assert_int_equal(timeout, (methods[i].flags & METHOD_WAITS) != 0);
    }
}

static void method_signature_of_queue_put(void **state)
{
    struct method_signature put;
    method_signature(&methods[METHOD_queue_put], &put);
    assert_int_equal(put.count, 4);
    assert_int_equal(put.required, 2);
    assert_int_equal(put.params[0].type, PARAM_OBJECT);
    assert_int_equal(put.params[1].type, PARAM_VALUE);
    assert_int_equal(put.params[2].type, PARAM_TIMEOUT);
    assert_bytes(put.params[2].name, slice_of_string("timeout"));
    assert_int_equal(put.params[3].type, PARAM_MAP);
}

static void methods_have_options_just_if_they_take_a_map_of_them(void **state)
{
    for (unsigned i = 0; i < METHOD_COUNT; i++) {
        struct method_signature signature;
        method_signature(&methods[i], &signature);
        bool takes = signature.count > 0 && slice_equal(signature.params[signature.count - 1].name,
                                                        slice_of_string("options"));
        if (takes != (signature.option_count > 0)) {
            print_error("%s: %u options\n", methods[i].name, signature.option_count);
            fail();
        }
    }
}

/* The methods of the rows, as they stand there, and the places that the rows' names give. */
static const struct {
    const char *type;
    const char *method;
    const char *name;
    int place;
} rows[] = {
#define OPTION(type, verb, option, ...)                                                            \
    {#type, #type "." #verb, #option, OPTION_##type##_##verb##_##option},
#define OPTIONS(...)
#include "proto/options.def"
#undef OPTIONS
#undef OPTION
};

static void options_stand_at_their_places_behind_those_of_every_open(void **state)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        bool common = strcmp(rows[i].type, "TYPE") == 0;
        const struct method *method =
            common ? &methods[METHOD_pipe_open] : method_find(slice_of_string(rows[i].method));
        assert_non_null(method);
        bool opens = !common && strstr(method->name, ".open") != NULL;
        struct method_signature signature;
        method_signature(method, &signature);
        int place = rows[i].place + (opens ? OPTIONS_TYPE_open : 0);
        assert_in_range(place, 0, signature.option_count - 1);
        assert_string_equal(signature.options[place]->name, rows[i].name);
    }
    struct method_signature event;
    method_signature(&methods[METHOD_event_open], &event);
    assert_int_equal(event.option_count, OPTIONS_TYPE_open);
}

static void options_have_unique_names_and_say_what_they_are(void **state)
{
    for (unsigned i = 0; i < METHOD_COUNT; i++) {
        struct method_signature signature;
        method_signature(&methods[i], &signature);
        for (unsigned j = 0; j < signature.option_count; j++) {
            const struct method_option *option = signature.options[j];
            assert_true(strlen(option->standard) > 0 && strlen(option->summary) > 0);
            assert_true(strchr("., ", option->summary[strlen(option->summary) - 1]) == NULL);
            assert_true(option->words[0] == '\0' || option->type == PARAM_STR);
            for (unsigned other = 0; other < j; other++) {
                assert_string_not_equal(option->name, signature.options[other]->name);
            }
        }
    }
}

static void words_of_a_choice_have_places(void **state)
{
    struct method_signature open;
    method_signature(&methods[METHOD_queue_open], &open);
    const struct method_option *order = open.options[OPTIONS_TYPE_open + OPTION_queue_open_order];
    assert_int_equal(method_option_word(order, slice_of_string("fifo")), 0);
    assert_int_equal(method_option_word(order, slice_of_string("priority")), 2);
    assert_int_equal(method_option_word(order, slice_of_string("prio")), -1);
    assert_int_equal(method_option_word(order, slice_of_string("fifo lifo")), -1);
    assert_int_equal(method_option_word(order, slice_of_string("")), -1);
    const struct method_option *name =
        open.options[OPTIONS_TYPE_open + OPTION_queue_open_dead_letter];
    assert_int_equal(method_option_word(name, slice_of_string("")), -1);
}

static void method_find_knows_all_names_and_no_other(void **state)
{
    for (unsigned i = 0; i < METHOD_COUNT; i++) {
        assert_ptr_equal(method_find(slice_of_string(methods[i].name)), &methods[i]);
    }
    assert_null(method_find(slice_of_string("queue.ge")));
    assert_null(method_find(slice_of_string("queue.gets")));
    assert_null(method_find(slice_of_string("")));
    assert_null(method_find((struct slice){(const uint8_t *)"queue.get\0", 10}));
}

static void param_types_have_names(void **state)
{
    for (int type = PARAM_OBJECT; type <= PARAM_GROUP; type++) {
        assert_true(strlen(param_type_name((enum param_type)type)) > 0);
        for (int other = PARAM_OBJECT; other < type; other++) {
            assert_string_not_equal(param_type_name((enum param_type)type),
                                    param_type_name((enum param_type)other));
            assert_string_not_equal(param_type_word((enum param_type)type),
                                    param_type_word((enum param_type)other));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(methods_are_indexed_by_their_id),
        cmocka_unit_test(methods_have_unique_names_made_of_type_and_verb),
        cmocka_unit_test(methods_have_a_summary_and_a_result),
        cmocka_unit_test(methods_name_errors_that_exist),
        cmocka_unit_test(method_signatures_decode_to_what_is_written),
        cmocka_unit_test(method_signatures_have_optional_params_last),
        cmocka_unit_test(methods_that_need_a_permission_have_an_object),
        cmocka_unit_test(methods_that_take_a_timeout_are_those_that_wait),
        cmocka_unit_test(method_signature_of_queue_put),
        cmocka_unit_test(methods_have_options_just_if_they_take_a_map_of_them),
        cmocka_unit_test(options_stand_at_their_places_behind_those_of_every_open),
        cmocka_unit_test(options_have_unique_names_and_say_what_they_are),
        cmocka_unit_test(words_of_a_choice_have_places),
        cmocka_unit_test(method_find_knows_all_names_and_no_other),
        cmocka_unit_test(param_types_have_names),
    };
    return cmocka_run_group_tests_name("method", tests, NULL, NULL);
}
