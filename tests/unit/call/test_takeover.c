/*
 * takeover: what is under way when one daemon takes the place of another: answers of which a part
 * has been sent, items that may have to come back, descriptors that wait, sealed objects. (That all
 * else is as it was, the tests of whole calls show, which are run with takeovers too.)
 */
#include "tests/support/stage.h"

#include <unistd.h>

#include "daemon/call/parked.h"
#include "daemon/objects/pipe.h"
#include "daemon/objects/queue.h"

static unsigned faults;

static void tell(void *data, const struct object *object, const char *what)
{
    faults++;
}

static int set_up(void **state)
{
    struct stage *stage = stage_new();
    stage->service.registry.listener = (struct fault_listener){tell, NULL};
    *state = stage;
    return 0;
}

static int tear_down(void **state)
{
    stage_free(*state);
    return 0;
}

/* The kernel has taken so many bytes of what the actor was answered. */
static void leave(struct actor *actor, uint64_t bytes)
{
    output_sent(session_next_output(&actor->session), bytes);
    (void)session_sent(&actor->session, bytes);
}

static struct object *find(struct stage *stage, const char *name)
{
    struct object *object = registry_find(&stage->service.registry, slice_of_string(name));
    assert_non_null(object);
    return object;
}

static void answer_goes_on_where_it_stopped(void **state)
{
    struct stage *stage = *state;
    struct actor *a = actor_new(stage, 0);
    check(a, "dict.open", "['d']", "_map");
    check(a, "dict.set", "['d', 'k', 'x'*10000]", "true");
    uint32_t first = actor_send(a, "dict.get", "['d', 'k']");
    uint32_t second = actor_send(a, "server.ping", "[5]");
    uint64_t size = session_unsent(&a->session);
    struct buffer begin = {0};
    (void)buffer_append(&begin, a->session.output.bytes.data, 4);
    leave(a, 4); /* the message's head, and no more */
    stage_take_over(stage);
    assert_int_equal(session_unsent(&a->session), size - 4);
    /* What was sent is put in front again, so that the whole can be read. */
    struct output *output = session_next_output(&a->session);
    struct buffer whole = {0};
    (void)buffer_append(&whole, begin.data, begin.len);
    (void)buffer_append(&whole, output->bytes.data, output->bytes.len);
    buffer_deinit(&output->bytes);
    output->bytes = whole;
    check_answer(a, first, "'x'*10000");
    check_answer(a, second, "5");
    buffer_deinit(&begin);
    actor_leave(a);
}

static void item_that_has_not_left_comes_back(void **state)
{
    struct stage *stage = *state;
    struct actor *a = actor_new(stage, 0);
    struct actor *b = actor_new(stage, 0);
    check(b, "queue.open", "['q', {order: 'priority'}]", "_map");
    check(b, "queue.put", "['q', 'first', nil, {priority: -1.5}]", "nil");
    check(b, "queue.put", "['q', 'y'*5000, nil, {priority: 18446744073709551615}]", "nil");
    check(b, "queue.put", "['q', 'third', nil, {priority: 18446744073709551615}]", "nil");
    (void)actor_send(a, "queue.get", "['q']");
    uint64_t size = session_unsent(&a->session);
    (void)actor_send(a, "queue.get", "['q']");
    check(b, "queue.qsize", "['q']", "1");
    leave(a, size); /* the first has left, the second not to its end */
    leave(a, 3000);
    stage_take_over(stage);
    stage_take_over(stage);
    actor_vanish(a);
    check(b, "queue.peek", "['q', 0, 9]", "['y'*5000, 'third']");
    check(b, "queue.get", "['q']", "['y'*5000, nil, 1]");
    check(b, "queue.get", "['q']", "['third', nil, 1]");
    actor_leave(b);
}

static void answers_that_stay_apart_keep_their_order(void **state)
{
    struct stage *stage = *state;
    struct actor *a = actor_new(stage, 0);
    uint32_t pings[200];
    check(a, "list.open", "['l']", "_map");
    check(a, "list.append", "['l', 'x'*5000]", "1");
    actor_forget(a);
    for (int i = 0; i < 200; i++) {
        char params[16];
        (void)snprintf(params, sizeof(params), "[%d]", i);
        (void)actor_send(a, "list.get", "['l', 0]");
        (void)actor_send(a, "list.get", "['l', 0]");
        pings[i] = actor_send(a, "server.ping", params);
        leave(a, 0); /* what is large is set apart */
    }
    assert_non_null(a->session.earlier);
    stage_take_over(stage);
    for (int i = 0; i < 200; i++) {
        char result[16];
        (void)snprintf(result, sizeof(result), "%d", i);
        check_answer(a, pings[i], result);
    }
    actor_leave(a);
}

/* Of a call that waits with a descriptor, and of a value that has one. */
static void descriptors_stay_open_and_are_counted(void **state)
{
    struct stage *stage = *state;
    struct actor *a = actor_new(stage, 7);
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    check(a, "queue.open", "['q', {maxsize: 1}]", "_map");
    for (int i = 0; i < 2; i++) { /* the second has to wait */
        struct buffer request;
        struct message message;
        int fd = dup(ends[1]);
        struct passed passed = {.count = 1, .fds = &fd};
        actor_pack(&request, "queue.put", "['q', ext(2, '\\0')]");
        assert_int_equal(
            message_decode(request.data, request.len, MESSAGE_DEPTH, MESSAGE_SIZE, &message), 0);
        service_run(&stage->service, &a->session, &message, &passed, stage->now);
        buffer_deinit(&request);
        assert_int_equal(fd, -1);
        actor_read(a);
        actor_forget(a);
    }
    assert_int_equal(stage->service.accounts.descriptors, 2);
    stage_take_over(stage);
    assert_int_equal(stage->service.accounts.descriptors, 2);
    assert_int_equal(a->session.user->descriptors, 2);
    (void)close(ends[1]);
    for (int i = 0; i < 2; i++) {
        (void)actor_send(a, "queue.get", "['q']");
        const struct passing *passing = &a->session.output.passing[0];
        assert_int_equal(passing->count, 1);
        assert_int_equal(write(passing->descriptors[0]->fd, "!", 1), 1);
        stage_take_over(stage); /* and an answer that passes one on */
        assert_int_equal(a->session.output.npassing, 1);
        assert_int_equal(write(a->session.output.passing[0].descriptors[0]->fd, "!", 1), 1);
        actor_read(a);
    }
    char bytes[8];
    assert_int_equal(read(ends[0], bytes, sizeof(bytes)), 4);
    assert_int_equal(stage->service.accounts.descriptors, 0);
    assert_int_equal(read(ends[0], bytes, sizeof(bytes)), 0);
    (void)close(ends[0]);
    actor_leave(a);
}

