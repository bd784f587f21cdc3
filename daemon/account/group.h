/*
 * group: names of groups.
 *
 * They are looked up in a file of the form of group(5), and nowhere else: the C library's
 * getgrnam(3) may ask a directory service, over a network, and whoever calls it waits for as long
 * as that takes. The file is local and small, and no more of it is read than a bounded part.
 */
#pragma once

#include <sys/types.h>

#include "proto/slice.h"

#define GROUP_FILE "/etc/group"

enum { GROUP_FILE_MOST = 1 << 20 /* bytes of it that are read */ };

/* (gid_t)-1 is no group. */
#define GROUP_MOST (UINT32_MAX - 1)

/* The gid of the first group of that name in the file. 0; ERR_NOT_FOUND: there is none, or the file
 * cannot be read; ERR_MEMORY. */
int group_find(const char *path, struct slice name, gid_t *out);
