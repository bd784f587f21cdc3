/* Answers that wait for the disk: until the commit in which what they tell of is written is there.
 */
#include "tests/support/stage.h"

#include "daemon/call/commits.h"

/* A disk that is done by hand. */
struct disk {
    struct stage *stage;
    bool is_full;
    uint64_t promised;
};

static bool promise(void *data, uint64_t bytes, bool frees)
{
    struct disk *disk = data;
    disk->promised += bytes;
    return !disk->is_full || frees;
}

static int set_up(void **state)
{
    struct disk *disk = calloc(1, sizeof(*disk));
    assert_non_null(disk);
    disk->stage = stage_new();
    disk->stage->service.commits.next = 1;
    disk->stage->service.commits.keeper = (struct keeper){.promise = promise, .data = disk};
    *state = disk;
    return 0;
}

static int tear_down(void **state)
{
    struct disk *disk = *state;
    struct registry *registry = &disk->stage->service.registry;
    struct object *object;
    while ((object = registry_next_changed(registry, object_is_working)) != NULL) {
        object_unref(object);
    }
    stage_free(disk->stage);
    free(disk);
    return 0;
}

/* All that has changed is on its way to the disk now. */
static void begin_commit(struct disk *disk)
{
    struct service *service = &disk->stage->service;
    struct object *object;
    while ((object = registry_next_changed(&service->registry, object_is_working)) != NULL) {
        object->commit = service->commits.next;
        object->unsaved = 0;
        object_unref(object);
    }
    service_commits(service);
}

static void end_commit(struct disk *disk)
{
    service_committed(&disk->stage->service, disk->stage->service.commits.synced + 1);
}

/* A session with a durable dict 'd' that is on disk, and one key in it. */
static struct actor *with_dict(struct disk *disk)
{
    struct actor *a = actor_new(disk->stage, 0);
    check(a, "dict.open", "['d', {lifetime: 'durable'}]", "_map");
    check(a, "dict.set", "['d', 'old', 1]", "true");
    begin_commit(disk);
    end_commit(disk);
    return a;
}

/* How much an actor could be sent, and how much it has been answered. */
static uint64_t sendable(const struct actor *actor)
{
    return session_sendable(&actor->session);
}
static uint64_t unsent(const struct actor *actor)
{
    return session_unsent(&actor->session);
}
#define assert_waits(actor) assert_int_equal(sendable(actor), 0)
#define assert_may_leave(actor) assert_int_equal(sendable(actor), unsent(actor))

static void answer_waits_until_its_change_is_on_disk(void **state)
{
    struct disk *disk = *state;
    struct actor *a = with_dict(disk);
    (void)actor_send(a, "dict.set", "['d', 'k', 1]");
    assert_true(unsent(a) > 0);
    assert_waits(a);
    begin_commit(disk);
    assert_waits(a);
    end_commit(disk);
    assert_may_leave(a);
    actor_read(a);
    actor_leave(a);
}

static void what_was_answered_before_may_leave_and_what_comes_behind_waits(void **state)
{
    struct disk *disk = *state;
    struct actor *a = with_dict(disk);
    (void)actor_send(a, "server.ping", "[]");
    uint64_t before = unsent(a);
    (void)actor_send(a, "dict.set", "['d', 'k', 1]");
    (void)actor_send(a, "server.ping", "[]");
    assert_int_equal(sendable(a), before);
    output_sent(&a->session.output, before);
    (void)session_sent(&a->session, before);
    assert_waits(a);
    begin_commit(disk);
    end_commit(disk);
    assert_may_leave(a);
    actor_leave(a);
}

static void whoever_sees_a_change_waits_for_it_too(void **state)
{
    struct disk *disk = *state;
    struct actor *a = with_dict(disk);
    struct actor *b = actor_new(disk->stage, 0);
    struct actor *c = actor_new(disk->stage, 0);
    check(c, "dict.open", "['other', {lifetime: 'durable'}]", "_map");
    begin_commit(disk);
    end_commit(disk);
    (void)actor_send(a, "dict.delete", "['d', 'old']");
    (void)actor_send(b, "dict.get", "['d', 'old']"); /* KEY */
    (void)actor_send(c, "dict.len", "['other']");
    assert_waits(b);
    assert_may_leave(c);
    (void)actor_send(c, "server.ping", "[]");
    assert_may_leave(c);
    (void)actor_send(c, "server.stats", "[]");
    assert_true(sendable(c) < unsent(c));
    begin_commit(disk);
    end_commit(disk);
    assert_may_leave(a);
    assert_may_leave(b);
    assert_may_leave(c);
    actor_read(b);
    (void)actor_send(b, "dict.get", "['d', 'old']");
    assert_may_leave(b);
    actor_leave(a);
    actor_leave(b);
    actor_leave(c);
}

