/* The form of a batch, and of its reply. */
#include "tests/support/unit.h"

#include <hiredis/hiredis.h>
#include <stdlib.h>

#include "daemon/engine/fcall.h"
#include "proto/pack.h"

enum { OPS = 6, STRINGS = 64 };

struct bench {
    struct op ops[OPS];
    struct op_list list;
    struct buffer made;
    struct slice argv[STRINGS];
    size_t count;
};

static void add(struct bench *bench, unsigned i, const char *verb, const char *name,
                const char *const *arguments)
{
    struct op *op = &bench->ops[i];
    op_init(op, verb, slice_of_string(name));
    op->session = 1;
    op->wait = i;
    for (; *arguments != NULL; arguments++) {
        argument_text(&op->first.arguments, *arguments);
    }
    TAILQ_INSERT_TAIL(&bench->list, op, link);
}

static void print(struct bench *bench)
{
    size_t bytes;
    size_t most = fcall_count(&bench->list, &bytes);
    assert_in_range(most, 1, STRINGS);
    assert_int_equal(buffer_reserve(&bench->made, bytes), 0);
    const uint8_t *data = bench->made.data;
    bench->count = fcall_put_ops(&bench->list, &bench->made, bench->argv);
    assert_true(bench->count <= most);
    assert_ptr_equal(bench->made.data, data); /* strings refer to it */
}

static void check(const struct bench *bench, size_t i, const char *text)
{
    assert_true(i < bench->count);
    assert_int_equal(bench->argv[i].len, strlen(text));
    assert_memory_equal(bench->argv[i].data, text, strlen(text));
}

static void clean_up(struct bench *bench)
{
    struct op *op;
    while ((op = TAILQ_FIRST(&bench->list)) != NULL) {
        TAILQ_REMOVE(&bench->list, op, link);
        op_deinit(op);
    }
    buffer_deinit(&bench->made);
}

static void calls_that_are_alike_are_one_run(void **state)
{
    struct bench bench = {.count = 0};
    (void)state;
    TAILQ_INIT(&bench.list);
    add(&bench, 0, "queue.put", "q", (const char *[]){"a", "", "", NULL});
    add(&bench, 1, "queue.put", "q", (const char *[]){"b", NULL});
    add(&bench, 2, "queue.put", "q2", (const char *[]){"c", NULL});          /* another object */
    add(&bench, 3, "queue.put", "q2", (const char *[]){"d", "", "7", NULL}); /* more arguments */
    add(&bench, 4, "queue.get", "q2", (const char *[]){"", "", NULL});       /* another method */
    add(&bench, 5, "queue.get", "q2", (const char *[]){NULL});
    part_set_version(&bench.ops[5].first, slice_of_string("v1"));
    bench.ops[1].is_late = true;
    print(&bench);
    static const unsigned runs[OPS] = {2, 0, 1, 1, 1, 1};
    for (unsigned i = 0; i < OPS; i++) {
        assert_int_equal(bench.ops[i].run, runs[i]);
    }
    assert_int_equal(bench.count, 5 * 2 + 2 + 1 + 3);
    check(&bench, 0, "queue.put 1 1 q");
    assert_int_equal(bench.argv[1].len, 32);
    static const uint8_t who[32] = {[7] = 1, [15] = 0, [23] = 1, [31] = 0};
    assert_memory_equal(bench.argv[1].data, who, sizeof(who)); /* the late one may not wait */
    check(&bench, 2, "a");
    check(&bench, 3, "b");
    check(&bench, 4, "queue.put 1 2 q2");
    check(&bench, 7, "queue.put 3 2 q2");
    check(&bench, 10, "");
    check(&bench, 11, "7");
    check(&bench, 12, "queue.get 0 2 q2");
    check(&bench, 14, "queue.get 0 2 q2v1");
    assert_int_equal(bench.argv[13].data[15], 4);
    clean_up(&bench);
}

static void each_part_of_an_atomic_op_is_a_run(void **state)
{
    struct bench bench = {.count = 0};
    struct op *op = &bench.ops[0];
    (void)state;
    TAILQ_INIT(&bench.list);
    assert_int_equal(op_init_atomic(op, 3), 0);
    for (unsigned i = 0; i < 3; i++) {
        part_init(&op->parts[i], "dict.set", slice_of_string("d"));
        argument_text(&op->parts[i].arguments, i == 2 ? "" : "k");
    }
    TAILQ_INSERT_TAIL(&bench.list, op, link);
    print(&bench);
    assert_int_equal(op->run, 1);
    assert_int_equal(bench.count, 3 * 2 + 2);
    check(&bench, 3, "dict.set 1 1 d");
    check(&bench, 6, "dict.set 0 1 d");
    clean_up(&bench);
}

static void a_run_ends_where_it_is_long(void **state)
{
    struct op *ops = calloc(FCALL_RUN_MOST + 1, sizeof(*ops));
    struct slice *argv = calloc((FCALL_RUN_MOST + 1) * 3, sizeof(*argv));
    struct op_list list;
    struct buffer made = {0};
    size_t bytes;
    (void)state;
    TAILQ_INIT(&list);
    for (unsigned i = 0; i <= FCALL_RUN_MOST; i++) {
        op_init(&ops[i], "x.y", slice_of_string("a"));
        TAILQ_INSERT_TAIL(&list, &ops[i], link);
    }
    (void)fcall_count(&list, &bytes);
    assert_int_equal(buffer_reserve(&made, bytes), 0);
    assert_int_equal(fcall_put_ops(&list, &made, argv), 4);
    assert_int_equal(ops[0].run, FCALL_RUN_MOST);
    assert_int_equal(ops[FCALL_RUN_MOST].run, 1);
    for (unsigned i = 0; i <= FCALL_RUN_MOST; i++) {
        op_deinit(&ops[i]);
    }
    buffer_deinit(&made);
    free(argv);
    free(ops);
}

