/*
 * goodbye: see goodbye.h.
 *
 * Tests: tests/wire/test_garbage.c, tests/system/test_limits.c.
 */
#include "daemon/net/goodbye.h"

#include <inttypes.h>
#include <sys/socket.h>

#include "proto/message.h"

void goodbye_pack(struct buffer *out, int error, const char *text)
{
    message_notification(out, "goodbye", 2);
    pack_string(out, error_name(error));
    pack_string(out, text);
}

void goodbye_send(int fd, int error, const char *text)
{
    struct buffer message = {0};
    goodbye_pack(&message, error, text);
    if (!message.failed) {
        (void)send(fd, message.data, message.len, MSG_DONTWAIT | MSG_NOSIGNAL);
    }
    buffer_deinit(&message);
}

void goodbye_log(struct log *log, uint64_t now, const struct session *session, const char *text)
{
    const struct credentials *peer = &session->credentials;
    log_fault(log, now, "session %" PRIu64 " (pid %d, uid %u%s%s) is ended: %s", session->id,
              (int)peer->pid, (unsigned)peer->uid, session->client != NULL ? ", client " : "",
              session->client != NULL ? session->client : "", text);
}