static void changes_during_a_commit_wait_for_the_next(void **state)
{
    struct disk *disk = *state;
    struct actor *a = with_dict(disk);
    (void)actor_send(a, "dict.set", "['d', 'x', 1]");
    uint64_t first = unsent(a);
    begin_commit(disk);
    (void)actor_send(a, "dict.set", "['d', 'y', 1]");
    uint64_t second = unsent(a);
    assert_waits(a);
    end_commit(disk);
    assert_int_equal(sendable(a), first);
    begin_commit(disk);
    (void)actor_send(a, "dict.set", "['d', 'z', 1]");
    assert_int_equal(sendable(a), first);
    end_commit(disk);
    assert_int_equal(sendable(a), second);
    begin_commit(disk);
    end_commit(disk);
    assert_may_leave(a);
    actor_leave(a);
}

static void batch_waits_if_one_of_its_calls_has_to(void **state)
{
    struct disk *disk = *state;
    struct actor *a = with_dict(disk);
    check(a, "list.open", "['plain']", "_map");
    (void)actor_send(a, "atomic", "[[['list.append', ['plain', 1]]]]");
    assert_may_leave(a);
    (void)actor_send(a, "atomic", "[[['list.append', ['plain', 1]], ['dict.set', ['d', 'k', 1]]]]");
    assert_true(sendable(a) < unsent(a));
    begin_commit(disk);
    end_commit(disk);
    assert_may_leave(a);
    actor_leave(a);
}

/* Its objects are held, and so not saved, until it is over. */
static void batch_that_is_done_in_steps_waits_too(void **state)
{
    struct disk *disk = *state;
    struct actor *a = with_dict(disk);
    actor_read(a);
    stage_in_steps(disk->stage);
    (void)actor_send(a, "atomic", "[[['dict.set', ['d', 'k', 1]], ['dict.len', ['d']]]]");
    assert_true(unsent(a) > 0);
    assert_waits(a);
    begin_commit(disk);
    end_commit(disk);
    assert_may_leave(a);
    actor_leave(a);
}

static void opening_and_deleting_wait(void **state)
{
    struct disk *disk = *state;
    struct actor *a = actor_new(disk->stage, 0);
    struct actor *b = actor_new(disk->stage, 0);
    (void)actor_send(a, "dict.open", "['d', {lifetime: 'durable'}]");
    assert_waits(a);
    (void)actor_send(b, "dict.open", "['d']");
    assert_waits(b);
    begin_commit(disk);
    end_commit(disk);
    assert_may_leave(a);
    assert_may_leave(b);
    actor_read(a);
    actor_read(b);
    (void)actor_send(b, "dict.wait", "['d', 'k']");
    (void)actor_send(a, "object.delete", "['d']");
    assert_waits(a);
    assert_waits(b); /* its wait has ended with DELETED */
    assert_true(unsent(b) > 0);
    begin_commit(disk);
    end_commit(disk);
    assert_may_leave(a);
    assert_may_leave(b);
    actor_leave(a);
    actor_leave(b);
}

static void one_that_waited_is_answered_when_what_served_it_is_on_disk(void **state)
{
    struct disk *disk = *state;
    struct actor *a = with_dict(disk);
    struct actor *b = actor_new(disk->stage, 0);
    uint32_t wait = actor_send(b, "dict.wait", "['d', 'k']");
    assert_int_equal(unsent(b), 0);
    (void)actor_send(a, "dict.set", "['d', 'k', 7]");
    assert_true(unsent(b) > 0);
    assert_waits(b);
    begin_commit(disk);
    end_commit(disk);
    assert_may_leave(b);
    check_answer(b, wait, "7");
    actor_leave(a);
    actor_leave(b);
}

