/* wire: see wire.h. */
#include "tests/unit/net/wire.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/notation.h"

enum { TURNS = 64 };

int wire_setup(void **state)
{
    struct wire *wire = calloc(1, sizeof(*wire));
    assert_non_null(wire);
    wire->base = event_base_new();
    wire->devnull = open("/dev/null", O_WRONLY | O_CLOEXEC);
    log_init(&wire->log, wire->devnull);
    assert_int_equal(service_init(&wire->service, net_service_clock), 0);
    assert_int_equal(net_init(&wire->net, wire->base, &wire->service, &wire->log), 0);
    *state = wire;
    return 0;
}

int wire_teardown(void **state)
{
    struct wire *wire = *state;
    for (unsigned i = 0; i < wire->npeers; i++) {
        if (wire->peers[i] >= 0) {
            (void)close(wire->peers[i]);
        }
    }
    wire_run(wire);
    assert_int_equal(wire->service.accounts.sessions, 0);
    net_deinit(&wire->net);
    service_clear(&wire->service);
    service_deinit(&wire->service);
    event_base_free(wire->base);
    (void)close(wire->devnull);
    free(wire);
    return 0;
}

int wire_connect(struct wire *wire)
{
    int pair[2];
    assert_true(wire->npeers < WIRE_PEERS);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
    connection_open(&wire->net, pair[1]);
    wire->peers[wire->npeers++] = pair[0];
    return pair[0];
}

void wire_hang_up(struct wire *wire, int peer)
{
    for (unsigned i = 0; i < wire->npeers; i++) {
        if (wire->peers[i] == peer) {
            wire->peers[i] = -1;
        }
    }
    (void)close(peer);
}

struct connection *wire_last(struct wire *wire)
{
    return connection_of(TAILQ_LAST(&wire->service.sessions, session_list));
}

void wire_run(struct wire *wire)
{
    for (int i = 0; i < TURNS; i++) {
        (void)event_base_loop(wire->base, EVLOOP_NONBLOCK);
    }
}

struct buffer wire_bytes(const char *notation)
{
    msgpack_sbuffer packed;
    struct buffer out = {0};
    msgpack_sbuffer_init(&packed);
    const char *bad = notation_pack(notation, &packed);
    if (bad != NULL) {
        fail_msg("the test's own notation is wrong at: %s", bad);
    }
    (void)buffer_append(&out, packed.data, packed.size);
    msgpack_sbuffer_destroy(&packed);
    return out;
}

void wire_write(int peer, struct slice bytes)
{
    ssize_t len = send(peer, bytes.data, bytes.len, MSG_NOSIGNAL);
    assert_int_equal(len, bytes.len);
}

void wire_send(struct wire *wire, int peer, const char *notation)
{
    struct buffer bytes = wire_bytes(notation);
    wire_write(peer, buffer_slice(&bytes));
    buffer_deinit(&bytes);
    wire_run(wire);
}

struct buffer wire_read(int peer)
{
    struct buffer out = {0};
    for (;;) {
        assert_int_equal(buffer_reserve(&out, 65536), 0);
        ssize_t len = recv(peer, out.data + out.len, out.cap - out.len, MSG_DONTWAIT);
        if (len <= 0) {
            return out;
        }
        out.len += (size_t)len;
    }
}

static void show(const char *what, const struct buffer *bytes)
{
    size_t at = 0;
    msgpack_unpacked value;
    msgpack_unpacked_init(&value);
    (void)fprintf(stderr, "%s:\n", what);
    while (msgpack_unpack_next(&value, (const char *)bytes->data, bytes->len, &at) ==
           MSGPACK_UNPACK_SUCCESS) {
        notation_print(stderr, &value.data);
        (void)fputc('\n', stderr);
    }
    msgpack_unpacked_destroy(&value);
}

/* True if the next value of each is the same. */
static bool same_next(const struct buffer *expected, size_t *expected_at, const struct buffer *got,
                      size_t *got_at)
{
    msgpack_unpacked a;
    msgpack_unpacked b;
    msgpack_unpacked_init(&a);
    msgpack_unpacked_init(&b);
    bool same = msgpack_unpack_next(&a, (const char *)expected->data, expected->len, expected_at) ==
                    MSGPACK_UNPACK_SUCCESS &&
                msgpack_unpack_next(&b, (const char *)got->data, got->len, got_at) ==
                    MSGPACK_UNPACK_SUCCESS &&
                notation_match(&a.data, &b.data);
    msgpack_unpacked_destroy(&a);
    msgpack_unpacked_destroy(&b);
    return same;
}

void wire_expect_at(int peer, const char *notation, const char *file, int line)
{
    struct buffer expected = wire_bytes(notation);
    struct buffer got = wire_read(peer);
    size_t expected_at = 0;
    size_t got_at = 0;
    bool same = true;
    while (same && (expected_at < expected.len || got_at < got.len)) {
        same = same_next(&expected, &expected_at, &got, &got_at);
    }
    if (!same) {
        show("expected", &expected);
        show("got", &got);
    }
    buffer_deinit(&expected);
    buffer_deinit(&got);
    if (!same) {
        _fail(file, line);
    }
}

void wire_expect_end_at(int peer, const char *file, int line)
{
    char byte;
    ssize_t len = recv(peer, &byte, 1, MSG_DONTWAIT);
    if (len != 0 && !(len < 0 && errno == ECONNRESET)) {
        (void)fprintf(stderr, "the connection has not ended\n");
        _fail(file, line);
    }
}

unsigned wire_descriptors(void)
{
    unsigned count = 0;
    DIR *directory = opendir("/proc/self/fd");
    assert_non_null(directory);
    while (readdir(directory) != NULL) {
        count++;
    }
    (void)closedir(directory);
    return count;
}
