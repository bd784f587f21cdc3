/* account: what is charged, what is refused, and who may. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "daemon/account/account.h"

/* The sentence for the last refusal has that in it. */
static void expect_refusal(const struct accounts *accounts, const char *words)
{
    struct buffer text = {0};
    refusal_print(&accounts->refusal, &text);
    (void)buffer_append(&text, "", 1);
    if (strstr((const char *)text.data, words) == NULL) {
        fail_msg("%s: not in: %s", words, (const char *)text.data);
    }
    buffer_deinit(&text);
}

static void user_charge_is_refused_at_the_users_limit(void **state)
{
    (void)state;
    struct accounts accounts;
    accounts_init(&accounts, 0);
    accounts.limits.max_user_bytes = 100;
    struct user *user = accounts_user(&accounts, 7);
    assert_int_equal(user_charge(user, 100), 0);
    assert_int_equal(user_charge(user, 1), ERR_LIMIT);
    assert_int_equal(user->bytes, 100);
    assert_string_equal(accounts.refusal.limit->name, "max_user_bytes");
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
    (void)state;
    struct accounts accounts;
    accounts_init(&accounts, 2);
    accounts.limits.max_bytes = 100;
    struct user *a = accounts_user(&accounts, 0);
    struct user *b = accounts_user(&accounts, 2);
    assert_int_equal(user_charge(a, 60), 0);
    assert_int_equal(user_charge(b, 60), ERR_LIMIT);
    assert_string_equal(accounts.refusal.limit->name, "max_bytes");
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
    accounts_init(&accounts, 0);
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
    (void)state;
    struct accounts accounts;
    accounts_init(&accounts, 0);
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
    (void)state;
    struct accounts accounts;
    accounts_init(&accounts, 0);
    accounts.limits.max_waiting = 2;
    assert_int_equal(accounts_admit(&accounts, 1, LIMIT_max_waiting), 0);
    assert_int_equal(accounts_admit(&accounts, 2, LIMIT_max_waiting), ERR_LIMIT);
    expect_refusal(&accounts, "max_waiting: 2 of 2");
    assert_int_equal(accounts_admit(&accounts, UINT64_MAX, LIMIT_max_waiting), ERR_LIMIT);
    accounts_deinit(&accounts);
}

static void a_user_is_held_to_a_limit_of_its_own_and_others_are_not(void **state)
{
    (void)state;
    struct accounts accounts;
    accounts_init(&accounts, 5);
    accounts.limits.max_sessions = 100;
    accounts.limits.max_user_sessions = 2;
    struct user *a = accounts_user(&accounts, 1);
    struct user *b = accounts_user(&accounts, 2);
    struct user *self = accounts_user(&accounts, 5);
    assert_int_equal(user_take(a, RESOURCE_SESSIONS, 1), 0);
    assert_int_equal(user_take(a, RESOURCE_SESSIONS, 1), 0);
    assert_int_equal(user_take(a, RESOURCE_SESSIONS, 1), ERR_LIMIT);
    expect_refusal(&accounts, "max_user_sessions: user 1 has 2 of 2 sessions");
    assert_int_equal(accounts.sessions, 2);
    assert_int_equal(user_take(a, RESOURCE_OBJECTS, 1), 0); /* each resource has its own */
    assert_int_equal(user_take(b, RESOURCE_SESSIONS, 1), 0);
    for (int i = 0; i < 3; i++) { /* only the limits in all hold for the daemon's own user */
        assert_int_equal(user_take(self, RESOURCE_SESSIONS, 1), 0);
    }
    assert_int_equal(accounts.sessions, 6);
    user_give_back(a, RESOURCE_SESSIONS, 1);
    assert_int_equal(user_take(a, RESOURCE_SESSIONS, 1), 0);
    struct user *all[] = {a, b, self};
    for (size_t i = 0; i < 3; i++) {
        while (all[i]->sessions > 0) {
            user_give_back(all[i], RESOURCE_SESSIONS, 1);
        }
    }
    user_give_back(a, RESOURCE_OBJECTS, 1);
    assert_int_equal(accounts.sessions + accounts.objects, 0);
    user_unref(a);
    user_unref(b);
    user_unref(self);
    accounts_deinit(&accounts);
}

