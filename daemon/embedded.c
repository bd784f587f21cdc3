/* embedded: see embedded.h. */
#include "daemon/embedded.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static const char PREFIX[] = "ipcd-embedded-";
static const char SOCKET_NAME[] = "ipcd.sock";
static const char LOCK_NAME[] = "ipcd.sock.lock"; /* as address.h has it */

enum { FIRST_FREE = STDERR_FILENO + 1 }; /* descriptors from here on are the starter's */

/* ---- leaving the starter --------------------------------------------------------------------- */

static bool is_lifeline(int fd)
{
    int domain = 0;
    socklen_t len = sizeof(domain);
    return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) == 0 && domain == AF_UNIX;
}

static void close_others(void)
{
    struct rlimit limit;
    if (syscall(SYS_close_range, (unsigned)FIRST_FREE, ~0U, 0U) == 0 ||
        getrlimit(RLIMIT_NOFILE, &limit) < 0) {
        return;
    }
    for (int fd = FIRST_FREE; (rlim_t)fd < limit.rlim_cur; fd++) {
        (void)close(fd);
    }
}

/* Opens $IPCD_LOG, whose path may be relative to where the starter is. */
static int open_log(const struct log *log)
{
    const char *path = getenv("IPCD_LOG");
    if (path == NULL || path[0] == '\0') {
        path = "/dev/null";
    }
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0600);
    if (fd < 0) {
        log_line(log, LOG_LEVEL_ERROR, "cannot open the log %s ($IPCD_LOG): %s", path,
                 strerror(errno));
    }
    return fd;
}

int embedded_begin(struct embedded *embedded, const struct log *log)
{
    if (!is_lifeline(STDERR_FILENO)) {
        log_line(log, LOG_LEVEL_ERROR,
                 "--embedded is for programs that start a daemon of their own: standard error must "
                 "be a Unix-domain socket to the program; see ipcd(8)");
        return ERR_BAD_REQUEST;
    }
    close_others();
    (void)signal(SIGPIPE, SIG_IGN); /* the starter may be gone before the first line of the log */
    pid_t child = fork();
    if (child > 0) {
        _exit(EXIT_SUCCESS);
    }
    (void)umask(077);
    embedded->lifeline = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, FIRST_FREE);
    embedded->log_fd = open_log(log);
    if (child < 0 || embedded->lifeline < 0 || embedded->log_fd < 0 || chdir("/") < 0) {
        log_line(log, LOG_LEVEL_ERROR, "cannot leave the program that starts this daemon: %s",
                 strerror(errno));
        return ERR_INTERNAL;
    }
    return 0;
}

/* ---- the directory --------------------------------------------------------------------------- */

/* True if nobody but root and this user can rename or remove what this user makes in it. */
static bool is_safe(const char *base)
{
    struct stat there;
    return base[0] == '/' && stat(base, &there) == 0 && S_ISDIR(there.st_mode) &&
           (there.st_uid == geteuid() || there.st_uid == 0) &&
           ((there.st_mode & (S_IWGRP | S_IWOTH)) == 0 || (there.st_mode & S_ISVTX) != 0);
}

/* Makes the directory in `base`. False: it cannot be, or a path in it could not be a socket's. */
static bool make_directory(struct embedded *embedded, const char *base)
{
    char *path;
    size_t length =
        strlen(base) + strlen("/") + strlen(PREFIX) + strlen("XXXXXX/") + strlen(SOCKET_NAME);
    if (length >= sizeof(((struct sockaddr_un *)0)->sun_path) || !is_safe(base) ||
        asprintf(&path, "%s/%sXXXXXX", base, PREFIX) < 0) {
        return false;
    }
    if (mkdtemp(path) == NULL) {
        free(path);
        return false;
    }
    embedded->directory = path;
    return true;
}

int embedded_endpoint(struct embedded *embedded, struct endpoint *out, struct fault *fault)
{
    const char *const bases[] = {getenv("XDG_RUNTIME_DIR"), getenv("TMPDIR"), "/tmp"};
    *out = (struct endpoint){.mode = 0600, .group = (gid_t)-1, .parent = 0700};
    for (size_t i = 0; i < sizeof(bases) / sizeof(bases[0]) && embedded->directory == NULL; i++) {
        if (bases[i] != NULL) {
            (void)make_directory(embedded, bases[i]);
        }
    }
    if (embedded->directory == NULL) {
        (void)snprintf(fault->text, sizeof(fault->text),
                       "no directory can be made in $XDG_RUNTIME_DIR, $TMPDIR or /tmp; one of them "
                       "must be writable, with a short path, and safe from other users: the "
                       "user's own, or root's and sticky");
        return ERR_INTERNAL;
    }
    if (asprintf(&out->path, "%s/%s", embedded->directory, SOCKET_NAME) < 0) {
        (void)snprintf(fault->text, sizeof(fault->text), "out of memory");
        return ERR_INTERNAL;
    }
    return 0;
}

void embedded_ready(struct embedded *embedded, const char *path, struct log *log)
{
    char line[sizeof(struct sockaddr_un) + sizeof("ready \n")];
    int len = snprintf(line, sizeof(line), "ready %s\n", path);
    /* Whoever has gone meanwhile is found out by the lifeline's end. */
    (void)send(embedded->lifeline, line, (size_t)len, MSG_NOSIGNAL);
    (void)dup2(embedded->log_fd, STDERR_FILENO);
    (void)close(embedded->log_fd);
    embedded->log_fd = -1;
    log_init(log, STDERR_FILENO);
    char *base = strndup(embedded->directory,
                         (size_t)(strrchr(embedded->directory, '/') - embedded->directory));
    if (base != NULL) {
        embedded_sweep(base);
        free(base);
    }
}

void embedded_end(struct embedded *embedded)
{
    if (embedded->directory != NULL) {
        (void)rmdir(embedded->directory);
        free(embedded->directory);
    }
    if (embedded->lifeline > 0) {
        (void)close(embedded->lifeline);
    }
    if (embedded->log_fd > 0) {
        (void)close(embedded->log_fd);
    }
    *embedded = (struct embedded){0};
}

/* ---- what killed ones have left -------------------------------------------------------------- */

/* True if the directory was left by a daemon of this user's that lives no more. Its lock, if there
 * is one, is held in *lock then. */
static bool is_left(int directory, int *lock)
{
    struct stat there;
    *lock = -1;
    if (fstat(directory, &there) < 0 || there.st_uid != geteuid() ||
        time(NULL) - there.st_mtime < EMBEDDED_STALE_S) {
        return false;
    }
    *lock = openat(directory, LOCK_NAME, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    return *lock < 0 ? errno == ENOENT : flock(*lock, LOCK_EX | LOCK_NB) == 0;
}

static void sweep_one(int base, const char *name)
{
    int lock = -1;
    int directory = openat(base, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (directory < 0) {
        return;
    }
    if (is_left(directory, &lock)) {
        (void)unlinkat(directory, SOCKET_NAME, 0);
        (void)unlinkat(directory, LOCK_NAME, 0);
        (void)unlinkat(base, name, AT_REMOVEDIR);
    }
    if (lock >= 0) {
        (void)close(lock);
    }
    (void)close(directory);
}

void embedded_sweep(const char *base)
{
    DIR *entries = opendir(base);
    struct dirent *entry;
    if (entries == NULL) {
        return;
    }
    while ((entry = readdir(entries)) != NULL) {
        if (strncmp(entry->d_name, PREFIX, sizeof(PREFIX) - 1) == 0) {
            sweep_one(dirfd(entries), entry->d_name);
        }
    }
    (void)closedir(entries);
}
