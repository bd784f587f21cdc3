/*
 * owner: users and groups on the command line, by the names that this machine has or by number.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* The group that a word stands for: a name that there is, else a number. False if it is neither. */
bool owner_group(const char *word, int64_t *gid);

/* The user and the group of [USER][:GROUP], each the same way; -1 for what is left out, which is
 * not both. */
bool owner_parse(const char *word, int64_t *uid, int64_t *gid);
