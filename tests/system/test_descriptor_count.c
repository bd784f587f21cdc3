/* The daemon's open descriptors, counted before and after everything that can become of one that it
 * was sent: in one daemon, one after the other, and after each there are as many as before the
 * first. What the values themselves do is in test_descriptors. */
#include "tests/support/daemon.h"

#include <errno.h>
#include <linux/sockios.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MOST = 24, STEPS = 6 };

#define FD "ext(2, '\\x00')"

/* What all tests share. */
struct count {
    struct daemon *daemon;
    struct rpc *a;
    unsigned before; /* what the daemon had open when nothing was sent yet */
    int file;        /* what is sent, as often as wanted */
};

static struct daemon *start(void)
{
    return daemon_start(&(struct daemon_options){
        .config = "[limits]\nmax_descriptors = 24\nmax_message = 100000\nmax_output = 8000000\n"});
}

static int count_setup(void **state)
{
    static struct count count;
    count.daemon = start();
    count.a = daemon_client(count.daemon);
    count.file = memfd_create("counted", MFD_CLOEXEC);
    assert_return_code(count.file, errno);
    expect(count.a, "queue.open", "['q']", "_map");
    expect(count.a, "dict.open", "['d']", "_map");
    expect(count.a, "list.open", "['l']", "_map");
    expect(count.a, "namespace.open", "['n']", "_map");
    expect(count.a, "queue.open", "['one', {maxsize: 1}]", "_map");
    expect(count.a, "queue.open", "['dead']", "_map");
    expect(count.a, "queue.open", "['j', {joinable: true, max_deliveries: 1, dead_letter: 'dead'}]",
           "_map");
    expect(count.a, "queue.open", "['k', {joinable: true, max_deliveries: 1}]", "_map");
    expect(count.a, "queue.open", "['leased', {joinable: true, lease_ms: 20}]", "_map");
    expect(count.a, "list.open", "['large', {initial: [b'x'*90000]}]", "_map");
    expect(count.a, "list.repeat", "['large', 20]", "nil");
    count.before = daemon_descriptors(count.daemon);
    *state = &count;
    return 0;
}

static int count_teardown(void **state)
{
    struct count *count = *state;
    (void)close(count->file);
    daemon_stop(count->daemon);
    return 0;
}

/* Waits until the daemon holds exactly so many of those it was sent. */
#define expect_held(count, held) held_expect(count, held, HERE)
static void held_expect(const struct count *count, unsigned held, struct place place)
{
    int64_t deadline = rpc_now() + RPC_LIMIT_MS;
    while (daemon_descriptors(count->daemon) != count->before + held) {
        if (rpc_now() > deadline) {
            test_fail(place, "the daemon has %u descriptors open, expected %u and %u",
                      daemon_descriptors(count->daemon), count->before, held);
        }
        (void)poll(NULL, 0, 1);
    }
}

/* Bytes with so many descriptors at the first. */
static void write_with(const struct count *count, struct rpc *c, const msgpack_sbuffer *bytes,
                       unsigned fds)
{
    int files[RPC_DESCRIPTORS_MAX] = {0};
    for (unsigned i = 0; i < fds; i++) {
        files[i] = count->file;
    }
    rpc_write_descriptors(c, bytes->data, bytes->size, files, fds);
}

/* A call with so many descriptors; does not wait. */
static uint32_t send_with(const struct count *count, struct rpc *c, const char *const call[2],
                          unsigned fds)
{
    msgpack_sbuffer out;
    msgpack_sbuffer_init(&out);
    uint32_t msgid = rpc_pack(c, &out, call[0], call[1]);
    write_with(count, c, &out, fds);
    msgpack_sbuffer_destroy(&out);
    return msgid;
}

#define SEND(count, c, method, params, fds)                                                        \
    send_with(count, c, (const char *const[]){method, params}, fds)

/* One call of a way. */
struct step {
    const char *call[3]; /* the method, its params, and the error that it answers or NULL */
    unsigned fds;        /* that go with it */
    unsigned held;       /* by the daemon when it is answered */
};

/* What becomes of a descriptor, call by call. */
struct way {
    struct step steps[STEPS];
};

