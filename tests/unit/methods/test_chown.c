/* Owner and group of an object: object.chown, and the option group of every open. */
#include "tests/support/stage.h"

#include <stdlib.h>
#include <string.h>

enum { ROOT = 0, ANN = 1001, BOB = 1002, CAT = 1003, TEAM = 1100 };

static int set_up(void **state)
{
    *state = stage_new();
    return 0;
}

static int tear_down(void **state)
{
    stage_free(*state);
    return 0;
}

/* A session of a user who is in a group besides that of the user's own number. */
static struct actor *member(struct stage *stage, uid_t uid, gid_t group)
{
    struct actor *actor = actor_new(stage, uid);
    struct credentials *credentials = &actor->session.credentials;
    credentials->groups = malloc(sizeof(gid_t));
    assert_non_null(credentials->groups);
    credentials->groups[0] = group;
    credentials->ngroups = 1;
    session_charge_memory(&actor->session);
    return actor;
}

static struct user *account_of(struct actor *actor)
{
    return actor->session.user;
}

static void open_takes_a_group_that_the_caller_is_in(void **state)
{
    struct actor *ann = member(*state, ANN, TEAM);
    struct actor *bob = member(*state, BOB, TEAM);
    struct actor *cat = actor_new(*state, CAT);
    check(ann, "list.open", "['l', {group: 1100}]", "{owner: 1001, group: 1100, mode: 432, ...}");
    check(bob, "list.append", "['l', 1]", "1");
    check_error(cat, "list.len", "['l']", "DENIED");
    check(ann, "list.open", "['own', {group: 1001}]", "{group: 1001, ...}");
    check(ann, "list.open", "['standard', {group: nil}]", "{group: 1001, ...}");
    check_fails(ann, "list.open", "['other', {group: 1003}]",
                "['DENIED', 'list.open: user 1001 is not in group 1003; only root and the "
                "daemon\\'s own user (0) may give an object a group that they are not in']");
    check_error(ann, "object.describe", "['other']", "NOT_FOUND");
    actor_leave(ann);
    actor_leave(bob);
    actor_leave(cat);
}

static void open_compares_the_group(void **state)
{
    struct actor *ann = member(*state, ANN, TEAM);
    struct actor *root = actor_new(*state, ROOT);
    check(ann, "queue.open", "['q', {group: 1100}]", "{group: 1100, ...}");
    check(ann, "queue.open", "['q', {group: 1100, create: false}]", "{group: 1100, ...}");
    check(root, "queue.open", "['q', {group: 1100}]", "{group: 1100, ...}");
    check_error(ann, "queue.open", "['q', {group: 1001}]", "MISMATCH");
    check_error(root, "queue.open", "['q', {group: 0}]", "MISMATCH");
    actor_leave(ann);
    actor_leave(root);
}

static void a_group_may_be_given_by_its_name(void **state)
{
    struct actor *root = actor_new(*state, ROOT);
    struct actor *ann = actor_new(*state, ANN);
    check(root, "dict.open", "['d', {group: 'root'}]", "{group: 0, ...}");
    check(root, "dict.open", "['e', {group: 5}]", "{group: 5, ...}");
    check(root, "object.chown", "['e', nil, 'root']", "nil");
    check(root, "object.describe", "['e']", "{owner: 0, group: 0, ...}");
    check_error(ann, "dict.open", "['f', {group: 'root'}]", "DENIED");
    check_fails(root, "dict.open", "['f', {group: 'no such group'}]",
                "['BAD_REQUEST', 'dict.open: option group: there is no group \"no such group\" in "
                "/etc/group, where the daemon looks; a gid is always understood']");
    check_error(root, "dict.open", "['d', {group: 'no such group'}]", "BAD_REQUEST");
    check_error(root, "dict.open", "['f', {group: ''}]", "BAD_REQUEST");
    check_error(root, "object.chown", "['e', nil, 'no such group']", "BAD_REQUEST");
    check(root, "object.describe", "['e']", "{group: 0, ...}");
    actor_leave(root);
    actor_leave(ann);
}

static void a_uid_and_a_gid_have_32_bits_and_one_of_them_is_nobody(void **state)
{
    struct actor *root = actor_new(*state, ROOT);
    check(root, "event.open", "['e', {group: 4294967294}]", "{group: 4294967294, ...}");
    check(root, "object.chown", "['e', 4294967294, 0]", "nil");
    check(root, "object.describe", "['e']", "{owner: 4294967294, group: 0, ...}");
    static const char *const wrong[] = {
        "4294967295", "4294967296", "9223372036854775807", "18446744073709551615", "-1", "1.5",
        "true",       "[]"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        char params[64];
        (void)snprintf(params, sizeof(params), "['e', %s]", wrong[i]);
        check_error(root, "object.chown", params, "BAD_REQUEST");
        (void)snprintf(params, sizeof(params), "['e', nil, %s]", wrong[i]);
        check_error(root, "object.chown", params, "BAD_REQUEST");
        (void)snprintf(params, sizeof(params), "['f', {group: %s}]", wrong[i]);
        check_error(root, "event.open", params, "BAD_REQUEST");
    }
    check_error(root, "object.chown", "['e', 'root']", "BAD_REQUEST");
    check(root, "object.describe", "['e']", "{owner: 4294967294, group: 0, ...}");
    actor_leave(root);
}

