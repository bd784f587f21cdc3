/* fake_redis: see fake_redis.h. */
#include "tests/unit/engine/fake_redis.h"

#include <arpa/inet.h>
#include <errno.h>
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/unit.h"

enum {
    WORDS_MOST = 32,
};

const char FAKE_ORDINARY[] = "ordinary";
const char FAKE_NOTHING[] = "nothing";
const char FAKE_CLOSE[] = "close";

struct fake_connection {
    TAILQ_ENTRY(fake_connection) in;
    struct fake_redis *fake;
    int fd;
    struct event *readable;
    struct event *writing; /* of bytewise */
    redisReader *reader;
    char *out; /* of bytewise: what is left */
    size_t out_len;
    bool subscribed;
};

static void close_connection(struct fake_connection *connection)
{
    TAILQ_REMOVE(&connection->fake->connections, connection, in);
    event_free(connection->readable);
    event_free(connection->writing);
    redisReaderFree(connection->reader);
    (void)close(connection->fd);
    free(connection->out);
    free(connection);
}

static void write_one(evutil_socket_t fd, short events, void *data)
{
    struct fake_connection *connection = data;
    if (connection->out_len > 0) {
        (void)send(fd, connection->out, 1, MSG_NOSIGNAL);
        connection->out_len--;
        memmove(connection->out, connection->out + 1, connection->out_len);
    }
    if (connection->out_len > 0) {
        event_active(connection->writing, EV_TIMEOUT, 0);
    }
}

static void say(struct fake_connection *connection, const char *bytes)
{
    size_t len = strlen(bytes);
    if (!connection->fake->bytewise) {
        (void)send(connection->fd, bytes, len, MSG_NOSIGNAL);
        return;
    }
    connection->out = realloc(connection->out, connection->out_len + len + 1);
    assert_non_null(connection->out);
    memcpy(connection->out + connection->out_len, bytes, len);
    connection->out_len += len;
    event_active(connection->writing, EV_TIMEOUT, 0);
}

static bool is(const char *word, const char *name)
{
    return strcasecmp(word, name) == 0;
}

/* As a server answers that is empty and agrees to everything. */
static void answer(struct fake_connection *connection, size_t argc, const char *const *argv)
{
    struct fake_redis *fake = connection->fake;
    char text[256];
    if (is(argv[0], "CLUSTER")) {
        say(connection, fake->slots != NULL
                            ? fake->slots
                            : "-ERR This instance has cluster support disabled\r\n");
    } else if (is(argv[0], "ROLE")) {
        say(connection, "*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n");
    } else if (is(argv[0], "PING") && connection->subscribed) {
        say(connection, "*2\r\n$4\r\npong\r\n$0\r\n\r\n");
    } else if (is(argv[0], "PING")) {
        say(connection, "+PONG\r\n");
    } else if (is(argv[0], "WAIT")) {
        say(connection, ":1\r\n");
    } else if (is(argv[0], "SSUBSCRIBE") || is(argv[0], "SUNSUBSCRIBE")) {
        connection->subscribed = true;
        (void)snprintf(text, sizeof(text), "*3\r\n$%zu\r\n%s\r\n$%zu\r\n%s\r\n:1\r\n",
                       strlen(argv[0]), is(argv[0], "SSUBSCRIBE") ? "ssubscribe" : "sunsubscribe",
                       strlen(argv[1]), argv[1]);
        say(connection, text);
    } else {
        say(connection, "+OK\r\n");
    }
}

static bool is_greeting(const char *word)
{
    return is(word, "CLIENT") || is(word, "AUTH") || is(word, "SELECT") || is(word, "CLUSTER") ||
           is(word, "ROLE");
}

/* False: the connection is closed. */
static bool run(struct fake_connection *connection, size_t argc, const char *const *argv)
{
    struct fake_redis *fake = connection->fake;
    if (is(argv[0], "PING")) {
        fake->pings++;
    } else if (!is_greeting(argv[0])) {
        fake->commands++;
        (void)snprintf(fake->last, sizeof(fake->last), "%s", argv[0]);
    }
    const char *bytes =
        fake->script == NULL ? FAKE_ORDINARY : fake->script(fake, connection, argc, argv);
    if (bytes == FAKE_CLOSE) {
        close_connection(connection);
        return false;
    }
    if (bytes == FAKE_ORDINARY) {
        answer(connection, argc, argv);
    } else if (bytes != FAKE_NOTHING) {
        say(connection, bytes);
    }
    return true;
}

