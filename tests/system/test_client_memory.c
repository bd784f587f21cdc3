/* The client library's values and arrays against a real daemon: mapped and by calls, in several
 * processes, and the lock in the memory when its holder is killed. */
#include "tests/system/client_system.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static struct ipcc_shared_value *open_value(struct ipcc *conn, const char *name, char typecode,
                                            bool unmapped)
{
    struct ipcc_shared_value *value = NULL;
    struct ipcc_shared_value_options options = {.typecode = typecode, .unmapped = unmapped};
    assert_ok(ipcc_shared_value_open(conn, name, &options, &value));
    assert_true((ipcc_shared_value_data(value, NULL) == NULL) == unmapped);
    return value;
}

static struct ipcc_shared_array *open_array(struct ipcc *conn, const char *name, char typecode,
                                            bool unmapped)
{
    struct ipcc_shared_array *array = NULL;
    struct ipcc_shared_array_options options = {
        .typecode = typecode, .size = 5, .unmapped = unmapped};
    assert_ok(ipcc_shared_array_open(conn, name, &options, &array));
    assert_true((ipcc_shared_array_data(array, NULL) == NULL) == unmapped);
    return array;
}

static int64_t get_int(struct ipcc_shared_value *value)
{
    int64_t number = 0;
    assert_ok(ipcc_shared_value_get_int(value, &number));
    return number;
}

/* Everything twice: on the mapping and by calls must be the same. */

static void check_integers(struct ipcc *conn, const char *name, bool unmapped)
{
    struct ipcc_shared_value *value = open_value(conn, name, 'h', unmapped);
    struct ipcc_value number = ipcc_none();
    int64_t sum = 0;
    double real = 0;
    assert_string_equal(ipcc_shared_value_name(value), name);
    assert_int_equal(get_int(value), 0);
    assert_ok(ipcc_shared_value_set_int(value, -32768));
    assert_int_equal(get_int(value), -32768);
    assert_ok(ipcc_shared_value_add_int(value, 65535, &sum));
    assert_int_equal(sum, 32767);
    assert_fails(ipcc_shared_value_add_int(value, 1, &sum), RANGE, "nothing");
    assert_fails(ipcc_shared_value_set_int(value, 32768), RANGE, "typecode h");
    assert_fails(ipcc_shared_value_set_float(value, 1), TYPE, "_float");
    assert_fails(ipcc_shared_value_add_float(value, 1, &real), TYPE, "_float");
    assert_fails(ipcc_shared_value_get_float(value, &real), TYPE, "_float");
    assert_fails(ipcc_shared_value_set(value, ipcc_float(1)), TYPE, "typecode h");
    assert_fails(ipcc_shared_value_set(value, ipcc_str("1")), TYPE, "typecode h");
    assert_ok(ipcc_shared_value_add(value, ipcc_bool(false), &number));
    assert_ok(ipcc_shared_value_add(value, ipcc_int(-7), &number));
    assert_int_equal(number.kind, IPCC_INT);
    assert_int_equal(number.as.integer, 32760);
    assert_ok(ipcc_shared_value_add_int(value, 1, NULL));
    assert_ok(ipcc_shared_value_get(value, &number));
    assert_int_equal(number.as.integer, 32761);
    assert_ok(ipcc_shared_value_close(value));
}

static void check_floats(struct ipcc *conn, const char *name, bool unmapped)
{
    struct ipcc_shared_value *value = open_value(conn, name, 'd', unmapped);
    struct ipcc_value number = ipcc_none();
    double real = 0;
    int64_t integer = 0;
    assert_ok(ipcc_shared_value_set_float(value, 0.5));
    assert_ok(ipcc_shared_value_add_float(value, 0.25, &real));
    assert_true(real == 0.75);
    assert_ok(ipcc_shared_value_get_float(value, &real));
    assert_true(real == 0.75);
    assert_ok(ipcc_shared_value_add(value, ipcc_int(1), &number));
    assert_true(number.kind == IPCC_FLOAT && number.as.number == 1.75);
    assert_fails(ipcc_shared_value_get_int(value, &integer), TYPE, "_int");
    assert_fails(ipcc_shared_value_add_int(value, 1, NULL), TYPE, "_int");
    assert_ok(ipcc_shared_value_close(value));
}

