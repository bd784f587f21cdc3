/* Holds: who stands behind one is let in in order, and nobody overtakes. */
#include "daemon/call/hold.h"
#include "tests/support/scarce.h"
#include "tests/unit/call/thing.h"

#include <stdlib.h>

struct scene {
    struct things things;
    struct object *object;
    struct hold_list open;
    struct pace job;
    struct pace other;
    unsigned entered; /* how many have been let in */
};

/* Somebody who comes, and what it does when it is let in. */
struct guest {
    struct visitor visitor;
    struct scene *scene;
    struct guest *removes; /* takes this one away */
    bool takes;            /* `other` has the hold from then on */
    bool gives;            /* and lets go at once */
    bool again;            /* stands at the end once more */
    unsigned place;        /* the how manyth it was; 0: it has not been let in */
};

static int set_up(void **state)
{
    struct scene *scene = calloc(1, sizeof(*scene));
    assert_non_null(scene);
    things_init(&scene->things);
    scene->object = thing_new(&scene->things, "o");
    TAILQ_INIT(&scene->open);
    assert_int_equal(hold_new(scene->object, &scene->job, &scene->open), 0);
    *state = scene;
    return 0;
}

static int tear_down(void **state)
{
    struct scene *scene = *state;
    assert_null(scene->object->hold);
    assert_true(TAILQ_EMPTY(&scene->open));
    thing_free(scene->object);
    things_deinit(&scene->things);
    free(scene);
    return 0;
}

static void enter(struct visitor *visitor)
{
    struct guest *guest = (struct guest *)visitor; /* its first member */
    struct object *object = guest->scene->object;
    guest->place = ++guest->scene->entered;
    assert_null(visitor->hold);
    assert_false(object_is_held(object, NULL)); /* it may begin */
    if (guest->removes != NULL) {
        visitor_leave(&guest->removes->visitor);
    }
    if (guest->takes) {
        hold_take(object->hold, &guest->scene->other);
    }
    if (guest->gives) {
        hold_release(object->hold);
    }
    if (guest->again) {
        guest->again = false;
        visitor_stand(visitor, object);
    }
}

static void come(struct scene *scene, struct guest *guest)
{
    guest->scene = scene;
    guest->visitor.enter = enter;
    visitor_stand(&guest->visitor, scene->object);
}

static void let_in(struct scene *scene)
{
    assert_false(TAILQ_EMPTY(&scene->open));
    hold_let_in(TAILQ_FIRST(&scene->open));
}

static void held_object_is_free_for_its_holder_alone(void **state)
{
    struct scene *scene = *state;
    assert_true(object_is_held(scene->object, NULL));
    assert_true(object_is_held(scene->object, &scene->other));
    assert_false(object_is_held(scene->object, &scene->job));
    assert_true(object_is_busy(scene->object));
    hold_release(scene->object->hold);
    assert_false(object_is_held(scene->object, NULL));
    assert_false(object_is_busy(scene->object));
}

static void visitors_are_let_in_in_order_and_nobody_overtakes(void **state)
{
    struct scene *scene = *state;
    struct guest guests[3] = {0};
    come(scene, &guests[0]);
    come(scene, &guests[1]);
    assert_true(TAILQ_EMPTY(&scene->open));
    hold_release(scene->object->hold);
    assert_true(object_is_held(scene->object, NULL)); /* others stand there already */
    assert_true(object_is_held(scene->object, &scene->job));
    assert_false(object_is_busy(scene->object));
    let_in(scene);
    assert_true(object_is_held(scene->object, NULL));
    come(scene, &guests[2]);
    let_in(scene);
    let_in(scene);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(guests[i].place, i + 1);
    }
}

static void visitor_that_leaves_is_not_let_in(void **state)
{
    struct scene *scene = *state;
    struct guest guests[3] = {0};
    for (unsigned i = 0; i < 3; i++) {
        come(scene, &guests[i]);
    }
    visitor_leave(&guests[1].visitor);
    visitor_leave(&guests[1].visitor);
    hold_release(scene->object->hold);
    let_in(scene);
    let_in(scene);
    assert_int_equal(guests[0].place, 1);
    assert_int_equal(guests[1].place, 0);
    assert_int_equal(guests[2].place, 2);
}

static void hold_stays_when_the_last_visitor_leaves_its_holder(void **state)
{
    struct scene *scene = *state;
    struct guest guest = {0};
    come(scene, &guest);
    visitor_leave(&guest.visitor);
    assert_true(object_is_busy(scene->object));
    hold_release(scene->object->hold);
}

