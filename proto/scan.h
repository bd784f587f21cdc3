/*
 * scan: finds where a MessagePack value ends, checking depth and size, without building a tree.
 *
 * A scan can be interrupted anywhere and goes on when more bytes have come; it reads each byte's
 * header once. It believes no length: it only ever asks for more bytes, and a length or a count
 * that could not fit into the size limit is refused as soon as it is seen.
 */
#pragma once

#include "proto/header.h"

enum { SCAN_DEPTH_MAX = 64 }; /* the most that scan_init can be asked for */

/* Bits of scan.exts: the value holds an ext of that type somewhere. */
enum { SCAN_REFERENCE = 1, SCAN_DESCRIPTOR = 2 };

/* The bit for one header: 0 for all but the two ext types. */
static inline unsigned scan_ext_bit(const struct header *header)
{
    if (header->kind != KIND_EXT) {
        return 0;
    }
    return header->ext_type == EXT_REFERENCE    ? SCAN_REFERENCE
           : header->ext_type == EXT_DESCRIPTOR ? SCAN_DESCRIPTOR
                                                : 0U;
}

struct scan {
    size_t at;       /* where the next header starts; may lie beyond what has come */
    size_t max_size; /* of the whole value, in bytes */
    unsigned max_depth;
    unsigned depth; /* containers that are open now */
    unsigned exts;
    uint32_t left[SCAN_DEPTH_MAX + 1]; /* values missing at each depth; 0: outside containers */
};

/* What scan_run answers when the value goes on beyond the bytes. */
enum { SCAN_MORE = 1 };

/* Starts a scan of one value of at most max_size bytes and max_depth containers within each other.
 * More than SCAN_DEPTH_MAX containers or UINT32_MAX bytes are never accepted. */
void scan_init(struct scan *scan, unsigned max_depth, size_t max_size);

/*
 * Scans on. `data` is the value's first byte (the same bytes at each call of one scan, possibly
 * moved in memory), `len` how many are there now.
 * 0: the value is complete and ends at scan->at. SCAN_MORE: it is not, call again with more.
 * ERR_BAD_REQUEST: not MessagePack, or too deep. ERR_TOO_LARGE: over max_size.
 */
int scan_run(struct scan *scan, const uint8_t *data, size_t len);

/* The length of the value that starts at `data`, or 0 if there is no whole valid one in `len`. */
size_t scan_length(const uint8_t *data, size_t len);