static void check_large(struct ipcc *conn, const char *name, bool unmapped)
{
    struct ipcc_shared_value *value = open_value(conn, name, 'Q', unmapped);
    struct ipcc_value number = ipcc_none();
    int64_t integer = 0;
    assert_ok(ipcc_shared_value_set(value, ipcc_uint(UINT64_MAX)));
    assert_fails(ipcc_shared_value_get_int(value, &integer), RANGE, "INT64_MAX");
    assert_ok(ipcc_shared_value_get(value, &number));
    assert_true(number.kind == IPCC_UINT && number.as.unsigned_integer == UINT64_MAX);
    assert_ok(ipcc_shared_value_add_int(value, -1, &integer));
    assert_int_equal(integer, -2); /* 2^64 less */
    assert_ok(ipcc_shared_value_close(value));
}

static void check_booleans(struct ipcc *conn, const char *name, bool unmapped)
{
    struct ipcc_shared_value *value = open_value(conn, name, '?', unmapped);
    struct ipcc_value number = ipcc_none();
    assert_ok(ipcc_shared_value_set(value, ipcc_bool(true)));
    assert_int_equal(get_int(value), 1);
    assert_ok(ipcc_shared_value_get(value, &number));
    assert_true(number.kind == IPCC_BOOL && number.as.boolean);
    assert_ok(ipcc_shared_value_set_int(value, 0));
    assert_ok(ipcc_shared_value_set_int(value, 2));
    assert_int_equal(get_int(value), 1);
    assert_ok(ipcc_shared_value_set_int(value, 0));
    assert_fails(ipcc_shared_value_add_int(value, 1, NULL), TYPE, "");
    assert_int_equal(get_int(value), 0);
    assert_ok(ipcc_shared_value_close(value));
}

static void value_is_the_same_mapped_and_by_calls(void **state)
{
    struct ipcc *conn = client_open(*state);
    check_integers(conn, "h", false);
    check_integers(conn, "hc", true);
    check_floats(conn, "d", false);
    check_floats(conn, "dc", true);
    check_large(conn, "q", false);
    check_large(conn, "qc", true);
    check_booleans(conn, "b", false);
    check_booleans(conn, "bc", true);
    assert_ok(ipcc_close(conn));
}

static void check_array(struct ipcc *conn, const char *name, bool unmapped)
{
    struct ipcc_shared_array *array = open_array(conn, name, 'i', unmapped);
    struct ipcc_reply reply;
    struct ipcc_value numbers[] = {ipcc_int(1), ipcc_int(2), ipcc_int(3)};
    struct ipcc_value bad[] = {ipcc_int(9), ipcc_float(9)};
    struct ipcc_value large[] = {ipcc_int(9), ipcc_int(INT64_MAX)};
    uint64_t length = 0;
    int64_t number = 0;
    assert_ok(ipcc_shared_array_len(array, &length));
    assert_int_equal(length, 5);
    assert_ok(ipcc_shared_array_set_slice(array, 1, ipcc_array(numbers, 3)));
    assert_ok(ipcc_shared_array_set_int(array, -1, 4));
    assert_ok(ipcc_shared_array_get_int(array, -2, &number));
    assert_int_equal(number, 3);
    assert_ok(ipcc_shared_array_add_int(array, 0, -10, &number));
    assert_int_equal(number, -10);
    assert_prints("[-10, 1, 2, 3, 4]",
                  ipcc_shared_array_slice(array, IPCC_OMIT, IPCC_OMIT, &reply));
    assert_prints("[1, 2]", ipcc_shared_array_slice(array, 1, -2, &reply));
    assert_prints("[]", ipcc_shared_array_slice(array, 4, 1, &reply));
    assert_prints("[3, 4]", ipcc_shared_array_slice(array, -2, 100, &reply));
    assert_fails(ipcc_shared_array_get_int(array, 5, &number), INDEX, "5");
    assert_fails(ipcc_shared_array_set_int(array, -6, 0), INDEX, "-6");
    assert_fails(ipcc_shared_array_add_int(array, INT64_MIN, 0, NULL), INDEX, "range");
    assert_fails(ipcc_shared_array_set_slice(array, 3, ipcc_array(numbers, 3)), VALUE, "3");
    assert_fails(ipcc_shared_array_set_slice(array, -6, ipcc_array(numbers, 1)), VALUE, "-6");
    assert_fails(ipcc_shared_array_set_slice(array, 0, ipcc_array(bad, 2)), TYPE, "typecode i");
    assert_fails(ipcc_shared_array_set_slice(array, 0, ipcc_array(large, 2)), RANGE, "typecode i");
    assert_ok(ipcc_shared_array_set_slice(array, 77, ipcc_array(NULL, 0)));
    assert_prints("[-10, 1]", ipcc_shared_array_slice(array, 0, 2, &reply));
    assert_ok(ipcc_shared_array_close(array));
}

