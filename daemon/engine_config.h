/*
 * engine_config: section [engine] of the configuration file: where the engine is in which objects
 * live that several machines share, and which objects these are. ipcd.conf(5) has a text for each.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* All strings are owned; NULL: not set. */
struct engine_config {
    char *url;
    char *names; /* shell patterns with spaces between; "*" if not set */
    char *realm; /* "ipcd" if not set */
    char *host;  /* the machine's name if not set */
    char *user;
    char *password_file;
    char *ca_file;
    char *certificate_file;
    char *key_file;
    uint64_t timeout_ms; /* how long calls wait for an engine that is away */
    uint64_t lease_ms;   /* of what this daemon's sessions hold there */
    uint64_t wait_replicas;
};

enum {
    ENGINE_TIMEOUT_STANDARD = 5000,
    ENGINE_TIMEOUT_MOST = 600000,
    ENGINE_LEASE_STANDARD = 10000,
    ENGINE_LEASE_LEAST = 1000,
    ENGINE_LEASE_MOST = 600000,
    ENGINE_REPLICAS_MOST = 100,
};

/* The keys of the section, in the order in which they are told. */
enum engine_key {
    ENGINE_URL,
    ENGINE_NAMES,
    ENGINE_REALM,
    ENGINE_HOST,
    ENGINE_TIMEOUT,
    ENGINE_LEASE,
    ENGINE_REPLICAS,
    ENGINE_USER,
    ENGINE_PASSWORD,
    ENGINE_CA,
    ENGINE_CERTIFICATE,
    ENGINE_KEY,
    ENGINE_KEYS
};
extern const char *const engine_key_names[ENGINE_KEYS];

enum { ENGINE_SENTENCE = 384 };

/* The defaults; owns nothing yet. */
void engine_config_init(struct engine_config *config);
void engine_config_deinit(struct engine_config *config);

/* Sets a key. False, with what is wrong in `text`: the value cannot be, or there is no memory. */
bool engine_config_set(struct engine_config *config, enum engine_key key, const char *value,
                       char text[ENGINE_SENTENCE]);

bool engine_config_equal(const struct engine_config *a, const struct engine_config *b);

/* True if an object of that name lives in the engine: one of the patterns fits it. */
bool engine_config_has(const struct engine_config *config, const char *name);

/* A time, "5s" or "500ms", in milliseconds. False if it is none. */
bool engine_config_time(const char *text, uint64_t *ms);
