/* The connections against one real Redis server: on a Unix socket, with a password, over TLS. */
#include "tests/support/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/error.h"
#include "tests/support/redis_server.h"
#include "tests/unit/engine/caller.h"

static const char LIBRARY[] = "#!lua name=ipcd_test\n"
                              "redis.register_function('ipcd_test', function(keys, args)\n"
                              "  return redis.call('INCRBY', keys[1], args[1])\n"
                              "end)\n";

struct stage {
    struct redis_server server;
    struct caller caller;
    char url[128];
};

static int setup(void **state)
{
    struct stage *stage = calloc(1, sizeof(*stage));
    assert_non_null(stage);
    redis_start(&stage->server, 0, NULL);
    caller_init(&stage->caller);
    (void)snprintf(stage->url, sizeof(stage->url), "redis+unix://%s", stage->server.socket);
    *state = stage;
    return 0;
}

static int teardown(void **state)
{
    struct stage *stage = *state;
    caller_close(&stage->caller);
    redis_stop(&stage->server);
    free(stage);
    return 0;
}

static void a_command_is_answered(void **state)
{
    struct stage *stage = *state;
    struct sent sent = {0};
    caller_open(&stage->caller, stage->url);
    caller_ask(&stage->caller, &sent, "SET", "key", "value", NULL);
    assert_string_equal(sent.text, "OK");
    caller_ask(&stage->caller, &sent, "GET", "key", NULL);
    assert_string_equal(sent.text, "value");
    assert_true(stage->caller.reachable);
    caller_ask(&stage->caller, &sent, "INCR", "key", NULL);
    assert_int_equal(sent.type, REDIS_REPLY_ERROR);
}

static void the_library_is_loaded_once_for_all_who_wait(void **state)
{
    struct stage *stage = *state;
    struct sent sent[8] = {0};
    struct cluster_figures figures;
    stage->caller.options.library = slice_of_string(LIBRARY);
    caller_open(&stage->caller, stage->url);
    for (size_t i = 0; i < 8; i++) {
        caller_send(&stage->caller, &sent[i], 60000, "FCALL", "ipcd_test", "1", "key", "1", NULL);
    }
    for (size_t i = 0; i < 8; i++) {
        caller_await(&stage->caller, &sent[i].done);
        assert_int_equal(sent[i].fate, REQUEST_DONE);
        assert_int_equal(sent[i].integer, (int)i + 1);
    }
    cluster_figures(stage->caller.cluster, &figures);
    assert_int_equal(figures.loads, 1);
    redis_do(&stage->server, "FUNCTION FLUSH");
    caller_ask(&stage->caller, &sent[0], "FCALL", "ipcd_test", "1", "key", "1", NULL);
    assert_int_equal(sent[0].integer, 9);
}

static void a_library_that_does_not_compile_is_refused_in_words(void **state)
{
    struct stage *stage = *state;
    struct sent sent = {0};
    stage->caller.options.library = slice_of_string("#!lua name=ipcd_test\nnonsense(\n");
    caller_open(&stage->caller, stage->url);
    caller_send(&stage->caller, &sent, 60000, "FCALL", "ipcd_test", "1", "key", "1", NULL);
    caller_await(&stage->caller, &sent.done);
    assert_int_equal(sent.fate, REQUEST_NOT_DONE);
    assert_non_null(strstr(sent.text, "does not take the library of functions"));
}

static void messages_of_a_channel_come(void **state)
{
    struct stage *stage = *state;
    struct slice channel = slice_of_string("ipcd:r:{tag}:ch:host/1");
    caller_open(&stage->caller, stage->url);
    assert_int_equal(cluster_subscribe(stage->caller.cluster, channel), 0);
    caller_await_count(&stage->caller, &stage->caller.subscribed, 1);
    assert_string_equal(stage->caller.channel, "ipcd:r:{tag}:ch:host/1");
    redis_do(&stage->server, "SPUBLISH ipcd:r:{tag}:ch:host/1 text");
    caller_await_count(&stage->caller, &stage->caller.messages, 1);
    assert_string_equal(stage->caller.payload, "text");
    cluster_unsubscribe(stage->caller.cluster, channel);
    redis_do(&stage->server, "SPUBLISH ipcd:r:{tag}:ch:host/1 more");
    assert_int_equal(cluster_subscribe(stage->caller.cluster, channel), 0);
    caller_await_count(&stage->caller, &stage->caller.subscribed, 2);
    assert_int_equal(stage->caller.messages, 1);
}

