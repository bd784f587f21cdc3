/* steps: see steps.h. */
#include "tests/unit/objects/steps.h"

#include "tests/support/unit.h"

static void look(const struct steps *steps)
{
    struct buffer out = {0};
    if (steps->object != NULL) {
        assert_true(steps->object->type->describe(steps->object, &out, 0) > 0);
        if (steps->walk != NULL) {
            steps->walk(steps->object);
        }
    }
    buffer_deinit(&out);
}

static void pause_and_look(struct pace *pace)
{
    struct steps *steps = (struct steps *)pace;
    uint64_t done = (uint64_t)-pace->left;
    steps->count += done;
    steps->longest = done > steps->longest ? done : steps->longest;
    steps->pauses++;
    look(steps);
    pace->left = 0;
}

void steps_init(struct steps *steps, const struct object *object,
                void (*walk)(const struct object *object))
{
    *steps = (struct steps){.pace = {.pause = pause_and_look}, .object = object, .walk = walk};
}