/* Takes until it is refused; how many it were. */
static uint64_t take_all(struct user *user, enum resource resource)
{
    uint64_t taken = 0;
    while (user_take(user, resource, 1) == 0) {
        taken++;
    }
    return taken;
}

static void others_cannot_use_up_the_reserve_of_root_and_the_daemons_user(void **state)
{
    (void)state;
    static const enum resource resources[] = {RESOURCE_SESSIONS, RESOURCE_OBJECTS,
                                              RESOURCE_DESCRIPTORS};
    struct accounts accounts;
    accounts_init(&accounts, 5);
    struct limits *limits = &accounts.limits;
    limits->max_sessions = limits->max_objects = limits->max_descriptors = 33;
    limits->max_user_sessions = limits->max_user_objects = limits->max_user_descriptors = 33;
    struct user *other = accounts_user(&accounts, 1);
    struct user *root = accounts_user(&accounts, 0);
    struct user *self = accounts_user(&accounts, 5);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(take_all(other, resources[i]), 31);
        expect_refusal(&accounts, "31 of 33 are in use, 2 are kept for root");
        assert_int_equal(user_take(self, resources[i], 1), 0);
        assert_int_equal(take_all(root, resources[i]), 1);
        expect_refusal(&accounts, "33 of 33 are in use and this");
        user_give_back(self, resources[i], 1);
        user_give_back(root, resources[i], 1);
        for (int j = 0; j < 31; j++) {
            user_give_back(other, resources[i], 1);
        }
    }
    limits->max_bytes = limits->max_user_bytes = 1600;
    assert_int_equal(user_charge(other, 1501), ERR_LIMIT);
    assert_int_equal(user_charge(other, 1500), 0);
    assert_int_equal(user_charge(root, 101), ERR_LIMIT);
    assert_int_equal(user_charge(root, 100), 0);
    user_release(root, 100);
    user_release(other, 1500);
    user_unref(other);
    user_unref(root);
    user_unref(self);
    accounts_deinit(&accounts);
}

static void a_reserve_is_a_sixteenth_and_one_at_least(void **state)
{
    (void)state;
    assert_int_equal(limit_reserve(0), 0);
    assert_int_equal(limit_reserve(1), 0);
    assert_int_equal(limit_reserve(2), 1);
    assert_int_equal(limit_reserve(31), 1);
    assert_int_equal(limit_reserve(32), 2);
    assert_int_equal(limit_reserve(UINT64_MAX), UINT64_MAX / 16);
}

static void a_limit_for_each_user_is_half_of_that_in_all_and_never_more_than_it(void **state)
{
    (void)state;
    struct limits limits;
    limits_init(&limits);
    limits.max_sessions = 7;
    limits.max_objects = 1;
    limits.max_descriptors = 0;
    assert_int_equal(limits_complete(&limits, 0), 0);
    assert_int_equal(limits.max_user_sessions, 4);
    assert_int_equal(limits.max_user_objects, 1);
    assert_int_equal(limits.max_user_descriptors, 0);
    assert_int_equal(limits.max_user_bytes, limits.max_bytes / 2);
    limits.max_user_sessions = 8;
    limits.max_user_bytes = 5;
    uint32_t given = 1U << LIMIT_max_user_sessions | 1U << LIMIT_max_user_bytes;
    assert_int_equal(limits_complete(&limits, given), 1U << LIMIT_max_user_sessions);
    assert_int_equal(limits.max_user_sessions, 7);
    assert_int_equal(limits.max_user_bytes, 5);
}

