/* operations: choosing; see operations.h. */
#include "tests/history/operations.h"

#include <string.h>

struct object_options options_choose(enum type type, bool durable, struct random *random)
{
    struct object_options options = {.durable = durable};
    switch (type) {
    case TYPE_JOINABLE:
        options.discard = random_chance(random, 1, 4) && !durable;
        __attribute__((fallthrough));
    case TYPE_QUEUE:
        options.maxsize = random_between(random, 0, 3);
        options.lifo = random_chance(random, 1, 4);
        break;
    case TYPE_LOCK:
        options.recursive = random_chance(random, 1, 3);
        options.keep = random_chance(random, 1, 8);
        options.anyone = random_chance(random, 1, 4);
        break;
    case TYPE_SEMAPHORE:
        options.value = random_between(random, 1, 3);
        options.bounded = random_chance(random, 1, 2);
        options.keep = random_chance(random, 1, 4);
        break;
    default:
        break;
    }
    return options;
}

struct actor actor_new(enum type type, const struct object_options *options, uint8_t process,
                       struct random random)
{
    return (struct actor){
        .type = type,
        .options = options,
        .process = process,
        .random = random,
        .next_value = process * 100 + 1,
    };
}

/* One of `count` verbs, each as often as its number in `weights` says. */
static uint8_t pick(struct actor *actor, const uint8_t *verbs, const uint8_t *weights,
                    unsigned count)
{
    int64_t sum = 0;
    for (unsigned i = 0; i < count; i++) {
        sum += weights[i];
    }
    int64_t left = random_between(&actor->random, 1, sum);
    unsigned i = 0;
    while (left > weights[i]) {
        left -= weights[i++];
    }
    return verbs[i];
}

#define PICK(actor, ...)                                                                           \
    pick(actor, (const uint8_t[]){__VA_ARGS__}, weights, sizeof(weights) / sizeof(weights[0]))

static void choose_queue(struct actor *actor, struct operation *operation)
{
    static const uint8_t weights[] = {5, 5, 1};
    operation->verb = PICK(actor, PUT, GET, QSIZE);
    operation->arguments[0] = actor->next_value;
}

/* A ticket that the process has, or sometimes one that it has no more. */
static int64_t choose_ticket(struct actor *actor)
{
    bool old = actor->last_ticket != 0 && random_chance(&actor->random, 1, 8);
    if (old || actor->held == 0) {
        return actor->last_ticket;
    }
    return actor->tickets[random_between(&actor->random, 0, actor->held - 1)];
}

static void choose_joinable(struct actor *actor, struct operation *operation)
{
    static const uint8_t weights[] = {5, 5, 1, 1, 3, 2};
    operation->verb = PICK(actor, PUT, GET, QSIZE, JOIN, TASK_DONE, GIVE_BACK);
    operation->arguments[0] = actor->next_value;
    if (operation->verb == TASK_DONE || operation->verb == GIVE_BACK) {
        operation->arguments[0] = choose_ticket(actor);
        operation->verb = operation->arguments[0] == 0 ? GET : operation->verb;
    }
}

static void choose_lock(struct actor *actor, struct operation *operation)
{
    static const uint8_t weights[] = {5, 5, 1};
    static const uint8_t weights_held[] = {1, 8, 1};
    const uint8_t *verbs = (const uint8_t[]){LOCK_ACQUIRE, LOCK_RELEASE, LOCKED};
    operation->verb = pick(actor, verbs, actor->held > 0 ? weights_held : weights, 3);
    bool idle = operation->verb == LOCK_RELEASE && actor->held == 0 && !actor->options->anyone;
    if (idle && random_chance(&actor->random, 3, 4)) {
        operation->verb = LOCK_ACQUIRE;
    }
}

static void choose_semaphore(struct actor *actor, struct operation *operation)
{
    static const uint8_t weights[] = {5, 4, 1};
    operation->verb = PICK(actor, SEMAPHORE_ACQUIRE, SEMAPHORE_RELEASE, SEMAPHORE_VALUE);
    bool more = random_chance(&actor->random, 1, 4);
    bool two = more && (!actor->options->bounded || actor->options->value >= 2);
    unsigned n = two ? 2 : 1;
    if (operation->verb == SEMAPHORE_RELEASE && actor->held < n) {
        bool may = !actor->options->bounded && random_chance(&actor->random, 1, 4);
        operation->verb = may ? SEMAPHORE_RELEASE : SEMAPHORE_ACQUIRE;
    }
    operation->arguments[0] = n;
}

/* A small value, or none. */
static int64_t choose_value(struct actor *actor)
{
    int64_t value = random_between(&actor->random, 0, 3);
    return value == 0 ? NO_VALUE : value;
}

static void choose_dict(struct actor *actor, struct operation *operation)
{
    static const uint8_t weights[] = {3, 2, 6, 2, 2};
    operation->verb = PICK(actor, DICT_GET, DICT_SET, DICT_CAS, DICT_DELETE, DICT_INCR);
    operation->arguments[0] = random_between(&actor->random, 1, 2);
    operation->arguments[1] = random_between(&actor->random, 1, 3);
    if (operation->verb == DICT_CAS) {
        operation->arguments[1] = choose_value(actor);
        operation->arguments[2] = choose_value(actor);
    }
}

int64_t actor_choose(struct actor *actor, struct operation *operation)
{
    static void (*const choose[TYPES])(struct actor *, struct operation *) = {
        [TYPE_QUEUE] = choose_queue, [TYPE_JOINABLE] = choose_joinable,
        [TYPE_LOCK] = choose_lock,   [TYPE_SEMAPHORE] = choose_semaphore,
        [TYPE_DICT] = choose_dict,
    };
    *operation = (struct operation){.process = actor->process};
    choose[actor->type](actor, operation);
    if (operation->verb == PUT) {
        actor->next_value++;
    }
    bool waits = random_chance(&actor->random, 1, 2);
    int64_t timeout = random_between(&actor->random, 1, 6);
    return waits ? timeout : 0;
}

static void forget_ticket(struct actor *actor, int64_t ticket)
{
    for (unsigned i = 0; i < actor->held; i++) {
        if (actor->tickets[i] == ticket) {
            actor->held--;
            memmove(actor->tickets + i, actor->tickets + i + 1,
                    (actor->held - i) * sizeof(actor->tickets[0]));
            actor->last_ticket = ticket;
            return;
        }
    }
}

void actor_learn(struct actor *actor, const struct operation *operation)
{
    unsigned n = (unsigned)operation->arguments[0];
    if (operation->status != 0) {
        return;
    }
    switch ((enum verb)operation->verb) {
    case GET:
        if (actor->type == TYPE_JOINABLE && actor->held < HELD_MAX) {
            actor->tickets[actor->held++] = operation->results[1];
        }
        break;
    case TASK_DONE:
    case GIVE_BACK:
        forget_ticket(actor, operation->arguments[0]);
        break;
    case LOCK_ACQUIRE:
        actor->held = (unsigned)operation->results[0];
        break;
    case LOCK_RELEASE:
        actor->held = (unsigned)operation->results[0];
        break;
    case SEMAPHORE_ACQUIRE:
        actor->held += n;
        break;
    case SEMAPHORE_RELEASE:
        actor->held -= actor->held < n ? actor->held : n;
        break;
    default:
        break;
    }
}
