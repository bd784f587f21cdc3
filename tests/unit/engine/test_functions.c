/* The library of functions, and nodes that do not have it. */
#include "tests/support/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/engine/fake_cluster.h"

static void the_library_is_loaded_once_for_all(void **state)
{
    struct fake_cluster *stage = *state;
    struct sent sent[4] = {0};
    stage->caller.options.library = slice_of_string("#!lua name=ipcd\n");
    for (size_t i = 0; i < 4; i++) {
        stage->answers[0][i] = "-ERR Function not found\r\n";
    }
    fake_cluster_open(stage);
    for (size_t i = 0; i < 4; i++) {
        caller_send(&stage->caller, &sent[i], 60000, "FCALL", "ipcd", "1", "foo", NULL);
    }
    for (size_t i = 0; i < 4; i++) {
        caller_await(&stage->caller, &sent[i].done);
        assert_int_equal(sent[i].fate, REQUEST_DONE);
    }
    assert_int_equal(stage->loads, 1);
    assert_int_equal(fake_cluster_figures(stage).loads, 1);
    /* Somebody else was faster. */
    stage->next[0] = 3;
    stage->load_answer = "-ERR Library 'ipcd' already exists\r\n";
    caller_ask(&stage->caller, &sent[0], "FCALL", "ipcd", "1", "foo", NULL);
    assert_string_equal(sent[0].text, "OK");
    assert_int_equal(stage->loads, 2);
}

static void a_library_that_is_refused_is_said(void **state)
{
    struct fake_cluster *stage = *state;
    struct sent sent = {0};
    stage->caller.options.library = slice_of_string("#!lua name=ipcd\n");
    stage->answers[0][0] = "-ERR Function not found\r\n";
    stage->answers[0][1] = "-ERR Function not found\r\n";
    stage->load_answer = "-NOPERM this user has no permissions\r\n";
    fake_cluster_open(stage);
    caller_send(&stage->caller, &sent, UINT64_MAX, "FCALL", "ipcd", "1", "foo", NULL);
    caller_await(&stage->caller, &sent.done);
    assert_int_equal(sent.fate, REQUEST_NOT_DONE);
    assert_says(sent.text, "NOPERM");
    stage->load_answer = "-LOADING Redis is loading\r\n";
    caller_send(&stage->caller, &sent, 100, "FCALL", "ipcd", "1", "foo", NULL);
    caller_await(&stage->caller, &sent.done);
    assert_says(sent.text, "LOADING");
    assert_int_equal(stage->loads, 2);
}

static void a_library_without_the_function_does_not_go_on_for_ever(void **state)
{
    struct fake_cluster *stage = *state;
    struct sent sent = {0};
    stage->caller.options.library = slice_of_string("#!lua name=ipcd\n");
    for (size_t i = 0; i < 7; i++) {
        stage->answers[0][i] = "-ERR Function not found\r\n";
    }
    fake_cluster_open(stage);
    caller_send(&stage->caller, &sent, UINT64_MAX, "FCALL", "ipcd", "1", "foo", NULL);
    caller_await(&stage->caller, &sent.done);
    assert_int_equal(sent.fate, REQUEST_NOT_DONE);
    assert_says(sent.text, "but not the function");
    assert_int_equal(stage->loads, 3);
}

static void a_library_that_is_lost_on_its_way_is_loaded_anew(void **state)
{
    struct fake_cluster *stage = *state;
    struct sent sent = {0};
    stage->caller.options.library = slice_of_string("#!lua name=ipcd\n");
    stage->answers[0][0] = "-ERR Function not found\r\n";
    stage->answers[0][1] = "-ERR Function not found\r\n";
    stage->load_answer = FAKE_CLOSE;
    fake_cluster_open(stage);
    caller_send(&stage->caller, &sent, 60000, "FCALL", "ipcd", "1", "foo", NULL);
    caller_await_count(&stage->caller, &stage->loads, 1);
    stage->load_answer = "$4\r\nipcd\r\n";
    caller_await(&stage->caller, &sent.done);
    assert_int_equal(sent.fate, REQUEST_DONE);
    assert_int_equal(stage->loads, 2);
}

static void without_a_library_not_found_is_an_answer(void **state)
{
    struct fake_cluster *stage = *state;
    struct sent sent = {0};
    stage->answers[0][0] = "-ERR Function not found\r\n";
    fake_cluster_open(stage);
    caller_ask(&stage->caller, &sent, "FCALL", "ipcd", "1", "foo", NULL);
    assert_string_equal(sent.text, "ERR Function not found");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, fake_cluster_setup, fake_cluster_teardown)
        TEST(the_library_is_loaded_once_for_all),
        TEST(a_library_that_is_refused_is_said),
        TEST(a_library_without_the_function_does_not_go_on_for_ever),
        TEST(a_library_that_is_lost_on_its_way_is_loaded_anew),
        TEST(without_a_library_not_found_is_an_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
