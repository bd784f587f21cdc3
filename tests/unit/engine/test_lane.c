/* Lanes: what is sent together, what comes again, what is told when it does not go. */
#include "tests/support/unit.h"
#include "tests/unit/engine/cluster_double.h"

#include <stdlib.h>

#include "daemon/engine/fcall.h"
#include "daemon/engine/lanes.h"
#include "daemon/engine/tag.h"

enum { NS_PER_MS = 1000000, HEAD = 6 };

struct bench {
    struct event_base *base;
    struct cluster cluster;
    struct lanes lanes;
    uint64_t now;
    unsigned fenced;
};

/* An op, and what became of it. */
struct probe {
    struct op op;
    unsigned ended;
    enum op_fate fate;
    char reply[64];
};

static uint64_t clock_of(void *data)
{
    return ((struct bench *)data)->now;
}

static void on_fenced(void *data)
{
    ((struct bench *)data)->fenced++;
}

static void on_settle(void *data)
{
    (void)data;
}

static int set_up(void **state)
{
    struct bench *bench = calloc(1, sizeof(*bench));
    assert_non_null(bench);
    bench->base = event_base_new();
    bench->now = 1000 * (uint64_t)NS_PER_MS;
    const struct lanes_options options = {.realm = "r",
                                          .host = "h",
                                          .function = "f",
                                          .freeing = "f_frees",
                                          .clock = {clock_of, bench},
                                          .timeout_ms = 1000};
    const struct lanes_listener listener = {
        .fenced = on_fenced, .settle = on_settle, .data = bench};
    assert_int_equal(lanes_init(&bench->lanes, bench->base, &bench->cluster, &options, &listener),
                     0);
    lanes_set_tenure(&bench->lanes, &(struct tenure){7, 5000, TIME_LATEST});
    *state = bench;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *bench = *state;
    lanes_fail(&bench->lanes, "the test is over");
    lanes_deinit(&bench->lanes);
    event_base_free(bench->base);
    free(bench);
    return 0;
}

static void on_done(struct op *op, const struct outcome *outcome)
{
    struct probe *probe = (struct probe *)op;
    probe->ended++;
    probe->fate = outcome->fate;
    if (outcome->fate == OP_DONE && outcome->count > 0) {
        (void)snprintf(probe->reply, sizeof(probe->reply), "%.*s", (int)outcome->replies[0].len,
                       (const char *)outcome->replies[0].data);
    }
}

static void submit(struct bench *bench, struct probe *probe, const char *name, const char *argument)
{
    *probe = (struct probe){.ended = 0};
    op_init(&probe->op, "x.y", slice_of_string(name));
    argument_text(&probe->op.first.arguments, argument);
    probe->op.done = on_done;
    probe->op.deadline = bench->now + 1000 * (uint64_t)NS_PER_MS;
    lane_submit(lanes_of_name(&bench->lanes, slice_of_string(name)), &probe->op);
}

static void run(struct bench *bench)
{
    (void)event_base_loop(bench->base, EVLOOP_NONBLOCK);
}

static void ops_of_one_turn_are_one_batch(void **state)
{
    struct bench *bench = *state;
    struct probe probes[3];
    submit(bench, &probes[0], "a", "1");
    submit(bench, &probes[1], "a", "2");
    submit(bench, &probes[2], "b", "3"); /* of another tag */
    assert_int_equal(bench->cluster.sent, 0);
    run(bench);
    assert_int_equal(bench->cluster.count, 2);
    const struct fake_request *first = &bench->cluster.requests[0];
    assert_int_equal(first->argc, HEAD + 2 + 2);
    assert_string_equal(first->argv[0], "FCALL");
    assert_string_equal(first->argv[3], "ipcd:r:{a}");
    assert_string_equal(first->argv[HEAD], "x.y 1 1 a");
    assert_string_equal(first->argv[HEAD + 2], "1");
    assert_string_equal(first->argv[HEAD + 3], "2");
    fake_run(&bench->cluster, (const char *[]){"1 0 ", "=one", "=two", NULL});
    fake_reply(&bench->cluster, (const char *[]){"1 0 ", "!NOT_FOUND ", NULL});
    assert_string_equal(probes[0].reply, "=one");
    assert_string_equal(probes[1].reply, "=two");
    assert_string_equal(probes[2].reply, "!NOT_FOUND ");
    for (int i = 0; i < 3; i++) {
        op_deinit(&probes[i].op);
    }
}

