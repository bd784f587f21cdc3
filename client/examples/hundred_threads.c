/*
 * hundred_threads: a hundred threads each hold a lock, read a number, sleep, and write back one
 * less. From 100 it comes to exactly 0, since no two of them are at it at the same time.
 *
 * First all on one connection, where it is the thread that holds the lock; then each on one of its
 * own.
 */
#include "example.h"

#include <poll.h>
#include <pthread.h>

enum { THREADS = 100, NAP_MS = 2 };

struct shared {
    struct ipcc_lock *lock;
    struct ipcc_namespace *numbers;
};

static int64_t read_n(struct ipcc_namespace *numbers)
{
    struct ipcc_reply reply;
    MUST(ipcc_namespace_get(numbers, "n", ipcc_none(), &reply));
    int64_t n = reply.value.as.integer;
    ipcc_reply_free(&reply);
    return n;
}

static void *count_down(void *data)
{
    const struct shared *shared = data;
    IPCC_CLEANUP(ipcc_guard_release) struct ipcc_guard guard = {0};
    MUST(ipcc_lock_guard(shared->lock, IPCC_FOREVER, &guard));
    int64_t n = read_n(shared->numbers);
    poll(NULL, 0, NAP_MS);
    MUST(ipcc_namespace_set(shared->numbers, "n", ipcc_int(n - 1), NULL));
    return NULL;
}

static struct shared open_shared(struct ipcc *conn, const char *lock, const char *numbers)
{
    struct shared shared;
    MUST(ipcc_lock_open(conn, lock, NULL, &shared.lock));
    MUST(ipcc_namespace_open(conn, numbers, NULL, &shared.numbers));
    return shared;
}

static void close_shared(struct shared *shared)
{
    MUST(ipcc_lock_close(shared->lock));
    MUST(ipcc_namespace_close(shared->numbers));
}

static void *count_down_alone(void *data)
{
    const struct shared *names = data;
    struct ipcc *conn = connect_to_daemon();
    struct shared own =
        open_shared(conn, ipcc_lock_name(names->lock), ipcc_namespace_name(names->numbers));
    count_down(&own);
    close_shared(&own);
    MUST(ipcc_close(conn));
    return NULL;
}

static void run_threads(void *(*body)(void *data), struct shared *shared, const char *how)
{
    pthread_t threads[THREADS];
    MUST(ipcc_namespace_set(shared->numbers, "n", ipcc_int(THREADS), NULL));
    for (int i = 0; i < THREADS; i++) {
        CLAIM(pthread_create(&threads[i], NULL, body, shared) == 0);
    }
    for (int i = 0; i < THREADS; i++) {
        CLAIM(pthread_join(threads[i], NULL) == 0);
    }
    int64_t n = read_n(shared->numbers);
    printf("%s: from %d to %d\n", how, THREADS, (int)n);
    CLAIM(n == 0);
}

int main(void)
{
    struct ipcc *conn = connect_to_daemon();
    struct shared shared = open_shared(conn, NULL, NULL);
    run_threads(count_down, &shared, "on one connection");
    run_threads(count_down_alone, &shared, "on a hundred");
    close_shared(&shared);
    MUST(ipcc_close(conn));
    return 0;
}
