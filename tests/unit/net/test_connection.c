/* A whole connection over a socket pair: input in pieces, pauses, faults, and every way to end. */
#include "tests/unit/net/wire.h"

#include <malloc.h>
#include <msgpack.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static void requests_in_one_write_are_answered_in_order(void **state)
{
    struct wire *wire = *state;
    int peer = wire_connect(wire);
    wire_send(wire, peer,
              "[0, 1, 'queue.open', ['q']] [0, 2, 'queue.put', ['q', 'a']]"
              "[0, 3, 'server.ping', [7]] [0, 4, 'queue.get', ['q']]");
    wire_expect(peer,
                "[1, 1, nil, _map] [1, 2, nil, nil] [1, 3, nil, 7] [1, 4, nil, ['a', nil, 1]]");
}

static void a_message_split_anywhere_is_run_once_when_it_is_whole(void **state)
{
    struct wire *wire = *state;
    int peer = wire_connect(wire);
    struct buffer bytes = wire_bytes("[0, 1, 'server.ping', [['x', {k: [1, 2, 'abc']}, 70000]]]"
                                     "[0, 2, 'server.ping', ['y'*300]]");
    for (size_t split = 1; split < bytes.len; split++) {
        uint64_t calls = wire_last(wire)->session.ncalls;
        wire_write(peer, (struct slice){bytes.data, split});
        wire_run(wire);
        wire_write(peer, (struct slice){bytes.data + split, bytes.len - split});
        wire_run(wire);
        assert_int_equal(wire_last(wire)->session.ncalls, calls + 2);
        wire_expect(peer, "[1, 1, nil, ['x', {k: [1, 2, 'abc']}, 70000]] [1, 2, nil, 'y'*300]");
    }
    buffer_deinit(&bytes);
}

static void a_message_can_come_byte_by_byte(void **state)
{
    struct wire *wire = *state;
    int peer = wire_connect(wire);
    struct buffer bytes = wire_bytes("[0, 1, 'server.ping', [[1, [2, 'three']]]]");
    for (size_t i = 0; i < bytes.len; i++) {
        wire_expect(peer, "");
        wire_write(peer, (struct slice){bytes.data + i, 1});
        wire_run(wire);
    }
    wire_expect(peer, "[1, 1, nil, [1, [2, 'three']]]");
    buffer_deinit(&bytes);
}

/* Sends all of it, and reads what comes meanwhile, until nothing more happens. */
static struct buffer exchange(struct wire *wire, int peer, struct slice bytes)
{
    struct buffer got = {0};
    size_t sent = 0;
    for (int idle = 0; idle < 3;) {
        ssize_t len = sent < bytes.len ? send(peer, bytes.data + sent, bytes.len - sent, 0) : 0;
        sent += len > 0 ? (size_t)len : 0;
        (void)event_base_loop(wire->base, EVLOOP_NONBLOCK);
        struct buffer more = wire_read(peer);
        idle = len > 0 || more.len > 0 ? 0 : idle + 1;
        assert_int_equal(buffer_append(&got, more.data, more.len), 0);
        buffer_deinit(&more);
    }
    assert_int_equal(sent, bytes.len);
    return got;
}

static void a_message_larger_than_the_shared_window_comes_through(void **state)
{
    struct wire *wire = *state;
    int peer = wire_connect(wire);
    struct buffer bytes =
        wire_bytes("[0, 1, 'server.ping', ['z'*3000000]] [0, 2, 'server.ping', []]");
    struct buffer expected = wire_bytes("[1, 1, nil, 'z'*3000000] [1, 2, nil, nil]");
    struct buffer got = exchange(wire, peer, buffer_slice(&bytes));
    assert_true(slice_equal(buffer_slice(&got), buffer_slice(&expected)));
    assert_null(wire_last(wire)->stream.rest);
    buffer_deinit(&bytes);
    buffer_deinit(&expected);
    buffer_deinit(&got);
}

static void a_length_that_is_only_claimed_takes_no_memory(void **state)
{
    struct wire *wire = *state;
    int peer = wire_connect(wire);
    wire_write(peer,
               (struct slice){(const uint8_t *)"\x94\x00\x01\xabserver.ping\x91\xc6\x00\xf0\x00"
                                               "\x00",
                              21});
    wire_run(wire);
    const struct rest *rest = wire_last(wire)->stream.rest;
    assert_non_null(rest);
    assert_true(rest->cap < 1024);
}