static void check_bulk(struct ipcc *conn, const char *name, bool unmapped)
{
    struct ipcc_shared_array *array = open_array(conn, name, 'f', unmapped);
    struct ipcc_reply reply;
    const float out[] = {1.5F, -2.25F, 3};
    float in[5] = {9, 9, 9, 9, 9};
    assert_ok(ipcc_shared_array_write(array, 1, out, 3));
    assert_prints("[0.0, 1.5, -2.25, 3.0, 0.0]",
                  ipcc_shared_array_slice(array, IPCC_OMIT, IPCC_OMIT, &reply));
    assert_ok(ipcc_shared_array_read(array, -4, in, 3));
    assert_memory_equal(in, out, sizeof(out));
    assert_true(in[3] == 9);
    assert_fails(ipcc_shared_array_read(array, 3, in, 3), VALUE, "from index 3");
    assert_fails(ipcc_shared_array_write(array, 0, out, SIZE_MAX), VALUE, "from index 0");
    assert_fails(ipcc_shared_array_write(array, 0, NULL, 1), ARGUMENT, "NULL");
    assert_ok(ipcc_shared_array_write(array, 0, NULL, 0));
    assert_ok(ipcc_shared_array_close(array));
}

static void array_is_the_same_mapped_and_by_calls(void **state)
{
    struct ipcc *conn = client_open(*state);
    check_array(conn, "a", false);
    check_array(conn, "ac", true);
    check_bulk(conn, "f", false);
    check_bulk(conn, "fc", true);
    assert_ok(ipcc_close(conn));
}

