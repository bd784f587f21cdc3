/* References to objects in stored values: what they keep alive, and what lets go of it. */
#include "daemon/objects/dict.h"
#include "daemon/objects/queue.h"
#include "tests/support/stage.h"

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

static uint64_t objects(const struct stage *stage)
{
    return stage->service.accounts.objects;
}

static void scoped_object_lives_in_a_value_and_goes_with_it(void **state)
{
    struct actor *a = actor_new(*state, 0);
    check(a, "list.open", "['l']", "_map");
    check(a, "queue.open", "[nil]", "{name: '#1', lifetime: 'scoped', ...}");
    check(a, "list.append", "['l', {q: ext(1, '#1')}]", "1");
    check(a, "object.close", "['#1']", "nil");
    check(a, "queue.put", "['#1', 5]", "nil");
    check(a, "list.set", "['l', 0, 'other']", "nil");
    check_error(a, "queue.qsize", "['#1']", "NOT_FOUND");
    actor_leave(a);
}

static void getting_a_reference_opens_the_object(void **state)
{
    struct actor *a = actor_new(*state, 0);
    struct actor *b = actor_new(*state, 0);
    check(a, "queue.open", "['q']", "_map");
    check(a, "dict.open", "['inner', {lifetime: 'scoped'}]", "_map");
    check(a, "queue.put", "['q', [ext(1, 'inner')]]", "nil");
    check(b, "queue.get", "['q']", "[[ext(1, 'inner')], nil, 1]");
    actor_leave(a);
    check(b, "dict.set", "['inner', 1, 2]", "true");
    check(b, "session.describe", "[]", "{open: ['inner'], ...}");
    check(b, "object.close", "['inner']", "nil");
    check_error(b, "dict.len", "['inner']", "NOT_FOUND");
    actor_leave(b);
}

static void list_of_dicts_of_queues_goes_as_a_whole(void **state)
{
    struct stage *stage = *state;
    struct actor *a = actor_new(stage, 0);
    check(a, "list.open", "[nil]", "{name: '#1', ...}");
    check(a, "dict.open", "[nil]", "{name: '#2', ...}");
    check(a, "queue.open", "[nil]", "{name: '#3', ...}");
    check(a, "dict.set", "['#2', 'q', ext(1, '#3')]", "true");
    check(a, "list.append", "['#1', ext(1, '#2')]", "1");
    check(a, "object.close", "['#3']", "nil");
    check(a, "object.close", "['#2']", "nil");
    assert_int_equal(objects(stage), 3);
    check(a, "object.close", "['#1']", "nil");
    assert_int_equal(objects(stage), 0);
    actor_leave(a);
}

static void container_that_holds_itself_goes_when_it_is_cleared_or_deleted(void **state)
{
    struct stage *stage = *state;
    struct actor *a = actor_new(stage, 0);
    check(a, "list.open", "['s', {lifetime: 'scoped'}]", "_map");
    check(a, "list.append", "['s', ext(1, 's')]", "1");
    check(a, "object.close", "['s']", "nil");
    assert_int_equal(objects(stage), 1);
    check(a, "list.clear", "['s']", "nil");
    assert_int_equal(objects(stage), 0);
    check(a, "dict.open", "['d', {lifetime: 'scoped'}]", "_map");
    check(a, "dict.set", "['d', 'me', ext(1, 'd')]", "true");
    check(a, "object.delete", "['d']", "nil");
    assert_int_equal(objects(stage), 0);
    actor_leave(a);
}

static void reference_to_nothing_is_just_a_value(void **state)
{
    struct actor *a = actor_new(*state, 0);
    check(a, "list.open", "['l']", "_map");
    check(a, "list.append", "['l', ext(1, 'nobody')]", "1");
    check(a, "list.get", "['l', 0]", "ext(1, 'nobody')");
    check(a, "list.contains", "['l', ext(1, 'nobody')]", "true");
    check(a, "server.ping", "[ext(1, 'l')]", "ext(1, 'l')");
    check_error(a, "list.append", "['l', ext(2, '\\x00')]", "BAD_REQUEST");
    actor_leave(a);
}

