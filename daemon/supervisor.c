/*
 * supervisor: see supervisor.h.
 *
 * Tests: tests/system/test_systemd.c.
 */
#include "daemon/supervisor.h"

#include <inttypes.h>

#include "proto/error.h"

#ifdef HAVE_SYSTEMD

#include <string.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>
#include <time.h>

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

int supervisor_sockets(int *fds, int max, const struct log *log)
{
    int count = sd_listen_fds(1);
    if (count < 0) {
        log_line(log, LOG_LEVEL_ERROR, "the sockets passed by the service manager: %s",
                 strerror(-count));
        return ERR_INTERNAL;
    }
    if (count > max) {
        log_line(log, LOG_LEVEL_ERROR,
                 "the service manager has passed %d sockets; ipcd listens on %d at most", count,
                 max);
        return ERR_INTERNAL;
    }
    for (int i = 0; i < count; i++) {
        int fd = SD_LISTEN_FDS_START + i;
        if (sd_is_socket_unix(fd, SOCK_STREAM, 1, NULL, 0) <= 0) {
            log_line(log, LOG_LEVEL_ERROR,
                     "descriptor %d passed by the service manager is not a listening Unix-domain "
                     "stream socket (ListenStream=/path)",
                     fd);
            return ERR_INTERNAL;
        }
        fds[i] = fd;
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

#endif
