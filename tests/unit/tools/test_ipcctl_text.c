/* Texts and tables for people: tools/ipcctl/terminal/text.h, tools/ipcctl/terminal/table.h. */
#include "tools/ipcctl/terminal/table.h"
#include "tools/ipcctl/terminal/text.h"

#include "tests/support/unit.h"

static void assert_text(struct buffer *text, const char *wanted)
{
    (void)buffer_append(text, "", 1);
    assert_false(text->failed);
    assert_string_equal((const char *)text->data, wanted);
    buffer_deinit(text);
}

static void assert_name(const char *name, const char *wanted)
{
    struct buffer text = {0};
    text_name(&text, slice_of_string(name));
    assert_text(&text, wanted);
}

static void assert_time(int64_t milliseconds, const char *wanted)
{
    struct buffer text = {0};
    text_time(&text, milliseconds);
    assert_text(&text, wanted);
}

static void assert_bytes(int64_t bytes, const char *wanted)
{
    struct buffer text = {0};
    text_bytes(&text, bytes);
    assert_text(&text, wanted);
}

static void assert_cut(const char *whole, size_t width, const char *wanted)
{
    struct buffer text = {0};
    text_cut(&text, slice_of_string(whole), width);
    assert_true(text_width(buffer_slice(&text)) <= width);
    assert_text(&text, wanted);
}

static void names_are_quoted_unless_they_are_plain(void **state)
{
    (void)state;
    assert_name("jobs", "jobs");
    assert_name("größer.als:#5", "größer.als:#5");
    assert_name("", "\"\"");
    assert_name("two words", "\"two words\"");
    assert_name("a\"b", "\"a\\\"b\"");
    assert_name("a\\b", "\"a\\\\b\"");
    assert_name("a\nb", "\"a\\nb\"");
    assert_name("a\xc2\x9b", "\"a\\u009b\"");
    assert_name("ab\u202ecd", "\"ab\\u202ecd\"");
    assert_name("\u200bjobs", "\"\\u200bjobs\"");
    assert_name("jobs\U000e0041", "\"jobs\\udb40\\udc41\"");
    assert_name("a\xff", "\"a\xef\xbf\xbd\"");
}

static void texts_from_elsewhere_stay_on_their_line(void **state)
{
    (void)state;
    struct buffer text = {0};
    text_plain(&text, slice_of_string("a\tb\x1b[1m \x7f\xc2\x85\xffz \"ü\""));
    assert_text(&text, "a\\u0009b\\u001b[1m \\u007f\\u0085\xef\xbf\xbdz \"ü\"");
}

static void assert_plain(const char *given, const char *wanted)
{
    struct buffer text = {0};
    text_plain(&text, slice_of_string(given));
    assert_text(&text, wanted);
}

static void what_is_not_seen_is_escaped(void **state)
{
    (void)state;
    assert_plain("\u00ac\u00ad\u00ae", "\u00ac\\u00ad\u00ae");
    assert_plain("\u061b\u061c\u061e", "\u061b\\u061c\u061e");
    assert_plain("\u200a\u200b\u200f\u2010", "\u200a\\u200b\\u200f\u2010");
    assert_plain("\u2027\u2028\u202e\u202f", "\u2027\\u2028\\u202e\u202f");
    assert_plain("\u205f\u2060\u2066\u2069\u2070", "\u205f\\u2060\\u2066\\u2069\u2070");
    assert_plain("\ufe0f\ufe10\ufefe\ufeff\uff00", "\\ufe0f\ufe10\ufefe\\ufeff\uff00");
    assert_plain("\U000dffff\U000e0000\U000e0001\U000e0fff\U000e1000",
                 "\U000dffff\\udb40\\udc00\\udb40\\udc01\\udb43\\udfff\U000e1000");
    assert_plain("\U0010ffff 工作 größer e\u0301", "\U0010ffff 工作 größer e\u0301");
}

static void texts_for_programs_keep_what_is_not_seen(void **state)
{
    (void)state;
    struct buffer text = {0};
    text_exact(&text, slice_of_string("a\u202e\u200b b\n\xc2\x85\xff"));
    assert_text(&text, "a\u202e\u200b b\\u000a\\u0085\xef\xbf\xbd");
}

static void texts_are_padded_by_what_is_shown(void **state)
{
    (void)state;
    struct buffer text = {0};
    text_padded(&text, slice_of_string("工\u202e"), 10);
    text_padded(&text, slice_of_string("abcd"), 3);
    text_padded(&text, slice_of_string(""), 1);
    assert_text(&text, "工\\u202e  abcd ");
}