static void behind_a_long_reply_few_are_sent_at_a_time(void **state)
{
    enum { LONG = 3 * 1024 * 1024 };
    struct bench *bench = *state;
    struct probe probes[3];
    char *reply = calloc(1, LONG + 1);
    assert_non_null(reply);
    memset(reply, 'x', LONG);
    reply[0] = '=';
    submit(bench, &probes[0], "a", "1");
    run(bench);
    submit(bench, &probes[1], "a", "2");
    submit(bench, &probes[2], "a", "3");
    fake_reply(&bench->cluster, (const char *[]){"1 0 ", reply, NULL});
    run(bench);
    assert_int_equal(bench->cluster.sent, 2);
    assert_int_equal(bench->cluster.requests[0].argc, HEAD + 2 + 1); /* and not both */
    fake_reply(&bench->cluster, (const char *[]){"1 0 ", "=2", NULL});
    run(bench);
    fake_reply(&bench->cluster, (const char *[]){"1 0 ", "=3", NULL});
    for (int i = 0; i < 3; i++) {
        assert_int_equal(probes[i].ended, 1);
        op_deinit(&probes[i].op);
    }
    free(reply);
}

static void one_batch_is_under_way_at_a_time(void **state)
{
    struct bench *bench = *state;
    struct probe probes[3];
    submit(bench, &probes[0], "a", "1");
    run(bench);
    submit(bench, &probes[1], "a", "2");
    submit(bench, &probes[2], "a", "3");
    run(bench);
    assert_int_equal(bench->cluster.sent, 1);
    fake_reply(&bench->cluster, (const char *[]){"1 0 ", "=1", NULL});
    run(bench);
    assert_int_equal(bench->cluster.sent, 2);
    assert_int_equal(bench->cluster.requests[0].argc, HEAD + 2 + 2);
    fake_run(&bench->cluster, (const char *[]){"1 0 ", "=2", "=3", NULL});
    for (int i = 0; i < 3; i++) {
        assert_int_equal(probes[i].ended, 1);
        op_deinit(&probes[i].op);
    }
}

/* An op that notes how many batches had been sent when it ended. */
struct witness {
    struct probe probe;
    const struct cluster *cluster;
    size_t sent;
};

static void on_witnessed(struct op *op, const struct outcome *outcome)
{
    struct witness *witness = (struct witness *)op;
    witness->sent = witness->cluster->sent;
    on_done(op, outcome);
}

static void the_next_batch_is_sent_before_the_replies_of_the_last_are_dealt_out(void **state)
{
    struct bench *bench = *state;
    struct witness witness = {.cluster = &bench->cluster};
    struct probe behind;
    submit(bench, &witness.probe, "a", "1");
    witness.probe.op.done = on_witnessed;
    run(bench);
    submit(bench, &behind, "a", "2");
    fake_reply(&bench->cluster, (const char *[]){"1 0 ", "=1", NULL});
    assert_int_equal(witness.sent, 2);
    assert_string_equal(witness.probe.reply, "=1");
    assert_int_equal(behind.ended, 0);
    fake_reply(&bench->cluster, (const char *[]){"1 0 ", "=2", NULL});
    assert_string_equal(behind.reply, "=2");
    run(bench);
    assert_int_equal(bench->cluster.sent, 2);
    op_deinit(&witness.probe.op);
    op_deinit(&behind.op);
}

/* The seq in the head: its last byte, as it is small here. */
static unsigned seq_of(const struct bench *bench)
{
    const uint8_t *head = (const uint8_t *)bench->cluster.requests[0].argv[5];
    assert_int_equal(head[6], 0);
    assert_string_equal((const char *)head + 32, "-h/7");
    return head[7];
}

