/* Words of the command line: tools/ipcctl/command_line/word.h,
 * tools/ipcctl/command_line/shell_line.h. */
#include "tools/ipcctl/command_line/word.h"
#include "tools/ipcctl/json/json.h"
#include "tools/ipcctl/command_line/shell_line.h"

#include "tests/support/unit.h"

#include <stdio.h>

static void assert_number(const char *word, enum word_kind kind, int64_t wanted)
{
    char error[WORD_ERROR_TEXT];
    int64_t number = 0;
    if (word_check(word, kind, NULL, &number, error) < 0) {
        fail_msg("\"%s\" was refused: %s", word, error);
    }
    assert_int_equal(number, wanted);
}

static void assert_refused(const char *word, enum word_kind kind, const char *choices,
                           const char *wanted)
{
    char error[WORD_ERROR_TEXT];
    int64_t number;
    assert_int_equal(word_check(word, kind, choices, &number, error), -1);
    assert_string_equal(error, wanted);
}

static void assert_packed(const char *word, enum word_kind kind, bool text, const char *wanted)
{
    char error[WORD_ERROR_TEXT];
    struct buffer value = {0};
    struct buffer json = {0};
    assert_int_equal(word_pack(word, kind, text, &value, error), 0);
    json_write(buffer_slice(&value), &json);
    (void)buffer_append(&json, "", 1);
    assert_string_equal((const char *)json.data, wanted);
    buffer_deinit(&value);
    buffer_deinit(&json);
}

static void numbers_are_checked_whole(void **state)
{
    (void)state;
    assert_number("-5", WORD_INTEGER, -5);
    assert_number("9223372036854775807", WORD_INTEGER, INT64_MAX);
    assert_number("0", WORD_COUNT, 0);
    assert_number("0640", WORD_MODE, 0640);
    assert_refused("9223372036854775808", WORD_INTEGER, NULL,
                   "from -9223372036854775808 to 9223372036854775807, not "
                   "\"9223372036854775808\"");
    assert_refused("", WORD_INTEGER, NULL, "an integer, not \"\"");
    assert_refused(" 5", WORD_INTEGER, NULL, "an integer, not \" 5\"");
    assert_refused("5x", WORD_COUNT, NULL, "a number that is not negative, not \"5x\"");
    assert_refused("-1", WORD_SESSION, NULL, "from 0 to 9223372036854775807, not \"-1\"");
    assert_refused("+5", WORD_COUNT, NULL, "a number that is not negative, not \"+5\"");
    assert_refused("-", WORD_INTEGER, NULL, "an integer, not \"-\"");
    assert_refused("1000", WORD_MODE, NULL, "a mode in octal, from 0 to 0777, not \"1000\"");
    assert_refused("1.2.3", WORD_NUMBER, NULL, "a number like 5, -2.5 or 1e3, not \"1.2.3\"");
}

/* What is too large is a number: the message says how large it can be, and nothing else. */
static void numbers_out_of_range_are_told_the_range(void **state)
{
    (void)state;
    assert_number("-9223372036854775808", WORD_INTEGER, INT64_MIN);
    assert_number("9223372036854775807", WORD_SESSION, INT64_MAX);
    assert_number("web-1.example:9223372036854775807", WORD_SESSION, INT64_MAX);
    assert_refused("web1:9223372036854775808", WORD_SESSION, NULL,
                   "from 0 to 9223372036854775807, not \"web1:9223372036854775808\"");
    assert_number("255", WORD_STATUS, 255);
    assert_number("1000000000000000", WORD_TIME, INT64_C(1000000000000000));
    assert_number("11574074d", WORD_TIME, INT64_C(999999993600000));
    assert_refused("-9223372036854775809", WORD_INTEGER, NULL,
                   "from -9223372036854775808 to 9223372036854775807, not "
                   "\"-9223372036854775809\"");
    assert_refused("99999999999999999999999", WORD_COUNT, NULL,
                   "from 0 to 9223372036854775807, not \"99999999999999999999999\"");
    assert_refused("256", WORD_STATUS, NULL, "from 0 to 255, not \"256\"");
    assert_refused("9223372036854775808", WORD_STATUS, NULL,
                   "from 0 to 255, not \"9223372036854775808\"");
    assert_refused("99999999999999999999999", WORD_MODE, NULL,
                   "a mode in octal, from 0 to 0777, not \"99999999999999999999999\"");
    assert_refused("1000000000000001", WORD_TIME, NULL,
                   "at most 1000000000000000 milliseconds, 11574074d, not \"1000000000000001\"");
    assert_refused("11574075d", WORD_TIME, NULL,
                   "at most 1000000000000000 milliseconds, 11574074d, not \"11574075d\"");
    static const char *const beyond[] = {"18446744073709551616", "-9223372036854775809", "1e400"};
    for (size_t i = 0; i < sizeof(beyond) / sizeof(beyond[0]); i++) {
        char wanted[WORD_ERROR_TEXT];
        (void)snprintf(wanted, sizeof(wanted),
                       "an integer from -9223372036854775808 to 18446744073709551615, or a float "
                       "up to 1.7976931348623157e+308, not \"%s\"",
                       beyond[i]);
        assert_refused(beyond[i], WORD_NUMBER, NULL, wanted);
    }
}

