/* The client library's file descriptors and references, through a real daemon: what arrives is what
 * was sent, and nothing stays open, here or in the daemon. */
#include "tests/system/client_system.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* What a test works with. */
struct shared {
    struct daemon *daemon;
    struct ipcc *conn;
    struct ipcc_queue *queue;
    struct ipcc_dict *dict;
    struct ipcc_list *list;
    unsigned here; /* descriptors open in this process and in the daemon, before */
    unsigned there;
};

static unsigned open_here(void)
{
    unsigned count = 0;
    DIR *folder = opendir("/proc/self/fd");
    assert_non_null(folder);
    while (readdir(folder) != NULL) {
        count++;
    }
    (void)closedir(folder);
    return count;
}

static struct shared set_up(void **state)
{
    struct shared place = {.daemon = *state, .conn = client_open(*state)};
    assert_ok(ipcc_queue_open(place.conn, "q", NULL, &place.queue));
    assert_ok(ipcc_dict_open(place.conn, "d", NULL, &place.dict));
    assert_ok(ipcc_list_open(place.conn, "l", NULL, &place.list));
    place.here = open_here();
    place.there = daemon_descriptors(place.daemon);
    return place;
}

/* Nothing is left; closes all. */
static void check_counts(const struct shared *place)
{
    assert_int_equal(open_here(), place->here);
    daemon_expect_descriptors(place->daemon, place->there);
}

static void tear_down(struct shared *place)
{
    check_counts(place);
    assert_ok(ipcc_queue_close(place->queue));
    assert_ok(ipcc_dict_close(place->dict));
    assert_ok(ipcc_list_close(place->list));
    assert_ok(ipcc_close(place->conn));
}

/* A memfd with a text in it. */
static int memory_file(const char *text)
{
    int fd = memfd_create("memory", MFD_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    return fd;
}

static void check_text(int fd, const char *text)
{
    char found[100] = "";
    assert_int_equal(pread(fd, found, sizeof(found) - 1, 0), strlen(text));
    assert_string_equal(found, text);
}

static void put_fd(const struct shared *place, int fd)
{
    assert_ok(ipcc_queue_put(place->queue, ipcc_descriptor(fd), 0, NULL));
    (void)close(fd);
}

/* Takes the queue's next item, which is a descriptor; the caller's. */
static int get_fd(const struct shared *place)
{
    struct ipcc_item item;
    struct ipcc_reply reply;
    assert_ok(ipcc_queue_get(place->queue, 0, &item, &reply));
    int fd = ipcc_reply_take_fd(&reply, &item.value);
    ipcc_reply_free(&reply);
    assert_true(fd >= 0);
    return fd;
}

static void files_sockets_and_memory_go_through_a_queue(void **state)
{
    struct shared place = set_up(state);
    int pair[2];
    char byte = 'x';
    assert_return_code(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), errno);
    put_fd(&place, open("/proc/self/status", O_RDONLY | O_CLOEXEC));
    put_fd(&place, pair[0]);
    put_fd(&place, memory_file("in memory"));
    int file = get_fd(&place);
    assert_int_equal(read(file, &byte, 1), 1);
    assert_int_equal(byte, 'N');
    int end = get_fd(&place);
    assert_int_equal(write(end, "y", 1), 1);
    assert_int_equal(read(pair[1], &byte, 1), 1);
    assert_int_equal(byte, 'y');
    int memory = get_fd(&place);
    check_text(memory, "in memory");
    (void)close(file);
    (void)close(end);
    (void)close(memory);
    /* The daemon's copy is gone, too: this is the end of the stream. */
    assert_int_equal(read(pair[1], &byte, 1), 0);
    (void)close(pair[1]);
    tear_down(&place);
}

static void dict_and_list_give_duplicates(void **state)
{
    struct shared place = set_up(state);
    struct ipcc_reply reply;
    struct ipcc_value value;
    int fd = memory_file("kept");
    struct ipcc_value array[] = {ipcc_str("k"), ipcc_descriptor(fd)};
    assert_ok(ipcc_dict_set(place.dict, ipcc_str("k"), ipcc_descriptor(fd), NULL));
    assert_ok(ipcc_list_append(place.list, ipcc_array(array, 2), NULL));
    (void)close(fd);
    for (int i = 0; i < 3; i++) {
        assert_ok(ipcc_dict_get(place.dict, ipcc_str("k"), ipcc_none(), &reply));
        check_text(ipcc_reply_fd(&reply, &reply.value), "kept");
        ipcc_reply_free(&reply);
        assert_ok(ipcc_list_get(place.list, 0, &reply));
        struct ipcc_walk walk = ipcc_walk_of(&reply.value);
        assert_true(ipcc_walk_next(&walk, NULL) && ipcc_walk_next(&walk, &value));
        check_text(ipcc_reply_fd(&reply, &value), "kept");
        ipcc_reply_free(&reply);
    }
    assert_int_equal(open_here(), place.here);
    assert_ok(ipcc_dict_clear(place.dict));
    assert_ok(ipcc_list_clear(place.list));
    tear_down(&place);
}

