/* clock: the monotonic clock for the connections to an engine. */
#pragma once

#include <stdint.h>

uint64_t clock_us(void);
uint64_t clock_ms(void);

/* So much later; UINT64_MAX, never, if it is beyond that. */
uint64_t clock_later(uint64_t time, uint64_t by);
