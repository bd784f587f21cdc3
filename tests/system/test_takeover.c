/* takeover: a daemon takes the place of another one, and who has a session does not notice. */
#include "tests/support/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* Another daemon takes over, for the n-th time. */
static void upgrade(struct daemon *daemon, struct rpc *c, unsigned n)
{
    pid_t pid = daemon->pid;
    expect(c, "server.upgrade", "[]", rpc_text(c, "{version: _str, takeovers: %u, ms: _int}", n));
    expect(c, "server.stats", "[]", rpc_text(c, "{takeovers: %u, pid: %d, ...}", n, (int)pid));
}

static void sessions_keep_their_numbers_and_what_they_hold(void **state)
{
    struct daemon *daemon = *state;
    struct rpc *a = daemon_client(daemon);
    struct rpc *b = daemon_client(daemon);
    long long first = rpc_number(a, "server.hello", "[{client: 'one', version: '2'}]", "session");
    long long second = rpc_number(b, "server.hello", "[{client: 'other'}]", "session");
    expect(a, "lock.open", "['l', {recursive: true}]", "_map");
    expect(a, "lock.acquire", "['l', nil, 'me']", "{depth: 1, abandoned: false}");
    expect(a, "lock.acquire", "['l', nil, 'me']", "{depth: 2, abandoned: false}");
    expect(b, "semaphore.open", "['s', {value: 5, bounded: true}]", "_map");
    expect(b, "semaphore.acquire", "['s', 0, 3]", "2");
    upgrade(daemon, a, 1);
    assert_int_equal(rpc_number(a, "server.hello", "[]", "session"), first);
    expect(a, "session.describe", rpc_text(a, "[%lld]", second),
           "{client: 'other', holding: 3, ...}");
    expect(b, "session.describe", rpc_text(b, "[%lld]", first),
           "{client: 'one 2', holds: [{object: 'l', depth: 2, ...}], ...}");
    expect_error(b, "lock.release", "['l']", "NOT_OWNER");
    expect(a, "lock.release", "['l', 'me']", "1");
    expect(b, "semaphore.value", "['s']", "2");
    daemon_drop(daemon, b);
    expect_soon(a, "semaphore.value", "['s']", "5");
    struct rpc *c = daemon_client(daemon);
    assert_true(rpc_number(c, "server.hello", "[]", "session") > second);
}

static void those_who_wait_are_served_in_their_order(void **state)
{
    enum { WAITING = 3000, CLIENTS = 3 };
    struct daemon *daemon = *state;
    struct rpc *a = daemon_client(daemon);
    struct rpc *clients[CLIENTS];
    uint32_t msgids[WAITING];
    expect(a, "event.open", "['e']", "_map");
    expect(a, "semaphore.open", "['s', {value: 0}]", "_map");
    for (int i = 0; i < CLIENTS; i++) {
        clients[i] = daemon_client(daemon);
    }
    for (int i = 0; i < WAITING; i++) {
        msgids[i] = rpc_send(clients[i % CLIENTS], "semaphore.acquire", "['s']");
        expect(clients[i % CLIENTS], "server.ping", "[]", "nil");
    }
    uint32_t event = rpc_start(clients[0], "event.wait", "['e']");
    upgrade(daemon, a, 1);
    expect_waiting(clients[0], event);
    upgrade(daemon, a, 2);
    expect(a, "object.describe", "['s']", "{waiting: 3000, ...}");
    for (int i = 0; i < WAITING; i++) {
        expect(a, "semaphore.release", "['s']", "_int");
        expect_result(clients[i % CLIENTS], msgids[i], "0");
    }
    expect(a, "event.set", "['e']", "nil");
    expect_result(clients[0], event, "true");
}

static void time_goes_on_for_those_who_wait(void **state)
{
    struct daemon *daemon = *state;
    struct rpc *a = daemon_client(daemon);
    struct rpc *b = daemon_client(daemon);
    expect(a, "event.open", "['e']", "_map");
    int64_t begun = rpc_now();
    uint32_t wait = rpc_start(b, "event.wait", "['e', 400]");
    upgrade(daemon, a, 1);
    expect_result(b, wait, "false");
    assert_true(rpc_now() - begun >= 400);
}

