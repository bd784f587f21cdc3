/* object: what is found broken is sealed, told and left alone; without anybody to tell it aborts.
 */
#include "tests/unit/objects/world.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/objects/queue.h"
#include "daemon/objects/registry.h"

struct told {
    int count;
    const char *what;
};

static void tell(void *data, const struct object *object, const char *what)
{
    struct told *told = data;
    assert_string_equal(object->name, "object");
    told->count++;
    told->what = what;
}

/* A queue with an item of 5,000 bytes in a registry that tells. */
static struct queue *make(struct world *world, struct registry *registry, struct told *told)
{
    struct queue *queue;
    static uint8_t bytes[5000] = {0xc5, 4997 >> 8, 4997 & 0xff};
    *told = (struct told){0};
    world_init(world);
    registry_init(registry, 1);
    registry->listener = (struct fault_listener){tell, told};
    assert_int_equal(queue_new(&world->options, &(struct queue_options){0}, &queue), 0);
    assert_int_equal(registry_add(registry, &queue->object), 0);
    object_unref(&queue->object); /* the registry's stays */
    assert_int_equal(
        queue_put(queue, incoming_plain((struct slice){bytes, sizeof(bytes)}), NULL, 1), 0);
    return queue;
}

static void more_released_than_charged_seals_the_object(void **state)
{
    struct world world;
    struct registry registry;
    struct told told;
    struct queue *queue = make(&world, &registry, &told);
    object_release(&queue->object, queue->object.bytes - 1);
    assert_false(object_is_sealed(&queue->object));
    queue_drop_head(queue);
    assert_true(object_is_sealed(&queue->object));
    assert_int_equal(told.count, 1);
    assert_string_equal(told.what, "more is released than was charged");
    assert_int_equal(registry.faults, 1);
    assert_int_equal(queue->object.bytes, 0);
    object_release(&queue->object, UINT64_MAX);
    assert_int_equal(told.count, 1); /* once for each object */
    assert_int_equal(object_due(&queue->object), TIME_NEVER);
    registry_remove(&registry, &queue->object);
    registry_deinit(&registry);
    world_deinit(&world); /* nothing stays charged */
}

static void what_stays_charged_at_the_end_is_told_and_given_back(void **state)
{
    struct world world;
    struct registry registry;
    struct told told;
    struct queue *queue = make(&world, &registry, &told);
    object_charge_always(&queue->object, 10);
    registry_remove(&registry, &queue->object);
    assert_int_equal(told.count, 1);
    assert_string_equal(told.what, "its contents are gone and still charged");
    registry_deinit(&registry);
    world_deinit(&world);
}

static void a_queue_whose_counts_are_wrong_seals_itself(void **state)
{
    struct world world;
    struct registry registry;
    struct told told;
    struct delivery head;
    struct queue *queue = make(&world, &registry, &told);
    queue->ready++;
    assert_int_equal(queue_head(queue, &head), 0);
    queue_drop_head(queue);
    assert_int_equal(queue_head(queue, &head), ERR_INTERNAL);
    assert_true(object_is_sealed(&queue->object));
    registry_remove(&registry, &queue->object);
    registry_deinit(&registry);
    world_deinit(&world);

    queue = make(&world, &registry, &told);
    queue->ready++;
    (void)queue_clear(queue, NULL);
    assert_int_equal(told.count, 1);
    registry_remove(&registry, &queue->object);
    registry_deinit(&registry);
    world_deinit(&world);
}

static void without_a_listener_a_fault_aborts(void **state)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct world world;
        struct registry registry;
        struct told told;
        const struct rlimit none = {0};
        struct queue *queue = make(&world, &registry, &told);
        (void)setrlimit(RLIMIT_CORE, &none);
        (void)signal(SIGABRT, SIG_DFL);
        registry.listener.tell = NULL;
        object_release(&queue->object, UINT64_MAX);
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(more_released_than_charged_seals_the_object),
        cmocka_unit_test(what_stays_charged_at_the_end_is_told_and_given_back),
        cmocka_unit_test(a_queue_whose_counts_are_wrong_seals_itself),
        cmocka_unit_test(without_a_listener_a_fault_aborts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
