/* Codes, names, meanings and messages. */
#include "tests/unit/client/client_test.h"

#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "client/error.h"

static void numbers_and_names_are_those_of_the_daemon(void **state)
{
#define ERROR(name, number, meaning)                                                               \
    assert_int_equal(IPCC_ERR_##name, -(number));                                                  \
    assert_string_equal(ipcc_error_name(-(number)), #name);                                        \
    assert_string_equal(ipcc_strerror(-(number)), meaning);
#include "proto/errors.def"
#undef ERROR
}

static void own_codes_lie_apart_and_have_names(void **state)
{
    static const struct {
        int code;
        const char *name;
    } rows[] = {
        {IPCC_ERR_LOST, "LOST"},
        {IPCC_ERR_CONNECT, "CONNECT"},
        {IPCC_ERR_NO_MEMORY, "NO_MEMORY"},
        {IPCC_ERR_FORKED, "FORKED"},
        {IPCC_ERR_ARGUMENT, "ARGUMENT"},
        {IPCC_ERR_PROTOCOL, "PROTOCOL"},
        {IPCC_ERR_BUSY, "BUSY"},
        {IPCC_ERR_SYSTEM, "SYSTEM"},
        {IPCC_ERR_NO_ANSWER, "NO_ANSWER"},
        {IPCC_ERR_OTHER, "OTHER"},
        {IPCC_ERR_END, "END"},
        {IPCC_ERR_INTERRUPTED, "INTERRUPTED"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(rows[i].code, -100 - (int)i);
        assert_string_equal(ipcc_error_name(rows[i].code), rows[i].name);
        assert_string_not_equal(ipcc_strerror(rows[i].code), "an unknown error");
    }
}

static void numbers_that_are_none_have_texts_too(void **state)
{
    static const int numbers[] = {1, 5, -27, -50, -99, -112, INT32_MIN, INT32_MAX};
    assert_string_equal(ipcc_strerror(0), "success");
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        assert_string_equal(ipcc_strerror(numbers[i]), "an unknown error");
        assert_string_equal(ipcc_error_name(numbers[i]), "OTHER");
    }
}

static void *fail_in_thread(void *data)
{
    bool empty = ipcc_last_message()[0] == '\0';
    (void)error_set(IPCC_ERR_ARGUMENT, "of the other thread");
    return empty ? data : NULL;
}

static void each_thread_has_its_own_message(void **state)
{
    pthread_t thread;
    void *result;
    int here;
    assert_int_equal(error_set(IPCC_ERR_SYSTEM, "of %s thread", "this"), IPCC_ERR_SYSTEM);
    assert_int_equal(pthread_create(&thread, NULL, fail_in_thread, &here), 0);
    assert_int_equal(pthread_join(thread, &result), 0);
    assert_ptr_equal(result, &here);
    assert_string_equal(ipcc_last_message(), "of this thread");
}

static void message_may_be_made_of_the_last_one(void **state)
{
    (void)error_set(IPCC_ERR_LOST, "it broke");
    (void)error_set(IPCC_ERR_LOST, "as before: %s", ipcc_last_message());
    assert_string_equal(ipcc_last_message(), "as before: it broke");
}

static void message_is_cut_between_characters(void **state)
{
    static const char *const characters[] = {"x", "ä", "€", "😀"};
    char text[2 * MESSAGE_TEXT];
    for (size_t lead = 0; lead < 4; lead++) {
        for (size_t kind = 0; kind < 4; kind++) {
            size_t size = strlen(characters[kind]);
            memset(text, '.', lead);
            size_t len = lead;
            while (len + size < sizeof(text) - 1) {
                memcpy(text + len, characters[kind], size);
                len += size;
            }
            text[len] = '\0';
            (void)error_set(IPCC_ERR_LOST, "%s", text);
            size_t kept = strlen(ipcc_last_message());
            assert_true(kept > MESSAGE_TEXT - 5 && kept < MESSAGE_TEXT);
            assert_int_equal((kept - lead) % size, 0);
            assert_memory_equal(ipcc_last_message(), text, kept);
        }
    }
}

/* What ipcc_perror(prefix, error) writes to standard error, and what it returns. */
static void assert_line(const char *expected, const char *prefix, int error)
{
    char line[MESSAGE_TEXT * 2] = "";
    int ends[2];
    int kept = dup(STDERR_FILENO);
    assert_int_equal(pipe(ends), 0);
    assert_true(kept >= 0 && dup2(ends[1], STDERR_FILENO) == STDERR_FILENO);
    int status = ipcc_perror(prefix, error);
    assert_int_equal(dup2(kept, STDERR_FILENO), STDERR_FILENO);
    (void)close(kept);
    (void)close(ends[1]);
    /* The writing side is closed, and a line fits into a pipe. */
    assert_int_equal(read(ends[0], line, sizeof(line) - 1), strlen(expected));
    (void)close(ends[0]);
    assert_string_equal(line, expected);
    assert_int_equal(status, error);
}

static void perror_writes_a_line_of_prefix_code_and_message(void **state)
{
    (void)error_set(IPCC_ERR_EMPTY, "the queue \"%%s\" is empty");
    assert_line("get: EMPTY: the queue \"%s\" is empty\n", "get", IPCC_ERR_EMPTY);
    assert_line("EMPTY: the queue \"%s\" is empty\n", NULL, IPCC_ERR_EMPTY);
    assert_line("", "get", 0);
    assert_line("", "get", 5);
    (void)error_set(IPCC_ERR_EMPTY, "%s", "");
    assert_line("get: LOST: the connection to the daemon is lost\n", "get", IPCC_ERR_LOST);
}

static void version_is_the_project_s(void **state)
{
    assert_string_equal(ipcc_version(), IPCD_VERSION);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_and_names_are_those_of_the_daemon),
        cmocka_unit_test(own_codes_lie_apart_and_have_names),
        cmocka_unit_test(numbers_that_are_none_have_texts_too),
        cmocka_unit_test(each_thread_has_its_own_message),
        cmocka_unit_test(message_may_be_made_of_the_last_one),
        cmocka_unit_test(message_is_cut_between_characters),
        cmocka_unit_test(perror_writes_a_line_of_prefix_code_and_message),
        cmocka_unit_test(version_is_the_project_s),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
