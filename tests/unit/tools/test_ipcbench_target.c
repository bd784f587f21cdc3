/* Tests of how ipcbench counts replies, and of what it makes of the figures. */
#include "tools/ipcbench/report.h"

#include "proto/message.h"

#include "tests/support/unit.h"

#include <math.h>
#include <string.h>

/* Counts the bytes as replies to an operation. */
static int count(const struct protocol *protocol, enum operation operation, struct slice bytes,
                 struct tally *tally)
{
    *tally = (struct tally){0};
    return protocol->count(operation, bytes.data, bytes.len, tally);
}

/* However the bytes are cut, a reply counts only when it is whole. */
static void check_every_cut(const struct protocol *protocol, enum operation operation,
                            struct slice one, uint64_t items)
{
    struct tally tally;
    for (size_t len = 0; len < one.len; len++) {
        assert_int_equal(count(protocol, operation, (struct slice){one.data, len}, &tally), 0);
        assert_int_equal(tally.count, 0);
        assert_int_equal(tally.used, 0);
    }
    assert_int_equal(count(protocol, operation, one, &tally), 0);
    assert_int_equal(tally.count, 1);
    assert_int_equal(tally.used, one.len);
    assert_int_equal(tally.items, items);
    assert_string_equal(tally.error, "");
}

static void ipcd_replies_count_when_they_are_whole(void **state)
{
    struct buffer reply = {0};
    message_result(&reply, 70000);
    pack_array(&reply, 3);
    pack_bin(&reply, slice_of_string("some value"));
    pack_nil(&reply);
    pack_int(&reply, 1);
    check_every_cut(&protocol_ipcd, OPERATION_GET, buffer_slice(&reply), 1);
    check_every_cut(&protocol_ipcd, OPERATION_GET_MANY, buffer_slice(&reply), 3);
    check_every_cut(&protocol_ipcd, OPERATION_PUT_MANY, buffer_slice(&reply), REQUEST_MANY);
    buffer_deinit(&reply);
}

static void ipcd_errors_and_goodbyes_are_told(void **state)
{
    struct buffer bytes = {0};
    struct tally tally;
    message_error(&bytes, 1, ERR_EMPTY, "nothing there", (struct slice){0});
    assert_int_equal(count(&protocol_ipcd, OPERATION_GET, buffer_slice(&bytes), &tally), 0);
    assert_string_equal(tally.error, "EMPTY: nothing there");
    bytes.len = 0;
    message_notification(&bytes, "goodbye", 2);
    pack_string(&bytes, "LIMIT");
    pack_string(&bytes, "too many");
    assert_int_equal(count(&protocol_ipcd, OPERATION_GET, buffer_slice(&bytes), &tally), 0);
    assert_string_equal(tally.error, "goodbye: too many");
    assert_int_equal(tally.count, 0);
    buffer_deinit(&bytes);
}

static void ipcd_nonsense_is_refused(void **state)
{
    struct tally tally;
    assert_true(count(&protocol_ipcd, OPERATION_GET, slice_of_string("+OK\r\n"), &tally) < 0);
}

static void redis_replies_count_when_they_are_whole(void **state)
{
    check_every_cut(&protocol_redis, OPERATION_PUT, slice_of_string(":12\r\n"), 1);
    check_every_cut(&protocol_redis, OPERATION_GET, slice_of_string("$4\r\na\r\nb\r\n"), 1);
    check_every_cut(&protocol_redis, OPERATION_TAKE,
                    slice_of_string("*2\r\n$1\r\nq\r\n$2\r\nab\r\n"), 1);
    check_every_cut(&protocol_redis, OPERATION_GET_MANY,
                    slice_of_string("*2\r\n$1\r\nq\r\n$2\r\nab\r\n"), 2);
    check_every_cut(&protocol_redis, OPERATION_GET_MANY, slice_of_string("*-1\r\n"), 0);
}

static void redis_several_replies_count_and_the_rest_stays(void **state)
{
    struct tally tally;
    struct slice bytes = slice_of_string(":1\r\n:2\r\n:");
    assert_int_equal(count(&protocol_redis, OPERATION_PUT, bytes, &tally), 0);
    assert_int_equal(tally.count, 2);
    assert_int_equal(tally.used, 8);
}

static void redis_errors_and_missing_items_are_told(void **state)
{
    struct tally tally;
    struct slice error = slice_of_string("-ERR no such thing\r\n");
    assert_int_equal(count(&protocol_redis, OPERATION_PUT, error, &tally), 0);
    assert_string_equal(tally.error, "ERR no such thing");
    assert_int_equal(count(&protocol_redis, OPERATION_GET, slice_of_string("$-1\r\n"), &tally), 0);
    assert_string_not_equal(tally.error, "");
    assert_true(count(&protocol_redis, OPERATION_GET, slice_of_string("nonsense\r\n"), &tally) < 0);
}

