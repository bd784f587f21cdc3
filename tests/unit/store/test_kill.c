/*
 * Tests of daemon/store when its process is killed at any moment: what had ended is there, the rest
 * as a whole or not.
 *
 *     store_test_kill [ROUNDS]
 */
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/random_value.h"
#include "tests/support/unit.h"
#include "tests/unit/store/box.h"
#include "tests/unit/store/ledger.h"

static unsigned rounds = 25;

/* In a child: goes on from where the store is, and tells of each commit that has ended. */
static void write_for_ever(struct box *box, struct ledger *ledger, int tell)
{
    box_open(box);
    for (;;) {
        uint64_t number;
        const char *error;
        ledger_commit(ledger, box->store);
        if (box_wait(box, &number, &error) != 0 ||
            write(tell, &ledger->handed, sizeof(ledger->handed)) < 0) {
            _exit(1);
        }
    }
}

/* Lets a child write until it has told of `commits`, and kills it: the last that it has told of. */
static uint64_t write_and_kill(struct box *box, struct ledger *ledger, unsigned commits)
{
    int told[2];
    uint64_t last = ledger->handed;
    uint64_t number;
    assert_int_equal(pipe(told), 0);
    pid_t child = fork();
    if (child == 0) {
        (void)close(told[0]);
        write_for_ever(box, ledger, told[1]);
    }
    (void)close(told[1]);
    for (unsigned i = 0; i < commits; i++) {
        assert_int_equal(read(told[0], &last, sizeof(last)), sizeof(last));
    }
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    while (read(told[0], &number, sizeof(number)) == sizeof(number)) {
        last = number;
    }
    (void)close(told[0]);
    return last;
}

static void a_killed_writer_leaves_all_that_had_ended(void **state)
{
    struct box box;
    struct ledger ledger = {.seed = 5};
    struct random random = random_from_seed((uint64_t)getpid());
    box_init(&box);
    for (unsigned i = 0; i < rounds; i++) {
        unsigned commits = random_below(&random, 8) == 0 ? 0 : random_below(&random, 60);
        uint64_t last = write_and_kill(&box, &ledger, commits);
        box_open(&box);
        ledger.handed = ledger_find(&ledger, &box, last, last + 1);
        box_close(&box);
    }
    box_deinit(&box);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_killed_writer_leaves_all_that_had_ended),
    };
    if (argc > 1) {
        rounds = (unsigned)strtoul(argv[1], NULL, 10);
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
