/* Lines of the log. */
#include "tests/support/unit.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/log.h"

struct sink {
    struct log log;
    int fds[2];
    char text[65536];
};

static int setup(void **state)
{
    struct sink *sink = calloc(1, sizeof(*sink));
    assert_non_null(sink);
    assert_int_equal(pipe2(sink->fds, O_NONBLOCK), 0);
    log_init(&sink->log, sink->fds[1]);
    *state = sink;
    return 0;
}

static int teardown(void **state)
{
    struct sink *sink = *state;
    (void)close(sink->fds[0]);
    (void)close(sink->fds[1]);
    free(sink);
    return 0;
}

/* All that was written since the last time. */
static const char *written(struct sink *sink)
{
    ssize_t len = read(sink->fds[0], sink->text, sizeof(sink->text) - 1);
    sink->text[len > 0 ? len : 0] = '\0';
    return sink->text;
}

static void a_line_begins_with_its_priority(void **state)
{
    struct sink *sink = *state;
    log_line(&sink->log, LOG_LEVEL_WARNING, "%s %d", "number", 5);
    assert_string_equal(written(sink), "<4>number 5\n");
    sink->log.prefixed = false;
    log_line(&sink->log, LOG_LEVEL_ERROR, "plain");
    assert_string_equal(written(sink), "plain\n");
}

static void what_is_logged_stays_one_line(void **state)
{
    struct sink *sink = *state;
    log_line(&sink->log, LOG_LEVEL_INFO, "a\nb\x1b[31m\x7fgrün");
    assert_string_equal(written(sink), "<6>a?b?[31m?grün\n");
}

static void a_long_line_is_cut(void **state)
{
    struct sink *sink = *state;
    char text[3000];
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    log_line(&sink->log, LOG_LEVEL_INFO, "%s", text);
    size_t len = strlen(written(sink));
    assert_true(len > 1000 && len <= 1024);
    assert_int_equal(sink->text[len - 1], '\n');
}

static unsigned count_lines(const char *text)
{
    unsigned count = 0;
    for (; *text != '\0'; text++) {
        count += *text == '\n';
    }
    return count;
}

static void faults_are_held_to_a_number_in_ten_seconds(void **state)
{
    struct sink *sink = *state;
    for (int i = 0; i < 1000; i++) {
        log_fault(&sink->log, 5000000000, "fault");
    }
    assert_int_equal(count_lines(written(sink)), LOG_FAULTS);
    log_fault(&sink->log, 14999999999, "still");
    assert_string_equal(written(sink), "");
    log_fault(&sink->log, 15000000000, "again");
    assert_string_equal(written(sink),
                        "<4>981 more faults of sessions were not logged\n<4>again\n");
    log_fault(&sink->log, 15000000001, "again");
    assert_string_equal(written(sink), "<4>again\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_line_begins_with_its_priority, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_logged_stays_one_line, setup, teardown),
        cmocka_unit_test_setup_teardown(a_long_line_is_cut, setup, teardown),
        cmocka_unit_test_setup_teardown(faults_are_held_to_a_number_in_ten_seconds, setup,
                                        teardown),
    };
    return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
