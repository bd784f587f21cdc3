/* Those who wait on an object: the index of those who wait for a key, the list of objects that are
 * ready, and the cursor of a pass. */
#include "daemon/objects/registry.h"
#include "daemon/objects/waits.h"
#include "tests/support/scarce.h"
#include "tests/unit/objects/world.h"

#include <stdlib.h>

enum { ASLEEP = 0, AWAKE = 1, OTHER = 2, MANY = 5000 };

static const struct object_type type = {.kind = OBJECT_DICT};

struct scene {
    struct world world;
    struct registry registry;
    struct object *object;
    struct wait *waits; /* MANY */
};

static int set_up(void **state)
{
    struct scene *scene = calloc(1, sizeof(*scene));
    assert_non_null(scene);
    world_init(&scene->world);
    registry_init(&scene->registry, 1);
    scene->object = calloc(1, sizeof(*scene->object));
    scene->waits = calloc(MANY, sizeof(*scene->waits));
    assert_true(scene->object != NULL && scene->waits != NULL);
    assert_int_equal(object_init(scene->object, &type, &scene->world.options), 0);
    assert_int_equal(registry_add(&scene->registry, scene->object), 0);
    *state = scene;
    return 0;
}

static int tear_down(void **state)
{
    struct scene *scene = *state;
    for (unsigned i = 0; i < MANY; i++) {
        wait_leave(&scene->waits[i]);
    }
    assert_int_equal(scene->object->waiting, 0);
    assert_null(scene->object->sleeping);
    object_unready(scene->object);
    registry_remove(&scene->registry, scene->object);
    object_unref(scene->object);
    registry_deinit(&scene->registry);
    world_deinit(&scene->world);
    free(scene->waits);
    free(scene);
    return 0;
}

/* Numbers as unlike as hashes are. */
static uint32_t hash_of(unsigned i)
{
    return (uint32_t)i * 2654435769U;
}

static void sleep_all(struct scene *scene, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        assert_int_equal(wait_enter_asleep(&scene->waits[i], scene->object, ASLEEP, hash_of(i)), 0);
    }
}

static unsigned awake(const struct scene *scene)
{
    unsigned count = 0;
    const struct wait *wait;
    TAILQ_FOREACH (wait, &scene->object->waits[AWAKE], link) {
        assert_false(wait->asleep);
        assert_int_equal(wait->channel, AWAKE);
        count++;
    }
    return count;
}

static void each_key_wakes_only_those_who_wait_for_it(void **state)
{
    struct scene *scene = *state;
    sleep_all(scene, MANY);
    assert_int_equal(scene->object->waiting, MANY);
    for (unsigned i = 0; i < MANY; i++) {
        unsigned which = i * 7 % MANY; /* in another order than that in which they came */
        object_key_added(scene->object, ASLEEP, hash_of(which));
        assert_false(scene->waits[which].asleep);
        assert_ptr_equal(TAILQ_LAST(&scene->object->waits[AWAKE], wait_list), &scene->waits[which]);
    }
    assert_int_equal(awake(scene), MANY);
    assert_true(TAILQ_EMPTY(&scene->object->waits[ASLEEP]));
    assert_null(scene->object->sleeping);
}

static void waits_for_one_key_wake_in_the_order_in_which_they_came(void **state)
{
    struct scene *scene = *state;
    for (unsigned i = 0; i < MANY; i++) { /* each third has the same, however often it grows */
        uint32_t hash = i % 3 == 0 ? 12345 : hash_of(i);
        assert_int_equal(wait_enter_asleep(&scene->waits[i], scene->object, ASLEEP, hash), 0);
    }
    object_key_added(scene->object, ASLEEP, 12345);
    unsigned i = 0;
    const struct wait *wait;
    TAILQ_FOREACH (wait, &scene->object->waits[AWAKE], link) {
        assert_ptr_equal(wait, &scene->waits[i]);
        i += 3;
    }
    assert_true(i >= MANY);
}

static void hashes_that_share_a_bucket_do_not_wake_each_other(void **state)
{
    struct scene *scene = *state;
    for (unsigned i = 0; i < 100; i++) { /* the low bits are the same */
        assert_int_equal(wait_enter_asleep(&scene->waits[i], scene->object, ASLEEP, i << 24), 0);
    }
    object_key_added(scene->object, ASLEEP, 50U << 24);
    object_key_added(scene->object, ASLEEP, 200U << 24);
    assert_int_equal(awake(scene), 1);
    assert_false(scene->waits[50].asleep);
}

static void sleepers_can_leave_in_any_order(void **state)
{
    struct scene *scene = *state;
    for (unsigned step = 1; step < MANY; step += 1234) { /* odd or even, none divides MANY but 1 */
        sleep_all(scene, MANY);
        for (unsigned i = 0, which = 0; i < MANY; i++, which = (which + step) % MANY) {
            while (scene->waits[which].object == NULL) {
                which = (which + 1) % MANY;
            }
            wait_leave(&scene->waits[which]);
            assert_int_equal(scene->object->waiting, MANY - 1 - i);
        }
        assert_null(scene->object->sleeping);
    }
}

