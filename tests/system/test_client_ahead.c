/* Getting items that the daemon has reserved, through the client library: nobody else may notice.
 */
#include "tests/system/client_system.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WARM = 20 }; /* gets after which items are asked for ahead */

static struct ipcc_queue *open_queue(struct ipcc *conn, const char *name, bool joinable)
{
    struct ipcc_queue *queue = NULL;
    struct ipcc_queue_options options = {.joinable = joinable, .ahead = true};
    assert_ok(ipcc_queue_open(conn, name, &options, &queue));
    return queue;
}

static void put_range(struct ipcc_queue *queue, int first, int count)
{
    struct ipcc_value *numbers = calloc((size_t)count, sizeof(*numbers));
    uint64_t put;
    assert_non_null(numbers);
    for (int i = 0; i < count; i++) {
        numbers[i] = ipcc_int(first + i);
    }
    assert_ok(ipcc_queue_put_many(queue, ipcc_array(numbers, (size_t)count), 0, &put));
    assert_int_equal(put, count);
    free(numbers);
}

/* The next number; -1: there is none. */
static int64_t get(struct ipcc_queue *queue)
{
    struct ipcc_item item;
    struct ipcc_reply reply;
    int status = ipcc_queue_get(queue, 0, &item, &reply);
    int64_t number = status == 0 ? item.value.as.integer : -1;
    if (status != IPCC_ERR_EMPTY) {
        assert_ok(status);
    }
    ipcc_reply_free(&reply);
    return number;
}

/* Gets so often that the next gets are ahead. */
static void warm_up(struct ipcc_queue *queue)
{
    for (int i = 0; i < WARM; i++) {
        put_range(queue, i, 1);
        assert_int_equal(get(queue), i);
    }
}

static int64_t calls_of_get(struct ipcc *conn)
{
    struct ipcc_reply reply;
    struct ipcc_value calls;
    struct ipcc_value number;
    assert_ok(ipcc_call(conn, "server.stats", NULL, 0, &reply));
    assert_ok(ipcc_map_get(&reply.value, "calls", &calls));
    assert_ok(ipcc_map_get(&calls, "queue.get", &number));
    int64_t count = number.as.integer;
    ipcc_reply_free(&reply);
    return count;
}

static void ahead_gets_all_in_order_with_few_calls(void **state)
{
    only_in_memory("nothing is reserved in an engine");
    struct ipcc *conn = client_open(*state);
    struct ipcc_queue *queue = open_queue(conn, "q", false);
    uint64_t size;
    warm_up(queue);
    put_range(queue, 0, 2000);
    int64_t before = calls_of_get(conn);
    for (int i = 0; i < 2000; i++) {
        assert_int_equal(get(queue), i);
        if (i % 100 == 0) {
            assert_ok(ipcc_queue_qsize(queue, &size));
            assert_int_equal(size, 1999 - i);
        }
    }
    assert_int_equal(get(queue), -1);
    assert_true(calls_of_get(conn) - before < 100);
    assert_ok(ipcc_queue_close(queue));
    assert_ok(ipcc_close(conn));
}

static void ahead_gives_nothing_that_others_have_got(void **state)
{
    struct ipcc *conn = client_open(*state);
    struct ipcc *other = client_open(*state);
    struct ipcc_queue *mine = open_queue(conn, "q", false);
    struct ipcc_queue *theirs = open_queue(other, "q", false);
    warm_up(mine);
    put_range(mine, 0, 500);
    for (int i = 0; i < 500; i++) {
        bool is_theirs = i % 7 == 3 || i % 50 > 40;
        assert_int_equal(get(is_theirs ? theirs : mine), i);
    }
    assert_int_equal(get(mine), -1);
    assert_ok(ipcc_queue_close(theirs));
    assert_ok(ipcc_queue_close(mine));
    assert_ok(ipcc_close(other));
    assert_ok(ipcc_close(conn));
}

/* A child gets so many, says of `done` that they are done, and is killed. */
static void get_and_die(const struct daemon *daemon, bool joinable, int count, int done)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct ipcc *conn = client_open(daemon);
        struct ipcc_queue *queue = open_queue(conn, "q", joinable);
        struct ipcc_queue *other = open_queue(conn, "other", false);
        for (int i = 0; i < WARM; i++) {
            (void)ipcc_queue_put(queue, ipcc_int(i), 0, NULL);
        }
        for (int i = 0; i < WARM; i++) {
            (void)get(queue);
            (void)ipcc_queue_task_done(queue, IPCC_NO_TICKET, NULL);
        }
        put_range(queue, 0, 60);
        for (int i = 0; i < count; i++) {
            if (get(queue) != i) {
                _exit(1);
            }
        }
        for (int i = 0; i < done; i++) {
            (void)ipcc_queue_task_done(queue, IPCC_NO_TICKET, NULL);
        }
        (void)ipcc_queue_close(other);
        (void)raise(SIGKILL);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

