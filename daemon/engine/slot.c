/* slot: see slot.h. */
#include "daemon/engine/slot.h"

static uint16_t crc16(struct slice bytes)
{
    uint32_t crc = 0;
    for (size_t i = 0; i < bytes.len; i++) {
        /* Eight steps of the polynomial x^16 + x^12 + x^5 + 1 at once. */
        uint32_t high = (crc >> 8 ^ bytes.data[i]) & 0xff;
        high ^= high >> 4;
        crc = (crc << 8 ^ high << 12 ^ high << 5 ^ high) & 0xffff;
    }
    return (uint16_t)crc;
}

/* The hash tag, or the whole key. */
static struct slice hashed_part(struct slice key)
{
    const uint8_t *open = key.len == 0 ? NULL : memchr(key.data, '{', key.len);
    if (open == NULL) {
        return key;
    }
    struct slice tag = slice_from(key, (size_t)(open + 1 - key.data));
    const uint8_t *close = tag.len == 0 ? NULL : memchr(tag.data, '}', tag.len);
    if (close == NULL || close == tag.data) {
        return key;
    }
    tag.len = (size_t)(close - tag.data);
    return tag;
}

uint16_t slot_of_key(struct slice key)
{
    return crc16(hashed_part(key)) % SLOT_COUNT;
}