static void an_idle_connection_owns_no_buffers(void **state)
{
    struct wire *wire = *state;
    int peer = wire_connect(wire);
    wire_send(wire, peer,
              "[0, 1, 'queue.open', ['q']] [0, 2, 'queue.put', ['q', 'a']]"
              "[0, 3, 'queue.get', ['q']] [0, 4, 'queue.get', ['q', 100000]]");
    wire_send(wire, peer, "[0, 5, 'queue.put', ['q', 'b']]");
    const struct connection *connection = wire_last(wire);
    assert_null(connection->stream.rest);
    assert_int_equal(connection->session.output.bytes.cap, 0);
    assert_int_equal(connection->session.output.splices_cap, 0);
    assert_int_equal(connection->session.output.undelivered_cap, 0);
    assert_int_equal(connection->session.charged.bytes,
                     connection->memory.bytes + connection->session.memory.bytes);
    assert_true(malloc_usable_size((void *)(uintptr_t)connection) <= 704);
}

/* Fills the socket with answers that the peer does not read. Returns how many requests were sent.
 */
static unsigned send_until_paused(struct wire *wire, int peer)
{
    unsigned count = 0;
    while (!wire_last(wire)->paused) {
        assert_true(count < 200);
        wire_send(wire, peer, "[0, 9, 'server.ping', ['p'*10000]]");
        count++;
    }
    return count;
}

static void a_session_that_does_not_read_is_not_served_until_it_does(void **state)
{
    struct wire *wire = *state;
    int peer = wire_connect(wire);
    unsigned sent = send_until_paused(wire, peer);
    uint64_t calls = wire_last(wire)->session.ncalls;
    assert_true(wire_last(wire)->output_charge.bytes > CONNECTION_HIGH);
    uint64_t idle = wire_last(wire)->memory.bytes;
    assert_int_equal(wire->service.accounts.bytes, idle + wire_last(wire)->output_charge.bytes);
    wire_send(wire, peer, "[0, 9, 'server.ping', ['q'*100]]");
    assert_int_equal(wire_last(wire)->session.ncalls, calls);
    struct buffer got = exchange(wire, peer, (struct slice){0});
    assert_int_equal(wire_last(wire)->session.ncalls, calls + 1);
    assert_int_equal(got.len, sent * (10000 + 7) + 100 + 6);
    assert_false(wire_last(wire)->paused);
    assert_int_equal(wire->service.accounts.bytes, idle);
    buffer_deinit(&got);
}

static void requests_behind_a_pause_are_kept_and_run_first(void **state)
{
    struct wire *wire = *state;
    int peer = wire_connect(wire);
    wire_send(wire, peer, "[0, 1, 'list.open', ['l', {initial: ['a'*100000]}]]");
    struct buffer ignored = wire_read(peer);
    buffer_deinit(&ignored);
    struct buffer requests = {0};
    struct buffer expected = {0};
    for (unsigned i = 0; i < 40; i++) {
        pack_array(&requests, 4);
        pack_int(&requests, 0);
        pack_uint(&requests, i);
        pack_string(&requests, "list.get");
        pack_array(&requests, 2);
        pack_string(&requests, "l");
        pack_int(&requests, 0);
        message_result(&expected, i);
        struct buffer value = wire_bytes("'a'*100000");
        pack_raw(&expected, buffer_slice(&value));
        buffer_deinit(&value);
    }
    wire_write(peer, buffer_slice(&requests));
    wire_run(wire);
    assert_true(wire_last(wire)->paused);
    assert_non_null(wire_last(wire)->stream.rest);
    struct buffer got = exchange(wire, peer, (struct slice){0});
    assert_true(slice_equal(buffer_slice(&got), buffer_slice(&expected)));
    assert_null(wire_last(wire)->stream.rest);
    buffer_deinit(&requests);
    buffer_deinit(&expected);
    buffer_deinit(&got);
}

