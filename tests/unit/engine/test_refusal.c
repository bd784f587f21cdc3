/* What error replies mean: was it run, where is it to go. */
#include "tests/support/unit.h"

#include "daemon/engine/refusal.h"

static struct refusal of(const char *text)
{
    return refusal_of(slice_of_string(text));
}

static void assert_place(const char *text, enum refusal_kind kind, int slot, const char *host,
                         int port)
{
    struct refusal refusal = of(text);
    assert_int_equal(refusal.kind, kind);
    assert_int_equal(refusal.slot, slot);
    assert_int_equal(refusal.port, port);
    assert_true(slice_equal(refusal.host, slice_of_string(host)));
}

static void redirections_have_a_place(void **state)
{
    assert_place("MOVED 0 127.0.0.1:1", REFUSAL_MOVED, 0, "127.0.0.1", 1);
    assert_place("MOVED 16383 ::1:65535", REFUSAL_MOVED, 16383, "::1", 65535);
    assert_place("ASK 3999 name.example:6381", REFUSAL_ASK, 3999, "name.example", 6381);
    assert_place("MOVED 5 :6381", REFUSAL_MOVED, 5, "", 6381);
    assert_place("MOVED 5 ?:6381", REFUSAL_MOVED, 5, "", 6381);
}

static void broken_redirections_are_tried_again(void **state)
{
    static const char *const BROKEN[] = {
        "MOVED",
        "MOVED ",
        "MOVED 1",
        "MOVED 16384 h:1",
        "MOVED x h:1",
        "MOVED 1 h",
        "MOVED 1 h:",
        "MOVED 1 h:0",
        "MOVED 1 h:65536",
        "MOVED 1 h:1x",
        "ASK 1 h:-1",
        "MOVED -1 h:1",
        "MOVED 1h:1",
        "ASK 99999999999999999999999 h:1",
        "MOVED 1 h:184467440737095516160",
    };
    for (size_t i = 0; i < sizeof(BROKEN) / sizeof(BROKEN[0]); i++) {
        assert_int_equal(of(BROKEN[i]).kind, REFUSAL_LATER);
    }
}

static void refusals_say_whether_to_wait(void **state)
{
    assert_int_equal(of("TRYAGAIN Multiple keys request during rehashing of slot").kind,
                     REFUSAL_LATER);
    assert_int_equal(of("LOADING Redis is loading the dataset in memory").kind, REFUSAL_LATER);
    assert_int_equal(of("BUSY Redis is busy running a script.").kind, REFUSAL_LATER);
    assert_int_equal(of("NOREPLICAS Not enough good replicas to write.").kind, REFUSAL_LATER);
    assert_int_equal(of("CLUSTERDOWN The cluster is down").kind, REFUSAL_ELSEWHERE);
    assert_int_equal(of("READONLY You can't write against a read only replica.").kind,
                     REFUSAL_ELSEWHERE);
    assert_int_equal(of("MASTERDOWN Link with MASTER is down").kind, REFUSAL_ELSEWHERE);
    assert_int_equal(of("ERR Function not found").kind, REFUSAL_LIBRARY);
    assert_int_equal(of("OOM command not allowed when used memory > 'maxmemory'.").kind,
                     REFUSAL_FINAL);
    assert_int_equal(of("NOPERM this user has no permissions").kind, REFUSAL_FINAL);
    assert_int_equal(of("NOAUTH Authentication required.").kind, REFUSAL_FINAL);
}

static void what_has_been_run_is_no_refusal(void **state)
{
    assert_int_equal(of("").kind, REFUSAL_NONE);
    assert_int_equal(refusal_of((struct slice){NULL, 0}).kind, REFUSAL_NONE);
    assert_int_equal(of("ERR wrong number of arguments").kind, REFUSAL_NONE);
    assert_int_equal(of("FENCED the lease is over").kind, REFUSAL_NONE);
    assert_int_equal(of("BUSYKEY Target key name already exists.").kind, REFUSAL_NONE);
    assert_int_equal(of("OOM command not allowed script: ipcd_1, on @user_function:7.").kind,
                     REFUSAL_NONE);
    assert_int_equal(of("READONLY x, on @user_script:1.").kind, REFUSAL_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(redirections_have_a_place),
        cmocka_unit_test(broken_redirections_are_tried_again),
        cmocka_unit_test(refusals_say_whether_to_wait),
        cmocka_unit_test(what_has_been_run_is_no_refusal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
