/*
 * fuzz_scan: any bytes as a message and as values, with what must hold of them whatever they are.
 *
 * The first byte chooses the limits, the others are the input. The bytes are judged by scan_run at
 * once, by scan_run piece by piece, by message_decode, and by message_decode_on piece by piece,
 * which must agree; then each whole value
 * at the front goes through everything in value.h, by itself and together with the one before it.
 */
#include "proto/message.h"
#include "proto/value.h"

#include <stdlib.h>

/* A property that does not hold is a crash, in every build. */
static void require(bool holds)
{
    if (!holds) {
        abort();
    }
}

struct limits {
    unsigned depth;
    size_t size;
    size_t step; /* how many bytes come at a time */
};

static struct limits limits_of(uint8_t choice)
{
    static const unsigned depths[] = {2, 3, MESSAGE_DEPTH, SCAN_DEPTH_MAX};
    static const size_t sizes[] = {16, 200, MESSAGE_SIZE, SIZE_MAX};
    static const size_t steps[] = {1, 2, 5, 64};
    return (struct limits){depths[choice & 3], sizes[choice >> 2 & 3], steps[choice >> 4 & 3]};
}

/* In pieces, each in an allocation of its own size. */
static int scan_in_pieces(const struct limits *limits, struct slice bytes, struct scan *scan)
{
    int status = SCAN_MORE;
    scan_init(scan, limits->depth, limits->size);
    for (size_t len = 0; status == SCAN_MORE && len < bytes.len;) {
        len = bytes.len - len < limits->step ? bytes.len : len + limits->step;
        uint8_t *piece = malloc(len);
        if (piece == NULL) {
            break;
        }
        memcpy(piece, bytes.data, len);
        status = scan_run(scan, piece, len);
        free(piece);
    }
    return status;
}

/* The same with message_decode_on. */
static int decode_in_pieces(const struct limits *limits, struct slice bytes,
                            struct message *message)
{
    int status = MESSAGE_MORE;
    struct message_progress progress;
    bool begun = false;
    for (size_t len = 0; status == MESSAGE_MORE && len < bytes.len;) {
        len = bytes.len - len < limits->step ? bytes.len : len + limits->step;
        uint8_t *piece = malloc(len);
        if (piece == NULL) {
            break;
        }
        memcpy(piece, bytes.data, len);
        if (!begun) {
            status = message_decode(piece, len, limits->depth, limits->size, message);
            begun = status == MESSAGE_MORE && message_progress_begin(&progress, piece, len);
        }
        if (begun) {
            status = message_decode_on(piece, len, limits->depth, limits->size, &progress, message);
        }
        for (unsigned i = 0; status == 0 && i < message->nparams && i < MESSAGE_PARAMS_MAX; i++) {
            struct slice *raw = &message->params[i].raw;
            *raw = (struct slice){bytes.data + (raw->data - piece), raw->len};
        }
        free(piece);
    }
    return status;
}

/* They have the same in them, at the same places. */
static void require_same(const struct message *a, const struct message *b)
{
    require(a->type == b->type && a->size == b->size && a->exts == b->exts);
    require(a->nparams == b->nparams);
    for (unsigned i = 0; i < a->nparams && i < MESSAGE_PARAMS_MAX; i++) {
        require(a->params[i].raw.data == b->params[i].raw.data);
        require(a->params[i].raw.len == b->params[i].raw.len);
        require(a->params[i].header.kind == b->params[i].header.kind);
        require(a->params[i].header.size == b->params[i].header.size);
    }
}

static void check_message(const struct limits *limits, struct slice bytes)
{
    struct scan scan;
    struct scan pieces;
    struct message message;
    scan_init(&scan, limits->depth, limits->size);
    int status = scan_run(&scan, bytes.data, bytes.len);
    require(scan_in_pieces(limits, bytes, &pieces) == status);
    require(status < 0 || pieces.at == scan.at);
    require(status != 0 || (scan.at <= bytes.len && scan.at <= limits->size));
    int decoded = message_decode(bytes.data, bytes.len, limits->depth, limits->size, &message);
    struct message again;
    require(bytes.len == 0 || decode_in_pieces(limits, bytes, &again) == decoded);
    if (decoded == 0) {
        require_same(&message, &again);
        require(status == 0 && message.size == scan.at && message.exts == scan.exts);
    } else {
        /* What does not fit because something must follow is known to scan_run a little earlier. */
        bool early = decoded == MESSAGE_MORE && status == ERR_TOO_LARGE;
        require(decoded == ERR_BAD_REQUEST || decoded == status || early);
    }
}

static void check_text(struct slice value, size_t limit)
{
    struct buffer text = {0};
    value_print(value, limit, &text);
    require(text.len > 0 && text.len <= limit + strlen("…"));
    require(value_is_utf8(buffer_slice(&text)));
    for (size_t i = 0; i < text.len; i++) {
        require(text.data[i] >= 0x20 && text.data[i] != 0x7f);
    }
    buffer_deinit(&text);
}

static void check_value(struct slice value, struct slice canonical)
{
    struct buffer again = {0};
    value_canonical(canonical, &again);
    require(slice_equal(canonical, buffer_slice(&again)));
    buffer_deinit(&again);
    require(canonical.len <= value.len * 9 / 5);
    require(scan_length(canonical.data, canonical.len) == canonical.len);
    require(value_is_canonical(canonical));
    require(value_is_canonical(value) == slice_equal(value, canonical));
    require(value_equal(value, canonical) && value_equal(canonical, value));
    require(value_check_key(value, NULL) == value_check_key(canonical, NULL));
    check_text(value, 0);
    check_text(value, 300);
}

static void check_pair(struct slice a, struct slice b, bool equal)
{
    int order = 0;
    int back = 0;
    struct buffer sum = {0};
    struct buffer other = {0};
    require(value_equal(a, b) == equal && value_equal(b, a) == equal);
    require(value_compare(a, b, &order) == value_compare(b, a, &back));
    require(order == -back && (!equal || order == 0));
    require(value_add(a, b, &sum) == value_add(b, a, &other));
    require(sum.len == other.len && value_is_canonical(buffer_slice(&sum)));
    buffer_deinit(&sum);
    buffer_deinit(&other);
}

/* Each whole value at the front of the bytes, and each with the one before it. */
static void check_values(struct slice bytes)
{
    struct slice before = {NULL, 0};
    struct buffer before_canonical = {0};
    while (bytes.len > 0) {
        struct slice value = {bytes.data, scan_length(bytes.data, bytes.len)};
        struct buffer canonical = {0};
        if (value.len == 0) {
            break;
        }
        value_canonical(value, &canonical);
        check_value(value, buffer_slice(&canonical));
        if (before.len > 0) {
            bool equal = slice_equal(buffer_slice(&before_canonical), buffer_slice(&canonical));
            check_pair(before, value, equal);
        }
        buffer_deinit(&before_canonical);
        before_canonical = canonical;
        before = value;
        bytes = slice_from(bytes, value.len);
    }
    buffer_deinit(&before_canonical);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (len < 2) {
        return 0;
    }
    struct limits limits = limits_of(data[0]);
    struct slice bytes = {data + 1, len - 1};
    check_message(&limits, bytes);
    check_values(bytes);
    return 0;
}