static void condition_that_is_waited_on_can_be_notified(void **state)
{
    struct daemon *daemon = *state;
    struct rpc *a = daemon_client(daemon);
    struct rpc *b = daemon_client(daemon);
    expect(a, "condition.open", "['c']", "_map");
    expect(a, "condition.acquire", "['c']", "_map");
    expect(a, "condition.acquire", "['c']", "_map");
    uint32_t wait = rpc_start(a, "condition.wait", "['c']");
    upgrade(daemon, b, 1);
    expect(b, "condition.acquire", "['c', 0]", "{depth: 1, ...}");
    expect(b, "condition.notify", "['c']", "1");
    upgrade(daemon, b, 2);
    expect_waiting(a, wait);
    expect(b, "condition.release", "['c']", "0");
    expect_result(a, wait, "true");
    expect(a, "condition.release", "['c']", "1");
}

static void parties_of_a_barrier_still_wait_for_each_other(void **state)
{
    struct daemon *daemon = *state;
    struct rpc *a = daemon_client(daemon);
    struct rpc *b = daemon_client(daemon);
    expect(a, "barrier.open", "['b', {parties: 3}]", "_map");
    uint32_t first = rpc_start(a, "barrier.wait", "['b']");
    uint32_t second = rpc_start(b, "barrier.wait", "['b']");
    upgrade(daemon, a, 1);
    expect(a, "barrier.wait", "['b']", "2");
    expect_result(a, first, "0");
    expect_result(b, second, "1");
}

/* Tickets are the session's still, with their numbers, and their leases go on. */
static void what_is_taken_of_a_queue_stays_taken(void **state)
{
    struct daemon *daemon = *state;
    struct rpc *a = daemon_client(daemon);
    struct rpc *b = daemon_client(daemon);
    expect(a, "queue.open", "['q', {joinable: true, max_deliveries: 2, dead_letter: 'dead'}]",
           "_map");
    expect(a, "queue.open", "['leased', {joinable: true, lease_ms: 500}]", "_map");
    expect(a, "queue.put_many", "['q', [1, 2, 3, 4]]", "4");
    expect(a, "queue.put", "['leased', 'x']", "nil");
    expect(a, "queue.get_many", "['q', 2]", "[[1, 1, 1], [2, 2, 1]]");
    expect(b, "queue.get", "['q']", "[3, 3, 1]");
    int64_t begun = rpc_now();
    expect(b, "queue.get", "['leased']", "['x', 1, 1]");
    uint32_t join = rpc_start(a, "queue.join", "['q']");
    upgrade(daemon, a, 1);
    expect(a, "object.describe", "['q']", "{taken: 3, size: 1, unfinished: 4, ...}");
    expect(a, "queue.task_done", "['q', 2]", "3");
    expect(b, "queue.give_back", "['q', 3]", "nil");
    daemon_drop(daemon, b);
    expect(a, "queue.get", "['q', 1000]", "[3, 4, 2]");
    expect(a, "queue.get", "['leased', 10000]", "['x', 2, 2]");
    assert_true(rpc_now() - begun < 10000);
    upgrade(daemon, a, 2);
    expect(a, "queue.task_done", "['q', 1]", "2");
    expect(a, "queue.task_done", "['q', 4]", "1");
    expect_waiting(a, join);
    expect(a, "queue.get", "['q']", "[4, 5, 1]");
    expect(a, "queue.task_done", "['q']", "0");
    expect_result(a, join, "nil");
}

