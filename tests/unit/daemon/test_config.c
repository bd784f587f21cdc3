/* The configuration file: every key, every fault, and where the daemon listens. */
#include "tests/support/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "daemon/endpoint.h"

/* Reads a file with this text. */
static int read_text(const char *text, struct config *out, struct fault *fault)
{
    char path[] = "/tmp/ipcd-config-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    (void)close(fd);
    fault->text[0] = '\0';
    int status = config_read(path, out, fault);
    assert_int_equal(unlink(path), 0);
    return status;
}

static void the_defaults_are_those_of_the_limits_table(void **state)
{
    (void)state;
    struct config config;
    config_init(&config);
    for (int i = 0; i < LIMIT_COUNT; i++) {
        assert_int_equal(*limit_value(&config.limits, &limit_rows[i]), limit_rows[i].standard);
    }
    assert_int_equal(config.mode, 0666);
    assert_int_equal(config.spin_us, 0);
    assert_null(config.path);
    assert_null(config.group);
    config_deinit(&config);
}

static void every_key_is_read(void **state)
{
    (void)state;
    struct config config;
    struct fault fault;
    char text[1024] = "# all of them\n[limits]\n";
    for (int i = 0; i < LIMIT_COUNT; i++) {
        size_t len = strlen(text);
        (void)snprintf(text + len, sizeof(text) - len, "%s = %lu\n", limit_rows[i].name,
                       (unsigned long)limit_rows[i].least + 1);
    }
    (void)strcat(
        text, "[socket]\npath = /a/b c ; where\nmode = 0640\ngroup = adm\n[loop]\nspin = 1000\n");
    assert_int_equal(read_text(text, &config, &fault), 0);
    for (int i = 0; i < LIMIT_COUNT; i++) {
        assert_int_equal(*limit_value(&config.limits, &limit_rows[i]), limit_rows[i].least + 1);
    }
    assert_string_equal(config.path, "/a/b c");
    assert_int_equal(config.mode, 0640);
    assert_string_equal(config.group, "adm");
    assert_int_equal(config.spin_us, 1000);
    config_deinit(&config);
}

static void limits_for_each_user_follow_those_in_all(void **state)
{
    (void)state;
    struct config config;
    struct fault fault;
    assert_int_equal(read_text("[limits]\nmax_user_objects = 9\nmax_objects = 7\nmax_bytes = 3G\n"
                               "max_user_sessions = 1\n",
                               &config, &fault),
                     0);
    assert_int_equal(config.limits.max_user_objects, 7);
    assert_int_equal(config.lowered, 1U << LIMIT_max_user_objects);
    assert_int_equal(config.limits.max_user_bytes, 3UL << 29);
    assert_int_equal(config.limits.max_user_sessions, 1);
    assert_int_equal(config.limits.max_user_descriptors, 2048);
    config_deinit(&config);
}

static void sizes_have_suffixes_and_counts_do_not(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool bytes;
        uint64_t number; /* 0: it is none */
    } cases[] = {
        {"1", true, 1},
        {"64K", true, 65536},
        {"16M", true, 16777216},
        {"2G", true, 2147483648},
        {"18446744073709551615", true, UINT64_MAX},
        {"100", false, 100},
        {"64K", false, 0},
        {"", true, 0},
        {"K", true, 0},
        {"-1", true, 0},
        {"+1", true, 0},
        {" 1", true, 0},
        {"1 K", true, 0},
        {"1KB", true, 0},
        {"1k", true, 0},
        {"0x10", true, 0},
        {"1.5G", true, 0},
        {"18446744073709551616", true, 0},
        {"18446744073709551615K", true, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        uint64_t number = 0;
        assert_int_equal(config_number(cases[i].text, cases[i].bytes, &number),
                         cases[i].number != 0);
        assert_int_equal(number, cases[i].number);
    }
}

static void modes_are_octal(void **state)
{
    (void)state;
    mode_t mode = 1;
    assert_true(config_mode("0660", &mode));
    assert_int_equal(mode, 0660);
    assert_true(config_mode("777", &mode));
    assert_int_equal(mode, 0777);
    static const char *const wrong[] = {"",   "8",    "0668", "1777", "rw",
                                        "-1", " 660", "660 ", "0x1ff"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        assert_false(config_mode(wrong[i], &mode));
    }
}

