/* Where the daemon listens: the lock, stale and live sockets, modes; and the listener on it. */
#include "tests/unit/net/wire.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/net/address.h"
#include "daemon/net/listener.h"

struct place_of_test {
    char directory[32];
    char path[64];
    char lock[64];
    struct log log;
    struct address_options options;
};

static int setup(void **state)
{
    struct place_of_test *place = calloc(1, sizeof(*place));
    assert_non_null(place);
    (void)strcpy(place->directory, "/tmp/ipcd-net-XXXXXX");
    assert_non_null(mkdtemp(place->directory));
    (void)snprintf(place->path, sizeof(place->path), "%s/sock", place->directory);
    (void)snprintf(place->lock, sizeof(place->lock), "%s/sock.lock", place->directory);
    log_init(&place->log, open("/dev/null", O_WRONLY | O_CLOEXEC));
    place->options = (struct address_options){place->path, 0600, (gid_t)-1, 0};
    *state = place;
    return 0;
}

static int teardown(void **state)
{
    struct place_of_test *place = *state;
    (void)close(place->log.fd);
    assert_int_equal(rmdir(place->directory), 0); /* nothing was left behind */
    free(place);
    return 0;
}

static int connect_to(const char *path)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    (void)strncpy(name.sun_path, path, sizeof(name.sun_path) - 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    if (connect(fd, (const struct sockaddr *)&name, sizeof(name)) < 0) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

static void a_socket_has_its_mode_and_goes_with_its_lock(void **state)
{
    struct place_of_test *place = *state;
    struct address address;
    struct stat socket_file;
    int fd = address_listen(&address, &place->options, &place->log);
    assert_true(fd >= 0);
    assert_int_equal(stat(place->path, &socket_file), 0);
    assert_int_equal(socket_file.st_mode & 07777, 0600);
    assert_int_equal(access(place->lock, F_OK), 0);
    int peer = connect_to(place->path);
    assert_true(peer >= 0);
    (void)close(peer);
    (void)close(fd);
    address_release(&address);
    assert_int_equal(access(place->path, F_OK), -1);
    assert_int_equal(access(place->lock, F_OK), -1);
}

static void assert_told(int fd, const char *wanted)
{
    char *text = address_text(fd);
    assert_string_equal(text != NULL ? text : "nothing", wanted);
    free(text);
}

static void where_a_socket_is_bound_is_told(void **state)
{
    struct place_of_test *place = *state;
    struct address address;
    int fd = address_listen(&address, &place->options, &place->log);
    assert_told(fd, place->path);
    (void)close(fd);
    address_release(&address);

    assert_int_equal(chdir(place->directory), 0);
    place->options.path = "sock";
    fd = address_listen(&address, &place->options, &place->log);
    assert_told(fd, place->path);
    (void)close(fd);
    address_release(&address);
    assert_int_equal(chdir("/"), 0);

    char name[80];
    (void)snprintf(name, sizeof(name), "@%s", place->path);
    place->options.path = name;
    fd = address_listen(&address, &place->options, &place->log);
    assert_told(fd, name);
    (void)close(fd);
    address_release(&address);

    fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_told(fd, "nothing");
    (void)close(fd);
    assert_told(-1, "nothing");
}

static void a_second_daemon_is_refused_and_changes_nothing(void **state)
{
    struct place_of_test *place = *state;
    struct address first;
    struct address second;
    int fd = address_listen(&first, &place->options, &place->log);
    assert_true(fd >= 0);
    assert_int_equal(address_listen(&second, &place->options, &place->log), ERR_INTERNAL);
    int peer = connect_to(place->path);
    assert_true(peer >= 0);
    (void)close(peer);
    (void)close(fd);
    address_release(&first);
}

static void a_socket_without_a_lock_that_somebody_listens_on_is_left_alone(void **state)
{
    struct place_of_test *place = *state;
    struct address first;
    struct address second;
    int fd = address_listen(&first, &place->options, &place->log);
    assert_true(fd >= 0);
    assert_int_equal(unlink(place->lock), 0);
    assert_int_equal(address_listen(&second, &place->options, &place->log), ERR_INTERNAL);
    int peer = connect_to(place->path);
    assert_true(peer >= 0);
    (void)close(peer);
    (void)close(fd);
    address_release(&first);
}

static void the_socket_of_a_dead_daemon_is_taken_over(void **state)
{
    struct place_of_test *place = *state;
    pid_t pid = fork();
    if (pid == 0) {
        struct address address;
        _exit(address_listen(&address, &place->options, &place->log) >= 0 ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_int_equal(access(place->path, F_OK), 0);
    assert_int_equal(access(place->lock, F_OK), 0);
    struct address address;
    int fd = address_listen(&address, &place->options, &place->log);
    assert_true(fd >= 0);
    int peer = connect_to(place->path);
    assert_true(peer >= 0);
    (void)close(peer);
    (void)close(fd);
    address_release(&address);
}

static void what_is_not_a_socket_is_left_alone(void **state)
{
    struct place_of_test *place = *state;
    struct address address;
    int fd = open(place->path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    (void)close(fd);
    assert_int_equal(address_listen(&address, &place->options, &place->log), ERR_INTERNAL);
    assert_int_equal(unlink(place->path), 0);
}

static void a_socket_that_is_another_ones_now_is_not_removed(void **state)
{
    struct place_of_test *place = *state;
    struct address address;
    int fd = address_listen(&address, &place->options, &place->log);
    assert_true(fd >= 0);
    assert_int_equal(unlink(place->path), 0);
    int other = open(place->path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_true(other >= 0);
    (void)close(other);
    (void)close(fd);
    address_release(&address);
    assert_int_equal(unlink(place->path), 0);
}

static void a_lock_file_that_is_another_ones_now_is_not_removed(void **state)
{
    struct place_of_test *place = *state;
    struct address displaced;
    struct address successor;
    int first = address_listen(&displaced, &place->options, &place->log);
    assert_true(first >= 0);
    assert_int_equal(unlink(place->path), 0);
    assert_int_equal(unlink(place->lock), 0);
    int second = address_listen(&successor, &place->options, &place->log);
    assert_true(second >= 0);
    (void)close(first);
    address_release(&displaced);
    assert_int_equal(access(place->path, F_OK), 0);
    assert_int_equal(access(place->lock, F_OK), 0);
    (void)close(second);
    address_release(&successor);
    assert_int_equal(access(place->lock, F_OK), -1);
}

static void a_missing_directory_is_made_if_that_was_said(void **state)
{
    struct place_of_test *place = *state;
    struct address address;
    char directory[64];
    char path[96];
    struct stat made;
    (void)snprintf(directory, sizeof(directory), "%s/ipcd", place->directory);
    (void)snprintf(path, sizeof(path), "%s/sock", directory);
    place->options.path = path;
    assert_int_equal(address_listen(&address, &place->options, &place->log), ERR_INTERNAL);
    place->options.parent = 0700;
    int fd = address_listen(&address, &place->options, &place->log);
    assert_true(fd >= 0);
    assert_int_equal(stat(directory, &made), 0);
    assert_int_equal(made.st_mode & 07777, 0700);
    (void)close(fd);
    address_release(&address);
    assert_int_equal(rmdir(directory), 0);
}

static void an_abstract_name_is_bound_once_and_leaves_no_file(void **state)
{
    struct place_of_test *place = *state;
    struct address first;
    struct address second;
    char name[96];
    (void)snprintf(name, sizeof(name), "@%s", place->path);
    place->options.path = name;
    int fd = address_listen(&first, &place->options, &place->log);
    assert_true(fd >= 0);
    assert_int_equal(address_listen(&second, &place->options, &place->log), ERR_INTERNAL);
    (void)close(fd);
    address_release(&first);
    fd = address_listen(&second, &place->options, &place->log);
    assert_true(fd >= 0);
    (void)close(fd);
    address_release(&second);
}

static void a_path_that_is_too_long_is_refused(void **state)
{
    struct place_of_test *place = *state;
    struct address address;
    char path[200];
    memset(path, 'x', sizeof(path) - 1);
    path[sizeof(path) - 1] = '\0';
    place->options.path = path;
    assert_int_equal(address_listen(&address, &place->options, &place->log), ERR_INTERNAL);
    place->options.path = "@";
    assert_int_equal(address_listen(&address, &place->options, &place->log), ERR_INTERNAL);
}

/* The lowest number that is free, which the next descriptor gets. */
static rlim_t next_descriptor(void)
{
    int fd = dup(STDERR_FILENO);
    assert_true(fd >= 0);
    (void)close(fd);
    return (rlim_t)fd;
}

static void accepting_pauses_without_descriptors_and_goes_on_when_one_is_freed(void **state)
{
    struct place_of_test *place = *state;
    void *wire_state;
    assert_int_equal(wire_setup(&wire_state), 0);
    struct wire *wire = wire_state;
    struct listener listener;
    struct address address;
    assert_int_equal(listener_init(&listener, &wire->net), 0);
    int fd = address_listen(&address, &place->options, &place->log);
    assert_int_equal(listener_add(&listener, fd), 0);
    int peers[4];
    for (int i = 0; i < 4; i++) {
        peers[i] = connect_to(place->path);
        assert_true(peers[i] >= 0);
    }
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    struct rlimit scarce = {next_descriptor() + 1, before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &scarce), 0);
    wire_run(wire);
    assert_int_equal(wire->service.accounts.sessions, 1);
    assert_true(listener.paused);
    assert_int_equal(event_pending(&listener.events[0], EV_READ, NULL), 0);
    (void)close(peers[0]); /* frees two: this one, and the daemon's side of it */
    wire_run(wire);
    assert_int_equal(wire->service.accounts.sessions, 2);
    assert_true(listener.paused && listener.reported);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    (void)close(peers[1]);
    wire_run(wire);
    assert_int_equal(wire->service.accounts.sessions, 2);
    assert_false(listener.paused);
    assert_false(listener.reported);
    (void)close(peers[2]);
    (void)close(peers[3]);
    wire_run(wire);
    listener_deinit(&listener);
    address_release(&address);
    assert_int_equal(wire_teardown(&wire_state), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(a_socket_has_its_mode_and_goes_with_its_lock),
        TEST(where_a_socket_is_bound_is_told),
        TEST(a_second_daemon_is_refused_and_changes_nothing),
        TEST(a_socket_without_a_lock_that_somebody_listens_on_is_left_alone),
        TEST(the_socket_of_a_dead_daemon_is_taken_over),
        TEST(what_is_not_a_socket_is_left_alone),
        TEST(a_socket_that_is_another_ones_now_is_not_removed),
        TEST(a_lock_file_that_is_another_ones_now_is_not_removed),
        TEST(a_missing_directory_is_made_if_that_was_said),
        TEST(an_abstract_name_is_bound_once_and_leaves_no_file),
        TEST(a_path_that_is_too_long_is_refused),
        TEST(accepting_pauses_without_descriptors_and_goes_on_when_one_is_freed),
    };
    return cmocka_run_group_tests_name("address", tests, NULL, NULL);
}