static void a_server_that_comes_back_is_subscribed_to_anew(void **state)
{
    struct stage *stage = *state;
    struct sent sent = {0};
    caller_open(&stage->caller, stage->url);
    assert_int_equal(cluster_subscribe(stage->caller.cluster, slice_of_string("channel")), 0);
    caller_await_count(&stage->caller, &stage->caller.subscribed, 1);
    redis_kill(&stage->server);
    caller_await_reachable(&stage->caller, false);
    assert_non_null(strstr(stage->caller.why, stage->server.socket));
    caller_send(&stage->caller, &sent, 60000, "PING", "key", NULL);
    redis_start_again(&stage->server, NULL);
    caller_await(&stage->caller, &sent.done);
    assert_int_equal(sent.fate, REQUEST_DONE);
    caller_await_count(&stage->caller, &stage->caller.subscribed, 2);
    redis_do(&stage->server, "SPUBLISH channel again");
    caller_await_count(&stage->caller, &stage->caller.messages, 1);
}

/* ---- TLS and passwords --------------------------------------------------------------------- */

struct secure_stage {
    struct redis_server server;
    struct caller caller;
    uint16_t port;
    char certificate[96];
    char key[96];
    char url[128];
};

static void make_certificate(const struct secure_stage *stage, const char *name)
{
    char command[512];
    (void)snprintf(
        command, sizeof(command),
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 "
        "-subj /CN=test -addext subjectAltName=%s -keyout %s -out %s 2>/dev/null",
        name, stage->key, stage->certificate);
    assert_int_equal(system(command), 0);
}

/* A server with a password that speaks TLS, its certificate made out to `name`. */
static void start_secure(struct secure_stage *stage, const char *name)
{
    char port[16];
    redis_start(&stage->server, 0, NULL);
    redis_kill(&stage->server);
    (void)snprintf(stage->certificate, sizeof(stage->certificate), "%s/cert.pem",
                   stage->server.directory);
    (void)snprintf(stage->key, sizeof(stage->key), "%s/key.pem", stage->server.directory);
    make_certificate(stage, name);
    stage->port = redis_free_port();
    (void)snprintf(port, sizeof(port), "%u", stage->port);
    const char *const options[] = {
        "--tls-port",
        port,
        "--tls-cert-file",
        stage->certificate,
        "--tls-key-file",
        stage->key,
        "--tls-ca-cert-file",
        stage->certificate,
        "--tls-auth-clients",
        "no",
        "--user",
        "ipcd",
        "on",
        ">secret",
        "~*",
        "&*",
        "+@all",
        NULL,
    };
    redis_start_again(&stage->server, options);
}

static int setup_secure(void **state)
{
    struct secure_stage *stage = calloc(1, sizeof(*stage));
    assert_non_null(stage);
    caller_init(&stage->caller);
    *state = stage;
    return 0;
}

static int teardown_secure(void **state)
{
    struct secure_stage *stage = *state;
    caller_close(&stage->caller);
    redis_stop(&stage->server);
    free(stage);
    return 0;
}

static void open_secure(struct secure_stage *stage, const char *host)
{
    (void)snprintf(stage->url, sizeof(stage->url), "rediss://ipcd:secret@%s:%u/2", host,
                   stage->port);
    stage->caller.options.ca_file = stage->certificate;
    caller_open(&stage->caller, stage->url);
}

static void await_why(struct caller *caller, const char *part)
{
    while (strstr(caller->why, part) == NULL) {
        caller_await_count(caller, &caller->states, caller->states + 1);
    }
}