static void what_a_killed_process_sent_can_be_read(void **state)
{
    struct shared place = set_up(state);
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        struct ipcc *conn = client_open(*state);
        struct ipcc_queue *queue;
        assert_ok(ipcc_queue_open(conn, "q", NULL, &queue));
        int fd = memory_file("of the dead");
        assert_ok(ipcc_queue_put(queue, ipcc_descriptor(fd), 0, NULL));
        (void)raise(SIGKILL);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    int fd = get_fd(&place);
    check_text(fd, "of the dead");
    (void)close(fd);
    tear_down(&place);
}

static void sixteen_come_back_in_their_places(void **state)
{
    struct shared place = set_up(state);
    struct ipcc_value values[17];
    struct ipcc_item item;
    struct ipcc_reply reply;
    struct ipcc_value value;
    char text[8];
    for (int i = 0; i < 17; i++) {
        (void)snprintf(text, sizeof(text), "n%d", i);
        values[i] = ipcc_descriptor(memory_file(text));
    }
    assert_fails(ipcc_queue_put(place.queue, ipcc_array(values, 17), 0, NULL), ARGUMENT, "16");
    assert_ok(ipcc_queue_put(place.queue, ipcc_array(values, 16), 0, NULL));
    for (int i = 0; i < 17; i++) {
        (void)close(values[i].as.fd);
    }
    assert_ok(ipcc_queue_get(place.queue, 0, &item, &reply));
    struct ipcc_walk walk = ipcc_walk_of(&item.value);
    for (int i = 0; i < 16; i++) {
        assert_true(ipcc_walk_next(&walk, &value));
        (void)snprintf(text, sizeof(text), "n%d", i);
        check_text(ipcc_reply_fd(&reply, &value), text);
    }
    assert_int_equal(open_here(), place.here + 16);
    ipcc_reply_free(&reply);
    tear_down(&place);
}

static void items_of_get_many_have_each_their_own(void **state)
{
    struct shared place = set_up(state);
    struct ipcc_reply reply;
    struct ipcc_item item;
    put_fd(&place, memory_file("one"));
    assert_ok(ipcc_queue_put(place.queue, ipcc_int(2), 0, NULL));
    put_fd(&place, memory_file("three"));
    assert_ok(ipcc_queue_get_many(place.queue, 3, 0, &reply));
    struct ipcc_walk walk = ipcc_walk_of(&reply.value);
    assert_true(ipcc_walk_item(&walk, &item));
    check_text(ipcc_reply_fd(&reply, &item.value), "one");
    assert_true(ipcc_walk_item(&walk, &item));
    assert_fails(ipcc_reply_fd(&reply, &item.value), TYPE, "integer");
    assert_true(ipcc_walk_item(&walk, &item));
    check_text(ipcc_reply_fd(&reply, &item.value), "three");
    ipcc_reply_free(&reply);
    tear_down(&place);
}

static void refused_calls_leave_nothing_open(void **state)
{
    struct shared place = set_up(state);
    struct ipcc_value big[] = {ipcc_descriptor(0), ipcc_bin(NULL, 0)};
    size_t size = 17 * 1048576;
    big[1] = ipcc_bin(calloc(1, size), size);
    struct ipcc_value missing[] = {ipcc_str("none"), ipcc_descriptor(0)};
    struct ipcc_value text[] = {ipcc_str("q"), ipcc_descriptor(0), ipcc_str("x")};
    assert_fails(ipcc_queue_put(place.queue, ipcc_array(big, 2), 0, NULL), TOO_LARGE, "bytes");
    assert_fails(ipcc_call(place.conn, "queue.put", missing, 2, NULL), NOT_FOUND, "none");
    assert_fails(ipcc_call(place.conn, "queue.put", text, 3, NULL), BAD_REQUEST, "timeout");
    assert_fails(ipcc_dict_set(place.dict, ipcc_descriptor(0), ipcc_nil(), NULL), TYPE, "key");
    check_counts(&place);
    free((void *)(uintptr_t)big[1].as.data);
    tear_down(&place);
}

static void references_keep_an_object_and_give_its_name(void **state)
{
    struct shared place = set_up(state);
    struct ipcc_queue *inner;
    struct ipcc_reply reply;
    char name[IPCC_NAME_SIZE];
    assert_ok(ipcc_queue_open(place.conn, NULL, NULL, &inner));
    assert_ok(ipcc_queue_put(inner, ipcc_int(5), 0, NULL));
    assert_ok(
        ipcc_dict_set(place.dict, ipcc_str("inner"), ipcc_reference(ipcc_queue_name(inner)), NULL));
    assert_ok(ipcc_queue_close(inner));
    assert_ok(ipcc_dict_get(place.dict, ipcc_str("inner"), ipcc_none(), &reply));
    assert_ok(ipcc_value_reference(&reply.value, name, sizeof(name)));
    ipcc_reply_free(&reply);
    assert_ok(ipcc_queue_open(place.conn, name, NULL, &inner));
    assert_prints("[5]", ipcc_queue_peek(inner, 0, 1, &reply));
    assert_ok(ipcc_queue_close(inner));
    tear_down(&place);
}

