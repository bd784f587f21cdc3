/* session.*, and what the end of a session does. */
#include "tests/support/daemon.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct daemon *open_to_all(void)
{
    return daemon_start(&(struct daemon_options){.args = {"--socket-mode", "0666"}});
}

static int open_setup(void **state)
{
    *state = open_to_all();
    return 0;
}

static int64_t session_of(struct rpc *c)
{
    return rpc_number(c, "server.hello", "[]", "session");
}

static void list_shows_who_is_connected(void **state)
{
    struct rpc *a = daemon_client(*state);
    int64_t number = session_of(a);
    expect(a, "session.list", "[]",
           rpc_text(a,
                    "[{session: %d, pid: %d, uid: %u, gid: %u, client: _, since: _ext, calls: 2,"
                    " waiting: 0, holding: 0, bytes: _int, ...}]",
                    (int)number, (int)getpid(), getuid(), getgid()));
}

static void list_has_one_row_for_each_session(void **state)
{
    struct rpc *a = daemon_client(*state);
    struct rpc *b = daemon_client(*state);
    (void)session_of(b);
    expect_soon(a, "session.list", "[]", "[_map, _map]");
    daemon_drop(*state, b);
    expect_soon(a, "session.list", "[]", "[_map]");
}

static void list_shows_the_credentials_of_other_users(void **state)
{
    struct daemon *daemon = *state;
    struct rpc *a = daemon_client(daemon);
    struct rpc *b = daemon_client_as(daemon, 4001, 4002, 0);
    int64_t number = session_of(b);
    expect(a, "session.describe", rpc_text(a, "[%d]", (int)number), "{uid: 4001, gid: 4002, ...}");
}

static void describe_without_a_number_is_about_the_caller(void **state)
{
    struct rpc *a = daemon_client(*state);
    struct rpc *b = daemon_client(*state);
    int64_t number = session_of(a);
    const char *row =
        rpc_text(a, "{session: %d, pid: %d, since: _ext, ...}", (int)number, (int)getpid());
    expect(a, "session.describe", "[]", row);
    expect(a, "session.describe", "[nil]", row);
    expect(b, "session.describe", rpc_text(b, "[%d]", (int)number), row);
}

static void describe_of_no_session_is_not_found(void **state)
{
    struct rpc *a = daemon_client(*state);
    expect_error(a, "session.describe", "[123456789]", "NOT_FOUND");
}

static void figures_count_waits_and_held_items(void **state)
{
    struct rpc *a = daemon_client(*state);
    struct rpc *b = daemon_client(*state);
    const char *number = rpc_text(a, "[%d]", (int)session_of(b));
    expect(b, "queue.open", "['j', {joinable: true}]", "_map");
    expect(b, "queue.put_many", "['j', [1, 2]]", "2");
    expect(b, "queue.get_many", "['j', 2]", "[[1, _int, 1], [2, _int, 1]]");
    expect(a, "session.describe", number, "{waiting: 0, holding: 2, ...}");
    uint32_t get = rpc_start(b, "queue.get", "['j']");
    expect(a, "session.describe", number, "{waiting: 1, holding: 2, ...}");
    rpc_cancel(b, get);
    expect_failure(b, get, "CANCELLED");
    expect(b, "queue.task_done", "['j']", "1");
    expect(a, "session.describe", number, "{waiting: 0, holding: 1, ...}");
}

static void kill_ends_the_session(void **state)
{
    struct rpc *a = daemon_client(*state);
    struct rpc *b = daemon_client(*state);
    const char *number = rpc_text(a, "[%d]", (int)session_of(b));
    expect(b, "queue.open", "['q']", "_map");
    (void)rpc_start(b, "queue.get", "['q']");
    expect(a, "session.kill", number, "nil");
    for (struct reply *reply = rpc_next(b); reply != NULL; reply = rpc_next(b)) {
        reply_free(reply);
    }
    expect_soon(a, "object.describe", "['q']", "{waiting: 0, ...}");
    expect_error(a, "session.describe", number, "NOT_FOUND");
    expect_error(a, "session.kill", number, "NOT_FOUND");
}

