/* The client library's dict and list functions against a real daemon. */
#include "tests/system/client_system.h"

static struct ipcc_value k(void)
{
    return ipcc_str("k");
}

static void dict_get_set_and_delete(void **state)
{
    struct ipcc *conn = client_open(*state);
    struct ipcc_dict *dict = NULL;
    struct ipcc_reply reply;
    bool yes = false;
    uint64_t count = 0;
    assert_ok(ipcc_dict_open(conn, "d", NULL, &dict));
    assert_fails(ipcc_dict_get(dict, k(), ipcc_none(), &reply), KEY, "k");
    assert_prints("null", ipcc_dict_get(dict, k(), ipcc_nil(), &reply));
    assert_ok(ipcc_dict_set(dict, k(), ipcc_bin("\x01", 1), &yes));
    assert_true(yes);
    assert_ok(ipcc_dict_set(dict, k(), ipcc_float(0.5), &yes));
    assert_false(yes);
    assert_prints("0.5", ipcc_dict_get(dict, k(), ipcc_none(), &reply));
    assert_prints("0.5", ipcc_dict_setdefault(dict, k(), ipcc_int(1), &reply));
    assert_prints("null", ipcc_dict_setdefault(dict, ipcc_int(1), ipcc_none(), &reply));
    assert_ok(ipcc_dict_contains(dict, ipcc_str("1"), &yes));
    assert_false(yes);
    assert_ok(ipcc_dict_len(dict, &count));
    assert_int_equal(count, 2);
    assert_ok(ipcc_dict_delete(dict, ipcc_int(1)));
    assert_fails(ipcc_dict_delete(dict, ipcc_int(1)), KEY, "1");
    assert_prints("0.5", ipcc_dict_pop(dict, k(), ipcc_none(), &reply));
    assert_prints("9", ipcc_dict_pop(dict, k(), ipcc_int(9), &reply));
    assert_fails(ipcc_dict_pop(dict, k(), ipcc_none(), NULL), KEY, "k");
    assert_fails(ipcc_dict_set(dict, ipcc_map(NULL, 0), k(), NULL), TYPE, "map");
    assert_ok(ipcc_dict_close(dict));
    assert_ok(ipcc_close(conn));
}

static void dict_as_a_whole(void **state)
{
    struct ipcc *conn = client_open(*state);
    struct ipcc_dict *dict = NULL;
    struct ipcc_reply reply;
    struct ipcc_value key;
    struct ipcc_value value;
    struct ipcc_value initial[] = {ipcc_str("a"), ipcc_int(1), ipcc_str("b"), ipcc_int(2)};
    struct ipcc_dict_options options = {.initial = ipcc_map(initial, 2)};
    struct ipcc_value more[] = {ipcc_str("b"), ipcc_int(3), ipcc_str("c"), ipcc_int(4)};
    uint64_t count = 0;
    assert_ok(ipcc_dict_open(conn, "d", &options, &dict));
    assert_ok(ipcc_dict_update(dict, ipcc_map(more, 2), &count));
    assert_int_equal(count, 1);
    assert_prints("[\"a\", \"b\", \"c\"]", ipcc_dict_keys(dict, &reply));
    assert_prints("[1, 3, 4]", ipcc_dict_values(dict, &reply));
    assert_prints("[[\"a\", 1], [\"b\", 3], [\"c\", 4]]", ipcc_dict_items(dict, &reply));
    assert_prints("{\"a\": 1, \"b\": 3, \"c\": 4}", ipcc_dict_copy(dict, &reply));
    assert_ok(ipcc_dict_popitem(dict, &key, &value, &reply));
    assert_true(ipcc_value_is_str(&key, "c"));
    assert_int_equal(value.as.integer, 4);
    ipcc_reply_free(&reply);
    assert_ok(ipcc_dict_clear(dict));
    assert_fails(ipcc_dict_popitem(dict, &key, &value, &reply), KEY, "");
    assert_ok(ipcc_dict_close(dict));
    assert_ok(ipcc_close(conn));
}