static void a_paused_session_that_hangs_up_has_its_requests_run(void **state)
{
    struct wire *wire = *state;
    int peer = wire_connect(wire);
    int other = wire_connect(wire);
    wire_send(wire, other, "[0, 1, 'queue.open', ['q']]");
    wire_expect(other, "[1, 1, nil, _map]");
    struct connection *connection = connection_of(TAILQ_FIRST(&wire->service.sessions));
    while (!connection->paused) {
        wire_send(wire, peer, "[0, 9, 'server.ping', ['p'*10000]]");
    }
    wire_send(wire, peer, "[0, 2, 'queue.put', ['q', 'kept']]");
    wire_hang_up(wire, peer);
    wire_run(wire);
    wire_send(wire, other, "[0, 3, 'queue.get', ['q', 0]]");
    wire_expect(other, "[1, 3, nil, ['kept', nil, 1]]");
    assert_int_equal(wire->service.accounts.sessions, 1);
}

static void more_unread_answers_than_max_output_end_the_session(void **state)
{
    struct wire *wire = *state;
    wire->service.accounts.limits.max_output = 100000;
    int peer = wire_connect(wire);
    for (int i = 0; i < 60 && wire->service.accounts.sessions > 0; i++) {
        wire_send(wire, peer, "[0, 9, 'server.ping', ['p'*10000]]");
    }
    assert_int_equal(wire->service.accounts.sessions, 0);
    assert_int_equal(wire->service.accounts.bytes, 0);
}

static void large_values_are_spliced_into_the_stream(void **state)
{
    struct wire *wire = *state;
    int peer = wire_connect(wire);
    wire_send(wire, peer,
              "[0, 1, 'queue.open', ['q']] [0, 2, 'queue.put_many', ['q', ['a'*9000, 'b', "
              "'c'*5000]]] [0, 3, 'queue.get_many', ['q', 9]]");
    wire_expect(peer, "[1, 1, nil, _map] [1, 2, nil, 3] [1, 3, nil, [['a'*9000, nil, 1], "
                      "['b', nil, 1], ['c'*5000, nil, 1]]]");
}

static void what_is_not_a_message_gets_a_goodbye(void **state)
{
    struct wire *wire = *state;
    static const char *const wrong[] = {"5",
                                        "[]",
                                        "[0, 1, 'x']",
                                        "[3, 1, 'x', []]",
                                        "{a: 1}",
                                        "[0, -1, 'x', []]",
                                        "[0, 1, 2, []]",
                                        "[0, 1, 'x', 3]",
                                        "[0, 1, 'server.ping', [deep(31)]]"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        int peer = wire_connect(wire);
        wire_send(wire, peer, "[0, 1, 'server.ping', [1]]");
        wire_send(wire, peer, wrong[i]);
        wire_expect(peer, "[1, 1, nil, 1] [2, 'goodbye', ['BAD_REQUEST', _str]]");
        wire_expect_end(peer);
        assert_int_equal(wire->service.accounts.sessions, 0);
    }
}

static void a_message_over_max_message_gets_a_goodbye_at_once(void **state)
{
    struct wire *wire = *state;
    wire->service.accounts.limits.max_message = 1024;
    int peer = wire_connect(wire);
    /* A str of 2000 bytes is claimed; they need not come. */
    wire_write(peer, (struct slice){(const uint8_t *)"\x94\x00\x01\xda\x07\xd0", 6});
    wire_run(wire);
    wire_expect(peer, "[2, 'goodbye', ['TOO_LARGE', _str]]");
    wire_expect_end(peer);
}

static void what_comes_before_a_fault_is_run_and_answered(void **state)
{
    struct wire *wire = *state;
    int peer = wire_connect(wire);
    wire_send(wire, peer,
              "[0, 1, 'queue.open', ['q']] [0, 2, 'queue.get', ['q']]"
              "[0, 3, 'server.ping', [3]] 77 [0, 4, 'server.ping', [4]]");
    wire_expect(peer, "[1, 1, nil, _map] [1, 3, nil, 3] [1, 2, ['CANCELLED', _str], nil]"
                      "[2, 'goodbye', ['BAD_REQUEST', _str]]");
    wire_expect_end(peer);
}

static void requests_sent_before_a_hang_up_are_run(void **state)
{
    struct wire *wire = *state;
    int peer = wire_connect(wire);
    int other = wire_connect(wire);
    struct buffer bytes = wire_bytes("[0, 1, 'queue.open', ['q']] [0, 2, 'queue.put', ['q', 5]]");
    wire_write(peer, buffer_slice(&bytes));
    buffer_deinit(&bytes);
    wire_hang_up(wire, peer);
    wire_run(wire);
    wire_send(wire, other, "[0, 1, 'queue.get', ['q', 0]]");
    wire_expect(other, "[1, 1, nil, [5, nil, 1]]");
}

