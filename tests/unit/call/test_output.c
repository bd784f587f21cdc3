/* Descriptors of an object's own in an answer: which index they get, and who closes them. */
#include "tests/support/stage.h"

#include <stdlib.h>
#include <unistd.h>

struct fixture {
    struct accounts accounts;
    struct user *user;
    struct output output;
    struct descriptor *descriptor; /* of what could be an object */
    int other;                     /* the pipe's other end: it ends when the descriptor is closed */
};

static int set_up(void **state)
{
    int pair[2];
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    accounts_init(&f->accounts, 0);
    f->user = accounts_user(&f->accounts, 1);
    assert_non_null(f->user);
    assert_int_equal(pipe(pair), 0);
    assert_int_equal(descriptor_new(f->user, pair[1], &f->descriptor), 0);
    f->other = pair[0];
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    char byte;
    output_deinit(&f->output);
    descriptor_unref(f->descriptor);
    assert_int_equal(read(f->other, &byte, 1), 0);
    assert_int_equal(f->accounts.descriptors, 0);
    user_unref(f->user);
    accounts_deinit(&f->accounts);
    (void)close(f->other);
    free(f);
    return 0;
}

static void each_descriptor_of_an_answer_gets_the_next_index(void **state)
{
    struct fixture *f = *state;
    struct output_mark mark = output_mark(&f->output);
    output_descriptor(&f->output, f->descriptor);
    output_descriptor(&f->output, f->descriptor);
    output_seal(&f->output, mark);
    assert_int_equal(f->output.bytes.len, 6);
    assert_memory_equal(f->output.bytes.data, "\xd4\x02\x00\xd4\x02\x01", 6);
    uint64_t until;
    const struct passing *passing = output_passing(&f->output, &until);
    assert_non_null(passing);
    assert_int_equal(passing->count, 2);
    assert_int_equal(f->descriptor->refs, 3);
    output_sent(&f->output, 6);
    assert_int_equal(f->descriptor->refs, 1);
}

static void answer_taken_back_lets_go_of_its_descriptors(void **state)
{
    struct fixture *f = *state;
    struct output_mark mark = output_mark(&f->output);
    output_descriptor(&f->output, f->descriptor);
    output_rewind(&f->output, mark);
    assert_int_equal(f->output.bytes.len, 0);
    assert_int_equal(f->descriptor->refs, 1);
}

static void descriptor_that_moves_is_closed_when_its_answer_has_left(void **state)
{
    struct fixture *f = *state;
    f->descriptor->moves = true;
    struct output_mark mark = output_mark(&f->output);
    output_descriptor(&f->output, f->descriptor);
    output_seal(&f->output, mark);
    output_rewind(&f->output, mark);
    assert_true(f->descriptor->fd >= 0);
    pack_nil(&f->output.bytes);
    mark = output_mark(&f->output);
    output_descriptor(&f->output, f->descriptor);
    output_seal(&f->output, mark);
    output_sent(&f->output, 1);
    assert_true(f->descriptor->fd >= 0);
    output_sent(&f->output, 1);
    assert_int_equal(f->descriptor->fd, -1);
    assert_int_equal(f->accounts.descriptors, 0);
}

static void one_descriptor_too_many_is_noticed(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < DESCRIPTORS_PER_MESSAGE; i++) {
        output_descriptor(&f->output, f->descriptor);
    }
    assert_false(f->output.overfull);
    output_descriptor(&f->output, f->descriptor);
    assert_true(f->output.overfull);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_descriptor_of_an_answer_gets_the_next_index),
        TEST(answer_taken_back_lets_go_of_its_descriptors),
        TEST(descriptor_that_moves_is_closed_when_its_answer_has_left),
        TEST(one_descriptor_too_many_is_noticed),
    };
    return cmocka_run_group_tests_name("descriptors in answers", tests, NULL, NULL);
}
