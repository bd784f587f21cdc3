/*
 * thirteen_types: the types that a manager of Python's multiprocessing has: list, dict, Namespace,
 * Lock, RLock, Semaphore, BoundedSemaphore, Condition, Event, Barrier, Queue, Value and Array. One
 * process makes an object of each, another uses it, and the first sees what has been done.
 *
 * The objects have no names of their own to agree on: a dict has a reference to each, which keeps
 * it, and whoever has the dict finds all others in it.
 */
#include "example.h"

#include <math.h>
#include <string.h>

/* The same objects are met three times. */
enum part { MAKE, USE, SEE };

struct scene {
    struct ipcc *conn;
    struct ipcc_dict *directory;
    enum part part;
    char name[IPCC_NAME_SIZE]; /* of the object found last */
};

/* The name under which the directory has an object; NULL if it is only now made. */
static const char *find(struct scene *scene, const char *type)
{
    if (scene->part == MAKE) {
        return NULL;
    }
    struct ipcc_reply reply;
    MUST(ipcc_dict_get(scene->directory, ipcc_str(type), ipcc_none(), &reply));
    MUST(ipcc_value_reference(&reply.value, scene->name, sizeof(scene->name)));
    ipcc_reply_free(&reply);
    return scene->name;
}

static void enlist(struct scene *scene, const char *type, const char *name)
{
    if (scene->part == MAKE) {
        MUST(ipcc_dict_set(scene->directory, ipcc_str(type), ipcc_reference(name), NULL));
    }
}

static void use_list(struct scene *scene)
{
    struct ipcc_list *list;
    MUST(ipcc_list_open(scene->conn, find(scene, "list"), NULL, &list));
    enlist(scene, "list", ipcc_list_name(list));
    if (scene->part == USE) {
        MUST(ipcc_list_append(list, ipcc_str("hello"), NULL));
    } else if (scene->part == SEE) {
        bool there = false;
        MUST(ipcc_list_contains(list, ipcc_str("hello"), &there));
        CLAIM(there);
    }
    MUST(ipcc_list_close(list));
}

static void use_dict(struct scene *scene)
{
    struct ipcc_dict *dict;
    MUST(ipcc_dict_open(scene->conn, find(scene, "dict"), NULL, &dict));
    enlist(scene, "dict", ipcc_dict_name(dict));
    if (scene->part == USE) {
        MUST(ipcc_dict_set(dict, ipcc_int(1), ipcc_str("one"), NULL));
    } else if (scene->part == SEE) {
        struct ipcc_reply reply;
        MUST(ipcc_dict_get(dict, ipcc_int(1), ipcc_none(), &reply));
        CLAIM(ipcc_value_is_str(&reply.value, "one"));
        ipcc_reply_free(&reply);
    }
    MUST(ipcc_dict_close(dict));
}

static void use_namespace(struct scene *scene)
{
    struct ipcc_namespace *names;
    MUST(ipcc_namespace_open(scene->conn, find(scene, "Namespace"), NULL, &names));
    enlist(scene, "Namespace", ipcc_namespace_name(names));
    if (scene->part == USE) {
        MUST(ipcc_namespace_set(names, "job", ipcc_str("Builder"), NULL));
    } else if (scene->part == SEE) {
        struct ipcc_reply reply;
        MUST(ipcc_namespace_get(names, "job", ipcc_none(), &reply));
        CLAIM(ipcc_value_is_str(&reply.value, "Builder"));
        ipcc_reply_free(&reply);
    }
    MUST(ipcc_namespace_close(names));
}

/* The other process ends while it holds the lock, and the next is told. */
static void use_lock(struct scene *scene)
{
    struct ipcc_lock *lock;
    struct ipcc_acquired acquired;
    MUST(ipcc_lock_open(scene->conn, find(scene, "Lock"), NULL, &lock));
    enlist(scene, "Lock", ipcc_lock_name(lock));
    if (scene->part != MAKE) {
        MUST(ipcc_lock_acquire(lock, IPCC_FOREVER, &acquired));
        CLAIM(acquired.depth == 1 && acquired.abandoned == (scene->part == SEE));
    }
    if (scene->part == SEE) {
        MUST(ipcc_lock_release(lock, NULL));
    }
    MUST(ipcc_lock_close(lock));
}

