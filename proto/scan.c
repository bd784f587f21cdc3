/* scan: see scan.h. The loop below is the daemon's first contact with every byte. */
#include "proto/scan.h"

void scan_init(struct scan *scan, unsigned max_depth, size_t max_size)
{
    scan->at = 0;
    scan->max_size = max_size;
    scan->max_depth = max_depth;
    scan->depth = 0;
    scan->exts = 0;
    scan->left[0] = 1;
}

/* Takes note of one header: where the next one stands, and the container it opens, if any. */
static int take(struct scan *scan, const struct header *header)
{
    size_t next = scan->at + header->size + header->length;
    size_t inner = header->kind == KIND_MAP ? (size_t)header->count * 2 : header->count;
    scan->left[scan->depth]--;
    if (next + inner > scan->max_size) {
        return ERR_TOO_LARGE;
    }
    scan->at = next;
    if (header->kind == KIND_ARRAY || header->kind == KIND_MAP) {
        if (scan->depth == scan->max_depth) {
            return ERR_BAD_REQUEST;
        }
        scan->left[++scan->depth] = (uint32_t)inner;
    } else if (header->kind == KIND_EXT) {
        scan->exts |= header->ext_type == EXT_REFERENCE    ? SCAN_REFERENCE
                      : header->ext_type == EXT_DESCRIPTOR ? SCAN_DESCRIPTOR
                                                           : 0U;
    }
    return 0;
}

int scan_run(struct scan *scan, const uint8_t *data, size_t len)
{
    for (;;) {
        while (scan->left[scan->depth] == 0) {
            if (scan->depth == 0) {
                return scan->at <= len ? 0 : SCAN_MORE;
            }
            scan->depth--;
        }
        if (scan->at >= len) {
            return SCAN_MORE;
        }
        struct header header;
        int status = header_read(data + scan->at, len - scan->at, &header);
        if (status == HEADER_MORE) {
            return SCAN_MORE;
        }
        if (status == 0) {
            status = take(scan, &header);
        }
        if (status != 0) {
            return status;
        }
    }
}

size_t scan_length(const uint8_t *data, size_t len)
{
    struct scan scan;
    scan_init(&scan, SCAN_DEPTH_MAX, len);
    return scan_run(&scan, data, len) == 0 ? scan.at : 0;
}