/* What a session has been given and not read comes back when it is gone, in the end. */
static void items_on_their_way_are_not_lost(void **state)
{
    struct daemon *daemon = *state;
    struct rpc *a = daemon_client(daemon);
    struct rpc *slow = daemon_client(daemon);
    expect(a, "queue.open", "['q']", "_map");
    for (int i = 0; i < 40; i++) {
        expect(a, "queue.put", rpc_text(a, "['q', [%d, 'z'*30000]]", i), "nil");
    }
    for (int i = 0; i < 40; i++) {
        (void)rpc_send(slow, "queue.get", "['q']");
    }
    expect_soon(a, "queue.qsize", "['q']", "_int");
    long long left = rpc_number(a, "queue.qsize", "['q']", NULL);
    assert_true(left < 40);
    upgrade(daemon, a, 1);
    daemon_drop(daemon, slow);
    expect_soon(a, "server.stats", "[]", "{sessions: 1, ...}");
    long long size = rpc_number(a, "queue.qsize", "['q']", NULL);
    assert_true(size > left);
    long long first = 40 - size;
    for (long long i = first; i < 40; i++) { /* all that had not left, in their order */
        expect(a, "queue.get", "['q']", rpc_text(a, "[[%lld, 'z'*30000], nil, 1]", i));
    }
}

static void cursors_go_on(void **state)
{
    struct daemon *daemon = *state;
    struct rpc *a = daemon_client(daemon);
    expect(a, "dict.open", "['d']", "_map");
    for (int i = 0; i < 10; i++) {
        expect(a, "dict.set", rpc_text(a, "['d', %d, nil]", i), "true");
    }
    expect(a, "dict.delete", "['d', 1]", "nil");
    long long cursor = rpc_number(a, "dict.scan", "['d', 0, 4]", "cursor");
    upgrade(daemon, a, 1);
    expect(a, "dict.scan", rpc_text(a, "['d', %lld, 99]", cursor),
           "{cursor: 0, items: [[5, nil], [6, nil], [7, nil], [8, nil], [9, nil]]}");
}

/* Objects that are on disk are there with their sessions' claims, and go on being on disk. */
static void durable_objects_are_taken_over_too(void **state)
{
    char directory[64];
    directory_make(directory);
    assert_return_code(chmod(directory, 0700), errno);
    struct daemon *daemon = daemon_start(&(struct daemon_options){.args = {"--state", directory}});
    struct rpc *a = daemon_client(daemon);
    (void)state;
    expect(a, "queue.open", "['q', {joinable: true, lifetime: 'durable'}]", "_map");
    expect(a, "dict.open", "['d', {lifetime: 'durable'}]", "_map");
    expect(a, "list.open", "['plain']", "_map");
    expect(a, "dict.open", "['refers']", "_map");
    expect(a, "queue.put_many", "['q', [1, 2, 3]]", "3");
    expect(a, "dict.set", "['d', 'k', [ext(1, 'q')]]", "true");
    expect(a, "dict.set", "['refers', 'k', [ext(1, 'd')]]", "true");
    expect(a, "list.extend", "['plain', [1, 2, 3]]", "3");
    expect(a, "queue.get", "['q']", "[1, 1, 1]");
    uint32_t set = rpc_send(a, "dict.set", "['d', 'last', 1]");
    upgrade(daemon, a, 1);
    expect_result(a, set, "true");
    expect(a, "dict.keys", "['d']", "['k', 'last']");
    expect(a, "list.slice", "['plain']", "[1, 2, 3]");
    expect(a, "queue.get", "['q']", "[2, 2, 1]");
    expect(a, "queue.task_done", "['q', 1]", "2");
    expect(a, "dict.set", "['d', 'after', 2]", "true");
    upgrade(daemon, a, 2);
    expect(a, "dict.set", "['d', 'k', 3]", "false");
    daemon_kill(daemon, SIGKILL);
    daemon_free(daemon);
    daemon = daemon_start(&(struct daemon_options){.args = {"--state", directory}});
    a = daemon_client(daemon);
    expect(a, "dict.items", "['d']", "[['k', 3], ['last', 1], ['after', 2]]");
    expect(a, "queue.get_many", "['q', 9]", "[[2, _int, 2], [3, _int, 1]]");
    expect_error(a, "list.len", "['plain']", "NOT_FOUND");
    daemon_stop(daemon);
    directory_remove(directory);
}