/* What is left for others after that: from the number `first` on, in order. */
static void check_left(const struct daemon *daemon, bool joinable, int first)
{
    struct ipcc *conn = client_open(daemon);
    struct ipcc_queue *queue = open_queue(conn, "q", joinable);
    struct ipcc_item item;
    struct ipcc_reply reply;
    for (int i = first; i < 60; i++) {
        assert_ok(ipcc_queue_get(queue, RPC_LIMIT_MS, &item, &reply));
        assert_int_equal(item.value.as.integer, i);
        ipcc_reply_free(&reply);
    }
    assert_int_equal(get(queue), -1);
    assert_ok(ipcc_object_delete(conn, "q"));
    assert_ok(ipcc_queue_close(queue));
    assert_ok(ipcc_close(conn));
}

static void ahead_of_a_killed_process_nothing_is_lost(void **state)
{
    for (int count = 0; count < 40; count += 3) {
        get_and_die(*state, false, count, 0);
        /* The daemon may not have seen its end yet, which makes no difference. */
        check_left(*state, false, count);
    }
}

/* Waits until nothing of the queue is taken any more. */
static void await_end(const struct daemon *daemon)
{
    struct ipcc *conn = client_open(daemon);
    struct ipcc_queue *queue = open_queue(conn, "q", true);
    struct ipcc_reply reply;
    size_t taken = 1;
    while (taken > 0) {
        struct ipcc_value one;
        assert_ok(ipcc_queue_taken(queue, 0, 1, &reply));
        struct ipcc_walk walk = ipcc_walk_of(&reply.value);
        taken = ipcc_walk_next(&walk, &one) ? 1 : 0;
        ipcc_reply_free(&reply);
    }
    assert_ok(ipcc_queue_close(queue));
    assert_ok(ipcc_close(conn));
}

static void ahead_of_a_killed_process_what_is_not_done_goes_back(void **state)
{
    for (int count = 0; count < 40; count += 3) {
        get_and_die(*state, true, count, count / 2);
        await_end(*state);
        check_left(*state, true, count / 2);
    }
}

static void ahead_is_not_for_a_child_of_a_fork(void **state)
{
    struct ipcc *conn = client_open(*state);
    struct ipcc_queue *queue = open_queue(conn, "q", false);
    struct ipcc_item item;
    struct ipcc_reply reply;
    warm_up(queue);
    put_range(queue, 0, 100);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(get(queue), i);
    }
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        int status = ipcc_queue_get(queue, 0, &item, &reply);
        (void)ipcc_queue_close(queue);
        (void)ipcc_close(conn);
        _exit(status == IPCC_ERR_FORKED ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    for (int i = 10; i < 100; i++) {
        assert_int_equal(get(queue), i);
    }
    assert_ok(ipcc_queue_close(queue));
    assert_ok(ipcc_close(conn));
}

enum { THREADS = 4, EACH = 3000 };

struct shared {
    struct ipcc_queue *queue;
    atomic_int seen[THREADS * EACH];
};

static void *get_many(void *data)
{
    struct shared *shared = data;
    int64_t last = -1;
    for (int i = 0; i < EACH; i++) {
        struct ipcc_item item;
        struct ipcc_reply reply;
        if (ipcc_queue_get(shared->queue, IPCC_FOREVER, &item, &reply) < 0 ||
            item.value.as.integer <= last) {
            return data;
        }
        last = item.value.as.integer;
        atomic_fetch_add(&shared->seen[last], 1);
        ipcc_reply_free(&reply);
    }
    return NULL;
}

static void ahead_is_shared_by_threads(void **state)
{
    struct ipcc *conn = client_open(*state);
    struct shared *shared = calloc(1, sizeof(*shared));
    pthread_t threads[THREADS];
    assert_non_null(shared);
    shared->queue = open_queue(conn, "q", false);
    warm_up(shared->queue);
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, get_many, shared), 0);
    }
    for (int i = 0; i < THREADS * EACH; i += 100) {
        put_range(shared->queue, i, 100);
    }
    for (int i = 0; i < THREADS; i++) {
        void *failed;
        assert_int_equal(pthread_join(threads[i], &failed), 0);
        assert_null(failed);
    }
    for (int i = 0; i < THREADS * EACH; i++) {
        assert_int_equal(shared->seen[i], 1);
    }
    assert_ok(ipcc_queue_close(shared->queue));
    assert_ok(ipcc_close(conn));
    free(shared);
}