static void numbers_are_decimal(void **state)
{
    static const char *const wrong[] = {"",    "-",   "+5",  " 5",   "5 ", "0x10",
                                        "inf", "nan", ".",   ".5",   "5.", "1e",
                                        "1e+", "1_0", "--1", "1.e5", "e",  "1e3.5"};
    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        char error[WORD_ERROR_TEXT];
        int64_t number;
        if (word_check(wrong[i], WORD_NUMBER, NULL, &number, error) == 0) {
            fail_msg("\"%s\" was taken for a number", wrong[i]);
        }
        assert_non_null(strstr(error, "a number like"));
    }
    assert_packed("9223372036854775808", WORD_NUMBER, false,
                  "{\"$uint\": \"9223372036854775808\"}");
    assert_packed("18446744073709551615", WORD_NUMBER, false,
                  "{\"$uint\": \"18446744073709551615\"}");
    assert_packed("-9223372036854775808", WORD_NUMBER, false, "-9223372036854775808");
    assert_packed("-0", WORD_NUMBER, false, "0");
    assert_packed("1e3", WORD_NUMBER, false, "1000.0");
    assert_packed("-1.5E-3", WORD_NUMBER, false, "-0.0015");
}

static void times_have_units(void **state)
{
    (void)state;
    assert_number("0", WORD_TIME, 0);
    assert_number("1500", WORD_TIME, 1500);
    assert_number("20ms", WORD_TIME, 20);
    assert_number("1.5s", WORD_TIME, 1500);
    assert_number("0.0004s", WORD_TIME, 0);
    assert_number("2m", WORD_TIME, 120000);
    assert_number("1h", WORD_TIME, 3600000);
    assert_number("1d", WORD_TIME, 86400000);
    static const char *const wrong[] = {
        "", "-1", "s", "5 s", "5sec", "1e3", "0x10", "1.2.3s", "99999999999999999d", "inf", "nan"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        char error[WORD_ERROR_TEXT];
        int64_t number;
        if (word_check(wrong[i], WORD_TIME, NULL, &number, error) == 0) {
            fail_msg("\"%s\" was taken for a time", wrong[i]);
        }
    }
}

static void choices_are_whole_words(void **state)
{
    (void)state;
    char error[WORD_ERROR_TEXT];
    int64_t number;
    assert_int_equal(word_check("lifo", WORD_CHOICE, "fifo lifo priority", &number, error), 0);
    assert_refused("fif", WORD_CHOICE, "fifo lifo", "one of: fifo lifo, not \"fif\"");
    assert_refused("", WORD_CHOICE, "fifo lifo", "one of: fifo lifo, not \"\"");
}

static void values_are_json_and_keys_may_be_bare(void **state)
{
    (void)state;
    assert_packed("{\"a\": [1]}", WORD_JSON, false, "{\"a\": [1]}");
    assert_packed("5", WORD_JSON, true, "\"5\"");
    assert_packed("colour", WORD_KEY, false, "\"colour\"");
    assert_packed("größe", WORD_KEY, false, "\"größe\"");
    assert_packed("_1", WORD_KEY, false, "\"_1\"");
    assert_packed("true", WORD_KEY, false, "true");
    assert_packed("null", WORD_KEY, true, "\"null\"");
    assert_packed("-5", WORD_KEY, false, "-5");
    assert_packed("null", WORD_INTEGER, false, "null");
    assert_packed("2.5", WORD_NUMBER, false, "2.5");
    assert_packed("5s", WORD_TIME, false, "5000");
    assert_packed("jobs", WORD_QUEUE, false, "\"jobs\"");
}

