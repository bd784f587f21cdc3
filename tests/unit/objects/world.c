/* world: see world.h. */
#include "tests/unit/objects/world.h"

#include <inttypes.h>
#include <stdlib.h>

void world_init(struct world *world)
{
    accounts_init(&world->accounts, 0);
    world->user = accounts_user(&world->accounts, 1000);
    assert_non_null(world->user);
    world->options = (struct object_options){.name = slice_of_string("object"),
                                             .user = world->user,
                                             .uid = 1000,
                                             .gid = 1000,
                                             .mode = 0660};
}

void world_deinit(struct world *world)
{
    assert_int_equal(world->accounts.bytes, 0);
    user_unref(world->user);
    accounts_deinit(&world->accounts);
}

void world_limit(struct world *world, uint64_t more)
{
    world->accounts.limits.max_user_bytes = world->user->bytes + more;
}

uint64_t world_seed(void)
{
    const char *text = getenv("IPCD_TEST_SEED");
    uint64_t seed = text != NULL ? strtoull(text, NULL, 0) : 20261121;
    print_message("IPCD_TEST_SEED=%" PRIu64 "\n", seed);
    return seed;
}