static void use_rlock(struct scene *scene)
{
    struct ipcc_lock_options options = {.recursive = true};
    struct ipcc_lock *lock;
    struct ipcc_acquired acquired = {0};
    uint64_t depth = 0;
    MUST(ipcc_lock_open(scene->conn, find(scene, "RLock"), &options, &lock));
    enlist(scene, "RLock", ipcc_lock_name(lock));
    if (scene->part != MAKE) {
        MUST(ipcc_lock_acquire(lock, IPCC_FOREVER, NULL));
        MUST(ipcc_lock_acquire(lock, IPCC_FOREVER, &acquired));
        CLAIM(acquired.depth == 2);
        MUST(ipcc_lock_release(lock, &depth));
        CLAIM(depth == 1);
        MUST(ipcc_lock_release(lock, NULL));
    }
    MUST(ipcc_lock_close(lock));
}

static void use_semaphore(struct scene *scene)
{
    struct ipcc_semaphore_options options = {.value = 3};
    struct ipcc_semaphore *semaphore;
    MUST(ipcc_semaphore_open(scene->conn, find(scene, "Semaphore"), &options, &semaphore));
    enlist(scene, "Semaphore", ipcc_semaphore_name(semaphore));
    if (scene->part == USE) {
        MUST(ipcc_semaphore_acquire(semaphore, 2, IPCC_FOREVER, NULL));
    } else if (scene->part == SEE) {
        uint64_t value = 0;
        MUST(ipcc_semaphore_value(semaphore, &value));
        CLAIM(value == 1); /* permits that are not bounded stay taken */
    }
    MUST(ipcc_semaphore_close(semaphore));
}

static void use_bounded_semaphore(struct scene *scene)
{
    struct ipcc_semaphore_options options = {.value = 1, .bounded = true};
    struct ipcc_semaphore *semaphore;
    MUST(ipcc_semaphore_open(scene->conn, find(scene, "BoundedSemaphore"), &options, &semaphore));
    enlist(scene, "BoundedSemaphore", ipcc_semaphore_name(semaphore));
    if (scene->part != MAKE) {
        MUST(ipcc_semaphore_acquire(semaphore, 1, IPCC_FOREVER, NULL));
        MUST(ipcc_semaphore_release(semaphore, 1, NULL));
        CLAIM(ipcc_semaphore_release(semaphore, 1, NULL) == IPCC_ERR_VALUE);
    }
    MUST(ipcc_semaphore_close(semaphore));
}

static void use_condition(struct scene *scene)
{
    struct ipcc_condition *condition;
    bool notified = false;
    uint64_t woken = 0;
    MUST(ipcc_condition_open(scene->conn, find(scene, "Condition"), NULL, &condition));
    enlist(scene, "Condition", ipcc_condition_name(condition));
    if (scene->part == USE) {
        MUST(ipcc_condition_acquire(condition, IPCC_FOREVER, NULL));
        MUST(ipcc_condition_wait(condition, IPCC_FOREVER, &notified));
        CLAIM(notified);
        MUST(ipcc_condition_release(condition, NULL));
    } else if (scene->part == SEE) {
        await_waiting(scene->conn, ipcc_condition_name(condition), 1);
        MUST(ipcc_condition_acquire(condition, IPCC_FOREVER, NULL));
        MUST(ipcc_condition_notify(condition, 1, &woken));
        CLAIM(woken == 1);
        MUST(ipcc_condition_release(condition, NULL));
    }
    MUST(ipcc_condition_close(condition));
}

static void use_event(struct scene *scene)
{
    struct ipcc_event *event;
    MUST(ipcc_event_open(scene->conn, find(scene, "Event"), NULL, &event));
    enlist(scene, "Event", ipcc_event_name(event));
    if (scene->part == USE) {
        MUST(ipcc_event_set(event));
    } else if (scene->part == SEE) {
        bool set = false;
        MUST(ipcc_event_wait(event, IPCC_FOREVER, &set));
        CLAIM(set);
    }
    MUST(ipcc_event_close(event));
}

