/* Results of calls by name, read as what the typed functions give; and numbers in place of replies,
 * with their bounds. */
#include "tests/unit/client/loop.h"
#include "tests/unit/client/rows.h"

/* ---- results --------------------------------------------------------------------------------- */

/* What the callback of a call was given, read as an item. */
struct got {
    struct outcome outcome;
    struct ipcc_item item;
    struct ipcc_reply reply;
};

static void keep_item(struct ipcc *conn, int status, const struct ipcc_reply *reply, void *data)
{
    struct got *got = data;
    got->outcome.status = status;
    if (status == 0) {
        got->outcome.status = ipcc_value_item(&reply->value, &got->item);
        assert_ok(ipcc_reply_copy(&got->reply, reply));
    }
    got->outcome.count++;
}

static void serve_items(struct fake *fake)
{
    fake_greet(fake);
    uint32_t first = fake_expect(fake, "queue.get", "['q', nil]");
    uint32_t second = fake_expect(fake, "queue.get", "['q', nil]");
    fake_answer(fake, second, "['text', 7, 2]");
    fake_answer(fake, first, "['text', 7]");
    fake_expect_end(fake);
}

static void item_is_read_in_the_callback_of_a_completed_call(void **state)
{
    struct fake_server server;
    struct got first = {0};
    struct got second = {0};
    struct ipcc_value params[] = {ipcc_str("q"), ipcc_nil()};
    struct ipcc_request request = {.method = "queue.get", .params = params, .nparams = 2};
    struct ipcc *conn = open_async(&server, serve_items, NULL);
    assert_ok(ipcc_call_async(conn, &request, keep_item, &first, NULL));
    assert_ok(ipcc_call_async(conn, &request, keep_item, &second, NULL));
    run_until(conn, &second.outcome);
    run_until(conn, &first.outcome);
    assert_int_equal(second.outcome.status, 0);
    assert_int_equal(second.item.ticket, 7);
    assert_int_equal(second.item.deliveries, 2);
    assert_ok(ipcc_value_item(&second.reply.value, &second.item));
    assert_true(ipcc_value_is_str(&second.item.value, "text"));
    assert_int_equal(first.outcome.status, IPCC_ERR_TYPE);
    ipcc_reply_free(&first.reply);
    ipcc_reply_free(&second.reply);
    close_and_join(conn, &server);
}

static const struct row result_rows[] = {
    {"r", "[]", "['b', 'v', nil, 1]"},
    {"r", "[]", "['k', 5]"},
    {"r", "[]", "{cursor: 17, items: [['a', 1]]}"},
    {"r", "[]", "{depth: 2, abandoned: true}"},
    {"r", "[]", "{parties: 3, waiting: 2, broken: false}"},
    {"r", "[]", "[5, 'v', nil, 1]"},
    {NULL, NULL, NULL},
};

static void each_result_is_read_as_the_struct_of_its_typed_function(void **state)
{
    struct fake_server server;
    struct ipcc_reply reply;
    struct ipcc_item item;
    struct ipcc_value first;
    struct ipcc_value second;
    struct ipcc_acquired acquired;
    struct ipcc_barrier_state barrier;
    uint64_t cursor;
    struct ipcc *conn = connect_to(&server, serve_rows, result_rows);
    assert_ok(ipcc_call(conn, "r", NULL, 0, &reply));
    assert_ok(ipcc_value_any_item(&reply.value, &first, &item));
    assert_true(ipcc_value_is_str(&first, "b") && ipcc_value_is_str(&item.value, "v"));
    assert_int_equal(item.ticket, IPCC_NO_TICKET);
    ipcc_reply_free(&reply);
    assert_ok(ipcc_call(conn, "r", NULL, 0, &reply));
    assert_ok(ipcc_value_pair(&reply.value, &first, &second));
    assert_true(ipcc_value_is_str(&first, "k") && second.as.integer == 5);
    ipcc_reply_free(&reply);
    assert_ok(ipcc_call(conn, "r", NULL, 0, &reply));
    assert_ok(ipcc_value_scan(&reply.value, &cursor, &first));
    struct ipcc_walk walk = ipcc_walk_of(&first);
    assert_true(cursor == 17 && walk.left == 1);
    ipcc_reply_free(&reply);
    assert_ok(ipcc_call(conn, "r", NULL, 0, &reply));
    assert_ok(ipcc_value_acquired(&reply.value, &acquired));
    assert_true(acquired.depth == 2 && acquired.abandoned);
    ipcc_reply_free(&reply);
    assert_ok(ipcc_call(conn, "r", NULL, 0, &reply));
    assert_ok(ipcc_value_barrier_state(&reply.value, &barrier));
    assert_true(barrier.parties == 3 && barrier.waiting == 2 && !barrier.broken);
    ipcc_reply_free(&reply);
    assert_ok(ipcc_call(conn, "r", NULL, 0, &reply));
    assert_fails(ipcc_value_any_item(&reply.value, &first, &item), TYPE, "[queue, value, ");
    ipcc_reply_free(&reply);
    close_and_join(conn, &server);
}

