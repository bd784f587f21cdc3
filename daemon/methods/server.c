/*
 * methods/server: the handlers of server.*.
 *
 * Tests: tests/unit/methods/test_server.c, tests/system/test_server.c.
 */
#include <limits.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "daemon/methods/methods.h"
#include "daemon/call/engine.h"
#include "daemon/call/parked.h"
#include "daemon/methods/options.h"
#include "proto/value.h"

enum { PROTOCOL = 1, CLIENT_MOST = 255, USERS_MOST = 1000 };

/* What the client calls itself: "name version", or just the name. */
static int set_client(struct call *call, const struct param *client, const struct param *version)
{
    if (!option_given(client)) {
        return 0;
    }
    struct slice name = option_str(client);
    struct slice number = option_str(version);
    if (name.len + number.len >= CLIENT_MOST || !value_is_utf8(name) || !value_is_utf8(number)) {
        return call_fail(call, ERR_BAD_REQUEST,
                         "server.hello: client and version must be UTF-8 and have less than %d "
                         "bytes together",
                         CLIENT_MOST);
    }
    char *text;
    if (asprintf(&text, "%.*s%s%.*s", (int)name.len, (const char *)name.data,
                 number.len > 0 ? " " : "", (int)number.len, (const char *)number.data) < 0) {
        return ERR_MEMORY;
    }
    free(call->session->client);
    call->session->client = text;
    session_charge_memory(call->session);
    return 0;
}

/* The pair "limits". */
static void pack_limits(struct buffer *out, const struct service *service)
{
    struct limits limits = service->accounts.limits;
    pack_string(out, "limits");
    pack_map(out, LIMIT_COUNT + 3);
    for (size_t i = 0; i < LIMIT_COUNT; i++) {
        pack_key_uint(out, limit_rows[i].name, *limit_value(&limits, &limit_rows[i]));
    }
    pack_key_int(out, "max_depth", MESSAGE_DEPTH);
    pack_key_int(out, "max_name", OBJECT_NAME_MAX);
    pack_key_int(out, "max_message_descriptors", DESCRIPTORS_PER_MESSAGE);
}

int method_server_hello(struct call *call)
{
    struct param given[OPTIONS_server_hello];
    int status = options_read(call, 0, given);
    if (status == 0) {
        status = set_client(call, &given[OPTION_server_hello_client],
                            &given[OPTION_server_hello_version]);
    }
    if (status < 0) {
        return status;
    }
    struct buffer *out = call_result(call);
    const struct engine_api *engine = call->service->engine;
    pack_map(out, 5 + (engine != NULL));
    pack_key_string(out, "server", "ipcd");
    pack_key_string(out, "version", IPCD_VERSION);
    pack_key_int(out, "protocol", PROTOCOL);
    pack_key_uint(out, "session", call->session->id);
    if (engine != NULL) {
        pack_key_string(out, "host", engine->host);
    }
    pack_limits(out, call->service);
    return 0;
}

int method_server_ping(struct call *call)
{
    if (!call_given(call, 0)) {
        return call_answer_nil(call);
    }
    return call_answer_param(call, 0);
}

static const char *needs_name(enum method_needs needs)
{
    switch (needs) {
    case METHOD_NEEDS_READ:
        return "read";
    case METHOD_NEEDS_WRITE:
        return "write";
    case METHOD_NEEDS_OWNER:
        return "owner";
    case METHOD_NEEDS_NONE:
        break;
    }
    return NULL;
}

static void pack_flags(struct buffer *out, const struct method *method)
{
    const char *needs = needs_name(method->needs);
    bool waits = (method->flags & METHOD_WAITS) != 0;
    pack_array(out, (size_t)(needs != NULL) + waits);
    if (needs != NULL) {
        pack_string(out, needs);
    }
    if (waits) {
        pack_string(out, "waits");
    }
}

/* The words of a choice, an array. */
static void pack_words(struct buffer *out, const char *words)
{
    size_t at = pack_array_begin(out);
    size_t count = 0;
    for (; *words != '\0'; count++) {
        size_t len = strcspn(words, " ");
        pack_str(out, (struct slice){(const uint8_t *)words, len});
        words += len;
        words += strspn(words, " ");
    }
    pack_array_end(out, at, count);
}

