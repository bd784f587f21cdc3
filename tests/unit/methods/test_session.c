/* session.list and session.describe as whole calls: the pages of a description. */
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

static void description_comes_in_pages(void **state)
{
    struct actor *a = actor_new(*state, 0);
    struct actor *b = actor_new(*state, 0);
    for (int i = 0; i < 3; i++) {
        static const char *const names[] = {"['x']", "['y']", "['z']"};
        check(a, "queue.open", names[i], "_map");
    }
    for (int i = 0; i < 3; i++) {
        (void)actor_send(a, "queue.get_any", "[['x', 'y', 'z']]");
    }
    check(b, "session.describe", "[1, {limit: 4}]",
          "{open: ['x', 'y', 'z'], holds: [], cursor: [2, 1, 4], waits: [{object: 'x', msgid: 4, "
          "...},"
          " {object: 'y', msgid: 4, ...}, {object: 'z', msgid: 4, ...}, {object: 'x', msgid: 5, "
          "...}],"
          " ...}");
    check(b, "session.describe", "[1, {limit: 4, cursor: [2, 1, 4]}]",
          "{open: [], holds: [], cursor: [3, 2, 4], waits: [{object: 'y', msgid: 5, ...},"
          " {object: 'z', msgid: 5, ...}, {object: 'x', msgid: 6, ...}, {object: 'y', msgid: 6, "
          "...}],"
          " ...}");
    check(b, "session.describe", "[1, {limit: 4, cursor: [3, 2, 4]}]",
          "{open: [], holds: [], cursor: nil, waits: [{object: 'z', msgid: 6, ...}], ...}");
    check(b, "session.describe", "[1, {limit: 2}]",
          "{open: ['x', 'y'], cursor: [1, 2, 3], waits: [_map, _map], ...}");
    check(b, "session.describe", "[1]",
          "{open: ['x', 'y', 'z'], cursor: nil, waits: [_map]*9, ...}");
    actor_leave(a);
    actor_leave(b);
}

/* A cursor comes from anybody, and calls come and go between two pages. */
static void cursor_behind_the_places_of_a_call_goes_on_with_the_next(void **state)
{
    struct actor *a = actor_new(*state, 0);
    check(a, "queue.open", "['x']", "_map");
    (void)actor_send(a, "queue.get_any", "[['x']]");
    (void)actor_send(a, "queue.get", "['x']");
    static const char *const cursors[] = {
        "[nil, {cursor: [1, 1, 0]}]", "[nil, {cursor: [1, 2, 0]}]",
        "[nil, {cursor: [1, 4294967296, 0]}]", "[nil, {cursor: [1, 9223372036854775807, 0]}]"};
    for (int i = 0; i < 4; i++) {
        check(a, "session.describe", cursors[i],
              "{cursor: nil, waits: [{object: 'x', msgid: 3, ...}], ...}");
    }
    actor_leave(a);
}

static void page_that_is_none_is_refused(void **state)
{
    struct actor *a = actor_new(*state, 0);
    check_error(a, "session.describe", "[nil, {limit: 0}]", "BAD_REQUEST");
    check_error(a, "session.describe", "[nil, {cursor: [1, 2]}]", "BAD_REQUEST");
    check_error(a, "session.describe", "[nil, {cursor: [1, 2, 'x']}]", "BAD_REQUEST");
    check_error(a, "session.describe", "[nil, {cursor: [1, 2, -1]}]", "BAD_REQUEST");
    check(a, "session.describe",
          "[nil, {cursor: [9223372036854775807, 9223372036854775807,"
          " 9223372036854775807]}]",
          "{open: [], holds: [], waits: [], cursor: nil, ...}");
    actor_leave(a);
}

static void every_session_is_listed_once(void **state)
{
    enum { MANY = 200 };
    struct actor *actors[MANY];
    for (int i = 0; i < MANY; i++) {
        actors[i] = actor_new(*state, 0);
    }
    check(actors[0], "session.list", "[]", "[{session: _int, ...}]*200");
    for (int i = 0; i < MANY; i++) {
        actor_leave(actors[i]);
    }
}

static void session_page_is_charged_and_counted(void **state)
{
    struct stage *stage = *state;
    struct actor *a = actor_new(stage, 7);
    uint64_t before = a->session.user->bytes;
    stage->service.accounts.limits.max_user_bytes = before + ahead_page_cost() - 1;
    check_error(a, "session.page", "[]", "LIMIT");
    stage->service.accounts.limits.max_user_bytes = before + 2 * ahead_page_cost();
    stage->service.accounts.limits.max_user_descriptors = 0;
    check_error(a, "session.page", "[]", "LIMIT");
    assert_int_equal(a->session.user->bytes, before);
    stage->service.accounts.limits.max_user_descriptors = 1;
    check(a, "session.page", "[]", "_array");
    actor_read(a);
    assert_int_equal(a->session.user->bytes, before + ahead_page_cost());
    assert_int_equal(a->session.user->descriptors, 0);
    actor_leave(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(session_page_is_charged_and_counted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(description_comes_in_pages, set_up, tear_down),
        cmocka_unit_test_setup_teardown(cursor_behind_the_places_of_a_call_goes_on_with_the_next,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(page_that_is_none_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(every_session_is_listed_once, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("session", tests, NULL, NULL);
}