static void limits_that_are_not_given_follow_from_the_memory(void **state)
{
    (void)state;
    struct limits limits;
    limits_init(&limits);
    limits_fit_memory(&limits, 0, UINT64_C(32) << 30);
    limits_complete(&limits, 0);
    struct limits standard;
    limits_init(&standard);
    assert_memory_equal(&limits, &standard, sizeof(limits)); /* the standard is that of 32 GiB */
    limits_fit_memory(&limits, 0, UINT64_C(256) << 20);
    assert_int_equal(limits.max_bytes, 64 << 20);
    assert_int_equal(limits.max_sessions, 256);
    assert_int_equal(limits.max_message, 16 << 20);
    limits_fit_memory(&limits, 0, UINT64_C(64) << 20);
    assert_int_equal(limits.max_message, 4 << 20);
    limits_fit_memory(&limits, 0, UINT64_C(1) << 40);
    assert_int_equal(limits.max_bytes, UINT64_C(1) << 38);
    assert_int_equal(limits.max_sessions, 10000);
    assert_int_equal(limits.max_message, 16 << 20);
    limits.max_bytes = 7;
    limits.max_sessions = 8;
    limits.max_message = 9;
    limits_fit_memory(&limits, UINT32_MAX, UINT64_C(32) << 30);
    assert_int_equal(limits.max_bytes + limits.max_sessions + limits.max_message, 24);
}

static void limits_of_extreme_memory_are_within_their_bounds(void **state)
{
    (void)state;
    static const uint64_t memories[] = {0, 1, 65535, UINT64_MAX - 1, UINT64_MAX};
    struct limits limits;
    for (size_t i = 0; i < sizeof(memories) / sizeof(memories[0]); i++) {
        limits_init(&limits);
        limits_fit_memory(&limits, 0, memories[i]);
        for (size_t j = 0; j < LIMIT_COUNT; j++) {
            uint64_t limit = *limit_value(&limits, &limit_rows[j]);
            assert_true(limit_rows[j].least <= limit && limit <= limit_rows[j].most);
        }
    }
}

static void limits_are_made_to_fit_the_descriptors_of_the_process(void **state)
{
    (void)state;
    struct limits limits;
    limits_init(&limits);
    assert_true(limits_fit(&limits, limits.max_sessions + limits.max_descriptors));
    assert_true(limits_fit(&limits, UINT64_MAX));
    assert_int_equal(limits.max_sessions, 10000);
    limits.max_sessions = limits.max_descriptors = 300;
    limits.max_user_sessions = 150;
    assert_false(limits_fit(&limits, 599));
    assert_int_equal(limits.max_sessions + limits.max_descriptors, 599);
    assert_int_equal(limits.max_user_sessions, 149);
    for (size_t i = 0; i < LIMIT_COUNT; i++) {
        *limit_value(&limits, &limit_rows[i]) = limit_rows[i].most;
    }
    assert_false(limits_fit(&limits, 3));
    assert_int_equal(limits.max_sessions + limits.max_descriptors, 3);
    assert_false(limits_fit(&limits, 0));
    assert_int_equal(limits.max_sessions + limits.max_descriptors, 0);
}

static void limits_have_their_standard_values(void **state)
{
    (void)state;
    struct limits limits;
    limits_init(&limits);
    for (size_t i = 0; i < LIMIT_COUNT; i++) {
        const struct limit_row *row = &limit_rows[i];
        assert_int_equal(*limit_value(&limits, row), row->standard);
        assert_true(row->least <= row->standard && row->standard <= row->most);
    }
    assert_int_equal(limits.max_message, 16 * 1048576);
    struct limits completed = limits;
    assert_int_equal(limits_complete(&completed, 0), 0);
    assert_memory_equal(&completed, &limits, sizeof(limits));
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
    (void)state;
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
    (void)state;
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
    accounts_init(&accounts, 2);
    accounts.limits.max_descriptors = 3;
    struct user *a = accounts_user(&accounts, 0);
    struct user *b = accounts_user(&accounts, 2);
    assert_int_equal(user_take(a, RESOURCE_DESCRIPTORS, 2), 0);
    assert_int_equal(user_take(b, RESOURCE_DESCRIPTORS, 2), ERR_LIMIT);
    assert_string_equal(accounts.refusal.limit->name, "max_descriptors");
    assert_int_equal(user_take(b, RESOURCE_DESCRIPTORS, UINT64_MAX), ERR_LIMIT);
    assert_int_equal(user_take(b, RESOURCE_DESCRIPTORS, 1), 0);
    assert_int_equal(accounts.descriptors, 3);
    accounts.limits.max_descriptors = 0;
    assert_int_equal(user_take(a, RESOURCE_DESCRIPTORS, 1), ERR_LIMIT);
    user_give_back(a, RESOURCE_DESCRIPTORS, 2);
    user_give_back(b, RESOURCE_DESCRIPTORS, 1);
    assert_int_equal(user_take(a, RESOURCE_DESCRIPTORS, 1), ERR_LIMIT);
    accounts.limits.max_descriptors = UINT64_MAX;
    assert_int_equal(user_take(a, RESOURCE_DESCRIPTORS, UINT64_MAX), 0);
    assert_int_equal(user_take(b, RESOURCE_DESCRIPTORS, 1), ERR_LIMIT);
    user_give_back(a, RESOURCE_DESCRIPTORS, UINT64_MAX);
    user_unref(a);
    user_unref(b);
    accounts_deinit(&accounts);
}

