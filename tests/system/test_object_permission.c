/* Owner, mode and who may call what: connections of other users, made by processes of theirs. */
#include "tests/support/daemon.h"

#include <stdlib.h>

enum { ANN = 4001, BOB = 4002, CAT = 4003, TEAM = 4100, CREW = 4200 };

static int open_setup(void **state)
{
    *state = daemon_start(&(struct daemon_options){.args = {"--socket-mode", "0666"}});
    return 0;
}

static void may(struct rpc *who, const char *object, bool read, bool write)
{
    const char *params = rpc_text(who, "['%s']", object);
    if (read) {
        expect(who, "list.len", params, "_int");
    } else {
        expect_error_word(who, "list.len", params, "DENIED", "read");
    }
    if (write) {
        expect(who, "list.clear", params, "nil");
    } else {
        expect_error_word(who, "list.clear", params, "DENIED", "write");
    }
}

static void creator_is_the_owner(void **state)
{
    struct rpc *root = daemon_client(*state);
    struct rpc *ann = daemon_client_as(*state, ANN, TEAM, CREW);
    expect(ann, "list.open", "['l']", "{owner: 4001, group: 4100, mode: 432, ...}");
    expect(root, "list.open", "['l']", "{owner: 4001, group: 4100, ...}");
    expect(root, "object.describe", "['l']", "{owner: 4001, group: 4100, ...}");
}

static void others_have_nothing_by_default_and_the_group_everything(void **state)
{
    struct rpc *ann = daemon_client_as(*state, ANN, TEAM, 0);
    struct rpc *bob = daemon_client_as(*state, BOB, TEAM, 0);
    struct rpc *cat = daemon_client_as(*state, CAT, CAT, 0);
    expect(ann, "list.open", "['l']", "_map");
    may(ann, "l", true, true);
    may(bob, "l", true, true);
    may(cat, "l", false, false);
}

static void each_class_has_its_own_read_and_write_bit(void **state)
{
    struct rpc *ann = daemon_client_as(*state, ANN, TEAM, 0);
    struct rpc *bob = daemon_client_as(*state, BOB, TEAM, 0);
    struct rpc *cat = daemon_client_as(*state, CAT, CAT, 0);
    expect(ann, "list.open", "['l', {mode: 0}]", "{mode: 0, ...}");
    for (int bits = 0; bits < 4; bits++) {
        bool read = (bits & 2) != 0;
        bool write = (bits & 1) != 0;
        int mode = read * 4 + write * 2;
        expect(ann, "object.chmod", rpc_text(ann, "['l', %d]", mode << 6), "nil");
        may(ann, "l", read, write);
        may(bob, "l", false, false);
        may(cat, "l", false, false);
        expect(ann, "object.chmod", rpc_text(ann, "['l', %d]", mode << 3), "nil");
        may(ann, "l", false, false);
        may(bob, "l", read, write);
        may(cat, "l", false, false);
        expect(ann, "object.chmod", rpc_text(ann, "['l', %d]", mode), "nil");
        may(ann, "l", false, false);
        may(bob, "l", false, false);
        may(cat, "l", read, write);
    }
}

static void only_the_first_class_that_fits_counts(void **state)
{
    struct rpc *ann = daemon_client_as(*state, ANN, TEAM, 0);
    struct rpc *bob = daemon_client_as(*state, BOB, TEAM, 0);
    struct rpc *cat = daemon_client_as(*state, CAT, CAT, 0);
    expect(ann, "list.open", "['l', {mode: 54}]", "_map"); /* 0066 */
    may(ann, "l", false, false);
    may(bob, "l", true, true);
    expect(ann, "object.chmod", "['l', 390]", "nil"); /* 0606 */
    may(ann, "l", true, true);
    may(bob, "l", false, false);
    may(cat, "l", true, true);
}

