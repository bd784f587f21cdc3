/*
 * greeting: what is said first on each connection: who we are, and which database.
 *
 * AUTH, CLIENT SETNAME, SELECT, as far as there is something to say.
 */
#pragma once

#include <hiredis/hiredis.h>

#include "proto/buffer.h"

/* The strings are the owner's. */
struct greeting {
    const char *user; /* NULL: the default user */
    const char *password;
    const char *password_file; /* its first line goes before `password`, and is read each time */
    const char *client_name;
    unsigned database;
};

/* Appends the commands, and sets *count to how many replies they will have. 0; or ERR_VALUE with a
 * sentence in `why`: the file cannot be read; or ERR_MEMORY, with one too. Reads a file. */
int greeting_print(const struct greeting *greeting, struct buffer *out, unsigned *count, char *why,
                   size_t size);

/* Frees what was printed, the password overwritten. */
void greeting_wipe(struct buffer *printed);

/* What the server has against us, if the reply says so: within the reply; else NULL. That it does
 * not know names of clients, as some do not, is nothing against us. */
const char *greeting_refusal(const struct redisReply *reply);
