/*
 * limits: the limits by name, and how they follow from each other; see account.h.
 *
 * Tests: tests/system/test_limits.c, tests/unit/daemon/test_config.c.
 */
#include "daemon/account/account.h"

#define ROW(name_, standard_, least_, most_, unit_)                                                \
    [LIMIT_##name_] = {.name = #name_,                                                             \
                       .offset = offsetof(struct limits, name_),                                   \
                       .standard = standard_,                                                      \
                       .least = least_,                                                            \
                       .most = most_,                                                              \
                       .unit = unit_,                                                              \
                       .whole = LIMIT_COUNT}
#define USER_ROW(name_, standard_, least_, most_, unit_, whole_)                                   \
    [LIMIT_##name_] = {.name = #name_,                                                             \
                       .offset = offsetof(struct limits, name_),                                   \
                       .standard = standard_,                                                      \
                       .least = least_,                                                            \
                       .most = most_,                                                              \
                       .unit = unit_,                                                              \
                       .whole = LIMIT_##whole_}

const struct limit_row limit_rows[LIMIT_COUNT] = {
    ROW(max_message, MESSAGE_SIZE, 1024, 1UL << 30, "bytes"),
    ROW(max_sessions, 10000, 1, 1000000, "sessions"),
    USER_ROW(max_user_sessions, 5000, 1, 1000000, "sessions", max_sessions),
    ROW(max_objects, 1000000, 1, 1UL << 30, "objects"),
    USER_ROW(max_user_objects, 500000, 1, 1UL << 30, "objects", max_objects),
    ROW(max_bytes, 8UL << 30, 1UL << 16, 1UL << 50, "bytes"),
    USER_ROW(max_user_bytes, 4UL << 30, 1UL << 16, 1UL << 50, "bytes", max_bytes),
    ROW(max_stored, 1UL << 40, 1UL << 16, 1UL << 50, "bytes"),
    USER_ROW(max_user_stored, 1UL << 39, 1UL << 16, 1UL << 50, "bytes", max_stored),
    ROW(max_waiting, 10000, 1, 1000000, "waiting calls"),
    ROW(max_descriptors, 4096, 0, 1UL << 20, "descriptors"),
    USER_ROW(max_user_descriptors, 2048, 0, 1UL << 20, "descriptors", max_descriptors),
    ROW(max_output, 256UL << 20, 1UL << 16, 1UL << 40, "bytes"),
    ROW(max_events, 128UL << 10, 1024, 1UL << 30, "bytes"),
};

#undef ROW
#undef USER_ROW

void limits_init(struct limits *limits)
{
    for (size_t i = 0; i < LIMIT_COUNT; i++) {
        *limit_value(limits, &limit_rows[i]) = limit_rows[i].standard;
    }
}

uint64_t *limit_value(struct limits *limits, const struct limit_row *row)
{
    return (uint64_t *)((char *)limits + row->offset);
}

/*
 * How the memory is divided. Stored bytes are charged with what they cost, to a few percent; but
 * what is deleted in an unfortunate order leaves pages that nothing else fits into, and what is
 * free in the heap goes back to the system only after a while: so the process may take up to three
 * times as much. The kernel keeps what a session has not read, up to some 208 KiB, and has
 * structures for it. The rest is for messages that come: up to two of them beyond the limits.
 */
enum { BYTES_SHARE = 4, MEMORY_OF_SESSION = 1 << 20, MESSAGE_SHARE = 16, SESSIONS_LEAST = 16 };

static void fit(struct limits *limits, uint32_t given, enum limit limit, uint64_t number)
{
    const struct limit_row *row = &limit_rows[limit];
    if ((given >> limit & 1U) == 0) {
        number = number < row->most ? number : row->most;
        *limit_value(limits, row) = number > row->least ? number : row->least;
    }
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

void limits_fit_memory(struct limits *limits, uint32_t given, uint64_t memory)
{
    uint64_t sessions = memory / MEMORY_OF_SESSION;
    sessions = sessions > SESSIONS_LEAST ? sessions : SESSIONS_LEAST;
    fit(limits, given, LIMIT_max_bytes, memory / BYTES_SHARE);
    fit(limits, given, LIMIT_max_sessions,
        least(limit_rows[LIMIT_max_sessions].standard, sessions));
    fit(limits, given, LIMIT_max_message,
        least(limit_rows[LIMIT_max_message].standard, memory / MESSAGE_SHARE));
}

uint32_t limits_complete(struct limits *limits, uint32_t given)
{
    uint32_t lowered = 0;
    for (size_t i = 0; i < LIMIT_COUNT; i++) {
        const struct limit_row *row = &limit_rows[i];
        if (row->whole == LIMIT_COUNT) {
            continue;
        }
        uint64_t whole = *limit_value(limits, &limit_rows[row->whole]);
        uint64_t *share = limit_value(limits, row);
        if ((given >> i & 1U) == 0) {
            *share = whole / 2 + whole % 2;
        } else if (*share > whole) {
            *share = whole;
            lowered |= UINT32_C(1) << i;
        }
    }
    return lowered;
}

uint64_t limit_reserve(uint64_t max)
{
    uint64_t reserve = max / LIMIT_RESERVE;
    return reserve == 0 && max > 1 ? 1 : reserve;
}

/* The share of a limit when all of them together are to be `part` of `sum`. */
static uint64_t scale(uint64_t limit, uint64_t part, uint64_t sum)
{
    return limit * part / sum; /* none is larger than 2^20 (limit_rows) */
}

bool limits_fit(struct limits *limits, uint64_t descriptors)
{
    uint64_t sum = limits->max_sessions + limits->max_descriptors;
    if (sum <= descriptors) {
        return true;
    }
    limits->max_user_sessions = scale(limits->max_user_sessions, descriptors, sum);
    limits->max_user_descriptors = scale(limits->max_user_descriptors, descriptors, sum);
    limits->max_descriptors = scale(limits->max_descriptors, descriptors, sum);
    limits->max_sessions = descriptors - limits->max_descriptors;
    return false;
}
