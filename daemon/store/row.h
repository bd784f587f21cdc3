/* row: who is told the rows of a store, one after the other. */
#pragma once

#include <stdint.h>

#include "proto/slice.h"

/* One row; the slices are valid during the call. 0, or what the reading is to end with. */
typedef int store_row(void *data, uint64_t object, struct slice key, struct slice value);
