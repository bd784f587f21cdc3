/*
 * Typed functions of queues, dicts, lists and objects: the request that each makes, and what it
 * takes from the answer.
 */
#include "tests/unit/client/rows.h"

/* ---- opening --------------------------------------------------------------------------------- */

static const struct row open_rows[] = {
    {"queue.open", "['q']", "{name: 'q', type: 'queue'}"},
    {"queue.open", "[nil]", "{name: '#1'}"},
    {"object.close", "['#1']", "nil"},
    {"queue.open",
     "['q', {maxsize: 5, order: 'priority', joinable: true, on_disconnect: 'discard',"
     " lease_ms: 100, max_deliveries: 3, dead_letter: 'dead', create: false, exclusive: true,"
     " mode: 384, group: 'staff', lifetime: 'scoped'}]",
     "{name: 'q'}"},
    {"object.close", "['q']", "nil"},
    {"queue.open", "['q', {maxsize: 0, order: 'fifo', lifetime: 'durable'}]", "{name: 'q'}"},
    {"object.close", "['q']", "nil"},
    {"queue.open", "['q', {group: 0}]", "{name: 'q'}"},
    {"object.close", "['q']", "nil"},
    {"queue.open", "['q', {group: 4294967296}]", "{name: 'q'}"},
    {"object.close", "['q']", "nil"},
    {"queue.open", "['q', {group: '5x'}]", "{name: 'q'}"},
    {"object.close", "['q']", "nil"},
    {"queue.open", "['q', {group: '99999999999999999999999'}]", "{name: 'q'}"},
    {"object.close", "['q']", "nil"},
    {"dict.open", "['d', {initial: {a: 1}, lifetime: 'daemon'}]", "{name: 'd'}"},
    {"list.open", "['l', {initial: [1, 2], exclusive: true}]", "{name: 'l'}"},
    {"queue.open", "['q']", "{type: 'queue'}"},
    {"dict.open", "['d']", "5"},
    {"object.close", "['q']", "nil"},
    {"object.close", "['d']", "nil"},
    {"object.close", "['l']", "nil"},
    {NULL, NULL, NULL},
};

static void open_queue_with(struct ipcc *conn, const struct ipcc_queue_options *options)
{
    struct ipcc_queue *queue;
    assert_ok(ipcc_queue_open(conn, "q", options, &queue));
    assert_ok(ipcc_queue_close(queue));
}

static void open_sends_the_options_that_are_given(void **state)
{
    struct fake_server server;
    struct ipcc_queue *queue;
    struct ipcc_queue *anonymous;
    struct ipcc_dict *dict;
    struct ipcc_list *list;
    struct ipcc_value pair[] = {ipcc_str("a"), ipcc_int(1)};
    struct ipcc_value numbers[] = {ipcc_int(1), ipcc_int(2)};
    struct ipcc *conn = connect_to(&server, serve_rows, open_rows);
    assert_ok(ipcc_queue_open(conn, "q", &(struct ipcc_queue_options){.maxsize = 0}, &queue));
    assert_ok(ipcc_queue_open(conn, NULL, NULL, &anonymous));
    assert_string_equal(ipcc_queue_name(anonymous), "#1");
    assert_ok(ipcc_queue_close(anonymous));
    open_queue_with(conn, &(struct ipcc_queue_options){
                              .open = {.existing = true,
                                       .exclusive = true,
                                       .lifetime = IPCC_LIFETIME_SCOPED,
                                       .mode = 0600,
                                       .group = "staff"},
                              .maxsize = 5,
                              .order = IPCC_ORDER_PRIORITY,
                              .joinable = true,
                              .on_disconnect = IPCC_ON_DISCONNECT_DISCARD,
                              .lease_ms = 100,
                              .max_deliveries = 3,
                              .dead_letter = "dead",
                          });
    open_queue_with(conn, &(struct ipcc_queue_options){
                              .maxsize = -1,
                              .order = IPCC_ORDER_FIFO,
                              .open = {.lifetime = IPCC_LIFETIME_DURABLE},
                          });
    static const char *const groups[] = {"0", "4294967296", "5x", "99999999999999999999999"};
    for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
        open_queue_with(conn, &(struct ipcc_queue_options){.open = {.group = groups[i]}});
    }
    struct ipcc_dict_options dict_options = {.initial = ipcc_map(pair, 1),
                                             .open = {.lifetime = IPCC_LIFETIME_DAEMON}};
    assert_ok(ipcc_dict_open(conn, "d", &dict_options, &dict));
    assert_string_equal(ipcc_dict_name(dict), "d");
    struct ipcc_list_options list_options = {.initial = ipcc_array(numbers, 2),
                                             .open = {.exclusive = true}};
    assert_ok(ipcc_list_open(conn, "l", &list_options, &list));
    assert_string_equal(ipcc_list_name(list), "l");
    assert_fails(ipcc_queue_open(conn, "q", NULL, &anonymous), PROTOCOL, "a map with a name");
    struct ipcc_dict *none = NULL;
    assert_fails(ipcc_dict_open(conn, "d", NULL, &none), PROTOCOL, "an integer");
    assert_null(none);
    assert_ok(ipcc_queue_close(queue));
    assert_ok(ipcc_dict_close(dict));
    assert_ok(ipcc_list_close(list));
    close_and_join(conn, &server);
}