/* Encodings of answers in which something is missing or of another kind. */
static void what_is_no_such_result_is_a_type_error_and_stores_nothing(void **state)
{
    static const char *const encodings[] = {
        "\xc0",         /* nil */
        "\x05",         /* 5 */
        "\x90",         /* [] */
        "\x91\x01",     /* [1] */
        "\x80",         /* {} */
        "\x81\x01\x01", /* {1: 1} */
        "\x81\xa5"
        "depth"
        "\xff", /* {depth: -1} */
        "\x81\xa6"
        "cursor"
        "\x01",     /* {cursor: 1} */
        "\x92\xc1", /* two elements, of which there is no first */
    };
    const struct ipcc_item none = {.ticket = 5};
    for (size_t i = 0; i < sizeof(encodings) / sizeof(encodings[0]); i++) {
        struct ipcc_value value = ipcc_raw(encodings[i], strlen(encodings[i]));
        struct ipcc_item item = none;
        struct ipcc_value first = ipcc_int(1);
        struct ipcc_value second = ipcc_int(2);
        struct ipcc_acquired acquired = {.depth = 5};
        struct ipcc_barrier_state barrier = {.parties = 5};
        uint64_t cursor = 5;
        assert_fails(ipcc_value_item(&value, &item), TYPE, "expected");
        assert_fails(ipcc_value_any_item(&value, &first, &item), TYPE, "expected");
        assert_fails(ipcc_value_pair(&value, &first, &second), TYPE, "expected");
        assert_fails(ipcc_value_scan(&value, &cursor, &first), TYPE, "expected");
        assert_fails(ipcc_value_acquired(&value, &acquired), TYPE, "expected");
        assert_fails(ipcc_value_barrier_state(&value, &barrier), TYPE, "expected");
        assert_true(item.ticket == 5 && first.as.integer == 1 && second.as.integer == 2);
        assert_true(acquired.depth == 5 && barrier.parties == 5 && cursor == 5);
    }
}

static void results_need_a_value_and_their_places(void **state)
{
    struct ipcc_value value = ipcc_nil();
    struct ipcc_value other = ipcc_nil();
    struct ipcc_item item;
    assert_fails(ipcc_value_item(NULL, &item), ARGUMENT, "NULL");
    assert_fails(ipcc_value_item(&value, NULL), ARGUMENT, "NULL");
    assert_fails(ipcc_value_any_item(&value, NULL, &item), ARGUMENT, "NULL");
    assert_fails(ipcc_value_pair(&value, &other, NULL), ARGUMENT, "NULL");
    assert_fails(ipcc_value_scan(&value, NULL, &other), ARGUMENT, "NULL");
    assert_fails(ipcc_value_acquired(&value, NULL), ARGUMENT, "NULL");
    assert_fails(ipcc_value_barrier_state(NULL, NULL), ARGUMENT, "NULL");
}

/* ---- numbers --------------------------------------------------------------------------------- */

static void scalars_are_taken_as_what_they_must_be(void **state)
{
    uint64_t count = 1;
    bool yes = false;
    struct ipcc_value value = ipcc_uint(UINT64_MAX);
    assert_ok(ipcc_value_uint(&value, &count));
    assert_true(count == UINT64_MAX);
    value = ipcc_int(0);
    assert_ok(ipcc_value_uint(&value, &count));
    assert_true(count == 0);
    value = ipcc_int(-1);
    assert_fails(ipcc_value_uint(&value, &count), RANGE, "-1");
    value = ipcc_float(1);
    assert_fails(ipcc_value_uint(&value, &count), TYPE, "an integer");
    assert_fails(ipcc_value_uint(NULL, &count), ARGUMENT, "NULL");
    assert_fails(ipcc_value_bool(&value, &yes), TYPE, "a boolean");
    assert_fails(ipcc_value_bool(&value, NULL), ARGUMENT, "NULL");
    value = ipcc_bool(true);
    assert_ok(ipcc_value_bool(&value, &yes));
    assert_true(yes && count == 0);
}