/* A message of which a part has come, with a descriptor, goes on where it stopped. */
static void message_may_come_in_two_halves(void **state)
{
    struct daemon *daemon = *state;
    struct rpc *a = daemon_client(daemon);
    struct rpc *b = daemon_client(daemon);
    int pair[2];
    assert_return_code(pipe(pair), errno);
    expect(a, "dict.open", "['d']", "_map");
    msgpack_sbuffer out;
    msgpack_sbuffer_init(&out);
    uint32_t msgid = rpc_pack(a, &out, "dict.set", "['d', 'k', [ext(2, '\\0'), 'x'*100000]]");
    rpc_write_descriptors(a, out.data, out.size / 2, pair, 1);
    expect(b, "server.ping", "[]", "nil");
    upgrade(daemon, b, 1);
    rpc_write(a, out.data + out.size / 2, out.size - out.size / 2);
    expect_result(a, msgid, "true");
    expect(b, "dict.get", "['d', 'k']", "[ext(2, '\\0'), 'x'*100000]");
    assert_int_equal(write(pair[1], "!", 1), 1);
    char byte = 0;
    assert_int_equal(b->fd_count, 1);
    assert_int_equal(read(b->fds[0], &byte, 1), 1);
    assert_int_equal(byte, '!');
    msgpack_sbuffer_destroy(&out);
    (void)close(pair[0]);
    (void)close(pair[1]);
}

/* Answers that nobody reads stay where they are, a part of them in the kernel. */
static void answers_that_are_not_read_are_not_lost(void **state)
{
    enum { ANSWERS = 40 };
    struct daemon *daemon = *state;
    struct rpc *a = daemon_client(daemon);
    struct rpc *slow = daemon_client(daemon);
    uint32_t msgids[ANSWERS];
    int pair[2];
    assert_return_code(pipe(pair), errno);
    expect(a, "dict.open", "['d']", "_map");
    msgpack_sbuffer out;
    msgpack_sbuffer_init(&out);
    uint32_t set = rpc_pack(a, &out, "dict.set", "['d', 'fd', ext(2, '\\0')]");
    rpc_write_descriptors(a, out.data, out.size, pair, 1);
    expect_result(a, set, "true");
    expect(a, "dict.set", "['d', 'k', 'y'*30000]", "true");
    for (int i = 0; i < ANSWERS; i++) {
        msgids[i] = rpc_send(slow, "dict.get", "['d', 'k']");
    }
    uint32_t last = rpc_send(slow, "dict.get", "['d', 'fd']");
    expect(a, "server.ping", "[]", "nil");
    expect(a, "server.ping", "[]", "nil");
    upgrade(daemon, a, 1);
    upgrade(daemon, a, 2);
    for (int i = 0; i < ANSWERS; i++) {
        expect_result(slow, msgids[i], "'y'*30000");
    }
    expect_result(slow, last, "ext(2, '\\0')");
    assert_int_equal(slow->fd_count, 1);
    msgpack_sbuffer_destroy(&out);
    (void)close(pair[0]);
    (void)close(pair[1]);
}

static void memory_is_shared_with_those_who_have_mapped_it(void **state)
{
    struct daemon *daemon = *state;
    struct rpc *a = daemon_client(daemon);
    expect(a, "array.open", "['a', {typecode: 'q', size: 8}]", "_map");
    expect(a, "array.map", "['a']", "[ext(2, '\\0'), {offset: 64, itemsize: 8, ...}]");
    void *memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, a->fds[0], 0);
    assert_ptr_not_equal(memory, MAP_FAILED);
    volatile int64_t *items = (int64_t *)((char *)memory + 64);
    items[2] = 7;
    upgrade(daemon, a, 1);
    expect(a, "array.add", "['a', 2, 1]", "8");
    assert_int_equal(items[2], 8);
    items[3] = 5;
    expect(a, "array.get", "['a', 3]", "5");
    (void)munmap(memory, 4096);
}