static void open_compares_and_refuses(void **state)
{
    struct ipcc *conn = client_open(*state);
    struct ipcc_shared_value *value = open_value(conn, "v", 'i', false);
    struct ipcc_shared_value *other = NULL;
    struct ipcc_shared_array *array = NULL;
    struct ipcc_shared_value_options options = {.typecode = 'd'};
    struct ipcc_value first[] = {ipcc_int(4), ipcc_int(5)};
    struct ipcc_shared_array_options initial = {.typecode = 'B', .initial = ipcc_array(first, 2)};
    struct ipcc_reply reply;
    assert_fails(ipcc_shared_value_open(conn, "v", &options, &other), MISMATCH, "typecode");
    assert_fails(ipcc_shared_value_open(conn, "none", NULL, &other), BAD_REQUEST, "typecode");
    assert_fails(ipcc_shared_value_open(conn, "v", NULL, NULL), ARGUMENT, "place");
    options = (struct ipcc_shared_value_options){.reserved = {1}};
    assert_fails(ipcc_shared_value_open(conn, "v", &options, &other), ARGUMENT, "reserved");
    assert_fails(ipcc_shared_array_open(conn, "v", NULL, &array), WRONG_TYPE, "value");
    assert_fails(ipcc_shared_value_get_int(NULL, NULL), ARGUMENT, "NULL");
    assert_fails(ipcc_shared_value_get_int(value, NULL), ARGUMENT, "NULL");
    assert_fails(ipcc_shared_value_add_int(NULL, 1, NULL), ARGUMENT, "NULL");
    assert_fails(ipcc_shared_array_slice(NULL, 0, 0, &reply), ARGUMENT, "NULL");
    assert_fails(ipcc_shared_value_lock(NULL, 0, NULL), ARGUMENT, "NULL");
    assert_null(ipcc_shared_value_name(NULL));
    assert_null(ipcc_shared_array_data(NULL, NULL));
    assert_ok(ipcc_shared_value_open(conn, "v", NULL, &other));
    assert_ok(ipcc_shared_value_set_int(other, 12));
    assert_int_equal(get_int(value), 12);
    assert_ok(ipcc_shared_array_open(conn, NULL, &initial, &array));
    assert_prints("[4, 5]", ipcc_shared_array_slice(array, IPCC_OMIT, IPCC_OMIT, &reply));
    assert_ok(ipcc_shared_array_close(array));
    assert_ok(ipcc_shared_value_close(other));
    assert_ok(ipcc_shared_value_close(value));
    assert_ok(ipcc_shared_value_close(NULL));
    assert_ok(ipcc_close(conn));
}

static void data_is_the_memory_itself(void **state)
{
    struct ipcc *conn = client_open(*state);
    struct ipcc_shared_array *array = open_array(conn, "a", 'q', false);
    struct ipcc_shared_layout layout;
    int64_t *items = ipcc_shared_array_data(array, &layout);
    int64_t number = 0;
    assert_true(layout.typecode == 'q' && layout.itemsize == 8 && layout.count == 5 &&
                layout.writable);
    assert_int_equal((uintptr_t)items % 64, 0);
    __atomic_store_n(&items[4], 99, __ATOMIC_SEQ_CST);
    assert_ok(ipcc_shared_array_get_int(array, 4, &number));
    assert_int_equal(number, 99);
    assert_ok(ipcc_shared_array_close(array));
    assert_ok(ipcc_close(conn));
}

static void expect_end(pid_t child)
{
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

/* Opened before the fork, and a connection of its own: both see the same number. */
static void children_of_fork_go_on_with_the_mapping(void **state)
{
    enum { CHILDREN = 4, EACH = 5000 };
    struct daemon *daemon = *state;
    struct ipcc *conn = client_open(daemon);
    struct ipcc_shared_value *value = open_value(conn, "v", 'l', false);
    struct ipcc_shared_value *calls = open_value(conn, "v", 'l', true);
    pid_t children[CHILDREN];
    for (int i = 0; i < CHILDREN; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            bool ok = ipcc_shared_value_add_int(calls, 1, NULL) == IPCC_ERR_FORKED;
            for (int n = 0; n < EACH; n++) {
                ok = ok && ipcc_shared_value_add_int(value, 1, NULL) == 0;
            }
            ok = ok && ipcc_shared_value_lock(value, IPCC_FOREVER, NULL) == 0 &&
                 ipcc_shared_value_unlock(value) == 0;
            ok = ok && ipcc_shared_value_close(value) == 0;
            _exit(ok ? 0 : 1);
        }
    }
    for (int i = 0; i < 500; i++) {
        assert_ok(ipcc_shared_value_add_int(calls, 1, NULL));
    }
    for (int i = 0; i < CHILDREN; i++) {
        expect_end(children[i]);
    }
    assert_int_equal(get_int(value), CHILDREN * EACH + 500);
    assert_int_equal(get_int(calls), CHILDREN * EACH + 500);
    assert_ok(ipcc_shared_value_close(value));
    assert_ok(ipcc_shared_value_close(calls));
    assert_ok(ipcc_close(conn));
}

