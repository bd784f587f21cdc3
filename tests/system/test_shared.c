/* Values and arrays with real processes: the mapping against the daemon's own operations, its lock
 * when the holder is killed, what a reader cannot do, what a client that scribbles cannot do. */
#include "tests/support/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAGE = 4096, ALICE = 4001, BOB = 4002 };

/* A value or an array as a client has it mapped. */
struct view {
    int fd; /* the rpc's */
    uint8_t *memory;
    size_t size;
    void *items;
    void *lock;
    bool writable;
};

static int64_t member(const msgpack_object *map, const char *key)
{
    assert_int_equal(map->type, MSGPACK_OBJECT_MAP);
    for (uint32_t i = 0; i < map->via.map.size; i++) {
        const msgpack_object_kv *pair = &map->via.map.ptr[i];
        if (pair->key.via.str.size == strlen(key) &&
            memcmp(pair->key.via.str.ptr, key, strlen(key)) == 0) {
            return pair->val.type == MSGPACK_OBJECT_BOOLEAN ? pair->val.via.boolean
                                                            : pair->val.via.i64;
        }
    }
    fail_msg("the layout has no %s", key);
    return 0;
}

/* Where the lock stands: the map within the layout. */
static int64_t lock_offset(const msgpack_object *layout)
{
    for (uint32_t i = 0; i < layout->via.map.size; i++) {
        const msgpack_object *value = &layout->via.map.ptr[i].val;
        if (value->type == MSGPACK_OBJECT_MAP) {
            assert_int_equal(member(value, "size"), sizeof(pthread_mutex_t));
            return member(value, "offset");
        }
    }
    fail_msg("the layout has no lock");
    return 0;
}

static struct view map_view(struct rpc *c, const char *method, const char *params)
{
    struct reply *reply = rpc_call(c, method, params);
    assert_int_equal(reply->error.type, MSGPACK_OBJECT_NIL);
    assert_true(c->fd_count > 0);
    const msgpack_object *layout = &reply->result.via.array.ptr[1];
    struct view view = {.fd = c->fds[c->fd_count - 1],
                        .size = (size_t)member(layout, "size"),
                        .writable = member(layout, "writable")};
    int protection = view.writable ? PROT_READ | PROT_WRITE : PROT_READ;
    view.memory = mmap(NULL, view.size, protection, MAP_SHARED, view.fd, 0);
    assert_ptr_not_equal(view.memory, MAP_FAILED);
    view.items = view.memory + member(layout, "offset");
    view.lock = view.memory + lock_offset(layout);
    reply_free(reply);
    return view;
}

static void unmap(const struct view *view)
{
    assert_int_equal(munmap(view->memory, view->size), 0);
}

