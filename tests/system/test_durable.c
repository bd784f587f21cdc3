/* Objects that survive the daemon: what is there after it was stopped, or killed, and what refuses.
 */
#include "tests/support/daemon.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

/* A directory in which a daemon's state stays while daemons come and go. */
struct kept {
    char directory[64];
    char state_arg[96]; /* --state=… */
    struct daemon *daemon;
};

static struct daemon_options options_of(const struct kept *kept)
{
    return (struct daemon_options){.args = {kept->state_arg}};
}

static void begin(struct kept *kept)
{
    struct daemon_options options = options_of(kept);
    kept->daemon = daemon_start(&options);
}

static int set_up(void **state)
{
    struct kept *kept = calloc(1, sizeof(*kept));
    assert_non_null(kept);
    directory_make(kept->directory);
    (void)snprintf(kept->state_arg, sizeof(kept->state_arg), "--state=%s/state", kept->directory);
    begin(kept);
    *state = kept;
    return 0;
}

static int tear_down(void **state)
{
    struct kept *kept = *state;
    if (kept->daemon != NULL) {
        daemon_stop(kept->daemon);
    }
    char path[96];
    (void)snprintf(path, sizeof(path), "%s/state", kept->directory);
    (void)umount2(path, MNT_DETACH); /* of disk_that_is_full, if that has failed */
    directory_remove(kept->directory);
    free(kept);
    return 0;
}

/* The daemon is killed, and another one is there on the same state; a client of that. */
static struct rpc *crash(struct kept *kept)
{
    daemon_kill(kept->daemon, SIGKILL);
    daemon_free(kept->daemon);
    begin(kept);
    return daemon_client(kept->daemon);
}

static struct rpc *stop_and_start(struct kept *kept)
{
    daemon_stop(kept->daemon);
    begin(kept);
    return daemon_client(kept->daemon);
}

static void dict_is_there_after_a_crash(void **state)
{
    struct kept *kept = *state;
    struct rpc *c = daemon_client(kept->daemon);
    expect(c, "dict.open", "['d', {lifetime: 'durable', mode: 384}]",
           "{lifetime: 'durable', durable: {bytes: _int, sync: 'always'}, ...}");
    expect(c, "dict.set", "['d', 'b', 1]", "true");
    expect(c, "dict.set", "['d', 'a', ['x', {1: nil}]]", "true");
    expect(c, "dict.set", "['d', 'gone', 3]", "true");
    expect(c, "dict.set", "['d', 'b', 2]", "false");
    expect(c, "dict.delete", "['d', 'gone']", "nil");
    c = crash(kept);
    expect(c, "dict.items", "['d']", "[['b', 2], ['a', ['x', {1: nil}]]]");
    expect(c, "object.describe", "['d']", "{type: 'dict', lifetime: 'durable', mode: 384, ...}");
}

static void namespace_is_there_after_a_stop(void **state)
{
    struct kept *kept = *state;
    struct rpc *c = daemon_client(kept->daemon);
    expect(c, "namespace.open", "['n', {lifetime: 'durable'}]", "_map");
    expect(c, "namespace.set", "['n', 'k', 2.5]", "true");
    c = stop_and_start(kept);
    expect(c, "namespace.items", "['n']", "[['k', 2.5]]");
}

static void list_is_there_after_a_crash(void **state)
{
    struct kept *kept = *state;
    struct rpc *c = daemon_client(kept->daemon);
    expect(c, "list.open", "['l', {lifetime: 'durable', initial: [3, 1, 2]}]", "_map");
    expect(c, "list.append", "['l', 0]", "4");
    expect(c, "list.sort", "['l']", "nil");
    expect(c, "list.pop", "['l', 0]", "0");
    expect(c, "list.insert", "['l', 1, 'x']", "nil");
    c = crash(kept);
    expect(c, "list.slice", "['l']", "[1, 'x', 2, 3]");
}

/* Nothing is to be written of it, so there is nothing to wait for. */
static void a_change_of_which_nothing_is_left_is_answered(void **state)
{
    struct kept *kept = *state;
    struct rpc *c = daemon_client(kept->daemon);
    expect(c, "dict.open", "['d', {lifetime: 'durable'}]", "_map");
    expect(c, "atomic", "[[['dict.set', ['d', 'k', 1]], ['dict.delete', ['d', 'k']]]]",
           "[true, nil]");
    expect(c, "queue.open", "['q', {lifetime: 'durable'}]", "_map");
    expect(c, "atomic", "[[['queue.put', ['q', 1]], ['queue.get', ['q']]]]", "[nil, [1, nil, 1]]");
    expect(c, "dict.len", "['d']", "0");
}