static void dict_scan_goes_through_all(void **state)
{
    struct ipcc *conn = client_open(*state);
    struct ipcc_dict *dict = NULL;
    struct ipcc_reply reply;
    struct ipcc_value key;
    struct ipcc_value value;
    int64_t sum = 0;
    unsigned steps = 0;
    uint64_t cursor = 0;
    assert_ok(ipcc_dict_open(conn, "d", NULL, &dict));
    for (int i = 0; i < 1000; i++) {
        assert_ok(ipcc_dict_set(dict, ipcc_int(i), ipcc_int(2 * i), NULL));
    }
    do {
        assert_ok(ipcc_dict_scan(dict, &cursor, 100, &reply));
        struct ipcc_walk walk = ipcc_walk_of(&reply.value);
        while (ipcc_walk_pair(&walk, &key, &value)) {
            assert_int_equal(value.as.integer, 2 * key.as.integer);
            sum += key.as.integer;
        }
        ipcc_reply_free(&reply);
        steps++;
    } while (cursor != 0);
    assert_int_equal(sum, 999 * 1000 / 2);
    assert_true(steps >= 5);
    assert_ok(ipcc_dict_close(dict));
    assert_ok(ipcc_close(conn));
}

static void dict_incr_cas_and_wait(void **state)
{
    struct ipcc *conn = client_open(*state);
    struct ipcc_dict *dict = NULL;
    struct ipcc_reply reply;
    bool changed = false;
    assert_ok(ipcc_dict_open(conn, "d", NULL, &dict));
    assert_prints("1", ipcc_dict_incr(dict, k(), ipcc_none(), ipcc_none(), &reply));
    assert_prints("-4", ipcc_dict_incr(dict, k(), ipcc_int(-5), ipcc_none(), &reply));
    assert_prints("11", ipcc_dict_incr(dict, ipcc_str("n"), ipcc_int(1), ipcc_int(10), &reply));
    assert_prints("1.5", ipcc_dict_incr(dict, ipcc_str("f"), ipcc_none(), ipcc_float(0.5), &reply));
    assert_ok(ipcc_dict_set(dict, k(), ipcc_str("text"), NULL));
    assert_fails(ipcc_dict_incr(dict, k(), ipcc_none(), ipcc_none(), NULL), TYPE, "");
    assert_ok(ipcc_dict_cas(dict, k(), ipcc_str("other"), ipcc_int(1), &changed));
    assert_false(changed);
    assert_ok(ipcc_dict_cas(dict, k(), ipcc_str("text"), ipcc_none(), &changed));
    assert_true(changed);
    assert_fails(ipcc_dict_wait(dict, k(), 1, NULL), TIMEOUT, "");
    assert_ok(ipcc_dict_cas(dict, k(), ipcc_none(), ipcc_int(5), &changed));
    assert_true(changed);
    assert_prints("5", ipcc_dict_wait(dict, k(), IPCC_FOREVER, &reply));
    assert_ok(ipcc_dict_close(dict));
    assert_ok(ipcc_close(conn));
}

/* The whole list must print as `text`. */
#define assert_list(text)                                                                          \
    assert_prints(text, ipcc_list_slice(list, IPCC_OMIT, IPCC_OMIT, IPCC_OMIT, &reply))

