/* Jobs: they take turns, stop when their slice is over, and hold what they work on. */
#include "daemon/call/job.h"
#include "tests/support/scarce.h"
#include "tests/unit/call/thing.h"

#include <stdlib.h>
#include <string.h>

struct scene {
    struct things things;
    struct jobs jobs;
    uint64_t now;
    uint64_t looks; /* at the clock */
    struct object *a;
    struct object *b;
    char trace[64]; /* a letter for each step that a worker has done */
};

/* What a job does: a few steps, with one or two objects held. */
struct worker {
    struct scene *scene;
    char letter;
    unsigned steps;
    struct object *first; /* NULL: none */
    struct object *second;
    bool held; /* it has all that it wants to hold */
    bool done;
};

static uint64_t look(void *data)
{
    struct scene *scene = data;
    scene->looks++;
    return scene->now;
}

static int set_up(void **state)
{
    struct scene *scene = calloc(1, sizeof(*scene));
    assert_non_null(scene);
    things_init(&scene->things);
    scene->a = thing_new(&scene->things, "a");
    scene->b = thing_new(&scene->things, "b");
    jobs_init(&scene->jobs, (struct clock){.now = look, .data = scene});
    scene->jobs.stretch = 0;
    *state = scene;
    return 0;
}

static int tear_down(void **state)
{
    struct scene *scene = *state;
    assert_int_equal(scene->jobs.count, 0);
    assert_false(jobs_pending(&scene->jobs));
    assert_true(scene->a->hold == NULL && scene->b->hold == NULL);
    thing_free(scene->a);
    thing_free(scene->b);
    things_deinit(&scene->things);
    free(scene);
    return 0;
}

static void trace(struct scene *scene, char letter)
{
    size_t len = strlen(scene->trace);
    assert_true(len + 1 < sizeof(scene->trace));
    scene->trace[len] = letter;
}

static void work(struct job *job, void *data)
{
    struct worker *worker = data;
    if (worker->first != NULL) {
        job_hold(job, worker->first);
    }
    if (worker->second != NULL) {
        job_hold(job, worker->second);
    }
    worker->held = true;
    for (unsigned i = 0; i < worker->steps; i++) {
        trace(worker->scene, worker->letter);
        pace_step(&job->pace, 1);
    }
    worker->done = true;
}

static void run_all(struct scene *scene)
{
    for (unsigned i = 0; i < 1000 && jobs_pending(&scene->jobs); i++) {
        jobs_step(&scene->jobs, UINT64_MAX);
    }
    assert_false(jobs_pending(&scene->jobs));
}

static void jobs_take_turns(void **state)
{
    struct scene *scene = *state;
    struct worker x = {.scene = scene, .letter = 'x', .steps = 3};
    struct worker y = {.scene = scene, .letter = 'y', .steps = 2};
    struct worker z = {.scene = scene, .letter = 'z', .steps = 1};
    assert_non_null(job_new(&scene->jobs, work, &x));
    assert_non_null(job_new(&scene->jobs, work, &y));
    assert_non_null(job_new(&scene->jobs, work, &z));
    assert_int_equal(scene->jobs.count, 3);
    run_all(scene);
    assert_string_equal(scene->trace, "xyzxyx");
}

static void job_stops_when_its_slice_is_over_and_not_before(void **state)
{
    struct scene *scene = *state;
    struct worker x = {.scene = scene, .letter = 'x', .steps = 8};
    scene->jobs.stretch = 1; /* it looks at the clock after every second step */
    assert_non_null(job_new(&scene->jobs, work, &x));
    jobs_step(&scene->jobs, UINT64_MAX);
    assert_string_equal(scene->trace, "xxxxxxxx"); /* time stood still */
    assert_true(x.done);
    memset(scene->trace, 0, sizeof(scene->trace));
    x.done = false;
    assert_non_null(job_new(&scene->jobs, work, &x));
    jobs_step(&scene->jobs, scene->now); /* all have had their time */
    assert_string_equal(scene->trace, "xx");
    scene->now = UINT64_MAX - 1; /* a slice that would end after the end of time */
    jobs_step(&scene->jobs, UINT64_MAX);
    run_all(scene);
    assert_true(x.done);
}

static void slice_ends_after_its_own_time_though_there_is_more(void **state)
{
    struct scene *scene = *state;
    struct worker x = {.scene = scene, .letter = 'x', .steps = 3};
    struct job *job = job_new(&scene->jobs, work, &x);
    scene->now = 77;
    jobs_step(&scene->jobs, UINT64_MAX);
    assert_int_equal(job->until, 77 + JOB_SLICE_NS);
    jobs_step(&scene->jobs, 100);
    assert_int_equal(job->until, 100);
    run_all(scene);
    assert_int_equal(scene->jobs.slices, 4);
}

static void job_that_wants_what_another_holds_waits_for_it(void **state)
{
    struct scene *scene = *state;
    struct worker x = {.scene = scene, .letter = 'x', .steps = 3, .first = scene->a};
    struct worker y = {.scene = scene, .letter = 'y', .steps = 2, .first = scene->a};
    struct worker z = {.scene = scene, .letter = 'z', .steps = 2, .first = scene->b};
    (void)job_new(&scene->jobs, work, &x);
    (void)job_new(&scene->jobs, work, &y);
    (void)job_new(&scene->jobs, work, &z);
    run_all(scene);
    assert_string_equal(scene->trace, "xzxzxyy");
    assert_true(x.done && y.done && z.done);
}

static void job_has_what_it_holds_already_if_it_wants_it_again(void **state)
{
    struct scene *scene = *state;
    struct worker x = {
        .scene = scene, .letter = 'x', .steps = 1, .first = scene->a, .second = scene->a};
    struct job *job = job_new(&scene->jobs, work, &x);
    jobs_step(&scene->jobs, UINT64_MAX);
    assert_int_equal(job->nheld, 1);
    run_all(scene);
    assert_true(x.done);
}

