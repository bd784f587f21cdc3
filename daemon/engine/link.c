/* link: see link.h. Tests: tests/unit/engine/test_node.c. */
#include "daemon/engine/link.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/bufferevent_ssl.h>

#include "daemon/engine/clock.h"
#include "daemon/engine/tls.h"
#include "proto/error.h"

enum {
    PAUSE_LEAST_MS = 20,
    PAUSE_MOST_MS = 1000,
    WINDOW = 65536,    /* is read at once, */
    WINDOWS_MOST = 16, /* and so often before others have their turn */
};

static void set_timer(struct link *link, uint64_t ms)
{
    struct timeval time = {.tv_sec = (time_t)(ms / 1000),
                           .tv_usec = (suseconds_t)(ms % 1000 * 1000)};
    (void)event_add(link->timer, &time);
}

/* Nothing is left of the connection. */
static void drop(struct link *link)
{
    dial_stop(&link->dial);
    (void)event_del(link->timer);
    if (link->readable != NULL) {
        event_free(link->readable);
        link->readable = NULL;
    }
    if (link->stream != NULL) {
        bufferevent_free(link->stream);
        link->stream = NULL;
    }
    reader_close(&link->reader);
    (void)evbuffer_drain(link->out, evbuffer_get_length(link->out));
}

void link_fail(struct link *link, const char *why)
{
    bool was_ready = link->state == LINK_READY;
    (void)snprintf(link->why, sizeof(link->why), "%s", why);
    drop(link);
    link->state = LINK_RESTING;
    link->pause_ms = link->pause_ms == 0 ? PAUSE_LEAST_MS : link->pause_ms * 2;
    link->pause_ms = link->pause_ms > PAUSE_MOST_MS ? PAUSE_MOST_MS : link->pause_ms;
    set_timer(link, link->pause_ms);
    link->listener.lost(link->listener.data, was_ready);
}

__attribute__((format(printf, 2, 3))) static void fail(struct link *link, const char *format, ...)
{
    char why[sizeof(link->why)];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(why, sizeof(why), format, arguments);
    va_end(arguments);
    link_fail(link, why);
}

/* ---- the greeting -------------------------------------------------------------------------- */

static void greet(struct link *link)
{
    struct buffer bytes = {0};
    char why[sizeof(link->why)];
    if (greeting_print(&link->settings->greeting, &bytes, &link->greetings, why, sizeof(why)) < 0 ||
        link_write(link, buffer_slice(&bytes)) < 0) {
        fail(link, "%s", why);
    } else {
        link_flush(link);
    }
    greeting_wipe(&bytes);
}

static void greeted(struct link *link, struct redisReply *reply)
{
    const char *refusal = greeting_refusal(reply);
    if (refusal != NULL) {
        char said[160];
        (void)snprintf(said, sizeof(said), "%s", refusal);
        reader_free_reply(reply);
        fail(link, "it refuses us: %s", said);
        return;
    }
    reader_free_reply(reply);
    link->greetings--;
    if (link->greetings == 0) {
        (void)event_del(link->timer);
        link->state = LINK_READY;
        link->pause_ms = 0;
        link->why[0] = '\0';
        set_timer(link, 0);
        link->listener.ready(link->listener.data);
    }
}

/* ---- bytes --------------------------------------------------------------------------------- */

/* Gives the replies that are complete to whom they belong. False: the connection has ended. */
static bool take_replies(struct link *link)
{
    const struct bufferevent *stream = link->stream;
    for (;;) {
        struct redisReply *reply;
        const char *why = reader_next(&link->reader, &reply);
        if (why != NULL) {
            link_fail(link, why);
            return false;
        }
        if (reply == NULL) {
            return true;
        }
        if (link->state == LINK_GREETING) {
            greeted(link, reply);
        } else {
            link->listener.reply(link->listener.data, reply);
        }
        if (link->stream != stream) { /* the listener has closed it */
            return false;
        }
    }
}

