/* What the daemon says, in the words of the command line: tools/ipcctl/command_line/wording.h. */
#include "tools/ipcctl/command_line/wording.h"

#include "tests/support/unit.h"

static const struct command create = {
    .words = "create",
    .options = {{OPTION_MAXSIZE, NULL},
                {OPTION_LEASE, NULL},
                {OPTION_JOINABLE, NULL},
                {OPTION_SIZE, NULL},
                {OPTION_EXISTING, NULL}},
};

static void assert_worded(const struct command *command, const char *said, const char *wanted)
{
    struct buffer out = {0};
    wording_put(&out, command, said);
    (void)buffer_append(&out, "", 1);
    assert_string_equal((const char *)out.data, wanted);
    buffer_deinit(&out);
}

static void options_are_those_of_the_command_line(void **state)
{
    (void)state;
    assert_worded(&create, "option lease_ms is for queues with option joinable",
                  "--lease is for queues with --joinable");
    assert_worded(&create, "\"q\" is there with another maxsize; object.describe shows its options",
                  "\"q\" is there with another --maxsize; 'ipcctl describe' shows its options");
    assert_worded(&create, "it needs option size", "it needs --size");
    assert_worded(&create, "option", "option");
    assert_worded(&create, "option ", "option ");
    assert_worded(&create, "", "");
}

static void options_that_are_not_there_stand_in_a_list(void **state)
{
    (void)state;
    assert_worded(&create, "\"maxsize\" is no option; there are mode, lease_ms, size",
                  "--maxsize is no option; there are mode, --lease, --size");
    assert_worded(&create, "\"lease\" is no option; there are lease_ms",
                  "\"lease\" is no option; there are --lease");
    assert_worded(&create, "\"maxsize\" is there", "\"maxsize\" is there");
    assert_worded(&create, "\"size x\" is no option; there are size",
                  "\"size x\" is no option; there are --size");
}

static void words_that_are_options_elsewhere_are_left_alone(void **state)
{
    (void)state;
    assert_worded(&create, "the size is wrong, option mode too",
                  "the size is wrong, option mode too");
    assert_worded(&create, "\"option size\" and option sizes", "\"option size\" and option sizes");
    assert_worded(NULL, "option size, object.describe shows it",
                  "option size, object.describe shows it");
}

static void users_and_groups_have_names(void **state)
{
    (void)state;
    assert_worded(NULL, "user 0 and group 0 own it", "user root (0) and group root (0) own it");
    assert_worded(NULL, "of user 4294967294 here", "of user 4294967294 here");
    assert_worded(NULL, "\"user 0\" or user x, user ", "\"user 0\" or user x, user ");
    assert_worded(NULL, "a superuser 0", "a superuser 0");
}

static void quotes_may_be_escaped_or_open(void **state)
{
    (void)state;
    assert_worded(NULL, "\"a\\\"user 0\" user 0", "\"a\\\"user 0\" user root (0)");
    assert_worded(NULL, "\"user 0", "\"user 0");
    assert_worded(NULL, "\"user 0\\", "\"user 0\\");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_are_those_of_the_command_line),
        cmocka_unit_test(options_that_are_not_there_stand_in_a_list),
        cmocka_unit_test(words_that_are_options_elsewhere_are_left_alone),
        cmocka_unit_test(users_and_groups_have_names),
        cmocka_unit_test(quotes_may_be_escaped_or_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
