/* stall_other: nothing at all, arrays, and many calls in one; see stall.h. */
#include "tools/ipcbench/stall.h"
#include "tools/ipcbench/cpu.h"
#include "tools/ipcbench/fail.h"

enum { LOOK_NANOSECONDS = 100000000, SMALL_NUMBERS = 100 };

/* For a time, or until the user wants to stop. */
static int do_nothing(struct stall *stall)
{
    for (uint64_t i = 0; i < stall->times && !interrupted(); i++) {
        clock_sleep(LOOK_NANOSECONDS);
    }
    return 0;
}

/* The open that is the work, by the client: the object goes with it, too. */
static void ask_open(struct stall *stall)
{
    stall_open(stall, "array", STALL_OBJECT, 2);
    pack_key_string(&stall->requests, "typecode", "B");
    pack_key_uint(&stall->requests, "size", stall->size);
}

static int fill_array(struct stall *stall)
{
    ask_open(stall);
    return stall_flush(stall, &stall->owner, NULL);
}

/* Numbers of one byte each, as many as go into one message. */
static void ask_initial(struct stall *stall)
{
    stall_open(stall, "array", STALL_OBJECT, 2);
    pack_key_string(&stall->requests, "typecode", "d");
    pack_string(&stall->requests, "initial");
    pack_array(&stall->requests, stall->size);
    for (uint64_t i = 0; i < stall->size; i++) {
        pack_uint(&stall->requests, i % SMALL_NUMBERS);
    }
}

static int fill_list(struct stall *stall)
{
    stall_open(stall, "list", STALL_OBJECT, 0);
    stall_request_on(stall, "list.extend", 2);
    pack_array(&stall->requests, stall->size);
    for (uint64_t i = 0; i < stall->size; i++) {
        pack_uint(&stall->requests, i);
    }
    return stall_flush(stall, &stall->owner, NULL);
}

/* [[method, params], …] with as many calls as the row says; params are packed by `pack`. */
static void ask_atomic(struct stall *stall, void (*pack)(struct buffer *out))
{
    stall_request(stall, "atomic", 1);
    pack_array(&stall->requests, stall->times);
    for (uint64_t i = 0; i < stall->times; i++) {
        pack_array(&stall->requests, 2);
        pack_string(&stall->requests, stall->row->method);
        pack(&stall->requests);
    }
}

static void pack_no_params(struct buffer *out)
{
    pack_array(out, 0);
}

static void pack_object(struct buffer *out)
{
    pack_array(out, 1);
    pack_string(out, STALL_OBJECT);
}

static void pack_object_and_value(struct buffer *out)
{
    pack_array(out, 2);
    pack_string(out, STALL_OBJECT);
    pack_nil(out);
}

static void ask_pings(struct stall *stall)
{
    ask_atomic(stall, pack_no_params);
}

static void ask_sorts(struct stall *stall)
{
    ask_atomic(stall, pack_object);
}

static void ask_counts(struct stall *stall)
{
    ask_atomic(stall, pack_object_and_value);
}

const struct stall_row stall_rows_other[] = {
    {"control", "nothing but the pinger, two seconds", NULL, NULL, do_nothing, NULL, NULL, 1, 20},
    {"array/open", "open of 200 M numbers of one byte", NULL, ask_open, NULL, NULL, NULL, 200000000,
     1},
    {"array/slice", "slice of 200 M numbers of one byte", fill_array, stall_ask, NULL,
     "array.slice", NULL, 200000000, 1},
    {"array/initial", "open with 15 M numbers", NULL, ask_initial, NULL, NULL, NULL, 15000000, 1},
    {"atomic/counts", "atomic: count of 1 M x 100", fill_list, ask_counts, NULL, "list.count", NULL,
     1000000, 100},
    {"atomic/sorts", "atomic: sort of 1 M x 30", fill_list, ask_sorts, NULL, "list.sort", NULL,
     1000000, 30},
    {"atomic/pings", "atomic: 10,000 pings, the most", NULL, ask_pings, NULL, "server.ping", NULL,
     1, 10000},
    {0},
};