static void integers_become_doubles_only_if_they_are_equal(void **state)
{
    static const struct {
        struct ipcc_value value;
        double number;
    } equal[] = {
        {{.kind = IPCC_FLOAT, .as.number = -0.5}, -0.5},
        {{.kind = IPCC_INT, .as.integer = -7}, -7},
        {{.kind = IPCC_INT, .as.integer = INT64_MIN}, -0x1p63},
        {{.kind = IPCC_INT, .as.integer = INT64_MAX - 1023}, 0x1.fffffffffffffp62},
        {{.kind = IPCC_INT, .as.integer = 1LL << 53}, 0x1p53},
        {{.kind = IPCC_UINT, .as.unsigned_integer = 1ULL << 63}, 0x1p63},
        {{.kind = IPCC_UINT, .as.unsigned_integer = UINT64_MAX - 2047}, 0x1.fffffffffffffp63},
    };
    struct ipcc_value unequal[] = {ipcc_int(INT64_MAX), ipcc_int(INT64_MIN + 1),
                                   ipcc_int((1LL << 53) + 1), ipcc_uint(UINT64_MAX),
                                   ipcc_uint((1ULL << 63) + 1)};
    double number = 0;
    for (size_t i = 0; i < sizeof(equal) / sizeof(equal[0]); i++) {
        assert_ok(ipcc_value_double(&equal[i].value, &number));
        assert_true(number == equal[i].number);
    }
    for (size_t i = 0; i < sizeof(unequal) / sizeof(unequal[0]); i++) {
        assert_fails(ipcc_value_double(&unequal[i], &number), RANGE, "no double");
    }
    struct ipcc_value text = ipcc_str("1");
    assert_fails(ipcc_value_double(&text, &number), TYPE, "a number");
    assert_fails(ipcc_value_double(&text, NULL), ARGUMENT, "NULL");
}

static const struct row number_rows[] = {
    {"dict.open", "['d']", "{name: 'd'}"},
    {"namespace.open", "['n']", "{name: 'n'}"},
    {"list.open", "['l']", "{name: 'l'}"},
    {"dict.get", "['d', 'k']", "9223372036854775807"},
    {"dict.get", "['d', 'k', 3]", "0x8000000000000000"},
    {"dict.get", "['d', 'k']", "'text'"},
    {"dict.get", "['d', 'k']", "'text'"},
    {"dict.setdefault", "['d', 'k', -1]", "-1"},
    {"dict.incr", "['d', 'k', 2, 10]", "12"},
    {"dict.incr", "['d', 'k', 2, 0]", "1.5"},
    {"dict.wait", "['d', 'k', 0]", "4"},
    {"dict.get", "['d', 'k']", "9223372036854775807"},
    {"dict.setdefault", "['d', 'k', 0.5]", "3"},
    {"dict.incr", "['d', 'k', 0.5, 1.0]", "1.5"},
    {"dict.wait", "['d', 'k', nil]", "2"},
    {"namespace.get", "['n', 'k', nil]", "1"},
    {"namespace.setdefault", "['n', 'k', 5]", "2"},
    {"namespace.incr", "['n', 'k', 1, 0]", "3"},
    {"namespace.wait", "['n', 'k', 0]", "4"},
    {"namespace.get", "['n', 'k']", "1.0"},
    {"namespace.setdefault", "['n', 'k', 5.0]", "2"},
    {"namespace.incr", "['n', 'k', 1.0, 0.0]", "3.0"},
    {"namespace.wait", "['n', 'k', 0]", "nil"},
    {"list.get", "['l', -1]", "-9223372036854775808"},
    {"list.incr", "['l', 0, 1]", "0x8000000000000000"},
    {"list.get", "['l', 0]", "0.25"},
    {"list.incr", "['l', 0, 0.25]", "0.5"},
    {"object.close", "['d']", "nil"},
    {"object.close", "['n']", "nil"},
    {"object.close", "['l']", "nil"},
    {NULL, NULL, NULL},
};

#define assert_number(expected, call)                                                              \
    do {                                                                                           \
        number = 0;                                                                                \
        assert_ok(call);                                                                           \
        assert_true(number == (expected));                                                         \
    } while (0)

