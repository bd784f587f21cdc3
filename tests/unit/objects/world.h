/*
 * world: what an object needs around it, for tests that drive one without a daemon: the accounts,
 * with limits that a test can set, and one user.
 */
#pragma once

#include "daemon/objects/object.h"
#include "tests/support/bytes.h"
#include "tests/support/unit.h"

/* An encoded value written as a string literal: VALUE("\xa1k"). */
#define VALUE(literal) ((struct slice){(const uint8_t *)(literal), sizeof(literal) - 1})

struct world {
    struct accounts accounts;
    struct user *user;
    struct object_options options; /* for what a test makes */
};

void world_init(struct world *world);
/* Asserts that nothing is charged any more. */
void world_deinit(struct world *world);

/* Sets max_user_bytes to what is charged now and `more`. */
void world_limit(struct world *world, uint64_t more);

/* The seed of a random test: a fixed one, or that in the environment (IPCD_TEST_SEED). It is
 * printed, to be seen when the test fails. */
uint64_t world_seed(void);