static const struct row late_rows[] = {
    {"dict.open", "['d']", "{name: 'd'}"},
    {NULL, NULL, NULL},
};

static void handle_may_be_closed_after_its_connection(void **state)
{
    struct fake_server server;
    struct ipcc_dict *dict;
    struct ipcc *conn = connect_to(&server, serve_rows, late_rows);
    assert_ok(ipcc_dict_open(conn, "d", NULL, &dict));
    close_and_join(conn, &server);
    assert_fails(ipcc_dict_len(dict, NULL), LOST, "closed");
    assert_ok(ipcc_dict_close(dict));
}

static void serve_gone(struct fake *fake)
{
    fake_greet(fake);
    fake_answer(fake, fake_expect(fake, "dict.open", "['d']"), "{name: 'd'}");
    fake_refuse(fake, fake_expect(fake, "object.close", "['d']"), "NOT_FOUND", "no object \"d\"");
    fake_answer(fake, fake_expect(fake, "dict.open", "['d']"), "{name: 'd'}");
    fake_refuse(fake, fake_expect(fake, "object.close", "['d']"), "INTERNAL", "a fault");
    fake_expect_end(fake);
}

static void closing_what_is_deleted_already_is_no_error(void **state)
{
    struct fake_server server;
    struct ipcc_dict *dict;
    struct ipcc *conn = connect_to(&server, serve_gone, NULL);
    assert_ok(ipcc_dict_open(conn, "d", NULL, &dict));
    assert_ok(ipcc_dict_close(dict));
    assert_ok(ipcc_dict_open(conn, "d", NULL, &dict));
    assert_fails(ipcc_dict_close(dict), INTERNAL, "a fault");
    close_and_join(conn, &server);
}

/* ---- queue ----------------------------------------------------------------------------------- */

static const struct row queue_rows[] = {
    {"queue.open", "['q']", "{name: 'q'}"},
    {"queue.put", "['q', 'v', nil]", "nil"},
    {"queue.put", "['q', nil, 0, {priority: -1, delay_ms: 10, ttl_ms: 20}]", "nil"},
    {"queue.put_many", "['q', [1, 2], 100]", "2"},
    {"queue.get", "['q', 0]", "['v', 9, 2]"},
    {"queue.get", "['q', nil]", "[[1], nil, 1]"},
    {"queue.get_many", "['q', 10, 5]", "[['a', 1, 1], ['b', 2, 1]]"},
    {"queue.task_done", "['q']", "3"},
    {"queue.task_done", "['q', 9]", "2"},
    {"queue.give_back", "['q', 9]", "nil"},
    {"queue.give_back", "['q', 9, 50]", "nil"},
    {"queue.give_back", "['q', 9, 0, {uncounted: true}]", "nil"},
    {"queue.touch", "['q', 9]", "nil"},
    {"queue.taken", "['q', 5, 10]", "[]"},
    {"queue.join", "['q', 7]", "nil"},
    {"queue.qsize", "['q']", "5"},
    {"queue.empty", "['q']", "true"},
    {"queue.full", "['q']", "false"},
    {"queue.peek", "['q', 1, 2]", "['b', 'c']"},
    {"queue.clear", "['q']", "4"},
    {"queue.pause", "['q', 50]", "nil"},
    {"queue.pause", "['q', 0]", "nil"},
    {"queue.pause", "['q', nil]", "nil"},
    {"queue.resume", "['q']", "nil"},
    {"queue.shutdown", "['q', true]", "nil"},
    {"object.close", "['q']", "nil"},
    {NULL, NULL, NULL},
};

