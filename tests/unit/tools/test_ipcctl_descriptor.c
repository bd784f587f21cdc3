/* What an open descriptor is said to be: tools/ipcctl/json/descriptor.h. */
#include "tools/ipcctl/json/descriptor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/unit.h"

/* Describes the descriptor, and closes it. */
static void assert_written(int fd, const char *json)
{
    struct buffer out = {0};
    assert_true(fd >= 0);
    descriptor_write(fd, &out);
    (void)buffer_append(&out, "", 1);
    assert_false(out.failed);
    assert_string_equal((char *)out.data, json);
    buffer_deinit(&out);
    (void)close(fd);
}

static void files_have_a_path_a_size_and_an_access(void **state)
{
    char folder[] = "/tmp/ipcctl-descriptor.XXXXXX";
    char path[64];
    char json[200];
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof(path), "%s/file", folder);
    int fd = open(path, O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
    assert_int_equal(write(fd, "12345", 5), 5);
    (void)snprintf(
        json, sizeof(json),
        "{\"$fd\": {\"type\": \"file\", \"path\": \"%s\", \"size\": 5, \"access\": \"write\"}}",
        path);
    assert_written(fd, json);
    fd = open(path, O_RDWR | O_CLOEXEC);
    assert_return_code(unlink(path), errno);
    (void)snprintf(json, sizeof(json),
                   "{\"$fd\": {\"type\": \"file\", \"path\": \"%s\", \"deleted\": true, \"size\": "
                   "5, \"access\": \"read and write\"}}",
                   path);
    assert_written(fd, json);
    (void)snprintf(json, sizeof(json),
                   "{\"$fd\": {\"type\": \"directory\", \"path\": \"%s\", \"access\": \"read\"}}",
                   folder);
    assert_written(open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), json);
    assert_return_code(rmdir(folder), errno);
}

/* The kernel says "NAME (deleted)" of others. */
static void file_with_deleted_in_its_name_is_there(void **state)
{
    char folder[] = "/tmp/ipcctl-descriptor.XXXXXX";
    char path[64];
    char json[200];
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof(path), "%s/file (deleted)", folder);
    (void)snprintf(
        json, sizeof(json),
        "{\"$fd\": {\"type\": \"file\", \"path\": \"%s\", \"size\": 0, \"access\": \"read\"}}",
        path);
    int fd = open(path, O_CREAT | O_RDONLY | O_CLOEXEC, 0600);
    assert_written(fd, json);
    assert_return_code(unlink(path), errno);
    assert_return_code(rmdir(folder), errno);
}

static void memory_has_a_name_and_a_size(void **state)
{
    int fd = memfd_create("shared", MFD_CLOEXEC);
    assert_return_code(ftruncate(fd, 4096), errno);
    assert_written(fd, "{\"$fd\": {\"type\": \"memfd\", \"name\": \"shared\", \"size\": 4096, "
                       "\"access\": \"read and write\"}}");
}

static void pipes_and_sockets_are_named(void **state)
{
    int pair[2];
    assert_return_code(pipe2(pair, O_CLOEXEC), errno);
    assert_written(pair[0], "{\"$fd\": {\"type\": \"pipe\", \"access\": \"read\"}}");
    assert_written(pair[1], "{\"$fd\": {\"type\": \"pipe\", \"access\": \"write\"}}");
    assert_written(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0),
                   "{\"$fd\": {\"type\": \"socket\", \"domain\": \"unix\", \"kind\": \"stream\"}}");
    assert_written(
        socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0),
        "{\"$fd\": {\"type\": \"socket\", \"domain\": \"unix\", \"kind\": \"seqpacket\"}}");
    assert_written(
        socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0),
        "{\"$fd\": {\"type\": \"socket\", \"domain\": \"ipv4\", \"kind\": \"datagram\"}}");
}

static void others_are_what_the_kernel_calls_them(void **state)
{
    assert_written(eventfd(0, EFD_CLOEXEC),
                   "{\"$fd\": {\"type\": \"eventfd\", \"access\": \"read and write\"}}");
    assert_written(
        open("/dev/null", O_RDONLY | O_CLOEXEC),
        "{\"$fd\": {\"type\": \"device\", \"path\": \"/dev/null\", \"access\": \"read\"}}");
    assert_written(open("/dev/null", O_PATH | O_CLOEXEC),
                   "{\"$fd\": {\"type\": \"device\", \"path\": \"/dev/null\"}}");
    int terminal = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (terminal >= 0) {
        struct buffer out = {0};
        descriptor_write(terminal, &out);
        assert_non_null(memmem(out.data, out.len, "\"terminal\"", 10));
        buffer_deinit(&out);
        (void)close(terminal);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_have_a_path_a_size_and_an_access),
        cmocka_unit_test(file_with_deleted_in_its_name_is_there),
        cmocka_unit_test(memory_has_a_name_and_a_size),
        cmocka_unit_test(pipes_and_sockets_are_named),
        cmocka_unit_test(others_are_what_the_kernel_calls_them),
    };
    return cmocka_run_group_tests_name("ipcctl_descriptor", tests, NULL, NULL);
}
