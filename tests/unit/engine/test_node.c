/* One connection, seen through a cluster of one server, which the test plays: bytes, greetings,
 * ends. */
#include "tests/support/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/engine/caller.h"
#include "tests/unit/engine/fake_redis.h"

struct stage {
    struct caller caller;
    struct fake_redis fake;
    const char *reply;      /* to GET */
    const char *auth_reply; /* to AUTH */
    char auth[128];         /* the last AUTH, words joined by spaces */
    char greeting[256];     /* all else that came in greeting, likewise */
    struct sent last;       /* which have not ended when the cluster is closed */
    struct sent very_last;
};

static void join(char *out, size_t size, size_t argc, const char *const *argv)
{
    for (size_t i = 0; i < argc; i++) {
        size_t len = strlen(out);
        (void)snprintf(out + len, size - len, "%s%s", argv[i], i + 1 < argc ? " " : ";");
    }
}

static const char *script(struct fake_redis *fake, struct fake_connection *connection, size_t argc,
                          const char *const *argv)
{
    struct stage *stage = fake->data;
    if (strcmp(argv[0], "GET") == 0) {
        return stage->reply;
    }
    if (strcmp(argv[0], "AUTH") == 0) {
        stage->auth[0] = '\0';
        join(stage->auth, sizeof(stage->auth), argc, argv);
        return stage->auth_reply;
    }
    if (strcmp(argv[0], "CLIENT") == 0 || strcmp(argv[0], "SELECT") == 0) {
        join(stage->greeting, sizeof(stage->greeting), argc, argv);
    }
    return FAKE_ORDINARY;
}

static int setup(void **state)
{
    struct stage *stage = calloc(1, sizeof(*stage));
    assert_non_null(stage);
    stage->reply = FAKE_ORDINARY;
    stage->auth_reply = FAKE_ORDINARY;
    caller_init(&stage->caller);
    fake_start(&stage->fake, stage->caller.base, script, stage);
    *state = stage;
    return 0;
}

static int teardown(void **state)
{
    struct stage *stage = *state;
    fake_stop(&stage->fake);
    caller_close(&stage->caller);
    free(stage);
    return 0;
}

static void open_with(struct stage *stage, const char *before, const char *behind)
{
    char url[128];
    (void)snprintf(url, sizeof(url), "redis://%s:%u%s", before, stage->fake.port, behind);
    caller_open(&stage->caller, url);
}

static void open_plain(struct stage *stage)
{
    open_with(stage, "127.0.0.1", "");
    caller_await_reachable(&stage->caller, true);
}

static void assert_says(const char *text, const char *part)
{
    if (strstr(text, part) == NULL) {
        fail_msg("\"%s\" should say \"%s\"", text, part);
    }
}

/* ---- bytes --------------------------------------------------------------------------------- */

static void replies_are_told_apart_however_they_are_cut(void **state)
{
    struct stage *stage = *state;
    struct sent get[3] = {0};
    struct sent ping[3] = {0};
    stage->fake.bytewise = true;
    stage->reply = "$5\r\nv\r\nue\r\n";
    open_plain(stage);
    for (size_t i = 0; i < 3; i++) {
        caller_send(&stage->caller, &get[i], 60000, "GET", "key", NULL);
        caller_send(&stage->caller, &ping[i], 60000, "PING", "key", NULL);
    }
    for (size_t i = 0; i < 3; i++) {
        caller_await(&stage->caller, &ping[i].done);
        assert_true(get[i].done);
        assert_string_equal(get[i].text, "v\r\nue");
        assert_string_equal(ping[i].text, "PONG");
    }
}

static void what_is_sent_in_one_turn_leaves_in_one_write(void **state)
{
    struct stage *stage = *state;
    struct sent sent[20] = {0};
    open_plain(stage);
    unsigned before = stage->fake.reads;
    for (size_t i = 0; i < 20; i++) {
        caller_send(&stage->caller, &sent[i], 60000, "GET", "key", NULL);
    }
    caller_await(&stage->caller, &sent[19].done);
    assert_int_equal(stage->fake.commands, 20);
    assert_int_equal(stage->fake.reads, before + 1);
}

/* The reply ends the connection, and its request with these words; the next request is served anew.
 */