static void kill_needs_a_session(void **state)
{
    struct rpc *a = daemon_client(*state);
    expect_error_word(a, "session.kill", "[]", "BAD_REQUEST", "session");
    expect_error_word(a, "session.kill", "[nil]", "BAD_REQUEST", "session");
}

static void kill_is_for_root_and_the_same_user(void **state)
{
    struct daemon *daemon = *state;
    struct rpc *root = daemon_client(daemon);
    struct rpc *one = daemon_client_as(daemon, 4001, 4001, 0);
    struct rpc *same = daemon_client_as(daemon, 4001, 4009, 0);
    struct rpc *other = daemon_client_as(daemon, 4002, 4001, 0);
    const char *victim = rpc_text(one, "[%d]", (int)session_of(one));
    expect_error(other, "session.kill", victim, "DENIED");
    expect_error(other, "session.kill", rpc_text(other, "[%d]", (int)session_of(root)), "DENIED");
    expect(other, "session.describe", victim, "_map");
    expect(same, "session.kill", victim, "nil");
    expect_closed(one);
    expect(root, "session.kill", rpc_text(root, "[%d]", (int)session_of(other)), "nil");
    expect_closed(other);
}

static void kill_is_for_the_daemons_own_user(void **state)
{
    struct daemon *daemon =
        daemon_start(&(struct daemon_options){.args = {"--socket-mode", "0666"}, .uid = 4001});
    *state = daemon;
    struct rpc *own = daemon_client_as(daemon, 4001, 4009, 0);
    struct rpc *other = daemon_client_as(daemon, 4002, 4002, 0);
    expect_error(other, "session.kill", rpc_text(other, "[%d]", (int)session_of(own)), "DENIED");
    expect(own, "session.kill", rpc_text(own, "[%d]", (int)session_of(other)), "nil");
    expect_closed(other);
}

static void complete_requests_are_run_when_the_client_is_gone(void **state)
{
    enum { COUNT = 2000 };
    struct rpc *a = daemon_client(*state);
    struct rpc *b = daemon_client(*state);
    expect(a, "list.open", "['l']", "_map");
    msgpack_sbuffer out;
    msgpack_sbuffer_init(&out);
    for (int i = 0; i < COUNT; i++) {
        (void)rpc_pack(b, &out, "list.append", rpc_text(b, "['l', %d]", i));
    }
    rpc_write(b, out.data, out.size);
    msgpack_sbuffer_destroy(&out);
    daemon_drop(*state, b);
    expect_soon(a, "list.len", "['l']", "2000");
    expect(a, "list.slice", "['l', -2]", "[1998, 1999]");
}

/* More answers than the daemon keeps for a reader that does not read, and then requests behind
 * them: those were received as well. */
static void requests_behind_answers_that_nobody_reads_are_run(void **state)
{
    only_in_memory("of a client that is gone so many are run as may be on their way at a time");
    struct rpc *a = daemon_client(*state);
    struct rpc *b = daemon_client(*state);
    expect(a, "list.open", "['large', {initial: [b'x'*1000000]}]", "_map");
    expect(a, "list.open", "['l']", "_map");
    msgpack_sbuffer out;
    msgpack_sbuffer_init(&out);
    for (int i = 0; i < 400; i++) {
        (void)rpc_pack(b, &out, "list.get", "['large', 0]");
    }
    for (int i = 0; i < 1000; i++) {
        (void)rpc_pack(b, &out, "list.append", rpc_text(b, "['l', %d]", i));
    }
    rpc_write(b, out.data, out.size);
    msgpack_sbuffer_destroy(&out);
    expect(a, "list.len", "['large']", "1");
    daemon_drop(*state, b);
    expect_soon(a, "list.len", "['l']", "1000");
}

