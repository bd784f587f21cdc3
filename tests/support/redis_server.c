/* redis_server: see redis_server.h. */
#include "tests/support/redis_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/unit.h"

enum {
    ARGUMENTS_MOST = 48,
    TRIES = 3000, /* of 10 ms: for what takes a moment, on a machine that is busy */
    SLOTS = 16384,
};

static void rest(void)
{
    (void)poll(NULL, 0, 10);
}

bool redis_is_there(void)
{
    bool there = system("redis-server --version >/dev/null 2>&1") == 0;
    if (!there) {
        (void)fprintf(stderr, "skipped: redis-server is not installed (Debian: redis-server)\n");
    }
    return there;
}

uint16_t redis_free_port(void)
{
    for (;;) {
        struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
        struct sockaddr_in bus;
        socklen_t len = sizeof(name);
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        int second = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal(bind(fd, (const struct sockaddr *)&name, sizeof(name)), 0);
        assert_int_equal(getsockname(fd, (struct sockaddr *)&name, &len), 0);
        uint16_t port = ntohs(name.sin_port);
        bus = name;
        bus.sin_port = htons((uint16_t)(port + 10000));
        bool is_free =
            port < 55000 && bind(second, (const struct sockaddr *)&bus, sizeof(bus)) == 0;
        (void)close(fd);
        (void)close(second);
        if (is_free) {
            return port;
        }
        /* The kernel gives ports from 32768 up: half of them have no room above. */
    }
}

static redisContext *connect_to(const struct redis_server *server)
{
    redisContext *context = redisConnectUnix(server->socket);
    if (context != NULL && context->err != 0) {
        redisFree(context);
        context = NULL;
    }
    return context;
}

static void await_server(const struct redis_server *server)
{
    for (int i = 0; i < TRIES; i++) {
        int status = 0;
        assert_int_equal(waitpid(server->pid, &status, WNOHANG), 0); /* it has not given up */
        redisContext *context = connect_to(server);
        redisReply *reply = context == NULL ? NULL : redisCommand(context, "PING");
        bool answers = reply != NULL && reply->type != REDIS_REPLY_ERROR;
        freeReplyObject(reply);
        if (context != NULL) {
            redisFree(context);
        }
        if (answers) {
            return;
        }
        rest();
    }
    fail_msg("redis-server does not answer");
}

void redis_start_again(struct redis_server *server, const char *const *more)
{
    char port[16];
    const char *arguments[ARGUMENTS_MOST] = {
        "redis-server",
        "--port",
        port,
        "--bind",
        "127.0.0.1",
        "--unixsocket",
        server->socket,
        "--dir",
        server->directory,
        "--save",
        "",
        "--appendonly",
        "no",
        "--daemonize",
        "no",
        "--logfile",
        "log",
        "--repl-diskless-sync-delay",
        "0",
    };
    size_t count = 0;
    while (arguments[count] != NULL) {
        count++;
    }
    for (; more != NULL && *more != NULL; more++) {
        assert_true(count + 1 < ARGUMENTS_MOST);
        arguments[count++] = *more;
    }
    (void)snprintf(port, sizeof(port), "%u", server->port);
    server->pid = fork();
    assert_true(server->pid >= 0);
    if (server->pid == 0) {
        int null = open("/dev/null", O_RDWR);
        (void)dup2(null, 0);
        (void)dup2(null, 1);
        (void)dup2(null, 2);
        (void)execvp("redis-server", (char *const *)(uintptr_t)arguments);
        _exit(127);
    }
    await_server(server);
}

void redis_start(struct redis_server *server, uint16_t port, const char *const *more)
{
    *server = (struct redis_server){.port = port};
    (void)snprintf(server->directory, sizeof(server->directory), "/tmp/ipcd-redis-XXXXXX");
    assert_non_null(mkdtemp(server->directory));
    (void)snprintf(server->socket, sizeof(server->socket), "%s/socket", server->directory);
    redis_start_again(server, more);
}

void redis_kill(struct redis_server *server)
{
    if (server->pid > 0) {
        (void)kill(server->pid, SIGKILL);
        (void)waitpid(server->pid, NULL, 0);
        server->pid = 0;
    }
}

void redis_stop(struct redis_server *server)
{
    redis_kill(server);
    if (server->directory[0] != '\0') {
        char command[128];
        (void)snprintf(command, sizeof(command), "rm -rf %s", server->directory);
        assert_int_equal(system(command), 0);
        server->directory[0] = '\0';
    }
}

static redisReply *ask(const struct redis_server *server, const char *format, va_list arguments)
{
    redisContext *context = connect_to(server);
    assert_non_null(context);
    redisReply *reply = redisvCommand(context, format, arguments);
    assert_non_null(reply);
    if (reply->type == REDIS_REPLY_ERROR) {
        fail_msg("%s: %s", format, reply->str);
    }
    redisFree(context);
    return reply;
}

redisReply *redis_ask(const struct redis_server *server, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    redisReply *reply = ask(server, format, arguments);
    va_end(arguments);
    return reply;
}

void redis_do(const struct redis_server *server, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    freeReplyObject(ask(server, format, arguments));
    va_end(arguments);
}

/* ---- clusters ------------------------------------------------------------------------------ */

static bool says(const struct redis_server *server, const char *command, const char *text)
{
    redisReply *reply = redis_ask(server, command);
    bool found = reply->str != NULL && strstr(reply->str, text) != NULL;
    freeReplyObject(reply);
    return found;
}

static void await_saying(const struct redis_server *server, const char *command, const char *text)
{
    for (int i = 0; i < TRIES; i++) {
        if (says(server, command, text)) {
            return;
        }
        rest();
    }
    fail_msg("%s never says %s", command, text);
}

static void name_of(const struct redis_server *server, char out[41])
{
    redisReply *reply = redis_ask(server, "CLUSTER MYID");
    assert_int_equal(reply->len, 40);
    memcpy(out, reply->str, 41);
    freeReplyObject(reply);
}

static void replicate(const struct redis_server *replica, const struct redis_server *primary)
{
    char name[41];
    name_of(primary, name);
    for (int i = 0; i < TRIES && !says(replica, "CLUSTER NODES", name); i++) {
        rest();
    }
    redis_do(replica, "CLUSTER REPLICATE %s", name);
    await_saying(replica, "INFO replication", "master_link_status:up");
}

void redis_join(struct redis_server *servers, size_t count, size_t primaries)
{
    char known[64];
    for (size_t i = 0; i < primaries; i++) {
        redis_do(&servers[i], "CLUSTER ADDSLOTSRANGE %d %d", (int)(SLOTS * i / primaries),
                 (int)(SLOTS * (i + 1) / primaries) - 1);
        redis_do(&servers[i], "CLUSTER SET-CONFIG-EPOCH %d", (int)i + 1);
    }
    for (size_t i = 1; i < count; i++) {
        redis_do(&servers[i], "CLUSTER MEET 127.0.0.1 %d", servers[0].port);
    }
    (void)snprintf(known, sizeof(known), "cluster_known_nodes:%zu\r", count);
    for (size_t i = 0; i < count; i++) {
        await_saying(&servers[i], "CLUSTER INFO", known);
    }
    for (size_t i = primaries; i < count; i++) {
        replicate(&servers[i], &servers[(i - primaries) % primaries]);
    }
    for (size_t i = 0; i < count; i++) {
        await_saying(&servers[i], "CLUSTER INFO", "cluster_state:ok");
    }
}