static void assert_ends(struct stage *stage, const char *reply, const char *words)
{
    struct sent sent = {0};
    unsigned accepted = stage->fake.accepted;
    stage->reply = reply;
    caller_send(&stage->caller, &sent, 60000, "GET", "key", NULL);
    caller_await(&stage->caller, &sent.done);
    assert_int_equal(sent.fate, REQUEST_UNKNOWN);
    assert_says(sent.text, words);
    stage->reply = "+fine\r\n";
    caller_ask(&stage->caller, &sent, "GET", "key", NULL);
    assert_string_equal(sent.text, "fine");
    assert_int_equal(stage->fake.accepted, accepted + 1);
}

static void what_is_not_redis_ends_the_connection(void **state)
{
    struct stage *stage = *state;
    open_plain(stage);
    assert_ends(stage, "HTTP/1.1 400 Bad Request\r\n", "not Redis' protocol");
    assert_ends(stage, "\r\n", "not Redis' protocol");
    assert_ends(stage, "$x\r\n", "not Redis' protocol");
    assert_ends(stage, "$-2\r\n", "not Redis' protocol");
    assert_ends(stage, "*-2\r\n", "not Redis' protocol");
    assert_ends(stage, ":12x\r\n", "not Redis' protocol");
    assert_ends(stage, "*99999999999999999999\r\n", "not Redis' protocol");
    assert_ends(stage, "*9223372036854775807\r\n", "not Redis' protocol");
    assert_ends(stage, "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n",
                "not Redis' protocol");
}

static void replies_are_not_made_room_for_before_they_are_there(void **state)
{
    struct stage *stage = *state;
    open_plain(stage);
    assert_ends(stage, "*2147483647\r\n", "larger than memory");
    assert_ends(stage, "*1048577\r\n", "larger than memory");
    assert_ends(stage, "*1048576\r\n*1\r\n", "larger than memory");
}

static void a_reply_that_is_too_long_ends_the_connection(void **state)
{
    struct stage *stage = *state;
    char longer[3000];
    memset(longer, 'x', sizeof(longer));
    (void)memcpy(longer, "$9223372036854775807\r\n", strlen("$9223372036854775807\r\n"));
    longer[sizeof(longer) - 1] = '\0';
    stage->caller.options.max_reply = 2000;
    open_plain(stage);
    assert_ends(stage, longer, "more bytes than one may have");
}

static void replies_larger_than_one_read_arrive_whole(void **state)
{
    struct stage *stage = *state;
    struct sent sent = {0};
    char *reply = malloc(1000100);
    assert_non_null(reply);
    int len = snprintf(reply, 100, "*2\r\n$1000000\r\n");
    memset(reply + len, 'x', 1000000);
    memcpy(reply + len + 1000000, "\r\n:7\r\n", sizeof("\r\n:7\r\n"));
    stage->reply = reply;
    open_plain(stage);
    caller_ask(&stage->caller, &sent, "GET", "key", NULL);
    assert_int_equal(sent.type, REDIS_REPLY_ARRAY);
    free(reply);
}

static void a_reply_that_nobody_asked_for_ends_the_connection(void **state)
{
    struct stage *stage = *state;
    struct cluster_figures figures;
    open_plain(stage);
    fake_say(&stage->fake, "+OK\r\n");
    caller_await_reachable(&stage->caller, false);
    assert_says(stage->caller.why, "nobody asked for");
    caller_await_reachable(&stage->caller, true);
    cluster_figures(stage->caller.cluster, &figures);
    assert_int_equal(figures.reconnects, 1);
}

/* ---- ends ---------------------------------------------------------------------------------- */

static void what_may_have_been_run_is_not_sent_again(void **state)
{
    struct stage *stage = *state;
    struct sent sent[2] = {0};
    open_plain(stage);
    stage->reply = "$10\r\nhalf";
    caller_send(&stage->caller, &sent[0], 60000, "GET", "key", NULL);
    caller_await_count(&stage->caller, &stage->fake.commands, 1);
    stage->reply = FAKE_NOTHING;
    caller_send(&stage->caller, &sent[1], 60000, "GET", "key", NULL);
    caller_await_count(&stage->caller, &stage->fake.commands, 2);
    fake_hang_up(&stage->fake);
    caller_await(&stage->caller, &sent[1].done);
    assert_true(sent[0].done);
    assert_int_equal(sent[0].fate, REQUEST_UNKNOWN);
    assert_int_equal(sent[1].fate, REQUEST_UNKNOWN);
    assert_says(sent[0].text, "closed the connection");
    caller_await_reachable(&stage->caller, true);
    caller_run(&stage->caller, 50);
    assert_int_equal(stage->fake.commands, 2);
}

