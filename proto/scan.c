/*
 * scan: see scan.h. The loop below is the daemon's first contact with every byte.
 *
 * It stands here instead of msgpack-c's unpack_template.h because that one was measured beside it
 * (tests/bench/scan_bench): hardly faster anywhere, a quarter slower on the usual messages and half
 * as fast on many integers; and its depth is fixed at compile time, it has no size limit, and it
 * takes an ext of 2^32 - 1 bytes for whole as soon as its header is there.
 */
#include "proto/scan.h"
#include "proto/header_decode.h"

void scan_init(struct scan *scan, unsigned max_depth, size_t max_size)
{
    scan->at = 0;
    scan->max_size = max_size < UINT32_MAX ? max_size : UINT32_MAX;
    scan->max_depth = max_depth < SCAN_DEPTH_MAX ? max_depth : SCAN_DEPTH_MAX;
    scan->depth = 0;
    scan->exts = 0;
    scan->left[0] = 1;
}

/* Opens the container whose header ends at `at`. A count that cannot fit is refused here, so twice
 * the count of a map fits into left, which max_size bounds. */
static inline int open_container(struct scan *scan, const struct header *header, uint64_t at,
                                 unsigned *depth, uint32_t *left)
{
    uint64_t inner = header->kind == KIND_MAP ? 2 * (uint64_t)header->count : header->count;
    if (*depth == scan->max_depth) {
        return ERR_BAD_REQUEST;
    }
    if (inner > scan->max_size - at) {
        return ERR_TOO_LARGE;
    }
    scan->left[*depth] = *left;
    *depth += 1;
    *left = (uint32_t)inner;
    return 0;
}

/* Leaves the loop: `at` is where the value ends if it is whole, else where its next header stands.
 */
static int leave(struct scan *scan, uint64_t at, bool whole, size_t len)
{
    if (at > scan->max_size || (!whole && at == scan->max_size)) {
        return ERR_TOO_LARGE;
    }
    scan->at = (size_t)at;
    return whole && at <= len ? 0 : SCAN_MORE;
}

/*
 * The state is in locals while the loop runs. Lengths are added up unchecked: an `at` beyond the
 * limit ends the loop, whether it is the bytes that end there or the size that is allowed, and
 * leave() tells which. `left` is 0 only when the whole value has been seen.
 */
int scan_run(struct scan *scan, const uint8_t *data, size_t len)
{
    size_t limit = len < scan->max_size ? len : scan->max_size;
    uint64_t at = scan->at;
    unsigned depth = scan->depth;
    uint32_t left = scan->left[depth];
    while (at < limit && left > 0) {
        struct header header;
        int status = header_decode(data + at, limit - at, &header);
        if (status == HEADER_MORE && limit < scan->max_size) {
            break;
        }
        if (status != 0) {
            return status < 0 ? status : ERR_TOO_LARGE;
        }
        at += header.size + (uint64_t)header.length;
        left--;
        if (header.kind == KIND_ARRAY || header.kind == KIND_MAP) {
            status = open_container(scan, &header, at, &depth, &left);
            if (status != 0) {
                return status;
            }
        } else if (header.kind == KIND_EXT) {
            scan->exts |= scan_ext_bit(&header);
        }
        if (left == 0) { /* its own branch: nearly all values are not the last of their container */
            while (left == 0 && depth > 0) {
                left = scan->left[--depth];
            }
        }
    }
    scan->depth = depth;
    scan->left[depth] = left;
    return leave(scan, at, left == 0, len);
}

size_t scan_length(const uint8_t *data, size_t len)
{
    struct scan scan;
    scan_init(&scan, SCAN_DEPTH_MAX, len);
    return scan_run(&scan, data, len) == 0 ? scan.at : 0;
}