static void jobs_that_want_two_objects_in_one_order_all_end(void **state)
{
    struct scene *scene = *state;
    struct worker workers[5];
    for (unsigned i = 0; i < 5; i++) {
        workers[i] = (struct worker){.scene = scene,
                                     .letter = (char)('a' + i),
                                     .steps = 2,
                                     .first = i == 3 ? scene->b : scene->a,
                                     .second = i == 4 ? NULL : scene->b};
        (void)job_new(&scene->jobs, work, &workers[i]);
    }
    run_all(scene);
    for (unsigned i = 0; i < 5; i++) {
        assert_true(workers[i].done);
    }
}

static void object_is_held_before_the_job_has_run(void **state)
{
    struct scene *scene = *state;
    struct worker x = {.scene = scene, .letter = 'x', .steps = 1};
    struct worker y = {.scene = scene, .letter = 'y', .steps = 1, .first = scene->a};
    (void)job_new(&scene->jobs, work, &y);
    struct job *job = job_new(&scene->jobs, work, &x);
    assert_int_equal(job_hold_first(job, scene->a), 0);
    assert_true(object_is_busy(scene->a));
    run_all(scene);
    assert_string_equal(scene->trace, "xy");
}

static void job_that_is_given_up_lets_go(void **state)
{
    struct scene *scene = *state;
    struct worker x = {.scene = scene, .letter = 'x', .steps = 1};
    struct job *job = job_new(&scene->jobs, work, &x);
    assert_int_equal(job_hold_first(job, scene->a), 0);
    job_abandon(job);
    assert_null(scene->a->hold);
    assert_false(x.done);
}

/* A visitor that does nothing. */
static void enter(struct visitor *visitor)
{
    assert_null(visitor->hold);
}

static void visitors_and_jobs_take_turns(void **state)
{
    struct scene *scene = *state;
    struct worker x = {.scene = scene, .letter = 'x', .steps = 10};
    struct visitor visitors[3] = {{.enter = enter}, {.enter = enter}, {.enter = enter}};
    struct pace other = {0};
    assert_int_equal(hold_new(scene->a, &other, &scene->jobs.open), 0);
    for (unsigned i = 0; i < 3; i++) {
        visitor_stand(&visitors[i], scene->a);
    }
    hold_release(scene->a->hold);
    (void)job_new(&scene->jobs, work, &x);
    for (unsigned i = 0; i < 6; i++) {
        jobs_step(&scene->jobs, UINT64_MAX);
    }
    assert_null(scene->a->hold); /* all three have been let in */
    assert_string_equal(scene->trace, "xxx");
    run_all(scene);
}

static void want_of_memory_makes_no_job_or_no_hold(void **state)
{
    struct scene *scene = *state;
    struct worker x = {.scene = scene, .letter = 'x', .steps = 1};
    for (unsigned n = 0;; n++) {
        scarce_begin(n);
        struct job *job = job_new(&scene->jobs, work, &x);
        int status = job == NULL ? ERR_MEMORY : job_hold_first(job, scene->a);
        if (!scarce_end()) {
            assert_int_equal(status, 0);
            break;
        }
        assert_int_equal(status, ERR_MEMORY);
        assert_null(scene->a->hold);
        assert_int_equal(scene->a->refs, 2);
        if (job != NULL) {
            job_abandon(job);
        }
        assert_int_equal(scene->jobs.count, 0);
    }
    run_all(scene);
    assert_true(x.done);
}

static void job_without_memory_for_a_hold_runs_to_its_end_without_a_pause(void **state)
{
    struct scene *scene = *state;
    for (unsigned n = 0; n < 2; n++) {
        struct worker x = {.scene = scene, .letter = 'x', .steps = 5, .first = scene->a};
        memset(scene->trace, 0, sizeof(scene->trace));
        (void)job_new(&scene->jobs, work, &x);
        scarce_begin(n);
        jobs_step(&scene->jobs, UINT64_MAX);
        assert_true(scarce_end());
        assert_true(x.done);
        assert_int_equal(scene->a->refs, 2);
    }
}

static void job_without_memory_to_wait_for_a_hold_still_waits(void **state)
{
    struct scene *scene = *state;
    struct worker x = {.scene = scene, .letter = 'x', .steps = 3, .first = scene->a};
    struct worker y = {.scene = scene, .letter = 'y', .steps = 3, .first = scene->a};
    (void)job_new(&scene->jobs, work, &x);
    jobs_step(&scene->jobs, UINT64_MAX);
    (void)job_new(&scene->jobs, work, &y);
    scarce_begin(0);
    jobs_step(&scene->jobs, UINT64_MAX);
    jobs_step(&scene->jobs, UINT64_MAX);
    assert_true(scarce_end());
    assert_false(y.held);
    run_all(scene);
    assert_string_equal(scene->trace, "xxxyyy");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(jobs_take_turns),
        TEST(job_stops_when_its_slice_is_over_and_not_before),
        TEST(slice_ends_after_its_own_time_though_there_is_more),
        TEST(job_that_wants_what_another_holds_waits_for_it),
        TEST(job_has_what_it_holds_already_if_it_wants_it_again),
        TEST(jobs_that_want_two_objects_in_one_order_all_end),
        TEST(object_is_held_before_the_job_has_run),
        TEST(job_that_is_given_up_lets_go),
        TEST(visitors_and_jobs_take_turns),
        TEST(want_of_memory_makes_no_job_or_no_hold),
        TEST(job_without_memory_for_a_hold_runs_to_its_end_without_a_pause),
        TEST(job_without_memory_to_wait_for_a_hold_still_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
