/*
 * Histories written by hand: every file in the folder that is the argument says in its first line
 * what the checker must say of it. And what is written can be read again.
 */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "tests/history/check.h"
#include "tests/support/unit.h"

static const char *folder;

static void read_case(const char *path, char expected[64], struct history *history)
{
    char why[TEXT_MAX] = "";
    FILE *in = fopen(path, "re");
    assert_non_null(in);
    if (fscanf(in, "# expect: %63[^\n]", expected) != 1) {
        fail_msg("%s: the first line must be: # expect: VERDICT", path);
    }
    if (history_read(history, in, why) < 0) {
        fail_msg("%s: %s", path, why);
    }
    (void)fclose(in);
}

/* Calls `look` for each case; returns how many there are. */
static unsigned each_case(void (*look)(const char *path, const char *expected,
                                       const struct history *history))
{
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    const struct dirent *entry;
    unsigned count = 0;
    while ((entry = readdir(dir)) != NULL) {
        if (strstr(entry->d_name, ".txt") == NULL) {
            continue;
        }
        char path[1024];
        char expected[64];
        struct history history;
        (void)snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
        read_case(path, expected, &history);
        look(path, expected, &history);
        count++;
    }
    (void)closedir(dir);
    return count;
}

static void expect_verdict(const char *path, const char *expected, const struct history *history)
{
    enum verdict verdict = history_check(history, 0, NULL, NULL);
    if (strcmp(verdict_name(verdict), expected) != 0) {
        (void)history_check(history, 0, stderr, NULL);
        fail_msg("%s: \"%s\" instead of \"%s\"", path, verdict_name(verdict), expected);
    }
}

static void each_case_has_its_verdict(void **state)
{
    assert_true(each_case(expect_verdict) > 40);
}

/* Only what is explained can be wrong without an order: the search must find the rest, too. */
static void expect_no_order(const char *path, const char *expected, const struct history *history)
{
    static struct events events;
    static struct finding finding;
    if (history->type == TYPE_DICT || strcmp(expected, "linearizable") == 0) {
        return;
    }
    events_of(history, NO_VALUE, &events);
    if (search(history, &events, CHECK_BUDGET, &finding) != NONE) {
        fail_msg("%s: the invariants see it, the search does not", path);
    }
}

static void search_finds_what_the_invariants_find(void **state)
{
    assert_true(each_case(expect_no_order) > 40);
}

static void expect_smallest_part(const char *path, const char *expected,
                                 const struct history *history)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    (void)history_check(history, 0, out, NULL);
    (void)fclose(out);
    bool shown = strstr(text, "smallest part") != NULL;
    bool fine = strcmp(expected, "linearizable") == 0;
    if (shown == fine) {
        fail_msg("%s: the report is: %s", path, text);
    }
    free(text);
}

static void what_cannot_be_explained_is_shown(void **state)
{
    assert_true(each_case(expect_smallest_part) > 40);
}

static void expect_same_again(const char *path, const char *expected, const struct history *history)
{
    char *text = NULL;
    char why[TEXT_MAX] = "";
    size_t size = 0;
    struct history again;
    FILE *file = open_memstream(&text, &size);
    assert_non_null(file);
    assert_int_equal(history_write(history, 0, file), 0);
    (void)fclose(file);
    file = fmemopen(text, size, "r");
    assert_non_null(file);
    if (history_read(&again, file, why) < 0) {
        fail_msg("%s: %s: %s", path, why, text);
    }
    (void)fclose(file);
    assert_int_equal(again.count, history->count);
    assert_memory_equal(again.operations, history->operations,
                        history->count * sizeof(history->operations[0]));
    assert_memory_equal(&again.options, &history->options, sizeof(again.options));
    free(text);
}

static void history_written_is_read_again(void **state)
{
    assert_true(each_case(expect_same_again) > 40);
}

static void expect_refused(const char *text)
{
    char why[TEXT_MAX] = "";
    struct history history;
    FILE *in = fmemopen((char *)(uintptr_t)text, strlen(text), "r");
    assert_non_null(in);
    assert_int_equal(history_read(&history, in, why), -1);
    assert_true(strlen(why) > 0);
    (void)fclose(in);
}

static void history_that_is_none_is_refused(void **state)
{
    expect_refused("# nothing\n");
    expect_refused("barrel\n");
    expect_refused("queue tall\n");
    expect_refused("queue\n10 20 1 dance = ok\n");
    expect_refused("queue\n10 20 1 acquire = 1 0\n");
    expect_refused("queue\n20 10 1 put 5 = ok\n");
    expect_refused("queue\n10 20 99 put 5 = ok\n");
    expect_refused("queue\n10 20 1 put = ok\n");
    expect_refused("queue\n10 20 1 put 5\n");
    expect_refused("queue\n10 20 1 put 5 = NONSENSE\n");
}

/* Many operations at once, in any order, and then an answer that none of the orders explains: there
 * are 12! orders, but only some ten thousand pairs of a set and a state. */
static void search_ends_soon_or_is_undecided(void **state)
{
    static struct events events;
    static struct finding finding;
    struct history history = {.type = TYPE_DICT, .count = 14};
    for (unsigned i = 0; i < history.count; i++) {
        history.operations[i] = (struct operation){
            .begin = i == 0 ? 0 : 10,
            .end = i == 0 ? 5 : 20,
            .process = (uint8_t)i,
            .verb = DICT_SET,
            .arguments = {1, i},
            .results = {i == 0},
        };
    }
    history.operations[13] = (struct operation){
        .begin = 30, .end = 40, .verb = DICT_GET, .arguments = {1}, .results = {99}};
    events_of(&history, NO_VALUE, &events);
    assert_int_equal(search(&history, &events, 1000, &finding), UNDECIDED);
    assert_int_equal(search(&history, &events, 100000, &finding), NONE);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_case_has_its_verdict),
        cmocka_unit_test(search_finds_what_the_invariants_find),
        cmocka_unit_test(what_cannot_be_explained_is_shown),
        cmocka_unit_test(history_written_is_read_again),
        cmocka_unit_test(history_that_is_none_is_refused),
        cmocka_unit_test(search_ends_soon_or_is_undecided),
    };
    folder = argc > 1 ? argv[1] : "tests/history/cases";
    return cmocka_run_group_tests(tests, NULL, NULL);
}