static void a_batch_whose_connection_is_lost_comes_again_as_it_was(void **state)
{
    struct bench *bench = *state;
    struct probe probes[2];
    submit(bench, &probes[0], "a", "1");
    run(bench);
    unsigned seq = seq_of(bench);
    submit(bench, &probes[1], "a", "2");
    fake_fate(&bench->cluster, REQUEST_UNKNOWN, "it broke");
    assert_int_equal(probes[0].ended, 0);
    assert_int_equal(bench->cluster.count, 1);
    assert_int_equal(seq_of(bench), seq);
    assert_int_equal(bench->cluster.requests[0].argc, HEAD + 2 + 1);
    fake_reply(&bench->cluster, (const char *[]){"1 0 ", "=1", NULL});
    run(bench);
    assert_int_equal(seq_of(bench), seq + 1);
    fake_reply(&bench->cluster, (const char *[]){"1 0 ", "=2", NULL});
    op_deinit(&probes[0].op);
    op_deinit(&probes[1].op);
}

static void what_has_no_time_left_is_unknown_if_it_may_have_been_run(void **state)
{
    struct bench *bench = *state;
    struct probe probe;
    submit(bench, &probe, "a", "1");
    run(bench);
    bench->now += 1001 * (uint64_t)NS_PER_MS;
    fake_fate(&bench->cluster, REQUEST_UNKNOWN, "it broke");
    assert_int_equal(probe.ended, 1);
    assert_int_equal(probe.fate, OP_UNKNOWN);
    op_deinit(&probe.op);
}

static void what_was_unknown_once_stays_so_though_it_was_not_sent_again(void **state)
{
    struct bench *bench = *state;
    struct probe probe;
    submit(bench, &probe, "a", "1");
    run(bench);
    fake_fate(&bench->cluster, REQUEST_UNKNOWN, "it broke");
    bench->now += 1001 * (uint64_t)NS_PER_MS;
    fake_fate(&bench->cluster, REQUEST_NOT_DONE, "it is away");
    assert_int_equal(probe.fate, OP_UNKNOWN);
    op_deinit(&probe.op);
}

static void what_was_not_sent_in_time_is_not_done_and_the_younger_goes_on(void **state)
{
    struct bench *bench = *state;
    struct probe probes[2];
    submit(bench, &probes[0], "a", "1");
    bench->now += 600 * (uint64_t)NS_PER_MS;
    submit(bench, &probes[1], "a", "2");
    run(bench);
    assert_int_equal(bench->cluster.requests[0].deadline_ms, 400);
    bench->now += 400 * (uint64_t)NS_PER_MS;
    fake_fate(&bench->cluster, REQUEST_NOT_DONE, "it is away");
    assert_int_equal(probes[0].ended, 1);
    assert_int_equal(probes[0].fate, OP_NOT_DONE);
    assert_int_equal(probes[1].ended, 0);
    run(bench);
    assert_int_equal(bench->cluster.requests[0].argc, HEAD + 2 + 1);
    fake_reply(&bench->cluster, (const char *[]){"1 0 ", "=2", NULL});
    assert_string_equal(probes[1].reply, "=2");
    op_deinit(&probes[0].op);
    op_deinit(&probes[1].op);
}

static void ops_behind_a_batch_that_does_not_end_expire(void **state)
{
    struct bench *bench = *state;
    struct probe probes[2];
    submit(bench, &probes[0], "a", "1");
    run(bench);
    submit(bench, &probes[1], "a", "2");
    bench->now += 1000 * (uint64_t)NS_PER_MS;
    lanes_tick(&bench->lanes, bench->now);
    assert_int_equal(probes[0].ended, 0);
    assert_int_equal(probes[1].ended, 1);
    assert_int_equal(probes[1].fate, OP_NOT_DONE);
    fake_reply(&bench->cluster, (const char *[]){"1 0 ", "=1", NULL});
    op_deinit(&probes[0].op);
    op_deinit(&probes[1].op);
}

static void nothing_is_sent_without_a_tenure(void **state)
{
    struct bench *bench = *state;
    struct probe probe;
    lanes_set_tenure(&bench->lanes, &(struct tenure){7, 5000, bench->now});
    submit(bench, &probe, "a", "1");
    run(bench);
    assert_int_equal(bench->cluster.sent, 0);
    lanes_set_tenure(&bench->lanes, &(struct tenure){7, 6000, TIME_LATEST});
    run(bench);
    assert_int_equal(bench->cluster.sent, 1);
    fake_reply(&bench->cluster, (const char *[]){"1 0 ", "=1", NULL});
    op_deinit(&probe.op);
}

