/*
 * Many processes at once on one joinable queue, some of them killed in the middle of their work: no
 * item is lost, and join returns when all are done.
 */
#include "tests/support/daemon.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PRODUCERS = 3, CONSUMERS = 4, VICTIMS = 3, ITEMS = 300 };

/* A child with a connection of its own and none of its parent's. */
static struct rpc *connect_in_child(const struct daemon *daemon)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (syscall(SYS_close_range, 3U, ~0U, 0U) != 0) {
        _exit(1);
    }
    struct rpc *rpc = rpc_open(daemon->socket);
    if (rpc == NULL) {
        _exit(1);
    }
    return rpc;
}

static bool succeeded(struct reply *reply)
{
    bool good = reply != NULL && reply->error.type == MSGPACK_OBJECT_NIL;
    reply_free(reply);
    return good;
}

static _Noreturn void produce(const struct daemon *daemon, int number)
{
    struct rpc *rpc = connect_in_child(daemon);
    for (int i = 0; i < ITEMS; i++) {
        if (!succeeded(
                rpc_call(rpc, "queue.put", rpc_text(rpc, "['work', %d]", number * ITEMS + i)))) {
            _exit(2);
        }
    }
    rpc_close(rpc);
    _exit(0);
}

/* Gets items, enters each in the dict of what was done, and counts it as done, until the queue is
 * shut down. */
static _Noreturn void consume(const struct daemon *daemon)
{
    struct rpc *rpc = connect_in_child(daemon);
    for (;;) {
        struct reply *reply = rpc_call(rpc, "queue.get", "['work']");
        if (reply->error.type != MSGPACK_OBJECT_NIL) {
            _exit(0);
        }
        const msgpack_object *result = reply->result.via.array.ptr;
        unsigned long long item = result[0].via.u64;
        unsigned long long ticket = result[1].via.u64;
        reply_free(reply);
        if (!succeeded(rpc_call(rpc, "dict.set", rpc_text(rpc, "['done', %llu, true]", item))) ||
            !succeeded(rpc_call(rpc, "queue.task_done", rpc_text(rpc, "['work', %llu]", ticket)))) {
            _exit(2);
        }
    }
}

static pid_t start_process(const struct daemon *daemon, int producer)
{
    pid_t pid = fork();
    assert_return_code(pid, errno);
    if (pid == 0 && producer >= 0) {
        produce(daemon, producer);
    }
    if (pid == 0) {
        consume(daemon);
    }
    return pid;
}

static void wait_for(pid_t pid)
{
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static void killed_consumers_lose_no_item(void **state)
{
    struct daemon *daemon = *state;
    struct rpc *c = daemon_client(daemon);
    pid_t producers[PRODUCERS];
    pid_t consumers[CONSUMERS];
    pid_t victims[VICTIMS];
    expect(c, "queue.open", "['work', {joinable: true, maxsize: 50}]", "_map");
    expect(c, "dict.open", "['done']", "_map");
    for (int i = 0; i < VICTIMS; i++) {
        victims[i] = start_process(daemon, -1);
    }
    for (int i = 0; i < PRODUCERS; i++) {
        producers[i] = start_process(daemon, i);
    }
    for (int i = 0; i < VICTIMS; i++) {
        expect(c, "dict.wait", rpc_text(c, "['done', %d, 20000]", (i + 1) * 60), "true");
        process_kill(victims[i]);
        if (i == 0) {
            for (int j = 0; j < CONSUMERS; j++) {
                consumers[j] = start_process(daemon, -1);
            }
        }
    }
    for (int i = 0; i < PRODUCERS; i++) {
        wait_for(producers[i]);
    }
    expect(c, "queue.join", "['work', 25000]", "nil");
    expect(c, "dict.len", "['done']", rpc_text(c, "%d", PRODUCERS * ITEMS));
    expect(c, "object.describe", "['work']", "{size: 0, taken: 0, unfinished: 0, ...}");
    expect(c, "queue.shutdown", "['work']", "nil");
    for (int i = 0; i < CONSUMERS; i++) {
        wait_for(consumers[i]);
    }
    expect_soon(c, "session.list", "[]", "[_map]");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        daemon_test(killed_consumers_lose_no_item),
    };
    return cmocka_run_group_tests_name("crowd", tests, NULL, NULL);
}