static void go(const struct count *count, const struct way *way)
{
    for (size_t i = 0; i < STEPS && way->steps[i].call[0] != NULL; i++) {
        const struct step *step = &way->steps[i];
        uint32_t msgid = send_with(count, count->a, step->call, step->fds);
        if (step->call[2] != NULL) {
            expect_failure(count->a, msgid, step->call[2]);
        } else {
            expect_result(count->a, msgid, "_");
        }
        expect_held(count, step->held);
    }
    while (count->a->fd_count > 0) { /* what the answers brought */
        (void)close(count->a->fds[--count->a->fd_count]);
    }
}

#define go_all(count, ways)                                                                        \
    for (size_t i = 0; i < sizeof(ways) / sizeof((ways)[0]); i++) {                                \
        go(count, &(ways)[i]);                                                                     \
        expect_held(count, 0);                                                                     \
    }

static void items_of_queues(void **state)
{
    static const struct way ways[] = {
        {{{{"queue.put", "['q', " FD "]"}, 1, 1}, {{"queue.get", "['q']"}, 0, 0}}},
        {{{{"queue.put", "['q', " FD "]"}, 1, 1},
          {{"queue.peek", "['q']"}, 0, 1},
          {{"queue.peek", "['q', 0, 5]"}, 0, 1},
          {{"queue.get", "['q']"}, 0, 0}}},
        {{{{"queue.put_many", "['q', [" FD ", ext(2, '\\x01'), [ext(2, '\\x02'), " FD "]]]"}, 3, 3},
          {{"queue.get_many", "['q', 2]"}, 0, 2},
          {{"queue.get_many", "['q', 9]"}, 0, 0}}},
        {{{{"queue.put", "['q', " FD ", nil, {priority: 5}]"}, 1, 1},
          {{"queue.clear", "['q']"}, 0, 0}}},
        {{{{"queue.put", "['q', " FD ", nil, {delay_ms: 1000000}]"}, 1, 1},
          {{"queue.clear", "['q']"}, 0, 0}}},
        {{{{"queue.put", "['q', " FD ", nil, {ttl_ms: 20}]"}, 1, 0}}},
        {{{{"queue.open", "['gone']"}, 0, 0},
          {{"queue.put", "['gone', " FD "]"}, 1, 1},
          {{"object.delete", "['gone']"}, 0, 0}}},
        {{{{"queue.open", "['gone']"}, 0, 0},
          {{"queue.put", "['gone', " FD "]"}, 1, 1},
          {{"queue.shutdown", "['gone']"}, 0, 1},
          {{"queue.put", "['gone', " FD "]", "SHUT_DOWN"}, 1, 1},
          {{"queue.shutdown", "['gone', true]"}, 0, 0},
          {{"object.delete", "['gone']"}, 0, 0}}},
        {{{{"queue.put", "['one', " FD "]"}, 1, 1},
          {{"queue.put", "['one', " FD ", 0]", "FULL"}, 1, 1},
          {{"queue.put", "['one', " FD ", 5]", "FULL"}, 1, 1},
          {{"queue.get", "['one']"}, 0, 0}}},
        {{{{"queue.put", "['k', " FD "]"}, 1, 1},
          {{"queue.get", "['k']"}, 0, 1}, /* until it is done */
          {{"queue.task_done", "['k']"}, 0, 0}}},
        {{{{"queue.put", "['leased', " FD "]"}, 1, 1},
          {{"queue.get", "['leased']"}, 0, 1},
          {{"queue.get", "['leased', 20000]"}, 0, 1}, /* once the first lease has run out */
          {{"object.delete", "['leased']"}, 0, 0}}},
    };
    go_all(*state, ways);
}