static void pack_options(struct buffer *out, const struct method_signature *signature)
{
    pack_array(out, signature->option_count);
    for (unsigned i = 0; i < signature->option_count; i++) {
        const struct method_option *option = signature->options[i];
        pack_map(out, 5);
        pack_key_string(out, "name", option->name);
        pack_key_string(out, "type", param_type_word(option->type));
        pack_string(out, "words");
        pack_words(out, option->words);
        pack_key_string(out, "default", option->standard);
        pack_key_string(out, "summary", option->summary);
    }
}

int method_server_methods(struct call *call)
{
    struct buffer *out = call_result(call);
    pack_array(out, METHOD_COUNT);
    for (size_t i = 0; i < METHOD_COUNT; i++) {
        pack_map(out, 6);
        pack_key_string(out, "name", methods[i].name);
        pack_key_string(out, "params", methods[i].params);
        pack_string(out, "options");
        pack_options(out, &call->service->index.signatures[i]);
        pack_key_string(out, "result", methods[i].result);
        pack_key_string(out, "summary", methods[i].summary);
        pack_string(out, "flags");
        pack_flags(out, &methods[i]);
    }
    return 0;
}

static void pack_objects(struct buffer *out, const struct registry *registry)
{
    pack_map(out, OBJECT_KINDS);
    for (size_t kind = 0; kind < OBJECT_KINDS; kind++) {
        pack_key_uint(out, object_kind_name((enum object_kind)kind), registry->count[kind]);
    }
}

/* {method: number} of one figure, the methods that have none left out. */
static void pack_figures(struct buffer *out, const struct service *service, size_t offset)
{
    size_t at = pack_map_begin(out);
    size_t count = 0;
    for (size_t i = 0; i < METHOD_COUNT; i++) {
        uint64_t number;
        memcpy(&number, (const char *)&service->figures[i] + offset, sizeof(number));
        if (number > 0) {
            pack_key_uint(out, methods[i].name, number);
            count++;
        }
    }
    pack_map_end(out, at, count);
}

/* Bytes: resident (proc_pid_statm(5)), allocated and free in the allocator (mallinfo(3)). malloc
 * goes through all that is free to count it, which takes long where that is much: only trusted
 * users may make the others wait for it. */
static void pack_memory(struct buffer *out, bool trusted)
{
    unsigned long pages = 0;
    FILE *statm = fopen("/proc/self/statm", "re");
    if (statm != NULL) {
        if (fscanf(statm, "%*u %lu", &pages) != 1) {
            pages = 0;
        }
        (void)fclose(statm);
    }
    pack_map(out, 3);
    pack_key_uint(out, "resident", (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE));
    if (!trusted) {
        pack_string(out, "allocated");
        pack_nil(out);
        pack_string(out, "free");
        pack_nil(out);
        return;
    }
    struct mallinfo2 info = mallinfo2();
    pack_key_uint(out, "allocated", info.uordblks + info.hblkhd);
    pack_key_uint(out, "free", info.fordblks);
}

/* What each user has, those who came last first; no more than USERS_MOST of them. */
static void pack_users(struct buffer *out, const struct accounts *accounts)
{
    size_t at = pack_array_begin(out);
    size_t count = 0;
    const struct user *user;
    TAILQ_FOREACH (user, &accounts->users, link) {
        if (count == USERS_MOST) {
            break;
        }
        pack_map(out, 6);
        pack_key_uint(out, "uid", user->uid);
        pack_key_uint(out, "bytes", user->bytes);
        pack_key_uint(out, "sessions", user->sessions);
        pack_key_uint(out, "objects", user->objects);
        pack_key_uint(out, "stored", user->stored);
        pack_key_uint(out, "descriptors", user->descriptors);
        count++;
    }
    pack_array_end(out, at, count);
}

/* Another daemon has taken over, or could not. */
static int answer_upgrade(struct call *call)
{
    const struct service *service = call->service;
    if (service->upgrader.failure[0] != '\0') {
        return call_fail(call, ERR_VALUE, "server.upgrade: %s", service->upgrader.failure);
    }
    struct buffer *out = call_result(call);
    pack_map(out, 3);
    pack_key_string(out, "version", IPCD_VERSION);
    pack_key_uint(out, "takeovers", service->takeovers);
    pack_key_uint(out, "ms", (call->now - call->parked->since) / 1000000);
    return 0;
}

