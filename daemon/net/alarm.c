/* alarm: see alarm.h. */
#include "daemon/net/alarm.h"

#include <sys/timerfd.h>
#include <unistd.h>

#include "proto/error.h"

static const uint64_t NS_PER_S = 1000000000;

int alarm_init(struct alarm *alarm, struct event_base *base, event_callback_fn ready, void *data)
{
    alarm->at = UINT64_MAX;
    alarm->fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (alarm->fd < 0) {
        return ERR_MEMORY;
    }
    if (event_assign(&alarm->event, base, alarm->fd, EV_READ | EV_PERSIST, ready, data) < 0 ||
        event_add(&alarm->event, NULL) < 0) {
        (void)close(alarm->fd);
        alarm->fd = -1;
        return ERR_MEMORY;
    }
    return 0;
}

void alarm_deinit(struct alarm *alarm)
{
    if (alarm->fd >= 0) {
        (void)event_del(&alarm->event);
        (void)close(alarm->fd);
        alarm->fd = -1;
    }
}

void alarm_rung(struct alarm *alarm)
{
    uint64_t times;
    ssize_t len = read(alarm->fd, &times, sizeof(times));
    (void)len; /* nothing to read: it was set anew in the meantime */
    alarm->at = UINT64_MAX;
}

void alarm_set(struct alarm *alarm, uint64_t due)
{
    if (due >= alarm->at) {
        return;
    }
    uint64_t at = due > 0 ? due : 1; /* all zero would switch it off */
    struct itimerspec spec = {
        .it_value = {.tv_sec = (time_t)(at / NS_PER_S), .tv_nsec = (long)(at % NS_PER_S)}};
    if (timerfd_settime(alarm->fd, TFD_TIMER_ABSTIME, &spec, NULL) == 0) {
        alarm->at = due;
    }
}
