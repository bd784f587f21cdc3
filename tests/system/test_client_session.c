/* The client library's connections against a real daemon: sessions, objects, threads, loss. */
#include "tests/system/client_system.h"

#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

static void objects_are_listed_described_and_deleted(void **state)
{
    struct ipcc *conn = client_open(*state);
    struct ipcc_queue *queue = NULL;
    struct ipcc_dict *dict = NULL;
    struct ipcc_reply reply;
    struct ipcc_value objects;
    struct ipcc_value value;
    assert_ok(ipcc_queue_open(conn, "jobs.a", NULL, &queue));
    assert_ok(ipcc_dict_open(conn, "jobs.b", NULL, &dict));
    struct ipcc_object_filter filter = {.glob = "jobs.*", .type = "dict"};
    assert_ok(ipcc_object_list(conn, &filter, &reply));
    assert_ok(ipcc_map_get(&reply.value, "objects", &objects));
    struct ipcc_walk walk = ipcc_walk_of(&objects);
    assert_true(ipcc_walk_next(&walk, &value));
    assert_ok(ipcc_map_get(&value, "name", &value));
    assert_true(ipcc_value_is_str(&value, "jobs.b"));
    assert_false(ipcc_walk_next(&walk, &value));
    ipcc_reply_free(&reply);
    assert_ok(ipcc_object_chmod(conn, "jobs.a", 0640));
    assert_ok(ipcc_object_describe(conn, "jobs.a", &reply));
    assert_ok(ipcc_map_get(&reply.value, "mode", &value));
    assert_int_equal(value.as.integer, 0640);
    ipcc_reply_free(&reply);
    assert_ok(ipcc_object_delete(conn, "jobs.a"));
    assert_fails(ipcc_queue_qsize(queue, NULL), NOT_FOUND, "jobs.a");
    assert_ok(ipcc_queue_close(queue));
    assert_ok(ipcc_dict_close(dict));
    assert_ok(ipcc_close(conn));
}

static void filter_s_cursor_goes_on_where_the_last_answer_ended(void **state)
{
    struct ipcc *conn = client_open(*state);
    struct ipcc_object_filter filter = {.limit = 3};
    unsigned steps = 0;
    unsigned count = 0;
    for (int i = 0; i < 10; i++) {
        struct ipcc_list *list;
        char name[16];
        (void)snprintf(name, sizeof(name), "l%d", i);
        assert_ok(ipcc_list_open(conn, name, NULL, &list));
        assert_ok(ipcc_list_close(list));
    }
    do {
        struct ipcc_reply reply;
        struct ipcc_value objects;
        struct ipcc_value cursor;
        assert_ok(ipcc_object_list(conn, &filter, &reply));
        assert_ok(ipcc_map_get(&reply.value, "objects", &objects));
        assert_ok(ipcc_map_get(&reply.value, "cursor", &cursor));
        struct ipcc_walk walk = ipcc_walk_of(&objects);
        while (ipcc_walk_next(&walk, NULL)) {
            count++;
        }
        filter.cursor = (uint64_t)cursor.as.integer;
        ipcc_reply_free(&reply);
        steps++;
    } while (filter.cursor != 0);
    assert_int_equal(count, 10);
    assert_true(steps >= 4);
    assert_ok(ipcc_close(conn));
}

static void sessions_are_listed_described_and_killed(void **state)
{
    struct ipcc *conn = client_open(*state);
    struct ipcc *victim = client_open(*state);
    struct ipcc_reply reply;
    struct ipcc_value value;
    uint64_t own = 0;
    uint64_t other = 0;
    assert_ok(ipcc_session(conn, &own));
    assert_ok(ipcc_session(victim, &other));
    assert_true(own != other);
    assert_ok(ipcc_session_describe(conn, 0, &reply));
    assert_ok(ipcc_map_get(&reply.value, "session", &value));
    assert_int_equal(session_number(&value), own);
    assert_ok(ipcc_map_get(&reply.value, "client", &value));
    ipcc_reply_free(&reply);
    assert_ok(ipcc_session_list(conn, &reply));
    struct ipcc_walk walk = ipcc_walk_of(&reply.value);
    assert_true(ipcc_walk_next(&walk, &value) && ipcc_walk_next(&walk, &value));
    assert_false(ipcc_walk_next(&walk, &value));
    ipcc_reply_free(&reply);
    assert_ok(ipcc_session_kill(conn, other));
    assert_true(ipcc_server_ping(victim, ipcc_nil(), NULL) < 0);
    assert_fails(ipcc_server_ping(victim, ipcc_nil(), NULL), LOST, "lost");
    assert_fails(ipcc_session_kill(conn, other), NOT_FOUND, "");
    assert_ok(ipcc_close(victim));
    assert_ok(ipcc_close(conn));
}