static void the_owner_may_give_a_group_and_only_root_another_user(void **state)
{
    struct actor *root = actor_new(*state, ROOT);
    struct actor *ann = member(*state, ANN, TEAM);
    struct actor *bob = member(*state, BOB, TEAM);
    check(ann, "lock.open", "['l', {mode: 511}]", "{owner: 1001, group: 1001, ...}");
    check_error(bob, "object.chown", "['l', 1002]", "DENIED");
    check_error(bob, "object.chown", "['l', nil, 1100]", "DENIED");
    check_error(bob, "object.chown", "['l']", "DENIED");
    check_fails(
        ann, "object.chown", "['l', 1002]",
        "['DENIED', 'object.chown: only root and the daemon\\'s own user (0) may give \"l\" "
        "to another user; the caller is user 1001']");
    check_error(ann, "object.chown", "['l', 1002, 1100]", "DENIED");
    check_error(ann, "object.chown", "['l', nil, 1002]", "DENIED");
    check(ann, "object.describe", "['l']", "{owner: 1001, group: 1001, ...}");
    check(ann, "object.chown", "['l', 1001, 1100]", "nil");
    check(ann, "object.describe", "['l']", "{owner: 1001, group: 1100, ...}");
    check(root, "object.chown", "['l', nil, 1003]", "nil");
    check(ann, "object.chown", "['l', 1001, 1003]", "nil"); /* what it has anyway */
    check(ann, "object.chown", "['l']", "nil");
    check(root, "object.chown", "['l', 1002]", "nil");
    check(root, "object.describe", "['l']", "{owner: 1002, group: 1003, ...}");
    check_error(ann, "object.chmod", "['l', 0]", "DENIED");
    check(bob, "object.chown", "['l', nil, 1100]", "nil");
    check_error(root, "object.chown", "['none', 1]", "NOT_FOUND");
    actor_leave(root);
    actor_leave(ann);
    actor_leave(bob);
}

static void the_daemons_own_user_may_give_everything(void **state)
{
    struct stage *stage = *state;
    stage->service.accounts.self = BOB;
    struct actor *ann = actor_new(stage, ANN);
    struct actor *bob = actor_new(stage, BOB);
    check(ann, "lock.open", "['l']", "_map");
    check(bob, "object.chown", "['l', 1003, 7]", "nil");
    check(bob, "object.describe", "['l']", "{owner: 1003, group: 7, ...}");
    check(bob, "lock.open", "['m', {group: 7}]", "{owner: 1002, group: 7, ...}");
    actor_leave(ann);
    actor_leave(bob);
}

static void what_an_object_costs_goes_with_it(void **state)
{
    only_here(*state, "an engine has no quotas");
    struct stage *stage = *state;
    struct actor *root = actor_new(stage, ROOT);
    struct actor *ann = actor_new(stage, ANN);
    struct actor *bob = actor_new(stage, BOB);
    check(ann, "queue.open", "['q', {joinable: true}]", "_map");
    check(ann, "queue.put_many", "['q', [1, 'x'*10000, 3]]", "3");
    check(ann, "queue.get", "['q']", "[1, 1, 1]");
    uint64_t bob_before = account_of(bob)->bytes;
    uint64_t sum = stage->service.accounts.bytes;
    const struct object *q = registry_find(&stage->service.registry, slice_of_string("q"));
    uint64_t cost = q->bytes + object_overhead(q);
    assert_true(cost > 10000);
    check(root, "object.chown", "['q', 1002]", "nil");
    assert_int_equal(account_of(bob)->bytes, bob_before + cost);
    assert_int_equal(account_of(bob)->objects, 1);
    assert_int_equal(account_of(ann)->objects, 0);
    assert_int_equal(stage->service.accounts.bytes, sum);
    check(ann, "queue.task_done", "['q', 1]", "2"); /* what is put and taken after that, too */
    check(bob, "queue.clear", "['q']", "2");
    check(bob, "object.delete", "['q']", "nil");
    assert_int_equal(account_of(ann)->bytes, ann->session.charged.bytes); /* nothing else */
    assert_int_equal(account_of(bob)->bytes, bob->session.charged.bytes);
    actor_leave(root);
    actor_leave(ann);
    actor_leave(bob);
}