static void a_batch_that_is_fenced_comes_again_if_the_lease_was_renewed(void **state)
{
    struct bench *bench = *state;
    struct probe probe;
    submit(bench, &probe, "a", "1");
    run(bench);
    lanes_set_tenure(&bench->lanes, &(struct tenure){7, 6000, TIME_LATEST});
    fake_error(&bench->cluster, "FENCED the lease ran out");
    assert_int_equal(probe.ended, 0);
    assert_int_equal(bench->cluster.count, 1);
    fake_error(&bench->cluster, "FENCED the lease ran out");
    assert_int_equal(probe.fate, OP_NOT_DONE);
    assert_int_equal(bench->fenced, 1);
    op_deinit(&probe.op);
}

static void an_error_of_the_function_may_have_been_half_done(void **state)
{
    struct bench *bench = *state;
    struct probe probes[2];
    submit(bench, &probes[0], "a", "1");
    submit(bench, &probes[1], "b", "1");
    run(bench);
    fake_error(&bench->cluster, "ERR user_function:1: boom script: f, on @user_function:1.");
    fake_error(&bench->cluster, "OOM command not allowed when used memory > 'maxmemory'.");
    assert_int_equal(probes[0].fate, OP_UNKNOWN);
    assert_int_equal(probes[1].fate, OP_NOT_DONE);
    op_deinit(&probes[0].op);
    op_deinit(&probes[1].op);
}

static void submit_verb(struct bench *bench, struct probe *probe, const char *verb, bool is_own)
{
    submit(bench, probe, "a", "1");
    probe->op.first.verb = verb;
    if (is_own) {
        probe->op.deadline = TIME_NEVER;
    }
}

/* A run of one call with one argument; all of them are on "a". */
static void check_verb(const struct bench *bench, unsigned run, const char *verb)
{
    char what[64];
    (void)snprintf(what, sizeof(what), "%s 1 1 a", verb);
    assert_string_equal(bench->cluster.requests[0].argv[HEAD + 3 * run], what);
}

static void what_frees_memory_is_done_where_there_is_none(void **state)
{
    static const char full[] = "node:1: OOM command not allowed when used memory > 'maxmemory'.";
    struct bench *bench = *state;
    struct probe info;
    struct probe put;
    struct probe get;
    struct probe end;
    submit_verb(bench, &info, "session.info", true);
    submit_verb(bench, &put, "queue.put", false);
    submit_verb(bench, &get, "queue.get", false);
    submit_verb(bench, &end, "session.end", true);
    run(bench);
    assert_string_equal(bench->cluster.requests[0].argv[1], "f");
    fake_fate(&bench->cluster, REQUEST_NOT_DONE, full);
    assert_int_equal(put.fate, OP_NOT_DONE);
    run(bench);
    assert_string_equal(bench->cluster.requests[0].argv[1], "f_frees");
    assert_int_equal(bench->cluster.requests[0].argc, HEAD + 2 * (2 + 1));
    check_verb(bench, 0, "queue.get");
    check_verb(bench, 1, "session.end");
    fake_reply(&bench->cluster, (const char *[]){"1 0 ", "=1", "=", NULL});
    assert_true(get.fate == OP_DONE && end.fate == OP_DONE);
    run(bench);
    assert_string_equal(bench->cluster.requests[0].argv[1], "f");
    check_verb(bench, 0, "session.info");
    fake_fate(&bench->cluster, REQUEST_NOT_DONE, full);
    run(bench);
    assert_int_equal(bench->cluster.count, 0); /* not at once */
    lanes_fail(&bench->lanes, "the test is over");
    op_deinit(&info.op);
    op_deinit(&put.op);
    op_deinit(&get.op);
    op_deinit(&end.op);
}

