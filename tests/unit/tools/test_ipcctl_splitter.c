/* Cutting standard input into texts: tools/ipcctl/json/splitter.h. */
#include "tools/ipcctl/json/splitter.h"

#include "tests/support/unit.h"

/* Feeds the input in pieces of `step` bytes; what comes out, each text in angle brackets. */
static void assert_split_by(enum split split, const char *input, size_t step, const char *wanted)
{
    struct splitter splitter = {.split = split};
    struct buffer texts = {0};
    struct slice text;
    size_t len = strlen(input);
    for (size_t at = 0; at <= len; at += step) {
        bool ended = at + step > len;
        splitter_add(&splitter, input + at, ended ? len - at : step);
        while (splitter_take(&splitter, ended, &text)) {
            (void)buffer_append(&texts, "<", 1);
            (void)buffer_append(&texts, text.data, text.len);
            (void)buffer_append(&texts, ">", 1);
        }
    }
    (void)buffer_append(&texts, "", 1);
    assert_string_equal((const char *)texts.data, wanted);
    buffer_deinit(&texts);
    splitter_deinit(&splitter);
}

/* The texts are the same however the bytes come. */
static void assert_split(enum split split, const char *input, const char *wanted)
{
    for (size_t step = 1; step <= strlen(input) + 1; step++) {
        assert_split_by(split, input, step, wanted);
    }
}

static void lines_end_at_newlines(void **state)
{
    (void)state;
    assert_split(SPLIT_LINES, "", "");
    assert_split(SPLIT_LINES, "a\n", "<a>");
    assert_split(SPLIT_LINES, "a\n\n b \nc", "<a><>< b ><c>");
    assert_split(SPLIT_LINES, "\n\n", "<><>");
}

static void values_end_where_json_says(void **state)
{
    (void)state;
    assert_split(SPLIT_VALUES, "", "");
    assert_split(SPLIT_VALUES, " \n\t\r ", "");
    assert_split(SPLIT_VALUES, "1", "<1>");
    assert_split(SPLIT_VALUES, "1 -2.5e3\ntrue", "<1><-2.5e3><true>");
    assert_split(SPLIT_VALUES, "\"a b\"\"c\"", "<\"a b\"><\"c\">");
    assert_split(SPLIT_VALUES, "[1, [2]]{\"a\": {}}", "<[1, [2]]><{\"a\": {}}>");
    assert_split(SPLIT_VALUES, "1\"x\"[2]3{}", "<1><\"x\"><[2]><3><{}>");
}

static void brackets_and_quotes_within_strings_are_text(void **state)
{
    (void)state;
    assert_split(SPLIT_VALUES, "\"]\" [\"}\\\"]\", 1] 2", "<\"]\"><[\"}\\\"]\", 1]><2>");
    assert_split(SPLIT_VALUES, "\"\\\\\" \"\\\\\\\"\" 1", "<\"\\\\\"><\"\\\\\\\"\"><1>");
}

/* What is no JSON comes out somehow, and what follows it is found again. */
static void what_is_wrong_does_not_stop_it(void **state)
{
    (void)state;
    assert_split(SPLIT_VALUES, "nope 1", "<nope><1>");
    assert_split(SPLIT_VALUES, "] 1", "<]><1>");
    assert_split(SPLIT_VALUES, "[1", "<[1>");
    assert_split(SPLIT_VALUES, "\"a", "<\"a>");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_end_at_newlines),
        cmocka_unit_test(values_end_where_json_says),
        cmocka_unit_test(brackets_and_quotes_within_strings_are_text),
        cmocka_unit_test(what_is_wrong_does_not_stop_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