static void values_of_dicts(void **state)
{
    static const struct way ways[] = {
        {{{{"dict.set", "['d', 'k', " FD "]"}, 1, 1},
          {{"dict.get", "['d', 'k']"}, 0, 1},
          {{"dict.set", "['d', 'k', [" FD ", ext(2, '\\x01')]]"}, 2, 2},
          {{"dict.set", "['d', 'k', 1]"}, 0, 0},
          {{"dict.clear", "['d']"}, 0, 0}}},
        {{{{"dict.set", "['d', 'k', " FD "]"}, 1, 1}, {{"dict.pop", "['d', 'k']"}, 0, 0}}},
        {{{{"dict.update", "['d', {a: " FD ", b: ext(2, '\\x01'), c: ext(2, '\\x01')}]"}, 2, 2},
          {{"dict.delete", "['d', 'a']"}, 0, 1},
          {{"dict.popitem", "['d']"}, 0, 1},
          {{"dict.update", "['d', {b: 1}]"}, 0, 0},
          {{"dict.clear", "['d']"}, 0, 0}}},
        {{{{"dict.setdefault", "['d', 1, " FD "]"}, 1, 1},
          {{"dict.setdefault", "['d', 1, " FD "]"}, 1, 1}, /* there already: closed */
          {{"dict.pop", "['d', 2, " FD "]"}, 1, 1},        /* its default comes back */
          {{"dict.clear", "['d']"}, 0, 0}}},
        {{{{"dict.cas", "['d', 1, [], [" FD "]]"}, 1, 1},
          {{"dict.cas", "['d', 1, [5], [" FD "]]"}, 1, 1},
          {{"dict.copy", "['d']"}, 0, 1},
          {{"dict.scan", "['d', 0]"}, 0, 1},
          {{"dict.clear", "['d']"}, 0, 0}}},
        {{{{"dict.open", "['new', {initial: {a: " FD "}}]"}, 1, 1},
          {{"dict.open", "['new', {initial: {a: " FD "}}]"}, 1, 1},
          {{"object.delete", "['new']"}, 0, 0}}},
        {{{{"namespace.set", "['n', 'k', " FD "]"}, 1, 1},
          {{"namespace.delete", "['n', 'k']"}, 0, 0}}},
    };
    go_all(*state, ways);
}

static void elements_of_lists(void **state)
{
    static const struct way ways[] = {
        {{{{"list.append", "['l', " FD "]"}, 1, 1},
          {{"list.set", "['l', 0, [" FD ", ext(2, '\\x01')]]"}, 2, 2},
          {{"list.set", "['l', 5, " FD "]", "INDEX"}, 1, 2},
          {{"list.pop", "['l']"}, 0, 0}}},
        {{{{"list.extend", "['l', [" FD ", ext(2, '\\x01'), 7, ext(2, '\\x02')]]"}, 3, 3},
          {{"list.set_slice", "['l', 0, 1, nil, [[" FD "], " FD "]]"}, 1, 3},
          {{"list.set_slice", "['l', 0, nil, 2, [" FD "]]", "VALUE"}, 1, 3},
          {{"list.delete_slice", "['l', 1, 3]"}, 0, 2},
          {{"list.clear", "['l']"}, 0, 0}}},
        {{{{"list.insert", "['l', 0, " FD "]"}, 1, 1},
          {{"list.repeat", "['l', 3]"}, 0, 1},
          {{"list.delete", "['l', 0]"}, 0, 1},
          {{"list.slice", "['l']"}, 0, 1},
          {{"list.repeat", "['l', 0]"}, 0, 0}}},
        {{{{"list.open", "['new', {initial: [" FD "]}]"}, 1, 1},
          {{"object.delete", "['new']"}, 0, 0}}},
    };
    go_all(*state, ways);
}

static void calls_of_several_objects(void **state)
{
    static const struct way ways[] = {
        {{{{"queue.put", "['q', " FD "]"}, 1, 1}, {{"queue.get_any", "[['one', 'q']]"}, 0, 0}}},
        {{{{"atomic", "[[['queue.put', ['q', " FD "]], ['dict.set', ['d', 1, ext(2, '\\x01')]]]]"},
           2,
           2},
          {{"atomic", "[[['queue.get', ['q']], ['dict.pop', ['d', 1]]]]"}, 0, 0}}},
        {{{{"atomic",
            "[[['list.append', ['l', " FD "]], ['list.append', ['no', ext(2, '\\x01')]]]]",
            "NOT_FOUND"},
           2,
           1}, /* what ran before it stays done */
          {{"list.clear", "['l']"}, 0, 0}}},
        {{{{"atomic", "[[['queue.put', ['q', " FD "]], ['queue.clear', ['q']]]]"}, 1, 0}}},
    };
    go_all(*state, ways);
}