static void lock_guards_and_tells(void **state)
{
    struct ipcc *conn = client_open(*state);
    struct ipcc_shared_value *value = open_value(conn, "v", 'i', false);
    struct ipcc_shared_value *calls = open_value(conn, "v", 'i', true);
    bool abandoned = true;
    assert_ok(ipcc_shared_value_lock(value, 0, &abandoned));
    assert_false(abandoned);
    assert_fails(ipcc_shared_value_lock(value, IPCC_FOREVER, NULL), BUSY, "already");
    assert_ok(ipcc_shared_value_set_int(calls, 5)); /* the daemon does not wait for it */
    assert_ok(ipcc_shared_value_unlock(value));
    assert_fails(ipcc_shared_value_unlock(value), NOT_OWNER, "does not hold");
    assert_fails(ipcc_shared_value_lock(value, -2, NULL), ARGUMENT, "timeout_ms");
    assert_fails(ipcc_shared_value_lock(calls, 0, NULL), SYSTEM, "not mapped");
    assert_ok(ipcc_shared_value_close(value));
    assert_ok(ipcc_shared_value_close(calls));
    assert_ok(ipcc_close(conn));
}

/* A process that opens the array for itself, takes its lock, and does nothing more. */
static pid_t hold_lock(const struct daemon *daemon)
{
    int pair[2];
    char byte;
    assert_int_equal(pipe(pair), 0);
    pid_t child = fork();
    if (child == 0) {
        struct ipcc *conn = client_open(daemon);
        struct ipcc_shared_array *array = NULL;
        if (ipcc_shared_array_open(conn, "a", NULL, &array) == 0 &&
            ipcc_shared_array_lock(array, IPCC_FOREVER, NULL) == 0 && write(pair[1], "h", 1) == 1) {
            (void)pause();
        }
        _exit(1);
    }
    assert_int_equal(read(pair[0], &byte, 1), 1);
    (void)close(pair[0]);
    (void)close(pair[1]);
    return child;
}

static void lock_of_a_killed_holder_is_abandoned(void **state)
{
    struct ipcc *conn = client_open(*state);
    struct ipcc_shared_array *array = open_array(conn, "a", 'd', false);
    bool abandoned = false;
    pid_t holder = hold_lock(*state);
    assert_fails(ipcc_shared_array_lock(array, 0, NULL), TIMEOUT, "held");
    assert_fails(ipcc_shared_array_lock(array, 20, &abandoned), TIMEOUT, "20 ms");
    assert_ok(ipcc_shared_array_set_float(array, 0, 1.5));
    process_kill(holder);
    assert_ok(ipcc_shared_array_lock(array, RPC_LIMIT_MS, &abandoned));
    assert_true(abandoned);
    assert_ok(ipcc_shared_array_unlock(array));
    assert_ok(ipcc_shared_array_lock(array, RPC_LIMIT_MS, &abandoned));
    assert_false(abandoned);
    assert_ok(ipcc_shared_array_close(array)); /* lets go of it */
    array = open_array(conn, "a", 'd', false);
    assert_ok(ipcc_shared_array_lock(array, 0, &abandoned));
    assert_false(abandoned);
    assert_ok(ipcc_shared_array_close(array));
    assert_ok(ipcc_close(conn));
}

static void *add_many(void *data)
{
    struct ipcc_shared_value *value = data;
    for (int i = 0; i < 5000; i++) {
        double number = 0;
        assert_ok(ipcc_shared_value_add_float(value, 1, NULL));
        assert_ok(ipcc_shared_value_lock(value, IPCC_FOREVER, NULL));
        assert_ok(ipcc_shared_value_get_float(value, &number));
        assert_ok(ipcc_shared_value_unlock(value));
        assert_true(number >= i + 1);
    }
    return NULL;
}

