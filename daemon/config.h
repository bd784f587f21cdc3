/*
 * config: the configuration file, ipcd.conf(5).
 *
 * It is an INI file: section [limits] has a key for each row of limit_rows (account.h), section
 * [socket] has path, mode and group (see endpoint.h), section [loop] has spin. A file is taken
 * whole or not at all.
 */
#pragma once

#include <sys/types.h>

#include "daemon/account/account.h"

struct config {
    struct limits limits;
    uint32_t given;   /* a bit for each limit that the file has */
    uint32_t lowered; /* a bit for each limit that the file has and that was more than the one in
                         all; it is the same as that then */
    char *path;       /* owned; NULL: not set */
    mode_t mode;
    char *group;      /* owned; NULL: not set */
    uint64_t spin_us; /* how long to look for more to do before sleeping; 0: not at all */
};

enum {
    CONFIG_MODE = 0666,      /* of the socket, unless something else is said */
    CONFIG_SPIN_MOST = 1000, /* microseconds */
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

/* File mode bits in octal, up to 0777. False if they are not. */
bool config_mode(const char *text, mode_t *out);
