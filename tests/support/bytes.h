/*
 * bytes: encoded messages and values in tests: written as hex, laid out so that reading beyond
 * them is found, and compared.
 *
 * The functions end the test when they cannot do their work.
 */
#pragma once

#include "proto/buffer.h"

/* The bytes that a text of hex digits stands for; spaces are skipped. The caller deinits it. */
struct buffer bytes_of_hex(const char *hex);

/* The same, appended to *out. */
void append_hex(struct buffer *out, const char *hex);

/* A copy in an allocation of exactly its size, so that a sanitizer sees a read behind it. The
 * caller frees it. */
uint8_t *exact_copy(const uint8_t *data, size_t len);

/* Ends the test, with both texts shown as hex, unless they are the same bytes. */
void assert_bytes(struct slice got, struct slice expected);

/* The same with what is expected given as hex. */
void assert_hex(struct slice got, const char *expected);
