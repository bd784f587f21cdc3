/*
 * message: MessagePack-RPC requests, responses and notifications, decoded in place and encoded.
 *
 * Decoding is one pass: the message's own arrays are read header by header, and each param is
 * skipped by its header (scalars) or scanned (containers). Nothing is copied; a decoded message
 * points into the bytes it came from and is valid as long as they are.
 */
#pragma once

#include "proto/pack.h"
#include "proto/scan.h"

enum {
    MESSAGE_PARAMS_MAX = 8, /* params that are decoded; more are counted and checked only */
    MESSAGE_DEPTH = 32,     /* protocol, "Messages": containers within each other in a request */
    MESSAGE_SIZE = 16 * 1048576,  /* the default of max_message */
    DESCRIPTORS_PER_MESSAGE = 16, /* protocol, "Messages": that travel with one message */
};

enum message_type { MESSAGE_REQUEST = 0, MESSAGE_RESPONSE = 1, MESSAGE_NOTIFICATION = 2 };

/* One param, result or error: its header and all of its bytes, the header's included. */
struct param {
    struct header header;
    struct slice raw;
};

struct message {
    enum message_type type;
    uint32_t msgid;      /* request, response; else 0 */
    struct slice method; /* request, notification: the name's bytes; else none, at the beginning */
    unsigned nparams;    /* how many were sent; only MESSAGE_PARAMS_MAX of them are in params */
    unsigned exts;       /* SCAN_REFERENCE, SCAN_DESCRIPTOR: such an ext is somewhere in it */
    struct param params[MESSAGE_PARAMS_MAX]; /* response: [0] is the error, [1] the result */
    size_t size;                             /* bytes of the whole message */
};

/* What message_decode answers when the bytes end before the message does. */
enum { MESSAGE_MORE = 1 };

/*
 * Decodes the message that starts at `data`, at most max_size bytes long and max_depth containers
 * deep (2 to SCAN_DEPTH_MAX; the message's own array counts as the first). 0 with *out set and
 * out->size bytes used; MESSAGE_MORE; ERR_BAD_REQUEST: not MessagePack, too deep, or none of the
 * three forms; ERR_TOO_LARGE: over max_size, or over UINT32_MAX. With any answer but 0, *out is
 * half written. Each call starts at the beginning: whoever gets MESSAGE_MORE goes on with
 * message_progress_begin.
 */
int message_decode(const uint8_t *data, size_t len, unsigned max_depth, size_t max_size,
                   struct message *out);

/* How far a message has been decoded that comes in pieces. Positions are counted from its begin, so
 * that its bytes may move between the pieces. */
struct message_progress {
    size_t begin; /* of the first param */
    size_t at;    /* where the next param begins */
    enum message_type type;
    uint32_t msgid;
    size_t method_at;
    size_t method_len;
    unsigned count;   /* of all params */
    unsigned nparams; /* that are whole */
    unsigned exts;    /* as in the message, so far */
    bool scanning;    /* the next one is a container that is not whole */
    struct scan scan; /* of that; valid if scanning */
    size_t ends[MESSAGE_PARAMS_MAX];
};

/* message_decode has answered MESSAGE_MORE. True if that can be gone on with (message_decode_on),
 * as all in front of the params is there; else message_decode is to be asked again. */
bool message_progress_begin(struct message_progress *progress, const uint8_t *data, size_t len);
/* As message_decode, of a message that comes in pieces: with each one it goes on where it stopped,
 * so that each byte is looked at once. `data` is the message from its begin, with the same bytes as
 * before and maybe more; the limits are the same. */
int message_decode_on(const uint8_t *data, size_t len, unsigned max_depth, size_t max_size,
                      struct message_progress *progress, struct message *out);

/* Takes the first value off *rest, a run of whole, valid values (the elements of an array behind
 * its header, say). Must not be called on an empty run. */
struct param value_next(struct slice *rest);

/* Encoding: each packs the fixed part; what it names after "then" is packed by the caller. */

/* [0, msgid, method, [then count params]] */
void message_request(struct buffer *out, uint32_t msgid, struct slice method, size_t count);
/* [1, msgid, nil, then the result] */
void message_result(struct buffer *out, uint32_t msgid);
/* [1, msgid, [code, text], nil]; with a detail: [1, msgid, [code, text, detail], nil] */
void message_error(struct buffer *out, uint32_t msgid, int error, const char *text,
                   struct slice detail);
/* [1, msgid, [code, text, then the detail], then nil] */
void message_error_head(struct buffer *out, uint32_t msgid, int error, const char *text);
/* [2, method, [then count params]] */
void message_notification(struct buffer *out, const char *method, size_t count);