static void a_certificate_is_checked_and_everything_goes_through_tls(void **state)
{
    struct secure_stage *stage = *state;
    struct sent sent = {0};
    size_t size = (size_t)3 << 20;
    char *large = malloc(size + 1);
    assert_non_null(large);
    memset(large, 'x', size);
    large[size] = '\0';
    start_secure(stage, "IP:127.0.0.1");
    open_secure(stage, "127.0.0.1");
    caller_ask(&stage->caller, &sent, "SET", "key", large, NULL);
    assert_string_equal(sent.text, "OK");
    caller_ask(&stage->caller, &sent, "STRLEN", "key", NULL);
    assert_int_equal(sent.integer, size);
    caller_ask(&stage->caller, &sent, "GET", "key", NULL);
    assert_int_equal(sent.len, size);
    assert_int_equal(cluster_subscribe(stage->caller.cluster, slice_of_string("channel")), 0);
    caller_await_count(&stage->caller, &stage->caller.subscribed, 1);
    redis_do(&stage->server, "SPUBLISH channel text");
    caller_await_count(&stage->caller, &stage->caller.messages, 1);
    redis_kill(&stage->server);
    caller_await_reachable(&stage->caller, false);
    free(large);
}

static void a_name_is_checked_too(void **state)
{
    struct secure_stage *stage = *state;
    start_secure(stage, "DNS:localhost");
    open_secure(stage, "localhost");
    caller_await_reachable(&stage->caller, true);
}

static void a_certificate_for_somebody_else_is_refused(void **state)
{
    struct secure_stage *stage = *state;
    start_secure(stage, "DNS:elsewhere.example,IP:127.0.0.2");
    open_secure(stage, "127.0.0.1");
    await_why(&stage->caller, "TLS: IP address mismatch");
    assert_false(stage->caller.reachable);
}

static void a_certificate_that_nobody_trusted_signed_is_refused(void **state)
{
    struct secure_stage *stage = *state;
    start_secure(stage, "IP:127.0.0.1");
    (void)snprintf(stage->url, sizeof(stage->url), "rediss://127.0.0.1:%u", stage->port);
    caller_open(&stage->caller, stage->url); /* whom the system trusts */
    await_why(&stage->caller, "TLS: self-signed certificate");
    assert_false(stage->caller.reachable);
}

static void a_wrong_password_is_refused_in_words(void **state)
{
    struct secure_stage *stage = *state;
    start_secure(stage, "IP:127.0.0.1");
    (void)snprintf(stage->url, sizeof(stage->url), "rediss://ipcd:wrong@127.0.0.1:%u", stage->port);
    stage->caller.options.ca_file = stage->certificate;
    caller_open(&stage->caller, stage->url);
    await_why(&stage->caller, "it refuses us: WRONGPASS");
}

static void files_that_cannot_be_used_are_said(void **state)
{
    struct event_base *base = event_base_new();
    const struct cluster_listener listener = {0};
    struct cluster_options options = {.ca_file = "/nowhere/ca.pem"};
    struct cluster *cluster;
    char *error = NULL;
    assert_int_equal(url_parse("rediss://127.0.0.1:1", &options.url, &error), 0);
    assert_int_equal(cluster_open(base, &options, &listener, &cluster, &error), ERR_VALUE);
    assert_non_null(strstr(error, "/nowhere/ca.pem cannot be used"));
    free(error);
    options.ca_file = NULL;
    options.certificate_file = "/dev/null";
    assert_int_equal(cluster_open(base, &options, &listener, &cluster, &error), ERR_VALUE);
    assert_non_null(strstr(error, "the certificate /dev/null cannot be used"));
    free(error);
    url_deinit(&options.url);
    event_base_free(base);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_command_is_answered, setup, teardown),
        cmocka_unit_test_setup_teardown(the_library_is_loaded_once_for_all_who_wait, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_library_that_does_not_compile_is_refused_in_words, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(messages_of_a_channel_come, setup, teardown),
        cmocka_unit_test_setup_teardown(a_server_that_comes_back_is_subscribed_to_anew, setup,
                                        teardown),
#define SECURE(name) cmocka_unit_test_setup_teardown(name, setup_secure, teardown_secure)
        SECURE(a_certificate_is_checked_and_everything_goes_through_tls),
        SECURE(a_name_is_checked_too),
        SECURE(a_certificate_for_somebody_else_is_refused),
        SECURE(a_certificate_that_nobody_trusted_signed_is_refused),
        SECURE(a_wrong_password_is_refused_in_words),
        cmocka_unit_test(files_that_cannot_be_used_are_said),
    };
    if (!redis_is_there()) {
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
