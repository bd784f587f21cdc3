/* References (ext type 1) in containers: they keep scoped objects alive. */
#include "tests/support/daemon.h"

static void reference_in_a_container_keeps_a_scoped_object(void **state)
{
    struct rpc *c = daemon_client(*state);
    static const char *const holders[][4] = {
        {"list.append", "['l', ext(1, 's')]", "list.pop", "opens"},
        {"list.append", "['l', [1, {a: [ext(1, 's')]}]]", "list.clear"},
        {"dict.set", "['d', 'k', ext(1, 's')]", "dict.popitem", "opens"},
        {"dict.set", "['d', 'k', {x: ext(1, 's')}]", "dict.clear"},
        {"queue.put", "['q', ext(1, 's')]", "queue.get", "opens"},
        {"queue.put", "['q', [ext(1, 's')]]", "queue.clear"},
    };
    expect(c, "list.open", "['l']", "_map");
    expect(c, "dict.open", "['d']", "_map");
    expect(c, "queue.open", "['q']", "_map");
    for (size_t i = 0; i < sizeof(holders) / sizeof(holders[0]); i++) {
        expect(c, "list.open", "['s', {lifetime: 'scoped', exclusive: true}]", "_map");
        expect(c, holders[i][0], holders[i][1], "_");
        expect(c, "object.close", "['s']", "nil");
        expect(c, "list.append", "['s', 'still there']", "1");
        expect(c, holders[i][2], rpc_text(c, "['%c']", holders[i][1][2]), "_");
        if (holders[i][3] != NULL) {
            expect(c, "list.append", "['s', 'open']", "2"); /* who gets a reference has it open */
            expect(c, "object.close", "['s']", "nil");
        }
        expect_error(c, "list.len", "['s']", "NOT_FOUND");
    }
}

static void deleted_container_lets_go_of_what_it_referred_to(void **state)
{
    struct rpc *c = daemon_client(*state);
    expect(c, "list.open", "['inner', {lifetime: 'scoped'}]", "_map");
    expect(c, "list.open", "['outer', {lifetime: 'scoped'}]", "_map");
    expect(c, "list.append", "['outer', ext(1, 'inner')]", "1");
    expect(c, "object.close", "['inner']", "nil");
    expect(c, "list.len", "['inner']", "0");
    expect(c, "object.close", "['outer']", "nil");
    expect(c, "object.list", "[]", "{objects: [], ...}");
}

/* A scoped list "s" that only the reference in `holder` keeps alive. */
static void keep_by_reference(struct rpc *c, const char *method, const char *params)
{
    expect(c, "list.open", "['s', {lifetime: 'scoped', exclusive: true}]", "_map");
    expect(c, method, params, "_");
    expect(c, "object.close", "['s']", "nil");
    expect(c, "list.len", "['s']", "0");
}