static void supplementary_groups_count(void **state)
{
    struct rpc *ann = daemon_client_as(*state, ANN, TEAM, 0);
    struct rpc *bob = daemon_client_as(*state, BOB, BOB, TEAM);
    struct rpc *cat = daemon_client_as(*state, CAT, CAT, CREW);
    expect(ann, "list.open", "['l', {mode: 432}]", "_map");
    may(bob, "l", true, true);
    may(cat, "l", false, false);
}

static void root_may_do_everything(void **state)
{
    struct rpc *root = daemon_client(*state);
    struct rpc *ann = daemon_client_as(*state, ANN, ANN, 0);
    expect(ann, "list.open", "['l', {mode: 0}]", "_map");
    may(root, "l", true, true);
    expect(root, "object.chmod", "['l', 256]", "nil");
    expect(root, "object.delete", "['l']", "nil");
}

static void daemons_own_user_may_do_everything(void **state)
{
    struct daemon *daemon =
        daemon_start(&(struct daemon_options){.args = {"--socket-mode", "0666"}, .uid = BOB});
    *state = daemon;
    struct rpc *ann = daemon_client_as(daemon, ANN, ANN, 0);
    struct rpc *bob = daemon_client_as(daemon, BOB, CREW, 0);
    struct rpc *cat = daemon_client_as(daemon, CAT, CAT, 0);
    expect(ann, "list.open", "['l', {mode: 0}]", "_map");
    may(bob, "l", true, true);
    may(cat, "l", false, false);
    expect(bob, "object.delete", "['l']", "nil");
}

/* What the contract says of each method: those that change nothing need read, all others write. */
struct rule {
    const char *method;
    const char *params;
};

static const struct rule readers[] = {
    {"queue.join", "['q', 0]"}, {"queue.qsize", "['q']"},      {"queue.empty", "['q']"},
    {"queue.full", "['q']"},    {"queue.peek", "['q']"},       {"dict.get", "['d', 'k']"},
    {"queue.taken", "['q']"},   {"dict.contains", "['d', 1]"}, {"dict.len", "['d']"},
    {"dict.keys", "['d']"},     {"dict.values", "['d']"},      {"dict.items", "['d']"},
    {"dict.copy", "['d']"},     {"dict.scan", "['d', 0]"},     {"dict.wait", "['d', 'k', 0]"},
    {"list.get", "['l', 0]"},   {"list.slice", "['l']"},       {"list.len", "['l']"},
    {"list.index", "['l', 1]"}, {"list.count", "['l', 1]"},    {"list.contains", "['l', 1]"},
};

static const struct rule writers[] = {
    {"queue.put", "['q', 1, 0]"},
    {"queue.put_many", "['q', [1], 0]"},
    {"queue.get", "['q', 0]"},
    {"queue.get_many", "['q', 1, 0]"},
    {"queue.task_done", "['q']"},
    {"queue.give_back", "['q', 1]"},
    {"queue.touch", "['q', 1]"},
    {"queue.clear", "['q']"},
    {"queue.pause", "['q']"},
    {"queue.resume", "['q']"},
    {"queue.shutdown", "['q']"},
    {"dict.set", "['d', 1, 2]"},
    {"dict.update", "['d', {}]"},
    {"dict.setdefault", "['d', 1]"},
    {"dict.delete", "['d', 'k']"},
    {"dict.pop", "['d', 'k']"},
    {"dict.popitem", "['d']"},
    {"dict.clear", "['d']"},
    {"dict.incr", "['d', 'n']"},
    {"dict.cas", "['d', 1, [], [2]]"},
    {"list.append", "['l', 1]"},
    {"list.extend", "['l', [1]]"},
    {"list.insert", "['l', 0, 1]"},
    {"list.delete", "['l', 0]"},
    {"list.set", "['l', 0, 1]"},
    {"list.pop", "['l']"},
    {"list.set_slice", "['l', 0, 0, nil, []]"},
    {"list.delete_slice", "['l', 0, 0]"},
    {"list.clear", "['l']"},
    {"list.remove", "['l', 1]"},
    {"list.reverse", "['l']"},
    {"list.sort", "['l']"},
    {"list.repeat", "['l', 1]"},
    {"list.incr", "['l', 0]"},
};