static void take_items(struct ipcc_queue *queue)
{
    struct ipcc_reply reply;
    struct ipcc_item item;
    assert_ok(ipcc_queue_get(queue, 0, &item, &reply));
    assert_true(ipcc_value_is_str(&item.value, "v"));
    assert_int_equal(item.ticket, 9);
    assert_int_equal(item.deliveries, 2);
    ipcc_reply_free(&reply);
    assert_ok(ipcc_queue_get(queue, IPCC_FOREVER, &item, &reply));
    assert_int_equal(item.value.kind, IPCC_RAW);
    assert_int_equal(item.ticket, IPCC_NO_TICKET);
    ipcc_reply_free(&reply);
    assert_ok(ipcc_queue_get_many(queue, 10, 5, &reply));
    struct ipcc_walk walk = ipcc_walk_of(&reply.value);
    assert_true(ipcc_walk_item(&walk, &item) && item.ticket == 1);
    assert_true(ipcc_walk_item(&walk, &item) && ipcc_value_is_str(&item.value, "b"));
    assert_false(ipcc_walk_item(&walk, &item));
    ipcc_reply_free(&reply);
}

static void queue_functions_make_their_requests(void **state)
{
    struct fake_server server;
    struct ipcc_queue *queue;
    struct ipcc_reply reply;
    struct ipcc_value numbers[] = {ipcc_int(1), ipcc_int(2)};
    struct ipcc_put_options options = {.priority = ipcc_int(-1), .delay_ms = 10, .ttl_ms = 20};
    uint64_t count = 0;
    bool empty = false;
    bool full = true;
    struct ipcc *conn = connect_to(&server, serve_rows, queue_rows);
    assert_ok(ipcc_queue_open(conn, "q", NULL, &queue));
    assert_ok(ipcc_queue_put(queue, ipcc_str("v"), IPCC_FOREVER, NULL));
    assert_ok(ipcc_queue_put(queue, ipcc_nil(), 0, &options));
    assert_ok(ipcc_queue_put_many(queue, ipcc_array(numbers, 2), 100, &count));
    assert_int_equal(count, 2);
    take_items(queue);
    assert_ok(ipcc_queue_task_done(queue, IPCC_NO_TICKET, &count));
    assert_int_equal(count, 3);
    assert_ok(ipcc_queue_task_done(queue, 9, NULL));
    assert_ok(ipcc_queue_give_back(queue, 9, 0));
    assert_ok(ipcc_queue_give_back(queue, 9, 50));
    assert_ok(ipcc_queue_give_back_uncounted(queue, 9, 0));
    assert_ok(ipcc_queue_touch(queue, 9));
    assert_encoding("\x90", ipcc_queue_taken(queue, 5, 10, &reply));
    assert_ok(ipcc_queue_join(queue, 7));
    assert_ok(ipcc_queue_qsize(queue, &count));
    assert_int_equal(count, 5);
    assert_ok(ipcc_queue_empty(queue, &empty));
    assert_ok(ipcc_queue_full(queue, &full));
    assert_true(empty && !full);
    assert_ok(ipcc_queue_peek(queue, 1, 2, &reply));
    assert_memory_equal(reply.value.as.data,
                        "\x92\xa1"
                        "b\xa1"
                        "c",
                        5);
    ipcc_reply_free(&reply);
    assert_ok(ipcc_queue_clear(queue, &count));
    assert_int_equal(count, 4);
    assert_ok(ipcc_queue_pause(queue, 50));
    assert_ok(ipcc_queue_pause(queue, 0));
    assert_ok(ipcc_queue_pause(queue, IPCC_FOREVER));
    assert_fails(ipcc_queue_pause(queue, -2), ARGUMENT, "");
    assert_ok(ipcc_queue_resume(queue));
    assert_ok(ipcc_queue_shutdown(queue, true));
    assert_ok(ipcc_queue_close(queue));
    close_and_join(conn, &server);
}

