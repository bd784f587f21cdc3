/*
 * url: see url.h.
 *
 * Sentences about what is wrong quote nothing of the text: any part of it might be a piece of a
 * password with a character that should have been written as %XX.
 *
 * Tests: tests/unit/engine/test_url.c.
 */
#include "daemon/engine/url.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/error.h"

static const size_t PATH_MOST = 107; /* of a Unix socket: sun_path without its NUL */
static const char FORM[] = "an engine is written redis://host:port, "
                           "redis://user@host:port,host:port/database, rediss://host:port (TLS) or "
                           "redis+unix:///path/of/the/socket";

static int refuse(char **error, const char *text)
{
    *error = strdup(text);
    return *error == NULL ? ERR_MEMORY : ERR_VALUE;
}

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* What a part means, as a string of the URL's own in *out. */
static int decode(struct slice part, char **out, char **error)
{
    char *to = calloc(1, part.len + 1);
    if (to == NULL) {
        return ERR_MEMORY;
    }
    *out = to;
    for (size_t i = 0; i < part.len; i++) {
        int c = part.data[i];
        if (c == '%') {
            int high = part.len - i > 2 ? hex_digit(part.data[i + 1]) : -1;
            int low = part.len - i > 2 ? hex_digit(part.data[i + 2]) : -1;
            if (high < 0 || low < 0) {
                return refuse(error, "in the engine's URL two hexadecimal digits must follow each "
                                     "%; a % itself is written %25");
            }
            c = high * 16 + low;
            i += 2;
        }
        if (c == 0) {
            return refuse(error, "the engine's URL has a zero byte in it (%00), where none can be");
        }
        *to++ = (char)c;
    }
    return 0;
}

/* A decimal number from `least` to `most`. */
static bool parse_number(struct slice text, uint64_t least, uint64_t most, uint64_t *out)
{
    uint64_t number = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') {
            return false;
        }
        number = number * 10 + (uint64_t)(text.data[i] - '0');
        if (number > most) {
            return false;
        }
    }
    *out = number;
    return text.len > 0 && number >= least;
}

static const uint8_t *find(struct slice text, char c)
{
    return text.len == 0 ? NULL : memchr(text.data, c, text.len);
}

/* What stands before `at`, a place in the text, or all of it if that is NULL; *rest is what stands
 * behind `at`. */
static struct slice split(struct slice text, const uint8_t *at, struct slice *rest)
{
    size_t len = at == NULL ? text.len : (size_t)(at - text.data);
    *rest = slice_from(text, at == NULL ? len : len + 1);
    return (struct slice){text.data, len};
}

static bool is_name_byte(uint8_t c, bool address)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '.' ||
           c == '-' || c == '_' || (address && (c == ':' || c == '%'));
}

static int take_host(struct slice text, struct url_host *host, char **error)
{
    bool bracket = text.len > 0 && text.data[0] == '[';
    struct slice name;
    struct slice port = {0};
    bool has_port;
    if (bracket) {
        name = split(slice_from(text, 1), find(slice_from(text, 1), ']'), &port);
        if (name.len == text.len - 1) {
            return refuse(error, "in the engine's URL a [ has no ] behind it: an IPv6 address is "
                                 "written [::1]:6379");
        }
        has_port = port.len > 0;
        if (has_port && port.data[0] != ':') {
            return refuse(error, "in the engine's URL only a colon and a port can follow the ] of "
                                 "an address");
        }
        port = has_port ? slice_from(port, 1) : port;
    } else {
        const uint8_t *colon = find(text, ':');
        name = split(text, colon, &port);
        has_port = colon != NULL;
        if (has_port && find(port, ':') != NULL) {
            return refuse(error, "in the engine's URL a host has more than one colon: an IPv6 "
                                 "address stands in brackets, [::1]:6379");
        }
    }
    uint64_t number = URL_PORT;
    if (name.len == 0) {
        return refuse(error, "in the engine's URL a host is missing: it needs a name or an address "
                             "at each place");
    }
    for (size_t i = 0; i < name.len; i++) {
        if (!is_name_byte(name.data[i], bracket)) {
            return refuse(error, "a host in the engine's URL has a character that names and "
                                 "addresses do not have");
        }
    }
    if (has_port && !parse_number(port, 1, UINT16_MAX, &number)) {
        return refuse(error, "a port in the engine's URL is no number from 1 to 65535");
    }
    host->port = (uint16_t)number;
    host->name = strndup((const char *)name.data, name.len);
    return host->name == NULL ? ERR_MEMORY : 0;
}

static int take_hosts(struct slice text, struct url *url, char **error)
{
    size_t count = 1;
    for (size_t i = 0; i < text.len; i++) {
        count += text.data[i] == ',';
    }
    url->hosts = calloc(count, sizeof(*url->hosts));
    if (url->hosts == NULL) {
        return ERR_MEMORY;
    }
    url->count = count;
    for (size_t i = 0; i < count; i++) {
        struct slice host = split(text, find(text, ','), &text);
        int status = take_host(host, &url->hosts[i], error);
        if (status < 0) {
            return status;
        }
    }
    return 0;
}

/* user, user:password or :password */
static int take_user(struct slice text, struct url *url, char **error)
{
    const uint8_t *colon = find(text, ':');
    struct slice password;
    struct slice user = split(text, colon, &password);
    int status = user.len == 0 ? 0 : decode(user, &url->user, error);
    if (status == 0 && colon != NULL) {
        status = decode(password, &url->password, error);
    }
    return status;
}

