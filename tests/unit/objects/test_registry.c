/* registry: names, the order in which objects were made, what leaves, and which names there can be.
 */
#include "tests/unit/objects/world.h"

#include <stdio.h>

#include "daemon/objects/event.h"
#include "daemon/objects/registry.h"

struct fixture {
    struct world world;
    struct registry registry;
};

static void init(struct fixture *fixture)
{
    world_init(&fixture->world);
    registry_init(&fixture->registry, 1);
}

static void deinit(struct fixture *fixture)
{
    registry_deinit(&fixture->registry);
    world_deinit(&fixture->world);
}

static struct slice text(const char *words)
{
    return (struct slice){(const uint8_t *)words, strlen(words)};
}

/* An event of that name, whose one reference is the registry's. */
static struct object *add(struct fixture *fixture, const char *name)
{
    struct event *event;
    struct object_options options = fixture->world.options;
    options.name = text(name);
    assert_int_equal(event_object_new(&options, &event), 0);
    assert_int_equal(registry_add(&fixture->registry, &event->object), 0);
    object_unref(&event->object);
    return &event->object;
}

static void a_name_finds_its_object_and_no_other(void **state)
{
    struct fixture fixture;
    init(&fixture);
    struct object *a = add(&fixture, "a");
    struct object *aa = add(&fixture, "aa");
    assert_ptr_equal(registry_find(&fixture.registry, text("a")), a);
    assert_ptr_equal(registry_find(&fixture.registry, text("aa")), aa);
    assert_null(registry_find(&fixture.registry, text("")));
    assert_null(registry_find(&fixture.registry, text("A")));
    assert_int_equal(fixture.registry.count[OBJECT_EVENT], 2);
    deinit(&fixture);
}

static void an_object_with_another_name_is_the_same_object(void **state)
{
    struct fixture fixture;
    init(&fixture);
    static const char longest[] =
        "a name of 255 bytes .................................................................."
        "......................................................................................"
        "...................................................................................";
    struct object *first = add(&fixture, "first");
    struct object *second = add(&fixture, "second");
    uint64_t bytes = fixture.world.user->bytes;
    uint64_t overhead = object_overhead(first);
    assert_int_equal(sizeof(longest) - 1, OBJECT_NAME_MAX);
    assert_int_equal(registry_rename(&fixture.registry, first, text(longest)), 0);
    assert_string_equal(first->name, longest);
    assert_null(registry_find(&fixture.registry, text("first")));
    assert_ptr_equal(registry_find(&fixture.registry, text(longest)), first);
    assert_ptr_equal(registry_from(&fixture.registry, 0), first); /* where it was */
    assert_int_equal(fixture.world.user->bytes, bytes - overhead + object_overhead(first));
    assert_true(object_overhead(first) > overhead);

    assert_int_equal(registry_rename(&fixture.registry, second, text("first")), 0);
    assert_ptr_equal(registry_find(&fixture.registry, text("first")), second);
    world_limit(&fixture.world, 0);
    assert_int_equal(registry_rename(&fixture.registry, second, text("x")), 0);
    assert_int_equal(registry_rename(&fixture.registry, first, text("y")), 0);
    assert_int_equal(fixture.world.user->bytes, object_overhead(first) + object_overhead(second));
    world_limit(&fixture.world, 8);
    assert_int_equal(registry_rename(&fixture.registry, first, text(longest)), ERR_LIMIT);
    assert_ptr_equal(registry_find(&fixture.registry, text("y")), first);
    assert_null(registry_find(&fixture.registry, text(longest)));
    registry_remove(&fixture.registry, first);
    assert_null(registry_find(&fixture.registry, text("y")));
    deinit(&fixture);
}

static void a_name_is_free_again_when_its_object_was_removed(void **state)
{
    struct fixture fixture;
    init(&fixture);
    struct object *first = object_ref(add(&fixture, "name"));
    registry_remove(&fixture.registry, first);
    assert_null(registry_find(&fixture.registry, text("name")));
    struct object *second = add(&fixture, "name");
    assert_ptr_not_equal(second, first);
    assert_ptr_equal(registry_find(&fixture.registry, text("name")), second);
    assert_int_equal(fixture.registry.count[OBJECT_EVENT], 1);
    object_unref(first);
    deinit(&fixture);
}

static void objects_are_gone_through_in_the_order_in_which_they_were_made(void **state)
{
    struct fixture fixture;
    init(&fixture);
    struct object *made[500];
    for (size_t i = 0; i < 500; i++) {
        char name[8];
        (void)snprintf(name, sizeof(name), "%zu", i * 7919 % 500);
        made[i] = add(&fixture, name);
    }
    for (size_t i = 0; i < 500; i += 3) {
        registry_remove(&fixture.registry, made[i]);
        made[i] = NULL;
    }
    uint64_t number = 0;
    for (size_t i = 0; i < 500; i++) {
        if (made[i] != NULL) {
            struct object *next = registry_from(&fixture.registry, number);
            assert_ptr_equal(next, made[i]);
            number = next->entry.seq + 1;
        }
    }
    assert_null(registry_from(&fixture.registry, number));
    assert_null(registry_from(&fixture.registry, UINT64_MAX));
    deinit(&fixture);
}

static void nothing_leaves_an_empty_registry(void **state)
{
    struct fixture fixture;
    init(&fixture);
    assert_null(registry_next_leaving(&fixture.registry));
    assert_null(registry_from(&fixture.registry, 0));
    assert_null(registry_find(&fixture.registry, text("a")));
    deinit(&fixture);
}

static void names_are_utf8_without_control_characters(void **state)
{
    const struct {
        struct slice name;
        const char *why; /* NULL: it is one */
    } cases[] = {
        {VALUE("a"), NULL},
        {VALUE("jobs/high"), NULL},
        {VALUE("\xc3\xa9t\xc3\xa9"), NULL},
        {VALUE("\xc2\xa0"), NULL}, /* a space that does not break, no control character */
        {VALUE(""), "a name has at least one byte"},
        {VALUE("a\nb"), "a name has no control characters"},
        {VALUE("\0"), "a name has no control characters"},
        {VALUE("a\x7f"), "a name has no control characters"},
        {VALUE("\xc2\x9f"), "a name has no control characters"},
        {VALUE("\xff"), "a name is UTF-8"},
        {VALUE("\xc2"), "a name is UTF-8"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *why = "";
        int status = registry_check_name(cases[i].name, &why);
        assert_int_equal(status, cases[i].why == NULL ? 0 : ERR_BAD_REQUEST);
        if (cases[i].why == NULL) {
            assert_null(why);
        } else {
            assert_string_equal(why, cases[i].why);
        }
    }
}

static void names_have_at_most_255_bytes(void **state)
{
    uint8_t name[256];
    memset(name, 'n', sizeof(name));
    const char *why;
    assert_int_equal(registry_check_name((struct slice){name, 255}, &why), 0);
    assert_int_equal(registry_check_name((struct slice){name, 256}, &why), ERR_BAD_REQUEST);
    assert_string_equal(why, "a name has at most 255 bytes");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_finds_its_object_and_no_other),
        cmocka_unit_test(an_object_with_another_name_is_the_same_object),
        cmocka_unit_test(a_name_is_free_again_when_its_object_was_removed),
        cmocka_unit_test(objects_are_gone_through_in_the_order_in_which_they_were_made),
        cmocka_unit_test(nothing_leaves_an_empty_registry),
        cmocka_unit_test(names_are_utf8_without_control_characters),
        cmocka_unit_test(names_have_at_most_255_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
