/* localize: see localize.h. */
#include "tests/support/localize.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static bool read_session(const msgpack_object_str *text, uint64_t *number)
{
    char digits[24];
    char *end;
    if (text->size < 3 || text->size > sizeof(digits) || memcmp(text->ptr, "h:", 2) != 0) {
        return false;
    }
    memcpy(digits, text->ptr + 2, text->size - 2);
    digits[text->size - 2] = '\0';
    *number = strtoull(digits, &end, 10);
    return *end == '\0';
}

void localize_sessions(msgpack_object *answer)
{
    uint64_t number;
    switch (answer->type) {
    case MSGPACK_OBJECT_ARRAY:
        for (uint32_t i = 0; i < answer->via.array.size; i++) {
            localize_sessions(&answer->via.array.ptr[i]);
        }
        return;
    case MSGPACK_OBJECT_MAP:
        for (uint32_t i = 0; i < answer->via.map.size; i++) {
            localize_sessions(&answer->via.map.ptr[i].val);
        }
        return;
    case MSGPACK_OBJECT_STR:
        if (read_session(&answer->via.str, &number)) {
            answer->via.u64 = number;
            answer->type = MSGPACK_OBJECT_POSITIVE_INTEGER;
        }
        return;
    default:
        return;
    }
}