static void contents_of_scoped_objects(void **state)
{
    static const struct way ways[] = {
        {{{{"dict.open", "['s', {lifetime: 'scoped', initial: {k: " FD "}}]"}, 1, 1},
          {{"object.close", "['s']"}, 0, 0}}},
        {{{{"list.open", "['s', {lifetime: 'scoped', initial: [" FD "]}]"}, 1, 1},
          {{"list.append", "['l', {in: ext(1, 's')}]"}, 0, 1},
          {{"object.close", "['s']"}, 0, 1}, /* the reference keeps it */
          {{"list.clear", "['l']"}, 0, 0}}},
    };
    go_all(*state, ways);
}

static void calls_that_are_refused(void **state)
{
    static const struct way ways[] = {
        {{{{"list.append", "['l', " FD "]", "BAD_REQUEST"}, 17, 0}}},
        {{{{"list.append", "['l', " FD "]", "BAD_REQUEST"}, 253, 0}}},
        {{{{"list.append", "['l', " FD "]", "BAD_REQUEST"}, 0, 0}}},
        {{{{"list.append", "['l', [" FD ", ext(2, '\\x02')]]", "BAD_REQUEST"}, 2, 0}}},
        {{{{"list.append", "['l', ext(2, '\\xff')]", "BAD_REQUEST"}, 16, 0}}},
        {{{{"list.append", "['l', ext(2, '')]", "BAD_REQUEST"}, 1, 0}}},
        {{{{"list.append", "['l', [" FD ", ext(2, '\\x00\\x00')]]", "BAD_REQUEST"}, 1, 0}}},
        {{{{"list.append", "['l', " FD ", " FD "]", "BAD_REQUEST"}, 1, 0}}},
        {{{{"list.append", "[" FD ", 1]", "BAD_REQUEST"}, 1, 0}}},
        {{{{"list.append", "['none', " FD "]", "NOT_FOUND"}, 1, 0}}},
        {{{{"list.append", "['d', " FD "]", "WRONG_TYPE"}, 1, 0}}},
        {{{{"queue.put", "['q', " FD ", -1]", "BAD_REQUEST"}, 1, 0}}},
        {{{{"queue.put", "['q', 1, nil, {ttl_ms: " FD "}]", "BAD_REQUEST"}, 1, 0}}},
        {{{{"queue.qsize", "['q', " FD "]", "BAD_REQUEST"}, 1, 0}}},
        {{{{"queue.qsize", "[" FD "]", "BAD_REQUEST"}, 1, 0}}},
        {{{{"dict.open", "['new', {initial: " FD "}]", "BAD_REQUEST"}, 1, 0}}},
        {{{{"dict.set", "['d', [" FD "], 1]", "TYPE"}, 1, 0}}},
        {{{{"dict.get", "['d', " FD "]", "TYPE"}, 1, 0}}},
        {{{{"dict.incr", "['d', 1, " FD "]", "BAD_REQUEST"}, 1, 0}}},
        {{{{"list.remove", "['l', " FD "]", "VALUE"}, 1, 0}}},
        {{{{"no.method", "[" FD "]", "UNKNOWN_METHOD"}, 16, 0}}},
    };
    struct count *count = *state;
    go_all(count, ways);
    expect(count->a, "list.len", "['l']", "0");
    expect(count->a, "queue.qsize", "['q']", "0");
}

/* The contract: they are closed, and the call is run. */
static void descriptors_that_no_index_names(void **state)
{
    static const struct way ways[] = {
        {{{{"server.ping", "[]"}, 16, 0}}},
        {{{{"server.ping", "[]"}, 253, 0}}},
        {{{{"queue.put", "['q', 1]"}, 3, 0}, {{"queue.clear", "['q']"}, 0, 0}}},
        {{{{"queue.put", "['q', ext(2, '\\x01')]"}, 3, 1}, {{"queue.get", "['q']"}, 0, 0}}},
        {{{{"list.contains", "['l', " FD "]"}, 1, 0}}},
        {{{{"server.ping", "[" FD "]"}, 1, 0}}},
    };
    go_all(*state, ways);
}

