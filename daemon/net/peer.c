/*
 * peer: see peer.h.
 *
 * Tests: tests/system/test_object_permission.c, tests/system/test_session.c.
 */
#include "daemon/net/peer.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

enum { USUAL_GROUPS = 32 };

/* Sets the supplementary groups. The kernel says how many there are if the room is too small. */
static int read_groups(int fd, struct credentials *out)
{
    gid_t usual[USUAL_GROUPS];
    gid_t *groups = usual;
    socklen_t len = sizeof(usual);
    gid_t *large = NULL;
    int status = getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, usual, &len);
    if (status < 0 && errno == ERANGE) {
        large = malloc(len);
        groups = large;
        if (large != NULL) {
            status = getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, large, &len);
        }
    }
    if (status == 0 && len > 0) {
        out->groups = malloc(len);
        if (out->groups == NULL) {
            status = -1;
        } else {
            memcpy(out->groups, groups, len);
            out->ngroups = len / sizeof(gid_t);
        }
    }
    free(large);
    return status < 0 ? ERR_MEMORY : 0;
}

int peer_credentials(int fd, struct credentials *out)
{
    struct ucred peer;
    socklen_t len = sizeof(peer);
    *out = (struct credentials){0};
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0) {
        return ERR_MEMORY;
    }
    out->uid = peer.uid;
    out->gid = peer.gid;
    out->pid = peer.pid;
    return read_groups(fd, out);
}

uid_t peer_uid(int fd)
{
    struct ucred peer;
    socklen_t len = sizeof(peer);
    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0 ? (uid_t)-1 : peer.uid;
}
