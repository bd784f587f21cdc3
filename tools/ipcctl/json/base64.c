/* base64: bytes as base64 and back; see base64.h. */
#include "tools/ipcctl/json/base64.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_encode(struct slice bytes, struct buffer *out)
{
    for (size_t at = 0; at < bytes.len; at += 3) {
        size_t count = bytes.len - at < 3 ? bytes.len - at : 3;
        uint32_t group = (uint32_t)bytes.data[at] << 16;
        group |= count > 1 ? (uint32_t)bytes.data[at + 1] << 8 : 0;
        group |= count > 2 ? bytes.data[at + 2] : 0;
        char text[4] = {alphabet[group >> 18], alphabet[group >> 12 & 63],
                        count > 1 ? alphabet[group >> 6 & 63] : '=',
                        count > 2 ? alphabet[group & 63] : '='};
        (void)buffer_append(out, text, sizeof(text));
    }
}

/* The bits that a character stands for, or -1. */
static int bits_of(uint8_t character)
{
    const char *at = character == '\0' ? NULL : strchr(alphabet, character);
    return at == NULL ? -1 : (int)(at - alphabet);
}

/* Four characters, of which the last `padding` are "=". */
static int decode_group(const uint8_t *text, unsigned padding, struct buffer *out)
{
    uint32_t group = 0;
    for (unsigned i = 0; i < 4; i++) {
        int bits = i < 4 - padding ? bits_of(text[i]) : 0;
        if (bits < 0) {
            return -1;
        }
        group = group << 6 | (uint32_t)bits;
    }
    uint8_t bytes[3] = {(uint8_t)(group >> 16), (uint8_t)(group >> 8), (uint8_t)group};
    for (unsigned i = 3 - padding; i < 3; i++) {
        if (bytes[i] != 0) {
            return -1;
        }
    }
    return buffer_append(out, bytes, 3 - padding);
}

int base64_decode(struct slice text, struct buffer *out)
{
    if (text.len % 4 != 0) {
        return -1;
    }
    for (size_t at = 0; at < text.len; at += 4) {
        unsigned padding = 0;
        if (at + 4 == text.len && text.data[at + 3] == '=') {
            padding = text.data[at + 2] == '=' ? 2 : 1;
        }
        if (decode_group(text.data + at, padding, out) < 0) {
            return -1;
        }
    }
    return 0;
}