static void pipe_has_the_end_that_nobody_has_taken(void **state)
{
    struct daemon *daemon = *state;
    struct rpc *a = daemon_client(daemon);
    expect(a, "pipe.open", "['p']", "_map");
    expect(a, "pipe.connect", "['p', 0]", "[ext(2, '\\0'), 0]");
    assert_int_equal(write(a->fds[0], "before", 6), 6);
    upgrade(daemon, a, 1);
    expect_error(a, "pipe.connect", "['p', 0]", "EXISTS");
    expect(a, "pipe.connect", "['p', 1]", "[ext(2, '\\0'), 1]");
    char text[6];
    assert_int_equal(read(a->fds[1], text, 6), 6);
    assert_memory_equal(text, "before", 6);
    expect(a, "object.describe", "['p']", "{ends: ['taken', 'taken'], connected: true, ...}");
}

static void those_who_watch_are_told(void **state)
{
    struct daemon *daemon = *state;
    struct rpc *a = daemon_client(daemon);
    struct rpc *b = daemon_client(daemon);
    expect(a, "event.open", "['e']", "_map");
    expect(b, "object.watch", "['e']", "nil");
    upgrade(daemon, a, 1);
    expect(a, "event.set", "['e']", "nil");
    expect(a, "object.delete", "['e']", "nil");
    const char *const told[] = {"set", "deleted"};
    for (int i = 0; i < 2; i++) {
        struct reply *reply = rpc_next(b);
        assert_non_null(reply);
        const msgpack_object *event = &reply->params.via.array.ptr[1];
        assert_memory_equal(event->via.str.ptr, told[i], strlen(told[i]));
        reply_free(reply);
    }
}

/* Clients that are killed while and after another daemon takes over are found gone. */
static void clients_that_die_meanwhile_are_missed(void **state)
{
    enum { PROCESSES = 8 };
    struct daemon *daemon = *state;
    struct rpc *a = daemon_client(daemon);
    pid_t pids[PROCESSES];
    expect(a, "lock.open", "['l']", "_map");
    expect(a, "lock.acquire", "['l']", "_map");
    for (int i = 0; i < PROCESSES; i++) {
        pids[i] = daemon_client_process(daemon, "lock.acquire", "['l']");
    }
    uint32_t asked = rpc_send(a, "server.upgrade", "[]");
    for (int i = 0; i < PROCESSES / 2; i++) {
        process_kill(pids[i]);
    }
    expect_result(a, asked, "{takeovers: 1, ...}");
    for (int i = PROCESSES / 2; i < PROCESSES; i++) {
        process_kill(pids[i]);
    }
    expect_soon(a, "object.describe", "['l']", "{waiting: 0, ...}");
    expect_soon(a, "server.stats", "[]", "{sessions: 1, waiting: 0, ...}");
    expect(a, "lock.release", "['l']", "0");
}

static void signal_does_it_too(void **state)
{
    struct daemon *daemon = *state;
    struct rpc *a = daemon_client(daemon);
    expect(a, "event.open", "['e']", "_map");
    daemon_kill(daemon, SIGUSR2);
    expect_soon(a, "server.stats", "[]", "{takeovers: 1, ...}");
    expect(a, "event.is_set", "['e']", "false");
}

static void program_that_cannot_do_it_changes_nothing(void **state)
{
    struct daemon *daemon = *state;
    struct rpc *a = daemon_client(daemon);
    expect(a, "lock.open", "['l']", "_map");
    expect(a, "lock.acquire", "['l']", "_map");
    expect_error_word(a, "server.upgrade", "['/nowhere/ipcd']", "VALUE", "No such file");
    expect_error_word(a, "server.upgrade", "['/bin/false']", "VALUE", "cannot take over");
    expect_error_word(a, "server.upgrade", "['/etc/passwd']", "VALUE", "cannot be executed");
    expect_error(a, "server.upgrade", "['ipcd']", "BAD_REQUEST");
    expect_error(a, "server.upgrade", "[5]", "BAD_REQUEST");
    expect(a, "server.stats", "[]", "{takeovers: 0, ...}");
    expect(a, "lock.release", "['l']", "0");
    upgrade(daemon, a, 1);
}