static void queue_is_there_after_a_crash_without_what_was_taken(void **state)
{
    struct kept *kept = *state;
    struct rpc *c = daemon_client(kept->daemon);
    expect(c, "queue.open", "['q', {lifetime: 'durable', maxsize: 5}]", "_map");
    expect(c, "queue.put_many", "['q', ['a', 'b', 'c']]", "3");
    expect(c, "queue.get", "['q']", "['a', nil, 1]");
    c = crash(kept);
    expect(c, "object.describe", "['q']", "{maxsize: 5, size: 2, ...}");
    expect(c, "queue.get", "['q']", "['b', nil, 1]");
    expect(c, "queue.put", "['q', 'd']", "nil");
    expect(c, "queue.peek", "['q', 0, 10]", "['c', 'd']");
}

static void what_was_taken_and_not_done_is_back_at_the_head_and_counted(void **state)
{
    struct kept *kept = *state;
    struct rpc *c = daemon_client(kept->daemon);
    expect(c, "queue.open", "['j', {lifetime: 'durable', joinable: true}]", "_map");
    expect(c, "queue.put_many", "['j', ['a', 'b', 'c', 'd']]", "4");
    expect(c, "queue.get", "['j']", "['a', _int, 1]");
    struct reply *second = rpc_call(c, "queue.get", "['j']");
    uint64_t ticket = second->result.via.array.ptr[1].via.u64;
    reply_free(second);
    expect(c, "queue.get", "['j']", "['c', _int, 1]");
    expect(c, "queue.task_done", rpc_text(c, "['j', %u]", (unsigned)ticket), "3");
    c = crash(kept);
    expect(c, "object.describe", "['j']", "{unfinished: 3, size: 3, taken: 0, ...}");
    expect(c, "queue.get", "['j']", "['a', _int, 2]");
    expect(c, "queue.get", "['j']", "['c', _int, 2]");
    expect(c, "queue.get", "['j']", "['d', _int, 1]");
    expect(c, "queue.task_done", "['j']", "2");
    expect(c, "queue.task_done", "['j']", "1");
    expect(c, "queue.task_done", "['j']", "0");
    expect(c, "queue.join", "['j']", "nil");
}

static void batch_is_there_as_a_whole(void **state)
{
    struct kept *kept = *state;
    struct rpc *c = daemon_client(kept->daemon);
    expect(c, "dict.open", "['from', {lifetime: 'durable', initial: {sum: 100}}]", "_map");
    expect(c, "dict.open", "['to', {lifetime: 'durable'}]", "_map");
    expect(c, "atomic", "[[['dict.incr', ['from', 'sum', -30]], ['dict.incr', ['to', 'sum', 30]]]]",
           "[70, 30]");
    c = crash(kept);
    expect(c, "dict.items", "['from']", "[['sum', 70]]");
    expect(c, "dict.items", "['to']", "[['sum', 30]]");
}

static void deleted_and_renamed_objects_stay_so(void **state)
{
    struct kept *kept = *state;
    struct rpc *c = daemon_client(kept->daemon);
    expect(c, "dict.open", "['a', {lifetime: 'durable', initial: {k: 1}}]", "_map");
    expect(c, "dict.open", "['b', {lifetime: 'durable', initial: {k: 2}}]", "_map");
    expect(c, "dict.open", "['memory', {initial: {k: 3}}]", "_map");
    c = crash(kept);
    expect(c, "object.delete", "['a']", "nil");
    expect(c, "object.rename", "['b', 'a']", "nil");
    c = crash(kept);
    expect(c, "dict.items", "['a']", "[['k', 2]]");
    expect(c, "object.list", "[]", "{objects: [{name: 'a', ...}], ...}");
}

static void references_to_durable_objects_stay_good(void **state)
{
    struct kept *kept = *state;
    struct rpc *c = daemon_client(kept->daemon);
    expect(c, "dict.open", "['inner', {lifetime: 'durable'}]", "_map");
    expect(c, "dict.open", "['outer', {lifetime: 'durable'}]", "_map");
    expect(c, "dict.open", "['memory']", "_map");
    expect(c, "dict.set", "['outer', 'k', ext(1, 'inner')]", "true");
    expect_error(c, "dict.set", "['outer', 'm', ext(1, 'memory')]", "TYPE");
    c = crash(kept);
    expect(c, "dict.get", "['outer', 'k']", "_ext");
    expect(c, "dict.len", "['outer']", "1");
}

