/* queue.open: dead letter queues whose items would come back to where they died are refused. */
#include "tests/support/stage.h"

#include <stdio.h>

static int set_up(void **state)
{
    *state = stage_new();
    return 0;
}

static int tear_down(void **state)
{
    stage_free(*state);
    return 0;
}

static void a_queue_is_not_its_own_dead_letter_queue(void **state)
{
    struct actor *a = actor_new(*state, 0);
    check_fails(a, "queue.open", "['j', {joinable: true, dead_letter: 'j'}]",
                "['BAD_REQUEST', 'queue.open: option dead_letter must name another queue']");
    check_error(a, "object.describe", "['j']", "NOT_FOUND");
    check_error(a, "queue.open", "[nil, {joinable: true, dead_letter: '#1'}]", "BAD_REQUEST");
    check(a, "queue.open", "['j', {joinable: true, dead_letter: 'J'}]", "_map");
    check_error(a, "queue.open", "['j', {joinable: true, dead_letter: 'j'}]", "MISMATCH");
    actor_leave(a);
}

static void the_queue_that_closes_a_circle_of_dead_letters_is_refused(void **state)
{
    struct actor *a = actor_new(*state, 0);
    check(a, "queue.open", "['a', {joinable: true, dead_letter: 'b'}]", "_map");
    check_fails(a, "queue.open", "['b', {joinable: true, dead_letter: 'a'}]",
                "['BAD_REQUEST', 'queue.open: option dead_letter: dead items would come back to "
                "this queue by way of its dead letter queue\\'s own']");
    check(a, "queue.open", "['b', {joinable: true, dead_letter: 'c'}]", "_map");
    check_error(a, "queue.open", "['c', {joinable: true, dead_letter: 'a'}]", "BAD_REQUEST");
    check(a, "queue.open", "['c', {joinable: true}]", "_map");
    check(a, "object.delete", "['c']", "nil");
    check(a, "dict.open", "['c']", "_map"); /* no queue: passes nothing on */
    check(a, "queue.open", "['d', {joinable: true, dead_letter: 'a'}]", "_map");
    check(a, "object.delete", "['c']", "nil");
    check_error(a, "queue.open", "['c', {joinable: true, dead_letter: 'd'}]", "BAD_REQUEST");
    actor_leave(a);
}

/* Makes n queues, 0 … n - 1, each of which passes on to the next; the last one is made first. */
static void make_chain(struct actor *actor, int n)
{
    for (int i = n; i-- > 0;) {
        char params[128];
        (void)snprintf(params, sizeof(params), "['%d', {joinable: true, dead_letter: '%d'}]", i,
                       i + 1);
        check(actor, "queue.open", params, "_map");
    }
}

static void a_chain_of_dead_letter_queues_has_an_end(void **state)
{
    struct actor *a = actor_new(*state, 0);
    make_chain(a, 63);
    check(a, "queue.open", "['first', {joinable: true, dead_letter: '0'}]", "_map");
    check_error(a, "queue.open", "['before', {joinable: true, dead_letter: 'first'}]",
                "BAD_REQUEST");
    check_error(a, "queue.open", "['63', {joinable: true, dead_letter: '0'}]", "BAD_REQUEST");
    actor_leave(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_queue_is_not_its_own_dead_letter_queue, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_queue_that_closes_a_circle_of_dead_letters_is_refused,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_chain_of_dead_letter_queues_has_an_end, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
