/* A session that reads its events slowly against one that reads each at once: what the first is
 * told, with so many left out where it says "lost", must be what the second is told, for each
 * object by itself. */
#include "daemon/call/watching.h"
#include "tests/support/stage.h"

#include <stdlib.h>

enum { OBJECTS = 3, STEPS = 4000, SEEDS = 12, EVENT_MAX = 64 };

static const char *const names[OBJECTS] = {"q", "d", "l"};

/* The events of one object, as text, in the order in which they were told. */
struct told {
    char (*events)[EVENT_MAX];
    size_t count;
};

struct watching {
    struct actor *actor;
    struct told of[OBJECTS];
};

static int object_named(const msgpack_object *name)
{
    for (int i = 0; i < OBJECTS; i++) {
        if (name->via.str.size == 1 && name->via.str.ptr[0] == names[i][0]) {
            return i;
        }
    }
    fail_msg("an event of an object that there is not");
    return 0;
}

/* Takes what the actor has read. */
static void take_events(struct watching *watching)
{
    struct actor *actor = watching->actor;
    for (size_t i = 0; i < actor->nanswers; i++) {
        const msgpack_object *event = actor->answers[i].data.via.array.ptr[2].via.array.ptr;
        struct told *told = &watching->of[object_named(event)];
        char *text = told->events[told->count++];
        assert_true(told->count <= STEPS * 2);
        FILE *out = fmemopen(text, EVENT_MAX, "w");
        notation_print(out, &event[1]);
        (void)fputc(' ', out);
        notation_print(out, &event[2]);
        (void)fclose(out);
    }
    actor_forget(actor);
}

static void read_all(struct watching *watching)
{
    do {
        actor_read(watching->actor);
        take_events(watching);
    } while (session_give_events(&watching->actor->session));
}

static void begin(struct watching *watching, struct stage *stage)
{
    *watching = (struct watching){.actor = actor_new(stage, 0)};
    for (int i = 0; i < OBJECTS; i++) {
        char params[16];
        (void)snprintf(params, sizeof(params), "['%s']", names[i]);
        check(watching->actor, "object.watch", params, "nil");
        watching->of[i].events = calloc(STEPS * 2, EVENT_MAX);
        assert_non_null(watching->of[i].events);
    }
    actor_forget(watching->actor);
}

static void end(struct watching *watching)
{
    for (int i = 0; i < OBJECTS; i++) {
        free(watching->of[i].events);
    }
    actor_leave(watching->actor);
}

/* A change of one object, or of several in a batch. */
static void change(struct actor *actor)
{
    static const char *const calls[][2] = {
        {"queue.put", "['q', 1]"},
        {"queue.put", "['q', 'x'*100]"},
        {"queue.clear", "['q']"},
        {"dict.set", "['d', 'k'*20, 1]"},
        {"dict.set", "['d', 'k', 1]"},
        {"dict.clear", "['d']"},
        {"list.append", "['l', 1]"},
        {"list.reverse", "['l']"},
        {"list.clear", "['l']"},
        {"atomic", "[[['queue.put', ['q', 1]], ['list.append', ['l', 1]], ['queue.get', ['q']]]]"},
    };
    size_t i = (size_t)rand() % (sizeof(calls) / sizeof(calls[0]));
    (void)actor_send(actor, calls[i][0], calls[i][1]);
    actor_read(actor);
    actor_forget(actor);
}

/* Of the slow one: "'lost' {'count': N}" stands for N events. */
static void compare(const struct told *slow, const struct told *fast)
{
    size_t at = 0;
    for (size_t i = 0; i < slow->count; i++) {
        unsigned long lost = 0;
        if (sscanf(slow->events[i], "'lost' {'count': %lu}", &lost) == 1) {
            assert_true(lost > 0);
            at += lost;
        } else {
            assert_true(at < fast->count);
            assert_string_equal(slow->events[i], fast->events[at]);
            at++;
        }
    }
    assert_int_equal(at, fast->count);
}

static uint64_t run(struct stage *stage, unsigned seed)
{
    struct actor *actor = actor_new(stage, 0);
    struct watching slow;
    struct watching fast;
    uint64_t losses = 0;
    srand(seed);
    stage->service.accounts.limits.max_events = 256 + (uint64_t)rand() % 2048;
    check(actor, "queue.open", "['q']", "_map");
    check(actor, "dict.open", "['d']", "_map");
    check(actor, "list.open", "['l']", "_map");
    actor_forget(actor);
    begin(&slow, stage);
    begin(&fast, stage);
    for (int i = 0; i < STEPS; i++) {
        change(actor);
        read_all(&fast);
        if (rand() % 100 == 0) {
            actor_read(slow.actor);
            take_events(&slow);
            (void)session_give_events(&slow.actor->session);
        }
    }
    read_all(&slow);
    for (int i = 0; i < OBJECTS; i++) {
        compare(&slow.of[i], &fast.of[i]);
        losses += fast.of[i].count - slow.of[i].count;
    }
    end(&slow);
    end(&fast);
    actor_leave(actor);
    return losses;
}

static void slow_reader_is_told_what_it_lost(void **state)
{
    (void)state;
    for (unsigned seed = 1; seed <= SEEDS; seed++) {
        struct stage *stage = stage_new();
        assert_true(run(stage, seed) > 0);
        stage_free(stage);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(slow_reader_is_told_what_it_lost)};
    return cmocka_run_group_tests_name("methods_watch_model", tests, NULL, NULL);
}