static void an_item_whose_answer_cannot_be_sent_goes_back(void **state)
{
    struct wire *wire = *state;
    int peer = wire_connect(wire);
    int other = wire_connect(wire);
    wire_send(wire, other,
              "[0, 1, 'queue.open', ['q']] [0, 2, 'queue.put_many', ['q', ['a', 'b']]]"
              "[0, 3, 'queue.open', ['r']] [0, 4, 'queue.get', ['r']]");
    struct buffer bytes = wire_bytes("[0, 1, 'queue.get', ['q']] [0, 1, 'queue.get', ['q']]");
    wire_write(peer, buffer_slice(&bytes));
    buffer_deinit(&bytes);
    wire_hang_up(wire, peer);
    wire_run(wire);
    wire_send(wire, other, "[0, 5, 'queue.get_many', ['q', 5, 0]]");
    wire_expect(other, "[1, 1, nil, _map] [1, 2, nil, 2] [1, 3, nil, _map]"
                       "[1, 5, nil, [['a', nil, 1], ['b', nil, 1]]]");
}

/* Appends so many requests: [0, i, method, [name]], or with a value [i, 'vvv…'] behind the name. */
static void append_requests(struct buffer *out, unsigned count, const char *method, size_t value)
{
    char text[512];
    assert_true(value < sizeof(text));
    memset(text, 'v', sizeof(text));
    for (unsigned i = 0; i < count; i++) {
        message_request(out, i, slice_of_string(method), value > 0 ? 2 : 1);
        pack_string(out, "q");
        if (value > 0) {
            pack_array(out, 2);
            pack_uint(out, i);
            pack_str(out, (struct slice){(const uint8_t *)text, value});
        }
    }
}

/* How many whole messages there are in the bytes. */
static unsigned count_messages(struct slice bytes)
{
    unsigned count = 0;
    size_t at = 0;
    size_t len;
    while ((len = scan_length(bytes.data + at, bytes.len - at)) > 0) {
        at += len;
        count++;
    }
    return count;
}

/* Takes everything out of the queue: the numbers must go up to `count` without a gap. Returns the
 * first one. */
static unsigned first_left(struct wire *wire, int peer, unsigned count)
{
    struct buffer bytes = wire_bytes("[0, 1, 'queue.get_many', ['q', 100000, 0]]");
    struct buffer got = exchange(wire, peer, buffer_slice(&bytes));
    msgpack_unpacked unpacked;
    size_t at = 0;
    msgpack_unpacked_init(&unpacked);
    assert_int_equal(msgpack_unpack_next(&unpacked, (const char *)got.data, got.len, &at),
                     MSGPACK_UNPACK_SUCCESS);
    const msgpack_object_array items = unpacked.data.via.array.ptr[3].via.array;
    unsigned first = count - items.size;
    for (unsigned i = 0; i < items.size; i++) {
        const msgpack_object_array value = items.ptr[i].via.array.ptr[0].via.array;
        assert_int_equal(value.ptr[0].via.u64, first + i);
        assert_int_equal(value.ptr[1].via.str.size, 300);
    }
    msgpack_unpacked_destroy(&unpacked);
    buffer_deinit(&bytes);
    buffer_deinit(&got);
    return first;
}

static void items_of_a_slow_reader_that_vanishes_go_back_in_their_order(void **state)
{
    enum { COUNT = 4000 };
    struct wire *wire = *state;
    int peer = wire_connect(wire);
    int other = wire_connect(wire);
    struct buffer puts = wire_bytes("[0, 1, 'queue.open', ['q']]");
    struct buffer gets = {0};
    struct buffer read = {0};
    append_requests(&puts, COUNT, "queue.put", 300);
    append_requests(&gets, COUNT, "queue.get", 0);
    struct buffer answers = exchange(wire, other, buffer_slice(&puts));
    assert_int_equal(count_messages(buffer_slice(&answers)), COUNT + 1);
    wire_write(peer, buffer_slice(&gets));
    for (int i = 0; i < 200; i++) {
        (void)event_base_loop(wire->base, EVLOOP_NONBLOCK);
        assert_int_equal(buffer_reserve(&read, 3000), 0);
        ssize_t len = recv(peer, read.data + read.len, 3000, MSG_DONTWAIT);
        assert_true(len > 0);
        read.len += (size_t)len;
    }
    unsigned had = count_messages(buffer_slice(&read));
    wire_hang_up(wire, peer);
    wire_run(wire);
    unsigned first = first_left(wire, other, COUNT);
    assert_true(had > 1000 && first >= had && first < COUNT);
    buffer_deinit(&puts);
    buffer_deinit(&gets);
    buffer_deinit(&read);
    buffer_deinit(&answers);
}