/* dict[key] = a new queue with an item in it, which nothing else refers to */
static void set_new_queue(struct ipcc *conn, struct ipcc_dict *dict, const char *key, int64_t item)
{
    struct ipcc_queue *queue;
    assert_ok(ipcc_queue_open(conn, NULL, NULL, &queue));
    assert_ok(ipcc_queue_put(queue, ipcc_int(item), 0, NULL));
    assert_ok(ipcc_dict_set(dict, ipcc_str(key), ipcc_reference(ipcc_queue_name(queue)), NULL));
    assert_ok(ipcc_queue_close(queue));
}

/* The object that the value refers to holds one item, this one. */
static void check_queue(struct ipcc *conn, const struct ipcc_value *reference, const char *items)
{
    char name[IPCC_NAME_SIZE];
    struct ipcc_queue *queue;
    struct ipcc_reply reply;
    assert_ok(ipcc_value_reference(reference, name, sizeof(name)));
    assert_ok(ipcc_queue_open(conn, name, NULL, &queue));
    assert_prints(items, ipcc_queue_peek(queue, 0, 9, &reply));
    assert_ok(ipcc_queue_close(queue));
}

static int64_t count_objects(struct ipcc *conn)
{
    struct ipcc_reply reply;
    struct ipcc_value objects;
    int64_t count = 0;
    assert_ok(ipcc_call(conn, "object.list", NULL, 0, &reply));
    assert_ok(ipcc_map_get(&reply.value, "objects", &objects));
    struct ipcc_walk walk = ipcc_walk_of(&objects);
    while (ipcc_walk_next(&walk, NULL)) {
        count++;
    }
    ipcc_reply_free(&reply);
    return count;
}

/* list[0]["old"] is there already; list[0]["new"] is set by a process that is killed then. */
static void list_of_dicts_of_queues_is_changed_by_a_process_that_is_killed(void **state)
{
    struct shared place = set_up(state);
    int64_t objects = count_objects(place.conn);
    struct ipcc_dict *dict;
    struct ipcc_reply reply;
    struct ipcc_reply inner;
    char name[IPCC_NAME_SIZE];
    int status;
    assert_ok(ipcc_dict_open(place.conn, NULL, NULL, &dict));
    set_new_queue(place.conn, dict, "old", 1);
    assert_ok(ipcc_list_append(place.list, ipcc_reference(ipcc_dict_name(dict)), NULL));
    assert_ok(ipcc_dict_close(dict));
    pid_t pid = fork();
    if (pid == 0) {
        struct ipcc *conn = client_open(*state);
        assert_ok(ipcc_call(conn, "list.get", (struct ipcc_value[]){ipcc_str("l"), ipcc_int(0)}, 2,
                            &reply));
        assert_ok(ipcc_value_reference(&reply.value, name, sizeof(name)));
        assert_ok(ipcc_dict_open(conn, name, NULL, &dict));
        set_new_queue(conn, dict, "new", 2);
        (void)raise(SIGKILL);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    assert_ok(ipcc_list_get(place.list, 0, &reply));
    assert_ok(ipcc_value_reference(&reply.value, name, sizeof(name)));
    assert_ok(ipcc_dict_open(place.conn, name, NULL, &dict));
    static const char *const kept[][2] = {{"old", "[1]"}, {"new", "[2]"}};
    for (int i = 0; i < 2; i++) {
        assert_ok(ipcc_dict_get(dict, ipcc_str(kept[i][0]), ipcc_none(), &inner));
        check_queue(place.conn, &inner.value, kept[i][1]);
        ipcc_reply_free(&inner);
    }
    assert_ok(ipcc_dict_close(dict));
    assert_int_equal(count_objects(place.conn), objects + 3);
    assert_ok(ipcc_list_clear(place.list));
    assert_int_equal(count_objects(place.conn), objects);
    ipcc_reply_free(&reply);
    tear_down(&place);
}

#define client_test(function)                                                                      \
    cmocka_unit_test_setup_teardown(function, daemon_setup, daemon_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        client_test(files_sockets_and_memory_go_through_a_queue),
        client_test(dict_and_list_give_duplicates),
        client_test(what_a_killed_process_sent_can_be_read),
        client_test(sixteen_come_back_in_their_places),
        client_test(items_of_get_many_have_each_their_own),
        client_test(refused_calls_leave_nothing_open),
        client_test(references_keep_an_object_and_give_its_name),
        client_test(list_of_dicts_of_queues_is_changed_by_a_process_that_is_killed),
    };
    return cmocka_run_group_tests_name("client_descriptors", tests, NULL, NULL);
}
