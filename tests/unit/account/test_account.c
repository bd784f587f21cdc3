/* account: what is charged, what is refused, and who may. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "daemon/account/account.h"

static void user_charge_is_refused_at_the_users_limit(void **state)
{
    struct accounts accounts;
    accounts_init(&accounts);
    accounts.limits.max_user_bytes = 100;
    struct user *user = accounts_user(&accounts, 7);
    assert_int_equal(user_charge(user, 100), 0);
    assert_int_equal(user_charge(user, 1), ERR_LIMIT);
    assert_int_equal(user->bytes, 100);
    assert_string_equal(accounts.refusal.limit, "max_user_bytes");
    struct buffer text = {0};
    refusal_print(&accounts.refusal, &text);
    (void)buffer_append(&text, "", 1);
    assert_non_null(strstr((const char *)text.data, "max_user_bytes: user 7 has 100 of 100"));
    buffer_deinit(&text);
    user_release(user, 100);
    user_unref(user);
    accounts_deinit(&accounts);
}

static void user_charge_is_refused_at_the_total(void **state)
{
    struct accounts accounts;
    accounts_init(&accounts);
    accounts.limits.max_bytes = 100;
    struct user *a = accounts_user(&accounts, 1);
    struct user *b = accounts_user(&accounts, 2);
    assert_int_equal(user_charge(a, 60), 0);
    assert_int_equal(user_charge(b, 60), ERR_LIMIT);
    assert_string_equal(accounts.refusal.limit, "max_bytes");
    assert_int_equal(user_charge(b, 40), 0);
    assert_int_equal(accounts.bytes, 100);
    user_charge_always(b, 10);
    assert_int_equal(accounts.bytes, 110);
    user_release(a, 60);
    user_release(b, 50);
    user_unref(a);
    user_unref(b);
    accounts_deinit(&accounts);
}

static void a_charge_counts_itself_in_its_tally_and_releases_itself(void **state)
{
    struct accounts accounts;
    accounts_init(&accounts);
    accounts.limits.max_user_bytes = 100;
    struct user *user = accounts_user(&accounts, 7);
    struct tally tally = {.user = user};
    struct charge a = {.tally = &tally};
    struct charge b = {.tally = &tally};
    struct charge none = {0};
    assert_int_equal(charge_set(&a, 60), 0);
    assert_int_equal(charge_set(&b, 30), 0);
    assert_int_equal(charge_set(&b, 41), ERR_LIMIT);
    assert_int_equal(charge_set(&b, UINT64_MAX), ERR_LIMIT);
    assert_int_equal(b.bytes, 30);
    assert_int_equal(tally.bytes, 90);
    assert_int_equal(user->bytes, 90);
    charge_set_always(&b, 50);
    assert_int_equal(user->bytes, 110);
    assert_int_equal(charge_set(&a, 55), 0); /* less is never refused, nor the same */
    assert_int_equal(charge_set(&b, 50), 0);
    charge_set_always(&a, 10);
    assert_int_equal(tally.bytes, 60);
    assert_int_equal(accounts.bytes, 60);
    charge_release(&a);
    charge_release(&a);
    charge_release(&none);
    assert_int_equal(tally.bytes, 50);
    charge_release(&b);
    assert_int_equal(tally.bytes, 0);
    user_unref(user);
    accounts_deinit(&accounts);
    (void)state;
}

static void accounts_user_is_one_for_each_uid(void **state)
{
    struct accounts accounts;
    accounts_init(&accounts);
    struct user *a = accounts_user(&accounts, 1);
    assert_ptr_equal(accounts_user(&accounts, 1), a);
    assert_int_equal(a->refs, 2);
    user_unref(a);
    user_unref(a);
    user_unref(NULL);
    accounts_deinit(&accounts);
}

static void accounts_admit_counts_up_to_the_limit(void **state)
{
    struct accounts accounts;
    accounts_init(&accounts);
    uint64_t count = 0;
    assert_int_equal(accounts_admit(&accounts, &count, "max_objects", 1), 0);
    assert_int_equal(accounts_admit(&accounts, &count, "max_objects", 1), ERR_LIMIT);
    assert_int_equal(count, 1);
    struct buffer text = {0};
    refusal_print(&accounts.refusal, &text);
    (void)buffer_append(&text, "", 1);
    assert_non_null(strstr((const char *)text.data, "max_objects: 1 of 1"));
    buffer_deinit(&text);
    accounts_deinit(&accounts);
}