/* ---- interrupted ----------------------------------------------------------------------------- */

enum { GETTERS = 4, ITEMS = 300, LAST = -1 };

struct getter {
    pthread_t thread;
    struct ipcc_queue *queue;
    int64_t sum;
    unsigned count;
    atomic_uint *interrupted; /* how often anybody was */
    int status;               /* not 0: what it failed for */
};

static void *get_all(void *data)
{
    struct getter *getter = data;
    struct ipcc_item item = {.value = ipcc_none()};
    struct ipcc_reply reply;
    while (item.value.kind != IPCC_INT || item.value.as.integer != LAST) {
        int status = ipcc_queue_get(getter->queue, IPCC_FOREVER, &item, &reply);
        if (status == IPCC_ERR_INTERRUPTED) {
            atomic_fetch_add(getter->interrupted, 1);
            (void)sched_yield(); /* to whoever resumes */
        } else if (status < 0) {
            getter->status = status;
            break;
        } else if (item.value.as.integer != LAST) {
            getter->count++;
            getter->sum += item.value.as.integer;
        }
        ipcc_reply_free(&reply);
    }
    return NULL;
}

static void interrupted_getters_lose_no_item(void **state)
{
    const struct daemon *daemon = *state;
    struct getter getters[GETTERS];
    atomic_uint interrupted = 0;
    struct ipcc *putter = client_open(daemon);
    struct ipcc *conn = NULL;
    struct ipcc_queue *in = NULL;
    struct ipcc_queue *out = NULL;
    assert_ok(
        ipcc_open(&conn, &(struct ipcc_options){.path = daemon->socket, .interruptible = true}));
    assert_ok(ipcc_queue_open(putter, "interrupted", NULL, &in));
    assert_ok(ipcc_queue_open(conn, "interrupted", NULL, &out));
    for (int i = 0; i < GETTERS; i++) {
        getters[i] = (struct getter){.queue = out, .interrupted = &interrupted};
        assert_int_equal(pthread_create(&getters[i].thread, NULL, get_all, &getters[i]), 0);
    }
    for (int i = 1; i <= ITEMS; i++) {
        assert_ok(ipcc_queue_put(in, ipcc_int(i), IPCC_FOREVER, NULL));
        if (i % 3 == 0) {
            unsigned before = atomic_load(&interrupted);
            assert_int_equal(ipcc_interrupt(conn), 0);
            while (atomic_load(&interrupted) == before) {
                (void)sched_yield();
            }
            assert_ok(ipcc_resume(conn));
        }
    }
    for (int i = 0; i < GETTERS; i++) {
        assert_ok(ipcc_queue_put(in, ipcc_int(LAST), IPCC_FOREVER, NULL));
    }
    int64_t sum = 0;
    unsigned count = 0;
    for (int i = 0; i < GETTERS; i++) {
        assert_int_equal(pthread_join(getters[i].thread, NULL), 0);
        assert_int_equal(getters[i].status, 0);
        sum += getters[i].sum;
        count += getters[i].count;
    }
    assert_int_equal(count, ITEMS);
    assert_int_equal(sum, (int64_t)ITEMS * (ITEMS + 1) / 2);
    assert_ok(ipcc_queue_close(in));
    assert_ok(ipcc_queue_close(out));
    assert_ok(ipcc_close(putter));
    assert_ok(ipcc_close(conn));
}

/* ---- the daemon ------------------------------------------------------------------------------ */