static void what_cannot_be_packed_is_said(void **state)
{
    (void)state;
    char error[WORD_ERROR_TEXT];
    struct buffer out = {0};
    assert_int_equal(word_pack("hello", WORD_JSON, false, &out, error), -1);
    assert_non_null(strstr(error, "\"hello\" is not JSON: "));
    assert_non_null(strstr(error, "--text"));
    assert_int_equal(word_pack("[1e400]", WORD_JSON, false, &out, error), -1);
    assert_string_equal(error, "1e400 is out of range: a float goes from -1.7976931348623157e+308 "
                               "to 1.7976931348623157e+308");
    assert_int_equal(word_pack("[1", WORD_KEY, false, &out, error), -1);
    assert_null(strstr(error, "--text"));
    assert_int_equal(word_pack("\xff", WORD_JSON, true, &out, error), -1);
    assert_non_null(strstr(error, "not UTF-8"));
    assert_int_equal(out.len, 0);
    buffer_deinit(&out);
}

/* The last word of a line, how much of it readline keeps, and what completes it to `word`. */
static void assert_line(const char *text, const char *last, const char *word, const char *wanted)
{
    struct shell_line line;
    struct buffer out = {0};
    assert_int_equal(shell_line_parse(&line, text, "=:"), 0);
    assert_string_equal(shell_line_word(&line, line.count - 1), last);
    shell_line_complete(&line, word, &out);
    (void)buffer_append(&out, "", 1);
    assert_string_equal((const char *)out.data, wanted);
    buffer_deinit(&out);
    shell_line_deinit(&line);
}

static void lines_are_taken_apart_as_the_shell_does(void **state)
{
    (void)state;
    struct shell_line line;
    assert_int_equal(shell_line_parse(&line, "  a 'b c'\\ d  \"e\\\"f\\g\" ", ""), 0);
    assert_int_equal(line.count, 4);
    assert_string_equal(shell_line_word(&line, 0), "a");
    assert_string_equal(shell_line_word(&line, 1), "b c d");
    assert_string_equal(shell_line_word(&line, 2), "e\"f\\g");
    assert_string_equal(shell_line_word(&line, 3), "");
    shell_line_deinit(&line);
    assert_int_equal(shell_line_parse(&line, "", ""), 0);
    assert_int_equal(line.count, 1);
    shell_line_deinit(&line);
}

static void completions_fit_the_quotes_that_are_open(void **state)
{
    (void)state;
    assert_line("get my", "my", "my jobs", "my\\ jobs");
    assert_line("get my\\ ", "my ", "my jobs", "my\\ jobs");
    assert_line("get 'my ", "my ", "my it's", "my it'\\''s");
    assert_line("get \"my ", "my ", "my $5", "my \\$5");
    assert_line("get a:b", "a:b", "a:bc", "bc");
    assert_line("get \"a:b", "a:b", "a:bc", "a:bc");
    assert_line("get x=\"a", "x=a", "x=ab", "ab");
    assert_line("get \\", "", "a", "a");
}

static void lines_of_too_many_words_are_refused(void **state)
{
    (void)state;
    char text[2 * SHELL_WORDS + 1];
    for (size_t i = 0; i < sizeof(text) - 1; i++) {
        text[i] = i % 2 == 0 ? 'a' : ' ';
    }
    text[sizeof(text) - 1] = '\0';
    struct shell_line line;
    assert_int_equal(shell_line_parse(&line, text, ""), -1);
    shell_line_deinit(&line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_checked_whole),
        cmocka_unit_test(numbers_out_of_range_are_told_the_range),
        cmocka_unit_test(numbers_are_decimal),
        cmocka_unit_test(times_have_units),
        cmocka_unit_test(choices_are_whole_words),
        cmocka_unit_test(values_are_json_and_keys_may_be_bare),
        cmocka_unit_test(what_cannot_be_packed_is_said),
        cmocka_unit_test(lines_are_taken_apart_as_the_shell_does),
        cmocka_unit_test(completions_fit_the_quotes_that_are_open),
        cmocka_unit_test(lines_of_too_many_words_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
