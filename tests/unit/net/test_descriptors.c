/* File descriptors over a socket pair: in with a message, kept, out with an answer, and closed. */
#include "tests/unit/net/wire.h"

#include <sys/socket.h>
#include <unistd.h>

/* Writes bytes with so many descriptors at the first of them. */
static void write_descriptors(int peer, struct slice bytes, unsigned count)
{
    char control[CMSG_SPACE(8 * sizeof(int))];
    struct iovec iovec = {(void *)(uintptr_t)bytes.data, bytes.len};
    struct msghdr header = {.msg_iov = &iovec,
                            .msg_iovlen = 1,
                            .msg_control = control,
                            .msg_controllen = CMSG_SPACE(count * sizeof(int))};
    struct cmsghdr *cmsg = CMSG_FIRSTHDR(&header);
    cmsg->cmsg_level = SOL_SOCKET;
    cmsg->cmsg_type = SCM_RIGHTS;
    cmsg->cmsg_len = CMSG_LEN(count * sizeof(int));
    int fds[8];
    for (unsigned i = 0; i < count; i++) {
        fds[i] = STDERR_FILENO;
    }
    memcpy(CMSG_DATA(cmsg), fds, count * sizeof(int));
    assert_int_equal(sendmsg(peer, &header, MSG_NOSIGNAL), bytes.len);
}

static void send_descriptors(struct wire *wire, int peer, const char *notation, unsigned count)
{
    struct buffer bytes = wire_bytes(notation);
    write_descriptors(peer, buffer_slice(&bytes), count);
    buffer_deinit(&bytes);
    wire_run(wire);
}

static void descriptors_that_nobody_names_are_closed(void **state)
{
    struct wire *wire = *state;
    int peer = wire_connect(wire);
    unsigned before = wire_descriptors();
    send_descriptors(wire, peer, "[0, 1, 'server.ping', [1]]", 3);
    wire_expect(peer, "[1, 1, nil, 1]");
    assert_int_equal(wire_descriptors(), before);
}

static void a_descriptor_that_is_named_goes_back_with_the_value(void **state)
{
    struct wire *wire = *state;
    int peer = wire_connect(wire);
    unsigned before = wire_descriptors();
    send_descriptors(wire, peer, "[0, 1, 'server.ping', [[ext(2, '\\x01')]]]", 2);
    wire_expect(peer, "[1, 1, nil, [ext(2, '\\x00')]]");
    assert_int_equal(wire_descriptors(), before);
}

static void an_index_without_a_descriptor_is_refused(void **state)
{
    struct wire *wire = *state;
    int peer = wire_connect(wire);
    wire_send(wire, peer, "[0, 1, 'server.ping', [ext(2, '\\x00')]] [0, 2, 'server.ping', [2]]");
    wire_expect(peer, "[1, 1, ['BAD_REQUEST', 'an ext value of type 2 names a descriptor that did "
                      "not come with the message\\'s first byte'], nil] [1, 2, nil, 2]");
    send_descriptors(wire, peer, "[0, 3, 'server.ping', [ext(2, '\\x01')]]", 1);
    wire_expect(peer, "[1, 3, ['BAD_REQUEST', _str], nil]");
    send_descriptors(wire, peer, "[0, 4, 'server.ping', [ext(2, '\\x00\\x00')]]", 1);
    wire_expect(peer, "[1, 4, ['BAD_REQUEST', _str], nil]");
}

static void descriptors_belong_to_the_message_they_came_with(void **state)
{
    struct wire *wire = *state;
    int peer = wire_connect(wire);
    unsigned before = wire_descriptors();
    struct buffer first = wire_bytes("[0, 1, 'server.ping', ['plain']]");
    struct buffer second = wire_bytes("[0, 2, 'server.ping', [ext(2, '\\x00')]]"
                                      "[0, 3, 'server.ping', [ext(2, '\\x00')]]");
    wire_write(peer, buffer_slice(&first));
    write_descriptors(peer, (struct slice){second.data, 5}, 1);
    wire_run(wire);
    assert_int_equal(wire_descriptors(), before + 1);
    wire_write(peer, (struct slice){second.data + 5, second.len - 5});
    wire_run(wire);
    wire_expect(peer, "[1, 1, nil, 'plain']"
                      "[1, 2, nil, ext(2, '\\x00')]"
                      "[1, 3, ['BAD_REQUEST', 'an ext value of type 2 names a descriptor that did "
                      "not come with the message\\'s first byte'], nil]");
    assert_int_equal(wire_descriptors(), before);
    buffer_deinit(&first);
    buffer_deinit(&second);
}

static void an_incomplete_message_collects_no_descriptors(void **state)
{
    struct wire *wire = *state;
    int peer = wire_connect(wire);
    unsigned before = wire_descriptors();
    struct buffer bytes = wire_bytes("[0, 1, 'server.ping', ['0123456789']]");
    for (size_t i = 0; i + 1 < bytes.len; i++) {
        write_descriptors(peer, (struct slice){bytes.data + i, 1}, 4);
        wire_run(wire);
        assert_int_equal(wire_descriptors(), before + 4);
    }
    wire_hang_up(wire, peer);
    wire_run(wire);
    assert_int_equal(wire_descriptors(), before - 2); /* both ends */
    buffer_deinit(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        wire_test(descriptors_that_nobody_names_are_closed),
        wire_test(a_descriptor_that_is_named_goes_back_with_the_value),
        wire_test(an_index_without_a_descriptor_is_refused),
        wire_test(descriptors_belong_to_the_message_they_came_with),
        wire_test(an_incomplete_message_collects_no_descriptors),
    };
    return cmocka_run_group_tests_name("descriptors", tests, NULL, NULL);
}