static void beanstalkd_replies_count_when_they_are_whole(void **state)
{
    check_every_cut(&protocol_beanstalkd, OPERATION_PUT, slice_of_string("INSERTED 12\r\n"), 1);
    check_every_cut(&protocol_beanstalkd, OPERATION_TAKE_JOB,
                    slice_of_string("RESERVED 345 4\r\na\r\nb\r\n"), 1);
    check_every_cut(&protocol_beanstalkd, OPERATION_FINISH_JOB, slice_of_string("DELETED\r\n"), 1);
}

static void beanstalkd_refusals_are_told(void **state)
{
    struct tally tally;
    struct slice bytes = slice_of_string("OUT_OF_MEMORY\r\n");
    assert_int_equal(count(&protocol_beanstalkd, OPERATION_PUT, bytes, &tally), 0);
    assert_string_equal(tally.error, "OUT_OF_MEMORY");
}

/* Both say in the answer what finishes the job, and replies to different calls are counted one by
 * one. */
static void a_taken_job_brings_what_finishes_it(void **state)
{
    struct slice jobs = slice_of_string("RESERVED 345 2\r\nab\r\nRESERVED 6 2\r\nab\r\n");
    struct tally tally = {.most = 1};
    assert_int_equal(protocol_beanstalkd.count(OPERATION_TAKE_JOB, jobs.data, jobs.len, &tally), 0);
    assert_int_equal(tally.count, 1);
    assert_int_equal(tally.job, 345);
    struct buffer reply = {0};
    message_result(&reply, 70000);
    pack_array(&reply, 3);
    pack_bin(&reply, slice_of_string("some value"));
    pack_uint(&reply, 678);
    pack_int(&reply, 1);
    message_result(&reply, 70001);
    tally = (struct tally){.most = 1};
    assert_int_equal(protocol_durable.count(OPERATION_TAKE_JOB, reply.data, reply.len, &tally), 0);
    assert_int_equal(tally.count, 1);
    assert_int_equal(tally.job, 678);
    buffer_deinit(&reply);
}

/* The echo is the limit only if it carries the same bytes. */
static void echo_requests_are_as_long_as_ipcd_s(void **state)
{
    for (enum operation operation = OPERATION_PUT; operation <= OPERATION_LOOKUP; operation++) {
        struct request request = {operation, 3, 64, 0, NULL};
        struct buffer ours = {0};
        struct buffer echo = {0};
        uint32_t size;
        protocol_ipcd.encode(&ours, &request);
        protocol_echo.encode(&echo, &request);
        assert_int_equal(ours.len, echo.len);
        memcpy(&size, echo.data, sizeof(size));
        assert_int_equal(size, ours.len);
        buffer_deinit(&ours);
        buffer_deinit(&echo);
    }
}

static const struct load judged = {
    .name = "group/what", .bars = &(const struct bars){.cpu = 2.0, .ratio = 1.5, .bytes = 10.0}};

static struct row row_of(double cpu, double rate, double redis_rate)
{
    struct row row = {.load = &judged, .measured = {true, true, false}};
    row.results[TARGET_IPCD] = measurement_none();
    row.results[TARGET_REDIS] = measurement_none();
    row.results[TARGET_IPCD].figures[FIGURE_CPU] = cpu;
    row.results[TARGET_IPCD].figures[FIGURE_RATE] = rate;
    row.results[TARGET_REDIS].figures[FIGURE_RATE] = redis_rate;
    return row;
}

static void bars_are_judged_by_what_was_measured(void **state)
{
    struct verdict verdicts[VERDICTS_MAX];
    struct row row = row_of(2.0, 300.0, 200.0);
    assert_int_equal(row_judge(&row, verdicts), 3);
    assert_true(verdicts[0].meets && verdicts[1].meets);
    assert_true(!verdicts[2].meets && isnan(verdicts[2].value));
    row = row_of(2.1, 299.0, 200.0);
    assert_int_equal(row_judge(&row, verdicts), 3);
    assert_true(!verdicts[0].meets && !verdicts[1].meets);
}

static void a_ratio_needs_both_sides(void **state)
{
    struct row row = row_of(2.0, 300.0, 200.0);
    assert_true(row_to_redis(&row) == 1.5);
    assert_true(isnan(row_to_echo(&row)));
    row.measured[TARGET_REDIS] = false;
    assert_true(isnan(row_to_redis(&row)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ipcd_replies_count_when_they_are_whole),
        cmocka_unit_test(ipcd_errors_and_goodbyes_are_told),
        cmocka_unit_test(ipcd_nonsense_is_refused),
        cmocka_unit_test(redis_replies_count_when_they_are_whole),
        cmocka_unit_test(redis_several_replies_count_and_the_rest_stays),
        cmocka_unit_test(redis_errors_and_missing_items_are_told),
        cmocka_unit_test(beanstalkd_replies_count_when_they_are_whole),
        cmocka_unit_test(beanstalkd_refusals_are_told),
        cmocka_unit_test(a_taken_job_brings_what_finishes_it),
        cmocka_unit_test(echo_requests_are_as_long_as_ipcd_s),
        cmocka_unit_test(bars_are_judged_by_what_was_measured),
        cmocka_unit_test(a_ratio_needs_both_sides),
    };
    return cmocka_run_group_tests_name("ipcbench target", tests, NULL, NULL);
}
