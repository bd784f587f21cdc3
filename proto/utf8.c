/* utf8: well-formed UTF-8; see utf8.h, and value.h for value_is_utf8. */
#include "proto/utf8.h"
#include "proto/value.h"

/* The tails of a character: `low` and `high` bound the second byte, which alone keeps overlong
 * forms, surrogates and too large numbers out; the others are any 0x80 to 0xbf. */
struct tail {
    uint8_t len;
    uint8_t low;
    uint8_t high;
};

static struct tail tail_of(uint8_t first)
{
    if (first < 0xc2 || first > 0xf4) {
        return (struct tail){0};
    }
    if (first < 0xe0) {
        return (struct tail){1, 0x80, 0xbf};
    }
    if (first < 0xf0) {
        return (struct tail){2, first == 0xe0 ? 0xa0 : 0x80, first == 0xed ? 0x9f : 0xbf};
    }
    return (struct tail){3, first == 0xf0 ? 0x90 : 0x80, first == 0xf4 ? 0x8f : 0xbf};
}

size_t utf8_character(const uint8_t *data, size_t len)
{
    if (len == 0) {
        return 0;
    }
    if (data[0] < 0x80) {
        return 1;
    }
    struct tail tail = tail_of(data[0]);
    if (tail.len == 0 || len - 1 < tail.len || data[1] < tail.low || data[1] > tail.high) {
        return 0;
    }
    for (size_t i = 2; i <= tail.len; i++) {
        if ((data[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    return tail.len + 1U;
}

/* How many whole words of 8 bytes at the front are ASCII, in bytes. */
static size_t ascii_words(const uint8_t *data, size_t len)
{
    size_t at = 0;
    while (len - at >= sizeof(uint64_t)) {
        uint64_t word;
        memcpy(&word, data + at, sizeof(word));
        if ((word & UINT64_C(0x8080808080808080)) != 0) {
            break;
        }
        at += sizeof(word);
    }
    return at;
}

bool value_is_utf8(struct slice text)
{
    size_t at = 0;
    while (at < text.len) {
        at += ascii_words(text.data + at, text.len - at);
        if (at == text.len) {
            break;
        }
        size_t len = utf8_character(text.data + at, text.len - at);
        if (len == 0) {
            return false;
        }
        at += len;
    }
    return true;
}
