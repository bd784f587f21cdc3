/* descriptor: what an open file descriptor is; see descriptor.h. */
#include "tools/ipcctl/json/descriptor.h"
#include "proto/pack.h"
#include "tools/ipcctl/json/json.h"
#include "tools/ipcctl/json/forms.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static const char memfd_link[] = "/memfd:";
static const char anonymous_link[] = "anon_inode:";
static const char deleted_link[] = " (deleted)";

/* What is being described. */
struct subject {
    int fd;
    struct stat stat;
    struct slice link; /* what /proc says that it is; empty if it does not say */
    bool deleted;
};

static bool begins_with(struct slice text, const char *with)
{
    size_t len = strlen(with);
    return text.len >= len && memcmp(text.data, with, len) == 0;
}

static struct slice behind(struct slice text, size_t len)
{
    return (struct slice){text.data + len, text.len - len};
}

/* Takes " (deleted)" off the link; it is part of the name if the file has one still. */
static bool take_deleted(struct subject *subject)
{
    size_t len = strlen(deleted_link);
    struct slice link = subject->link;
    if (subject->stat.st_nlink > 0 || link.len < len ||
        !begins_with(behind(link, link.len - len), deleted_link)) {
        return false;
    }
    subject->link.len -= len;
    return true;
}

static const char *file_type(const struct subject *subject)
{
    switch (subject->stat.st_mode & S_IFMT) {
    case S_IFREG:
        return begins_with(subject->link, memfd_link) ? "memfd" : "file";
    case S_IFDIR:
        return "directory";
    case S_IFIFO:
        return "pipe";
    case S_IFSOCK:
        return "socket";
    case S_IFCHR:
        return isatty(subject->fd) != 0 ? "terminal" : "device";
    case S_IFBLK:
        return "device";
    default:
        return "descriptor";
    }
}

/* "type", and what the link says about a name: one or two pairs. */
static size_t pack_identity(const struct subject *subject, struct buffer *out)
{
    struct slice link = subject->link;
    if (begins_with(link, anonymous_link)) { /* "anon_inode:[eventfd]" */
        struct slice kind = behind(link, strlen(anonymous_link));
        bool brackets = kind.len > 2 && kind.data[0] == '[';
        pack_key_str(out, "type", brackets ? (struct slice){kind.data + 1, kind.len - 2} : kind);
        return 1;
    }
    pack_key_string(out, "type", file_type(subject));
    if (begins_with(link, memfd_link)) {
        pack_key_str(out, "name", behind(link, strlen(memfd_link)));
    } else if (begins_with(link, "/")) {
        pack_key_str(out, "path", link);
    } else {
        return 1;
    }
    return 2;
}

static size_t pack_deleted(const struct subject *subject, struct buffer *out)
{
    if (!subject->deleted) {
        return 0;
    }
    pack_string(out, "deleted");
    pack_bool(out, true);
    return 1;
}

static size_t pack_size(const struct subject *subject, struct buffer *out)
{
    if (!S_ISREG(subject->stat.st_mode)) {
        return 0;
    }
    pack_key_uint(out, "size", (uint64_t)subject->stat.st_size);
    return 1;
}

/* A name for the number that a socket option gives. */
struct number_name {
    int number;
    const char *name;
};

static size_t pack_option(const struct subject *subject, int option, const char *key,
                          const struct number_name names[3], struct buffer *out)
{
    int number;
    socklen_t size = sizeof(number);
    if (getsockopt(subject->fd, SOL_SOCKET, option, &number, &size) < 0) {
        return 0;
    }
    for (size_t i = 0; i < 3; i++) {
        if (names[i].number == number) {
            pack_key_string(out, key, names[i].name);
            return 1;
        }
    }
    pack_string(out, key);
    pack_int(out, number);
    return 1;
}

static size_t pack_socket(const struct subject *subject, struct buffer *out)
{
    static const struct number_name domains[3] = {
        {AF_UNIX, "unix"}, {AF_INET, "ipv4"}, {AF_INET6, "ipv6"}};
    static const struct number_name kinds[3] = {
        {SOCK_STREAM, "stream"}, {SOCK_DGRAM, "datagram"}, {SOCK_SEQPACKET, "seqpacket"}};
    return pack_option(subject, SO_DOMAIN, "domain", domains, out) +
           pack_option(subject, SO_TYPE, "kind", kinds, out);
}

static size_t pack_access(const struct subject *subject, struct buffer *out)
{
    int flags = fcntl(subject->fd, F_GETFL);
    if (flags < 0 || (flags & O_PATH) != 0) {
        return 0;
    }
    int access = flags & O_ACCMODE;
    pack_key_string(out, "access",
                    access == O_RDONLY   ? "read"
                    : access == O_WRONLY ? "write"
                                         : "read and write");
    return 1;
}

static void pack_subject(const struct subject *subject, struct buffer *out)
{
    size_t at = pack_map_begin(out);
    size_t count =
        pack_identity(subject, out) + pack_deleted(subject, out) + pack_size(subject, out);
    count +=
        S_ISSOCK(subject->stat.st_mode) ? pack_socket(subject, out) : pack_access(subject, out);
    pack_map_end(out, at, count);
}

void descriptor_write(int fd, struct buffer *out)
{
    char path[64];
    char link[PATH_MAX + sizeof(deleted_link)];
    struct subject subject = {.fd = fd};
    struct buffer packed = {0};
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    ssize_t len = readlink(path, link, sizeof(link));
    subject.link = (struct slice){(const uint8_t *)link, len > 0 ? (size_t)len : 0};
    (void)fstat(fd, &subject.stat); /* all zero if it fails: of no type that is known */
    subject.deleted = take_deleted(&subject) && !begins_with(subject.link, memfd_link);
    pack_subject(&subject, &packed);
    (void)buffer_append(out, "{\"" FORM_FD "\": ", strlen("{\"" FORM_FD "\": "));
    json_write(buffer_slice(&packed), out);
    (void)buffer_append(out, "}", 1);
    out->failed |= packed.failed;
    buffer_deinit(&packed);
}