static void a_waiter_that_is_gone_takes_nothing(void **state)
{
    struct wire *wire = *state;
    int peer = wire_connect(wire);
    int other = wire_connect(wire);
    wire_send(wire, peer, "[0, 1, 'queue.open', ['q']] [0, 2, 'queue.get', ['q']]");
    wire_hang_up(wire, peer);
    wire_run(wire);
    assert_int_equal(wire->service.waiting, 0);
    wire_send(wire, other, "[0, 1, 'queue.put', ['q', 1]] [0, 2, 'queue.qsize', ['q']]");
    wire_expect(other, "[1, 1, nil, nil] [1, 2, nil, 1]");
}

static void a_peer_that_has_said_all_still_reads_its_answers(void **state)
{
    struct wire *wire = *state;
    int peer = wire_connect(wire);
    wire_send(wire, peer, "[0, 1, 'queue.open', ['q']] [0, 2, 'queue.get', ['q']]");
    assert_int_equal(shutdown(peer, SHUT_WR), 0);
    wire_run(wire);
    wire_expect(peer, "[1, 1, nil, _map] [1, 2, ['CANCELLED', _str], nil]");
    wire_expect_end(peer);
}

static void an_answer_wakes_another_session(void **state)
{
    struct wire *wire = *state;
    int getter = wire_connect(wire);
    int putter = wire_connect(wire);
    wire_send(wire, getter, "[0, 1, 'queue.open', ['q']] [0, 2, 'queue.get', ['q']]");
    wire_expect(getter, "[1, 1, nil, _map]");
    wire_send(wire, putter, "[0, 1, 'queue.put', ['q', 'x']]");
    wire_expect(getter, "[1, 2, nil, ['x', nil, 1]]");
    wire_expect(putter, "[1, 1, nil, nil]");
}

static void a_wait_ends_when_its_time_is_over_and_not_before(void **state)
{
    struct wire *wire = *state;
    int peer = wire_connect(wire);
    uint64_t start = net_clock();
    wire_send(wire, peer, "[0, 1, 'queue.open', ['q']] [0, 2, 'queue.get', ['q', 30]]");
    wire_expect(peer, "[1, 1, nil, _map]");
    while (wire->service.waiting > 0) {
        (void)event_base_loop(wire->base, EVLOOP_ONCE);
    }
    assert_true(net_clock() - start >= 30000000);
    wire_expect(peer, "[1, 2, ['EMPTY', _str], nil]");
}

static void a_killed_session_gets_a_goodbye(void **state)
{
    struct wire *wire = *state;
    int peer = wire_connect(wire);
    int other = wire_connect(wire);
    wire_send(wire, peer, "[0, 1, 'queue.open', ['q']] [0, 2, 'queue.get', ['q']]");
    wire_send(wire, other, "[0, 1, 'session.kill', [1]]");
    wire_expect(other, "[1, 1, nil, nil]");
    wire_expect(peer, "[1, 1, nil, _map] [1, 2, ['CANCELLED', _str], nil]"
                      "[2, 'goodbye', ['CANCELLED', _str]]");
    wire_expect_end(peer);
}

static void a_session_can_kill_itself_and_is_answered(void **state)
{
    struct wire *wire = *state;
    int peer = wire_connect(wire);
    wire_send(wire, peer, "[0, 1, 'session.kill', [1]] [0, 2, 'server.ping', [2]]");
    wire_expect(peer, "[1, 1, nil, nil] [1, 2, nil, 2] [2, 'goodbye', ['CANCELLED', _str]]");
    wire_expect_end(peer);
}

static void one_session_too_many_gets_a_goodbye_that_names_the_limit(void **state)
{
    struct wire *wire = *state;
    wire->service.accounts.limits.max_sessions = 2;
    (void)wire_connect(wire);
    (void)wire_connect(wire);
    int peer = wire_connect(wire);
    struct buffer got = wire_read(peer);
    assert_non_null(memmem(got.data, got.len, "goodbye", 7));
    assert_non_null(memmem(got.data, got.len, "LIMIT", 5));
    assert_non_null(memmem(got.data, got.len, "max_sessions: 2 of 2", 20));
    buffer_deinit(&got);
    wire_expect_end(peer);
    assert_int_equal(wire->service.accounts.sessions, 2);
}