/* False: the connection has ended. */
static bool take_bytes(struct link *link, const void *bytes, size_t len)
{
    link->received_bytes += len;
    const char *why = reader_feed(&link->reader, (struct slice){bytes, len});
    if (why != NULL) {
        link_fail(link, why);
        return false;
    }
    return take_replies(link);
}

/* Straight from the socket: libevent would ask first how much there is. */
static void on_bytes(evutil_socket_t fd, short events, void *data)
{
    struct link *link = data;
    char window[WINDOW];
    ssize_t len = sizeof(window);
    link->heard = clock_ms();
    for (int times = 0; times < WINDOWS_MOST && len == (ssize_t)sizeof(window); times++) {
        len = recv(fd, window, sizeof(window), 0);
        if (len > 0 && !take_bytes(link, window, (size_t)len)) {
            return;
        }
    }
    if (len == 0) {
        fail(link, "it has closed the connection");
    } else if (len < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) {
        fail(link, "%s", strerror(errno));
    }
}

/* What TLS has unpacked. */
static void on_readable(struct bufferevent *stream, void *data)
{
    struct link *link = data;
    struct evbuffer *in = bufferevent_get_input(stream);
    link->heard = clock_ms();
    for (;;) {
        struct evbuffer_iovec piece;
        if (evbuffer_peek(in, -1, NULL, &piece, 1) < 1 || piece.iov_len == 0) {
            return;
        }
        /* Fed, it is hiredis' own copy, so the buffer may go with the connection. */
        if (!take_bytes(link, piece.iov_base, piece.iov_len)) {
            return;
        }
        (void)evbuffer_drain(in, piece.iov_len);
    }
}

static void on_event(struct bufferevent *stream, short what, void *data)
{
    struct link *link = data;
    int error = EVUTIL_SOCKET_ERROR();
    if ((what & BEV_EVENT_CONNECTED) != 0) {
        greet(link);
        return;
    }
    const char *reason = (what & BEV_EVENT_EOF) != 0 || error == 0 ? "it has closed the connection"
                                                                   : strerror(error);
    SSL *session = link->settings->tls == NULL ? NULL : bufferevent_openssl_get_ssl(stream);
    if (session != NULL) {
        reason = tls_reason(session, bufferevent_get_openssl_error(stream), reason);
        fail(link, "%s%s", SSL_is_init_finished(session) ? "" : "TLS: ", reason);
    } else {
        fail(link, "%s", reason);
    }
}

/* ---- connections --------------------------------------------------------------------------- */

static struct bufferevent *make_stream(struct link *link, int fd)
{
    struct event_base *base = link->settings->names.base;
    if (link->settings->tls == NULL) {
        return bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE);
    }
    SSL *session = tls_session(link->settings->tls, link->address.host);
    if (session == NULL) {
        return NULL;
    }
    struct bufferevent *stream = bufferevent_openssl_socket_new(
        base, fd, session, BUFFEREVENT_SSL_CONNECTING, BEV_OPT_CLOSE_ON_FREE);
    if (stream == NULL) {
        SSL_free(session);
    }
    return stream;
}

static int begin_stream(struct link *link, int fd)
{
    if (link->settings->tls != NULL) {
        return bufferevent_enable(link->stream, EV_READ | EV_WRITE);
    }
    struct event_base *base = link->settings->names.base;
    link->readable = event_new(base, fd, EV_READ | EV_PERSIST, on_bytes, link);
    if (link->readable == NULL) {
        return -1;
    }
    return event_add(link->readable, NULL);
}