/* Waits for a child that must have ended with 0. */
static void expect_end(pid_t child)
{
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

/* A process that adds to item 0 until item 1 is set, and leaves in an item of its own how often. */
static pid_t add_until_told(const struct view *view, int own)
{
    pid_t child = fork();
    if (child == 0) {
        int64_t *items = view->items;
        int64_t times = 0;
        while (__atomic_load_n(&items[1], __ATOMIC_SEQ_CST) == 0) {
            (void)__atomic_fetch_add(&items[0], 1, __ATOMIC_SEQ_CST);
            times++;
        }
        items[own] = times;
        _exit(0);
    }
    return child;
}

static void daemon_and_mappings_add_to_one_total(void **state)
{
    enum { PROCESSES = 3, CALLS = 3000 };
    struct rpc *c = daemon_client(*state);
    expect(c, "array.open", "['a', {typecode: 'q', size: 5}]", "_map");
    struct view view = map_view(c, "array.map", "['a']");
    const int64_t *items = view.items;
    pid_t children[PROCESSES];
    for (int i = 0; i < PROCESSES; i++) {
        children[i] = add_until_told(&view, 2 + i);
    }
    for (int i = 0; i < CALLS; i++) {
        expect(c, "array.add", "['a', 0, 1]", "_int");
    }
    expect(c, "array.set", "['a', 1, 1]", "nil");
    for (int i = 0; i < PROCESSES; i++) {
        expect_end(children[i]);
    }
    int64_t total = items[2] + items[3] + items[4] + CALLS;
    expect(c, "array.get", "['a', 0]", rpc_text(c, "%lld", (long long)total));
    assert_int_equal(items[0], total);
    unmap(&view);
}

/* Floats have no atomic addition: both sides exchange. */
static pid_t add_halves_until_told(const struct view *view)
{
    pid_t child = fork();
    if (child == 0) {
        uint64_t *bits = view->items;
        double times = 0;
        while (__atomic_load_n(&bits[1], __ATOMIC_SEQ_CST) == 0) {
            uint64_t was = __atomic_load_n(bits, __ATOMIC_SEQ_CST);
            uint64_t wanted;
            do {
                double number;
                memcpy(&number, &was, sizeof(number));
                number += 0.5;
                memcpy(&wanted, &number, sizeof(wanted));
            } while (!__atomic_compare_exchange_n(bits, &was, wanted, false, __ATOMIC_SEQ_CST,
                                                  __ATOMIC_SEQ_CST));
            times++;
        }
        ((double *)view->items)[2] = times;
        _exit(0);
    }
    return child;
}

static void sums_of_floats_are_whole_too(void **state)
{
    enum { CALLS = 2000 };
    struct rpc *c = daemon_client(*state);
    expect(c, "array.open", "['a', {typecode: 'd', size: 3}]", "_map");
    struct view view = map_view(c, "array.map", "['a']");
    const double *items = view.items;
    pid_t child = add_halves_until_told(&view);
    for (int i = 0; i < CALLS; i++) {
        expect(c, "array.add", "['a', 0, 0.5]", "_float");
    }
    expect(c, "array.set", "['a', 1, 1]", "nil");
    expect_end(child);
    assert_true(items[0] == (items[2] + CALLS) * 0.5);
    unmap(&view);
}

/* A process that holds the lock of the mapping, and does nothing more. */
static pid_t hold_lock(const struct view *view)
{
    int pair[2];
    char byte;
    assert_int_equal(pipe(pair), 0);
    pid_t child = fork();
    if (child == 0) {
        if (pthread_mutex_lock(view->lock) == 0 && write(pair[1], "h", 1) == 1) {
            (void)poll(NULL, 0, -1);
        }
        _exit(1);
    }
    assert_int_equal(read(pair[0], &byte, 1), 1);
    (void)close(pair[0]);
    (void)close(pair[1]);
    return child;
}

/* pthread_mutex_lock with the limit of all waits. */
static int take_lock(const struct view *view)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += RPC_LIMIT_MS / 1000;
    return pthread_mutex_timedlock(view->lock, &until);
}

static void lock_of_a_killed_holder_is_told_to_the_next(void **state)
{
    struct rpc *c = daemon_client(*state);
    expect(c, "array.open", "['a', {typecode: 'q', size: 2}]", "_map");
    struct view view = map_view(c, "array.map", "['a']");
    pid_t holder = hold_lock(&view);
    assert_int_equal(pthread_mutex_trylock(view.lock), EBUSY);
    expect(c, "array.set", "['a', 0, 5]", "nil"); /* the daemon does not wait for it */
    expect(c, "array.add", "['a', 0, 5]", "10");
    expect(c, "array.slice", "['a']", "[10, 0]");
    process_kill(holder);
    assert_int_equal(take_lock(&view), EOWNERDEAD);
    assert_int_equal(pthread_mutex_consistent(view.lock), 0);
    assert_int_equal(pthread_mutex_unlock(view.lock), 0);
    assert_int_equal(take_lock(&view), 0);
    assert_int_equal(pthread_mutex_unlock(view.lock), 0);
    unmap(&view);
}

static void lock_guards_what_is_not_atomic(void **state)
{
    enum { PROCESSES = 3, EACH = 3000 };
    struct rpc *c = daemon_client(*state);
    expect(c, "array.open", "['a', {typecode: 'i', size: 2}]", "_map");
    struct view view = map_view(c, "array.map", "['a']");
    volatile int *items = view.items;
    pid_t children[PROCESSES];
    for (int i = 0; i < PROCESSES; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            for (int n = 0; n < EACH; n++) {
                if (pthread_mutex_lock(view.lock) != 0 || items[0] != -items[1]) {
                    _exit(1);
                }
                items[0] += 1;
                items[1] -= 1;
                (void)pthread_mutex_unlock(view.lock);
            }
            _exit(0);
        }
    }
    for (int i = 0; i < PROCESSES; i++) {
        expect_end(children[i]);
    }
    expect(c, "array.slice", "['a']", rpc_text(c, "[%d, %d]", PROCESSES * EACH, -PROCESSES * EACH));
    unmap(&view);
}

