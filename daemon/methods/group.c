/* methods/group: see group.h. Tests: tests/unit/methods/test_chown.c. */
#include "daemon/methods/group.h"

#include "daemon/account/group.h"
#include "proto/value.h"

enum { STEPS_FILE = 1000 /* what reading a file takes, so that a turn of many such calls ends */ };

int group_read(struct call *call, const char *what, const struct param *given, gid_t *out)
{
    if (given->header.kind == KIND_INT) {
        *out = (gid_t)given->header.i;
        return given->header.i <= (int64_t)GROUP_MOST
                   ? 0
                   : call_fail(call, ERR_BAD_REQUEST, "%s: %s must be from 0 to %u, not %lld",
                               call->method->name, what, GROUP_MOST, (long long)given->header.i);
    }
    call->service->credit -= STEPS_FILE;
    int status = group_find(GROUP_FILE, param_bytes(given), out);
    if (status == ERR_NOT_FOUND) {
        struct buffer shown = {0};
        value_print(given->raw, 64, &shown);
        status = call_fail(call, ERR_BAD_REQUEST,
                           "%s: %s: there is no group %.*s in " GROUP_FILE
                           ", where the daemon looks; a gid is always understood",
                           call->method->name, what, (int)shown.len, (const char *)shown.data);
        buffer_deinit(&shown);
    }
    return status;
}

int group_check(struct call *call, gid_t gid)
{
    const struct credentials *peer = &call->session->credentials;
    uid_t self = call->service->accounts.self;
    if (peer->uid == 0 || peer->uid == self || credentials_in_group(peer, gid)) {
        return 0;
    }
    return call_fail(call, ERR_DENIED,
                     "%s: user %u is not in group %u; only root and the daemon's own user (%u) may "
                     "give an object a group that they are not in",
                     call->method->name, (unsigned)peer->uid, (unsigned)gid, (unsigned)self);
}
