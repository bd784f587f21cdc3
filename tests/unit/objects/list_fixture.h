/* list_fixture: a list in a world of its own, for the tests of the list's files. */
#pragma once

#include "daemon/objects/list.h"
#include "tests/unit/objects/world.h"

struct fixture {
    struct world world;
    struct list *list;
};

/* A list of the elements of an encoded array. */
void list_fixture_begin(struct fixture *fixture, struct slice values);
void list_fixture_end(struct fixture *fixture);
/* The list holds these values, and the charge is the sum of what they and the array cost. */
void must_be(const struct list *list, struct slice values);
