/*
 * names: users and groups by name and number, as this machine has them.
 */
#pragma once

#include "proto/buffer.h"

/* Appends a user or a group for people: "ada (1000)", or the number alone if it has no name. */
void names_put_user(struct buffer *out, int64_t uid);
void names_put_group(struct buffer *out, int64_t gid);

/* The name alone, or NULL if there is none. Valid until the next call of one of these functions. */
const char *names_user(int64_t uid);
const char *names_group(int64_t gid);
