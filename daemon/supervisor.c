/*
 * supervisor: see supervisor.h.
 *
 * Tests: tests/system/test_systemd.c.
 */
#include "daemon/supervisor.h"

#include <inttypes.h>

#include "proto/error.h"

#ifdef HAVE_SYSTEMD

#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>
#include <time.h>
#include <unistd.h>

enum { LEAVE_US = 5000000 }; /* for the service manager to take what is left with it */

void supervisor_ready(const char *status)
{
    (void)sd_notifyf(0, "READY=1\nSTATUS=%s", status);
}

void supervisor_starting(const char *status, uint64_t extend_us)
{
    (void)sd_notifyf(0, "EXTEND_TIMEOUT_USEC=%" PRIu64 "\nSTATUS=%s", extend_us, status);
}

void supervisor_reloading(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    (void)sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
                     (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000);
}

void supervisor_stopping(void)
{
    (void)sd_notify(0, "STOPPING=1\nSTATUS=Stopping.");
}

void supervisor_alive(const char *status)
{
    (void)sd_notifyf(0, "WATCHDOG=1\nSTATUS=%s", status);
}

uint64_t supervisor_interval(void)
{
    uint64_t interval;
    return sd_watchdog_enabled(0, &interval) > 0 ? interval / 2 : 0;
}

static const char STATE[] = "ipcd-state";
static const char CARRIER[] = "ipcd-carrier-"; /* with a number */

static void free_names(char **names, int count)
{
    for (int i = 0; i < count; i++) {
        free(names[i]);
    }
    free(names);
}

/* The number of a carrier's name, or UINT_MAX. */
static unsigned carrier_number(const char *name)
{
    size_t len = sizeof(CARRIER) - 1;
    return strncmp(name, CARRIER, len) == 0 ? (unsigned)strtoul(name + len, NULL, 10) : UINT_MAX;
}

/* True if that is one of the descriptors that another daemon has left. */
static bool is_left(const char *name)
{
    return strcmp(name, STATE) == 0 || carrier_number(name) != UINT_MAX;
}

/* The other end of a carrier is closed: without FDPOLL=0 it would be thrown away for that. */
static int leave(const char *name, int fd)
{
    char text[64];
    (void)snprintf(text, sizeof(text), "FDSTORE=1\nFDPOLL=0\nFDNAME=%s", name);
    return sd_pid_notify_with_fds(0, 0, text, &fd, 1);
}

int supervisor_leave(int state, const int *carriers, unsigned count)
{
    int status = leave(STATE, state);
    for (unsigned i = 0; i < count && status > 0; i++) {
        char name[32];
        (void)snprintf(name, sizeof(name), "%s%u", CARRIER, i);
        status = leave(name, carriers[i]);
    }
    if (status <= 0 || sd_notify_barrier(0, LEAVE_US) <= 0) {
        return ERR_UNSUPPORTED;
    }
    supervisor_stopping();
    return 0;
}

/* It is the next daemon's now: it is not to find it again. */
static void take_back(const char *name)
{
    (void)sd_notifyf(0, "FDSTOREREMOVE=1\nFDNAME=%s", name);
}

int supervisor_left(int *carriers, unsigned max, unsigned *count)
{
    char **names;
    int state = -1;
    int passed = sd_listen_fds_with_names(0, &names);
    for (unsigned i = 0; i < max; i++) {
        carriers[i] = -1;
    }
    *count = 0;
    for (int i = 0; i < passed; i++) {
        unsigned number = carrier_number(names[i]);
        int *place = strcmp(names[i], STATE) == 0 ? &state
                     : number < max               ? &carriers[number]
                                                  : NULL;
        if (place != NULL && *place < 0) {
            *place = fcntl(SD_LISTEN_FDS_START + i, F_DUPFD_CLOEXEC, SD_LISTEN_FDS_START);
            take_back(names[i]);
        }
    }
    while (*count < max && carriers[*count] >= 0) {
        ++*count;
    }
    if (passed > 0) {
        free_names(names, passed);
    }
    return state;
}

/* The sockets among what was passed, which was looked at for what was left before. */
static int take_sockets(char **names, int passed, int *fds, int max, const struct log *log)
{
    int count = 0;
    for (int i = 0; i < passed; i++) {
        int fd = SD_LISTEN_FDS_START + i;
        if (is_left(names[i])) {
            (void)close(fd);
            continue;
        }
        if (count == max) {
            log_line(log, LOG_LEVEL_ERROR,
                     "the service manager has passed more sockets than the %d that ipcd listens on "
                     "at most",
                     max);
            return ERR_INTERNAL;
        }
        if (sd_is_socket_unix(fd, SOCK_STREAM, 1, NULL, 0) <= 0) {
            log_line(log, LOG_LEVEL_ERROR,
                     "descriptor %d passed by the service manager is not a listening Unix-domain "
                     "stream socket (ListenStream=/path)",
                     fd);
            return ERR_INTERNAL;
        }
        fds[count++] = fd;
    }
    return count;
}

int supervisor_sockets(int *fds, int max, const struct log *log)
{
    char **names;
    int passed = sd_listen_fds_with_names(1, &names);
    if (passed < 0) {
        log_line(log, LOG_LEVEL_ERROR, "the sockets passed by the service manager: %s",
                 strerror(-passed));
        return ERR_INTERNAL;
    }
    int count = passed == 0 ? 0 : take_sockets(names, passed, fds, max, log);
    if (passed > 0) {
        free_names(names, passed);
    }
    return count;
}

#else

void supervisor_ready(const char *status)
{
    (void)status;
}

void supervisor_starting(const char *status, uint64_t extend_us)
{
    (void)status;
    (void)extend_us;
}

void supervisor_reloading(void)
{
}

void supervisor_stopping(void)
{
}

void supervisor_alive(const char *status)
{
    (void)status;
}

uint64_t supervisor_interval(void)
{
    return 0;
}

int supervisor_sockets(int *fds, int max, const struct log *log)
{
    (void)fds;
    (void)max;
    (void)log;
    return 0;
}

int supervisor_leave(int state, const int *carriers, unsigned count)
{
    (void)state;
    (void)carriers;
    (void)count;
    return ERR_UNSUPPORTED;
}

int supervisor_left(int *carriers, unsigned max, unsigned *count)
{
    (void)carriers;
    (void)max;
    *count = 0;
    return -1;
}

#endif