static void only_four_types_can_be_durable_and_only_with_a_name(void **state)
{
    struct kept *kept = *state;
    struct rpc *c = daemon_client(kept->daemon);
    expect_error(c, "lock.open", "['x', {lifetime: 'durable'}]", "BAD_REQUEST");
    expect_error(c, "event.open", "['x', {lifetime: 'durable'}]", "BAD_REQUEST");
    expect_error(c, "value.open", "['x', {typecode: 'i', lifetime: 'durable'}]", "BAD_REQUEST");
    expect_error(c, "dict.open", "[nil, {lifetime: 'durable'}]", "BAD_REQUEST");
    expect(c, "object.list", "[]", "{objects: [], ...}");
}

static void stats_say_where_and_how(void **state)
{
    struct kept *kept = *state;
    struct rpc *c = daemon_client(kept->daemon);
    expect(c, "dict.open", "['d', {lifetime: 'durable'}]", "_map");
    expect(c, "server.stats", "[]",
           rpc_text(c,
                    "{state_directory: '%s/state', store: {path: '%s/state', sync: 'always',"
                    " bytes: _int, commits: 1, syncs: 1, queued: 0, last_error: nil, ...}, ...}",
                    kept->directory, kept->directory));
}

static void second_daemon_on_the_same_state_is_refused(void **state)
{
    struct kept *kept = *state;
    struct daemon_options options = options_of(kept);
    struct daemon *second = daemon_spawn(&options);
    int status = daemon_wait(second);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 1);
    char *log = daemon_log(second);
    assert_non_null(strstr(log, "another"));
    free(log);
    daemon_free(second);
}

/* The cursor of object.list goes by them. */
static void numbers_of_objects_are_not_used_again(void **state)
{
    struct kept *kept = *state;
    struct rpc *c = daemon_client(kept->daemon);
    expect(c, "dict.open", "['keeps', {lifetime: 'durable'}]", "_map");
    expect(c, "dict.open", "['goes', {lifetime: 'durable'}]", "_map");
    expect(c, "dict.open", "['last', {lifetime: 'durable'}]", "_map");
    int64_t used = rpc_number(c, "object.list", "[{limit: 2}]", "cursor");
    expect(c, "object.delete", "['goes']", "nil");
    expect(c, "object.delete", "['last']", "nil");
    c = crash(kept);
    expect(c, "dict.open", "['new', {lifetime: 'durable', initial: {k: 1}}]", "_map");
    expect(c, "dict.open", "['newer', {lifetime: 'durable'}]", "_map");
    assert_true(rpc_number(c, "object.list", "[{limit: 2}]", "cursor") > used + 1);
    c = crash(kept);
    expect(c, "dict.items", "['new']", "[['k', 1]]");
}

static void user_may_store_so_much_and_no_more(void **state)
{
    struct kept *kept = *state;
    daemon_stop(kept->daemon);
    struct daemon_options options = options_of(kept);
    options.config = "[limits]\nmax_user_stored = 65536\n";
    kept->daemon = daemon_start(&options);
    struct rpc *c = daemon_client_as(kept->daemon, 65534, 65534, 0);
    expect(c, "list.open", "['l', {lifetime: 'durable'}]", "_map");
    expect(c, "list.append", "['l', 'x'*60000]", "1");
    expect_error(c, "list.append", "['l', 'x'*60000]", "LIMIT");
    expect(c, "list.open", "['memory']", "_map");
    expect(c, "list.append", "['memory', 'x'*60000]", "1");
    expect(c, "list.pop", "['l']", "_str");
    expect(c, "list.append", "['l', 'y'*60000]", "1");
}

/* A client's next answer: none, as the daemon has ended. */
static void expect_the_end(struct kept *kept, struct rpc *c)
{
    int status = daemon_wait(kept->daemon);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 1);
    assert_null(rpc_next(c));
    daemon_free(kept->daemon);
    kept->daemon = NULL;
}

static void daemon_that_cannot_write_ends_and_has_told_no_success(void **state)
{
    struct kept *kept = *state;
    struct rpc *c = daemon_client(kept->daemon);
    char file[128];
    expect(c, "dict.open", "['d', {lifetime: 'durable'}]", "_map");
    (void)snprintf(file, sizeof(file), "%s/state/store.db-wal", kept->directory);
    assert_int_equal(unlink(file), 0);
    rpc_send(c, "dict.set", "['d', 'k', 1]");
    daemon_expect_log(kept->daemon, "has been removed or replaced");
    expect_the_end(kept, c);
}

