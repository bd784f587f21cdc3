/* object.list, object.describe, object.delete, object.chmod as seen by one user. */
#include "tests/support/daemon.h"

#include <stdlib.h>
#include <string.h>

static void list_without_options_shows_all(void **state)
{
    struct rpc *c = daemon_client(*state);
    expect(c, "object.list", "[]", "{objects: [], cursor: _}");
    expect(c, "queue.open", "['q']", "_map");
    expect(c, "object.list", "[]",
           "{objects: [{name: 'q', type: 'queue', size: 0, ...}], cursor: _}");
    expect(c, "object.list", "[nil]", "{objects: [{name: 'q', ...}], cursor: _}");
    expect(c, "object.list", "[{}]", "{objects: [{name: 'q', ...}], cursor: _}");
}

static void list_rows_are_descriptions(void **state)
{
    struct rpc *c = daemon_client(*state);
    expect(c, "queue.open", "['q', {joinable: true, maxsize: 3}]", "_map");
    expect(c, "queue.put", "['q', 'x']", "nil");
    struct reply *one = rpc_call(c, "object.describe", "['q']");
    struct reply *all = rpc_call(c, "object.list", "[]");
    const msgpack_object_map *map = &all->result.via.map;
    bool found = false;
    for (uint32_t i = 0; i < map->size; i++) {
        if (map->ptr[i].val.type == MSGPACK_OBJECT_ARRAY) {
            assert_int_equal(map->ptr[i].val.via.array.size, 1);
            found = notation_match(&one->result, &map->ptr[i].val.via.array.ptr[0]);
        }
    }
    assert_true(found);
    reply_free(one);
    reply_free(all);
}

static void list_filters_by_type(void **state)
{
    struct rpc *c = daemon_client(*state);
    expect(c, "queue.open", "['a']", "_map");
    expect(c, "dict.open", "['b']", "_map");
    expect(c, "list.open", "['c']", "_map");
    expect(c, "object.list", "[{type: 'dict'}]", "{objects: [{name: 'b', ...}], ...}");
    expect(c, "object.list", "[{type: 'list'}]", "{objects: [{name: 'c', ...}], ...}");
    expect(c, "object.list", "[{type: 'queue', glob: 'b'}]", "{objects: [], ...}");
}

static void list_filters_by_glob(void **state)
{
    struct rpc *c = daemon_client(*state);
    static const char *const names[] = {"jobs.red", "jobs.blue", "log"};
    for (size_t i = 0; i < 3; i++) {
        expect(c, "list.open", rpc_text(c, "['%s']", names[i]), "_map");
    }
    expect(c, "object.list", "[{glob: 'log'}]", "{objects: [{name: 'log', ...}], ...}");
    expect(c, "object.list", "[{glob: 'jobs.*'}]", "{objects: [_map, _map], ...}");
    expect(c, "object.list", "[{glob: '*'}]", "{objects: [_map, _map, _map], ...}");
    expect(c, "object.list", "[{glob: '?og'}]", "{objects: [{name: 'log', ...}], ...}");
    expect(c, "object.list", "[{glob: '*.[a-c]*'}]", "{objects: [{name: 'jobs.blue', ...}], ...}");
    expect(c, "object.list", "[{glob: 'lo'}]", "{objects: [], ...}");
}

static void list_of_what_is_waited_for_has_every_type(void **state)
{
    only_in_memory("they come by their names, not as they were made");
    struct rpc *a = daemon_client(*state);
    struct rpc *b = daemon_client(*state);
    expect(a, "queue.open", "['idle']", "_map");
    expect(a, "queue.open", "['q']", "_map");
    expect(a, "dict.open", "['d']", "_map");
    expect(a, "namespace.open", "['n']", "_map");
    expect(a, "lock.open", "['l']", "_map");
    expect(a, "lock.acquire", "['l']", "_");
    expect(a, "semaphore.open", "['s', {value: 0}]", "_map");
    expect(a, "event.open", "['e']", "_map");
    expect(a, "barrier.open", "['b', {parties: 2}]", "_map");
    expect(a, "condition.open", "['c']", "_map");
    expect(b, "condition.acquire", "['c']", "_");
    expect(a, "object.list", "[{waiting: true}]", "{objects: [], cursor: 0}");
    (void)rpc_start(b, "queue.get", "['q']");
    (void)rpc_start(b, "dict.wait", "['d', 1]");
    (void)rpc_start(b, "namespace.wait", "['n', 'x']");
    (void)rpc_start(b, "lock.acquire", "['l']");
    (void)rpc_start(b, "semaphore.acquire", "['s']");
    (void)rpc_start(b, "event.wait", "['e']");
    (void)rpc_start(b, "barrier.wait", "['b']");
    (void)rpc_start(b, "condition.wait", "['c']");
    expect(a, "object.list", "[{waiting: true}]",
           "{objects: [{name: 'q', ...}, {name: 'd', ...}, {name: 'n', ...}, {name: 'l', ...},"
           " {name: 's', ...}, {name: 'e', ...}, {name: 'b', ...}, {name: 'c', ...}], cursor: 0}");
    expect(a, "object.list", "[{waiting: true, type: 'dict'}]",
           "{objects: [{name: 'd', ...}], ...}");
    expect_error_word(a, "object.list", "[{waiting: 1}]", "BAD_REQUEST", "waiting");
}

