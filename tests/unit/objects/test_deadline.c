/* deadline: no wait, however long, leads to TIME_NEVER. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "daemon/objects/deadline.h"

static void time_after_is_never_never(void **state)
{
    const uint64_t ms = 1000000;
    assert_int_equal(time_after(0, 0), 0);
    assert_int_equal(time_after(5, 1), ms + 5);
    assert_int_equal(time_after(0, 18446744073709), 18446744073709 * ms);
    assert_int_equal(time_after(0, 18446744073710), TIME_LATEST);
    assert_int_equal(time_after(551614, 18446744073709), TIME_LATEST); /* 2^64 - 2 */
    assert_int_equal(time_after(551615, 18446744073709), TIME_LATEST); /* 2^64 - 1 */
    assert_int_equal(time_after(551616, 18446744073709), TIME_LATEST); /* 2^64 */
    assert_int_equal(time_after(551613, 18446744073709), TIME_LATEST - 1);
    assert_int_equal(time_after(TIME_LATEST, 0), TIME_LATEST);
    assert_int_equal(time_after(TIME_LATEST, INT64_MAX), TIME_LATEST);
    assert_int_equal(time_after(0, INT64_MAX), TIME_LATEST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(time_after_is_never_never),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