/* Each way in which a stored value goes without being given to anybody. */
static void overwritten_reference_no_longer_counts(void **state)
{
    static const char *const ways[][4] = {
        {"list.append", "['l', ext(1, 's')]", "list.set", "['l', 0, 1]"},
        {"list.append", "['l', ext(1, 's')]", "list.delete", "['l', 0]"},
        {"list.append", "['l', ext(1, 's')]", "list.delete_slice", "['l']"},
        {"list.append", "['l', ext(1, 's')]", "list.set_slice", "['l', nil, nil, nil, []]"},
        {"list.append", "['l', ext(1, 's')]", "list.remove", "['l', ext(1, 's')]"},
        {"list.append", "['l', ext(1, 's')]", "list.repeat", "['l', 0]"},
        {"list.extend", "['l', [ext(1, 's'), [ext(1, 's')]]]", "list.clear", "['l']"},
        {"dict.set", "['d', 1, ext(1, 's')]", "dict.set", "['d', 1, 2]"},
        {"dict.set", "['d', 1, ext(1, 's')]", "dict.update", "['d', {1: 2}]"},
        {"dict.update", "['d', {1: ext(1, 's')}]", "dict.delete", "['d', 1]"},
        {"dict.setdefault", "['d', 1, ext(1, 's')]", "dict.clear", "['d']"},
        {"dict.cas", "['d', 1, [], [ext(1, 's')]]", "dict.cas", "['d', 1, [ext(1, 's')], []]"},
        {"queue.put_many", "['q', [ext(1, 's'), ext(1, 's')]]", "queue.clear", "['q']"},
        {"queue.put", "['q', ext(1, 's'), nil, {priority: 5}]", "object.delete", "['q']"},
        {"queue.put", "['q', ext(1, 's')]", "queue.shutdown", "['q', true]"},
    };
    struct rpc *c = daemon_client(*state);
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        expect(c, "list.open", "['l']", "_map");
        expect(c, "dict.open", "['d']", "_map");
        expect(c, "queue.open", "['q']", "_map");
        keep_by_reference(c, ways[i][0], ways[i][1]);
        expect(c, ways[i][2], ways[i][3], "_");
        expect_soon(c, "object.list", "[{glob: 's'}]", "{objects: [], ...}");
        expect(c, "list.clear", "['l']", "nil");
        expect(c, "dict.clear", "['d']", "nil");
    }
}

static void moved_and_copied_references_count_each(void **state)
{
    struct rpc *c = daemon_client(*state);
    expect(c, "list.open", "['l']", "_map");
    keep_by_reference(c, "list.append", "['l', ext(1, 's')]");
    expect(c, "list.repeat", "['l', 5]", "nil");
    expect(c, "list.reverse", "['l']", "nil");
    expect(c, "list.insert", "['l', 2, 'between']", "nil");
    for (int left = 4; left > 0; left--) {
        expect(c, "list.remove", "['l', ext(1, 's')]", "nil");
        expect(c, "list.len", "['s']", "0");
    }
    expect(c, "list.remove", "['l', ext(1, 's')]", "nil");
    expect_error(c, "list.len", "['s']", "NOT_FOUND");
    expect(c, "list.slice", "['l']", "['between']");
}

static void expired_item_lets_go_of_its_reference(void **state)
{
    struct rpc *c = daemon_client(*state);
    expect(c, "queue.open", "['q']", "_map");
    keep_by_reference(c, "queue.put", "['q', ext(1, 's'), nil, {ttl_ms: 1500}]");
    expect_soon(c, "object.list", "[{glob: 's'}]", "{objects: [], ...}");
}

static void taken_item_keeps_its_reference_until_it_is_done(void **state)
{
    struct rpc *a = daemon_client(*state);
    struct rpc *b = daemon_client(*state);
    expect(a, "queue.open", "['j', {joinable: true}]", "_map");
    keep_by_reference(a, "queue.put", "['j', ext(1, 's')]");
    expect(b, "queue.get", "['j']", "[ext(1, 's'), _int, 1]");
    daemon_drop(*state, b);
    expect_soon(a, "queue.qsize", "['j']", "1");
    expect(a, "list.len", "['s']", "0");
    expect(a, "queue.clear", "['j']", "1");
    expect_error(a, "list.len", "['s']", "NOT_FOUND");
}

static void call_that_is_refused_or_cancelled_keeps_nothing(void **state)
{
    struct rpc *c = daemon_client(*state);
    expect(c, "queue.open", "['one', {maxsize: 1}]", "_map");
    expect(c, "queue.put", "['one', 1]", "nil");
    expect(c, "list.open", "['s', {lifetime: 'scoped'}]", "_map");
    expect_error(c, "queue.put", "['one', ext(1, 's'), 0]", "FULL");
    expect_error(c, "queue.put", "['one', ext(1, 's'), 5]", "FULL");
    expect_error(c, "list.set", "['s', 7, ext(1, 's')]", "INDEX");
    uint32_t put = rpc_start(c, "queue.put", "['one', [ext(1, 's')]]");
    rpc_cancel(c, put);
    expect_failure(c, put, "CANCELLED");
    expect(c, "object.close", "['s']", "nil");
    expect_error(c, "list.len", "['s']", "NOT_FOUND");
}

