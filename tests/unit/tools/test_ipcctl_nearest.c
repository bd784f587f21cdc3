/* The word that somebody may have meant: tools/ipcctl/command_line/nearest.h. */
#include "tools/ipcctl/command_line/nearest.h"

#include "tests/support/unit.h"

/* Of the words, with commas between, `typed` is nearest to `wanted`; "": to none. */
static void assert_nearest(const char *typed, const char *words, const char *wanted)
{
    struct nearest nearest = nearest_to(slice_of_string(typed));
    while (*words != '\0') {
        size_t len = strcspn(words, ",");
        nearest_offer(&nearest, (struct slice){(const uint8_t *)words, len});
        words += len + (words[len] == ',');
    }
    assert_string_equal(nearest.word, wanted);
}

static void one_letter_is_changed_left_out_added_or_swapped(void **state)
{
    (void)state;
    assert_nearest("jabs", "mail,jobs", "jobs");
    assert_nearest("jbs", "mail,jobs", "jobs");
    assert_nearest("joobs", "mail,jobs", "jobs");
    assert_nearest("jbos", "mail,jobs", "jobs");
    assert_nearest("lss", "rm,ls", "ls");
    assert_nearest("pt", "get,put", "put");
}

static void a_third_of_the_letters_may_be_wrong(void **state)
{
    (void)state;
    assert_nearest("descrbie", "peek,describe", "describe");
    assert_nearest("dsecrbe", "peek,describe", "describe");
    assert_nearest("semafor", "semaphore", "");
    assert_nearest("smeafore", "semaphore", "");
    assert_nearest("get", "put", "");
    assert_nearest("a", "b", "b");
}

static void the_first_of_the_nearest_is_meant(void **state)
{
    (void)state;
    assert_nearest("queues", "queens,queue,queued", "queue");
    assert_nearest("jobs3", "jobs1,jobs2", "jobs1");
}

static void nothing_is_near_to_itself_to_nothing_and_to_what_is_long(void **state)
{
    (void)state;
    char word[NEAREST_MOST + 1];
    memset(word, 'x', sizeof(word));
    word[NEAREST_MOST] = '\0';
    assert_nearest("jobs", "jobs", "");
    assert_nearest("", "a", "");
    assert_nearest("a", "", "");
    assert_nearest(word, "xxxxx", "");
    assert_nearest("xxxxx", word, "");
    word[NEAREST_MOST - 1] = '\0';
    struct nearest nearest = nearest_to(slice_of_string(word));
    nearest_offer(&nearest, (struct slice){(const uint8_t *)word, NEAREST_MOST - 2});
    assert_int_equal(strlen(nearest.word), NEAREST_MOST - 2);
}

static void a_hint_names_the_word_as_it_is_given(void **state)
{
    (void)state;
    char hint[NEAREST_HINT];
    struct nearest nearest = nearest_to(slice_of_string("rew"));
    assert_string_equal(nearest_hint(&nearest, "--", "", hint), "");
    nearest_offer(&nearest, slice_of_string("raw"));
    assert_string_equal(nearest_hint(&nearest, "--", "", hint), " (did you mean --raw?)");
    assert_string_equal(nearest_hint(&nearest, "\"", "\"", hint), " (did you mean \"raw\"?)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_letter_is_changed_left_out_added_or_swapped),
        cmocka_unit_test(a_third_of_the_letters_may_be_wrong),
        cmocka_unit_test(the_first_of_the_nearest_is_meant),
        cmocka_unit_test(nothing_is_near_to_itself_to_nothing_and_to_what_is_long),
        cmocka_unit_test(a_hint_names_the_word_as_it_is_given),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