static void a_server_that_owes_a_reply_and_is_silent_is_left(void **state)
{
    struct stage *stage = *state;
    stage->caller.options.silence_ms = 90;
    open_plain(stage);
    caller_run(&stage->caller, 200); /* it owes nothing */
    assert_int_equal(stage->fake.accepted, 1);
    assert_ends(stage, FAKE_NOTHING, "has said nothing for");
}

static void a_server_with_channels_must_show_that_it_is_there(void **state)
{
    struct stage *stage = *state;
    stage->caller.options.silence_ms = 90;
    open_plain(stage);
    assert_int_equal(cluster_subscribe(stage->caller.cluster, slice_of_string("channel")), 0);
    caller_await_count(&stage->caller, &stage->caller.subscribed, 1);
    caller_await_count(&stage->caller, &stage->fake.pings, 5);
    assert_int_equal(stage->caller.subscribed, 1);
    fake_hang_up(&stage->fake);
    caller_await_count(&stage->caller, &stage->caller.subscribed, 2);
}

static void nobody_there_is_said_at_the_deadline(void **state)
{
    struct stage *stage = *state;
    struct sent sent = {0};
    fake_stop(&stage->fake);
    open_with(stage, "127.0.0.1", "");
    caller_send(&stage->caller, &sent, 100, "GET", "key", NULL);
    assert_false(sent.done);
    caller_await(&stage->caller, &sent.done);
    assert_int_equal(sent.fate, REQUEST_NOT_DONE);
    assert_says(sent.text, "Connection refused");
    assert_says(sent.text, "127.0.0.1:");
    assert_false(stage->caller.reachable);
    caller_send(&stage->caller, &sent, UINT64_MAX, "GET", "key", NULL);
    fake_start_again(&stage->fake);
    caller_await(&stage->caller, &sent.done);
    assert_int_equal(sent.fate, REQUEST_DONE);
}

static void a_deadline_of_now_is_kept(void **state)
{
    struct stage *stage = *state;
    struct sent sent = {0};
    open_with(stage, "127.0.0.1", "");
    caller_send(&stage->caller, &sent, 0, "GET", "key", NULL);
    caller_await(&stage->caller, &sent.done);
    assert_int_equal(sent.fate, REQUEST_NOT_DONE);
    caller_await_reachable(&stage->caller, true);
    caller_send(&stage->caller, &sent, 0, "GET", "key", NULL); /* it can be sent at once */
    caller_await(&stage->caller, &sent.done);
    assert_int_equal(sent.fate, REQUEST_DONE);
}

/* ---- greetings ----------------------------------------------------------------------------- */

static void a_server_that_does_not_greet_is_given_up(void **state)
{
    struct stage *stage = *state;
    stage->auth_reply = FAKE_NOTHING;
    stage->caller.options.connect_timeout_ms = 50;
    open_with(stage, ":x@127.0.0.1", "");
    caller_await_count(&stage->caller, &stage->fake.accepted, 3);
    assert_says(cluster_why(stage->caller.cluster), "no connection within 50 ms");
}

static void who_we_are_is_said(void **state)
{
    struct stage *stage = *state;
    stage->caller.options.client_name = "ipcd-host";
    open_with(stage, "us%20er:pass%3Aword@127.0.0.1", "/7");
    caller_await_reachable(&stage->caller, true);
    assert_string_equal(stage->auth, "AUTH us er pass:word;");
    assert_string_equal(stage->greeting, "CLIENT SETNAME ipcd-host;SELECT 7;");
}

