/* caller: see caller.h. */
#include "tests/unit/engine/caller.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/support/unit.h"

enum {
    LIMIT_S = 60,
    WORDS_MOST = 16,
};

static void copy(char *out, size_t size, struct slice text)
{
    (void)snprintf(out, size, "%.*s", (int)text.len, (const char *)text.data);
}

static void on_message(void *data, struct slice channel, struct slice payload)
{
    struct caller *caller = data;
    caller->messages++;
    copy(caller->channel, sizeof(caller->channel), channel);
    copy(caller->payload, sizeof(caller->payload), payload);
}

static void on_subscribed(void *data, struct slice channel)
{
    struct caller *caller = data;
    caller->subscribed++;
    copy(caller->channel, sizeof(caller->channel), channel);
}

static void on_state(void *data, bool reachable, const char *why)
{
    struct caller *caller = data;
    assert_true(reachable == (why == NULL));
    caller->reachable = reachable;
    caller->states++;
    (void)snprintf(caller->why, sizeof(caller->why), "%s", why == NULL ? "" : why);
}

void caller_init(struct caller *caller)
{
    *caller = (struct caller){.base = event_base_new()};
    assert_non_null(caller->base);
    (void)signal(SIGPIPE, SIG_IGN);
}

void caller_open(struct caller *caller, const char *url)
{
    char *error = NULL;
    const struct cluster_listener listener = {on_message, on_subscribed, on_state, caller};
    assert_int_equal(url_parse(url, &caller->options.url, &error), 0);
    int status = cluster_open(caller->base, &caller->options, &listener, &caller->cluster, &error);
    url_deinit(&caller->options.url);
    if (status < 0) {
        fail_msg("cluster_open: %s", error);
    }
}

void caller_close(struct caller *caller)
{
    cluster_close(caller->cluster);
    event_base_free(caller->base);
}

static void give_up(evutil_socket_t fd, short events, void *data)
{
    fail_msg("what is awaited does not come");
}

void caller_await(struct caller *caller, const bool *flag)
{
    struct timeval limit = {.tv_sec = LIMIT_S};
    struct event *alarm = evtimer_new(caller->base, give_up, NULL);
    assert_int_equal(event_add(alarm, &limit), 0);
    while (!*flag) {
        assert_int_not_equal(event_base_loop(caller->base, EVLOOP_ONCE), -1);
    }
    event_free(alarm);
}

void caller_await_count(struct caller *caller, const unsigned *count, unsigned at_least)
{
    struct timeval limit = {.tv_sec = LIMIT_S};
    struct event *alarm = evtimer_new(caller->base, give_up, NULL);
    assert_int_equal(event_add(alarm, &limit), 0);
    while (*count < at_least) {
        assert_int_not_equal(event_base_loop(caller->base, EVLOOP_ONCE), -1);
    }
    event_free(alarm);
}

void caller_await_reachable(struct caller *caller, bool reachable)
{
    bool reached = false;
    while (!reached) {
        unsigned states = caller->states;
        reached = caller->reachable == reachable;
        if (!reached) {
            caller_await_count(caller, &caller->states, states + 1);
        }
    }
}

static void set(evutil_socket_t fd, short events, void *data)
{
    *(bool *)data = true;
}

void caller_run(struct caller *caller, unsigned ms)
{
    bool over = false;
    struct timeval time = {.tv_sec = (time_t)(ms / 1000),
                           .tv_usec = (suseconds_t)(ms % 1000 * 1000)};
    assert_int_equal(event_base_once(caller->base, -1, EV_TIMEOUT, set, &over, &time), 0);
    caller_await(caller, &over);
}

static void on_done(struct request *request, const struct redisReply *reply, enum request_fate fate,
                    const char *why)
{
    struct sent *sent = (struct sent *)request;
    assert_false(sent->done);
    assert_true((fate == REQUEST_DONE) == (reply != NULL));
    assert_true((fate == REQUEST_DONE) == (why == NULL));
    sent->done = true;
    sent->fate = fate;
    sent->type = reply == NULL ? 0 : reply->type;
    sent->integer = reply == NULL ? 0 : reply->integer;
    sent->len = reply == NULL ? 0 : reply->len;
    const char *text = reply == NULL ? why : reply->str;
    (void)snprintf(sent->text, sizeof(sent->text), "%s", text == NULL ? "" : text);
}

static void send_words(struct caller *caller, struct sent *sent, uint64_t deadline_ms,
                       va_list words)
{
    struct slice argv[WORDS_MOST];
    size_t argc = 0;
    const char *word;
    while ((word = va_arg(words, const char *)) != NULL) {
        assert_true(argc < WORDS_MOST);
        argv[argc++] = slice_of_string(word);
    }
    sent->done = false;
    sent->caller = caller;
    sent->request.done = on_done;
    size_t key = strcmp((const char *)argv[0].data, "FCALL") == 0 ? 3 : 1;
    assert_true(argc > key);
    cluster_send(caller->cluster, &sent->request, argv[key], argc, argv, deadline_ms);
}

void caller_send(struct caller *caller, struct sent *sent, uint64_t deadline_ms, ...)
{
    va_list words;
    va_start(words, deadline_ms);
    send_words(caller, sent, deadline_ms, words);
    va_end(words);
}

void caller_ask(struct caller *caller, struct sent *sent, ...)
{
    va_list words;
    va_start(words, sent);
    send_words(caller, sent, (uint64_t)LIMIT_S * 1000, words);
    va_end(words);
    caller_await(caller, &sent->done);
    if (sent->fate != REQUEST_DONE) {
        fail_msg("fate %d: %s", (int)sent->fate, sent->text);
    }
}
