/* address: see address.h. */
#include "daemon/net/address.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "proto/error.h"

enum { LOCK_TRIES = 100 };

/* Logs what could not be done, and why. */
static int fail(const struct log *log, const char *what, const char *path)
{
    log_line(log, LOG_LEVEL_ERROR, "cannot %s %s: %s", what, path, strerror(errno));
    return ERR_INTERNAL;
}

/* Fills in a socket address; "@name" is abstract. The length, or ERR_INTERNAL. */
static int fill_in(struct sockaddr_un *out, const char *path, const struct log *log)
{
    size_t len = strlen(path);
    *out = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (len >= sizeof(out->sun_path) || len == 0 || strcmp(path, "@") == 0) {
        log_line(log, LOG_LEVEL_ERROR,
                 "the socket path \"%s\" has %zu bytes; it must have 1 to %zu, and an abstract one "
                 "a name after the @",
                 path, len, sizeof(out->sun_path) - 1);
        return ERR_INTERNAL;
    }
    memcpy(out->sun_path, path, len);
    if (path[0] == '@') {
        out->sun_path[0] = '\0';
        return (int)(offsetof(struct sockaddr_un, sun_path) + len);
    }
    return (int)sizeof(*out);
}

static int make_parent(const char *path, mode_t mode, const struct log *log)
{
    const char *slash = strrchr(path, '/');
    if (mode == 0 || slash == NULL || slash == path) {
        return 0;
    }
    char *parent = strndup(path, (size_t)(slash - path));
    int status = 0;
    if (parent == NULL || (mkdir(parent, mode) < 0 && errno != EEXIST)) {
        status = fail(log, "make the directory of", path);
    }
    free(parent);
    return status;
}

/* True if the open file is the one at the path. */
static bool is_at_path(int fd, const char *path)
{
    struct stat open_one;
    struct stat there;
    return fstat(fd, &open_one) == 0 && stat(path, &there) == 0 &&
           open_one.st_dev == there.st_dev && open_one.st_ino == there.st_ino;
}

static int refuse_locked(int fd, const char *path, const struct log *log)
{
    char pid[16] = {0};
    if (pread(fd, pid, sizeof(pid) - 1, 0) <= 0) {
        (void)snprintf(pid, sizeof(pid), "?");
    }
    pid[strcspn(pid, "\n")] = '\0';
    log_line(log, LOG_LEVEL_ERROR,
             "another ipcd (pid %s) serves %s; stop it first or choose another --socket", pid,
             path);
    return ERR_INTERNAL;
}

/* Takes the lock; its file says who holds it. */
static int claim(struct address *address, const struct log *log)
{
    for (int i = 0; i < LOCK_TRIES; i++) {
        int fd = open(address->lock_path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0) {
            return fail(log, "open the lock file", address->lock_path);
        }
        int status = 0;
        if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
            status = errno == EWOULDBLOCK ? refuse_locked(fd, address->options.path, log)
                                          : fail(log, "lock", address->lock_path);
        } else if (is_at_path(fd, address->lock_path)) {
            address->lock_fd = fd;
            return ftruncate(fd, 0) < 0 || dprintf(fd, "%d\n", (int)getpid()) < 0
                       ? fail(log, "write", address->lock_path)
                       : 0;
        }
        (void)close(fd); /* its last owner has just removed it: there may be a new one */
        if (status < 0) {
            return status;
        }
    }
    errno = EAGAIN;
    return fail(log, "lock", address->lock_path);
}

/* True if somebody listens on the socket at the path; errno says what connect(2) said if not. */
static bool is_alive(const struct sockaddr_un *name)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return true;
    }
    bool refused =
        connect(fd, (const struct sockaddr *)name, sizeof(*name)) < 0 && errno == ECONNREFUSED;
    (void)close(fd);
    return !refused;
}

