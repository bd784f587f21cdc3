/*
 * program: calls made of the bytes of a fuzzer's input, or of random ones.
 *
 * Each byte is a choice; when there are none left, all choices are 0. A call is of any method, with
 * params that mostly fit its signature. Names are few, so that calls meet.
 */
#pragma once

#include "proto/pack.h"

struct program {
    const uint8_t *data; /* the choices that are left */
    size_t len;
};

uint8_t program_next(struct program *program);

/* Packs a method and an array of params, up to `depth` batches within each other. */
void program_call(struct buffer *out, struct program *program, unsigned depth);
