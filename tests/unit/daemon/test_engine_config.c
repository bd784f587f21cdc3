/* Section [engine]: its keys, what they may be, and which names live in the engine. */
#include "tests/support/unit.h"

#include "daemon/config.h"

static bool set(struct engine_config *config, enum engine_key key, const char *value)
{
    char text[ENGINE_SENTENCE] = "";
    bool done = engine_config_set(config, key, value, text);
    assert_true(done == (text[0] == '\0'));
    if (!done) {
        assert_non_null(strstr(text, engine_key_names[key]));
    }
    return done;
}

static void every_key_can_be_set_and_makes_a_difference(void **state)
{
    static const char *const values[ENGINE_KEYS] = {
        [ENGINE_URL] = "redis://h", [ENGINE_NAMES] = "a/* b?",   [ENGINE_REALM] = "r.1",
        [ENGINE_HOST] = "h-1_x",    [ENGINE_TIMEOUT] = "1ms",    [ENGINE_LEASE] = "600s",
        [ENGINE_REPLICAS] = "100",  [ENGINE_USER] = "u",         [ENGINE_PASSWORD] = "/p",
        [ENGINE_CA] = "/c",         [ENGINE_CERTIFICATE] = "/d", [ENGINE_KEY] = "/k",
    };
    struct engine_config config;
    struct engine_config standard;
    engine_config_init(&standard);
    for (int key = 0; key < ENGINE_KEYS; key++) {
        engine_config_init(&config);
        assert_true(engine_config_equal(&config, &standard));
        assert_true(set(&config, (enum engine_key)key, values[key]));
        assert_false(engine_config_equal(&config, &standard));
        assert_true(engine_config_equal(&config, &config));
        assert_true(set(&config, (enum engine_key)key, values[key]));
        engine_config_deinit(&config);
    }
    engine_config_deinit(&standard);
}

static void what_cannot_be_is_refused_in_words(void **state)
{
    static const struct {
        enum engine_key key;
        const char *value;
    } wrong[] = {
        {ENGINE_URL, ""},
        {ENGINE_NAMES, ""},
        {ENGINE_NAMES, "  "},
        {ENGINE_REALM, ""},
        {ENGINE_REALM, "a{b}"},
        {ENGINE_REALM, "a:b"},
        {ENGINE_HOST, "a b"},
        {ENGINE_HOST, "a/b"},
        {ENGINE_HOST, "ü"},
        {ENGINE_TIMEOUT, "0ms"},
        {ENGINE_TIMEOUT, "5"},
        {ENGINE_TIMEOUT, "-1s"},
        {ENGINE_TIMEOUT, "601s"},
        {ENGINE_TIMEOUT, "18446744073709551615s"},
        {ENGINE_TIMEOUT, "18446744073709551616ms"},
        {ENGINE_LEASE, "999ms"},
        {ENGINE_LEASE, "1h"},
        {ENGINE_REPLICAS, "101"},
        {ENGINE_REPLICAS, "-1"},
        {ENGINE_REPLICAS, "1x"},
        {ENGINE_REPLICAS, ""},
        {ENGINE_PASSWORD, "secret"},
        {ENGINE_CA, ""},
    };
    struct engine_config config;
    engine_config_init(&config);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        if (set(&config, wrong[i].key, wrong[i].value)) {
            fail_msg("%s = %s was taken", engine_key_names[wrong[i].key], wrong[i].value);
        }
    }
    engine_config_deinit(&config);
}

static void a_pattern_is_as_long_as_a_name_can_be(void **state)
{
    struct engine_config config;
    char text[300];
    engine_config_init(&config);
    memset(text, 'a', sizeof(text));
    text[256] = '\0';
    assert_false(set(&config, ENGINE_NAMES, text));
    text[255] = '\0';
    assert_true(set(&config, ENGINE_NAMES, text));
    assert_true(engine_config_has(&config, text));
    text[254] = '\0';
    assert_false(engine_config_has(&config, text));
    engine_config_deinit(&config);
}

static void names_live_there_if_one_pattern_fits(void **state)
{
    struct engine_config config;
    engine_config_init(&config);
    assert_true(engine_config_has(&config, "anything"));
    assert_true(set(&config, ENGINE_NAMES, " shared/* \tjobs  {t}? "));
    assert_true(engine_config_has(&config, "shared/a/b"));
    assert_true(engine_config_has(&config, "shared/"));
    assert_true(engine_config_has(&config, "jobs"));
    assert_true(engine_config_has(&config, "{t}x"));
    assert_false(engine_config_has(&config, "shared"));
    assert_false(engine_config_has(&config, "jobs2"));
    assert_false(engine_config_has(&config, "{t}xy"));
    assert_false(engine_config_has(&config, ""));
    engine_config_deinit(&config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key_can_be_set_and_makes_a_difference),
        cmocka_unit_test(what_cannot_be_is_refused_in_words),
        cmocka_unit_test(a_pattern_is_as_long_as_a_name_can_be),
        cmocka_unit_test(names_live_there_if_one_pattern_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
