/*
 * slot: which of the 16384 slots of a Redis Cluster a key is in.
 *
 * CRC16 (XMODEM) of the key, or only of its hash tag: what stands between the first { and the first
 * } behind that, if that is anything.
 */
#pragma once

#include "proto/slice.h"

enum {
    SLOT_COUNT = 16384,
};

uint16_t slot_of_key(struct slice key);
