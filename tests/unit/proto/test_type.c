/* Tests of proto/type: the table of types, and that methods.def goes with it. */
#include "proto/type.h"

#include "proto/method.h"
#include "tests/support/unit.h"

#include <stdio.h>

static void every_type_is_found_by_its_name(void **state)
{
    for (int kind = 0; kind < OBJECT_KINDS; kind++) {
        const struct type_row *row = type_row((enum object_kind)kind);
        assert_int_equal(object_kind_of(slice_of_string(row->name)), kind);
        assert_string_equal(object_kind_name((enum object_kind)kind), row->name);
    }
}

static void what_is_no_type_is_not_found(void **state)
{
    static const char *const words[] = {"", "q", "queues", "Queue", "server", "atomic"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        assert_int_equal(object_kind_of(slice_of_string(words[i])), OBJECT_KINDS);
    }
}

static void the_types_are_those_that_can_be_opened(void **state)
{
    for (int kind = 0; kind < OBJECT_KINDS; kind++) {
        char name[32];
        (void)snprintf(name, sizeof(name), "%s.open", object_kind_name((enum object_kind)kind));
        assert_non_null(method_find(slice_of_string(name)));
    }
    for (size_t i = 0; i < METHOD_COUNT; i++) {
        if (strstr(methods[i].name, ".open") != NULL) {
            assert_int_not_equal(object_kind_of(slice_of_string(methods[i].type)), OBJECT_KINDS);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_is_found_by_its_name),
        cmocka_unit_test(what_is_no_type_is_not_found),
        cmocka_unit_test(the_types_are_those_that_can_be_opened),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
