/* thing: an object without a type's own data, in a registry, for tests of holds and jobs. */
#pragma once

#include "daemon/objects/registry.h"
#include "daemon/objects/waits.h"
#include "tests/support/unit.h"

struct things {
    struct accounts accounts;
    struct user *user;
    struct registry registry;
};

void things_init(struct things *things);
/* Asserts that nothing is ready and nothing charged. */
void things_deinit(struct things *things);

struct object *thing_new(struct things *things, const char *name);
/* Takes it out of the registry; asserts that nobody else has a reference. */
void thing_free(struct object *object);