/* Each object of a long chain is kept by the one before it; they all go with the first. */
static void long_chain_goes_with_its_first_link(void **state)
{
    enum { LINKS = 5000 };
    struct rpc *c = daemon_client(*state);
    msgpack_sbuffer out;
    for (int i = LINKS; i > 0; i--) {
        msgpack_sbuffer_init(&out);
        (void)rpc_pack(
            c, &out, "list.open",
            i == LINKS
                ? rpc_text(c, "['%d', {lifetime: 'scoped'}]", i)
                : rpc_text(c, "['%d', {lifetime: 'scoped', initial: [ext(1, '%d')]}]", i, i + 1));
        if (i < LINKS) {
            (void)rpc_pack(c, &out, "object.close", rpc_text(c, "['%d']", i + 1));
        }
        rpc_write(c, out.data, out.size);
        msgpack_sbuffer_destroy(&out);
        reply_free(rpc_wait(c, c->last_msgid));
    }
    expect(c, "list.len", rpc_text(c, "['%d']", LINKS), "0");
    expect(c, "object.close", "['1']", "nil");
    expect_soon(c, "object.list", "[]", "{objects: [], ...}");
}

/* References in a circle keep each other, as everywhere where references are counted. */
static void circle_of_references_ends_with_a_deletion(void **state)
{
    struct rpc *c = daemon_client(*state);
    expect(c, "list.open", "['a', {lifetime: 'scoped'}]", "_map");
    expect(c, "list.open", "['b', {lifetime: 'scoped', initial: [ext(1, 'a')]}]", "_map");
    expect(c, "list.append", "['a', ext(1, 'b')]", "1");
    expect(c, "list.append", "['a', ext(1, 'a')]", "2");
    expect(c, "object.close", "['a']", "nil");
    expect(c, "object.close", "['b']", "nil");
    expect(c, "list.len", "['a']", "2");
    expect(c, "object.delete", "['b']", "nil");
    expect(c, "list.clear", "['a']", "nil");
    expect(c, "object.list", "[]", "{objects: [], ...}");
}

static void daemon_ends_cleanly_with_a_circle(void **state)
{
    struct rpc *c = daemon_client(*state);
    expect(c, "list.open", "['a', {lifetime: 'scoped'}]", "_map");
    expect(c, "dict.open", "['b', {initial: {k: ext(1, 'a')}}]", "_map");
    expect(c, "list.append", "['a', [ext(1, 'b'), ext(1, 'a')]]", "1");
}

static void reference_to_a_lasting_object_changes_nothing(void **state)
{
    struct rpc *c = daemon_client(*state);
    expect(c, "list.open", "['lasting']", "_map");
    expect(c, "list.open", "['l', {initial: [ext(1, 'lasting'), ext(1, 'nobody')]}]", "_map");
    expect(c, "object.delete", "['lasting']", "nil");
    expect_error(c, "list.len", "['lasting']", "NOT_FOUND");
    expect(c, "list.slice", "['l']", "[ext(1, 'lasting'), ext(1, 'nobody')]");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        daemon_test(reference_in_a_container_keeps_a_scoped_object),
        daemon_test(deleted_container_lets_go_of_what_it_referred_to),
        daemon_test(overwritten_reference_no_longer_counts),
        daemon_test(moved_and_copied_references_count_each),
        daemon_test(expired_item_lets_go_of_its_reference),
        daemon_test(taken_item_keeps_its_reference_until_it_is_done),
        daemon_test(call_that_is_refused_or_cancelled_keeps_nothing),
        daemon_test(long_chain_goes_with_its_first_link),
        daemon_test(circle_of_references_ends_with_a_deletion),
        daemon_test(daemon_ends_cleanly_with_a_circle),
        daemon_test(reference_to_a_lasting_object_changes_nothing),
    };
    return cmocka_run_group_tests_name("references", tests, NULL, NULL);
}