static void a_fault_names_line_and_key_and_what_would_be_right(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *words[3];
    } cases[] = {
        {"[limits]\nmax_message = 12Q\n", {":2:", "max_message = 12Q", "1024 to 1073741824"}},
        {"[limits]\n\nmax_sessions = 0\n", {":3:", "max_sessions = 0", "from 1 to 1000000"}},
        {"[limits]\nmax_sessions = 5K\n", {":2:", "max_sessions = 5K", "number of sessions"}},
        {"[limits]\nmax_mesage = 1\n", {":2:", "max_mesage", "max_message, max_sessions"}},
        {"[limit]\nmax_message = 1M\n", {":2:", "section [limit]", "[socket] has path"}},
        {"max_message = 1M\n", {":1:", "max_message", "section []"}},
        {"[limits]\nmax_message = 1M\nmax_message = 1M\n", {":3:", "max_message", "twice"}},
        {"[limits]\nmax_message = 1M\n  2M\n", {":3:", "max_message", "twice"}},
        {"[socket]\nmode = rw\n", {":2:", "mode = rw", "0660"}},
        {"[loop]\nspin = 1001\n", {":2:", "spin = 1001", "from 0 to 1000"}},
        {"[loop]\nspin = 18446744073709551616\n", {":2:", "spin = 18446744073709551616", ""}},
        {"[loop]\nspin = -1\n", {":2:", "spin = -1", "microseconds"}},
        {"[socket]\nspin = 1\n", {":2:", "section [socket]", "[loop] has spin"}},
        {"[engine]\nlease = 1h\n", {":2:", "lease = 1h", "500ms"}},
        {"[engine]\nrealm = a\nurl = b\nrealm = a\n", {":4:", "realm", "twice"}},
        {"[engine]\nmode = 1\n", {":2:", "mode", "[engine] has url, names"}},
        {"[socket]\npath =\n", {":2:", "path is empty", "leave the line out"}},
        {"[limits]\nnonsense\n", {":2:", "key = value", "comment"}},
        {"[limits\n", {":1:", "[section]", ""}},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct config config = {.mode = 077};
        struct fault fault;
        assert_int_equal(read_text(cases[i].text, &config, &fault), ERR_BAD_REQUEST);
        assert_int_equal(config.mode, 077);
        for (int word = 0; word < 3; word++) {
            if (strstr(fault.text, cases[i].words[word]) == NULL) {
                fail_msg("\"%s\" is not in \"%s\"", cases[i].words[word], fault.text);
            }
        }
    }
}

static void a_line_that_is_too_long_is_named(void **state)
{
    (void)state;
    struct config config;
    struct fault fault;
    char text[400] = "[limits]\n# ";
    memset(text + strlen(text), 'x', 300);
    assert_int_equal(read_text(text, &config, &fault), ERR_BAD_REQUEST);
    assert_non_null(strstr(fault.text, ":2: the line is too long"));
}

static void a_file_that_is_not_there_is_named(void **state)
{
    (void)state;
    struct config config;
    struct fault fault;
    assert_int_equal(config_read("/nowhere/ipcd.conf", &config, &fault), ERR_BAD_REQUEST);
    assert_non_null(strstr(fault.text, "/nowhere/ipcd.conf: cannot be opened: No such file"));
    assert_int_equal(config_read("/tmp", &config, &fault), ERR_BAD_REQUEST);
    assert_non_null(strstr(fault.text, "/tmp: cannot be read: Is a directory"));
}

/* Switches on the keys of the example that have a default. */
static void switch_on(char *text)
{
    for (char *at = text; (at = strstr(at, "\n;")) != NULL; at += 2) {
        const char *end = strchr(at + 1, '\n');
        if (end != NULL && end[-1] != '=') {
            memmove(at + 1, at + 2, strlen(at + 2) + 1);
        }
    }
}

/* The example, with every key switched on, says just what the defaults are. */
static void the_example_shows_the_defaults(void **state)
{
    (void)state;
    struct config config;
    struct fault fault;
    char text[16384];
    const char *path = getenv("IPCD_EXAMPLE");
    assert_non_null(path);
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    size_t len = fread(text, 1, sizeof(text) - 1, file);
    (void)fclose(file);
    text[len] = '\0';
    assert_int_equal(read_text(text, &config, &fault), 0);
    config_deinit(&config);
    switch_on(text);
    assert_non_null(strstr(text, "\nspin = 0\n"));
    assert_non_null(strstr(text, "\n;group =\n"));
    assert_int_equal(read_text(text, &config, &fault), 0);
    for (int i = 0; i < LIMIT_COUNT; i++) {
        assert_int_equal(*limit_value(&config.limits, &limit_rows[i]), limit_rows[i].standard);
        assert_non_null(strstr(text, limit_rows[i].name));
    }
    assert_string_equal(config.path, "/run/ipcd/ipcd.sock");
    assert_int_equal(config.mode, CONFIG_MODE);
    assert_null(config.state);
    assert_int_equal(config.sync, STORE_SYNC_ALWAYS);
    assert_int_equal(config.reserve, STORE_RESERVE_STANDARD);
    assert_null(config.engine.url);
    assert_string_equal(config.engine.names, "*");
    assert_string_equal(config.engine.realm, "ipcd");
    assert_int_equal(config.engine.timeout_ms, ENGINE_TIMEOUT_STANDARD);
    assert_int_equal(config.engine.lease_ms, ENGINE_LEASE_STANDARD);
    assert_int_equal(config.engine.wait_replicas, 0);
    config_deinit(&config);
}