static void server_answers_and_unknown_methods_are_refused(void **state)
{
    struct ipcc *conn = client_open(*state);
    struct ipcc_reply reply;
    struct ipcc_value value;
    assert_prints("[1, \"x\"]", ipcc_server_ping(conn, ipcc_raw("\x92\x01\xa1x", 4), &reply));
    assert_ok(ipcc_server_methods(conn, &reply));
    struct ipcc_walk walk = ipcc_walk_of(&reply.value);
    unsigned count = 0;
    while (ipcc_walk_next(&walk, &value)) {
        count++;
    }
    assert_true(count > 50);
    ipcc_reply_free(&reply);
    assert_ok(ipcc_server_stats(conn, &reply));
    assert_ok(ipcc_map_get(&reply.value, "sessions", &value));
    ipcc_reply_free(&reply);
    assert_ok(ipcc_greeting(conn, &reply));
    assert_ok(ipcc_map_get(&reply.value, "server", &value));
    assert_true(ipcc_value_is_str(&value, "ipcd"));
    ipcc_reply_free(&reply);
    assert_fails(ipcc_call(conn, "no.such", NULL, 0, NULL), UNKNOWN_METHOD, "no.such");
    struct ipcc_value five = ipcc_int(5);
    assert_fails(ipcc_call(conn, "queue.get", &five, 1, NULL), BAD_REQUEST, "queue");
    assert_ok(ipcc_close(conn));
}

static void values_of_every_kind_come_back_as_they_went(void **state)
{
    struct ipcc *conn = client_open(*state);
    struct ipcc_reply reply;
    struct ipcc_value values[] = {
        ipcc_nil(),       ipcc_bool(true),    ipcc_int(INT64_MIN),   ipcc_uint(UINT64_MAX),
        ipcc_float(-0.0), ipcc_str("ümläut"), ipcc_bin("\0\xff", 2), ipcc_raw("\xd4\x05x", 3),
    };
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        assert_ok(ipcc_server_ping(conn, values[i], &reply));
        assert_int_equal(reply.value.kind, values[i].kind);
        assert_int_equal(reply.value.length, values[i].length);
        if (values[i].length > 0) {
            assert_memory_equal(reply.value.as.data, values[i].as.data, values[i].length);
        } else if (values[i].kind != IPCC_NIL && values[i].kind != IPCC_BOOL) {
            assert_true(reply.value.as.unsigned_integer == values[i].as.unsigned_integer);
        }
        ipcc_reply_free(&reply);
    }
    assert_ok(ipcc_close(conn));
}

static void request_over_the_limit_of_the_daemon_is_refused_here(void **state)
{
    struct ipcc *conn = client_open(*state);
    size_t size = 16 * 1048576;
    char *bytes = calloc(1, size);
    struct ipcc_reply reply;
    assert_fails(ipcc_server_ping(conn, ipcc_bin(bytes, size), NULL), TOO_LARGE, "16777216");
    assert_ok(ipcc_server_ping(conn, ipcc_bin(bytes, size - 100), &reply));
    assert_int_equal(reply.value.length, size - 100);
    ipcc_reply_free(&reply);
    free(bytes);
    assert_ok(ipcc_close(conn));
}

/* ---- threads --------------------------------------------------------------------------------- */

enum { THREADS = 100, ROUNDS = 20 };

struct counter {
    struct ipcc_queue *tokens;
    struct ipcc_dict *dict;
    int status;
};

/* Takes the one token there is, changes the number by reading and writing it, gives it back. */
static void *count_down(void *data)
{
    struct counter *counter = data;
    for (int i = 0; i < ROUNDS && counter->status == 0; i++) {
        struct ipcc_item item;
        struct ipcc_reply token;
        struct ipcc_reply reply;
        int status = ipcc_queue_get(counter->tokens, IPCC_FOREVER, &item, &token);
        ipcc_reply_free(&token);
        status =
            status < 0 ? status : ipcc_dict_get(counter->dict, ipcc_str("n"), ipcc_none(), &reply);
        int64_t number = status < 0 ? 0 : reply.value.as.integer;
        status = status < 0
                     ? status
                     : ipcc_dict_set(counter->dict, ipcc_str("n"), ipcc_int(number - 1), NULL);
        counter->status =
            status < 0 ? status : ipcc_queue_put(counter->tokens, ipcc_nil(), IPCC_FOREVER, NULL);
    }
    return NULL;
}