static void limits_have_their_standard_values(void **state)
{
    struct limits limits;
    limits_init(&limits);
    for (size_t i = 0; i < LIMIT_COUNT; i++) {
        const struct limit_row *row = &limit_rows[i];
        assert_int_equal(*limit_value(&limits, row), row->standard);
        assert_true(row->least <= row->standard && row->standard <= row->most);
    }
    assert_int_equal(limits.max_message, 16 * 1048576);
}

struct access_case {
    uid_t uid;
    gid_t gid;
    gid_t group;
    mode_t mode;
    unsigned bits;
    bool granted;
};

/* What belongs to user 1000, group 100. */
static void access_follows_the_mode_as_for_files(void **state)
{
    static const struct access_case cases[] = {
        {1000, 1, 1, 0600, ACCESS_READ, true},    {1000, 1, 1, 0600, ACCESS_WRITE, true},
        {1000, 100, 1, 0066, ACCESS_READ, false}, /* the owner's bits count, not the group's */
        {1001, 100, 1, 0640, ACCESS_READ, true},  {1001, 100, 1, 0640, ACCESS_WRITE, false},
        {1001, 1, 100, 0640, ACCESS_READ, true}, /* a supplementary group */
        {1001, 1, 100, 0604, ACCESS_READ, false}, {1001, 1, 1, 0604, ACCESS_READ, true},
        {1001, 1, 1, 0604, ACCESS_WRITE, false},  {0, 1, 1, 0000, ACCESS_WRITE, true},
        {55, 1, 1, 0000, ACCESS_WRITE, true}, /* the daemon's own user */
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct access_case *one = &cases[i];
        gid_t groups[] = {one->group};
        struct credentials peer = {
            .uid = one->uid, .gid = one->gid, .groups = groups, .ngroups = 1};
        bool granted = access_granted(&peer, 55, 1000, 100, one->mode, one->bits);
        if (granted != one->granted) {
            fail_msg("case %zu", i);
        }
    }
}

static void access_owner_is_the_owner_root_or_the_daemon(void **state)
{
    struct credentials peer = {.uid = 1000};
    assert_true(access_owner(&peer, 55, 1000));
    assert_false(access_owner(&peer, 55, 1001));
    peer.uid = 0;
    assert_true(access_owner(&peer, 55, 1001));
    peer.uid = 55;
    assert_true(access_owner(&peer, 55, 1001));
}

static void descriptors_are_counted_up_to_the_limit(void **state)
{
    struct accounts accounts;
    accounts_init(&accounts);
    accounts.limits.max_descriptors = 3;
    struct user *a = accounts_user(&accounts, 1);
    struct user *b = accounts_user(&accounts, 2);
    assert_int_equal(user_hold_descriptors(a, 2), 0);
    assert_int_equal(user_hold_descriptors(b, 2), ERR_LIMIT);
    assert_string_equal(accounts.refusal.limit, "max_descriptors");
    assert_int_equal(user_hold_descriptors(b, UINT64_MAX), ERR_LIMIT);
    assert_int_equal(user_hold_descriptors(b, 1), 0);
    assert_int_equal(accounts.descriptors, 3);
    accounts.limits.max_descriptors = 0;
    assert_int_equal(user_hold_descriptors(a, 1), ERR_LIMIT);
    user_drop_descriptors(a, 2);
    user_drop_descriptors(b, 1);
    assert_int_equal(user_hold_descriptors(a, 1), ERR_LIMIT);
    accounts.limits.max_descriptors = UINT64_MAX;
    assert_int_equal(user_hold_descriptors(a, UINT64_MAX), 0);
    assert_int_equal(user_hold_descriptors(b, 1), ERR_LIMIT);
    user_drop_descriptors(a, UINT64_MAX);
    user_unref(a);
    user_unref(b);
    accounts_deinit(&accounts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(user_charge_is_refused_at_the_users_limit),
        cmocka_unit_test(user_charge_is_refused_at_the_total),
        cmocka_unit_test(a_charge_counts_itself_in_its_tally_and_releases_itself),
        cmocka_unit_test(accounts_user_is_one_for_each_uid),
        cmocka_unit_test(accounts_admit_counts_up_to_the_limit),
        cmocka_unit_test(limits_have_their_standard_values),
        cmocka_unit_test(access_follows_the_mode_as_for_files),
        cmocka_unit_test(access_owner_is_the_owner_root_or_the_daemon),
        cmocka_unit_test(descriptors_are_counted_up_to_the_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
