/*
 * access: credentials and permission, as for files (path_resolution(7), step "permissions").
 *
 * Tests: tests/system/test_object_permission.c.
 */
#include "daemon/account/account.h"

#include <stdlib.h>

void credentials_deinit(struct credentials *credentials)
{
    free(credentials->groups);
    credentials->groups = NULL;
    credentials->ngroups = 0;
}

bool credentials_in_group(const struct credentials *credentials, gid_t gid)
{
    if (credentials->gid == gid) {
        return true;
    }
    for (size_t i = 0; i < credentials->ngroups; i++) {
        if (credentials->groups[i] == gid) {
            return true;
        }
    }
    return false;
}

bool access_granted(const struct credentials *peer, uid_t self, uid_t uid, gid_t gid, mode_t mode,
                    unsigned bits)
{
    if (peer->uid == 0 || peer->uid == self) {
        return true;
    }
    unsigned granted;
    if (peer->uid == uid) {
        granted = mode >> 6;
    } else if (credentials_in_group(peer, gid)) {
        granted = mode >> 3;
    } else {
        granted = mode;
    }
    return (granted & bits) == bits;
}

bool access_owner(const struct credentials *peer, uid_t self, uid_t uid)
{
    return peer->uid == 0 || peer->uid == self || peer->uid == uid;
}
