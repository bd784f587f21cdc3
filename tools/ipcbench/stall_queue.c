/* stall_queue: works on queues; see stall.h. */
#include "tools/ipcbench/stall.h"

#include <stdio.h>

enum { PLACES = 1000 };

static int fill_nils(struct stall *stall)
{
    stall_open(stall, "queue", STALL_OBJECT, 0);
    return stall_put_nils(stall, stall->size);
}

static int fill_priorities(struct stall *stall)
{
    uint64_t state = 0;
    stall_open(stall, "queue", STALL_OBJECT, 1);
    pack_key_string(&stall->requests, "order", "priority");
    for (uint64_t i = 0; i < stall->size; i++) {
        stall_request_on(stall, "queue.put", 4);
        pack_nil(&stall->requests);
        pack_nil(&stall->requests);
        pack_map(&stall->requests, 1);
        pack_key_uint(&stall->requests, "priority", stall_random(&state));
    }
    return stall_flush(stall, &stall->owner, NULL);
}

/* One item, far behind: in the middle of a priority queue, at the end of a fifo. */
static void ask_peek(struct stall *stall, uint64_t start)
{
    for (uint64_t i = 0; i < stall->times; i++) {
        stall_request_on(stall, "queue.peek", 3);
        pack_uint(&stall->requests, start);
        pack_int(&stall->requests, 1);
    }
}

static void ask_peek_middle(struct stall *stall)
{
    ask_peek(stall, stall->size / 2);
}

static void ask_peek_end(struct stall *stall)
{
    ask_peek(stall, stall->size - 1);
}

static void ask_all(struct stall *stall)
{
    stall_request_on(stall, "queue.get_many", 2);
    pack_uint(&stall->requests, stall->size);
}

/* The client has taken all the items. */
static int fill_tickets(struct stall *stall)
{
    stall_open(stall, "queue", STALL_OBJECT, 1);
    pack_key_bool(&stall->requests, "joinable", true);
    int status = stall_put_nils(stall, stall->size);
    ask_all(stall);
    return status == 0 ? stall_flush(stall, &stall->client, NULL) : status;
}

static int leave(struct stall *stall)
{
    uint64_t session = stall->client.session;
    caller_close(&stall->client);
    return caller_wait_gone(&stall->owner, session);
}

/* The name of one of the PLACES queues. */
static const char *place_name(uint64_t index, char name[16])
{
    (void)snprintf(name, 16, STALL_OBJECT "%u", (unsigned)index);
    return name;
}

/* The client waits `size` times, each time on all the queues. */
static int fill_places(struct stall *stall)
{
    char name[16];
    for (uint64_t place = 0; place < PLACES; place++) {
        stall_open(stall, "queue", place_name(place, name), 0);
    }
    int status = stall_flush(stall, &stall->owner, NULL);
    for (uint64_t i = 0; status == 0 && i < stall->size; i++) {
        stall_request(stall, "queue.get_any", 1);
        pack_array(&stall->requests, PLACES);
        for (uint64_t place = 0; place < PLACES; place++) {
            pack_string(&stall->requests, place_name(place, name));
        }
    }
    return status == 0 ? stall_park(stall, &stall->client, 0) : status;
}

static void ask_describe(struct stall *stall)
{
    stall_request(stall, "session.describe", 1);
    pack_uint(&stall->requests, stall->client.session);
}

const struct stall_row stall_rows_queue[] = {
    {"queue/peek-priority", "peek at 500,000 of 1 M, priority, x 10", fill_priorities,
     ask_peek_middle, NULL, NULL, NULL, 1000000, 10},
    {"queue/clear-priority", "clear of 1 M, priority", fill_priorities, stall_ask, NULL,
     "queue.clear", NULL, 1000000, 1},
    {"queue/get-priority", "get_many of 1 M, priority", fill_priorities, ask_all, NULL, NULL, NULL,
     1000000, 1},
    {"queue/peek-fifo", "peek at the end of 15.9 M, fifo, x 20", fill_nils, ask_peek_end, NULL,
     NULL, NULL, 15900000, 20},
    {"queue/tickets", "end of a session with 300,000 tickets", fill_tickets, NULL, leave, NULL,
     NULL, 300000, 1},
    {"queue/describe", "session.describe with 1 M waiting places", fill_places, ask_describe, NULL,
     NULL, NULL, 1000, 1},
    {0},
};