static void open_all(struct rpc *ann, int mode)
{
    expect(ann, "queue.open", rpc_text(ann, "['q', {mode: %d, joinable: true}]", mode), "_map");
    expect(ann, "dict.open", rpc_text(ann, "['d', {mode: %d, initial: {k: 1, n: 2}}]", mode),
           "_map");
    expect(ann, "list.open", rpc_text(ann, "['l', {mode: %d, initial: [1, 2]}]", mode), "_map");
}

static void methods_that_change_nothing_need_read(void **state)
{
    struct rpc *ann = daemon_client_as(*state, ANN, TEAM, 0);
    struct rpc *bob = daemon_client_as(*state, BOB, BOB, 0);
    open_all(ann, 0622);
    for (size_t i = 0; i < sizeof(readers) / sizeof(readers[0]); i++) {
        expect_error_word(bob, readers[i].method, readers[i].params, "DENIED", "read");
    }
    expect(ann, "object.chmod", "['q', 388]", "nil"); /* 0604 */
    expect(ann, "object.chmod", "['d', 388]", "nil");
    expect(ann, "object.chmod", "['l', 388]", "nil");
    for (size_t i = 0; i < sizeof(readers) / sizeof(readers[0]); i++) {
        expect(bob, readers[i].method, readers[i].params, "_");
    }
}

static void all_other_methods_need_write(void **state)
{
    struct rpc *ann = daemon_client_as(*state, ANN, TEAM, 0);
    struct rpc *bob = daemon_client_as(*state, BOB, BOB, 0);
    open_all(ann, 0644);
    for (size_t i = 0; i < sizeof(writers) / sizeof(writers[0]); i++) {
        expect_error_word(bob, writers[i].method, writers[i].params, "DENIED", "write");
    }
    expect(ann, "queue.qsize", "['q']", "0");
    expect(ann, "dict.copy", "['d']", "{k: 1, n: 2}");
    expect(ann, "list.slice", "['l']", "[1, 2]");
    expect(ann, "object.chmod", "['d', 386]", "nil"); /* 0602 */
    expect(bob, "dict.set", "['d', 1, 2]", "true");
    expect(bob, "dict.incr", "['d', 'n']", "3");
    expect(bob, "dict.pop", "['d', 'k']", "1");
}

static void delete_and_chmod_are_for_the_owner(void **state)
{
    struct rpc *ann = daemon_client_as(*state, ANN, TEAM, 0);
    struct rpc *bob = daemon_client_as(*state, BOB, TEAM, 0);
    expect(ann, "list.open", "['l', {mode: 438}]", "_map"); /* 0666 */
    may(bob, "l", true, true);
    expect_error(bob, "object.delete", "['l']", "DENIED");
    expect_error(bob, "object.chmod", "['l', 438]", "DENIED");
    expect_error(bob, "object.rename", "['l', '{l}m']", "DENIED");
    expect(ann, "object.chmod", "['l', 0]", "nil");
    expect(ann, "object.describe", "['l']", "{mode: 0, ...}");
    expect(ann, "object.delete", "['l']", "nil");
}

static void users_share_by_a_group_that_both_are_in(void **state)
{
    struct rpc *ann = daemon_client_as(*state, ANN, TEAM, CREW);
    struct rpc *bob = daemon_client_as(*state, BOB, BOB, CREW);
    struct rpc *cat = daemon_client_as(*state, CAT, CAT, TEAM);
    expect(ann, "list.open", rpc_text(ann, "['l', {group: %d}]", CREW),
           "{owner: 4001, group: 4200, ...}");
    may(ann, "l", true, true);
    may(bob, "l", true, true);
    may(cat, "l", false, false);
    expect_error_word(ann, "list.open", rpc_text(ann, "['m', {group: %d}]", CAT), "DENIED",
                      "not in group 4003");
    expect(ann, "object.chown", rpc_text(ann, "['l', nil, %d]", TEAM), "nil");
    may(bob, "l", false, false);
    may(cat, "l", true, true);
    expect_error(cat, "object.chown", rpc_text(cat, "['l', nil, %d]", CAT), "DENIED");
    expect_error_word(ann, "object.chown", rpc_text(ann, "['l', %d]", BOB), "DENIED", "root");
}