static void the_head_has_its_numbers_first(void **state)
{
    struct buffer out = {0};
    const struct fcall_head head = {
        .host = "h", .epoch = 18, .until = UINT64_MAX, .seq = 1, .ack = 258, .is_atomic = true};
    static const uint8_t numbers[] = {0,    0,    0, 0, 0, 0,    0,    1,    0,    0,    0,
                                      0,    0,    0, 1, 2, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                      0xff, 0xff, 0, 0, 0, 0,    0,    0,    0,    0};
    (void)state;
    fcall_put_head(&out, &head);
    assert_int_equal(out.len, sizeof(numbers) + strlen("ah/18"));
    assert_memory_equal(out.data, numbers, sizeof(numbers));
    assert_memory_equal(out.data + sizeof(numbers), "ah/18", 5);
    buffer_deinit(&out);
}

/* Replies. */

static bool open_reply(struct fcall_reply *reply, const struct buffer *packed, struct slice *status)
{
    const struct redisReply from = {
        .type = REDIS_REPLY_STRING, .str = (char *)packed->data, .len = packed->len};
    return fcall_open(reply, &from, status);
}

static void check_next(struct fcall_reply *reply, unsigned run, const char *text)
{
    struct slice out;
    assert_true(fcall_next(reply, run, &out));
    assert_int_equal(out.len, strlen(text));
    assert_memory_equal(out.data, text, out.len);
}

static void replies_come_in_four_forms(void **state)
{
    struct buffer packed = {0};
    struct fcall_reply reply;
    struct slice status;
    struct slice out;
    (void)state;
    pack_array(&packed, 5);
    pack_string(&packed, "1 0 ");
    pack_string(&packed, "=one");
    pack_array(&packed, 2);
    pack_string(&packed, "=a");
    pack_string(&packed, "=b");
    pack_array(&packed, 1);
    pack_string(&packed, "=same");
    pack_array(&packed, 4);
    pack_string(&packed, "=<");
    pack_string(&packed, ">");
    pack_string(&packed, "x");
    pack_string(&packed, "");
    assert_true(open_reply(&reply, &packed, &status));
    assert_int_equal(status.len, 4);
    check_next(&reply, 1, "=one");
    check_next(&reply, 2, "=a");
    check_next(&reply, 0, "=b");
    check_next(&reply, 3, "=same");
    check_next(&reply, 0, "=same");
    check_next(&reply, 0, "=same");
    check_next(&reply, 2, "=<x>");
    check_next(&reply, 0, "=<>");
    assert_false(fcall_next(&reply, 1, &out));
    fcall_close(&reply);
    buffer_deinit(&packed);
}

static void a_single_call_has_its_reply_alone(void **state)
{
    struct buffer packed = {0};
    struct fcall_reply reply;
    struct slice status;
    struct slice out;
    (void)state;
    (void)buffer_append(&packed, "\n=x", 3);
    assert_true(open_reply(&reply, &packed, &status));
    assert_int_equal(status.len, 0);
    check_next(&reply, 1, "=x");
    assert_false(fcall_next(&reply, 1, &out));
    fcall_close(&reply);
    buffer_deinit(&packed);
}

/* Each beginning of a reply, and each reply with one byte changed: no more replies than are there.
 */
static void what_is_no_reply_is_found_out(void **state)
{
    struct buffer packed = {0};
    (void)state;
    pack_array(&packed, 3);
    pack_string(&packed, "1 0 ");
    pack_string(&packed, "=one");
    pack_array(&packed, 4);
    pack_string(&packed, "=<");
    pack_string(&packed, ">");
    pack_string(&packed, "x");
    pack_string(&packed, "y");
    for (size_t len = 0; len < packed.len; len++) {
        uint8_t *copy = malloc(len + 1);
        struct buffer cut = {.data = copy, .len = len};
        struct fcall_reply reply;
        struct slice status;
        struct slice out;
        memcpy(copy, packed.data, len);
        if (open_reply(&reply, &cut, &status)) {
            assert_false(fcall_next(&reply, 1, &out) && fcall_next(&reply, 2, &out) &&
                         fcall_next(&reply, 0, &out));
            fcall_close(&reply);
        }
        free(copy);
    }
    for (size_t i = 0; i < packed.len * 256; i++) {
        uint8_t before = packed.data[i / 256];
        struct fcall_reply reply;
        struct slice status;
        struct slice out;
        packed.data[i / 256] = (uint8_t)i;
        if (open_reply(&reply, &packed, &status)) {
            (void)(fcall_next(&reply, 1, &out) && fcall_next(&reply, 2, &out) &&
                   fcall_next(&reply, 0, &out));
            assert_true(reply.rest.len <= packed.len);
            fcall_close(&reply);
        }
        packed.data[i / 256] = before;
    }
    buffer_deinit(&packed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls_that_are_alike_are_one_run),
        cmocka_unit_test(each_part_of_an_atomic_op_is_a_run),
        cmocka_unit_test(a_run_ends_where_it_is_long),
        cmocka_unit_test(the_head_has_its_numbers_first),
        cmocka_unit_test(replies_come_in_four_forms),
        cmocka_unit_test(a_single_call_has_its_reply_alone),
        cmocka_unit_test(what_is_no_reply_is_found_out),
    };
    return cmocka_run_group_tests_name("fcall", tests, NULL, NULL);
}
