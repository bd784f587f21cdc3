/* loads: the table of loads and bars; see load.h. */
#include "tools/ipcbench/load.h"

#include <string.h>

enum { KIB = 1024, MIB = 1024 * 1024, BYTES_MAX = 256 * MIB, OPERATIONS_MAX = 4000000 };

#define PUT OPERATION_PUT
#define GET OPERATION_GET
#define SET OPERATION_SET
#define LOOKUP OPERATION_LOOKUP

/* What ipcd must reach, pinned. */
static const struct bars alone = {.cpu = 7.0, .p50_ratio = 1.0};
static const struct bars deep = {.cpu = 0.35, .ratio = 2.0};
static const struct bars wide = {.cpu = 2.3, .ratio = 1.15};
static const struct bars handoff_pipelined = {.rate = 1.2e6};
static const struct bars handoff_many = {.rate = 2.5e6};
static const struct bars handoff_paced = {.p50 = 36.0};
static const struct bars payload_64k = {.cpu = 20.0};
static const struct bars add_mapped = {.p50 = 0.030};
static const struct bars memory_item = {.bytes = 80.0};
static const struct bars memory_entry = {.bytes = 130.0};
static const struct bars memory_session = {.bytes = 1024.0};
static const struct bars pipe_bare = {.bare = 0.9};
static const struct bars none = {0};

const struct load loads[] = {
    {"roundtrip/put", "put", load_window, PUT, 1, 1, 64, 0, &alone},
    {"roundtrip/get", "get", load_window, GET, 1, 1, 64, 0, &alone},
    {"roundtrip/dict.set", "dict.set", load_window, SET, 1, 1, 64, 0, &alone},
    {"roundtrip/dict.get", "dict.get", load_window, LOOKUP, 1, 1, 64, 0, &alone},

    {"pipeline/put-16x1", "put, 16 outstanding", load_window, PUT, 16, 1, 64, 0, &none},
    {"pipeline/get-16x1", "get, 16", load_window, GET, 16, 1, 64, 0, &none},
    {"pipeline/dict.set-16x1", "dict.set, 16", load_window, SET, 16, 1, 64, 0, &none},
    {"pipeline/dict.get-16x1", "dict.get, 16", load_window, LOOKUP, 16, 1, 64, 0, &none},
    {"pipeline/put-64x1", "put, 64", load_window, PUT, 64, 1, 64, 0, &deep},
    {"pipeline/get-64x1", "get, 64", load_window, GET, 64, 1, 64, 0, &deep},
    {"pipeline/dict.set-64x1", "dict.set, 64", load_window, SET, 64, 1, 64, 0, &deep},
    {"pipeline/dict.get-64x1", "dict.get, 64", load_window, LOOKUP, 64, 1, 64, 0, &deep},

    {"clients/put-1x50", "put, 1 outstanding", load_window, PUT, 1, 50, 64, 0, &wide},
    {"clients/get-1x50", "get, 1", load_window, GET, 1, 50, 64, 0, &wide},
    {"clients/dict.set-1x50", "dict.set, 1", load_window, SET, 1, 50, 64, 0, &wide},
    {"clients/dict.get-1x50", "dict.get, 1", load_window, LOOKUP, 1, 50, 64, 0, &wide},
    {"clients/put-16x50", "put, 16", load_window, PUT, 16, 50, 64, 0, &none},
    {"clients/get-16x50", "get, 16", load_window, GET, 16, 50, 64, 0, &none},
    {"clients/dict.set-16x50", "dict.set, 16", load_window, SET, 16, 50, 64, 0, &none},
    {"clients/dict.get-16x50", "dict.get, 16", load_window, LOOKUP, 16, 50, 64, 0, &none},
    {"clients/put-64x50", "put, 64", load_window, PUT, 64, 50, 64, 0, &none},
    {"clients/get-64x50", "get, 64", load_window, GET, 64, 50, 64, 0, &none},
    {"clients/dict.set-64x50", "dict.set, 64", load_window, SET, 64, 50, 64, 0, &none},
    {"clients/dict.get-64x50", "dict.get, 64", load_window, LOOKUP, 64, 50, 64, 0, &none},

    {"handoff/pipelined", "both sides 64 outstanding", load_handoff, OPERATION_TAKE, 64, 1, 64, 0,
     &handoff_pipelined},
    {"handoff/many", "put_many, get_many of 64", load_handoff, OPERATION_GET_MANY, 1, 1, 64, 0,
     &handoff_many},
    {"handoff/paced", "an item each ms, end to end", load_paced, OPERATION_TAKE, 1, 1, 64, 400,
     &handoff_paced},

    {"library/put", "ipcc_queue_put", load_library, PUT, 1, 1, 64, 0, &none},
    {"library/get", "ipcc_queue_get", load_library, GET, 1, 1, 64, 0, &none},

    {"shared/add-mapped", "add to a value in memory", load_add_mapped, LOOKUP, 1, 1, 8, 0,
     &add_mapped},
    {"shared/add-called", "the same by value.add", load_add_called, LOOKUP, 1, 1, 8, 0, &none},

    {"payload/put-64B", "put 64 B", load_window, PUT, 1, 1, 64, 0, &none},
    {"payload/get-64B", "get 64 B", load_window, GET, 1, 1, 64, 0, &none},
    {"payload/put-1KiB", "put 1 KiB", load_window, PUT, 1, 1, KIB, 0, &none},
    {"payload/get-1KiB", "get 1 KiB", load_window, GET, 1, 1, KIB, 0, &none},
    {"payload/put-64KiB", "put 64 KiB", load_window, PUT, 1, 1, 64 * KIB, 0, &payload_64k},
    {"payload/get-64KiB", "get 64 KiB", load_window, GET, 1, 1, 64 * KIB, 0, &payload_64k},
    {"payload/put-1MiB", "put 1 MiB", load_window, PUT, 1, 1, MIB, 0, &none},
    {"payload/get-1MiB", "get 1 MiB", load_window, GET, 1, 1, MIB, 0, &none},

    {"pipe/64B", "bytes of 64 B", load_pipe, PUT, 1, 1, 64, 0, &pipe_bare},
    {"pipe/1KiB", "bytes of 1 KiB", load_pipe, PUT, 1, 1, KIB, 0, &pipe_bare},
    {"pipe/64KiB", "bytes of 64 KiB", load_pipe, PUT, 1, 1, 64 * KIB, 0, &pipe_bare},
    {"pipe/1MiB", "bytes of 1 MiB", load_pipe, PUT, 1, 1, MIB, 0, &pipe_bare},

    {"memory/item", "queued item of 64 B", load_memory, PUT, 1, 1, 64, 1000000, &memory_item},
    {"memory/entry", "dict entry, 11 + 64 B", load_memory, SET, 1, 1, 64, 1000000, &memory_entry},
    {"memory/session", "idle session", load_idle, LOOKUP, 1, 1, 64, 1000, &memory_session},
    {.name = NULL},
};

bool load_is_of_library(const struct load *load)
{
    return load->run == load_library || load->run == load_pipe || load->run == load_add_mapped ||
           load->run == load_add_called;
}

bool load_suits(const struct load *load, const struct target *target)
{
    return load_is_of_library(load) ? target->protocol == &protocol_ipcd
                                    : target->protocol->keeps || load->run == load_window;
}

uint64_t load_limit(const struct load *load)
{
    uint64_t limit = BYTES_MAX / (load->payload + 64);
    return limit < OPERATIONS_MAX ? limit : OPERATIONS_MAX;
}