static void root_gives_an_object_to_another_user(void **state)
{
    struct rpc *root = daemon_client(*state);
    struct rpc *ann = daemon_client_as(*state, ANN, TEAM, 0);
    struct rpc *bob = daemon_client_as(*state, BOB, BOB, 0);
    expect(ann, "list.open", "['l', {mode: 384, initial: [1]}]", "_map"); /* 0600 */
    may(bob, "l", false, false);
    expect(root, "object.chown", rpc_text(root, "['l', %d, %d]", BOB, CREW), "nil");
    expect(ann, "object.describe", "['l']", "{owner: 4002, group: 4200, ...}");
    may(ann, "l", false, false);
    may(bob, "l", true, true);
    expect_error(ann, "object.delete", "['l']", "DENIED");
    expect(bob, "object.delete", "['l']", "nil");
}

static void mode_is_checked_at_each_call(void **state)
{
    struct rpc *ann = daemon_client_as(*state, ANN, TEAM, 0);
    struct rpc *bob = daemon_client_as(*state, BOB, TEAM, 0);
    expect(ann, "list.open", "['l']", "_map");
    expect(bob, "list.open", "['l']", "_map");
    may(bob, "l", true, true);
    expect(ann, "object.chmod", "['l', 416]", "nil"); /* 0640 */
    may(bob, "l", true, false);
    expect(ann, "object.chmod", "['l', 384]", "nil"); /* 0600 */
    may(bob, "l", false, false);
    expect(ann, "object.chmod", "['l', 432]", "nil"); /* 0660 */
    may(bob, "l", true, true);
}

static void names_and_descriptions_are_visible_to_all(void **state)
{
    struct rpc *ann = daemon_client_as(*state, ANN, TEAM, 0);
    struct rpc *bob = daemon_client_as(*state, BOB, BOB, 0);
    expect(ann, "list.open", "['l', {mode: 0, initial: [1]}]", "_map");
    expect(bob, "object.describe", "['l']", "{name: 'l', owner: 4001, size: 1, mode: 0, ...}");
    expect(bob, "object.list", "[]", "{objects: [{name: 'l', size: 1, ...}], ...}");
}

static void refused_call_changes_and_waits_for_nothing(void **state)
{
    struct rpc *ann = daemon_client_as(*state, ANN, TEAM, 0);
    struct rpc *bob = daemon_client_as(*state, BOB, BOB, 0);
    expect(ann, "queue.open", "['q', {mode: 384}]", "_map");
    expect_error(bob, "queue.get", "['q']", "DENIED");
    expect_error(bob, "queue.put", "['q', 1]", "DENIED");
    expect_error(bob, "queue.join", "['q']", "DENIED");
    expect(ann, "object.describe", "['q']", "{waiting: 0, size: 0, ...}");
}

#define open_test(function) cmocka_unit_test_setup_teardown(function, open_setup, daemon_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        open_test(creator_is_the_owner),
        open_test(others_have_nothing_by_default_and_the_group_everything),
        open_test(each_class_has_its_own_read_and_write_bit),
        open_test(only_the_first_class_that_fits_counts),
        open_test(supplementary_groups_count),
        open_test(root_may_do_everything),
        cmocka_unit_test_teardown(daemons_own_user_may_do_everything, daemon_teardown),
        open_test(methods_that_change_nothing_need_read),
        open_test(all_other_methods_need_write),
        open_test(delete_and_chmod_are_for_the_owner),
        open_test(users_share_by_a_group_that_both_are_in),
        open_test(root_gives_an_object_to_another_user),
        open_test(mode_is_checked_at_each_call),
        open_test(names_and_descriptions_are_visible_to_all),
        open_test(refused_call_changes_and_waits_for_nothing),
    };
    return cmocka_run_group_tests_name("object permission", tests, NULL, NULL);
}