static void what_was_put_off_is_sent_again_before_what_came_behind(void **state)
{
    struct bench *bench = *state;
    struct probe probes[3];
    submit(bench, &probes[0], "a", "1");
    submit_verb(bench, &probes[1], "x.z", false);
    run(bench);
    submit(bench, &probes[2], "a", "3");
    fake_reply(&bench->cluster, (const char *[]){"+1 0 ", "=1", "", NULL});
    assert_true(probes[0].ended == 1 && probes[1].ended == 0);
    run(bench);
    assert_string_equal(bench->cluster.requests[0].argv[HEAD], "x.z 1 1 a");
    assert_string_equal(bench->cluster.requests[0].argv[HEAD + 3], "x.y 1 1 a");
    fake_reply(&bench->cluster, (const char *[]){"1 0 ", "=2", "=3", NULL});
    assert_true(probes[1].fate == OP_DONE && probes[2].fate == OP_DONE);
    for (int i = 0; i < 3; i++) {
        op_deinit(&probes[i].op);
    }
}

static void a_reply_of_another_length_is_none(void **state)
{
    struct bench *bench = *state;
    struct probe probe;
    submit(bench, &probe, "a", "1");
    run(bench);
    fake_reply(&bench->cluster, (const char *[]){"1 0 ", NULL});
    assert_int_equal(probe.fate, OP_UNKNOWN);
    op_deinit(&probe.op);
}

static void what_is_due_is_ticked_in_its_time(void **state)
{
    struct bench *bench = *state;
    struct probe probe;
    submit(bench, &probe, "a", "1");
    run(bench);
    fake_reply(&bench->cluster, (const char *[]){"1000 1500 a b", "=1", NULL});
    assert_true(lanes_due(&bench->lanes) == bench->now + 500 * (uint64_t)NS_PER_MS);
    bench->now += 500 * (uint64_t)NS_PER_MS;
    lanes_tick(&bench->lanes, bench->now);
    run(bench);
    assert_string_equal(bench->cluster.requests[0].argv[HEAD], "tick 0 3 a b");
    fake_reply(&bench->cluster, (const char *[]){"1500 0 ", "=", NULL});
    assert_true(lanes_due(&bench->lanes) == TIME_NEVER);
    op_deinit(&probe.op);
}

static void an_op_that_was_withdrawn_is_not_sent(void **state)
{
    struct bench *bench = *state;
    struct probe probes[2];
    submit(bench, &probes[0], "a", "1");
    submit(bench, &probes[1], "a", "2");
    assert_true(lane_withdraw(&probes[0].op));
    run(bench);
    assert_int_equal(bench->cluster.requests[0].argc, HEAD + 2 + 1);
    assert_false(lane_withdraw(&probes[1].op));
    fake_reply(&bench->cluster, (const char *[]){"1 0 ", "=2", NULL});
    assert_int_equal(probes[0].ended, 0);
    op_deinit(&probes[0].op);
    op_deinit(&probes[1].op);
}

static void a_batch_has_so_many_ops_at_most(void **state)
{
    struct bench *bench = *state;
    struct probe *probes = calloc(LANE_OPS_MOST + 1, sizeof(*probes));
    for (int i = 0; i <= LANE_OPS_MOST; i++) {
        submit(bench, &probes[i], "a", "");
    }
    run(bench);
    assert_int_equal(bench->cluster.requests[0].argc, HEAD + 2 * LANE_OPS_MOST / FCALL_RUN_MOST);
    lanes_fail(&bench->lanes, "enough");
    for (int i = 0; i <= LANE_OPS_MOST; i++) {
        assert_int_equal(probes[i].fate, i < LANE_OPS_MOST ? OP_UNKNOWN : OP_NOT_DONE);
        op_deinit(&probes[i].op);
    }
    free(probes);
}

static void idle_lanes_are_forgotten(void **state)
{
    struct bench *bench = *state;
    for (int i = 0; i < 2 * LANES_IDLE_MOST; i++) {
        char name[16];
        struct probe probe;
        (void)snprintf(name, sizeof(name), "n%d", i);
        submit(bench, &probe, name, "");
        run(bench);
        fake_reply(&bench->cluster, (const char *[]){"1 0 ", "=", NULL});
        op_deinit(&probe.op);
    }
    run(bench);
    assert_in_range(bench->lanes.tags.live, LANES_IDLE_MOST, LANES_IDLE_MOST + 1);
}

static void a_prefix_is_made_of_the_tag_of_a_name(void **state)
{
    struct buffer out = {0};
    tag_prefix_of_name("r", slice_of_string("50%{"), &out);
    assert_int_equal(out.len, strlen("ipcd:r:{50%25%7B}"));
    assert_memory_equal(out.data, "ipcd:r:{50%25%7B}", out.len);
    buffer_deinit(&out);
}