static void notifications(void **state)
{
    struct count *count = *state;
    static const char *const params[][3] = {{"no.method", "[" FD "]", "0"},
                                            {"cancel", "[" FD "]", "0"},
                                            {"server.ping", "[" FD "]", "0"},
                                            {"list.append", "['none', " FD "]", "0"},
                                            {"list.append", "['l', " FD "]", "1"}};
    for (size_t i = 0; i < sizeof(params) / sizeof(params[0]); i++) {
        msgpack_sbuffer out;
        msgpack_sbuffer_init(&out);
        assert_null(
            notation_pack(rpc_text(count->a, "[2, '%s', %s]", params[i][0], params[i][1]), &out));
        write_with(count, count->a, &out, 1);
        write_with(count, count->a, &out, 0);  /* none where one is named */
        write_with(count, count->a, &out, 17); /* and too many */
        msgpack_sbuffer_destroy(&out);
        expect(count->a, "list.len", "['l']", params[i][2]);
    }
    expect_held(count, 1);
    expect(count->a, "list.clear", "['l']", "nil");
    expect_held(count, 0);
}

/* Waits until the daemon has read all that was written to it. */
static void await_read(const struct rpc *c)
{
    int unread = 1;
    int64_t deadline = rpc_now() + RPC_LIMIT_MS;
    while (unread > 0 && rpc_now() < deadline) {
        assert_return_code(ioctl(c->fd, SIOCOUTQ, &unread), errno);
    }
    assert_int_equal(unread, 0);
}

/* Those that come with any byte but the first are nobody's, and do not stay until the last. */
static void descriptors_in_the_middle_of_a_message(void **state)
{
    struct count *count = *state;
    msgpack_sbuffer out;
    msgpack_sbuffer_init(&out);
    uint32_t msgid = rpc_pack(count->a, &out, "list.append", "['l', " FD "]");
    rpc_write(count->a, out.data, 3);
    await_read(count->a);
    rpc_write_descriptors(count->a, out.data + 3, 2, &count->file, 1);
    await_read(count->a);
    expect_held(count, 0);
    rpc_write_descriptors(count->a, out.data + 5, out.size - 5, &count->file, 1);
    expect_failure(count->a, msgid, "BAD_REQUEST");
    msgpack_sbuffer_destroy(&out);
    expect_held(count, 0);
}

static void calls_that_wait_and_are_cancelled(void **state)
{
    struct count *count = *state;
    uint32_t get = rpc_start(count->a, "queue.get", "['q']");
    rpc_cancel(count->a, get);
    expect_failure(count->a, get, "CANCELLED");
    expect(count->a, "queue.put", "['one', 1]", "nil");
    uint32_t put = SEND(count, count->a, "queue.put", "['one', " FD "]", 1);
    expect_waiting(count->a, put);
    expect_held(count, 1);
    rpc_cancel(count->a, put);
    expect_failure(count->a, put, "CANCELLED");
    expect_held(count, 0);
    expect(count->a, "queue.clear", "['one']", "1");
}

static void deleted_under_a_call_that_waits(void **state)
{
    struct count *count = *state;
    expect(count->a, "queue.open", "['gone', {maxsize: 1}]", "_map");
    expect_result(count->a, SEND(count, count->a, "queue.put", "['gone', " FD "]", 1), "nil");
    uint32_t put = SEND(count, count->a, "queue.put", "['gone', [" FD ", ext(2, '\\x01')]]", 2);
    expect_waiting(count->a, put);
    expect_held(count, 3);
    expect(count->a, "object.delete", "['gone']", "nil");
    expect_failure(count->a, put, "DELETED");
    expect_held(count, 0);
}