static void a_wrong_password_is_said(void **state)
{
    struct stage *stage = *state;
    stage->auth_reply = "-WRONGPASS invalid username-password pair or user is disabled.\r\n";
    open_with(stage, ":secret@127.0.0.1", "");
    caller_await_count(&stage->caller, &stage->fake.accepted, 2);
    assert_string_equal(stage->auth, "AUTH secret;");
    assert_says(cluster_why(stage->caller.cluster), "it refuses us: WRONGPASS");
    assert_null(strstr(cluster_why(stage->caller.cluster), "secret"));
    stage->auth_reply = FAKE_ORDINARY;
    caller_await_reachable(&stage->caller, true);
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void the_file_of_the_password_is_read_anew(void **state)
{
    struct stage *stage = *state;
    char path[] = "/tmp/ipcd-engine-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    (void)close(fd);
    write_file(path, "first\n");
    stage->caller.options.password_file = path;
    open_with(stage, "user:other@127.0.0.1", "");
    caller_await_reachable(&stage->caller, true);
    assert_string_equal(stage->auth, "AUTH user first;");
    write_file(path, "second\r\nmore\n");
    fake_hang_up(&stage->fake);
    caller_await_reachable(&stage->caller, false);
    caller_await_reachable(&stage->caller, true);
    assert_string_equal(stage->auth, "AUTH user second;");
    assert_int_equal(unlink(path), 0);
    fake_hang_up(&stage->fake);
    caller_await_count(&stage->caller, &stage->fake.accepted, stage->fake.accepted + 1);
    caller_run(&stage->caller, 20);
    assert_says(cluster_why(stage->caller.cluster), "cannot be read: No such file");
}

static void names_are_looked_up(void **state)
{
    struct stage *stage = *state;
    open_with(stage, "localhost", "");
    caller_await_reachable(&stage->caller, true);
}

static void a_name_that_nobody_knows_is_said(void **state)
{
    struct stage *stage = *state;
    stage->caller.options.connect_timeout_ms = 100;
    open_with(stage, "no.such.host.invalid", "");
    caller_await_count(&stage->caller, &stage->caller.states, 1);
    while (strstr(stage->caller.why, "connect") == NULL) {
        caller_await_count(&stage->caller, &stage->caller.states, stage->caller.states + 1);
    }
    assert_says(stage->caller.why, "no.such.host.invalid:");
    caller_run(&stage->caller, 50); /* the look-up that was given up is answered */
}

/* ---- forgetting ---------------------------------------------------------------------------- */

static void who_is_forgotten_is_not_told(void **state)
{
    struct stage *stage = *state;
    struct sent *gone = calloc(1, sizeof(*gone));
    struct sent sent = {0};
    assert_non_null(gone);
    open_plain(stage);
    stage->reply = "+first\r\n";
    cluster_forget(stage->caller.cluster, &gone->request); /* never sent */
    caller_send(&stage->caller, gone, 60000, "GET", "key", NULL);
    caller_send(&stage->caller, &sent, 60000, "PING", "key", NULL);
    caller_await_count(&stage->caller, &stage->fake.commands, 1);
    cluster_forget(stage->caller.cluster, &gone->request); /* it is under way */
    assert_false(gone->done);
    free(gone);
    caller_await(&stage->caller, &sent.done);
    assert_string_equal(sent.text, "PONG");
    caller_send(&stage->caller, &sent, 60000, "PING", "key", NULL);
    cluster_forget(stage->caller.cluster, &sent.request); /* it has not left */
    fake_stop(&stage->fake);
    caller_await_reachable(&stage->caller, false);
    caller_send(&stage->caller, &sent, 60000, "PING", "key", NULL);
    caller_run(&stage->caller, 20);
    cluster_forget(stage->caller.cluster, &sent.request); /* it waits */
    caller_send(&stage->caller, &stage->last, 60000, "PING", "key", NULL);
    caller_send(&stage->caller, &stage->very_last, 60000, "PING", "key", NULL);
    caller_run(&stage->caller, 20);
    assert_false(stage->last.done); /* closing forgets them */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(replies_are_told_apart_however_they_are_cut),
        TEST(what_is_sent_in_one_turn_leaves_in_one_write),
        TEST(what_is_not_redis_ends_the_connection),
        TEST(replies_are_not_made_room_for_before_they_are_there),
        TEST(a_reply_that_is_too_long_ends_the_connection),
        TEST(replies_larger_than_one_read_arrive_whole),
        TEST(a_reply_that_nobody_asked_for_ends_the_connection),
        TEST(what_may_have_been_run_is_not_sent_again),
        TEST(a_server_that_owes_a_reply_and_is_silent_is_left),
        TEST(a_server_with_channels_must_show_that_it_is_there),
        TEST(nobody_there_is_said_at_the_deadline),
        TEST(a_deadline_of_now_is_kept),
        TEST(a_server_that_does_not_greet_is_given_up),
        TEST(who_we_are_is_said),
        TEST(a_wrong_password_is_said),
        TEST(the_file_of_the_password_is_read_anew),
        TEST(names_are_looked_up),
        TEST(a_name_that_nobody_knows_is_said),
        TEST(who_is_forgotten_is_not_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