/* Removes the socket that a dead daemon has left. */
static int clear_path(const char *path, const struct sockaddr_un *name, const struct log *log)
{
    struct stat there;
    if (lstat(path, &there) < 0) {
        return errno == ENOENT ? 0 : fail(log, "look at", path);
    }
    if (!S_ISSOCK(there.st_mode)) {
        log_line(log, LOG_LEVEL_ERROR,
                 "%s is there and is not a socket; remove it or choose "
                 "another --socket",
                 path);
        return ERR_INTERNAL;
    }
    if (is_alive(name)) {
        log_line(log, LOG_LEVEL_ERROR,
                 "another program listens on %s; stop it first or choose "
                 "another --socket",
                 path);
        return ERR_INTERNAL;
    }
    if (unlink(path) < 0) {
        return fail(log, "remove the stale socket", path);
    }
    log_line(log, LOG_LEVEL_NOTICE, "took over the socket %s of a daemon that has died", path);
    return 0;
}

/* Sets owner and mode, while nobody can connect because nobody listens yet. */
static int dress(struct address *address, const struct log *log)
{
    const struct address_options *options = &address->options;
    struct stat made;
    if (lstat(address->options.path, &made) < 0) {
        return fail(log, "look at", address->options.path);
    }
    address->device = made.st_dev;
    address->inode = made.st_ino;
    if (options->group != (gid_t)-1 &&
        chown(address->options.path, (uid_t)-1, options->group) < 0) {
        return fail(log, "set the group of", address->options.path);
    }
    if (chmod(address->options.path, options->mode) < 0) {
        return fail(log, "set the mode of", address->options.path);
    }
    return 0;
}

/* Makes sure of the lock, first. */
static int bind_and_listen(int fd, struct address *address, const struct log *log)
{
    const struct address_options *options = &address->options;
    struct sockaddr_un name;
    int len = fill_in(&name, options->path, log);
    if (len < 0) {
        return len;
    }
    int status = 0;
    if (address->lock_path != NULL && address->lock_fd < 0) {
        status = make_parent(options->path, options->parent, log);
        status = status < 0 ? status : claim(address, log);
    }
    if (status == 0 && address->lock_path != NULL) {
        status = clear_path(options->path, &name, log);
    }
    if (status == 0 && bind(fd, (const struct sockaddr *)&name, (socklen_t)len) < 0) {
        status = fail(log, "bind to", options->path);
    }
    if (status == 0 && address->lock_path != NULL) {
        status = dress(address, log);
    }
    if (status == 0 && listen(fd, SOMAXCONN) < 0) {
        status = fail(log, "listen on", options->path);
    }
    return status;
}

/* True if the socket at the path is the one that was bound. */
static bool has_socket(const struct address *address)
{
    struct stat there;
    return address->inode != 0 && lstat(address->options.path, &there) == 0 &&
           there.st_dev == address->device && there.st_ino == address->inode;
}

static void remove_socket(struct address *address)
{
    if (has_socket(address)) {
        (void)unlink(address->options.path);
    }
    address->inode = 0;
}

/* A listening socket at the path; or a negative code, and none is left there. */
static int listen_at(struct address *address, const struct log *log)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return fail(log, "make a socket for", address->options.path);
    }
    int status = bind_and_listen(fd, address, log);
    if (status < 0) {
        remove_socket(address);
        (void)close(fd);
        return status;
    }
    return fd;
}

int address_listen(struct address *address, const struct address_options *options,
                   const struct log *log)
{
    *address = (struct address){.options = *options, .lock_fd = -1};
    address->options.path = strdup(options->path);
    bool named = options->path[0] != '@';
    if (named && asprintf(&address->lock_path, "%s.lock", options->path) < 0) {
        address->lock_path = NULL;
    }
    int fd = ERR_INTERNAL;
    if (address->options.path == NULL || (named && address->lock_path == NULL)) {
        (void)fail(log, "make a socket for", options->path);
    } else {
        fd = listen_at(address, log);
    }
    if (fd < 0) {
        address_release(address);
    }
    return fd;
}

static bool has_lock(const struct address *address)
{
    return address->lock_fd >= 0 && is_at_path(address->lock_fd, address->lock_path);
}

/* Takes the lock anew, and binds anew, as far as either is wanted. */
static int restore(struct address *address, const struct log *log)
{
    if (!has_lock(address)) {
        if (address->lock_fd >= 0) {
            (void)close(address->lock_fd);
            address->lock_fd = -1;
        }
        int status = make_parent(address->options.path, address->options.parent, log);
        status = status < 0 ? status : claim(address, log);
        if (status < 0) {
            return status;
        }
    }
    return has_socket(address) ? -1 : listen_at(address, log);
}

