/* memory: when what is free goes back to the system. The timer is made to run out by hand. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "daemon/memory.h"

enum { LARGE = 100 * 1024 * 1024 };

struct scene {
    struct event_base *base;
    struct memory memory;
};

static int set_up(void **state)
{
    static struct scene scene;
    scene.base = event_base_new();
    assert_non_null(scene.base);
    assert_int_equal(memory_init(&scene.memory, scene.base), 0);
    *state = &scene;
    return 0;
}

static int tear_down(void **state)
{
    struct scene *scene = *state;
    memory_deinit(&scene->memory);
    event_base_free(scene->base);
    return 0;
}

/* From twice as much to `bytes`; then so many events, and the delay is over. */
static void shrink(struct scene *scene, uint64_t bytes, unsigned events)
{
    memory_watch(&scene->memory, 2 * (uint64_t)LARGE);
    memory_watch(&scene->memory, bytes);
    assert_true(scene->memory.waiting);
    for (unsigned i = 0; i < events; i++) {
        memory_watch(&scene->memory, bytes);
    }
    event_active(&scene->memory.timer, EV_TIMEOUT, 1);
    assert_true(event_base_loop(scene->base, EVLOOP_NONBLOCK) >= 0);
}

static void nothing_is_given_back_while_much_is_stored_and_asked_for(void **state)
{
    struct scene *scene = *state;
    shrink(scene, LARGE, MEMORY_QUIET + 1);
    assert_true(scene->memory.waiting);
    assert_int_equal(scene->memory.peak, 2 * (uint64_t)LARGE);
    assert_int_equal(scene->memory.events, 0); /* the next delay counts anew */
}

static void it_is_given_back_when_nobody_asks_for_anything(void **state)
{
    struct scene *scene = *state;
    shrink(scene, LARGE, MEMORY_QUIET);
    assert_false(scene->memory.waiting);
    assert_int_equal(scene->memory.peak, LARGE);
}

static void it_is_given_back_when_little_is_stored_whoever_asks(void **state)
{
    struct scene *scene = *state;
    shrink(scene, MEMORY_SHORT, 1000);
    assert_false(scene->memory.waiting);
    assert_int_equal(scene->memory.peak, MEMORY_SHORT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nothing_is_given_back_while_much_is_stored_and_asked_for),
        TEST(it_is_given_back_when_nobody_asks_for_anything),
        TEST(it_is_given_back_when_little_is_stored_whoever_asks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