static void the_limits_of_the_new_owner_hold(void **state)
{
    only_here(*state, "an engine has no quotas");
    struct stage *stage = *state;
    struct limits *limits = &stage->service.accounts.limits;
    struct actor *root = actor_new(stage, ROOT);
    struct actor *ann = actor_new(stage, ANN);
    struct actor *bob = actor_new(stage, BOB);
    check(root, "list.open", "['l', {initial: ['x'*10000], mode: 511, group: 3}]", "_map");
    limits->max_user_bytes = account_of(bob)->bytes + 10000;
    check_error(root, "object.chown", "['l', 1002, 4]", "LIMIT");
    check(root, "object.describe", "['l']", "{owner: 0, group: 3, ...}");
    limits->max_user_bytes += 10000;
    limits->max_user_objects = 0;
    check_error(root, "object.chown", "['l', 1002]", "LIMIT");
    limits->max_user_objects = 1;
    check(root, "object.chown", "['l', 1002]", "nil");
    check_error(bob, "list.append", "['l', 'x'*10000]", "LIMIT");
    check(root, "list.clear", "['l']", "nil");
    check(root, "object.chown", "['l', 1001, 1001]", "nil");
    limits->max_user_bytes = 0;
    check(root, "object.chown", "['l', 1001, 7]", "nil"); /* the same owner costs nothing */
    check(root, "object.chown", "['l', 0]", "nil");       /* root is held to none of these */
    actor_leave(root);
    actor_leave(ann);
    actor_leave(bob);
}

static void descriptors_that_an_object_has_made_go_with_it(void **state)
{
    struct stage *stage = *state;
    struct actor *root = actor_new(stage, ROOT);
    struct actor *ann = actor_new(stage, ANN);
    check(root, "array.open", "['a', {typecode: 'i', size: 10}]", "_map");
    check(root, "value.open", "['v', {typecode: 'i'}]", "_map");
    check(root, "pipe.open", "['p']", "_map");
    check(root, "pipe.open", "['new']", "_map");
    uint32_t connect = actor_send(root, "pipe.connect", "['p']"); /* one end of two leaves */
    check_answer(root, connect, "[_ext, 0]");
    uint64_t descriptors = account_of(root)->descriptors;
    assert_true(descriptors >= 3);
    stage->service.accounts.limits.max_user_descriptors = 0;
    check_error(root, "object.chown", "['a', 1001]", "LIMIT");
    check_error(root, "object.chown", "['p', 1001]", "LIMIT");
    check(root, "object.chown", "['new', 1001]", "nil"); /* it has made none yet */
    stage->service.accounts.limits.max_user_descriptors = descriptors;
    check(root, "object.chown", "['a', 1001]", "nil");
    check(root, "object.chown", "['v', 1001]", "nil");
    check(root, "object.chown", "['p', 1001]", "nil");
    assert_int_equal(account_of(root)->descriptors, 0);
    assert_int_equal(account_of(ann)->descriptors, descriptors);
    check(ann, "array.set", "['a', 0, 7]", "nil");
    check(root, "object.delete", "['a']", "nil");
    check(root, "object.delete", "['v']", "nil");
    check(root, "object.delete", "['p']", "nil");
    assert_int_equal(account_of(ann)->descriptors, 0);
    actor_leave(root);
    actor_leave(ann);
}

static void who_loses_the_right_is_told_at_once(void **state)
{
    only_here(*state, "what others have open is not known there");
    struct actor *root = actor_new(*state, ROOT);
    struct actor *ann = actor_new(*state, ANN);
    struct actor *bob = member(*state, BOB, TEAM);
    check(ann, "event.open", "['e', {lifetime: 'scoped'}]", "_map");
    check(ann, "object.watch", "['e']", "nil");
    check(root, "object.chown", "['e', nil, 1100]", "nil");
    check(bob, "object.watch", "['e']", "nil");
    check(bob, "event.open", "['e']", "_map");
    check(root, "object.chown", "['e', 1003]", "nil");
    check_events(ann, "[['e', 'denied', {}]]");
    check_events(bob, "[]");
    check(bob, "session.describe", "[]", "{open: ['e'], ...}");
    check(ann, "session.describe", "[]", "{open: [], ...}");
    check(root, "object.chown", "['e', nil, 5]", "nil"); /* nobody has it open any more */
    check_error(root, "object.describe", "['e']", "NOT_FOUND");
    actor_leave(root);
    actor_leave(ann);
    actor_leave(bob);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(open_takes_a_group_that_the_caller_is_in),
        TEST(open_compares_the_group),
        TEST(a_group_may_be_given_by_its_name),
        TEST(a_uid_and_a_gid_have_32_bits_and_one_of_them_is_nobody),
        TEST(the_owner_may_give_a_group_and_only_root_another_user),
        TEST(the_daemons_own_user_may_give_everything),
        TEST(what_an_object_costs_goes_with_it),
        TEST(the_limits_of_the_new_owner_hold),
        TEST(descriptors_that_an_object_has_made_go_with_it),
        TEST(who_loses_the_right_is_told_at_once),
    };
    return cmocka_run_group_tests_name("chown", tests, NULL, NULL);
}