static void open_hold_goes_with_the_last_visitor_that_leaves(void **state)
{
    struct scene *scene = *state;
    struct guest guests[2] = {0};
    come(scene, &guests[0]);
    come(scene, &guests[1]);
    hold_release(scene->object->hold);
    visitor_leave(&guests[0].visitor);
    assert_non_null(scene->object->hold);
    visitor_leave(&guests[1].visitor);
    assert_null(scene->object->hold);
    assert_int_equal(scene->entered, 0);
}

static void visitor_can_take_away_the_one_behind_it(void **state)
{
    struct scene *scene = *state;
    struct guest guests[2] = {0};
    guests[0].removes = &guests[1];
    come(scene, &guests[0]);
    come(scene, &guests[1]);
    hold_release(scene->object->hold);
    let_in(scene);
    assert_null(scene->object->hold);
    assert_int_equal(scene->entered, 1);
}

static void visitor_that_takes_the_hold_over_keeps_the_others_out(void **state)
{
    struct scene *scene = *state;
    struct guest guests[2] = {{.takes = true}};
    come(scene, &guests[0]);
    come(scene, &guests[1]);
    hold_release(scene->object->hold);
    let_in(scene);
    assert_true(TAILQ_EMPTY(&scene->open));
    assert_false(object_is_held(scene->object, &scene->other));
    assert_true(object_is_held(scene->object, &scene->job));
    hold_release(scene->object->hold);
    let_in(scene);
    assert_int_equal(guests[1].place, 2);
}

static void visitor_can_take_the_hold_over_and_let_go_at_once(void **state)
{
    struct scene *scene = *state;
    struct guest guests[2] = {{.takes = true, .gives = true}};
    come(scene, &guests[0]);
    come(scene, &guests[1]);
    hold_release(scene->object->hold);
    let_in(scene);
    assert_int_equal(guests[1].place, 0);
    let_in(scene);
    assert_int_equal(guests[1].place, 2);
}

static void visitor_that_comes_again_is_let_in_again_after_the_others(void **state)
{
    struct scene *scene = *state;
    struct guest guests[2] = {{.again = true}};
    come(scene, &guests[0]);
    come(scene, &guests[1]);
    hold_release(scene->object->hold);
    let_in(scene);
    let_in(scene);
    assert_int_equal(guests[1].place, 2);
    let_in(scene);
    assert_int_equal(guests[0].place, 3);
}

static void open_hold_can_be_taken_before_its_visitors(void **state)
{
    struct scene *scene = *state;
    struct guest guest = {0};
    come(scene, &guest);
    hold_release(scene->object->hold);
    hold_take(scene->object->hold, &scene->other); /* for those who waited on the object */
    assert_true(TAILQ_EMPTY(&scene->open));
    assert_true(object_is_busy(scene->object));
    hold_release(scene->object->hold);
    let_in(scene);
    assert_int_equal(guest.place, 1);
}

static void those_who_wait_are_looked_at_when_the_job_lets_go(void **state)
{
    struct scene *scene = *state;
    struct guest guest = {0};
    struct wait wait = {0};
    wait_enter(&wait, scene->object, 0);
    come(scene, &guest);
    hold_release(scene->object->hold);
    assert_true(scene->object->is_ready); /* before the visitor is let in */
    object_unready(scene->object);
    let_in(scene);
    assert_true(scene->object->is_ready); /* and once more when it has been */
    wait_leave(&wait);
}

static void hold_keeps_its_object(void **state)
{
    struct scene *scene = *state;
    struct object *object = scene->object;
    assert_int_equal(object->refs, 3); /* the registry's, ours, the hold's */
    hold_release(object->hold);
    assert_int_equal(object->refs, 2);
    scarce_begin(0);
    assert_int_equal(hold_new(object, &scene->job, &scene->open), ERR_MEMORY);
    assert_true(scarce_end());
    assert_null(object->hold);
    assert_int_equal(object->refs, 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(held_object_is_free_for_its_holder_alone),
        TEST(visitors_are_let_in_in_order_and_nobody_overtakes),
        TEST(visitor_that_leaves_is_not_let_in),
        TEST(hold_stays_when_the_last_visitor_leaves_its_holder),
        TEST(open_hold_goes_with_the_last_visitor_that_leaves),
        TEST(visitor_can_take_away_the_one_behind_it),
        TEST(visitor_that_takes_the_hold_over_keeps_the_others_out),
        TEST(visitor_can_take_the_hold_over_and_let_go_at_once),
        TEST(visitor_that_comes_again_is_let_in_again_after_the_others),
        TEST(open_hold_can_be_taken_before_its_visitors),
        TEST(those_who_wait_are_looked_at_when_the_job_lets_go),
        TEST(hold_keeps_its_object),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