static void on_dialed(void *data, int fd, const char *why)
{
    struct link *link = data;
    if (fd < 0) {
        fail(link, "it cannot be connected to: %s", why);
        return;
    }
    link->state = LINK_GREETING;
    link->stream = make_stream(link, fd);
    if (link->stream == NULL) {
        (void)close(fd);
    }
    if (link->stream == NULL || reader_open(&link->reader, link->settings->max_reply) < 0) {
        fail(link, "out of memory");
        return;
    }
    bufferevent_setcb(link->stream, on_readable, NULL, on_event, link);
    if (begin_stream(link, fd) < 0) {
        fail(link, "out of memory");
    } else if (link->settings->tls == NULL) {
        greet(link);
    }
}

static void look_at_silence(struct link *link)
{
    uint64_t silence = link->settings->silence_ms;
    uint64_t since = link->listener.owed(link->listener.data);
    if (link->state != LINK_READY) {
        return;
    }
    since = since != UINT64_MAX && link->heard > since ? link->heard : since;
    uint64_t now = clock_ms();
    if (since < now && now - since >= silence) {
        fail(link, "it has said nothing for %llu ms", (unsigned long long)silence);
        return;
    }
    if (since != UINT64_MAX) {
        set_timer(link, silence / 3 + 1);
    }
}

static void on_timer(evutil_socket_t fd, short events, void *data)
{
    struct link *link = data;
    switch (link->state) {
    case LINK_CLOSED:
        break;
    case LINK_RESTING:
        link->state = LINK_DIALING;
        set_timer(link, link->settings->connect_timeout_ms);
        dial_start(&link->dial, &link->address);
        break;
    case LINK_DIALING:
    case LINK_GREETING:
        fail(link, "there was no connection within %llu ms",
             (unsigned long long)link->settings->connect_timeout_ms);
        break;
    case LINK_READY:
        look_at_silence(link);
        break;
    }
}

int link_init(struct link *link, struct link_settings *settings, const struct dial_address *address,
              const struct link_listener *listener)
{
    *link = (struct link){.settings = settings, .address = *address, .listener = *listener};
    if (dial_init(&link->dial, &settings->names, on_dialed, link) < 0) {
        return ERR_MEMORY;
    }
    link->timer = evtimer_new(settings->names.base, on_timer, link);
    link->out = evbuffer_new();
    if (link->timer == NULL || link->out == NULL) {
        link_deinit(link);
        return ERR_MEMORY;
    }
    return 0;
}

void link_deinit(struct link *link)
{
    if (link->timer != NULL && link->out != NULL) {
        drop(link);
    }
    dial_deinit(&link->dial);
    if (link->timer != NULL) {
        event_free(link->timer);
    }
    if (link->out != NULL) {
        evbuffer_free(link->out);
    }
    *link = (struct link){0};
}

void link_want(struct link *link, bool wanted)
{
    if (wanted && link->state == LINK_CLOSED) {
        link->state = LINK_RESTING;
        set_timer(link, 0);
    } else if (!wanted && link->state != LINK_CLOSED) {
        drop(link);
        link->state = LINK_CLOSED;
        link->pause_ms = 0;
        link->why[0] = '\0';
    }
}

int link_write(struct link *link, struct slice bytes)
{
    return evbuffer_add(link->out, bytes.data, bytes.len) < 0 ? ERR_MEMORY : 0;
}

void link_flush(struct link *link)
{
    size_t len = evbuffer_get_length(link->out);
    if (len == 0 || link->stream == NULL) {
        return;
    }
    link->sent_bytes += len;
    if (link->state == LINK_READY && !event_pending(link->timer, EV_TIMEOUT, NULL)) {
        set_timer(link, link->settings->silence_ms / 3 + 1);
    }
    /* Straight away, without a turn of the loop, if nothing is in front of it. What does not go is
     * libevent's matter, errors included. */
    if (link->settings->tls == NULL &&
        evbuffer_get_length(bufferevent_get_output(link->stream)) == 0) {
        (void)evbuffer_write(link->out, bufferevent_getfd(link->stream));
    }
    if (evbuffer_get_length(link->out) > 0) {
        (void)bufferevent_write_buffer(link->stream, link->out);
    }
}