/* ---- dict ------------------------------------------------------------------------------------ */

static const struct row dict_rows[] = {
    {"dict.open", "['d']", "{name: 'd'}"},
    {"dict.get", "['d', 'k']", "'v'"},
    {"dict.get", "['d', 'k', nil]", "nil"},
    {"dict.set", "['d', 1, 'one']", "true"},
    {"dict.update", "['d', {a: 1}]", "1"},
    {"dict.setdefault", "['d', 'k', 5]", "6"},
    {"dict.setdefault", "['d', 'k']", "nil"},
    {"dict.delete", "['d', 'k']", "nil"},
    {"dict.pop", "['d', 'k']", "'v'"},
    {"dict.pop", "['d', 'k', 0]", "0"},
    {"dict.popitem", "['d']", "['k', 'v']"},
    {"dict.contains", "['d', 'k']", "true"},
    {"dict.len", "['d']", "3"},
    {"dict.clear", "['d']", "nil"},
    {"dict.keys", "['d']", "['a']"},
    {"dict.values", "['d']", "[1]"},
    {"dict.items", "['d']", "[['a', 1]]"},
    {"dict.copy", "['d']", "{a: 1}"},
    {"dict.scan", "['d', 0, 10]", "{cursor: 17, items: [['a', 1]]}"},
    {"dict.scan", "['d', 17]", "{cursor: 0, items: []}"},
    {"dict.incr", "['d', 'n']", "1"},
    {"dict.incr", "['d', 'n', 1.5]", "2.5"},
    {"dict.incr", "['d', 'n', nil, 10]", "11"},
    {"dict.cas", "['d', 'k', [1], [2]]", "true"},
    {"dict.cas", "['d', 'k', [], [nil]]", "false"},
    {"dict.cas", "['d', 'k', [nil], []]", "true"},
    {"dict.wait", "['d', 'k', 0]", "'v'"},
    {"object.close", "['d']", "nil"},
    {NULL, NULL, NULL},
};

static void use_dict_as_a_whole(struct ipcc_dict *dict)
{
    struct ipcc_reply reply;
    uint64_t count = 0;
    assert_ok(ipcc_dict_len(dict, &count));
    assert_int_equal(count, 3);
    assert_ok(ipcc_dict_clear(dict));
    assert_encoding("\x91\xa1"
                    "a",
                    ipcc_dict_keys(dict, &reply));
    assert_encoding("\x91\x01", ipcc_dict_values(dict, &reply));
    assert_encoding("\x91\x92\xa1"
                    "a\x01",
                    ipcc_dict_items(dict, &reply));
    assert_encoding("\x81\xa1"
                    "a\x01",
                    ipcc_dict_copy(dict, &reply));
    uint64_t cursor = 0;
    assert_encoding("\x91\x92\xa1"
                    "a\x01",
                    ipcc_dict_scan(dict, &cursor, 10, &reply));
    assert_int_equal(cursor, 17);
    assert_encoding("\x90", ipcc_dict_scan(dict, &cursor, 0, &reply));
    assert_int_equal(cursor, 0);
}

static void use_dict_numbers(struct ipcc_dict *dict)
{
    struct ipcc_value n = ipcc_str("n");
    struct ipcc_value k = ipcc_str("k");
    struct ipcc_reply reply;
    bool changed = false;
    assert_answers(1, ipcc_dict_incr(dict, n, ipcc_none(), ipcc_none(), &reply));
    assert_ok(ipcc_dict_incr(dict, n, ipcc_float(1.5), ipcc_none(), &reply));
    assert_true(reply.value.as.number == 2.5);
    assert_answers(11, ipcc_dict_incr(dict, n, ipcc_none(), ipcc_int(10), &reply));
    assert_ok(ipcc_dict_cas(dict, k, ipcc_int(1), ipcc_int(2), &changed));
    assert_true(changed);
    assert_ok(ipcc_dict_cas(dict, k, ipcc_none(), ipcc_nil(), &changed));
    assert_false(changed);
    assert_ok(ipcc_dict_cas(dict, k, ipcc_nil(), ipcc_none(), NULL));
}