int address_check(struct address *address, const struct log *log)
{
    static const struct log nowhere = {.fd = -1};
    const char *path = address->options.path;
    if (address->lock_path == NULL || (has_lock(address) && has_socket(address))) {
        return -1;
    }
    if (!address->lost) {
        log_line(log, LOG_LEVEL_WARNING, "%s was deleted or replaced while the daemon runs",
                 has_socket(address) ? address->lock_path : path);
    }
    int fd = restore(address, address->lost ? &nowhere : log);
    bool back = has_lock(address) && has_socket(address);
    if (back) {
        log_line(log, LOG_LEVEL_NOTICE, "%s is served again", path);
    } else if (!address->lost) {
        log_line(log, LOG_LEVEL_ERROR,
                 "%s cannot be had back; the sessions that are there go on, and it is tried again",
                 path);
    }
    address->lost = !back;
    return fd < 0 ? -1 : fd;
}

void address_hand_over(const struct address *address, struct state_writer *state,
                       struct buffer *out)
{
    const struct address_options *options = &address->options;
    pack_bool(out, options->path != NULL);
    if (options->path == NULL) {
        return;
    }
    pack_string(out, options->path);
    pack_uint(out, options->mode);
    pack_uint(out, options->group);
    pack_uint(out, options->parent);
    pack_uint(out, address->device);
    pack_uint(out, address->inode);
    pack_bool(out, address->lost);
    pack_bool(out, address->lock_fd >= 0);
    if (address->lock_fd >= 0) {
        pack_uint(out, state_add(state, address->lock_fd));
    }
}

/* The lock file says whose process has it. */
static int take_lock(struct address *address, int fd)
{
    address->lock_fd = fd;
    return fd < 0 || ftruncate(fd, 0) < 0 || lseek(fd, 0, SEEK_SET) < 0 ||
                   dprintf(fd, "%d\n", (int)getpid()) < 0
               ? ERR_VALUE
               : 0;
}

int address_take_over(struct address *address, struct state_reader *state, struct row *row)
{
    if (!row_bool(row)) {
        return 0;
    }
    struct slice path = row_bytes(row);
    struct address_options *options = &address->options;
    options->mode = (mode_t)row_uint(row);
    options->group = (gid_t)row_uint(row);
    options->parent = (mode_t)row_uint(row);
    dev_t device = (dev_t)row_uint(row);
    ino_t inode = (ino_t)row_uint(row);
    address->lost = row_bool(row);
    bool is_locked = row_bool(row);
    if (row->bad || path.len == 0) {
        return ERR_VALUE;
    }
    options->path = strndup((const char *)path.data, path.len);
    bool named = options->path != NULL && options->path[0] != '@';
    if (options->path == NULL ||
        (named && asprintf(&address->lock_path, "%s.lock", options->path) < 0)) {
        address->lock_path = NULL;
        return ERR_MEMORY;
    }
    int status = is_locked ? take_lock(address, state_take(state, row_uint(row))) : 0;
    if (status == 0) { /* else the socket at the path is not this daemon's to be removed */
        address->device = device;
        address->inode = inode;
    }
    return status;
}

void address_release(struct address *address)
{
    remove_socket(address);
    if (has_lock(address)) {
        (void)unlink(address->lock_path);
    }
    if (address->lock_fd >= 0) {
        (void)close(address->lock_fd);
    }
    free((char *)(uintptr_t)address->options.path);
    free(address->lock_path);
    *address = (struct address){.lock_fd = -1};
}

char *address_text(int fd)
{
    struct sockaddr_un at;
    socklen_t length = sizeof(at);
    char text[sizeof(at.sun_path) + 1] = "";
    if (getsockname(fd, (struct sockaddr *)&at, &length) < 0 || at.sun_family != AF_UNIX ||
        length <= offsetof(struct sockaddr_un, sun_path)) {
        return NULL;
    }
    size_t len = length - offsetof(struct sockaddr_un, sun_path);
    memcpy(text, at.sun_path, len);
    if (text[0] == '\0') {
        text[0] = '@';
    }
    char *whole = text[0] == '@' || text[0] == '/' ? NULL : realpath(text, NULL);
    return whole != NULL ? whole : strdup(text);
}
