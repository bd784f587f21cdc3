/*
 * link: the socket of a connection, and the bytes that go over it in both directions. Whose they
 * are, and what a message means, is not known here.
 */
#pragma once

#include "client/address.h"
#include "client/incoming.h"
#include "client/outgoing.h"

enum link_state { LINK_DOWN, LINK_CONNECTING, LINK_UP };

struct link {
    enum link_state state;
    uint32_t epoch;   /* counts connections; changes when one is lost */
    int fd;           /* -1 unless LINK_UP */
    int64_t retry_at; /* LINK_CONNECTING: when to try next */
    bool brief;       /* link_make_brief has been called */
    struct address address;
    struct outgoing out;
    struct incoming in;
};

/* Makes one that is down. Its address is to be filled in. */
void link_init(struct link *link, size_t max_message);

/* One attempt to connect. 0: it is up, or is to be tried again at retry_at. CONNECT, SYSTEM. */
int link_connect(struct link *link);

/* Makes each receive that blocks end after so many milliseconds, or at a signal, with nothing, from
 * now on. False: it cannot be done. */
bool link_make_brief(struct link *link, int ms);

/* Ends the stream in both directions, so that who waits for input gets its end. */
void link_shutdown(struct link *link);

/* Forgets everything that belonged to the connection. `polled`: another thread polls the
 * descriptor, and will close it when it has woken. */
void link_down(struct link *link, bool polled);
