/*
 * config: the configuration file, ipcd.conf(5).
 *
 * It is an INI file: section [limits] has a key for each row of limit_rows (account.h), section
 * [socket] has path, mode and group (see endpoint.h), section [store] directory, sync and
 * reserve (see durable.h), section [loop] has spin, section [engine] the keys of engine_config.h. A
 * file is taken whole or not at all.
 */
#pragma once

#include <sys/types.h>

#include "daemon/account/account.h"
#include "daemon/engine_config.h"
#include "daemon/store/store.h"

struct config {
    struct limits limits;
    uint32_t given;   /* a bit for each limit that the file has */
    uint32_t lowered; /* a bit for each limit that the file has and that was more than the one in
                         all; it is the same as that then */
    char *path;       /* owned; NULL: not set */
    mode_t mode;
    char *group;      /* owned; NULL: not set */
    uint64_t spin_us; /* how long to look for more to do before sleeping; 0: not at all */
    char *state;      /* owned: the directory of the store; NULL: not set */
    enum store_sync sync;
    uint64_t interval_ms; /* of sync */
    uint64_t reserve;     /* bytes */
    struct engine_config engine;
};

enum {
    CONFIG_MODE = 0666,      /* of the socket, unless something else is said */
    CONFIG_SPIN_MOST = 1000, /* microseconds */
};

/* Of section [store]. */
enum {
    STORE_RESERVE_STANDARD = 16 * 1024 * 1024,
    STORE_RESERVE_LEAST = 1024 * 1024,
    STORE_INTERVAL_MOST = 60000, /* milliseconds */
};

/* What is wrong, as a sentence that says what would be right. */
struct fault {
    char text[768];
};

/* The defaults; owns nothing yet. */
void config_init(struct config *config);
void config_deinit(struct config *config);

/* Reads a file over the defaults into *out, which need not be initialised. 0, or ERR_BAD_REQUEST
 * with *fault set, naming file, line and key, and *out untouched. Blocks as long as reading does.
 */
int config_read(const char *file, struct config *out, struct fault *fault);

/* A number of bytes ("64K", "16M", "2G", "1048576") or of anything else ("100"; no suffix).
 * False if it is not one. */
bool config_number(const char *text, bool bytes, uint64_t *out);

/* When a change counts as stored: "always", "never", or a number of milliseconds, "50ms". False if
 * it is none of these. */
bool config_sync(const char *text, enum store_sync *sync, uint64_t *interval_ms);

/* File mode bits in octal, up to 0777. False if they are not. */
bool config_mode(const char *text, mode_t *out);
