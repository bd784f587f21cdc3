/*
 * What is charged is what the memory costs: for each kind of thing, many of it are made, and what
 * the accounts then say more (server.stats: bytes) is compared with what malloc has given out more
 * (memory.allocated). Pages of shared memory are charged too and are not malloc's.
 */
#include "tests/support/daemon.h"

#include <string.h>

#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__
#endif
#endif

enum { MANY = 5000, CLIENTS = 40, PAGE = 4096, TOLERANCE = 15 /* percent */ };

struct figures {
    int64_t charged;
    int64_t allocated;
};

/* The integer of a key in a map. */
static int64_t member(const msgpack_object *map, const char *name)
{
    for (uint32_t i = 0; i < map->via.map.size; i++) {
        const msgpack_object_kv *pair = &map->via.map.ptr[i];
        if (pair->key.via.str.size == strlen(name) &&
            memcmp(pair->key.via.str.ptr, name, strlen(name)) == 0) {
            return pair->val.via.i64;
        }
    }
    test_fail(HERE, "server.stats has no %s", name);
}

static const msgpack_object *memory_of(const msgpack_object *stats)
{
    for (uint32_t i = 0; i < stats->via.map.size; i++) {
        if (stats->via.map.ptr[i].val.type == MSGPACK_OBJECT_MAP &&
            memcmp(stats->via.map.ptr[i].key.via.str.ptr, "memory", 6) == 0) {
            return &stats->via.map.ptr[i].val;
        }
    }
    test_fail(HERE, "server.stats has no memory");
}

static struct figures look(struct rpc *c)
{
    struct reply *reply = rpc_call(c, "server.stats", "[]");
    struct figures figures = {.charged = member(&reply->result, "bytes"),
                              .allocated = member(memory_of(&reply->result), "allocated")};
    reply_free(reply);
    return figures;
}

/* The call must succeed. */
static void call(struct rpc *c, const char *method, const char *params)
{
    struct reply *reply = rpc_call(c, method, params);
    if (reply->error.type != MSGPACK_OBJECT_NIL) {
        notation_print(stderr, &reply->error);
        test_fail(HERE, "%s failed", method);
    }
    reply_free(reply);
}

/* How many of what is counted have been made, and how. `first` is the number of the first one. */
typedef void grow(struct daemon *daemon, struct rpc *c, int first, int count);

static void check_growth(void **state, grow *make, int few, int many, int64_t mapped)
{
#ifdef __SANITIZE_ADDRESS__
    (void)state, (void)make, (void)few, (void)many, (void)mapped;
    skip(); /* the sanitizer's malloc has no such count */
#else
    struct daemon *daemon = *state;
    struct rpc *c = daemon_client(daemon);
    (void)look(c);
    make(daemon, c, 0, few);
    struct figures before = look(c);
    make(daemon, c, few, many);
    struct figures after = look(c);
    int64_t charged = after.charged - before.charged - mapped * many;
    int64_t allocated = after.allocated - before.allocated;
    print_message("%10ld charged, %10ld allocated: %ld %%\n", (long)charged, (long)allocated,
                  (long)(charged * 100 / allocated));
    assert_true(charged * 100 >= allocated * (100 - TOLERANCE));
    assert_true(charged * 100 <= allocated * (100 + TOLERANCE));
#endif
}

/* Objects of each type. */

static void open_many(struct rpc *c, const char *method, const char *options, int first, int count)
{
    for (int i = first; i < first + count; i++) {
        call(c, method, rpc_text(c, "['object number %d'%s]", i, options));
    }
}

