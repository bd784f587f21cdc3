/* server: what is told of the daemon depends on who asks only where the answer is dear. */
#include "tests/support/stage.h"

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

static void stats_count_the_heap_for_trusted_users_only(void **state)
{
    struct actor *root = actor_new(*state, 0);
    struct actor *user = actor_new(*state, 1000);
    check(root, "server.stats", "[]",
          "{memory: {resident: _int, allocated: _int, free: _int}, ...}");
    check(user, "server.stats", "[]", "{memory: {resident: _int, allocated: nil, free: nil}, ...}");
    actor_leave(root);
    actor_leave(user);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(stats_count_the_heap_for_trusted_users_only, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