static void dict_functions_make_their_requests(void **state)
{
    struct fake_server server;
    struct ipcc_dict *dict;
    struct ipcc_reply reply;
    struct ipcc_value key;
    struct ipcc_value value;
    struct ipcc_value k = ipcc_str("k");
    struct ipcc_value pair[] = {ipcc_str("a"), ipcc_int(1)};
    uint64_t count = 0;
    bool yes = false;
    struct ipcc *conn = connect_to(&server, serve_rows, dict_rows);
    assert_ok(ipcc_dict_open(conn, "d", NULL, &dict));
    assert_ok(ipcc_dict_get(dict, k, ipcc_none(), &reply));
    assert_true(ipcc_value_is_str(&reply.value, "v"));
    ipcc_reply_free(&reply);
    assert_ok(ipcc_dict_get(dict, k, ipcc_nil(), &reply));
    assert_int_equal(reply.value.kind, IPCC_NIL);
    assert_ok(ipcc_dict_set(dict, ipcc_int(1), ipcc_str("one"), &yes));
    assert_true(yes);
    assert_ok(ipcc_dict_update(dict, ipcc_map(pair, 1), &count));
    assert_int_equal(count, 1);
    assert_answers(6, ipcc_dict_setdefault(dict, k, ipcc_int(5), &reply));
    assert_ok(ipcc_dict_setdefault(dict, k, ipcc_none(), NULL));
    assert_ok(ipcc_dict_delete(dict, k));
    assert_ok(ipcc_dict_pop(dict, k, ipcc_none(), NULL));
    assert_answers(0, ipcc_dict_pop(dict, k, ipcc_int(0), &reply));
    assert_ok(ipcc_dict_popitem(dict, &key, &value, &reply));
    assert_true(ipcc_value_is_str(&key, "k") && ipcc_value_is_str(&value, "v"));
    ipcc_reply_free(&reply);
    yes = false;
    assert_ok(ipcc_dict_contains(dict, k, &yes));
    assert_true(yes);
    use_dict_as_a_whole(dict);
    use_dict_numbers(dict);
    assert_ok(ipcc_dict_wait(dict, k, 0, NULL));
    assert_ok(ipcc_dict_close(dict));
    close_and_join(conn, &server);
}

/* ---- list ------------------------------------------------------------------------------------ */

static const struct row list_rows[] = {
    {"list.open", "['l']", "{name: 'l'}"},
    {"list.append", "['l', 'v']", "1"},
    {"list.extend", "['l', [1, 2]]", "3"},
    {"list.insert", "['l', -1, 'v']", "nil"},
    {"list.get", "['l', -1]", "5"},
    {"list.delete", "['l', 0]", "nil"},
    {"list.set", "['l', 0, 'v']", "nil"},
    {"list.pop", "['l', -1]", "6"},
    {"list.slice", "['l', 1, nil, -1]", "[1]"},
    {"list.slice", "['l', nil, nil, nil]", "[]"},
    {"list.set_slice", "['l', nil, 2, nil, [1]]", "nil"},
    {"list.delete_slice", "['l', 0, 1, 2]", "nil"},
    {"list.len", "['l']", "4"},
    {"list.clear", "['l']", "nil"},
    {"list.index", "['l', 'v', nil, 5]", "2"},
    {"list.count", "['l', 'v']", "3"},
    {"list.contains", "['l', 'v']", "true"},
    {"list.remove", "['l', 'v']", "nil"},
    {"list.reverse", "['l']", "nil"},
    {"list.sort", "['l', true]", "nil"},
    {"list.repeat", "['l', 3]", "nil"},
    {"list.incr", "['l', 0]", "8"},
    {"list.incr", "['l', 0, -2]", "6"},
    {"object.close", "['l']", "nil"},
    {NULL, NULL, NULL},
};

