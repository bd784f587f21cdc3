/* Every allocation of a connection's life fails once: that call or that session fails, nothing
 * else. */
#include "tests/unit/net/wire.h"

#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/scarce.h"

static const char ALL[] =
    "[0, 1, 'server.hello', [{client: 'test'}]] [0, 2, 'queue.open', ['q', {joinable: true}]]"
    "[0, 3, 'queue.put_many', ['q', ['a', 'b'*9000]]] [0, 4, 'queue.get_many', ['q', 2]]"
    "[0, 5, 'queue.get', ['q', 100000]] [0, 6, 'dict.open', ['d', {initial: {k: 1}}]]"
    "[0, 7, 'dict.copy', ['d']] [0, 8, 'list.open', ['l', {initial: [3, 2, 1]}]]"
    "[0, 9, 'list.sort', ['l']] [0, 10, 'session.list', []] [0, 11, 'nonsense', []]"
    "[0, 12, 'queue.open', ['p']] [0, 13, 'queue.put', ['p', 'c'*5000]] [0, 14, 'queue.get', "
    "['p']]";

/* One life of a session, in pieces, with a hang-up at the end. */
static void live(struct wire *wire, struct slice bytes)
{
    int peer = wire_connect(wire);
    for (size_t at = 0; at < bytes.len;) {
        size_t piece = bytes.len - at < 3000 ? bytes.len - at : 3000;
        if (send(peer, bytes.data + at, piece, MSG_NOSIGNAL) < 0) {
            break;
        }
        at += piece;
        wire_run(wire);
    }
    wire_hang_up(wire, peer);
    wire_run(wire);
    wire->npeers = 0;
}

static void want_of_memory_is_the_fault_of_one_session(void **state)
{
    struct wire *wire = *state;
    struct buffer bytes = wire_bytes(ALL);
    bool failed = true;
    for (unsigned n = 0; failed; n++) {
        unsigned descriptors = wire_descriptors();
        scarce_begin(n);
        live(wire, buffer_slice(&bytes));
        failed = scarce_end();
        assert_int_equal(wire->service.accounts.sessions, 0);
        assert_int_equal(wire->service.waiting, 0);
        assert_int_equal(wire_descriptors(), descriptors);
        service_clear(&wire->service);
        assert_int_equal(wire->service.accounts.bytes, 0);
        assert_true(n < 1000);
    }
    buffer_deinit(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        wire_test(want_of_memory_is_the_fault_of_one_session),
    };
    return cmocka_run_group_tests_name("scarce", tests, NULL, NULL);
}