static void times_have_at_most_two_units(void **state)
{
    (void)state;
    assert_time(0, "0ms");
    assert_time(999, "999ms");
    assert_time(1000, "1.0s");
    assert_time(9990, "9.9s");
    assert_time(10000, "10s");
    assert_time(59999, "59s");
    assert_time(60000, "1m0s");
    assert_time(3599999, "59m59s");
    assert_time(7260000, "2h1m");
    assert_time(90000000, "1d1h");
}

static void bytes_have_a_larger_unit_from_1024_on(void **state)
{
    (void)state;
    assert_bytes(0, "0");
    assert_bytes(1023, "1023");
    assert_bytes(1536, "1536 (1.5 KiB)");
    assert_bytes(INT64_C(5) << 30, "5368709120 (5.0 GiB)");
    assert_bytes(INT64_C(1) << 60, "1152921504606846976 (1048576.0 TiB)");
}

static void widths_are_columns_of_a_terminal(void **state)
{
    (void)state;
    assert_int_equal(text_width(slice_of_string("")), 0);
    assert_int_equal(text_width(slice_of_string("größer")), 6);
    assert_int_equal(text_width(slice_of_string("工作")), 4);
    assert_int_equal(text_width(slice_of_string("e\xcc\x81")), 1);
}

static void texts_are_cut_between_characters(void **state)
{
    (void)state;
    assert_cut("größer", 6, "größer");
    assert_cut("größer", 4, "grö…");
    assert_cut("工作工作", 8, "工作工作");
    assert_cut("工作工作", 7, "工作工…");
    assert_cut("工作工作", 6, "工作…");
    assert_cut("工作", 1, "…");
    assert_cut("工作", 0, "");
}

static const struct column columns[] = {
    {"NAME", false, true}, {"N", true, false}, {"WHY", false, true}};

static void add_row(struct table *table, const char *name, int64_t number, const char *why)
{
    table_name(table, slice_of_string(name));
    table_number(table, number);
    table_put(table, why);
}

static void assert_table(struct table *table, size_t rows, size_t width, const char *wanted)
{
    struct buffer text = {0};
    assert_int_equal(table_print(table, 0, rows, width, &text), 0);
    assert_text(&text, wanted);
}

static void columns_are_aligned(void **state)
{
    (void)state;
    struct table table;
    table_init(&table, columns, 3);
    assert_table(&table, SIZE_MAX, 0, "NAME  N  WHY\n");
    add_row(&table, "a", 5, "short");
    add_row(&table, "工作 x", 1000, "");
    assert_int_equal(table_rows(&table), 2);
    assert_table(&table, SIZE_MAX, 0,
                 "NAME         N  WHY\n"
                 "a            5  short\n"
                 "\"工作 x\"  1000\n");
    assert_table(&table, 1, 0,
                 "NAME  N  WHY\n"
                 "a     5  short\n");
    table_deinit(&table);
}

static void flexible_columns_give_way_the_widest_first(void **state)
{
    (void)state;
    struct table table;
    table_init(&table, columns, 3);
    add_row(&table, "a-name-of-twenty-two-c", 1, "a-reason-of-18-cha");
    assert_table(&table, SIZE_MAX, 45,
                 "NAME                    N  WHY\n"
                 "a-name-of-twenty-two-c  1  a-reason-of-18-cha\n");
    assert_table(&table, SIZE_MAX, 35,
                 "NAME             N  WHY\n"
                 "a-name-of-twen…  1  a-reason-of-18…\n");
    assert_table(&table, SIZE_MAX, 10,
                 "NAME     …\n"
                 "a-name-… …\n");
    table_deinit(&table);
}

static int setup(void **state)
{
    (void)state;
    text_setup();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_quoted_unless_they_are_plain),
        cmocka_unit_test(texts_from_elsewhere_stay_on_their_line),
        cmocka_unit_test(what_is_not_seen_is_escaped),
        cmocka_unit_test(texts_for_programs_keep_what_is_not_seen),
        cmocka_unit_test(texts_are_padded_by_what_is_shown),
        cmocka_unit_test(times_have_at_most_two_units),
        cmocka_unit_test(bytes_have_a_larger_unit_from_1024_on),
        cmocka_unit_test(widths_are_columns_of_a_terminal),
        cmocka_unit_test(texts_are_cut_between_characters),
        cmocka_unit_test(columns_are_aligned),
        cmocka_unit_test(flexible_columns_give_way_the_widest_first),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