static void hundred_threads_change_a_number_in_turn_on_one_connection(void **state)
{
    struct ipcc *conn = client_open(*state);
    struct counter counters[THREADS] = {{.status = 0}};
    pthread_t threads[THREADS];
    struct ipcc_queue *tokens;
    struct ipcc_dict *dict;
    struct ipcc_reply reply;
    assert_ok(ipcc_queue_open(conn, NULL, NULL, &tokens));
    assert_ok(ipcc_dict_open(conn, NULL, NULL, &dict));
    assert_ok(ipcc_dict_set(dict, ipcc_str("n"), ipcc_int(THREADS * ROUNDS), NULL));
    for (int i = 0; i < THREADS; i++) {
        counters[i] = (struct counter){.tokens = tokens, .dict = dict};
        assert_int_equal(pthread_create(&threads[i], NULL, count_down, &counters[i]), 0);
    }
    assert_ok(ipcc_queue_put(tokens, ipcc_nil(), 0, NULL));
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(counters[i].status, 0);
    }
    assert_prints("0", ipcc_dict_get(dict, ipcc_str("n"), ipcc_none(), &reply));
    assert_ok(ipcc_queue_close(tokens));
    assert_ok(ipcc_dict_close(dict));
    assert_ok(ipcc_close(conn));
}

/* ---- an event loop --------------------------------------------------------------------------- */

struct loop {
    int outstanding;
    int cancelled;
    int64_t sum;
};

static void take_outcome(struct ipcc *conn, int status, const struct ipcc_reply *reply, void *data)
{
    struct loop *loop = data;
    struct ipcc_value value;
    struct ipcc_walk walk = ipcc_walk_of(&reply->value);
    loop->outstanding--;
    loop->cancelled += status == IPCC_ERR_CANCELLED ? 1 : 0;
    if (status == 0 && ipcc_walk_next(&walk, &value)) {
        loop->sum += value.as.integer;
    }
}

static void start(struct ipcc *conn, struct loop *loop, const char *method, int64_t number,
                  ipcc_call_id *id)
{
    struct ipcc_value params[] = {ipcc_str("q"), number > 0 ? ipcc_int(number) : ipcc_none()};
    struct ipcc_request request = {.method = method, .params = params, .nparams = 2};
    assert_ok(ipcc_call_async(conn, &request, take_outcome, loop, id));
    loop->outstanding++;
}

static void event_loop_waits_for_many_calls_and_cancels_some(void **state)
{
    const struct daemon *daemon = *state;
    struct ipcc *conn = NULL;
    struct ipcc_queue *queue;
    struct loop loop = {0};
    ipcc_call_id ids[10];
    struct ipcc *other = client_open(daemon);
    assert_ok(ipcc_queue_open(other, "q", NULL, &queue));
    assert_ok(ipcc_open_async(&conn, &(struct ipcc_options){.path = daemon->socket}));
    for (int i = 0; i < 10; i++) {
        start(conn, &loop, "queue.get", 0, &ids[i]);
    }
    for (int i = 0; i < 10; i += 2) {
        assert_ok(ipcc_cancel(conn, ids[i]));
    }
    for (int i = 1; i <= 5; i++) {
        start(conn, &loop, "queue.put", i, NULL);
    }
    while (loop.outstanding > 0) {
        struct pollfd ready = {.fd = ipcc_fd(conn), .events = (short)ipcc_events(conn)};
        assert_true(poll(&ready, 1, ipcc_next_timeout(conn)) >= 0);
        assert_ok(ipcc_process(conn, ready.revents));
    }
    assert_int_equal(loop.cancelled, 5);
    assert_int_equal(loop.sum, 1 + 2 + 3 + 4 + 5);
    assert_ok(ipcc_queue_close(queue));
    assert_ok(ipcc_close(other));
    assert_ok(ipcc_close(conn));
}

/* ---- loss ------------------------------------------------------------------------------------ */

