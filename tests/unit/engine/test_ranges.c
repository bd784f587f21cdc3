/* The reply of CLUSTER SLOTS: what is read of it, and what is not believed. */
#include "tests/support/unit.h"

#include <string.h>

#include "daemon/engine/ranges.h"

/* The reply in `text`, to be freed. */
static redisReply *reply_of(const char *text)
{
    void *reply = NULL;
    redisReader *reader = redisReaderCreate();
    assert_non_null(reader);
    assert_int_equal(redisReaderFeed(reader, text, strlen(text)), REDIS_OK);
    assert_int_equal(redisReaderGetReply(reader, &reply), REDIS_OK);
    assert_non_null(reply);
    redisReaderFree(reader);
    return reply;
}

#define NODE(host, port) "*3\r\n" host "\r\n:" port "\r\n$2\r\nid\r\n"

static void ranges_have_primaries_and_replicas(void **state)
{
    redisReply *reply =
        reply_of("*2\r\n"
                 "*4\r\n:0\r\n:5460\r\n" NODE("$1\r\na", "1")
                     NODE("$1\r\nb", "2") "*3\r\n:5461\r\n:16383\r\n" NODE("$-1", "65535"));
    struct range range;
    struct ranges_node node;
    assert_true(ranges_at(reply, 0, &range));
    assert_int_equal(range.first, 0);
    assert_int_equal(range.last, 5460);
    assert_int_equal(range.nodes, 2);
    assert_true(range_node(&range, 0, &node));
    assert_true(slice_equal(node.host, slice_of_string("a")));
    assert_true(range_node(&range, 1, &node));
    assert_int_equal(node.port, 2);
    assert_true(ranges_at(reply, 1, &range));
    assert_int_equal(range.last, 16383);
    assert_true(range_node(&range, 0, &node));
    assert_int_equal(node.host.len, 0);
    assert_int_equal(node.port, 65535);
    assert_false(ranges_at(reply, 2, &range));
    freeReplyObject(reply);
}

static void a_node_without_a_name_has_its_address_in_the_metadata(void **state)
{
    redisReply *reply = reply_of("*1\r\n*4\r\n:1\r\n:1\r\n"
                                 "*4\r\n$1\r\n?\r\n:7\r\n$2\r\nid\r\n*2\r\n$2\r\nip\r\n$1\r\nx\r\n"
                                 "*4\r\n$1\r\n?\r\n:7\r\n$2\r\nid\r\n*1\r\n$2\r\nip\r\n");
    struct range range;
    struct ranges_node node;
    assert_true(ranges_at(reply, 0, &range));
    assert_true(range_node(&range, 0, &node));
    assert_true(slice_equal(node.host, slice_of_string("x")));
    assert_true(range_node(&range, 1, &node));
    assert_int_equal(node.host.len, 0);
    freeReplyObject(reply);
}

static void nonsense_is_not_read(void **state)
{
    static const char *const RANGES[] = {
        "+OK\r\n",
        "*0\r\n",
        "*-1\r\n",
        "*1\r\n:1\r\n",
        "*1\r\n*0\r\n",
        "*1\r\n*2\r\n:0\r\n:1\r\n",
        "*1\r\n*3\r\n:-1\r\n:1\r\n:0\r\n",
        "*1\r\n*3\r\n:0\r\n:16384\r\n:0\r\n",
        "*1\r\n*3\r\n:65536\r\n:65536\r\n:0\r\n",
        "*1\r\n*3\r\n:2\r\n:1\r\n:0\r\n",
        "*1\r\n*3\r\n$1\r\n1\r\n:1\r\n:0\r\n",
        "*1\r\n*3\r\n:9223372036854775807\r\n:1\r\n:0\r\n",
    };
    static const char *const NODES[] = {
        "*1\r\n*3\r\n:0\r\n:1\r\n:0\r\n",
        "*1\r\n*3\r\n:0\r\n:1\r\n*1\r\n$1\r\na\r\n",
        "*1\r\n*3\r\n:0\r\n:1\r\n*2\r\n$1\r\na\r\n:0\r\n",
        "*1\r\n*3\r\n:0\r\n:1\r\n*2\r\n$1\r\na\r\n:65536\r\n",
        "*1\r\n*3\r\n:0\r\n:1\r\n*2\r\n$1\r\na\r\n$1\r\n1\r\n",
        "*1\r\n*3\r\n:0\r\n:1\r\n*2\r\n$1\r\na\r\n:-9223372036854775808\r\n",
    };
    struct range range;
    struct ranges_node node;
    for (size_t i = 0; i < sizeof(RANGES) / sizeof(RANGES[0]); i++) {
        redisReply *reply = reply_of(RANGES[i]);
        assert_false(ranges_at(reply, 0, &range));
        freeReplyObject(reply);
    }
    for (size_t i = 0; i < sizeof(NODES) / sizeof(NODES[0]); i++) {
        redisReply *reply = reply_of(NODES[i]);
        assert_true(ranges_at(reply, 0, &range));
        assert_false(range_node(&range, 0, &node));
        freeReplyObject(reply);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranges_have_primaries_and_replicas),
        cmocka_unit_test(a_node_without_a_name_has_its_address_in_the_metadata),
        cmocka_unit_test(nonsense_is_not_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
