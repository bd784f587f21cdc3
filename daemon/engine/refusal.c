/* refusal: see refusal.h. */
#include "daemon/engine/refusal.h"

#include <stdlib.h>

#include "daemon/engine/slot.h"

static bool begins(struct slice text, const char *with)
{
    size_t len = strlen(with);
    return text.len >= len && memcmp(text.data, with, len) == 0;
}

static bool is_from_within_a_function(struct slice text)
{
    static const char *const SIGNS[] = {"@user_function", "@user_script", "script: "};
    for (size_t i = 0; i < sizeof(SIGNS) / sizeof(SIGNS[0]); i++) {
        if (text.len > 0 && memmem(text.data, text.len, SIGNS[i], strlen(SIGNS[i])) != NULL) {
            return true;
        }
    }
    return false;
}

static bool take_number(struct slice *text, uint64_t most, uint64_t *out)
{
    uint64_t number = 0;
    size_t len = 0;
    while (len < text->len && text->data[len] >= '0' && text->data[len] <= '9') {
        number = number * 10 + (uint64_t)(text->data[len] - '0');
        if (number > most) {
            return false;
        }
        len++;
    }
    *text = slice_from(*text, len);
    *out = number;
    return len > 0;
}

/* " SLOT HOST:PORT" */
static bool take_place(struct slice text, struct refusal *refusal)
{
    uint64_t slot;
    uint64_t port;
    if (!begins(text, " ")) {
        return false;
    }
    text = slice_from(text, 1);
    if (!take_number(&text, SLOT_COUNT - 1, &slot) || !begins(text, " ")) {
        return false;
    }
    text = slice_from(text, 1);
    const uint8_t *colon = text.len == 0 ? NULL : memrchr(text.data, ':', text.len);
    if (colon == NULL) {
        return false;
    }
    struct slice behind = slice_from(text, (size_t)(colon + 1 - text.data));
    if (!take_number(&behind, UINT16_MAX, &port) || port == 0 || behind.len > 0) {
        return false;
    }
    refusal->slot = (uint16_t)slot;
    refusal->port = (uint16_t)port;
    refusal->host = (struct slice){text.data, (size_t)(colon - text.data)};
    if (slice_equal(refusal->host, slice_of_string("?"))) {
        refusal->host.len = 0;
    }
    return true;
}

struct refusal refusal_of(struct slice text)
{
    static const struct {
        const char *beginning;
        enum refusal_kind kind;
    } KINDS[] = {
        {"MOVED", REFUSAL_MOVED},
        {"ASK ", REFUSAL_ASK},
        {"TRYAGAIN", REFUSAL_LATER},
        {"LOADING", REFUSAL_LATER},
        {"BUSY ", REFUSAL_LATER},
        {"NOREPLICAS", REFUSAL_LATER},
        {"CLUSTERDOWN", REFUSAL_ELSEWHERE},
        {"READONLY", REFUSAL_ELSEWHERE},
        {"MASTERDOWN", REFUSAL_ELSEWHERE},
        {"ERR Function not found", REFUSAL_LIBRARY},
        {"OOM ", REFUSAL_FINAL},
        {"MISCONF", REFUSAL_FINAL},
        {"NOPERM", REFUSAL_FINAL},
        {"NOAUTH", REFUSAL_FINAL},
    };
    struct refusal refusal = {REFUSAL_NONE, 0, {NULL, 0}, 0};
    for (size_t i = 0; i < sizeof(KINDS) / sizeof(KINDS[0]) && !is_from_within_a_function(text);
         i++) {
        if (begins(text, KINDS[i].beginning)) {
            refusal.kind = KINDS[i].kind;
            break;
        }
    }
    bool has_place = refusal.kind == REFUSAL_MOVED || refusal.kind == REFUSAL_ASK;
    size_t word = refusal.kind == REFUSAL_MOVED ? strlen("MOVED") : strlen("ASK");
    if (has_place && !take_place(slice_from(text, word), &refusal)) {
        refusal.kind = REFUSAL_LATER;
    }
    return refusal;
}