static void session_s_end_gives_back_what_it_held(void **state)
{
    const struct daemon *daemon = *state;
    struct ipcc *conn = NULL;
    struct ipcc_queue *queue;
    struct ipcc_item item;
    struct ipcc_reply reply;
    struct ipcc_options options = {.path = daemon->socket, .reconnect = true};
    uint64_t first = 0;
    uint64_t second = 0;
    assert_ok(ipcc_open(&conn, &options));
    assert_ok(ipcc_session(conn, &first));
    assert_ok(ipcc_queue_open(conn, "q", &(struct ipcc_queue_options){.joinable = true}, &queue));
    assert_ok(ipcc_queue_put(queue, ipcc_int(5), 0, NULL));
    assert_ok(ipcc_queue_get(queue, 0, &item, &reply));
    ipcc_reply_free(&reply);
    int64_t ticket = item.ticket;
    assert_ok(ipcc_disconnect(conn));
    /* The item comes back when the daemon has seen the end of the session that held it. */
    assert_ok(ipcc_queue_get(queue, IPCC_FOREVER, &item, &reply));
    assert_int_equal(item.deliveries, 2);
    ipcc_reply_free(&reply);
    assert_ok(ipcc_session(conn, &second));
    assert_true(second != first);
    if (ticket != item.ticket) {
        assert_fails(ipcc_queue_task_done(queue, ticket, NULL), VALUE, "");
    }
    assert_ok(ipcc_queue_task_done(queue, item.ticket, NULL));
    assert_ok(ipcc_queue_close(queue));
    assert_ok(ipcc_close(conn));
}

static void *wait_for_item(void *data)
{
    struct ipcc_item item;
    struct ipcc_reply reply;
    static int status;
    status = ipcc_queue_get(data, IPCC_FOREVER, &item, &reply);
    return &status;
}

static void daemon_s_end_ends_the_waits_with_its_code(void **state)
{
    struct daemon *daemon = daemon_start(&(struct daemon_options){.config = NULL});
    struct rpc *observer = daemon_client(daemon);
    struct ipcc *conn = client_open(daemon);
    struct ipcc_queue *queue;
    pthread_t thread;
    void *status;
    assert_ok(ipcc_queue_open(conn, "q", NULL, &queue));
    assert_int_equal(pthread_create(&thread, NULL, wait_for_item, queue), 0);
    expect_soon(observer, "object.describe", "['q']", "{waiting: 1, ...}");
    daemon_stop(daemon);
    assert_int_equal(pthread_join(thread, &status), 0);
    assert_int_equal(*(int *)status, IPCC_ERR_CANCELLED);
    assert_fails(ipcc_queue_qsize(queue, NULL), LOST, "");
    assert_ok(ipcc_queue_close(queue));
    assert_ok(ipcc_close(conn));
}

static void child_works_beside_its_parent(void **state)
{
    struct ipcc *conn = client_open(*state);
    struct ipcc_queue *queue;
    struct ipcc_item item;
    struct ipcc_reply reply;
    int status;
    assert_ok(ipcc_queue_open(conn, "q", NULL, &queue));
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct ipcc *own = NULL;
        struct ipcc_queue *mine = NULL;
        const struct daemon *daemon = *state;
        bool good = ipcc_queue_put(queue, ipcc_int(1), 0, NULL) == IPCC_ERR_FORKED &&
                    ipcc_open(&own, &(struct ipcc_options){.path = daemon->socket}) == 0 &&
                    ipcc_queue_open(own, "q", NULL, &mine) == 0 &&
                    ipcc_queue_put(mine, ipcc_int(2), 0, NULL) == 0 &&
                    ipcc_queue_close(mine) == 0 && ipcc_close(own) == 0;
        _exit(good ? 0 : 1);
    }
    assert_ok(ipcc_queue_get(queue, IPCC_FOREVER, &item, &reply));
    assert_int_equal(item.value.as.integer, 2);
    ipcc_reply_free(&reply);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_ok(ipcc_queue_close(queue));
    assert_ok(ipcc_close(conn));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        daemon_test(objects_are_listed_described_and_deleted),
        daemon_test(filter_s_cursor_goes_on_where_the_last_answer_ended),
        daemon_test(sessions_are_listed_described_and_killed),
        daemon_test(interrupted_getters_lose_no_item),
        daemon_test(server_answers_and_unknown_methods_are_refused),
        daemon_test(values_of_every_kind_come_back_as_they_went),
        daemon_test(request_over_the_limit_of_the_daemon_is_refused_here),
        daemon_test(hundred_threads_change_a_number_in_turn_on_one_connection),
        daemon_test(event_loop_waits_for_many_calls_and_cancels_some),
        daemon_test(session_s_end_gives_back_what_it_held),
        cmocka_unit_test(daemon_s_end_ends_the_waits_with_its_code),
        daemon_test(child_works_beside_its_parent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