static void use_list_slices(struct ipcc_list *list)
{
    struct ipcc_reply reply;
    struct ipcc_value one = ipcc_int(1);
    assert_encoding("\x91\x01", ipcc_list_slice(list, 1, IPCC_OMIT, -1, &reply));
    assert_encoding("\x90", ipcc_list_slice(list, IPCC_OMIT, IPCC_OMIT, IPCC_OMIT, &reply));
    assert_ok(ipcc_list_set_slice(list, IPCC_OMIT, 2, IPCC_OMIT, ipcc_array(&one, 1)));
    assert_ok(ipcc_list_delete_slice(list, 0, 1, 2));
}

static void list_functions_make_their_requests(void **state)
{
    struct fake_server server;
    struct ipcc_list *list;
    struct ipcc_reply reply;
    struct ipcc_value v = ipcc_str("v");
    struct ipcc_value numbers[] = {ipcc_int(1), ipcc_int(2)};
    uint64_t count = 0;
    bool yes = false;
    struct ipcc *conn = connect_to(&server, serve_rows, list_rows);
    assert_ok(ipcc_list_open(conn, "l", NULL, &list));
    assert_ok(ipcc_list_append(list, v, &count));
    assert_int_equal(count, 1);
    assert_ok(ipcc_list_extend(list, ipcc_array(numbers, 2), &count));
    assert_int_equal(count, 3);
    assert_ok(ipcc_list_insert(list, -1, v));
    assert_answers(5, ipcc_list_get(list, -1, &reply));
    assert_ok(ipcc_list_delete(list, 0));
    assert_ok(ipcc_list_set(list, 0, v));
    assert_answers(6, ipcc_list_pop(list, -1, &reply));
    use_list_slices(list);
    assert_ok(ipcc_list_len(list, &count));
    assert_int_equal(count, 4);
    assert_ok(ipcc_list_clear(list));
    assert_ok(ipcc_list_index(list, v, IPCC_OMIT, 5, &count));
    assert_int_equal(count, 2);
    assert_ok(ipcc_list_count(list, v, &count));
    assert_int_equal(count, 3);
    assert_ok(ipcc_list_contains(list, v, &yes));
    assert_true(yes);
    assert_ok(ipcc_list_remove(list, v));
    assert_ok(ipcc_list_reverse(list));
    assert_ok(ipcc_list_sort(list, true));
    assert_ok(ipcc_list_repeat(list, 3));
    assert_answers(8, ipcc_list_incr(list, 0, ipcc_none(), &reply));
    assert_answers(6, ipcc_list_incr(list, 0, ipcc_int(-2), &reply));
    assert_ok(ipcc_list_close(list));
    close_and_join(conn, &server);
}

/* ---- objects, sessions, the daemon ----------------------------------------------------------- */

static const struct row object_rows[] = {
    {"object.describe", "['q']", "{}"},
    {"object.delete", "['q']", "nil"},
    {"object.close", "['q']", "nil"},
    {"object.chmod", "['q', 416]", "nil"},
    {"object.chown", "['q', 7, 0]", "nil"},
    {"object.chown", "['q', nil, 4294967294]", "nil"},
    {"object.chown", "['q', 0, nil]", "nil"},
    {"object.rename", "['q', 'r']", "nil"},
    {"object.list", "[]", "{}"},
    {"object.list", "[{glob: 'a*', type: 'queue', cursor: 17, limit: 5, waiting: true}]", "{}"},
    {"server.ping", "['v']", "{}"},
    {"server.methods", "[]", "{}"},
    {"server.stats", "[]", "{}"},
    {"session.list", "[]", "{}"},
    {"session.describe", "[]", "{}"},
    {"session.describe", "[4]", "{}"},
    {"session.kill", "[4]", "nil"},
    {NULL, NULL, NULL},
};