/* The program of the param, NUL-terminated; empty: the daemon's own. */
static int read_program(struct call *call, char path[PATH_MAX])
{
    struct slice program = call_given(call, 0) ? call_bytes(call, 0) : (struct slice){0};
    path[0] = '\0';
    if (program.len == 0) {
        return 0;
    }
    if (program.len >= PATH_MAX || program.data[0] != '/' ||
        memchr(program.data, '\0', program.len) != NULL) {
        return call_fail(call, ERR_BAD_REQUEST,
                         "server.upgrade: param program must be the absolute path of an ipcd");
    }
    memcpy(path, program.data, program.len);
    path[program.len] = '\0';
    return 0;
}

int method_server_upgrade(struct call *call)
{
    struct upgrader *upgrader = &call->service->upgrader;
    char path[PATH_MAX];
    char text[UPGRADE_TEXT];
    if (call->waited) {
        return answer_upgrade(call);
    }
    if (!call->session->user->trusted) {
        return call_fail(call, ERR_DENIED,
                         "server.upgrade is for root and the daemon's own user; the caller is user "
                         "%u",
                         (unsigned)call->session->credentials.uid);
    }
    if (upgrader->begin == NULL || call->batch != NULL) {
        return call_fail(call, ERR_UNSUPPORTED,
                         "server.upgrade is no part of a batch, and needs a daemon process");
    }
    int status = read_program(call, path);
    if (status < 0) {
        return status;
    }
    if (!upgrader->begin(upgrader->data, path[0] == '\0' ? NULL : path, text)) {
        return call_fail(call, ERR_VALUE, "server.upgrade: %s", text);
    }
    return call_wait_on(call, NULL, 0, CALL_FOREVER, ERR_VALUE);
}

/* Which daemon this is, and where. */
static void pack_identity(struct buffer *out, const struct service *service)
{
    pack_key_string(out, "version", IPCD_VERSION);
    pack_key_int(out, "pid", getpid());
    pack_key_string(out, "socket", service->socket);
    pack_key_string(out, "state_directory", service->state_directory);
}

/* The durable store, or nil. */
static void pack_store(struct buffer *out, const struct service *service)
{
    const struct keeper *keeper = &service->commits.keeper;
    pack_string(out, "store");
    if (keeper->describe == NULL) {
        pack_nil(out);
        return;
    }
    size_t at = pack_map_begin(out);
    pack_map_end(out, at, keeper->describe(keeper->data, out));
}

/* The engine in which other objects live, or nil. */
static void pack_engine(struct buffer *out, const struct service *service)
{
    const struct engine_api *engine = service->engine;
    pack_string(out, "engine");
    if (engine == NULL) {
        pack_nil(out);
        return;
    }
    size_t at = pack_map_begin(out);
    pack_map_end(out, at, engine->describe(engine->data, out));
}

int method_server_stats(struct call *call)
{
    call->shows_all = true;
    const struct service *service = call->service;
    struct buffer *out = call_result(call);
    pack_map(out, 22);
    pack_identity(out, service);
    pack_key_uint(out, "uptime", (call->now - service->started) / 1000000000);
    pack_string(out, "since");
    pack_timestamp(out, service->since.tv_sec, (uint32_t)service->since.tv_nsec);
    pack_key_uint(out, "takeovers", service->takeovers);
    pack_key_uint(out, "sessions", service->accounts.sessions);
    pack_string(out, "objects");
    pack_objects(out, &service->registry);
    pack_key_uint(out, "bytes", service->accounts.bytes);
    pack_key_uint(out, "descriptors", service->accounts.descriptors);
    pack_limits(out, service);
    pack_string(out, "users");
    pack_users(out, &service->accounts);
    pack_string(out, "calls");
    pack_figures(out, service, offsetof(struct method_figures, calls));
    pack_string(out, "errors");
    pack_figures(out, service, offsetof(struct method_figures, errors));
    pack_key_uint(out, "unknown_methods", service->unknown_methods);
    pack_key_uint(out, "waiting", service->waiting);
    pack_key_uint(out, "retries", service->retries);
    pack_key_uint(out, "faults", service->registry.faults);
    pack_store(out, service);
    pack_engine(out, service);
    pack_string(out, "memory");
    pack_memory(out, call->session->user->trusted);
    return 0;
}
