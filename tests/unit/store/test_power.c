/*
 * Tests of what daemon/store has on disk when power is lost: a run is remembered with each write,
 * sync and truncation, and then what the disk could have kept of each beginning of it is opened. It
 * must be the state after a commit, none before the last that had ended.
 *
 *     store_test_power [SEEDS]: so many ways of keeping each beginning, instead of one of every
 *                               fifth, which those are differs from run to run
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/support/random_value.h"
#include "tests/support/unit.h"
#include "tests/unit/store/box.h"
#include "tests/unit/store/disk.h"
#include "tests/unit/store/ledger.h"
#include "tests/unit/store/record.h"

enum { COMMITS = 120 };

static uint64_t seeds = 0;

static int set_up(void **state)
{
    struct box *box = malloc(sizeof(*box));
    disk_install();
    box_init(box);
    *state = box;
    return 0;
}

static int tear_down(void **state)
{
    box_deinit(*state);
    free(*state);
    record_forget();
    return 0;
}

/* Commits, of which each end is noted. */
static void run(struct ledger *ledger, struct box *box, uint64_t commits)
{
    for (uint64_t i = 0; i < commits; i++) {
        uint64_t number;
        const char *error;
        ledger_commit(ledger, box->store);
        assert_int_equal(box_wait(box, &number, &error), 0);
        record_note(++ledger->ended);
    }
}

/* Opens what is left of a beginning, looks, and commits once more. */
static void recover(const struct ledger *ledger, struct box *box, uint64_t length, unsigned kept,
                    uint64_t seed, uint64_t least)
{
    struct image image;
    record_lose_power(length, kept, seed, &image);
    record_write_image(&image, box->directory);
    image_deinit(&image);
    char *sentence = NULL;
    if (box_try_open(box, &sentence) != 0) {
        fail_msg("%s: the first %llu things, of seed %llu", sentence, (unsigned long long)length,
                 (unsigned long long)seed);
    }
    struct ledger course = *ledger;
    course.handed = ledger_find(&course, box, least, ledger->handed);
    run(&course, box, 1);
    box_reopen(box);
    (void)ledger_find(&course, box, course.handed, course.handed);
    box_close(box);
}

static void recover_all(const struct ledger *ledger, struct box *box, bool synced)
{
    static const unsigned kept[] = {128, 0, 256, 230, 20};
    uint64_t length = record_length();
    uint64_t step = seeds > 0 ? 1 : 5;
    for (uint64_t i = (uint64_t)getpid() % step; i <= length; i += step) {
        for (uint64_t seed = 0; seed == 0 || seed < seeds; seed++) {
            uint64_t least = synced ? record_last_note(i) : 0;
            recover(ledger, box, i, kept[(i + seed) % 5], seed * 1000003 + i, least);
        }
    }
}

static void every_beginning_of_a_run_has_all_that_was_told(void **state)
{
    struct box *box = *state;
    struct ledger ledger = {.seed = 1};
    record_begin();
    box_open(box);
    run(&ledger, box, COMMITS);
    box_reopen(box);
    run(&ledger, box, COMMITS / 4);
    box_close(box);
    record_stop();
    recover_all(&ledger, box, true);
}

static void without_syncs_it_is_an_earlier_state_but_whole(void **state)
{
    struct box *box = *state;
    struct ledger ledger = {.seed = 2};
    box->options.sync = STORE_SYNC_NEVER;
    record_begin();
    box_open(box);
    run(&ledger, box, COMMITS);
    box_close(box);
    record_stop();
    recover_all(&ledger, box, false);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_beginning_of_a_run_has_all_that_was_told, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(without_syncs_it_is_an_earlier_state_but_whole, set_up,
                                        tear_down),
    };
    if (argc > 1) {
        seeds = strtoull(argv[1], NULL, 10);
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