static int take_path(struct slice text, struct url *url, char **error)
{
    int status = decode(text, &url->path, error);
    if (status == 0 && (text.len == 0 || url->path[0] != '/')) {
        status = refuse(error, "the path in the engine's URL must be whole, from / on: "
                               "redis+unix:///run/redis/redis.sock");
    } else if (status == 0 && strlen(url->path) > PATH_MOST) {
        status = refuse(error, "the path in the engine's URL is too long for a socket, which can "
                               "have 107 bytes");
    }
    return status;
}

static int take_database(struct slice text, struct url *url, char **error)
{
    uint64_t number = 0;
    if (text.len > 0 && !parse_number(text, 0, INT32_MAX, &number)) {
        return refuse(error, "behind the hosts of the engine's URL only a / and the number of a "
                             "database can follow");
    }
    url->database = (unsigned)number;
    return 0;
}

static bool begins(struct slice *text, const char *scheme)
{
    size_t len = strlen(scheme);
    if (text->len < len || memcmp(text->data, scheme, len) != 0) {
        return false;
    }
    *text = slice_from(*text, len);
    return true;
}

static int parse(struct slice text, struct url *url, char **error)
{
    url->tls = begins(&text, "rediss://");
    bool local = !url->tls && begins(&text, "redis+unix://");
    if (!url->tls && !local && !begins(&text, "redis://")) {
        return refuse(error, FORM);
    }
    if (find(text, '?') != NULL || find(text, '#') != NULL) {
        return refuse(error, "the engine's URL has a ? or #, behind which nothing is known; in a "
                             "password they are written %3F and %23");
    }
    const uint8_t *slash = find(text, '/');
    struct slice behind;
    struct slice hosts = split(text, slash, &behind);
    const uint8_t *at = hosts.len == 0 ? NULL : memrchr(hosts.data, '@', hosts.len);
    if (at == NULL && find(behind, '@') != NULL && !local) {
        return refuse(error, "in the engine's URL a / stands before the @; in a password it is "
                             "written %2F");
    }
    int status = 0;
    if (at != NULL) {
        struct slice user = split(hosts, at, &hosts);
        status = take_user(user, url, error);
    }
    if (status == 0 && local) {
        struct slice path = slash == NULL ? behind : (struct slice){slash, behind.len + 1};
        status = hosts.len > 0 ? refuse(error, FORM) : take_path(path, url, error);
    } else if (status == 0) {
        status = take_hosts(hosts, url, error);
        status = status == 0 ? take_database(behind, url, error) : status;
    }
    return status;
}

int url_parse(const char *text, struct url *out, char **error)
{
    struct url url = {0};
    *error = NULL;
    int status = parse(slice_of_string(text), &url, error);
    if (status < 0) {
        url_deinit(&url);
        return status;
    }
    *out = url;
    return 0;
}

static int copy_string(const char *text, char **out)
{
    *out = text == NULL ? NULL : strdup(text);
    return text != NULL && *out == NULL ? ERR_MEMORY : 0;
}

int url_copy(const struct url *url, struct url *out)
{
    *out = (struct url){.tls = url->tls, .database = url->database};
    out->hosts = url->count == 0 ? NULL : calloc(url->count, sizeof(*out->hosts));
    int status = url->count > 0 && out->hosts == NULL ? ERR_MEMORY : 0;
    out->count = status == 0 ? url->count : 0;
    for (size_t i = 0; i < out->count && status == 0; i++) {
        out->hosts[i].port = url->hosts[i].port;
        status = copy_string(url->hosts[i].name, &out->hosts[i].name);
    }
    if (status < 0 || copy_string(url->path, &out->path) < 0 ||
        copy_string(url->user, &out->user) < 0 || copy_string(url->password, &out->password) < 0) {
        url_deinit(out);
        return ERR_MEMORY;
    }
    return 0;
}

void url_deinit(struct url *url)
{
    for (size_t i = 0; i < url->count; i++) {
        free(url->hosts[i].name);
    }
    if (url->password != NULL) {
        explicit_bzero(url->password, strlen(url->password));
    }
    free(url->hosts);
    free(url->path);
    free(url->user);
    free(url->password);
    *url = (struct url){0};
}

static void print(struct buffer *out, const char *text)
{
    (void)buffer_append(out, text, strlen(text));
}

/* As it must be written to be read as this. */
static void print_encoded(struct buffer *out, const char *text)
{
    for (; *text != '\0'; text++) {
        uint8_t c = (uint8_t)*text;
        char encoded[4] = {(char)c};
        if (!is_name_byte(c, false) && c != '~' && c != '/') {
            (void)snprintf(encoded, sizeof(encoded), "%%%02X", c);
        }
        print(out, encoded);
    }
}

void url_print(const struct url *url, struct buffer *out)
{
    print(out, url->path != NULL ? "redis+unix://" : url->tls ? "rediss://" : "redis://");
    if (url->user != NULL) {
        print_encoded(out, url->user);
    }
    print(out, url->password != NULL ? ":***" : "");
    print(out, url->user != NULL || url->password != NULL ? "@" : "");
    if (url->path != NULL) {
        print_encoded(out, url->path);
    }
    for (size_t i = 0; i < url->count; i++) {
        bool bracket = strchr(url->hosts[i].name, ':') != NULL;
        char port[16];
        (void)snprintf(port, sizeof(port), "%s:%u", bracket ? "]" : "", url->hosts[i].port);
        print(out, i > 0 ? "," : "");
        print(out, bracket ? "[" : "");
        print(out, url->hosts[i].name);
        print(out, port);
    }
    if (url->database > 0) {
        char database[16];
        (void)snprintf(database, sizeof(database), "/%u", url->database);
        print(out, database);
    }
}
