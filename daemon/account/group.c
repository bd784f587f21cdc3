/* group: see group.h. Tests: tests/unit/account/test_group.c. */
#include "daemon/account/group.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "proto/buffer.h"
#include "proto/error.h"

enum { CHUNK = 16384 };

/* Reads the file, or as much of it as is looked at. 0 or ERR_MEMORY. */
static int read_file(int fd, struct buffer *out)
{
    while (out->len < GROUP_FILE_MOST) {
        if (buffer_reserve(out, CHUNK) < 0) {
            return ERR_MEMORY;
        }
        ssize_t got = read(fd, out->data + out->len, CHUNK);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            break;
        }
        out->len += (size_t)got;
    }
    return 0;
}

/* Takes what stands before the next `end`, which goes too, off the text; all of it if there is
 * none. */
static struct slice take_until(struct slice *text, char end)
{
    const uint8_t *at = text->len > 0 ? memchr(text->data, end, text->len) : NULL;
    size_t len = at == NULL ? text->len : (size_t)(at - text->data);
    struct slice taken = {text->data, len};
    *text = slice_from(*text, at == NULL ? len : len + 1);
    return taken;
}

static bool parse_gid(struct slice digits, gid_t *out)
{
    uint64_t gid = 0;
    for (size_t i = 0; i < digits.len; i++) {
        if (digits.data[i] < '0' || digits.data[i] > '9' || gid > GROUP_MOST) {
            return false;
        }
        gid = gid * 10 + (uint64_t)(digits.data[i] - '0');
    }
    *out = (gid_t)gid;
    return digits.len > 0 && gid <= GROUP_MOST;
}

/* Whether a line, name:password:gid:members, is of that group. */
static bool is_group(struct slice line, struct slice name, gid_t *out)
{
    if (!slice_equal(take_until(&line, ':'), name)) {
        return false;
    }
    (void)take_until(&line, ':');
    return parse_gid(take_until(&line, ':'), out);
}

int group_find(const char *path, struct slice name, gid_t *out)
{
    struct buffer text = {0};
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    int status = fd < 0 ? 0 : read_file(fd, &text);
    struct slice rest = buffer_slice(&text);
    bool found = false;
    while (status == 0 && !found && name.len > 0 && rest.len > 0) {
        found = is_group(take_until(&rest, '\n'), name, out);
    }
    buffer_deinit(&text);
    if (fd >= 0) {
        (void)close(fd);
    }
    return status < 0 || found ? status : ERR_NOT_FOUND;
}