static void events_wait(void **state)
{
    struct disk *disk = *state;
    struct actor *a = with_dict(disk);
    struct actor *w = actor_new(disk->stage, 0);
    check(w, "object.watch", "['d']", "nil");
    (void)actor_send(a, "dict.set", "['d', 'k', 7]");
    assert_true(unsent(w) > 0);
    assert_waits(w);
    begin_commit(disk);
    end_commit(disk);
    assert_may_leave(w);
    actor_leave(a);
    actor_leave(w);
}

static void events_of_work_in_steps_wait_for_its_commit(void **state)
{
    struct disk *disk = *state;
    struct actor *a = with_dict(disk);
    struct actor *w = actor_new(disk->stage, 0);
    check(w, "object.watch", "['d']", "nil");
    actor_forget(w);
    stage_in_steps(disk->stage);
    disk->stage->by_hand = true;
    (void)actor_send(a, "dict.update", "['d', {a: 1, b: 2, c: 3, d: 4}]");
    assert_true(a->session.unfinished > 0);
    while (stage_step(disk->stage)) { /* commits come and go meanwhile, without it */
        assert_waits(w);
        if (a->session.unfinished > 0) {
            begin_commit(disk);
            end_commit(disk);
        }
    }
    assert_true(unsent(w) > 0);
    assert_waits(w);
    begin_commit(disk);
    end_commit(disk);
    assert_may_leave(w);
    disk->stage->by_hand = false;
    actor_leave(a);
    actor_leave(w);
}

static void without_space_nothing_is_changed_and_reading_goes_on(void **state)
{
    struct disk *disk = *state;
    struct actor *a = with_dict(disk);
    check(a, "dict.open", "['plain']", "_map");
    disk->is_full = true;
    check_error(a, "dict.set", "['d', 'k', 1]", "STORAGE");
    check(a, "dict.len", "['d']", "1");
    check(a, "dict.get", "['d', 'old']", "1");
    check(a, "dict.set", "['plain', 'k', 1]", "true");
    check(a, "dict.delete", "['d', 'old']", "nil");
    disk->is_full = false;
    check(a, "dict.set", "['d', 'k', 1]", "true");
    actor_leave(a);
}

static void who_waits_for_the_disk_is_to_wait_when_much_waits(void **state)
{
    struct disk *disk = *state;
    struct actor *a = with_dict(disk);
    struct actor *b = actor_new(disk->stage, 0);
    for (int i = 0; i < 5; i++) {
        assert_false(session_must_wait_for_disk(&a->session));
        (void)actor_send(a, "dict.set", "['d', 'k', 'x'*1000000]");
    }
    assert_true(session_must_wait_for_disk(&a->session));
    assert_false(session_must_wait_for_disk(&b->session));
    begin_commit(disk);
    assert_true(session_must_wait_for_disk(&a->session));
    end_commit(disk);
    assert_false(session_must_wait_for_disk(&a->session));
    actor_leave(a);
    actor_leave(b);
}

static void session_that_ends_waits_no_more(void **state)
{
    struct disk *disk = *state;
    struct actor *a = with_dict(disk);
    struct actor *b = actor_new(disk->stage, 0);
    (void)actor_send(a, "dict.set", "['d', 'k', 1]");
    actor_vanish(a);
    begin_commit(disk);
    end_commit(disk);
    check(b, "dict.get", "['d', 'k']", "1");
    actor_leave(b);
}

#define COMMITS(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        COMMITS(answer_waits_until_its_change_is_on_disk),
        COMMITS(what_was_answered_before_may_leave_and_what_comes_behind_waits),
        COMMITS(whoever_sees_a_change_waits_for_it_too),
        COMMITS(changes_during_a_commit_wait_for_the_next),
        COMMITS(batch_waits_if_one_of_its_calls_has_to),
        COMMITS(batch_that_is_done_in_steps_waits_too),
        COMMITS(opening_and_deleting_wait),
        COMMITS(one_that_waited_is_answered_when_what_served_it_is_on_disk),
        COMMITS(events_wait),
        COMMITS(events_of_work_in_steps_wait_for_its_commit),
        COMMITS(without_space_nothing_is_changed_and_reading_goes_on),
        COMMITS(who_waits_for_the_disk_is_to_wait_when_much_waits),
        COMMITS(session_that_ends_waits_no_more),
    };
    return cmocka_run_group_tests_name("commits", tests, NULL, NULL);
}