static void use_barrier(struct scene *scene)
{
    struct ipcc_barrier_options options = {.parties = 2};
    struct ipcc_barrier *barrier;
    uint64_t index = 2;
    MUST(ipcc_barrier_open(scene->conn, find(scene, "Barrier"), &options, &barrier));
    enlist(scene, "Barrier", ipcc_barrier_name(barrier));
    if (scene->part != MAKE) {
        MUST(ipcc_barrier_wait(barrier, IPCC_FOREVER, &index));
        CLAIM(index < 2);
    }
    MUST(ipcc_barrier_close(barrier));
}

static void use_queue(struct scene *scene)
{
    struct ipcc_queue *queue;
    MUST(ipcc_queue_open(scene->conn, find(scene, "Queue"), NULL, &queue));
    enlist(scene, "Queue", ipcc_queue_name(queue));
    if (scene->part == USE) {
        MUST(ipcc_queue_put(queue, ipcc_int(42), IPCC_FOREVER, NULL));
    } else if (scene->part == SEE) {
        struct ipcc_item item;
        struct ipcc_reply reply;
        MUST(ipcc_queue_get(queue, IPCC_FOREVER, &item, &reply));
        CLAIM(item.value.as.integer == 42);
        ipcc_reply_free(&reply);
    }
    MUST(ipcc_queue_close(queue));
}

static void use_value(struct scene *scene)
{
    struct ipcc_shared_value_options options = {.typecode = 'd', .initial = ipcc_float(3.0)};
    struct ipcc_shared_value *value;
    double number = 0;
    const char *name = find(scene, "Value");
    MUST(ipcc_shared_value_open(scene->conn, name, scene->part == MAKE ? &options : NULL, &value));
    enlist(scene, "Value", ipcc_shared_value_name(value));
    if (scene->part == USE) {
        MUST(ipcc_shared_value_add_float(value, 0.1415927, NULL));
    } else if (scene->part == SEE) {
        MUST(ipcc_shared_value_get_float(value, &number));
        CLAIM(fabs(number - 3.1415927) < 1e-9);
    }
    MUST(ipcc_shared_value_close(value));
}

static void use_array(struct scene *scene)
{
    struct ipcc_shared_array_options options = {.typecode = 'i', .size = 10};
    struct ipcc_shared_array *array;
    MUST(ipcc_shared_array_open(scene->conn, find(scene, "Array"), &options, &array));
    enlist(scene, "Array", ipcc_shared_array_name(array));
    for (int64_t i = 0; i < 10; i++) {
        int64_t number = 0;
        if (scene->part == USE) {
            MUST(ipcc_shared_array_set_int(array, i, -i));
        } else if (scene->part == SEE) {
            MUST(ipcc_shared_array_get_int(array, i, &number));
            CLAIM(number == -i);
        }
    }
    MUST(ipcc_shared_array_close(array));
}

/* What one process does after the other. */
static void use_in_turn(struct scene *scene)
{
    use_list(scene);
    use_dict(scene);
    use_namespace(scene);
    use_lock(scene);
    use_rlock(scene);
    use_semaphore(scene);
    use_bounded_semaphore(scene);
    use_event(scene);
    use_queue(scene);
    use_value(scene);
    use_array(scene);
}

static void other_process(const struct names *names, int number)
{
    (void)number;
    struct scene scene = {.conn = connect_to_daemon(), .part = USE};
    MUST(ipcc_dict_open(scene.conn, names->first, NULL, &scene.directory));
    use_condition(&scene);
    use_in_turn(&scene);
    use_barrier(&scene);
    MUST(ipcc_dict_close(scene.directory));
    MUST(ipcc_close(scene.conn));
}

int main(void)
{
    struct scene scene = {.conn = connect_to_daemon(), .part = MAKE};
    uint64_t count = 0;
    MUST(ipcc_dict_open(scene.conn, NULL, NULL, &scene.directory));
    use_condition(&scene);
    use_in_turn(&scene);
    use_barrier(&scene);
    MUST(ipcc_dict_len(scene.directory, &count));
    CLAIM(count == 13);

    struct names names = {.first = ipcc_dict_name(scene.directory)};
    pid_t other = start_process(other_process, names, 0);
    scene.part = SEE;
    use_condition(&scene);
    use_barrier(&scene);
    await_process(other);
    use_in_turn(&scene);
    MUST(ipcc_dict_close(scene.directory));
    MUST(ipcc_close(scene.conn));
    printf("all %d types were shared by two processes\n", (int)count);
    return 0;
}