static void put_that_waits_keeps_what_it_refers_to(void **state)
{
    struct actor *a = actor_new(*state, 0);
    struct actor *b = actor_new(*state, 0);
    check(a, "queue.open", "['q', {maxsize: 1}]", "_map");
    check(a, "queue.put", "['q', 1]", "nil");
    check(a, "list.open", "['s', {lifetime: 'scoped'}]", "_map");
    uint32_t put = actor_send(b, "queue.put", "['q', ext(1, 's')]");
    check(a, "queue.get", "['q']", "[1, nil, 1]");
    check_answer(b, put, "nil");
    check(a, "object.close", "['s']", "nil");
    check(a, "list.len", "['s']", "0");
    actor_leave(b);
    actor_leave(a);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

static void opening_without_a_bit_is_denied_and_keeps_nothing(void **state)
{
    struct actor *owner = actor_new(*state, 1000);
    struct actor *other = actor_new(*state, 2000);
    check(owner, "queue.open", "['q', {lifetime: 'scoped', mode: 384}]", "_map"); /* 0600 */
    check_error(other, "queue.open", "['q']", "DENIED");
    check_error(other, "queue.open", "['q', {create: false}]", "DENIED");
    check_error(other, "queue.open", "['q', {exclusive: true}]", "EXISTS");
    check_error(other, "dict.open", "['q']", "WRONG_TYPE");
    check(other, "session.describe", "[]", "{open: [], ...}");
    check(owner, "object.chmod", "['q', 0]", "nil"); /* which does not shut the owner out */
    check(owner, "queue.open", "['q']", "_map");
    actor_leave(owner);
    check_error(other, "object.describe", "['q']", "NOT_FOUND");
    actor_leave(other);
}

static void either_bit_is_enough_to_open(void **state)
{
    static const char *const opens[] = {"['r', {lifetime: 'scoped', mode: 388}]",  /* 0604 */
                                        "['w', {lifetime: 'scoped', mode: 386}]"}; /* 0602 */
    static const char *const names[] = {"['r']", "['w']"};
    for (int i = 0; i < 2; i++) {
        struct actor *owner = actor_new(*state, 1000);
        struct actor *other = actor_new(*state, 2000);
        check(owner, "event.open", opens[i], "_map");
        check(other, "event.open", names[i], "_map");
        actor_leave(owner);
        check(other, "object.describe", names[i], "_map");
        actor_leave(other);
    }
}

/* What is done with each of them is done in one go. */
static void message_names_so_many_at_most(void **state)
{
    struct actor *a = actor_new(*state, 0);
    check(a, "list.open", "['l']", "_map");
    check(a, "list.append", "['l', [ext(1, 'l')]*65536]", "1");
    check_error(a, "list.append", "['l', [ext(1, 'l')]*65537]", "BAD_REQUEST");
    check_error(a, "list.append", "['l', [ext(1, 'none')]*65537]", "BAD_REQUEST");
    check_error(a, "dict.cas", "['d', 1, [ext(1, 'l')]*65536, [ext(1, 'l')]]", "BAD_REQUEST");
    check(a, "list.append", "['l', [ext(3, 'l')]*65537]", "2");
    check(a, "list.get", "['l', 0]", "[_ext]*65536");
    check(a, "list.clear", "['l']", "nil");
    actor_leave(a);
}

static void reference_of_somebody_without_a_bit_keeps_nothing(void **state)
{
    struct actor *owner = actor_new(*state, 1000);
    struct actor *other = actor_new(*state, 2000);
    check(owner, "event.open", "['none', {lifetime: 'scoped', mode: 384}]", "_map");
    check(owner, "event.open", "['read', {lifetime: 'scoped', mode: 388}]", "_map");
    check(other, "list.open", "['l']", "_map");
    check(other, "list.append", "['l', [ext(1, 'none'), ext(1, 'read')]]", "1");
    check(owner, "object.close", "['none']", "nil");
    check(owner, "object.close", "['read']", "nil");
    check_error(owner, "object.describe", "['none']", "NOT_FOUND");
    check(owner, "object.describe", "['read']", "_map");
    check(other, "list.get", "['l', 0]", "[ext(1, 'none'), ext(1, 'read')]"); /* the bytes stay */
    check(other, "object.delete", "['l']", "nil");
    actor_leave(owner);
    actor_leave(other);
}

static void getting_a_reference_without_a_bit_opens_nothing(void **state)
{
    struct actor *owner = actor_new(*state, 1000);
    struct actor *other = actor_new(*state, 2000);
    check(owner, "queue.open", "['q', {mode: 438}]", "_map");
    check(owner, "event.open", "['e', {lifetime: 'scoped', mode: 384}]", "_map");
    check(owner, "queue.put", "['q', ext(1, 'e')]", "nil");
    check(other, "queue.get", "['q']", "[ext(1, 'e'), nil, 1]");
    check(other, "session.describe", "[]", "{open: [], ...}");
    check(owner, "object.close", "['e']", "nil");
    check_error(owner, "object.describe", "['e']", "NOT_FOUND");
    actor_leave(owner);
    actor_leave(other);
}

static void chmod_closes_for_those_who_have_no_bit_any_more(void **state)
{
    struct actor *owner = actor_new(*state, 1000);
    struct actor *other = actor_new(*state, 2000);
    struct actor *root = actor_new(*state, 0);
    check(owner, "event.open", "['e', {lifetime: 'scoped', mode: 438}]", "_map");
    check(other, "event.open", "['e']", "_map");
    check(root, "event.open", "['e']", "_map");
    check(owner, "object.close", "['e']", "nil");
    check(owner, "object.chmod", "['e', 388]", "nil"); /* 0604 */
    check(other, "session.describe", "[]", "{open: ['e'], ...}");
    check(owner, "object.chmod", "['e', 384]", "nil"); /* 0600 */
    check(other, "session.describe", "[]", "{open: [], ...}");
    check(root, "object.close", "['e']", "nil");
    check_error(owner, "object.describe", "['e']", "NOT_FOUND");
    /* The last one who has it open may be among them. */
    check(owner, "event.open", "['f', {lifetime: 'scoped', mode: 438}]", "_map");
    check(other, "event.open", "['f']", "_map");
    check(owner, "object.close", "['f']", "nil");
    check(owner, "object.chmod", "['f', 0]", "nil");
    check_error(owner, "object.describe", "['f']", "NOT_FOUND");
    actor_leave(root);
    actor_leave(other);
    actor_leave(owner);
}

/* Root's objects that outlive the daemon. */

static bool has_space(void *data, uint64_t bytes, bool freeing)
{
    return true;
}

static struct object_options durable(struct stage *stage, const char *name)
{
    struct user *user = accounts_user(&stage->service.accounts, 0);
    stage->service.commits.keeper = (struct keeper){.promise = has_space};
    assert_int_equal(user_take(user, RESOURCE_OBJECTS, 1), 0);
    return (struct object_options){
        .name = slice_of_string(name), .user = user, .mode = 0666, .lifetime = LIFETIME_DURABLE};
}

static void enter(struct stage *stage, struct object *object)
{
    assert_int_equal(registry_add(&stage->service.registry, object), 0);
    user_unref(object->user);
    object_unref(object);
}

static void durable_dict(struct stage *stage, const char *name)
{
    struct object_options common = durable(stage, name);
    struct dict *dict;
    assert_int_equal(dict_new(&common, &(struct dict_options){0}, &dict), 0);
    enter(stage, &dict->object);
}

static void durable_queue(struct stage *stage, const char *name,
                          const struct queue_options *options)
{
    struct object_options common = durable(stage, name);
    struct queue *queue;
    assert_int_equal(queue_new(&common, options, &queue), 0);
    enter(stage, &queue->object);
}

static void durable_object_refers_to_durable_ones_only(void **state)
{
    struct stage *stage = *state;
    struct actor *a = actor_new(stage, 0);
    durable_dict(stage, "d");
    durable_queue(stage, "q", &(struct queue_options){0});
    check(a, "list.open", "['l']", "_map");
    check(a, "dict.set", "['d', 'q', ext(1, 'q')]", "true");
    check_fails(a, "dict.set", "['d', 'l', [1, ext(1, 'l')]]",
                "['TYPE', 'dict.set: \"d\" is durable and can have references to durable objects "
                "only; \"l\" has lifetime \"daemon\"']");
    check_error(a, "dict.update", "['d', {a: 1, l: ext(1, 'l')}]", "TYPE");
    check_error(a, "queue.put", "['q', ext(1, 'l')]", "TYPE");
    check_error(a, "queue.put_many", "['q', [1, ext(1, 'l')]]", "TYPE");
    check(a, "queue.qsize", "['q']", "0");
    check(a, "dict.len", "['d']", "1");
    check(a, "dict.set", "['d', 'nobody', ext(1, 'nobody')]", "true");
    check(a, "list.append", "['l', ext(1, 'l')]", "1");
    actor_leave(a);
}

static void put_that_waits_is_refused_for_what_has_come_meanwhile(void **state)
{
    struct stage *stage = *state;
    struct actor *a = actor_new(stage, 0);
    struct actor *b = actor_new(stage, 0);
    durable_queue(stage, "q", &(struct queue_options){.maxsize = 1});
    check(a, "queue.put", "['q', 1]", "nil");
    uint32_t put = actor_send(b, "queue.put", "['q', ext(1, 'l')]");
    check_waits(b, put);
    check(a, "list.open", "['l']", "_map");
    check(a, "queue.get", "['q']", "[1, nil, 1]");
    check_refused(b, put, "TYPE");
    actor_leave(b);
    actor_leave(a);
}

static void dead_letters_of_a_durable_queue_are_dropped_rather_than_lost_later(void **state)
{
    struct stage *stage = *state;
    struct actor *a = actor_new(stage, 0);
    const struct queue_options options = {
        .joinable = true, .max_deliveries = 1, .dead_letter = slice_of_string("dead")};
    durable_queue(stage, "q", &options);
    check(a, "queue.put_many", "['q', [1, 2]]", "2");
    check(a, "queue.open", "['dead']", "_map");
    check(a, "queue.get", "['q']", "[1, 1, 1]");
    check(a, "queue.give_back", "['q', 1]", "nil");
    check(a, "queue.qsize", "['dead']", "0");
    check(a, "object.describe", "['q']", "{dropped: 1, ...}");
    check(a, "object.delete", "['dead']", "nil");
    durable_queue(stage, "dead", &(struct queue_options){0});
    check(a, "queue.get", "['q']", "[2, 2, 1]");
    check(a, "queue.give_back", "['q', 2]", "nil");
    check(a, "queue.get", "['dead']", "[2, nil, 1]");
    check(a, "object.describe", "['q']", "{dropped: 1, ...}");
    actor_leave(a);
}

static void dead_letters_that_could_not_be_put_are_dropped(void **state)
{
    struct stage *stage = *state;
    struct actor *a = actor_new(stage, 0);
    durable_queue(stage, "dead", &(struct queue_options){0});
    check(a, "queue.open", "['q', {joinable: true, max_deliveries: 1, dead_letter: 'dead'}]",
          "_map");
    check(a, "queue.put_many", "['q', [ext(1, 'q'), ext(1, 'dead')]]", "2");
    check(a, "queue.get", "['q']", "[ext(1, 'q'), 1, 1]");
    check(a, "queue.give_back", "['q', 1]", "nil");
    check(a, "queue.qsize", "['dead']", "0");
    check(a, "object.describe", "['q']", "{dropped: 1, ...}");
    check(a, "queue.get", "['q']", "[ext(1, 'dead'), 2, 1]");
    check(a, "queue.give_back", "['q', 2]", "nil");
    check(a, "queue.qsize", "['dead']", "1");
    check(a, "object.delete", "['dead']", "nil"); /* which refers to itself */
    actor_leave(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(scoped_object_lives_in_a_value_and_goes_with_it),
        TEST(getting_a_reference_opens_the_object),
        TEST(list_of_dicts_of_queues_goes_as_a_whole),
        TEST(container_that_holds_itself_goes_when_it_is_cleared_or_deleted),
        TEST(reference_to_nothing_is_just_a_value),
        TEST(put_that_waits_keeps_what_it_refers_to),
        TEST(opening_without_a_bit_is_denied_and_keeps_nothing),
        TEST(either_bit_is_enough_to_open),
        TEST(message_names_so_many_at_most),
        TEST(reference_of_somebody_without_a_bit_keeps_nothing),
        TEST(getting_a_reference_without_a_bit_opens_nothing),
        TEST(chmod_closes_for_those_who_have_no_bit_any_more),
        TEST(durable_object_refers_to_durable_ones_only),
        TEST(put_that_waits_is_refused_for_what_has_come_meanwhile),
        TEST(dead_letters_of_a_durable_queue_are_dropped_rather_than_lost_later),
        TEST(dead_letters_that_could_not_be_put_are_dropped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
