/*
 * header: the first bytes of one MessagePack value, decoded.
 *
 * The MessagePack specification calls them the format's first byte and what follows it up to the
 * data. Everything that reads MessagePack here reads headers: the scanner to find where a value
 * ends, params to get a number without building a tree, the client to walk a result.
 */
#pragma once

#include "proto/error.h"

enum kind {
    KIND_NIL,
    KIND_BOOL,
    KIND_INT,  /* an integer that fits int64_t: header.i */
    KIND_UINT, /* an integer above INT64_MAX: header.u */
    KIND_FLOAT,
    KIND_STR,
    KIND_BIN,
    KIND_ARRAY,
    KIND_MAP,
    KIND_EXT,
};

/* Ext types that the protocol gives a meaning. */
enum { EXT_TIMESTAMP = -1, EXT_REFERENCE = 1, EXT_DESCRIPTOR = 2 };

struct header {
    enum kind kind;
    uint8_t size;    /* bytes of the header itself; a number's bytes belong to it */
    int8_t ext_type; /* KIND_EXT */
    uint32_t length; /* bytes that follow: STR, BIN, EXT; else 0 */
    uint32_t count;  /* elements of an ARRAY, pairs of a MAP; else 0 */
    union {
        bool b;
        int64_t i;
        uint64_t u;
        double f;
    };
};

/* What header_read answers when the bytes end inside the header. */
enum { HEADER_MORE = 1 };

/*
 * Decodes the header at `data`, of which `len` bytes are there.
 * 0 with *out set; HEADER_MORE when they are too few; ERR_BAD_REQUEST for the byte 0xc1, which
 * MessagePack never uses. What follows a header (length, count) need not be there.
 */
int header_read(const uint8_t *data, size_t len, struct header *out);

/* The name of a kind for messages to people: "an integer", "a map", … */
const char *kind_name(enum kind kind);