/* One that says yes and then is no program any more. */
static void program_that_cannot_be_executed_in_the_end_changes_nothing(void **state)
{
    struct daemon *daemon = *state;
    struct rpc *a = daemon_client(daemon);
    struct rpc *b = daemon_client(daemon);
    char path[128];
    (void)snprintf(path, sizeof(path), "%s/ipcd", daemon->directory);
    FILE *script = fopen(path, "we");
    assert_non_null(script);
    (void)fprintf(script, "#!/bin/sh\nrm %s\n", path);
    (void)fclose(script);
    assert_return_code(chmod(path, 0755), errno);
    expect(a, "event.open", "['e']", "_map");
    uint32_t wait = rpc_start(b, "event.wait", "['e']");
    expect_error_word(a, "server.upgrade", rpc_text(a, "['%s']", path), "VALUE", "No such file");
    expect(a, "server.stats", "[]", "{takeovers: 0, waiting: 1, ...}");
    expect(a, "event.set", "['e']", "nil");
    expect_result(b, wait, "true");
    upgrade(daemon, a, 1);
}

static void others_may_not_ask_for_it(void **state)
{
    struct daemon *daemon = *state;
    if (geteuid() != 0) {
        skip();
    }
    struct rpc *c = daemon_client_as(daemon, 1234, 1234, 0);
    expect_error(c, "server.upgrade", "[]", "DENIED");
    struct rpc *a = daemon_client(daemon);
    expect_error(a, "atomic", "[[['server.upgrade', []]]]", "UNSUPPORTED");
}

/* What is left for the daemon that starts is no state, or one that it does not know. */
static void state_that_cannot_be_read_is_dropped(const void *bytes, size_t len, bool sealed,
                                                 const char *why)
{
    int state = memfd_create("state", MFD_ALLOW_SEALING);
    int pair[2];
    assert_true(state >= 0);
    assert_int_equal(write(state, bytes, len), len);
    if (sealed) {
        assert_return_code(fcntl(state, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK), errno);
    }
    assert_return_code(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), errno);
    (void)close(pair[0]);
    struct daemon *daemon = daemon_start(
        &(struct daemon_options){.env = {"IPCD_TAKEOVER=3,4"}, .passed = {state, pair[1]}});
    (void)close(state);
    (void)close(pair[1]);
    daemon_expect_log(daemon, why);
    struct rpc *a = daemon_client(daemon);
    expect(a, "server.stats", "[]", "{takeovers: 0, ...}");
    upgrade(daemon, a, 1);
    daemon_stop(daemon);
}

static void state_of_another_version_is_refused(void **state)
{
    char bytes[64] = "ipcd-sta";
    bytes[8] = 99;
    (void)state;
    state_that_cannot_be_read_is_dropped(bytes, sizeof(bytes), true, "its version is 99");
}

static void state_that_is_damaged_is_refused(void **state)
{
    char bytes[64] = "ipcd-sta";
    bytes[8] = 1;
    (void)state;
    state_that_cannot_be_read_is_dropped(bytes, sizeof(bytes), true, "its sum is wrong");
    state_that_cannot_be_read_is_dropped(bytes, sizeof(bytes), false, "it is not sealed");
    state_that_cannot_be_read_is_dropped(bytes, 7, true, "it is too short");
    state_that_cannot_be_read_is_dropped(
        "an ordinary file of 60 bytes, which is not what it should be", 60, true,
        "no state of an ipcd");
}

/* A program that keeps a copy of the state that it is given, and then is an ipcd. */
static void write_copier(const char *path, const char *copy)
{
    FILE *script = fopen(path, "we");
    assert_non_null(script);
    (void)fprintf(script,
                  "#!/bin/sh\n"
                  "case $1 in --check-takeover=*) exit 0;; esac\n"
                  "cat /proc/self/fd/${IPCD_TAKEOVER%%,*} > %s\n"
                  "exec %s \"$@\"\n",
                  copy, getenv("IPCD_BINARY"));
    (void)fclose(script);
    assert_return_code(chmod(path, 0755), errno);
}