static const msgpack_object *field(const msgpack_object *map, const char *name)
{
    assert_int_equal(map->type, MSGPACK_OBJECT_MAP);
    for (uint32_t i = 0; i < map->via.map.size; i++) {
        const msgpack_object_kv *pair = &map->via.map.ptr[i];
        if (pair->key.type == MSGPACK_OBJECT_STR && pair->key.via.str.size == strlen(name) &&
            memcmp(pair->key.via.str.ptr, name, strlen(name)) == 0) {
            return &pair->val;
        }
    }
    test_fail(HERE, "no \"%s\" in the map", name);
}

static bool cursor_is_done(const msgpack_object *cursor)
{
    return cursor->type == MSGPACK_OBJECT_NIL ||
           (cursor->type == MSGPACK_OBJECT_POSITIVE_INTEGER && cursor->via.u64 == 0);
}

/* Options for the next step: the cursor goes back just as it came. */
static const char *step_options(struct rpc *c, const msgpack_object *cursor)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    notation_print(out, cursor);
    (void)fclose(out);
    const char *options = rpc_text(c, "[{limit: 7, cursor: %s}]", text);
    free(text);
    return options;
}

static void list_in_steps_shows_each_object_once(void **state)
{
    enum { COUNT = 50, LIMIT = 7 };
    struct rpc *c = daemon_client(*state);
    unsigned seen[COUNT] = {0};
    for (int i = 0; i < COUNT; i++) {
        expect(c, "list.open", rpc_text(c, "['%d']", i), "_map");
    }
    struct reply *reply = rpc_call(c, "object.list", "[{limit: 7}]");
    for (unsigned steps = 0;; steps++) {
        const msgpack_object *rows = field(&reply->result, "objects");
        const msgpack_object *cursor = field(&reply->result, "cursor");
        assert_true(rows->via.array.size <= LIMIT && steps <= COUNT);
        for (uint32_t i = 0; i < rows->via.array.size; i++) {
            const msgpack_object *name = field(&rows->via.array.ptr[i], "name");
            seen[strtoul(rpc_text(c, "%.*s", (int)name->via.str.size, name->via.str.ptr), NULL,
                         10)]++;
        }
        if (cursor_is_done(cursor)) {
            break;
        }
        struct reply *next = rpc_call(c, "object.list", step_options(c, cursor));
        reply_free(reply);
        reply = next;
    }
    reply_free(reply);
    for (int i = 0; i < COUNT; i++) {
        assert_int_equal(seen[i], 1);
    }
}

static void list_options_of_the_wrong_kind_are_bad_request(void **state)
{
    struct rpc *c = daemon_client(*state);
    expect_error_word(c, "object.list", "[{glob: 5}]", "BAD_REQUEST", "glob");
    expect_error_word(c, "object.list", "[{type: 5}]", "BAD_REQUEST", "type");
    expect_error_word(c, "object.list", "[{limit: 'x'}]", "BAD_REQUEST", "limit");
    expect_error_word(c, "object.list", "[{limit: -1}]", "BAD_REQUEST", "limit");
}

static void description_counts_size_bytes_and_waiting(void **state)
{
    struct rpc *a = daemon_client(*state);
    struct rpc *b = daemon_client(*state);
    expect(a, "queue.open", "['q']", "_map");
    int64_t empty = rpc_number(a, "object.describe", "['q']", "bytes");
    expect(a, "queue.put", "['q', 'x'*5000]", "nil");
    assert_true(rpc_number(a, "object.describe", "['q']", "bytes") >= empty + 5000);
    expect(a, "object.describe", "['q']", "{size: 1, waiting: 0, ...}");
    expect(a, "queue.get", "['q']", "_");
    (void)rpc_start(b, "queue.get", "['q']");
    (void)rpc_start(b, "queue.get", "['q']");
    expect(a, "object.describe", "['q']", "{size: 0, waiting: 2, ...}");
}

