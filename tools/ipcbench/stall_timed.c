/* stall_timed: what is due in a queue, a million of it at once; see stall.h. */
#include "tools/ipcbench/stall.h"
#include "tools/ipcbench/cpu.h"

enum {
    TAKE_MILLISECONDS = 2,    /* for a thousand items: more than a get_many takes */
    PUT_MILLISECONDS = 6,     /* more than as many puts take */
    LEAST_MILLISECONDS = 200, /* and for a few */
    PIECE = 1000,
    NANOSECONDS = 1000000, /* in a millisecond */
    LOOK_NANOSECONDS = 5 * NANOSECONDS,
};

/* In how many milliseconds all is due, with so many for each thousand items. */
static uint64_t ahead(const struct stall *stall, uint64_t milliseconds)
{
    return LEAST_MILLISECONDS + stall->size * milliseconds / 1000;
}

/* The client takes all the items, in one call. */
static int fill_leases(struct stall *stall)
{
    uint64_t lease = ahead(stall, TAKE_MILLISECONDS);
    stall_open(stall, "queue", STALL_OBJECT, 2);
    pack_key_bool(&stall->requests, "joinable", true);
    pack_key_uint(&stall->requests, "lease_ms", lease);
    int status = stall_put_nils(stall, stall->size);
    stall_request_on(stall, "queue.get_many", 2);
    pack_uint(&stall->requests, stall->size);
    stall->due = clock_now() + lease * NANOSECONDS;
    return status == 0 ? stall_flush(stall, &stall->client, NULL) : status;
}

/* Items with a time in the option that is the row's method. They are put piece by piece, the later
 * ones with less time, so that all are due in the same moment, or nearly so. */
static int fill_times(struct stall *stall)
{
    int status = 0;
    stall->due = clock_now() + ahead(stall, PUT_MILLISECONDS) * NANOSECONDS;
    stall_open(stall, "queue", STALL_OBJECT, 0);
    for (uint64_t at = 0; status == 0 && at < stall->size;) {
        uint64_t now = clock_now();
        uint64_t left = stall->due > now ? (stall->due - now) / NANOSECONDS : 0;
        for (uint64_t end = at + PIECE; at < end && at < stall->size; at++) {
            stall_request_on(stall, "queue.put", 4);
            pack_nil(&stall->requests);
            pack_nil(&stall->requests);
            pack_map(&stall->requests, 1);
            pack_key_uint(&stall->requests, stall->row->method, left);
        }
        status = stall_flush(stall, &stall->owner, NULL);
    }
    return status;
}

/* Until the queue has as many items to be got as are said. */
static int work_until(struct stall *stall, uint64_t size)
{
    for (;;) {
        uint64_t found = 0;
        stall_request_on(stall, "queue.qsize", 1);
        int status = stall_flush(stall, &stall->client, NULL);
        if (status == 0) {
            status = caller_number(&stall->client, NULL, &found);
        }
        if (status != 0 || (found == size && clock_now() >= stall->due)) {
            return status;
        }
        clock_sleep(LOOK_NANOSECONDS);
    }
}

static int work_until_full(struct stall *stall)
{
    return work_until(stall, stall->size);
}

static int work_until_empty(struct stall *stall)
{
    return work_until(stall, 0);
}

const struct stall_row stall_rows_timed[] = {
    {"due/leases", "1 M leases due at once", fill_leases, NULL, work_until_full, NULL, NULL,
     1000000, 1},
    {"due/ttls", "1 M times to live due at once", fill_times, NULL, work_until_empty, "ttl_ms",
     NULL, 1000000, 1},
    {"due/delays", "1 M delays due at once", fill_times, NULL, work_until_full, "delay_ms", NULL,
     1000000, 1},
    {0},
};