/* A sealed copy of a file in memory. */
static int memory_of(const char *path)
{
    char bytes[4096];
    ssize_t len;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    int state = memfd_create("state", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    assert_true(file >= 0 && state >= 0);
    while ((len = read(file, bytes, sizeof(bytes))) > 0) {
        assert_int_equal(write(state, bytes, (size_t)len), len);
    }
    (void)close(file);
    assert_return_code(fcntl(state, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK), errno);
    return state;
}

/* What is found to be of no use when a part of it is there already is dropped as a whole. */
static void state_without_its_descriptors_is_dropped(void **state)
{
    struct daemon *daemon = *state;
    struct rpc *a = daemon_client(daemon);
    char program[128];
    char copy[128];
    int pair[2];
    (void)snprintf(program, sizeof(program), "%s/copier", daemon->directory);
    (void)snprintf(copy, sizeof(copy), "%s/state", daemon->directory);
    write_copier(program, copy);
    expect(a, "lock.open", "['l']", "_map");
    expect(a, "lock.acquire", "['l']", "_map");
    expect(a, "queue.open", "['q']", "_map");
    expect(a, "queue.put", "['q', 1]", "nil");
    expect(a, "server.upgrade", rpc_text(a, "['%s']", program), "{takeovers: 1, ...}");
    int memory = memory_of(copy);
    assert_return_code(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), errno);
    (void)close(pair[0]);
    struct daemon *other = daemon_start(
        &(struct daemon_options){.env = {"IPCD_TAKEOVER=3,4"}, .passed = {memory, pair[1]}});
    (void)close(memory);
    (void)close(pair[1]);
    daemon_expect_log(other, "cannot be taken over");
    struct rpc *b = daemon_client(other);
    expect(b, "object.list", "[]", "{objects: [], ...}");
    expect(b, "server.stats", "[]", "{takeovers: 0, ...}");
    upgrade(other, b, 1);
    daemon_stop(other);
    struct stat there; /* and the first one goes on, at its place */
    assert_return_code(lstat(daemon->socket, &there), errno);
    expect(a, "lock.release", "['l']", "0");
}

/* The lock on the address is never free, and the socket is the same. */
static void address_is_kept(void **state)
{
    struct daemon *daemon = *state;
    struct rpc *a = daemon_client(daemon);
    struct stat before;
    struct stat after;
    assert_return_code(stat(daemon->socket, &before), errno);
    upgrade(daemon, a, 1);
    assert_return_code(stat(daemon->socket, &after), errno);
    assert_int_equal(before.st_ino, after.st_ino);
    struct daemon *other = daemon_spawn(&(struct daemon_options){.directory = daemon->directory});
    assert_int_not_equal(daemon_wait(other), 0);
    daemon_expect_log(other, "another ipcd");
    daemon_free(other);
}

#define TEST(function) daemon_test(function)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(sessions_keep_their_numbers_and_what_they_hold),
        TEST(those_who_wait_are_served_in_their_order),
        TEST(time_goes_on_for_those_who_wait),
        TEST(condition_that_is_waited_on_can_be_notified),
        TEST(parties_of_a_barrier_still_wait_for_each_other),
        TEST(what_is_taken_of_a_queue_stays_taken),
        TEST(items_on_their_way_are_not_lost),
        TEST(cursors_go_on),
        cmocka_unit_test(durable_objects_are_taken_over_too),
        TEST(message_may_come_in_two_halves),
        TEST(answers_that_are_not_read_are_not_lost),
        TEST(memory_is_shared_with_those_who_have_mapped_it),
        TEST(pipe_has_the_end_that_nobody_has_taken),
        TEST(those_who_watch_are_told),
        TEST(clients_that_die_meanwhile_are_missed),
        TEST(signal_does_it_too),
        TEST(program_that_cannot_do_it_changes_nothing),
        TEST(program_that_cannot_be_executed_in_the_end_changes_nothing),
        TEST(others_may_not_ask_for_it),
        cmocka_unit_test(state_of_another_version_is_refused),
        cmocka_unit_test(state_that_is_damaged_is_refused),
        TEST(state_without_its_descriptors_is_dropped),
        TEST(address_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
