/*
 * base64: bytes as base64 (RFC 4648, section 4: the standard alphabet, padded) and back.
 *
 * Decoding is strict, so that a text has one meaning and bytes have one text: no white space, the
 * padding must be there, and the bits that it leaves over must be 0.
 */
#pragma once

#include "proto/buffer.h"

/* Appends the text of `bytes`. */
void base64_encode(struct slice bytes, struct buffer *out);

/* Appends the bytes of `text`. 0, or -1 if it is no base64; then *out may have got some of them. */
int base64_decode(struct slice text, struct buffer *out);