/* Every method, whatever stands in the memory. */
static void call_all(struct rpc *c, const char *code)
{
    const char *zero = *code == '?' ? "false" : "_";
    expect(c, "array.get", "['a', -1]", "_");
    expect(c, "array.len", "['a']", "50");
    expect(c, "array.slice", "['a', 0, 3]", "[_, _, _]");
    reply_free(rpc_call(c, "array.add", "['a', 0, 1]")); /* may be RANGE */
    expect(c, "array.set", "['a', 0, 0]", "nil");
    expect(c, "array.get", "['a', 0]", zero);
    expect(c, "array.set_slice", "['a', 1, [1, 0, 1]]", "nil");
    expect(c, "array.map", "['a']", "[ext(2, '\\x00'), {count: 50, ...}]");
    expect(c, "object.describe", "['a']", "{size: 50, ...}");
}

static void scribbled_mapping_harms_nobody_else(void **state)
{
    struct daemon *daemon = *state;
    struct rpc *c = daemon_client(daemon);
    unsigned seed = 20261121;
    for (const char *code = "bBhHiIlLqQfd?"; *code != '\0'; code++) {
        struct rpc *b = daemon_client(daemon);
        expect(c, "array.open", rpc_text(c, "['a', {typecode: '%c', size: 50}]", *code), "_map");
        struct view view = map_view(b, "array.map", "['a']");
        for (int i = 0; i < 20; i++) {
            for (size_t at = 0; at < view.size; at++) { /* the lock and all */
                view.memory[at] = (uint8_t)rand_r(&seed);
            }
            call_all(b, code);
        }
        memset(view.memory, 0xff, view.size);
        call_all(b, code);
        unmap(&view);
        expect(c, "object.delete", "['a']", "nil");
        daemon_drop(daemon, b);
    }
}

/* Its owner may do to it what a descriptor allows: the daemon goes on. */
static void memory_cannot_be_taken_away_from_under_the_daemon(void **state)
{
    struct rpc *c = daemon_client(*state);
    expect(c, "array.open", "['a', {typecode: 'q', size: 2000}]", "_map");
    expect(c, "array.set", "['a', -1, 7]", "nil");
    struct view view = map_view(c, "array.map", "['a']");
    assert_int_equal(ftruncate(view.fd, 0), -1);
    assert_int_equal(errno, EPERM);
    assert_int_equal(ftruncate(view.fd, 1 << 20), -1);
    assert_int_equal(fcntl(view.fd, F_ADD_SEALS, F_SEAL_WRITE), -1);
    assert_int_equal(errno, EPERM);
    assert_int_equal(
        fallocate(view.fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, (off_t)view.size), 0);
    expect(c, "array.get", "['a', -1]", "0"); /* gone, and nothing but zeros */
    expect(c, "array.add", "['a', 0, 3]", "3");
    assert_int_equal(*(int64_t *)view.items, 3);
    unmap(&view);
}

/* What a process of another user must not be able to do with a descriptor for reading. Returns 0,
 * or which of it could be done. */
static int try_to_write(int fd)
{
    char path[64];
    if (setgroups(0, NULL) != 0 || setresgid(BOB, BOB, BOB) != 0 || setresuid(BOB, BOB, BOB) != 0) {
        return 1;
    }
    void *memory = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED || mprotect(memory, PAGE, PROT_READ | PROT_WRITE) == 0) {
        return 2;
    }
    if (mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) != MAP_FAILED ||
        mmap(NULL, PAGE, PROT_WRITE, MAP_SHARED, fd, 0) != MAP_FAILED) {
        return 3;
    }
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    if (open(path, O_RDWR) >= 0 || open(path, O_WRONLY) >= 0 || open(path, O_RDONLY) >= 0) {
        return 4;
    }
    if (chmod(path, 0666) == 0 || fchmod(fd, 0666) == 0) {
        return 5;
    }
    if (write(fd, "x", 1) >= 0 || pwrite(fd, "x", 1, 64) >= 0) {
        return 6;
    }
    if (ftruncate(fd, 0) == 0 || truncate(path, 0) == 0 ||
        fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, PAGE) == 0) {
        return 7;
    }
    if (fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE) == 0 || fcntl(fd, F_SETFL, O_RDWR) < 0 ||
        (fcntl(fd, F_GETFL) & O_ACCMODE) != O_RDONLY) {
        return 8;
    }
    return 0;
}