static void object_functions_make_their_requests(void **state)
{
    struct fake_server server;
    struct ipcc_reply reply;
    struct ipcc_object_filter filter = {
        .glob = "a*", .type = "queue", .cursor = 17, .limit = 5, .waiting = true};
    struct ipcc *conn = connect_to(&server, serve_rows, object_rows);
    assert_encoding("\x80", ipcc_object_describe(conn, "q", &reply));
    assert_ok(ipcc_object_delete(conn, "q"));
    assert_ok(ipcc_object_close(conn, "q"));
    assert_ok(ipcc_object_chmod(conn, "q", 0640));
    assert_ok(ipcc_object_chown(conn, "q", 7, 0));
    assert_ok(ipcc_object_chown(conn, "q", -1, UINT32_MAX - 1));
    assert_ok(ipcc_object_chown(conn, "q", 0, INT64_MIN));
    assert_ok(ipcc_object_rename(conn, "q", "r"));
    assert_encoding("\x80", ipcc_object_list(conn, NULL, &reply));
    assert_encoding("\x80", ipcc_object_list(conn, &filter, &reply));
    assert_encoding("\x80", ipcc_server_ping(conn, ipcc_str("v"), &reply));
    assert_encoding("\x80", ipcc_server_methods(conn, &reply));
    assert_encoding("\x80", ipcc_server_stats(conn, &reply));
    assert_encoding("\x80", ipcc_session_list(conn, &reply));
    assert_encoding("\x80", ipcc_session_describe(conn, 0, &reply));
    assert_encoding("\x80", ipcc_session_describe(conn, 4, &reply));
    assert_ok(ipcc_session_kill(conn, 4));
    close_and_join(conn, &server);
}

/* ---- answers of other kinds ------------------------------------------------------------------ */

static const struct row wrong_rows[] = {
    {"queue.open", "['q']", "{name: 'q'}"},
    {"queue.qsize", "_array", "'five'"},
    {"queue.qsize", "_array", "-1"},
    {"queue.empty", "_array", "0"},
    {"queue.get", "_array", "['v', nil]"},
    {"queue.get", "_array", "'v'"},
    {"dict.open", "['d']", "{name: 'd'}"},
    {"dict.popitem", "_array", "['k']"},
    {"dict.scan", "_array", "{items: []}"},
    {"dict.scan", "_array", "{cursor: 0}"},
    {"object.close", "['q']", "nil"},
    {"object.close", "['d']", "nil"},
    {NULL, NULL, NULL},
};

static void answers_of_another_kind_are_refused(void **state)
{
    struct fake_server server;
    struct ipcc_queue *queue;
    struct ipcc_dict *dict;
    struct ipcc_item item;
    struct ipcc_reply reply;
    uint64_t count = 99;
    bool yes;
    struct ipcc *conn = connect_to(&server, serve_rows, wrong_rows);
    assert_ok(ipcc_queue_open(conn, "q", NULL, &queue));
    assert_fails(ipcc_queue_qsize(queue, &count), PROTOCOL, "queue.qsize is a str where a count");
    assert_fails(ipcc_queue_qsize(queue, &count), PROTOCOL, "an integer where a count");
    assert_fails(ipcc_queue_empty(queue, &yes), PROTOCOL, "an integer where a boolean");
    assert_fails(ipcc_queue_get(queue, 0, &item, &reply), PROTOCOL, "an array where an item");
    assert_fails(ipcc_queue_get(queue, 0, &item, &reply), PROTOCOL, "a str where an item");
    assert_int_equal(reply.value.kind, IPCC_NONE);
    assert_ok(ipcc_dict_open(conn, "d", NULL, &dict));
    assert_fails(ipcc_dict_popitem(dict, NULL, NULL, &reply), PROTOCOL, "[key, value]");
    assert_fails(ipcc_dict_scan(dict, &count, 0, &reply), PROTOCOL, "cursor");
    assert_fails(ipcc_dict_scan(dict, &count, 0, &reply), PROTOCOL, "items");
    assert_int_equal(count, 99);
    assert_ok(ipcc_queue_close(queue));
    assert_ok(ipcc_dict_close(dict));
    close_and_join(conn, &server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(open_sends_the_options_that_are_given),
        cmocka_unit_test(handle_may_be_closed_after_its_connection),
        cmocka_unit_test(closing_what_is_deleted_already_is_no_error),
        cmocka_unit_test(queue_functions_make_their_requests),
        cmocka_unit_test(dict_functions_make_their_requests),
        cmocka_unit_test(list_functions_make_their_requests),
        cmocka_unit_test(object_functions_make_their_requests),
        cmocka_unit_test(answers_of_another_kind_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
