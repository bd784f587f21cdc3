/* stall_wait: works that end the waits of others; see stall.h. */
#include "tools/ipcbench/stall.h"

/* Waiters for an event, in as many sessions as they need. */
static int fill_event(struct stall *stall)
{
    stall_open(stall, "event", STALL_OBJECT, 0);
    int status = stall_flush(stall, &stall->owner, NULL);
    if (status == 0) {
        status = stall_open_waiters(stall);
    }
    for (size_t i = 0; status == 0 && i < stall->other_count; i++) {
        for (uint64_t n = stall_waiters(stall, i); n > 0; n--) {
            stall_request_on(stall, "event.wait", 1);
        }
        status = stall_park(stall, &stall->others[i], 0);
    }
    return status;
}

/* The client's call, and the responses of all who waited, which may be an error: the row's. */
static int wake(struct stall *stall)
{
    int status = stall_flush(stall, &stall->client, NULL);
    return status == 0 ? stall_collect(stall, stall->row->error) : status;
}

/* Waiters for a condition, each of them an owner of its own within one session. */
static int fill_condition(struct stall *stall)
{
    stall_open(stall, "condition", STALL_OBJECT, 0);
    int status = stall_flush(stall, &stall->owner, NULL);
    if (status == 0) {
        status = stall_open_others(stall, 1);
    }
    for (uint64_t owner = 0; owner < stall->size; owner++) {
        stall_request_on(stall, "condition.acquire", 3);
        pack_nil(&stall->requests);
        pack_uint(&stall->requests, owner);
        stall_request_on(stall, "condition.wait", 3);
        pack_nil(&stall->requests);
        pack_uint(&stall->requests, owner);
    }
    return status == 0 ? stall_park(stall, &stall->others[0], stall->size) : status;
}

/* The first of them holds the lock then, and the others wait for that. */
static void ask_notify_all(struct stall *stall)
{
    stall_request_on(stall, "condition.acquire", 1);
    stall_request_on(stall, "condition.notify_all", 1);
    stall_request_on(stall, "condition.release", 1);
}

const struct stall_row stall_rows_wait[] = {
    {"wait/event-set", "event.set with 200,000 waiters", fill_event, stall_ask, wake, "event.set",
     NULL, 200000, 1},
    {"wait/event-delete", "object.delete with 10,000 waiters", fill_event, stall_ask, wake,
     "object.delete", "DELETED", 10000, 1},
    {"wait/notify-all", "condition.notify_all with 10,000 waiters", fill_condition, ask_notify_all,
     NULL, NULL, NULL, 10000, 1},
    {0},
};
