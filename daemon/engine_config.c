/* engine_config: see engine_config.h. Tests: tests/unit/daemon/test_engine_config.c. */
#include "daemon/engine_config.h"

#include <errno.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const engine_key_names[ENGINE_KEYS] = {
    [ENGINE_URL] = "url",
    [ENGINE_NAMES] = "names",
    [ENGINE_REALM] = "realm",
    [ENGINE_HOST] = "host",
    [ENGINE_TIMEOUT] = "engine_timeout",
    [ENGINE_LEASE] = "lease",
    [ENGINE_REPLICAS] = "wait_replicas",
    [ENGINE_USER] = "user",
    [ENGINE_PASSWORD] = "password_file",
    [ENGINE_CA] = "ca_file",
    [ENGINE_CERTIFICATE] = "certificate_file",
    [ENGINE_KEY] = "key_file",
};

enum { WORD_MAX = 64, PATTERN_MAX = 255 /* as long as a name can be */ };

void engine_config_init(struct engine_config *config)
{
    *config = (struct engine_config){.timeout_ms = ENGINE_TIMEOUT_STANDARD,
                                     .lease_ms = ENGINE_LEASE_STANDARD};
}

/* The string that a key sets, or NULL: it sets a number. */
static char **string_of(struct engine_config *config, enum engine_key key)
{
    switch (key) {
    case ENGINE_URL:
        return &config->url;
    case ENGINE_NAMES:
        return &config->names;
    case ENGINE_REALM:
        return &config->realm;
    case ENGINE_HOST:
        return &config->host;
    case ENGINE_USER:
        return &config->user;
    case ENGINE_PASSWORD:
        return &config->password_file;
    case ENGINE_CA:
        return &config->ca_file;
    case ENGINE_CERTIFICATE:
        return &config->certificate_file;
    case ENGINE_KEY:
        return &config->key_file;
    default:
        return NULL;
    }
}

void engine_config_deinit(struct engine_config *config)
{
    for (int key = 0; key < ENGINE_KEYS; key++) {
        char **string = string_of(config, (enum engine_key)key);
        if (string != NULL) {
            free(*string);
        }
    }
    *config = (struct engine_config){0};
}

bool engine_config_time(const char *text, uint64_t *ms)
{
    char *end;
    if (text[0] < '0' || text[0] > '9') {
        return false;
    }
    errno = 0;
    uint64_t number = strtoull(text, &end, 10);
    uint64_t unit = strcmp(end, "s") == 0 ? 1000 : 1;
    return errno == 0 && (unit == 1000 || strcmp(end, "ms") == 0) &&
           !__builtin_mul_overflow(number, unit, ms);
}

/* A name that stands in keys of the engine: letters, digits and a few signs. */
static bool is_word(const char *text)
{
    size_t len = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-");
    return len > 0 && text[len] == '\0' && len <= WORD_MAX;
}

static const char *refuse_patterns(const char *value)
{
    const char *rest = value + strspn(value, " \t");
    const char *why = *rest == '\0' ? "must have at least one shell pattern, such as *" : NULL;
    while (*rest != '\0' && why == NULL) {
        size_t len = strcspn(rest, " \t");
        why = len > PATTERN_MAX ? "each pattern may have 255 bytes" : NULL;
        rest += len;
        rest += strspn(rest, " \t");
    }
    return why;
}

/* What is wrong with a string for a key; NULL: nothing. */
static const char *refuse_string(enum engine_key key, const char *value)
{
    switch (key) {
    case ENGINE_REALM:
    case ENGINE_HOST:
        return is_word(value) ? NULL : "must be 1 to 64 letters, digits, dots, - and _";
    case ENGINE_NAMES:
        return refuse_patterns(value);
    case ENGINE_PASSWORD:
    case ENGINE_CA:
    case ENGINE_CERTIFICATE:
    case ENGINE_KEY:
        return value[0] == '/' ? NULL : "must be a path that begins with /";
    default:
        return value[0] != '\0' ? NULL : "is empty; leave the line out for the default";
    }
}

static bool set_time(uint64_t *out, const char *name, const char *value, uint64_t least,
                     uint64_t most, char text[ENGINE_SENTENCE])
{
    if (engine_config_time(value, out) && *out >= least && *out <= most) {
        return true;
    }
    (void)snprintf(text, ENGINE_SENTENCE,
                   "%s = %.64s: must be a time from %" PRIu64 "ms to %" PRIu64
                   "s, such as 5s or 500ms",
                   name, value, least, most / 1000);
    return false;
}

static bool set_replicas(uint64_t *out, const char *value, char text[ENGINE_SENTENCE])
{
    char *end;
    errno = 0;
    *out = value[0] >= '0' && value[0] <= '9' ? strtoull(value, &end, 10) : UINT64_MAX;
    if (*out <= ENGINE_REPLICAS_MOST && *end == '\0') {
        return true;
    }
    (void)snprintf(text, ENGINE_SENTENCE, "wait_replicas = %.64s: must be a number from 0 to %d",
                   value, ENGINE_REPLICAS_MOST);
    return false;
}

bool engine_config_set(struct engine_config *config, enum engine_key key, const char *value,
                       char text[ENGINE_SENTENCE])
{
    const char *name = engine_key_names[key];
    switch (key) {
    case ENGINE_TIMEOUT:
        return set_time(&config->timeout_ms, name, value, 1, ENGINE_TIMEOUT_MOST, text);
    case ENGINE_LEASE:
        return set_time(&config->lease_ms, name, value, ENGINE_LEASE_LEAST, ENGINE_LEASE_MOST,
                        text);
    case ENGINE_REPLICAS:
        return set_replicas(&config->wait_replicas, value, text);
    default:
        break;
    }
    const char *why = refuse_string(key, value);
    char **out = string_of(config, key);
    char *copy = why == NULL ? strdup(value) : NULL;
    if (copy == NULL) {
        (void)snprintf(text, ENGINE_SENTENCE, "%s = %.64s: %s", name, value,
                       why != NULL ? why : "out of memory");
        return false;
    }
    free(*out);
    *out = copy;
    return true;
}

static bool same(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

bool engine_config_equal(const struct engine_config *a, const struct engine_config *b)
{
    struct engine_config x = *a;
    struct engine_config y = *b;
    bool equal = x.timeout_ms == y.timeout_ms && x.lease_ms == y.lease_ms &&
                 x.wait_replicas == y.wait_replicas;
    for (int key = 0; key < ENGINE_KEYS && equal; key++) {
        char **string = string_of(&x, (enum engine_key)key);
        equal = string == NULL || same(*string, *string_of(&y, (enum engine_key)key));
    }
    return equal;
}

bool engine_config_has(const struct engine_config *config, const char *name)
{
    if (config->names == NULL) {
        return true;
    }
    const char *rest = config->names;
    while (*rest != '\0') {
        char pattern[PATTERN_MAX + 1];
        size_t len = strcspn(rest, " \t");
        if (len > 0 && len <= PATTERN_MAX) {
            memcpy(pattern, rest, len);
            pattern[len] = '\0';
            if (fnmatch(pattern, name, 0) == 0) {
                return true;
            }
        }
        rest += len + (rest[len] != '\0');
    }
    return false;
}