#define OBJECTS(type, options, mapped)                                                             \
    static void make_##type(struct daemon *daemon, struct rpc *c, int first, int count)            \
    {                                                                                              \
        (void)daemon;                                                                              \
        open_many(c, #type ".open", options, first, count);                                        \
    }                                                                                              \
    static void the_price_of_a_##type##_is_what_it_costs(void **state)                             \
    {                                                                                              \
        check_growth(state, make_##type, 10, mapped > 0 ? 400 : MANY, mapped);                     \
    }

OBJECTS(queue, "", 0)
OBJECTS(dict, "", 0)
OBJECTS(list, "", 0)
OBJECTS(namespace, "", 0)
OBJECTS(event, "", 0)
OBJECTS(lock, "", 0)
OBJECTS(semaphore, "", 0)
OBJECTS(barrier, ", {parties: 2}", 0)
OBJECTS(condition, "", 0)
OBJECTS(pipe, "", 0)
OBJECTS(value, ", {typecode: 'i'}", PAGE)
OBJECTS(array, ", {typecode: 'i', size: 10}", PAGE)

static void open_long_names(struct daemon *daemon, struct rpc *c, int first, int count)
{
    (void)daemon;
    for (int i = first; i < first + count; i++) {
        call(c, "event.open", rpc_text(c, "['%0247d']", i));
    }
}

static void the_price_of_a_long_name_is_what_it_costs(void **state)
{
    check_growth(state, open_long_names, 10, MANY, 0);
}

static void open_conditions_of_a_lock(struct daemon *daemon, struct rpc *c, int first, int count)
{
    (void)daemon;
    call(c, "lock.open", "['lock']");
    open_many(c, "condition.open", ", {lock: 'lock'}", first, count);
}

static void the_price_of_a_condition_of_a_lock_is_what_it_costs(void **state)
{
    check_growth(state, open_conditions_of_a_lock, 10, MANY, 0);
}

static void open_dead_lettered(struct daemon *daemon, struct rpc *c, int first, int count)
{
    (void)daemon;
    open_many(c, "queue.open", ", {joinable: true, max_deliveries: 3, dead_letter: 'nnnnnnnnnn'}",
              first, count);
}

static void the_price_of_a_queue_with_a_dead_letter_is_what_it_costs(void **state)
{
    check_growth(state, open_dead_lettered, 10, MANY, 0);
}

/* What sessions have of objects. */

static void open_for_others(struct daemon *daemon, struct rpc *c, int first, int count)
{
    if (first == 0) {
        open_many(c, "event.open", "", 0, 100);
    }
    for (int i = 0; i < count / 100; i++) {
        open_many(daemon_client(daemon), "event.open", "", 0, 100);
    }
}

static void the_price_of_an_open_is_what_it_costs(void **state)
{
    check_growth(state, open_for_others, 100, 40 * 100, 0);
}

static void watch_many(struct daemon *daemon, struct rpc *c, int first, int count)
{
    (void)daemon;
    if (first == 0) {
        open_many(c, "event.open", "", 0, MANY + 10);
    }
    for (int i = first; i < first + count; i++) {
        call(c, "object.watch", rpc_text(c, "['object number %d']", i));
    }
}

static void the_price_of_a_watch_is_what_it_costs(void **state)
{
    check_growth(state, watch_many, 10, MANY, 0);
}

/* Each in a session of its own. */
static void watch_alone(struct daemon *daemon, struct rpc *c, int first, int count)
{
    (void)first;
    call(c, "event.open", "['e']");
    for (int i = 0; i < count; i++) {
        call(daemon_client(daemon), "object.watch", "['e']");
    }
}

static void the_price_of_a_session_that_watches_is_what_it_costs(void **state)
{
    check_growth(state, watch_alone, 2, CLIENTS, 0);
}

static void acquire_many(struct daemon *daemon, struct rpc *c, int first, int count)
{
    (void)daemon;
    open_many(c, "lock.open", "", first, count);
    for (int i = first; i < first + count; i++) {
        call(c, "object.close", rpc_text(c, "['object number %d']", i));
        call(c, "lock.acquire", rpc_text(c, "['object number %d']", i));
    }
}

static void the_price_of_a_claim_is_what_it_costs(void **state)
{
    check_growth(state, acquire_many, 10, MANY, 0);
}

/* Calls that wait. */

static void wait_many(struct daemon *daemon, struct rpc *c, int first, int count)
{
    (void)daemon;
    call(c, "queue.open", "['q']");
    for (int i = first; i < first + count; i++) {
        (void)rpc_send(c, "queue.get", i % 2 == 0 ? "['q']" : "['q', 1000000]");
    }
    call(c, "server.ping", "[]");
}

static void the_price_of_a_wait_is_what_it_costs(void **state)
{
    check_growth(state, wait_many, 10, MANY, 0);
}

static void wait_for_keys(struct daemon *daemon, struct rpc *c, int first, int count)
{
    (void)daemon;
    call(c, "dict.open", "['d']");
    for (int i = first; i < first + count; i++) {
        (void)rpc_send(c, "dict.wait", rpc_text(c, "['d', 'key %d']", i));
    }
    call(c, "server.ping", "[]");
}

static void the_price_of_a_wait_for_a_key_is_what_it_costs(void **state)
{
    check_growth(state, wait_for_keys, 10, MANY, 0);
}

static void wait_for_any(struct daemon *daemon, struct rpc *c, int first, int count)
{
    (void)daemon;
    if (first == 0) {
        open_many(c, "queue.open", "", 0, 10);
    }
    for (int i = first; i < first + count; i++) {
        (void)rpc_send(c, "queue.get_any",
                       "[['object number 1', 'object number 2', 'object number 5']]");
    }
    call(c, "server.ping", "[]");
}

static void the_price_of_a_wait_on_several_objects_is_what_it_costs(void **state)
{
    check_growth(state, wait_for_any, 10, MANY, 0);
}

static void wait_with_reference(struct daemon *daemon, struct rpc *c, int first, int count)
{
    (void)daemon;
    call(c, "queue.open", "['q', {maxsize: 1}]");
    for (int i = first; i < first + count; i++) {
        (void)rpc_send(c, "queue.put", "['q', ext(1, 'q')]");
    }
    call(c, "server.ping", "[]");
}

static void the_price_of_a_wait_with_a_reference_is_what_it_costs(void **state)
{
    check_growth(state, wait_with_reference, 10, MANY, 0);
}

static void wait_alone(struct daemon *daemon, struct rpc *c, int first, int count)
{
    (void)first;
    call(c, "queue.open", "['q']");
    for (int i = 0; i < count; i++) {
        (void)rpc_start(daemon_client(daemon), "queue.get", "['q']");
    }
}

static void the_price_of_a_session_that_waits_is_what_it_costs(void **state)
{
    check_growth(state, wait_alone, 2, CLIENTS, 0);
}

/* Sessions. */

static void connect_many(struct daemon *daemon, struct rpc *c, int first, int count)
{
    (void)c;
    (void)first;
    for (int i = 0; i < count; i++) {
        call(daemon_client(daemon), "server.ping", "[]");
    }
}

static void the_price_of_a_session_is_what_it_costs(void **state)
{
    check_growth(state, connect_many, 10, CLIENTS, 0);
}

static void greet_many(struct daemon *daemon, struct rpc *c, int first, int count)
{
    (void)c;
    (void)first;
    for (int i = 0; i < count; i++) {
        call(daemon_client(daemon), "server.hello", "[{client: 'x'*200, version: '1.0'}]");
    }
}

static void the_price_of_a_session_with_a_name_is_what_it_costs(void **state)
{
    check_growth(state, greet_many, 10, CLIENTS, 0);
}

/* Answers of 1 MB that nobody reads. */
static void leave_unread(struct daemon *daemon, struct rpc *c, int first, int count)
{
    if (first == 0) {
        call(c, "list.open", "['l', {initial: ['x'*100]*20000}]");
        call(c, "queue.open", "['q']");
    }
    for (int i = 0; i < count; i++) {
        struct rpc *other = daemon_client(daemon);
        call(other, "server.ping", "[]");
        (void)rpc_send(other, "list.slice", "['l']");
        expect_soon(c, "server.stats", "[]", "{calls: _map, ...}");
    }
    expect_soon(c, "server.stats", "[]",
                rpc_text(c, "{calls: {'list.slice': %d, ...}, ...}", first + count));
}

static void the_price_of_unread_answers_is_what_they_cost(void **state)
{
    check_growth(state, leave_unread, 2, 10, 0);
}

/* Small items, each of which may still go back to its queue. */
static void leave_items_unread(struct daemon *daemon, struct rpc *c, int first, int count)
{
    call(c, "queue.open", "['q']");
    for (int i = first; i < first + count; i++) {
        struct rpc *other = daemon_client(daemon);
        call(other, "server.ping", "[]");
        call(c, "queue.put_many", "['q', ['0123456789']*60000]");
        (void)rpc_send(other, "queue.get_many", "['q', 60000]");
        expect_soon(c, "queue.qsize", "['q']", "0");
    }
}

static void the_price_of_unread_items_is_what_they_cost(void **state)
{
    check_growth(state, leave_items_unread, 2, 10, 0);
}

/* The first 300,000 bytes of a message. */
static void send_half(struct daemon *daemon, struct rpc *c, int first, int count)
{
    static char text[300000] = "\x94\x00\x01\xabserver.ping\x91\xdb\x00\x0f\x00\x00";
    (void)first;
    for (int i = 0; i < count; i++) {
        struct rpc *other = daemon_client(daemon);
        call(other, "server.ping", "[]");
        int64_t before = look(c).charged;
        rpc_write(other, text, sizeof(text));
        while (look(c).charged < before + (int64_t)sizeof(text)) {
        }
    }
}

static void the_price_of_half_messages_is_what_they_cost(void **state)
{
    check_growth(state, send_half, 2, 10, 0);
}

/* Contents. */

#define CONTENTS(name, open, method, params, few, many)                                            \
    static void make_##name(struct daemon *daemon, struct rpc *c, int first, int count)            \
    {                                                                                              \
        (void)daemon;                                                                              \
        if (first == 0) {                                                                          \
            call(c, open[0], open[1]);                                                             \
        }                                                                                          \
        for (int i = first; i < first + count; i++) {                                              \
            call(c, method, rpc_text(c, params, i));                                               \
        }                                                                                          \
    }                                                                                              \
    static void the_price_of_##name##_is_what_they_cost(void **state)                              \
    {                                                                                              \
        check_growth(state, make_##name, few, many, 0);                                            \
    }

#define OPEN(method, params) ((const char *[]){method, params})

CONTENTS(items, OPEN("queue.open", "['q']"), "queue.put", "['q', 'value %d']", 10, 5 * MANY)
CONTENTS(large_items, OPEN("queue.open", "['q']"), "queue.put", "['q', ['x'*5000, %d]]", 10, MANY)
CONTENTS(items_with_priority, OPEN("queue.open", "['q', {order: 'priority'}]"), "queue.put",
         "['q', 'value', nil, {priority: %d}]", 10, MANY)
CONTENTS(items_with_long_priority, OPEN("queue.open", "['q', {order: 'priority'}]"), "queue.put",
         "['q', 'value', nil, {priority: '%060d'}]", 10, MANY)
CONTENTS(delayed_items, OPEN("queue.open", "['q']"), "queue.put",
         "['q', 'value %d', nil, {delay_ms: 1000000}]", 10, MANY)
CONTENTS(items_with_a_reference, OPEN("queue.open", "['q']"), "queue.put",
         "['q', [%d, ext(1, 'q')]]", 10, MANY)
CONTENTS(entries, OPEN("dict.open", "['d']"), "dict.set", "['d', 'key %d', 'value']", 10, MANY)
CONTENTS(large_entries, OPEN("dict.open", "['d']"), "dict.set", "['d', %d, 'x'*5000]", 10, MANY)
CONTENTS(names, OPEN("namespace.open", "['n']"), "namespace.set", "['n', 'key %d', 'value']", 10,
         MANY)
CONTENTS(numbers_in_a_list, OPEN("list.open", "['l']"), "list.append", "['l', %d]", 10, 5 * MANY)
CONTENTS(texts_in_a_list, OPEN("list.open", "['l']"), "list.append", "['l', 'a text: %d']", 10,
         MANY)

static void take_items(struct daemon *daemon, struct rpc *c, int first, int count)
{
    (void)daemon;
    call(c, "queue.open", "['q', {joinable: true, lease_ms: 1000000}]");
    for (int i = first; i < first + count; i++) {
        call(c, "queue.put", rpc_text(c, "['q', 'value %d']", i));
        call(c, "queue.get", "['q']");
    }
}

static void the_price_of_leases_is_what_they_cost(void **state)
{
    check_growth(state, take_items, 10, MANY, 0);
}

/* They expire between two that do not, so that they cannot leave the store. */
static void let_items_expire(struct daemon *daemon, struct rpc *c, int first, int count)
{
    (void)daemon;
    call(c, "queue.open", "['q']");
    call(c, "queue.put", "['q', 'stays']");
    for (int i = first; i < first + count; i++) {
        call(c, "queue.put", "['q', 'goes', nil, {ttl_ms: 1}]");
        call(c, "queue.put_many", "['q', ['stays', 'stays']]");
    }
    expect_soon(c, "queue.qsize", "['q']",
                rpc_text(c, "%d", 2 * (first + count) + (first > 0 ? 2 : 1)));
}

static void the_price_of_items_that_have_expired_is_what_they_cost(void **state)
{
    check_growth(state, let_items_expire, 10, MANY, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        daemon_test(the_price_of_a_queue_is_what_it_costs),
        daemon_test(the_price_of_a_dict_is_what_it_costs),
        daemon_test(the_price_of_a_list_is_what_it_costs),
        daemon_test(the_price_of_a_namespace_is_what_it_costs),
        daemon_test(the_price_of_a_event_is_what_it_costs),
        daemon_test(the_price_of_a_lock_is_what_it_costs),
        daemon_test(the_price_of_a_semaphore_is_what_it_costs),
        daemon_test(the_price_of_a_barrier_is_what_it_costs),
        daemon_test(the_price_of_a_condition_is_what_it_costs),
        daemon_test(the_price_of_a_pipe_is_what_it_costs),
        daemon_test(the_price_of_a_value_is_what_it_costs),
        daemon_test(the_price_of_a_array_is_what_it_costs),
        daemon_test(the_price_of_a_long_name_is_what_it_costs),
        daemon_test(the_price_of_a_condition_of_a_lock_is_what_it_costs),
        daemon_test(the_price_of_a_queue_with_a_dead_letter_is_what_it_costs),
        daemon_test(the_price_of_an_open_is_what_it_costs),
        daemon_test(the_price_of_a_watch_is_what_it_costs),
        daemon_test(the_price_of_a_session_that_watches_is_what_it_costs),
        daemon_test(the_price_of_a_claim_is_what_it_costs),
        daemon_test(the_price_of_a_wait_is_what_it_costs),
        daemon_test(the_price_of_a_wait_for_a_key_is_what_it_costs),
        daemon_test(the_price_of_a_wait_on_several_objects_is_what_it_costs),
        daemon_test(the_price_of_a_wait_with_a_reference_is_what_it_costs),
        daemon_test(the_price_of_a_session_that_waits_is_what_it_costs),
        daemon_test(the_price_of_a_session_is_what_it_costs),
        daemon_test(the_price_of_a_session_with_a_name_is_what_it_costs),
        daemon_test(the_price_of_unread_answers_is_what_they_cost),
        daemon_test(the_price_of_unread_items_is_what_they_cost),
        daemon_test(the_price_of_half_messages_is_what_they_cost),
        daemon_test(the_price_of_items_is_what_they_cost),
        daemon_test(the_price_of_large_items_is_what_they_cost),
        daemon_test(the_price_of_items_with_priority_is_what_they_cost),
        daemon_test(the_price_of_items_with_long_priority_is_what_they_cost),
        daemon_test(the_price_of_delayed_items_is_what_they_cost),
        daemon_test(the_price_of_items_with_a_reference_is_what_they_cost),
        daemon_test(the_price_of_entries_is_what_they_cost),
        daemon_test(the_price_of_large_entries_is_what_they_cost),
        daemon_test(the_price_of_names_is_what_they_cost),
        daemon_test(the_price_of_numbers_in_a_list_is_what_they_cost),
        daemon_test(the_price_of_texts_in_a_list_is_what_they_cost),
        daemon_test(the_price_of_leases_is_what_they_cost),
        daemon_test(the_price_of_items_that_have_expired_is_what_they_cost),
    };
    return cmocka_run_group_tests_name("charges", tests, NULL, NULL);
}
