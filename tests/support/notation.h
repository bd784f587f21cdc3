/*
 * notation: MessagePack values as short text, for tests.
 *
 * What JSON looks like, with what MessagePack has beyond it:
 *
 *   nil true false 5 -5 0xff 1.5 1e9 nan inf -inf   f32(1.5)
 *   'text'   b'bytes'   with \n \t \0 \\ \' \xNN;   'ab'*1000 repeats
 *   [1, 'two', [3]]   [nil]*1000 repeats the elements
 *   {word: 1, 'text': 2, 5: 3}
 *   ext(5, 'bytes')   deep(30): so many arrays within each other
 *   <cd 00 05>: these bytes, which must be one value where they stand for one
 *
 * Only in what is expected: _ is any value; _nil _bool _int _float _str _bin _array _map _ext any
 * of that kind; ... as the last element of an array or a map: whatever else there may be.
 *
 * Independent of proto/: it packs and unpacks with msgpack-c.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <msgpack.h>

/*
 * Appends the MessagePack of all values that stand in `text` (mostly one) to *out. NULL, or the
 * place in the text that is not understood.
 */
const char *notation_pack(const char *text, msgpack_sbuffer *out);

/*
 * True if `got` is what `expected` (unpacked from notation_pack's bytes, patterns included) says:
 * the same kind and the same value, however encoded; maps in any order.
 */
bool notation_match(const msgpack_object *expected, const msgpack_object *got);

/* Writes a value in this notation; long strings are cut. */
void notation_print(FILE *out, const msgpack_object *object);