static void deleted_object_is_gone_and_its_name_is_free(void **state)
{
    struct rpc *a = daemon_client(*state);
    struct rpc *b = daemon_client(*state);
    expect(a, "list.open", "['x', {initial: [1]}]", "_map");
    expect(b, "list.open", "['x']", "{size: 1, ...}");
    expect(a, "object.delete", "['x']", "nil");
    expect_error(b, "list.len", "['x']", "NOT_FOUND");
    expect_error(a, "object.delete", "['x']", "NOT_FOUND");
    expect(b, "dict.open", "['x', {create: true}]", "{type: 'dict', size: 0, ...}");
}

static void delete_wakes_all_who_wait_with_deleted(void **state)
{
    struct rpc *a = daemon_client(*state);
    struct rpc *b = daemon_client(*state);
    expect(a, "queue.open", "['empty']", "_map");
    expect(a, "queue.open", "['full', {maxsize: 1, joinable: true}]", "_map");
    expect(a, "queue.put", "['full', 1]", "nil");
    expect(a, "dict.open", "['d']", "_map");
    uint32_t waits[] = {
        rpc_send(b, "queue.get", "['empty']"),
        rpc_send(b, "queue.get_many", "['empty', 3]"),
        rpc_send(b, "queue.get", "['empty', 600000]"),
        rpc_send(b, "queue.put", "['full', 2]"),
        rpc_send(b, "queue.put_many", "['full', [3]]"),
        rpc_send(b, "queue.join", "['full']"),
        rpc_send(b, "dict.wait", "['d', 'k']"),
    };
    expect(b, "server.ping", "[]", "nil");
    expect(a, "object.delete", "['empty']", "nil");
    expect(a, "object.delete", "['full']", "nil");
    expect(a, "object.delete", "['d']", "nil");
    for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
        expect_failure(b, waits[i], "DELETED");
    }
    expect(b, "session.describe", "[]", "{waiting: 0, ...}");
}

static void new_object_of_a_deleted_name_knows_nothing_of_the_old(void **state)
{
    struct rpc *a = daemon_client(*state);
    struct rpc *b = daemon_client(*state);
    expect(a, "queue.open", "['j', {joinable: true}]", "_map");
    expect(a, "queue.put", "['j', 'old']", "nil");
    int64_t ticket;
    struct reply *reply = rpc_call(b, "queue.get", "['j']");
    ticket = reply->result.via.array.ptr[1].via.i64;
    reply_free(reply);
    expect(a, "object.delete", "['j']", "nil");
    expect(a, "queue.open", "['j', {joinable: true}]", "{size: 0, taken: 0, unfinished: 0, ...}");
    expect_error(b, "queue.task_done", rpc_text(b, "['j', %lld]", (long long)ticket), "VALUE");
    daemon_drop(*state, b);
    expect_soon(a, "session.list", "[]", "[_map]");
    expect(a, "object.describe", "['j']", "{size: 0, taken: 0, unfinished: 0, ...}");
}

static void chmod_changes_the_mode(void **state)
{
    struct rpc *c = daemon_client(*state);
    expect(c, "list.open", "['l', {mode: 256}]", "{mode: 256, ...}");
    expect(c, "object.chmod", "['l', 438]", "nil");
    expect(c, "object.describe", "['l']", "{mode: 438, ...}");
    expect_error_word(c, "object.chmod", "['l', -1]", "BAD_REQUEST", "mode");
    expect_error_word(c, "object.chmod", "['l', 4096]", "BAD_REQUEST", "mode");
    expect_error_word(c, "object.chmod", "['l']", "BAD_REQUEST", "mode");
    expect(c, "object.describe", "['l']", "{mode: 438, ...}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        daemon_test(list_without_options_shows_all),
        daemon_test(list_rows_are_descriptions),
        daemon_test(list_filters_by_type),
        daemon_test(list_filters_by_glob),
        daemon_test(list_of_what_is_waited_for_has_every_type),
        daemon_test(list_in_steps_shows_each_object_once),
        daemon_test(list_options_of_the_wrong_kind_are_bad_request),
        daemon_test(description_counts_size_bytes_and_waiting),
        daemon_test(deleted_object_is_gone_and_its_name_is_free),
        daemon_test(delete_wakes_all_who_wait_with_deleted),
        daemon_test(new_object_of_a_deleted_name_knows_nothing_of_the_old),
        daemon_test(chmod_changes_the_mode),
    };
    return cmocka_run_group_tests_name("object list", tests, NULL, NULL);
}