static void what_is_handed_over_counts_for_the_receiver_alone(void **state)
{
    struct accounts accounts;
    accounts_init(&accounts, 0);
    accounts.limits.max_bytes = 120; /* 8 and 1 of them kept for root, which is no matter here */
    accounts.limits.max_user_bytes = 100;
    accounts.limits.max_user_objects = 2;
    accounts.limits.max_user_descriptors = 0;
    struct user *root = accounts_user(&accounts, 0);
    struct user *ann = accounts_user(&accounts, 7);
    const uint64_t thing[RESOURCE_COUNT] = {[RESOURCE_BYTES] = 60, [RESOURCE_OBJECTS] = 1};
    assert_int_equal(user_charge(root, 120), 0);
    assert_int_equal(user_take(root, RESOURCE_OBJECTS, 2), 0);
    assert_int_equal(user_hand_over(root, ann, thing), 0);
    assert_int_equal(root->bytes, 60);
    assert_int_equal(ann->bytes, 60);
    assert_int_equal(ann->objects, 1);
    assert_int_equal(accounts.bytes, 120);
    assert_int_equal(accounts.objects, 2);

    assert_int_equal(user_hand_over(root, ann, thing), ERR_LIMIT);
    expect_refusal(&accounts, "max_user_bytes: user 7 has 60 of 100 bytes and this needs 60 more");
    const uint64_t many[RESOURCE_COUNT] = {[RESOURCE_OBJECTS] = 2};
    assert_int_equal(user_hand_over(root, ann, many), ERR_LIMIT);
    expect_refusal(&accounts, "max_user_objects");
    const uint64_t last[RESOURCE_COUNT] = {[RESOURCE_BYTES] = 1, [RESOURCE_DESCRIPTORS] = 1};
    assert_int_equal(user_hand_over(root, ann, last), ERR_LIMIT);
    expect_refusal(&accounts, "max_user_descriptors");
    assert_int_equal(root->bytes, 60);
    assert_int_equal(ann->bytes, 60);
    assert_int_equal(ann->objects, 1);

    assert_int_equal(user_hand_over(ann, root, thing), 0);
    assert_int_equal(user_hand_over(ann, ann, (uint64_t[RESOURCE_COUNT]){0}), 0);
    assert_int_equal(ann->bytes + ann->objects, 0);
    user_release(root, 120);
    user_give_back(root, RESOURCE_OBJECTS, 2);
    user_unref(ann);
    user_unref(root);
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
        cmocka_unit_test(a_user_is_held_to_a_limit_of_its_own_and_others_are_not),
        cmocka_unit_test(others_cannot_use_up_the_reserve_of_root_and_the_daemons_user),
        cmocka_unit_test(a_reserve_is_a_sixteenth_and_one_at_least),
        cmocka_unit_test(a_limit_for_each_user_is_half_of_that_in_all_and_never_more_than_it),
        cmocka_unit_test(limits_that_are_not_given_follow_from_the_memory),
        cmocka_unit_test(limits_of_extreme_memory_are_within_their_bounds),
        cmocka_unit_test(limits_are_made_to_fit_the_descriptors_of_the_process),
        cmocka_unit_test(limits_have_their_standard_values),
        cmocka_unit_test(access_follows_the_mode_as_for_files),
        cmocka_unit_test(access_owner_is_the_owner_root_or_the_daemon),
        cmocka_unit_test(descriptors_are_counted_up_to_the_limit),
        cmocka_unit_test(what_is_handed_over_counts_for_the_receiver_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