/* Killed before the item comes; and when it is in its socket already. */
static void getter_that_is_killed(void **state)
{
    struct count *count = *state;
    pid_t early = daemon_client_process(count->daemon, "queue.get", "['q']");
    process_kill(early);
    expect_result(count->a, SEND(count, count->a, "queue.put", "['q', " FD "]", 1), "nil");
    expect(count->a, "queue.get", "['q', 20000]", "[_ext, nil, _int]");
    pid_t late = daemon_client_process(count->daemon, "queue.get", "['q']");
    expect_result(count->a, SEND(count, count->a, "queue.put", "['q', " FD "]", 1), "nil");
    expect_soon(count->a, "queue.qsize", "['q']", "0");
    expect_held(count, 1); /* its session's; the item is on its way */
    process_kill(late);
    expect_held(count, 0);
    expect(count->a, "queue.clear", "['q']", "_int");
}

/* A process that puts an item, then sends a part of a second one, and is killed. */
static void sender_that_is_killed(void **state)
{
    struct count *count = *state;
    struct rpc *c = daemon_client(count->daemon);
    expect_held(count, 1); /* the session's */
    expect_result(c, SEND(count, c, "queue.put", "['q', " FD "]", 1), "nil");
    msgpack_sbuffer out;
    msgpack_sbuffer_init(&out);
    (void)rpc_pack(c, &out, "queue.put", "['q', [" FD ", 'cut']]");
    out.size -= 2;
    pid_t sender = fork();
    if (sender == 0) {
        write_with(count, c, &out, 16);
        (void)pause();
        _exit(1);
    }
    msgpack_sbuffer_destroy(&out);
    expect_held(count, 1 + 1 + 16);
    (void)close(c->fd); /* now it is only the process that has it */
    c->fd = -1;
    process_kill(sender);
    expect_held(count, 1);
    daemon_drop(count->daemon, c);
    expect(count->a, "queue.get", "['q']", "[_ext, nil, 1]");
    expect_held(count, 0);
}

/* What waits in the daemon behind answers that nobody reads. */
static void session_that_ends_with_unread_answers(void **state)
{
    struct count *count = *state;
    struct rpc *clogged = daemon_client(count->daemon);
    (void)rpc_start(clogged, "queue.get_many", "['q', 5]");
    (void)rpc_start(clogged, "queue.get", "['j']");
    (void)rpc_start(clogged, "dict.wait", "['d', 1]");
    (void)rpc_send(clogged, "list.slice", "['large']");
    /* The daemon takes sessions that are ready in any order, but none twice before all others. */
    expect(count->a, "server.ping", "[]", "nil");
    expect(count->a, "server.ping", "[]", "nil");
    expect_result(count->a, SEND(count, count->a, "queue.put", "['q', " FD "]", 1), "nil");
    expect_result(count->a, SEND(count, count->a, "queue.put", "['j', " FD "]", 1), "nil");
    expect(count->a, "queue.qsize", "['q']", "0");
    expect_result(count->a, SEND(count, count->a, "dict.set", "['d', 1, " FD "]", 1), "true");
    expect(count->a, "dict.clear", "['d']", "nil"); /* but the answer has it */
    expect_held(count, 1 + 3);
    daemon_drop(count->daemon, clogged);
    expect_held(count, 2); /* one item came back, the other was its last delivery */
    expect(count->a, "queue.clear", "['q']", "1");
    expect(count->a, "queue.clear", "['dead']", "1");
    expect_held(count, 0);
}

/* Another session takes the item and ends; a further delivery would be one too many. */
static void item_that_was_delivered_too_often(void **state)
{
    static const char *const queues[][2] = {{"j", "1"}, {"k", "0"}};
    struct count *count = *state;
    for (size_t i = 0; i < 2; i++) {
        const char *name = queues[i][0];
        expect_result(
            count->a,
            SEND(count, count->a, "queue.put", rpc_text(count->a, "['%s', " FD "]", name), 1),
            "nil");
        struct rpc *taker = daemon_client(count->daemon);
        expect(taker, "queue.get", rpc_text(taker, "['%s']", name), "[_ext, _int, 1]");
        daemon_drop(count->daemon, taker);
        expect_error(count->a, "queue.get", rpc_text(count->a, "['%s', 0]", name), "EMPTY");
        expect_soon(count->a, "queue.qsize", "['dead']", queues[i][1]);
        expect_held(count, i == 0 ? 1 : 0); /* the dead letter's */
        expect(count->a, "queue.clear", "['dead']", queues[i][1]);
        expect_held(count, 0);
    }
}