static void check_tag(const char *name, const char *tag)
{
    struct buffer out = {0};
    tag_of_name(slice_of_string(name), &out);
    assert_int_equal(out.len, strlen(tag));
    assert_memory_equal(out.data, tag, out.len);
    buffer_deinit(&out);
}

static void a_tag_is_what_the_name_marks_or_all_of_it(void **state)
{
    check_tag("jobs", "jobs");
    check_tag("{a}jobs", "a");
    check_tag("x{a}{b}", "a");
    check_tag("x{}y", "x%7B%7Dy");
    check_tag("x}y{", "x%7Dy%7B");
    check_tag("50%", "50%25");
    check_tag("{50%}", "50%");
    check_tag("{%hosts}x", "%7B%25hosts%7Dx"); /* the daemons' own */
    check_tag("{%}", "%7B%25%7D");
    assert_true(tag_is_same(slice_of_string("1{a}"), slice_of_string("{a}2")));
    assert_false(tag_is_same(slice_of_string("a"), slice_of_string("b")));
}

static void a_key_is_taken_apart_if_it_is_one_of_that_part(void **state)
{
    struct slice prefix;
    struct slice whose;
    (void)state;
    assert_true(tag_take_apart(slice_of_string("ipcd:r:{t}:m:{t}x}:y"), 'm', &prefix, &whose));
    assert_true(slice_equal(prefix, slice_of_string("ipcd:r:{t}")));
    assert_true(slice_equal(whose, slice_of_string("{t}x}:y")));
    /* Those of objects with names like this match "ipcd:r:{*}:s:h/1:*" too. */
    assert_false(
        tag_take_apart(slice_of_string("ipcd:r:{t}:m:{t}}:s:h/1:2"), 's', &prefix, &whose));
    assert_false(tag_take_apart(slice_of_string("ipcd:r:{t}:Wm:m:x"), 'm', &prefix, &whose));
    assert_false(tag_take_apart(slice_of_string("ipcd:r:{t}:m:"), 'm', &prefix, &whose));
    assert_false(tag_take_apart(slice_of_string("ipcd:r:{t}"), 'm', &prefix, &whose));
    assert_false(tag_take_apart(slice_of_string("other"), 'm', &prefix, &whose));
    assert_false(tag_take_apart((struct slice){0}, 'm', &prefix, &whose));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(ops_of_one_turn_are_one_batch),
        TEST(one_batch_is_under_way_at_a_time),
        TEST(behind_a_long_reply_few_are_sent_at_a_time),
        TEST(the_next_batch_is_sent_before_the_replies_of_the_last_are_dealt_out),
        TEST(a_batch_whose_connection_is_lost_comes_again_as_it_was),
        TEST(what_has_no_time_left_is_unknown_if_it_may_have_been_run),
        TEST(what_was_unknown_once_stays_so_though_it_was_not_sent_again),
        TEST(what_was_not_sent_in_time_is_not_done_and_the_younger_goes_on),
        TEST(ops_behind_a_batch_that_does_not_end_expire),
        TEST(nothing_is_sent_without_a_tenure),
        TEST(a_batch_that_is_fenced_comes_again_if_the_lease_was_renewed),
        TEST(an_error_of_the_function_may_have_been_half_done),
        TEST(what_frees_memory_is_done_where_there_is_none),
        TEST(what_was_put_off_is_sent_again_before_what_came_behind),
        TEST(a_reply_of_another_length_is_none),
        TEST(what_is_due_is_ticked_in_its_time),
        TEST(an_op_that_was_withdrawn_is_not_sent),
        TEST(a_batch_has_so_many_ops_at_most),
        TEST(idle_lanes_are_forgotten),
        cmocka_unit_test(a_key_is_taken_apart_if_it_is_one_of_that_part),
        cmocka_unit_test(a_prefix_is_made_of_the_tag_of_a_name),
        cmocka_unit_test(a_tag_is_what_the_name_marks_or_all_of_it),
    };
    return cmocka_run_group_tests_name("lanes", tests, NULL, NULL);
}
