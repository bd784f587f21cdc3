/*
 * url: where an engine is, as people write it.
 *
 *     redis://[user[:password]@]host[:port][,host[:port]…][/database]
 *     rediss://…                      the same, over TLS
 *     redis+unix://[user[:password]@]/path/of/the/socket
 *
 * The port is 6379 unless given. An IPv6 address stands in brackets. What is no letter, digit or
 * one of -._~ can be written as %XX in the user, the password and the path. The hosts are where to
 * begin: nodes of one cluster, or a primary and its replicas; the others are found from them.
 *
 * Plain text and nothing else: no file, no network is touched.
 */
#pragma once

#include "proto/buffer.h"

#define URL_PORT 6379

struct url_host {
    char *name; /* owned: a name or an address, without brackets */
    uint16_t port;
};

struct url {
    bool tls;
    struct url_host *hosts; /* owned; none if there is a path */
    size_t count;
    char *path; /* owned: of a Unix socket; NULL: hosts */
    char *user; /* owned; NULL: the default user */
    char *
        password; /* owned; NULL: none is written there. Whether it may be is the caller's matter */
    unsigned database;
};

/* Reads `text` into *out, which is to be deinited then. 0; ERR_VALUE with a sentence in *error that
 * says what is wrong and what would be right (the caller's to free; it never has the password in
 * it); ERR_MEMORY with *error NULL. *out is untouched on failure. */
int url_parse(const char *text, struct url *out, char **error);

/* A copy of everything. 0, or ERR_MEMORY with *out zeroed. */
int url_copy(const struct url *url, struct url *out);

/* Frees what it owns (the password is overwritten first) and zeroes it. A zeroed one is allowed. */
void url_deinit(struct url *url);

/* Appends it as text, with "***" for a password. */
void url_print(const struct url *url, struct buffer *out);