/* A fault in the stream: the connection goes, with what came before and after it. */
static void fault_in_the_stream(void **state)
{
    static const char *const faults[] = {"[0, 5, 'server.ping', [" FD ", b'x'*200000]]",
                                         "[0, 5, 'server.ping', [" FD ", <c1>]]", "{fd: " FD "}"};
    struct count *count = *state;
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        struct rpc *c = daemon_client(count->daemon);
        msgpack_sbuffer out;
        msgpack_sbuffer_init(&out);
        (void)notation_pack(faults[i], &out);
        assert_true(out.size > 0);
        write_with(count, c, &out, 16);
        expect_goodbye(c, i == 0 ? "TOO_LARGE" : "BAD_REQUEST");
        msgpack_sbuffer_destroy(&out);
        daemon_drop(count->daemon, c);
        expect_held(count, 0);
    }
}

/* The last of all: the daemon's own count has lost none and kept none. */
static void limit_is_where_it_was(void **state)
{
    struct count *count = *state;
    for (unsigned i = 0; i < MOST; i++) {
        expect_result(count->a, SEND(count, count->a, "list.append", "['l', " FD "]", 1), "_int");
    }
    expect_failure(count->a, SEND(count, count->a, "list.append", "['l', " FD "]", 1), "LIMIT");
    expect_failure(count->a, SEND(count, count->a, "server.ping", "[" FD "]", 3), "LIMIT");
    expect_held(count, MOST);
    expect(count->a, "list.clear", "['l']", "nil");
    /* One fits less: what a refused call took of them is given back. */
    expect_result(count->a, SEND(count, count->a, "list.append", "['l', " FD "]", 1), "1");
    for (int i = 0; i < MOST - 16; i++) {
        expect_result(count->a, SEND(count, count->a, "list.append", "['l', " FD "]", 1), "_int");
    }
    static const char all[] = "['l', [ext(2, '\\x00'), ext(2, '\\x01'), ext(2, '\\x02'), "
                              "ext(2, '\\x03'), ext(2, '\\x04'), ext(2, '\\x05'), ext(2, '\\x06'), "
                              "ext(2, '\\x07'), ext(2, '\\x08'), ext(2, '\\x09'), ext(2, '\\x0a'), "
                              "ext(2, '\\x0b'), ext(2, '\\x0c'), ext(2, '\\x0d'), ext(2, '\\x0e'), "
                              "ext(2, '\\x0f')]]";
    expect_failure(count->a, SEND(count, count->a, "list.append", all, 16), "LIMIT");
    expect_held(count, MOST - 15);
    expect(count->a, "list.pop", "['l']", "_ext");
    expect_result(count->a, SEND(count, count->a, "list.append", all, 16), "_int");
    expect_held(count, MOST);
    expect(count->a, "list.clear", "['l']", "nil");
    expect_held(count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(items_of_queues),
        cmocka_unit_test(values_of_dicts),
        cmocka_unit_test(elements_of_lists),
        cmocka_unit_test(calls_of_several_objects),
        cmocka_unit_test(contents_of_scoped_objects),
        cmocka_unit_test(calls_that_are_refused),
        cmocka_unit_test(descriptors_that_no_index_names),
        cmocka_unit_test(notifications),
        cmocka_unit_test(descriptors_in_the_middle_of_a_message),
        cmocka_unit_test(calls_that_wait_and_are_cancelled),
        cmocka_unit_test(deleted_under_a_call_that_waits),
        cmocka_unit_test(getter_that_is_killed),
        cmocka_unit_test(sender_that_is_killed),
        cmocka_unit_test(session_that_ends_with_unread_answers),
        cmocka_unit_test(item_that_was_delivered_too_often),
        cmocka_unit_test(fault_in_the_stream),
        cmocka_unit_test(limit_is_where_it_was),
    };
    return cmocka_run_group_tests_name("descriptor_count", tests, count_setup, count_teardown);
}
