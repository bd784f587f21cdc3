/* stall_dict: works on dicts; see stall.h. */
#include "tools/ipcbench/stall.h"

enum { PIECE = 100000 };

static int fill_nothing(struct stall *stall)
{
    stall_open(stall, "dict", STALL_OBJECT, 0);
    return stall_flush(stall, &stall->owner, NULL);
}

/* An update with so many keys, from the number `first` on. */
static void ask_update(struct stall *stall, uint64_t first, uint64_t count)
{
    stall_request_on(stall, "dict.update", 2);
    pack_map(&stall->requests, count);
    for (uint64_t key = first; key < first + count; key++) {
        pack_uint(&stall->requests, key);
        pack_nil(&stall->requests);
    }
}

/* All the keys in one update. */
static void ask_update_once(struct stall *stall)
{
    ask_update(stall, 0, stall->size);
}

static void ask_updates(struct stall *stall)
{
    for (uint64_t at = 0; at < stall->size; at += PIECE) {
        ask_update(stall, at, stall->size - at < PIECE ? stall->size - at : PIECE);
    }
}

static int fill_keys(struct stall *stall)
{
    stall_open(stall, "dict", STALL_OBJECT, 0);
    ask_updates(stall);
    return stall_flush(stall, &stall->owner, NULL);
}

static void ask_scan(struct stall *stall)
{
    stall_request_on(stall, "dict.scan", 3);
    pack_int(&stall->requests, 0);
    pack_int(&stall->requests, INT64_MAX);
}

/* Waiters, each for a key of its own, in as many sessions as they need. */
static int fill_waiters(struct stall *stall)
{
    uint64_t key = 0;
    int status = fill_nothing(stall);
    if (status == 0) {
        status = stall_open_waiters(stall);
    }
    for (size_t i = 0; status == 0 && i < stall->other_count; i++) {
        for (uint64_t n = stall_waiters(stall, i); n > 0; n--) {
            stall_request_on(stall, "dict.wait", 2);
            pack_uint(&stall->requests, key++);
        }
        status = stall_park(stall, &stall->others[i], 0);
    }
    return status;
}

static void ask_sets(struct stall *stall)
{
    for (uint64_t key = 0; key < stall->size; key++) {
        stall_request_on(stall, "dict.set", 3);
        pack_uint(&stall->requests, key);
        pack_nil(&stall->requests);
    }
}

static int set_for_waiters(struct stall *stall)
{
    int status = stall_send(stall);
    return status == 0 ? stall_collect(stall, NULL) : status;
}

const struct stall_row stall_rows_dict[] = {
    {"dict/update", "update with a map of 2.6 M keys", fill_nothing, ask_update_once, NULL, NULL,
     NULL, 2600000, 1},
    {"dict/grow", "growing to 1 M by updates of 100 k", fill_nothing, ask_updates, NULL, NULL, NULL,
     1000000, 1},
    {"dict/items", "items of 1.2 M", fill_keys, stall_ask, NULL, "dict.items", NULL, 1200000, 1},
    {"dict/values", "values of 1.2 M", fill_keys, stall_ask, NULL, "dict.values", NULL, 1200000, 1},
    {"dict/copy", "copy of 1.2 M", fill_keys, stall_ask, NULL, "dict.copy", NULL, 1200000, 1},
    {"dict/scan", "scan of 1.2 M in one step", fill_keys, ask_scan, NULL, NULL, NULL, 1200000, 1},
    {"dict/wait", "set of 16,000 keys, each waited for", fill_waiters, ask_sets, set_for_waiters,
     NULL, NULL, 16000, 1},
    {0},
};