static void sleepers_come_and_go_and_the_others_are_still_found(void **state)
{
    struct scene *scene = *state;
    uint64_t seed = world_seed();
    bool sleeps[MANY] = {false};
    for (unsigned n = 0; n < 100000; n++) {
        seed = seed * 6364136223846793005U + 1442695040888963407U;
        unsigned which = (unsigned)(seed >> 33) % (n % 20000 < 10000 ? MANY : 50);
        if (!sleeps[which]) {
            wait_leave(&scene->waits[which]);
            assert_int_equal(
                wait_enter_asleep(&scene->waits[which], scene->object, ASLEEP, hash_of(which)), 0);
        } else if ((seed >> 32 & 1) != 0) {
            wait_leave(&scene->waits[which]);
        } else {
            object_key_added(scene->object, ASLEEP, hash_of(which));
            assert_int_equal(scene->waits[which].channel, AWAKE);
        }
        sleeps[which] = !sleeps[which];
        assert_int_equal(scene->waits[which].asleep, sleeps[which]);
    }
}

static void want_of_memory_leaves_the_first_out_and_later_ones_in(void **state)
{
    struct scene *scene = *state;
    scarce_begin(0);
    assert_int_equal(wait_enter_asleep(&scene->waits[0], scene->object, ASLEEP, 1), ERR_MEMORY);
    assert_true(scarce_end());
    assert_null(scene->waits[0].object);
    assert_int_equal(scene->object->waiting, 0);
    for (unsigned i = 0; i < 1000; i++) { /* it never grows beyond its first size */
        scarce_begin(i == 0 ? 1 : 0);
        assert_int_equal(wait_enter_asleep(&scene->waits[i], scene->object, ASLEEP, hash_of(i)), 0);
        (void)scarce_end();
    }
    for (unsigned i = 0; i < 1000; i++) {
        object_key_added(scene->object, ASLEEP, hash_of(i));
        assert_false(scene->waits[i].asleep);
    }
}

static void change_makes_an_object_ready_if_somebody_waits(void **state)
{
    struct scene *scene = *state;
    object_changed(scene->object);
    assert_false(scene->object->is_ready);
    wait_enter(&scene->waits[0], scene->object, OTHER);
    object_changed(scene->object);
    object_changed(scene->object);
    assert_true(scene->object->is_ready);
    assert_ptr_equal(TAILQ_FIRST(&scene->registry.ready), scene->object);
    object_unready(scene->object);
    object_unready(scene->object);
    assert_true(TAILQ_EMPTY(&scene->registry.ready));
    scene->object->deleted = true;
    object_changed(scene->object);
    object_ready(scene->object);
    assert_false(scene->object->is_ready);
    scene->object->deleted = false;
}

static void key_that_nobody_waits_for_makes_nothing_ready(void **state)
{
    struct scene *scene = *state;
    object_key_added(scene->object, ASLEEP, 5);
    sleep_all(scene, 10);
    object_key_added(scene->object, ASLEEP, 5);
    assert_false(scene->object->is_ready);
    object_key_added(scene->object, ASLEEP, hash_of(3));
    assert_true(scene->object->is_ready);
}

static void all_are_asked_only_where_somebody_waits(void **state)
{
    struct scene *scene = *state;
    object_changed_for_all(scene->object, OTHER);
    assert_int_equal(scene->object->ask_all, 0);
    wait_enter(&scene->waits[0], scene->object, OTHER);
    object_changed_for_all(scene->object, AWAKE);
    assert_int_equal(scene->object->ask_all, 0);
    object_changed_for_all(scene->object, OTHER);
    assert_int_equal(scene->object->ask_all, 1 << OTHER);
    assert_true(scene->object->is_ready);
}

static void cursor_goes_on_to_the_next_when_its_wait_leaves(void **state)
{
    struct scene *scene = *state;
    for (unsigned i = 0; i < 4; i++) {
        wait_enter(&scene->waits[i], scene->object, OTHER);
    }
    scene->object->cursor = &scene->waits[1];
    wait_leave(&scene->waits[2]);
    assert_ptr_equal(scene->object->cursor, &scene->waits[1]);
    wait_leave(&scene->waits[1]);
    assert_ptr_equal(scene->object->cursor, &scene->waits[3]);
    wait_leave(&scene->waits[3]);
    assert_null(scene->object->cursor);
}

static void first_place_is_before_all_others(void **state)
{
    struct scene *scene = *state;
    wait_enter(&scene->waits[0], scene->object, OTHER);
    wait_enter(&scene->waits[1], scene->object, OTHER);
    wait_enter_first(&scene->waits[2], scene->object, OTHER);
    assert_ptr_equal(TAILQ_FIRST(&scene->object->waits[OTHER]), &scene->waits[2]);
    assert_ptr_equal(TAILQ_LAST(&scene->object->waits[OTHER], wait_list), &scene->waits[1]);
    assert_int_equal(scene->object->waiting, 3);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_key_wakes_only_those_who_wait_for_it),
        TEST(waits_for_one_key_wake_in_the_order_in_which_they_came),
        TEST(hashes_that_share_a_bucket_do_not_wake_each_other),
        TEST(sleepers_can_leave_in_any_order),
        TEST(sleepers_come_and_go_and_the_others_are_still_found),
        TEST(want_of_memory_leaves_the_first_out_and_later_ones_in),
        TEST(change_makes_an_object_ready_if_somebody_waits),
        TEST(key_that_nobody_waits_for_makes_nothing_ready),
        TEST(all_are_asked_only_where_somebody_waits),
        TEST(cursor_goes_on_to_the_next_when_its_wait_leaves),
        TEST(first_place_is_before_all_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
