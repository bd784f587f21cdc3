/* thing: see thing.h. */
#include "tests/unit/call/thing.h"

#include <stdlib.h>

static const struct object_type type = {.kind = OBJECT_EVENT};

void things_init(struct things *things)
{
    *things = (struct things){0};
    accounts_init(&things->accounts, 0);
    things->user = accounts_user(&things->accounts, 1000);
    assert_non_null(things->user);
    registry_init(&things->registry, 1);
}

void things_deinit(struct things *things)
{
    registry_deinit(&things->registry);
    assert_int_equal(things->accounts.bytes, 0);
    user_unref(things->user);
    accounts_deinit(&things->accounts);
}

struct object *thing_new(struct things *things, const char *name)
{
    const struct object_options options = {
        .name = slice_of_string(name), .user = things->user, .mode = 0660};
    struct object *object = calloc(1, sizeof(*object));
    assert_non_null(object);
    assert_int_equal(object_init(object, &type, &options), 0);
    assert_int_equal(registry_add(&things->registry, object), 0);
    return object;
}

void thing_free(struct object *object)
{
    object_unready(object);
    registry_remove(object->registry, object);
    assert_int_equal(object->refs, 1);
    object_unref(object);
}
