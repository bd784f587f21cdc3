/*
 * alarm: wakes the daemon at a time: when the service's next deadline has come.
 *
 * A timerfd, set to the deadline itself, so that nothing is woken before its time and no rounding
 * is needed. It is set again only for a deadline that is earlier than the one it is set to: a later
 * one, or none, costs one idle wake-up instead of a system call for each call that waits.
 */
#pragma once

#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdint.h>

struct alarm {
    int fd; /* owned */
    struct event event;
    uint64_t at; /* what it is set to: monotonic, nanoseconds; UINT64_MAX: not at all */
};

/* `ready` is called with `data` when the time has come. 0, or ERR_MEMORY: no memory
 * or no descriptor. */
int alarm_init(struct alarm *alarm, struct event_base *base, event_callback_fn ready, void *data);
void alarm_deinit(struct alarm *alarm);

/* It has rung, and is set to nothing now. */
void alarm_rung(struct alarm *alarm);

/* Sees to it that it rings at `due` or before. */
void alarm_set(struct alarm *alarm, uint64_t due);
