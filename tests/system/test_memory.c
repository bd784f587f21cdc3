/*
 * How much memory the daemon takes with its limits at their defaults: in an address space of
 * MEMORY bytes nothing that clients do makes it want more. It refuses, by its own limits, and
 * serves the others.
 */
#include "tests/support/daemon.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__
#endif
#endif

#define MEMORY_TEXT "268435456"
enum {
    MEMORY = 256 << 20,
    BYTES = MEMORY / 4, /* max_bytes follows */
    SESSIONS = MEMORY >> 20,
    MESSAGE = MEMORY / 16,
    MOST = 1000000, /* calls until something must be full */
};

static const char prlimit[] = "/usr/bin/prlimit";

static int setup(void **state)
{
#ifdef __SANITIZE_ADDRESS__
    print_message("skipped: a sanitizer needs an address space without limit\n");
    return 0;
#endif
    if (access(prlimit, X_OK) < 0) {
        print_message("skipped: there is no %s to limit the address space with\n", prlimit);
        return 0;
    }
    *state =
        daemon_start(&(struct daemon_options){.wrapper = {prlimit, "--as=" MEMORY_TEXT, "--"}});
    return 0;
}

static int teardown(void **state)
{
    if (*state != NULL) {
        daemon_stop(*state);
    }
    return 0;
}

static struct daemon *daemon_of(void **state)
{
    if (*state == NULL) {
        skip();
    }
    return *state;
}

/* The params of call number `i`, an array in notation. */
typedef const char *params_of(struct rpc *c, unsigned i);

/* The text of the error that a response has; NULL: it has none. */
static char *error_of(struct reply *reply)
{
    char *text = NULL;
    if (reply->error.type == MSGPACK_OBJECT_ARRAY && reply->error.via.array.size >= 2) {
        const msgpack_object_str *said = &reply->error.via.array.ptr[1].via.str;
        text = strndup(said->ptr, said->size);
    }
    reply_free(reply);
    return text;
}

/* Calls until one is refused, which must be for max_bytes and not because there is no memory. How
 * many there were before. */
static unsigned fill(struct rpc *c, const char *method, params_of *params)
{
    for (unsigned i = 0; i < MOST; i++) {
        char *error = error_of(rpc_call(c, method, params(c, i)));
        if (error != NULL) {
            bool by_limit = strstr(error, "over the limit max_bytes") != NULL;
            if (!by_limit) {
                test_fail(HERE, "%s was refused with \"%s\"", method, error);
            }
            free(error);
            return i;
        }
    }
    test_fail(HERE, "%s was never refused", method);
}

/* Bytes of a figure of /proc/PID/status: VmHWM, the most that was resident. */
static long status_of(const struct daemon *daemon, const char *name)
{
    char path[64];
    char line[256];
    long kilobytes = -1;
    (void)snprintf(path, sizeof(path), "/proc/%d/status", (int)daemon->pid);
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    while (kilobytes < 0 && fgets(line, sizeof(line), file) != NULL) {
        size_t len = strlen(name);
        if (strncmp(line, name, len) == 0 && line[len] == ':') {
            kilobytes = strtol(line + len + 1, NULL, 10);
        }
    }
    (void)fclose(file);
    return kilobytes * 1024;
}

/* It lives, serves others, and has stayed below what it may have, sockets left out. */
static void assert_well(struct daemon *daemon)
{
    struct rpc *other = daemon_client(daemon);
    expect(other, "server.ping", "[5]", "5");
    expect(other, "session.list", "[]", "[_map, ...]");
    assert_true(status_of(daemon, "VmHWM") > 0);
    assert_true(status_of(daemon, "VmHWM") < MEMORY / 5 * 4);
    daemon_drop(daemon, other);
}

static void limits_follow_from_the_memory(void **state)
{
    struct rpc *c = daemon_client(daemon_of(state));
    expect(c, "server.hello", "[]",
           rpc_text(c,
                    "{limits: {max_message: %d, max_sessions: %d, max_user_sessions: %d,"
                    " max_bytes: %d, max_user_bytes: %d, ...}, ...}",
                    MESSAGE, SESSIONS, SESSIONS / 2, BYTES, BYTES / 2));
    expect(c, "server.stats", "[]", rpc_text(c, "{limits: {max_bytes: %d, ...}, ...}", BYTES));
}

static const char *many_small(struct rpc *c, unsigned i)
{
    (void)i;
    return rpc_text(c, "['o', [7]*10000]");
}

static const char *many_short(struct rpc *c, unsigned i)
{
    (void)i;
    return rpc_text(c, "['o', ['x'*50]*5000]");
}

static const char *large(struct rpc *c, unsigned i)
{
    (void)i;
    return rpc_text(c, "['o', 'x'*6000000]");
}

static const char *pages(struct rpc *c, unsigned i)
{
    (void)i;
    return rpc_text(c, "['o', ['x'*9000]*100]");
}

static const char *delayed(struct rpc *c, unsigned i)
{
    (void)i;
    return rpc_text(c, "['o', 'x'*2000, nil, {delay_ms: 3600000}]");
}

