/* Tests of ipcbench's table of stalls, and of the option that asks for it. */
#include "tools/ipcbench/stall.h"

#include "proto/method.h"

#include "tests/support/unit.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

static void rows_have_names_of_their_own(void **state)
{
    const struct stall_row *row;
    for (size_t i = 0; (row = stall_row(i)) != NULL; i++) {
        for (size_t other = 0; other < i; other++) {
            assert_string_not_equal(row->name, stall_row(other)->name);
        }
        assert_true(row->title != NULL && row->size > 0 && row->times > 0);
        assert_true(row->ask != NULL || row->work != NULL);
    }
}

static int read_options(struct options *out, const char *first, const char *second)
{
    char name[] = "ipcbench";
    static char arguments[2][64]; /* the options point into them */
    (void)snprintf(arguments[0], sizeof(arguments[0]), "%s", first);
    (void)snprintf(arguments[1], sizeof(arguments[1]), "%s", second);
    char *argv[] = {name, arguments[0], arguments[1], NULL};
    optind = 0; /* of getopt: from the beginning */
    return options_read(second[0] != '\0' ? 3 : 2, argv, out);
}

static void stall_without_names_is_all_the_rows(void **state)
{
    struct options options;
    assert_int_equal(read_options(&options, "--stall", ""), OPTIONS_GO);
    assert_true(options.stall);
    const struct stall_row *row;
    for (size_t i = 0; (row = stall_row(i)) != NULL; i++) {
        assert_true(options_select(&options, row->name));
    }
}

static void stall_is_about_ipcd_alone(void **state)
{
    struct options options;
    assert_int_equal(read_options(&options, "--stall", "--redis"), 2);
    assert_int_equal(read_options(&options, "--stall", "--echo"), 2);
    assert_int_equal(read_options(&options, "--no-ipcd", "--stall"), 2);
}

static void durable_starts_all_that_it_compares(void **state)
{
    struct options options;
    assert_int_equal(read_options(&options, "--durable=speed", ""), OPTIONS_GO);
    assert_true(options.durable && options_select(&options, "speed/put-1x1"));
    assert_false(options_select(&options, "loop/put-1x1"));
    assert_int_equal(read_options(&options, "--durable", "--redis"), 2);
    assert_int_equal(read_options(&options, "--durable", "--stall"), 2);
    assert_int_equal(read_options(&options, "--durable", "--pin"), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_have_names_of_their_own),
        cmocka_unit_test(stall_without_names_is_all_the_rows),
        cmocka_unit_test(stall_is_about_ipcd_alone),
        cmocka_unit_test(durable_starts_all_that_it_compares),
    };
    return cmocka_run_group_tests_name("ipcbench stall", tests, NULL, NULL);
}