static void list_of_values(void **state)
{
    struct ipcc *conn = client_open(*state);
    struct ipcc_list *list = NULL;
    struct ipcc_reply reply;
    struct ipcc_value numbers[] = {ipcc_int(3), ipcc_int(1), ipcc_int(2)};
    struct ipcc_list_options options = {.initial = ipcc_array(numbers, 1)};
    uint64_t length = 0;
    assert_ok(ipcc_list_open(conn, "l", &options, &list));
    assert_ok(ipcc_list_append(list, ipcc_str("x"), &length));
    assert_int_equal(length, 2);
    assert_ok(ipcc_list_extend(list, ipcc_array(numbers, 3), &length));
    assert_int_equal(length, 5);
    assert_ok(ipcc_list_insert(list, 1, ipcc_nil()));
    assert_list("[3, null, \"x\", 3, 1, 2]");
    assert_prints("2", ipcc_list_get(list, -1, &reply));
    assert_fails(ipcc_list_get(list, 6, NULL), INDEX, "6");
    assert_ok(ipcc_list_delete(list, 1));
    assert_ok(ipcc_list_set(list, 1, ipcc_int(0)));
    assert_prints("2", ipcc_list_pop(list, -1, &reply));
    assert_prints("3", ipcc_list_pop(list, 0, &reply));
    assert_list("[0, 3, 1]");
    assert_ok(ipcc_list_len(list, &length));
    assert_int_equal(length, 3);
    assert_ok(ipcc_list_clear(list));
    assert_list("[]");
    assert_ok(ipcc_list_close(list));
    assert_ok(ipcc_close(conn));
}

static void list_slices_searches_and_order(void **state)
{
    struct ipcc *conn = client_open(*state);
    struct ipcc_list *list = NULL;
    struct ipcc_reply reply;
    struct ipcc_value numbers[] = {ipcc_int(3), ipcc_int(1), ipcc_int(2), ipcc_int(1)};
    uint64_t count = 0;
    bool there = false;
    assert_ok(ipcc_list_open(conn, "l", NULL, &list));
    assert_ok(ipcc_list_extend(list, ipcc_array(numbers, 4), NULL));
    assert_prints("[1, 2]", ipcc_list_slice(list, 1, -1, IPCC_OMIT, &reply));
    assert_prints("[1, 1]", ipcc_list_slice(list, IPCC_OMIT, IPCC_OMIT, -2, &reply));
    assert_fails(ipcc_list_slice(list, 0, 1, 0, NULL), VALUE, "");
    assert_ok(ipcc_list_index(list, ipcc_int(1), 2, IPCC_OMIT, &count));
    assert_int_equal(count, 3);
    assert_fails(ipcc_list_index(list, ipcc_int(9), IPCC_OMIT, IPCC_OMIT, &count), VALUE, "");
    assert_ok(ipcc_list_count(list, ipcc_int(1), &count));
    assert_int_equal(count, 2);
    assert_ok(ipcc_list_contains(list, ipcc_float(1.0), &there));
    assert_false(there);
    assert_ok(ipcc_list_remove(list, ipcc_int(1)));
    assert_ok(ipcc_list_sort(list, false));
    assert_list("[1, 2, 3]");
    assert_ok(ipcc_list_sort(list, true));
    assert_ok(ipcc_list_reverse(list));
    assert_ok(ipcc_list_repeat(list, 2));
    assert_list("[1, 2, 3, 1, 2, 3]");
    assert_ok(ipcc_list_set_slice(list, 1, 5, IPCC_OMIT, ipcc_array(numbers, 1)));
    assert_list("[1, 3, 3]");
    assert_ok(ipcc_list_delete_slice(list, 0, 2, IPCC_OMIT));
    assert_prints("4", ipcc_list_incr(list, 0, ipcc_none(), &reply));
    assert_prints("1.5", ipcc_list_incr(list, 0, ipcc_float(-2.5), &reply));
    assert_fails(ipcc_list_incr(list, 5, ipcc_none(), NULL), INDEX, "");
    assert_ok(ipcc_list_close(list));
    assert_ok(ipcc_close(conn));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        daemon_test(dict_get_set_and_delete),
        daemon_test(dict_as_a_whole),
        daemon_test(dict_scan_goes_through_all),
        daemon_test(dict_incr_cas_and_wait),
        daemon_test(list_of_values),
        daemon_test(list_slices_searches_and_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