static void the_store_syncs_always_never_or_in_time(void **state)
{
    (void)state;
    struct config config;
    struct fault fault;
    assert_int_equal(
        read_text("[store]\nsync = 50ms\nreserve = 2M\ndirectory = /a/b\n", &config, &fault), 0);
    assert_int_equal(config.sync, STORE_SYNC_INTERVAL);
    assert_int_equal(config.interval_ms, 50);
    assert_int_equal(config.reserve, 2 * 1024 * 1024);
    assert_string_equal(config.state, "/a/b");
    config_deinit(&config);
    static const char *const bad[] = {"sync = sometimes", "sync = 0ms",
                                      "sync = 60001ms",   "sync = 50",
                                      "sync = -1ms",      "sync =",
                                      "reserve = 1000",   "directory = here",
                                      "directory =",      "sync = 18446744073709551617ms"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char text[128];
        (void)snprintf(text, sizeof(text), "[store]\n%s\n", bad[i]);
        assert_int_equal(read_text(text, &config, &fault), ERR_BAD_REQUEST);
        assert_non_null(strstr(fault.text, ":2: "));
    }
}

static void expect_path(const struct config *config, const struct options *options,
                        const char *path, mode_t parent)
{
    struct endpoint endpoint;
    struct fault fault;
    assert_int_equal(endpoint_find(config, options, &endpoint, &fault), 0);
    assert_string_equal(endpoint.path, path);
    assert_int_equal(endpoint.parent, parent);
    endpoint_deinit(&endpoint);
}

static void the_first_that_says_something_gives_the_path(void **state)
{
    (void)state;
    struct config config;
    struct options options = {0};
    config_init(&config);
    assert_int_equal(unsetenv("IPCD_SOCKET"), 0);
    assert_int_equal(setenv("XDG_RUNTIME_DIR", "/runtime", 1), 0);
    if (geteuid() == 0) {
        expect_path(&config, &options, "/run/ipcd/ipcd.sock", 0755);
    } else {
        expect_path(&config, &options, "/runtime/ipcd/ipcd.sock", 0700);
    }
    config.path = strdup("/configured");
    expect_path(&config, &options, "/configured", 0);
    assert_int_equal(setenv("IPCD_SOCKET", "embedded", 1), 0); /* a word for clients */
    expect_path(&config, &options, "/configured", 0);
    assert_int_equal(setenv("IPCD_SOCKET", "/environment", 1), 0);
    expect_path(&config, &options, "/environment", 0);
    options.socket = "@abstract";
    expect_path(&config, &options, "@abstract", 0);
    assert_int_equal(unsetenv("IPCD_SOCKET"), 0);
    config_deinit(&config);
}

static void mode_and_group_of_the_command_line_come_first(void **state)
{
    (void)state;
    struct config config;
    struct endpoint endpoint;
    struct fault fault;
    struct options options = {.socket = "/s"};
    config_init(&config);
    config.mode = 0600;
    config.group = strdup("root");
    assert_int_equal(endpoint_find(&config, &options, &endpoint, &fault), 0);
    assert_int_equal(endpoint.mode, 0600);
    assert_int_equal(endpoint.group, 0);
    endpoint_deinit(&endpoint);
    options.socket_mode = "0660";
    options.socket_group = "1234";
    assert_int_equal(endpoint_find(&config, &options, &endpoint, &fault), 0);
    assert_int_equal(endpoint.mode, 0660);
    assert_int_equal(endpoint.group, 1234);
    endpoint_deinit(&endpoint);
    options.socket_mode = "0999";
    assert_int_equal(endpoint_find(&config, &options, &endpoint, &fault), ERR_BAD_REQUEST);
    assert_non_null(strstr(fault.text, "--socket-mode \"0999\": must be"));
    options.socket_mode = NULL;
    options.socket_group = "no such group";
    assert_int_equal(endpoint_find(&config, &options, &endpoint, &fault), ERR_BAD_REQUEST);
    assert_non_null(strstr(fault.text, "socket group \"no such group\": there is no such group"));
    config_deinit(&config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_defaults_are_those_of_the_limits_table),
        cmocka_unit_test(every_key_is_read),
        cmocka_unit_test(limits_for_each_user_follow_those_in_all),
        cmocka_unit_test(sizes_have_suffixes_and_counts_do_not),
        cmocka_unit_test(modes_are_octal),
        cmocka_unit_test(a_fault_names_line_and_key_and_what_would_be_right),
        cmocka_unit_test(a_line_that_is_too_long_is_named),
        cmocka_unit_test(a_file_that_is_not_there_is_named),
        cmocka_unit_test(the_example_shows_the_defaults),
        cmocka_unit_test(the_store_syncs_always_never_or_in_time),
        cmocka_unit_test(the_first_that_says_something_gives_the_path),
        cmocka_unit_test(mode_and_group_of_the_command_line_come_first),
    };
    return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