static void ahead_ends_with_the_connection(void **state)
{
    struct daemon *daemon = *state;
    struct ipcc *conn = client_open(daemon);
    struct ipcc_queue *queue = open_queue(conn, "q", false);
    struct ipcc_item item;
    struct ipcc_reply reply;
    warm_up(queue);
    put_range(queue, 0, 100);
    assert_int_equal(get(queue), 0);
    assert_ok(ipcc_disconnect(conn));
    assert_fails(ipcc_queue_get(queue, 0, &item, &reply), LOST, "");
    assert_ok(ipcc_queue_close(queue));
    assert_ok(ipcc_close(conn));
    conn = client_open(daemon);
    queue = open_queue(conn, "q", false);
    for (int i = 1; i < 100; i++) {
        assert_int_equal(get(queue), i);
    }
    assert_ok(ipcc_queue_close(queue));
    assert_ok(ipcc_close(conn));
}

/* The daemon is replaced by another one while items are reserved. */
static void ahead_goes_on_with_the_next_daemon(void **state)
{
    only_in_memory("a daemon with an engine hands nothing over");
    struct ipcc *conn = client_open(*state);
    struct ipcc_queue *queue = open_queue(conn, "q", false);
    struct ipcc_reply reply;
    warm_up(queue);
    put_range(queue, 0, 2000);
    for (int i = 0; i < 2000; i++) {
        assert_int_equal(get(queue), i);
        if (i % 500 == 250) {
            assert_ok(ipcc_call(conn, "server.upgrade", NULL, 0, &reply));
            ipcc_reply_free(&reply);
        }
    }
    assert_int_equal(get(queue), -1);
    assert_true(calls_of_get(conn) < 200);
    assert_ok(ipcc_queue_close(queue));
    assert_ok(ipcc_close(conn));
}

/* A client that fills its page with whatever, while it gets and others do too. */
static void ahead_of_a_hostile_page_others_notice_nothing(void **state)
{
    struct ipcc *conn = client_open(*state);
    struct ipcc *other = client_open(*state);
    struct ipcc_queue *queue = open_queue(conn, "q", false);
    struct ipcc_queue *theirs = open_queue(other, "r", false);
    struct ipcc_reply reply;
    struct ipcc_value descriptor;
    assert_ok(ipcc_call(conn, "session.page", NULL, 0, &reply));
    struct ipcc_walk walk = ipcc_walk_of(&reply.value);
    assert_true(ipcc_walk_next(&walk, &descriptor));
    int fd = ipcc_reply_fd(&reply, &descriptor);
    assert_true(ftruncate(fd, 0) < 0 && ftruncate(fd, 1 << 20) < 0);
    uint64_t *slots = mmap(NULL, 512, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    assert_ptr_not_equal(slots, MAP_FAILED);
    ipcc_reply_free(&reply);
    put_range(theirs, 0, 200);
    struct ipcc_value pair[] = {ipcc_str("ahead"), ipcc_int(100)};
    struct ipcc_value params[] = {ipcc_str("q"), ipcc_int(0), ipcc_map(pair, 1)};
    uint64_t state_of = 1;
    for (int i = 0; i < 200; i++) {
        put_range(queue, 0, 5);
        (void)ipcc_call(conn, "queue.get", params, 3, &reply);
        ipcc_reply_free(&reply);
        for (int k = 0; k < 64; k++) {
            state_of = state_of * 6364136223846793005U + 1442695040888963407U;
            slots[k] = state_of >> (state_of >> 58);
        }
        assert_int_equal(get(theirs), i);
    }
    (void)munmap(slots, 512);
    assert_ok(ipcc_queue_close(theirs));
    assert_ok(ipcc_queue_close(queue));
    assert_ok(ipcc_close(other));
    assert_ok(ipcc_close(conn));
}

static int set_up(void **state)
{
    *state = daemon_start(&(struct daemon_options){0});
    return 0;
}

static int tear_down(void **state)
{
    daemon_stop(*state);
    return 0;
}

#define AHEAD(test) cmocka_unit_test_setup_teardown(ahead_##test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        AHEAD(gets_all_in_order_with_few_calls),
        AHEAD(gives_nothing_that_others_have_got),
        AHEAD(of_a_killed_process_nothing_is_lost),
        AHEAD(of_a_killed_process_what_is_not_done_goes_back),
        AHEAD(is_not_for_a_child_of_a_fork),
        AHEAD(is_shared_by_threads),
        AHEAD(ends_with_the_connection),
        AHEAD(goes_on_with_the_next_daemon),
        AHEAD(of_a_hostile_page_others_notice_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