static void check_reader(struct daemon *daemon)
{
    struct rpc *owner = daemon_client_as(daemon, ALICE, ALICE, 0);
    struct rpc *reader = daemon_client_as(daemon, BOB, BOB, 0);
    expect(owner, "value.open", "['r', {typecode: 'q', initial: 41, mode: 436}]",
           "_map"); /* 0664 */
    expect_error(reader, "value.set", "['r', 1]", "DENIED");
    struct view view = map_view(reader, "value.map", "['r']");
    assert_false(view.writable);
    pid_t child = fork();
    if (child == 0) {
        _exit(try_to_write(view.fd));
    }
    expect_end(child);
    expect(owner, "value.add", "['r', 1]", "42");
    assert_int_equal(*(int64_t *)view.items, 42);
    unmap(&view);
    expect(owner, "object.chmod", "['r', 384]", "nil"); /* 0600 */
    expect_error(reader, "value.map", "['r']", "DENIED");
    view = map_view(owner, "value.map", "['r']");
    assert_true(view.writable);
    unmap(&view);
}

static void reader_cannot_write(void **state)
{
    check_reader(*state);
}

static void reader_cannot_write_where_the_daemon_is_not_root(void **state)
{
    struct daemon *daemon =
        daemon_start(&(struct daemon_options){.args = {"--socket-mode", "0666"}, .uid = 4003});
    *state = daemon;
    check_reader(daemon);
}

static int start_open_to_all(void **state)
{
    *state = daemon_start(&(struct daemon_options){.args = {"--socket-mode", "0666"}});
    return 0;
}

static void descriptors_are_closed_with_their_objects(void **state)
{
    struct daemon *daemon = *state;
    struct rpc *c = daemon_client(daemon);
    expect(c, "server.ping", "[]", "nil");
    unsigned before = daemon_descriptors(daemon);
    for (int i = 0; i < 20; i++) {
        struct rpc *b = daemon_client(daemon);
        expect(b, "value.open", "['v', {typecode: 'd'}]", "_map");
        expect(b, "array.open", "[nil, {typecode: 'd', size: 5000}]", "_map");
        expect_error(b, "array.open", "['x', {typecode: 'b', initial: [1, 1000]}]", "RANGE");
        expect(b, "array.map", rpc_text(b, "['#%d']", i + 1), "[ext(2, '\\x00'), _map]");
        daemon_drop(daemon, b);
    }
    expect(c, "object.delete", "['v']", "nil");
    daemon_expect_descriptors(daemon, before);
}

/* A process that may have no more descriptors makes no more memory, and goes on. */
static void descriptors_that_run_out_are_told(void **state)
{
    struct daemon *daemon = daemon_start(&(struct daemon_options){0});
    *state = daemon;
    daemon_limit_descriptors(daemon, 40);
    struct rpc *c = daemon_client(daemon);
    int made = 0;
    for (;; made++) {
        struct reply *reply =
            rpc_call(c, "value.open", rpc_text(c, "['v%d', {typecode: 'i'}]", made));
        bool refused = reply->error.type != MSGPACK_OBJECT_NIL;
        reply_free(reply);
        if (refused) {
            break;
        }
        assert_true(made < 40);
    }
    assert_true(made > 10);
    expect_error_word(c, "value.open", "['more', {typecode: 'i'}]", "LIMIT", "memory");
    expect(c, "value.add", "['v0', 1]", "1");
    expect(c, "object.delete", "['v0']", "nil");
    expect(c, "value.open", "['more', {typecode: 'i'}]", "_map");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        daemon_test(daemon_and_mappings_add_to_one_total),
        daemon_test(sums_of_floats_are_whole_too),
        daemon_test(lock_of_a_killed_holder_is_told_to_the_next),
        daemon_test(lock_guards_what_is_not_atomic),
        daemon_test(scribbled_mapping_harms_nobody_else),
        daemon_test(memory_cannot_be_taken_away_from_under_the_daemon),
        cmocka_unit_test_setup_teardown(reader_cannot_write, start_open_to_all, daemon_teardown),
        cmocka_unit_test_teardown(reader_cannot_write_where_the_daemon_is_not_root,
                                  daemon_teardown),
        daemon_test(descriptors_are_closed_with_their_objects),
        cmocka_unit_test_teardown(descriptors_that_run_out_are_told, daemon_teardown),
    };
    return cmocka_run_group_tests_name("value and array", tests, NULL, NULL);
}
