/* Codes, names, meanings and messages. */
#include "tests/unit/client/client_test.h"

#include <pthread.h>
#include <string.h>

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
        cmocka_unit_test(version_is_the_project_s),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