static void half_a_request_is_not_run_when_the_client_is_gone(void **state)
{
    struct rpc *a = daemon_client(*state);
    struct rpc *b = daemon_client(*state);
    expect(a, "list.open", "['l']", "_map");
    msgpack_sbuffer out;
    msgpack_sbuffer_init(&out);
    (void)rpc_pack(b, &out, "list.append", "['l', 'whole']");
    (void)rpc_pack(b, &out, "list.append", "['l', 'half']");
    rpc_write(b, out.data, out.size - 1);
    msgpack_sbuffer_destroy(&out);
    daemon_drop(*state, b);
    expect_soon(a, "session.list", "[]", "[_map]");
    expect(a, "list.slice", "['l']", "['whole']");
}

static void end_closes_what_was_open(void **state)
{
    struct rpc *a = daemon_client(*state);
    struct rpc *b = daemon_client(*state);
    expect(b, "dict.open", "['scoped', {lifetime: 'scoped'}]", "_map");
    expect(b, "dict.open", "['lasting']", "_map");
    daemon_drop(*state, b);
    expect_soon(a, "object.list", "[]", "{objects: [{name: 'lasting', ...}], ...}");
    expect_error(a, "dict.len", "['scoped']", "NOT_FOUND");
}

static void killed_process_leaves_nothing_behind(void **state)
{
    struct daemon *daemon = *state;
    struct rpc *a = daemon_client(daemon);
    expect(a, "queue.open", "['j', {joinable: true}]", "_map");
    expect(a, "queue.put", "['j', 'work']", "nil");
    unsigned before = daemon_descriptors(daemon);
    pid_t taker = daemon_client_process(daemon, "queue.get", "['j']");
    pid_t waiter = daemon_client_process(daemon, "queue.get", "['j']");
    expect_soon(a, "object.describe", "['j']", "{size: 0, taken: 1, waiting: 1, ...}");
    process_kill(waiter);
    process_kill(taker);
    expect_soon(a, "object.describe", "['j']", "{size: 1, taken: 0, waiting: 0, ...}");
    expect(a, "queue.get", "['j', 0]", "['work', _int, 2]");
    expect_soon(a, "session.list", "[]", "[_map]");
    daemon_expect_descriptors(daemon, before);
}

static void sessions_come_and_go_without_leaving_descriptors(void **state)
{
    only_in_memory("the connections to the engine are descriptors, too");
    struct daemon *daemon = *state;
    struct rpc *a = daemon_client(daemon);
    expect(a, "server.ping", "[]", "nil");
    unsigned before = daemon_descriptors(daemon);
    for (int i = 0; i < 500; i++) {
        struct rpc *b = daemon_client(daemon);
        if (i % 2 == 0) {
            expect(b, "server.ping", "[1]", "1");
        }
        daemon_drop(daemon, b);
    }
    daemon_expect_descriptors(daemon, before);
    expect_soon(a, "session.list", "[]", "[_map]");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        daemon_test(list_shows_who_is_connected),
        daemon_test(list_has_one_row_for_each_session),
        cmocka_unit_test_setup_teardown(list_shows_the_credentials_of_other_users, open_setup,
                                        daemon_teardown),
        daemon_test(describe_without_a_number_is_about_the_caller),
        daemon_test(describe_of_no_session_is_not_found),
        daemon_test(figures_count_waits_and_held_items),
        daemon_test(kill_ends_the_session),
        daemon_test(kill_needs_a_session),
        cmocka_unit_test_setup_teardown(kill_is_for_root_and_the_same_user, open_setup,
                                        daemon_teardown),
        cmocka_unit_test_teardown(kill_is_for_the_daemons_own_user, daemon_teardown),
        daemon_test(complete_requests_are_run_when_the_client_is_gone),
        daemon_test(requests_behind_answers_that_nobody_reads_are_run),
        daemon_test(half_a_request_is_not_run_when_the_client_is_gone),
        daemon_test(end_closes_what_was_open),
        daemon_test(killed_process_leaves_nothing_behind),
        daemon_test(sessions_come_and_go_without_leaving_descriptors),
    };
    return cmocka_run_group_tests_name("session", tests, NULL, NULL);
}