static const char *pair(struct rpc *c, unsigned i)
{
    return rpc_text(c, "['o', %u, 'x'*1000]", i);
}

static const char *array(struct rpc *c, unsigned i)
{
    return rpc_text(c, "['a%u', {typecode: 'd', size: 100000}]", i);
}

static void objects_are_filled_until_the_limit(void **state)
{
    static const struct {
        const char *open;
        const char *method;
        params_of *params;
    } fills[] = {
        {"queue.open", "queue.put_many", many_small}, {"queue.open", "queue.put_many", many_short},
        {"queue.open", "queue.put", large},           {"queue.open", "queue.put_many", pages},
        {"queue.open", "queue.put", delayed},         {"list.open", "list.extend", many_small},
        {"list.open", "list.extend", many_short},     {"dict.open", "dict.set", pair},
    };
    struct daemon *daemon = daemon_of(state);
    struct rpc *c = daemon_client(daemon);
    for (size_t i = 0; i < sizeof(fills) / sizeof(fills[0]); i++) {
        expect(c, fills[i].open, "['o']", "_map");
        (void)fill(c, fills[i].method, fills[i].params);
        assert_well(daemon);
        expect(c, "object.delete", "['o']", "nil");
    }
}

static void arrays_are_made_until_the_limit(void **state)
{
    struct daemon *daemon = daemon_of(state);
    struct rpc *c = daemon_client(daemon);
    unsigned count = fill(c, "array.open", array);
    expect(c, "object.delete", "['a0']", "nil"); /* room for a message */
    for (unsigned i = 1; i < count; i++) {       /* their pages are touched */
        expect(c, "array.set_slice", rpc_text(c, "['a%u', 0, [1.5]*100000]", i), "_");
    }
    assert_well(daemon);
}

/* Each page of the heap keeps a value, so that none can be used for what comes next. */
static void pages_that_cannot_be_used_again_do_not_break_it(void **state)
{
    struct daemon *daemon = daemon_of(state);
    struct rpc *c = daemon_client(daemon);
    expect(c, "dict.open", "['o']", "_map");
    unsigned count = fill(c, "dict.set", pair);
    for (unsigned i = 0; i < count; i++) {
        if (i % 4 != 0) {
            reply_free(rpc_call(c, "dict.delete", rpc_text(c, "['o', %u]", i)));
        }
    }
    expect(c, "queue.open", "['q']", "_map");
    for (unsigned i = 0;; i++) {
        char *error = error_of(rpc_call(c, "queue.put_many", "['q', ['x'*9000]*100]"));
        if (error != NULL) {
            assert_true(i > 0);
            assert_non_null(strstr(error, "over the limit max_bytes"));
            free(error);
            break;
        }
    }
    expect(c, "queue.clear", "['q']", "_int");
    expect(c, "object.delete", "['q']", "nil");
    expect(c, "queue.open", "['p']", "_map");
    for (;;) { /* large blocks, before the heap has given anything back */
        char *error = error_of(rpc_call(c, "queue.put", "['p', 'x'*6000000]"));
        if (error != NULL) {
            assert_non_null(strstr(error, "over the limit max_bytes"));
            free(error);
            break;
        }
    }
    assert_well(daemon);
}

/* Those who send a message but for its last byte, and those who do not read what they asked for. */
static void messages_that_are_not_whole_and_answers_that_are_not_read_are_counted(void **state)
{
    enum { CLIENTS = 30, REQUESTS = 100 };
    struct daemon *daemon = daemon_of(state);
    struct rpc *c = daemon_client(daemon);
    expect(c, "list.open", "['l', {initial: ['x'*3000]*100}]", "_map");
    for (unsigned i = 0; i < CLIENTS; i++) {
        struct rpc *reader = daemon_client(daemon);
        msgpack_sbuffer requests;
        msgpack_sbuffer_init(&requests);
        for (unsigned j = 0; j < REQUESTS; j++) {
            (void)rpc_pack(reader, &requests, "list.copy", "['l']");
        }
        rpc_write(reader, requests.data, requests.size);
        msgpack_sbuffer_destroy(&requests);
    }
    assert_well(daemon);
    for (unsigned i = 0; i < 8; i++) {
        struct rpc *sender = daemon_client(daemon);
        msgpack_sbuffer request;
        msgpack_sbuffer_init(&request);
        (void)rpc_pack(sender, &request, "server.ping", "['x'*12000000]");
        rpc_write(sender, request.data, request.size - 1);
        msgpack_sbuffer_destroy(&request);
    }
    assert_well(daemon);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(limits_follow_from_the_memory, setup, teardown),
        cmocka_unit_test_setup_teardown(objects_are_filled_until_the_limit, setup, teardown),
        cmocka_unit_test_setup_teardown(arrays_are_made_until_the_limit, setup, teardown),
        cmocka_unit_test_setup_teardown(pages_that_cannot_be_used_again_do_not_break_it, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(
            messages_that_are_not_whole_and_answers_that_are_not_read_are_counted, setup, teardown),
    };
    return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}