static void threads_share_a_handle(void **state)
{
    enum { THREADS = 4 };
    struct ipcc *conn = client_open(*state);
    struct ipcc_shared_value *value = open_value(conn, "v", 'd', false);
    pthread_t threads[THREADS];
    double number = 0;
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, add_many, value), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    assert_ok(ipcc_shared_value_get_float(value, &number));
    assert_true(number == THREADS * 5000);
    assert_ok(ipcc_shared_value_close(value));
    assert_ok(ipcc_close(conn));
}

/* Without room for a descriptor the calls do the same work. */
static void what_cannot_be_mapped_works_by_calls(void **state)
{
    struct ipcc *conn = client_open(*state);
    struct rlimit limit;
    struct ipcc_shared_value *value = NULL;
    struct ipcc_shared_value_options options = {.typecode = 'i', .initial = ipcc_int(3)};
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    struct rlimit none = {.rlim_cur = 0, .rlim_max = limit.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    int status = ipcc_shared_value_open(conn, "v", &options, &value);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_ok(status);
    assert_null(ipcc_shared_value_data(value, NULL));
    assert_int_equal(get_int(value), 3);
    assert_ok(ipcc_shared_value_add_int(value, 4, NULL));
    assert_int_equal(get_int(value), 7);
    assert_ok(ipcc_shared_value_close(value));
    assert_ok(ipcc_close(conn));
}

/* The child is another user, which may read only. Returns 0, or where it went wrong. */
static int be_a_reader(const struct daemon *daemon)
{
    struct ipcc *conn = NULL;
    struct ipcc_shared_array *array = NULL;
    struct ipcc_shared_value *value = NULL;
    struct ipcc_options options = {.path = daemon->socket};
    struct ipcc_shared_layout layout;
    int64_t number = 0;
    const int32_t one = 1;
    if (setgid(4001) != 0 || setuid(4001) != 0 || ipcc_open(&conn, &options) != 0 ||
        ipcc_shared_array_open(conn, "a", NULL, &array) != 0) {
        return 1;
    }
    if (ipcc_shared_array_data(array, &layout) == NULL || layout.writable ||
        ipcc_shared_array_get_int(array, 0, &number) != 0 || number != 8) {
        return 2;
    }
    if (ipcc_shared_array_set_int(array, 0, 1) != IPCC_ERR_DENIED ||
        ipcc_shared_array_add_int(array, 0, 1, NULL) != IPCC_ERR_DENIED ||
        ipcc_shared_array_write(array, 0, &one, 1) != IPCC_ERR_DENIED ||
        ipcc_shared_array_set_slice(array, 0, ipcc_array(NULL, 0)) != IPCC_ERR_DENIED ||
        ipcc_shared_array_lock(array, 0, NULL) != IPCC_ERR_DENIED) {
        return 3;
    }
    if (ipcc_shared_value_open(conn, "private", NULL, &value) != IPCC_ERR_DENIED) {
        return 4;
    }
    return ipcc_shared_array_close(array) == 0 && ipcc_close(conn) == 0 ? 0 : 5;
}

static void reader_cannot_change_anything(void **state)
{
    struct daemon *daemon =
        daemon_start(&(struct daemon_options){.args = {"--socket-mode", "0666"}});
    *state = daemon;
    if (geteuid() != 0) {
        skip();
    }
    struct ipcc *conn = client_open(daemon);
    struct ipcc_shared_value *value = NULL;
    struct ipcc_shared_array *array = open_array(conn, "a", 'i', false);
    struct ipcc_shared_value_options options = {.typecode = 'i', .open = {.mode = 0600}};
    assert_ok(ipcc_shared_array_set_int(array, 0, 8));
    assert_ok(ipcc_object_chmod(conn, "a", 0644));
    assert_ok(ipcc_shared_value_open(conn, "private", &options, &value));
    pid_t child = fork();
    if (child == 0) {
        _exit(be_a_reader(daemon));
    }
    expect_end(child);
    assert_ok(ipcc_shared_array_close(array));
    assert_ok(ipcc_shared_value_close(value));
    assert_ok(ipcc_close(conn));
}

static void memory_outlives_its_object(void **state)
{
    struct ipcc *conn = client_open(*state);
    struct ipcc_shared_value *value = open_value(conn, "v", 'i', false);
    assert_ok(ipcc_object_delete(conn, "v"));
    struct ipcc_shared_value *anew = open_value(conn, "v", 'i', false);
    assert_ok(ipcc_shared_value_add_int(value, 3, NULL));
    assert_int_equal(get_int(value), 3);
    assert_int_equal(get_int(anew), 0);
    assert_ok(ipcc_shared_value_close(value));
    assert_ok(ipcc_shared_value_close(anew));
    assert_ok(ipcc_close(conn));
}

/* The library believes nothing that stands in the memory. */
static void scribbled_memory_is_numbers(void **state)
{
    struct ipcc *conn = client_open(*state);
    unsigned seed = 20261122;
    for (const char *code = "bBhHiIlLqQfd?"; *code != '\0'; code++) {
        char name[2] = {*code, '\0'};
        struct ipcc_shared_array *array = open_array(conn, name, *code, false);
        struct ipcc_shared_layout layout;
        uint8_t *items = ipcc_shared_array_data(array, &layout);
        uint8_t out[5 * 8];
        for (int round = 0; round < 50; round++) {
            struct ipcc_reply reply;
            struct ipcc_value number;
            for (size_t i = 0; i < layout.itemsize * layout.count; i++) {
                items[i] = (uint8_t)rand_r(&seed);
            }
            assert_ok(ipcc_shared_array_get(array, 1, &number));
            assert_ok(ipcc_shared_array_slice(array, IPCC_OMIT, IPCC_OMIT, &reply));
            ipcc_reply_free(&reply);
            assert_ok(ipcc_shared_array_read(array, 0, out, 5));
            assert_true(*code != '?' || out[2] <= 1);
        }
        assert_ok(ipcc_shared_array_close(array));
    }
    assert_ok(ipcc_close(conn));
}

static unsigned own_descriptors(void)
{
    unsigned count = 0;
    for (int fd = 0; fd < 256; fd++) {
        count += fcntl(fd, F_GETFD) >= 0;
    }
    return count;
}

static void mapping_keeps_no_descriptor(void **state)
{
    struct daemon *daemon = *state;
    struct ipcc *conn = client_open(daemon);
    unsigned own = own_descriptors();
    unsigned theirs = daemon_descriptors(daemon);
    for (int i = 0; i < 30; i++) {
        struct ipcc_shared_array *array = NULL;
        struct ipcc_shared_array_options options = {.typecode = 'd', .size = 3000};
        assert_ok(ipcc_shared_array_open(conn, NULL, &options, &array));
        assert_int_equal(own_descriptors(), own);
        assert_ok(ipcc_shared_array_close(array));
    }
    daemon_expect_descriptors(daemon, theirs);
    assert_ok(ipcc_close(conn));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        daemon_test(value_is_the_same_mapped_and_by_calls),
        daemon_test(array_is_the_same_mapped_and_by_calls),
        daemon_test(open_compares_and_refuses),
        daemon_test(data_is_the_memory_itself),
        daemon_test(children_of_fork_go_on_with_the_mapping),
        daemon_test(lock_guards_and_tells),
        daemon_test(lock_of_a_killed_holder_is_abandoned),
        daemon_test(threads_share_a_handle),
        daemon_test(what_cannot_be_mapped_works_by_calls),
        cmocka_unit_test_teardown(reader_cannot_change_anything, daemon_teardown),
        daemon_test(memory_outlives_its_object),
        daemon_test(scribbled_memory_is_numbers),
        daemon_test(mapping_keeps_no_descriptor),
    };
    return cmocka_run_group_tests_name("client: values and arrays", tests, NULL, NULL);
}