static void stopping_answers_waiting_calls_and_ends_all_sessions(void **state)
{
    struct wire *wire = *state;
    int first = wire_connect(wire);
    int second = wire_connect(wire);
    wire_send(wire, first, "[0, 1, 'queue.open', ['q']] [0, 2, 'queue.get', ['q']]");
    struct buffer late = wire_bytes("[0, 1, 'server.ping', [1]]");
    wire_write(second, buffer_slice(&late));
    buffer_deinit(&late);
    net_stop(&wire->net);
    assert_int_equal(wire->service.accounts.sessions, 0);
    wire_expect(first, "[1, 1, nil, _map] [1, 2, ['CANCELLED', 'the daemon is stopping'], nil]");
    wire_expect_end(first);
    wire_expect(second, "[1, 1, nil, 1]");
    wire_expect_end(second);
}

static void incomplete_messages_are_charged_and_held_to_the_budget(void **state)
{
    struct wire *wire = *state;
    wire->service.accounts.limits.max_bytes = 70000; /* the daemon's own user is held to no other */
    wire->service.accounts.limits.max_message = 100000;
    struct buffer bytes = wire_bytes("[0, 1, 'server.ping', ['a'*90000]]");
    uint64_t charged = 0;
    for (int i = 0; i < 3;
         i++) { /* 70000, and what one message may take, twice its size and more */
        int peer = wire_connect(wire);
        wire_write(peer, (struct slice){bytes.data, 80000});
        wire_run(wire);
        assert_true(wire_last(wire)->input_charge.bytes > 160000);
        assert_true(wire->service.accounts.bytes > charged + 160000);
        charged = wire->service.accounts.bytes;
    }
    int fourth = wire_connect(wire);
    wire_write(fourth, (struct slice){bytes.data, 80000});
    wire_run(wire);
    struct buffer got = wire_read(fourth);
    assert_non_null(memmem(got.data, got.len, "max_bytes: ", 11));
    assert_non_null(memmem(got.data, got.len, "not whole", 9));
    buffer_deinit(&got);
    wire_expect_end(fourth);
    assert_int_equal(wire->service.accounts.bytes, charged);
    buffer_deinit(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        wire_test(requests_in_one_write_are_answered_in_order),
        wire_test(a_message_split_anywhere_is_run_once_when_it_is_whole),
        wire_test(a_message_can_come_byte_by_byte),
        wire_test(a_message_larger_than_the_shared_window_comes_through),
        wire_test(a_length_that_is_only_claimed_takes_no_memory),
        wire_test(an_idle_connection_owns_no_buffers),
        wire_test(a_session_that_does_not_read_is_not_served_until_it_does),
        wire_test(requests_behind_a_pause_are_kept_and_run_first),
        wire_test(a_paused_session_that_hangs_up_has_its_requests_run),
        wire_test(more_unread_answers_than_max_output_end_the_session),
        wire_test(large_values_are_spliced_into_the_stream),
        wire_test(what_is_not_a_message_gets_a_goodbye),
        wire_test(a_message_over_max_message_gets_a_goodbye_at_once),
        wire_test(what_comes_before_a_fault_is_run_and_answered),
        wire_test(requests_sent_before_a_hang_up_are_run),
        wire_test(an_item_whose_answer_cannot_be_sent_goes_back),
        wire_test(items_of_a_slow_reader_that_vanishes_go_back_in_their_order),
        wire_test(a_waiter_that_is_gone_takes_nothing),
        wire_test(a_peer_that_has_said_all_still_reads_its_answers),
        wire_test(an_answer_wakes_another_session),
        wire_test(a_wait_ends_when_its_time_is_over_and_not_before),
        wire_test(a_killed_session_gets_a_goodbye),
        wire_test(a_session_can_kill_itself_and_is_answered),
        wire_test(one_session_too_many_gets_a_goodbye_that_names_the_limit),
        wire_test(stopping_answers_waiting_calls_and_ends_all_sessions),
        wire_test(incomplete_messages_are_charged_and_held_to_the_budget),
    };
    return cmocka_run_group_tests_name("connection", tests, NULL, NULL);
}