static void use_integers_of_a_dict(struct ipcc_dict *dict)
{
    int64_t number;
    struct ipcc_value k = ipcc_str("k");
    assert_number(INT64_MAX, ipcc_dict_get_int(dict, k, ipcc_none(), &number));
    assert_fails(ipcc_dict_get_int(dict, k, ipcc_int(3), &number), RANGE, "dict.get: the integer");
    assert_fails(ipcc_dict_get_int(dict, k, ipcc_none(), &number), TYPE, "dict.get: the value is");
    assert_ok(ipcc_dict_get_int(dict, k, ipcc_none(), NULL));
    assert_number(-1, ipcc_dict_setdefault_int(dict, k, -1, &number));
    assert_number(12, ipcc_dict_incr_int(dict, k, 2, 10, &number));
    assert_fails(ipcc_dict_incr_int(dict, k, 2, 0, &number), TYPE, "dict.incr: ");
    assert_number(4, ipcc_dict_wait_int(dict, k, 0, &number));
}

static void use_doubles_of_a_dict(struct ipcc_dict *dict)
{
    double number;
    struct ipcc_value k = ipcc_str("k");
    assert_fails(ipcc_dict_get_double(dict, k, ipcc_none(), &number), RANGE, "dict.get: ");
    assert_number(3, ipcc_dict_setdefault_double(dict, k, 0.5, &number));
    assert_number(1.5, ipcc_dict_incr_double(dict, k, 0.5, 1, &number));
    assert_number(2, ipcc_dict_wait_double(dict, k, IPCC_FOREVER, &number));
}

static void use_numbers_of_a_namespace(struct ipcc_namespace *space)
{
    int64_t number;
    double real;
    assert_number(1, ipcc_namespace_get_int(space, "k", ipcc_nil(), &number));
    assert_number(2, ipcc_namespace_setdefault_int(space, "k", 5, &number));
    assert_number(3, ipcc_namespace_incr_int(space, "k", 1, 0, &number));
    assert_number(4, ipcc_namespace_wait_int(space, "k", 0, &number));
    assert_ok(ipcc_namespace_get_double(space, "k", ipcc_none(), &real));
    assert_ok(ipcc_namespace_setdefault_double(space, "k", 5, &real));
    assert_ok(ipcc_namespace_incr_double(space, "k", 1, 0, &real));
    assert_true(real == 3);
    assert_fails(ipcc_namespace_wait_double(space, "k", 0, &real), TYPE, "nil where a number");
    assert_fails(ipcc_namespace_get_int(space, NULL, ipcc_none(), &number), ARGUMENT, "");
}

static void use_numbers_of_a_list(struct ipcc_list *list)
{
    int64_t number;
    double real;
    assert_number(INT64_MIN, ipcc_list_get_int(list, -1, &number));
    assert_fails(ipcc_list_incr_int(list, 0, 1, &number), RANGE, "list.incr: ");
    assert_ok(ipcc_list_get_double(list, 0, &real));
    assert_true(real == 0.25);
    assert_ok(ipcc_list_incr_double(list, 0, 0.25, &real));
    assert_true(real == 0.5);
    assert_fails(ipcc_list_get_int(NULL, 0, &number), ARGUMENT, "handle");
}

static void numbers_come_in_place_of_replies_within_their_bounds(void **state)
{
    struct fake_server server;
    struct ipcc_dict *dict;
    struct ipcc_namespace *space;
    struct ipcc_list *list;
    struct ipcc *conn = connect_to(&server, serve_rows, number_rows);
    assert_ok(ipcc_dict_open(conn, "d", NULL, &dict));
    assert_ok(ipcc_namespace_open(conn, "n", NULL, &space));
    assert_ok(ipcc_list_open(conn, "l", NULL, &list));
    use_integers_of_a_dict(dict);
    use_doubles_of_a_dict(dict);
    use_numbers_of_a_namespace(space);
    use_numbers_of_a_list(list);
    assert_ok(ipcc_dict_close(dict));
    assert_ok(ipcc_namespace_close(space));
    assert_ok(ipcc_list_close(list));
    close_and_join(conn, &server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(item_is_read_in_the_callback_of_a_completed_call),
        cmocka_unit_test(each_result_is_read_as_the_struct_of_its_typed_function),
        cmocka_unit_test(what_is_no_such_result_is_a_type_error_and_stores_nothing),
        cmocka_unit_test(results_need_a_value_and_their_places),
        cmocka_unit_test(scalars_are_taken_as_what_they_must_be),
        cmocka_unit_test(integers_become_doubles_only_if_they_are_equal),
        cmocka_unit_test(numbers_come_in_place_of_replies_within_their_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