static void disk_that_is_full_refuses_and_recovers(void **state)
{
    struct kept *kept = *state;
    daemon_stop(kept->daemon);
    kept->daemon = NULL;
    char path[96];
    (void)snprintf(path, sizeof(path), "%s/state", kept->directory);
    directory_remove(path);
    assert_int_equal(mkdir(path, 0700), 0);
    if (mount("tmpfs", path, "tmpfs", 0, "size=32m,mode=0700") < 0) {
        skip(); /* it takes root, and a system that lets it */
    }
    begin(kept);
    struct rpc *c = daemon_client(kept->daemon);
    expect(c, "list.open", "['l', {lifetime: 'durable'}]", "_map");
    expect(c, "list.open", "['memory']", "_map");
    bool refused = false;
    unsigned count = 0;
    while (!refused && count < 64) {
        struct reply *reply = rpc_call(c, "list.append", "['l', 'x'*1000000]");
        refused = reply->error.type != MSGPACK_OBJECT_NIL;
        count += !refused;
        reply_free(reply);
    }
    expect_error(c, "list.append", "['l', 'x'*1000000]", "STORAGE");
    expect(c, "list.len", "['l']", rpc_text(c, "%u", count));
    expect(c, "list.append", "['memory', 1]", "1");
    expect(c, "list.get", "['l', 0]", "_str");
    expect(c, "list.clear", "['l']", "nil");
    int64_t limit = rpc_now() + RPC_LIMIT_MS;
    for (refused = true; refused;) { /* the store notices it within a second */
        assert_true(rpc_now() < limit);
        struct reply *reply = rpc_call(c, "list.append", "['l', 'y'*1000000]");
        refused = reply->error.type != MSGPACK_OBJECT_NIL;
        reply_free(reply);
    }
    c = crash(kept);
    expect(c, "list.len", "['l']", "1");
    daemon_stop(kept->daemon);
    kept->daemon = NULL;
    assert_int_equal(umount(path), 0);
}

static void directory_may_be_given_from_where_the_daemon_starts(void **state)
{
    struct kept *kept = *state;
    struct rpc *c = daemon_client(kept->daemon);
    expect(c, "dict.open", "['d', {lifetime: 'durable', initial: {k: 1}}]", "_map");
    daemon_stop(kept->daemon);
    /* It starts in a directory of its own, beside this one. */
    char state_arg[96];
    (void)snprintf(state_arg, sizeof(state_arg), "--state=..%s/state",
                   strrchr(kept->directory, '/'));
    struct daemon_options options = {.args = {state_arg}};
    kept->daemon = daemon_start(&options);
    c = daemon_client(kept->daemon);
    expect(c, "dict.items", "['d']", "[['k', 1]]");
}

static void embedded_daemon_keeps_nothing(void **state)
{
    struct kept *kept = *state;
    struct daemon_options options = {.args = {"--embedded", kept->state_arg},
                                     .no_socket_arg = true};
    struct daemon *embedded = daemon_spawn(&options);
    int status = daemon_wait(embedded);
    assert_int_equal(WEXITSTATUS(status), 2);
    daemon_free(embedded);
}

#define DURABLE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        DURABLE(dict_is_there_after_a_crash),
        DURABLE(namespace_is_there_after_a_stop),
        DURABLE(list_is_there_after_a_crash),
        DURABLE(a_change_of_which_nothing_is_left_is_answered),
        DURABLE(queue_is_there_after_a_crash_without_what_was_taken),
        DURABLE(what_was_taken_and_not_done_is_back_at_the_head_and_counted),
        DURABLE(batch_is_there_as_a_whole),
        DURABLE(deleted_and_renamed_objects_stay_so),
        DURABLE(references_to_durable_objects_stay_good),
        DURABLE(only_four_types_can_be_durable_and_only_with_a_name),
        DURABLE(stats_say_where_and_how),
        DURABLE(second_daemon_on_the_same_state_is_refused),
        DURABLE(numbers_of_objects_are_not_used_again),
        DURABLE(user_may_store_so_much_and_no_more),
        DURABLE(daemon_that_cannot_write_ends_and_has_told_no_success),
        DURABLE(disk_that_is_full_refuses_and_recovers),
        DURABLE(directory_may_be_given_from_where_the_daemon_starts),
        DURABLE(embedded_daemon_keeps_nothing),
    };
    return cmocka_run_group_tests_name("durable", tests, NULL, NULL);
}