static void on_readable(evutil_socket_t fd, short events, void *data)
{
    struct fake_connection *connection = data;
    char bytes[4096];
    ssize_t len = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);
    if (len < 0 && errno == EAGAIN) {
        return;
    }
    if (len <= 0) {
        close_connection(connection);
        return;
    }
    connection->fake->reads++;
    assert_int_equal(redisReaderFeed(connection->reader, bytes, (size_t)len), REDIS_OK);
    for (;;) {
        void *found = NULL;
        const char *words[WORDS_MOST];
        assert_int_equal(redisReaderGetReply(connection->reader, &found), REDIS_OK);
        struct redisReply *command = found;
        if (command == NULL) {
            return;
        }
        assert_int_equal(command->type, REDIS_REPLY_ARRAY);
        assert_in_range(command->elements, 1, WORDS_MOST);
        for (size_t i = 0; i < command->elements; i++) {
            words[i] = command->element[i]->str;
        }
        bool stays = run(connection, command->elements, words);
        freeReplyObject(command);
        if (!stays) {
            return;
        }
    }
}

static void on_connection(evutil_socket_t fd, short events, void *data)
{
    struct fake_redis *fake = data;
    struct fake_connection *connection = calloc(1, sizeof(*connection));
    assert_non_null(connection);
    connection->fake = fake;
    connection->fd = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (connection->fd < 0) {
        free(connection);
        return;
    }
    connection->reader = redisReaderCreate();
    connection->readable =
        event_new(fake->base, connection->fd, EV_READ | EV_PERSIST, on_readable, connection);
    connection->writing = event_new(fake->base, connection->fd, 0, write_one, connection);
    assert_int_equal(event_add(connection->readable, NULL), 0);
    TAILQ_INSERT_TAIL(&fake->connections, connection, in);
    fake->accepted++;
}

void fake_start_again(struct fake_redis *fake)
{
    struct sockaddr_in name = {
        .sin_family = AF_INET, .sin_port = htons(fake->port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof(name);
    int on = 1;
    fake->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    (void)setsockopt(fake->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    assert_int_equal(bind(fake->fd, (const struct sockaddr *)&name, sizeof(name)), 0);
    assert_int_equal(listen(fake->fd, 16), 0);
    assert_int_equal(getsockname(fake->fd, (struct sockaddr *)&name, &len), 0);
    fake->port = ntohs(name.sin_port);
    fake->listening = event_new(fake->base, fake->fd, EV_READ | EV_PERSIST, on_connection, fake);
    assert_int_equal(event_add(fake->listening, NULL), 0);
}

void fake_start(struct fake_redis *fake, struct event_base *base, fake_script *script, void *data)
{
    *fake = (struct fake_redis){.base = base, .script = script, .data = data};
    TAILQ_INIT(&fake->connections);
    fake_start_again(fake);
}

void fake_hang_up(struct fake_redis *fake)
{
    while (!TAILQ_EMPTY(&fake->connections)) {
        close_connection(TAILQ_FIRST(&fake->connections));
    }
}

void fake_stop(struct fake_redis *fake)
{
    fake_hang_up(fake);
    if (fake->listening != NULL) {
        event_free(fake->listening);
        (void)close(fake->fd);
        fake->listening = NULL;
    }
}

void fake_say(struct fake_redis *fake, const char *bytes)
{
    struct fake_connection *last = TAILQ_LAST(&fake->connections, fake_connections);
    assert_non_null(last);
    say(last, bytes);
}

char *fake_slots(const char *host, const uint16_t *ports, size_t count)
{
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);
    assert_non_null(out);
    (void)fprintf(out, "*%zu\r\n", count);
    for (size_t i = 0; i < count; i++) {
        (void)fprintf(out, "*3\r\n:%zu\r\n:%zu\r\n*3\r\n$%zu\r\n%s\r\n:%u\r\n$2\r\nid\r\n",
                      16384 * i / count, 16384 * (i + 1) / count - 1, strlen(host), host, ports[i]);
    }
    assert_int_equal(fclose(out), 0);
    return text;
}
