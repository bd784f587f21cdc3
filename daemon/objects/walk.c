/* walk: see walk.h. */
#include "daemon/objects/walk.h"

enum {
    BYTES_PER_STEP = 8, /* scanned, if they are short values */
    STRETCH = PACE_STRETCH * BYTES_PER_STEP,
};

/* The length of the container at the front, which is whole. */
static size_t scan(struct slice rest, struct pace *pace)
{
    struct scan scan;
    size_t len = 0;
    scan_init(&scan, SCAN_DEPTH_MAX, rest.len);
    do {
        len = rest.len - len > STRETCH ? len + STRETCH : rest.len;
        size_t from = scan.at;
        if (scan_run(&scan, rest.data, len) <= 0) {
            break;
        }
        pace_step(pace,
                  scan.at - from < STRETCH ? (scan.at - from) / BYTES_PER_STEP : PACE_STRETCH);
    } while (len < rest.len);
    return scan.at;
}

struct param walk_next(struct slice *rest, struct pace *pace)
{
    struct param param;
    if (pace == NULL || rest->len <= STRETCH) {
        return value_next(rest);
    }
    (void)header_read(rest->data, rest->len, &param.header);
    size_t len = param.header.size + param.header.length;
    if (param.header.kind == KIND_ARRAY || param.header.kind == KIND_MAP) {
        len = scan(*rest, pace);
    }
    param.raw = (struct slice){rest->data, len};
    *rest = slice_from(*rest, len);
    return param;
}