/* An end of a pipe that is on its way can still come back: it is the pipe's own. */
static void end_of_a_pipe_that_is_on_its_way_is_the_same(void **state)
{
    struct stage *stage = *state;
    struct actor *a = actor_new(stage, 0);
    struct actor *b = actor_new(stage, 0);
    check(b, "pipe.open", "['p']", "_map");
    (void)actor_send(a, "pipe.connect", "['p', 0]");
    stage_take_over(stage);
    const struct pipe *pipe = pipe_of(find(stage, "p"));
    assert_ptr_equal(a->session.output.passing[0].descriptors[0], pipe->ends[0]);
    check_error(b, "pipe.connect", "['p', 0]", "EXISTS");
    actor_vanish(a);
    check(b, "pipe.connect", "['p', 0]", "[ext(2, '\\0'), 0]");
    actor_leave(b);
}

static void object_that_is_sealed_stays_so(void **state)
{
    struct stage *stage = *state;
    struct actor *a = actor_new(stage, 0);
    check(a, "queue.open", "['q', {maxsize: 9}]", "_map");
    check(a, "queue.put", "['q', 1]", "nil");
    object_seal(find(stage, "q"), "a test says so");
    service_drain(&stage->service);
    stage_take_over(stage);
    check_error(a, "queue.get", "['q', 0]", "INTERNAL");
    check(a, "object.describe", "['q']", "{sealed: true, maxsize: 9, ...}");
    check(a, "server.stats", "[]", "{faults: 1, takeovers: _int, ...}");
    check(a, "object.delete", "['q']", "nil");
    check(a, "queue.open", "['q']", "{maxsize: 0, ...}");
    actor_leave(a);
}

/* A scoped object that nothing but an answer keeps goes, when that is nothing but bytes. */
static void object_that_nobody_keeps_goes(void **state)
{
    struct stage *stage = *state;
    struct actor *a = actor_new(stage, 0);
    check(a, "list.open", "['kept', {lifetime: 'scoped'}]", "_map");
    check(a, "dict.open", "['d']", "_map");
    check(a, "dict.set", "['d', 'k', [ext(1, 'kept'), 'x'*5000]]", "true");
    check(a, "object.close", "['kept']", "nil");
    stage_take_over(stage);
    check(a, "object.describe", "['kept']", "_map"); /* the value keeps it */
    struct actor *b = actor_new(stage, 0);
    (void)actor_send(a, "dict.get", "['d', 'k']");
    check(b, "dict.clear", "['d']", "nil");
    assert_true(session_close(&a->session, find(stage, "kept")));
    check(b, "object.describe", "['kept']", "_map"); /* the answer keeps it */
    stage_take_over(stage);
    check_error(b, "object.describe", "['kept']", "NOT_FOUND");
    actor_leave(a);
    actor_leave(b);
}

static void number_of_an_object_is_not_used_again(void **state)
{
    struct stage *stage = *state;
    struct actor *a = actor_new(stage, 0);
    check(a, "event.open", "[nil]", "{name: '#1', ...}");
    check(a, "object.delete", "['#1']", "nil");
    uint64_t next = stage->service.registry.objects.next_seq;
    stage_take_over(stage);
    assert_int_equal(stage->service.registry.objects.next_seq, next);
    check(a, "event.open", "[nil]", "{name: '#2', ...}");
    actor_leave(a);
}

/* Times that never come stay so, and those that are past are. */
static void extreme_times_are_kept(void **state)
{
    struct stage *stage = *state;
    struct actor *a = actor_new(stage, 0);
    check(a, "queue.open", "['q', {joinable: true, lease_ms: 9223372036854775807}]", "_map");
    check(a, "queue.put", "['q', 1, nil, {delay_ms: 9223372036854775807}]", "nil");
    check(a, "queue.put", "['q', 2]", "nil");
    check(a, "queue.get", "['q']", "[2, 1, 1]");
    uint32_t wait = actor_send(a, "queue.get", "['q', 9223372036854775807]");
    stage_take_over(stage);
    stage_advance(stage, 1000000);
    check(a, "object.describe", "['q']", "{delayed: 1, taken: 1, waiting: 1, ...}");
    check_waits(a, wait);
    check(a, "queue.task_done", "['q', 1]", "1");
    actor_leave(a);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(answer_goes_on_where_it_stopped),
        TEST(item_that_has_not_left_comes_back),
        TEST(answers_that_stay_apart_keep_their_order),
        TEST(descriptors_stay_open_and_are_counted),
        TEST(end_of_a_pipe_that_is_on_its_way_is_the_same),
        TEST(object_that_is_sealed_stays_so),
        TEST(object_that_nobody_keeps_goes),
        TEST(number_of_an_object_is_not_used_again),
        TEST(extreme_times_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
