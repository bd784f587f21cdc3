/* escape: characters that must not reach a terminal; see escape.h. */
#include "tools/ipcctl/json/escape.h"

#include <stddef.h>
#include <stdio.h>

enum { PLANE_0_LAST = 0xffff, SURROGATE_HIGH = 0xd800, SURROGATE_LOW = 0xdc00 };

/* What Unicode calls default ignorable, the separators of lines and paragraphs, and the marks of
 * interlinear annotations; in order. */
static const struct {
    uint32_t first;
    uint32_t last;
} unseen[] = {
    {0x00ad, 0x00ad},   {0x034f, 0x034f},   {0x061c, 0x061c}, {0x115f, 0x1160}, {0x17b4, 0x17b5},
    {0x180b, 0x180f},   {0x200b, 0x200f},   {0x2028, 0x202e}, {0x2060, 0x206f}, {0x3164, 0x3164},
    {0xfe00, 0xfe0f},   {0xfeff, 0xfeff},   {0xffa0, 0xffa0}, {0xfff0, 0xfffb}, {0x1bca0, 0x1bca3},
    {0x1d173, 0x1d17a}, {0xe0000, 0xe0fff},
};

/* The number of the character that the text, which is valid UTF-8, begins with. */
static uint32_t code_of(struct slice text)
{
    uint8_t first = text.data[0];
    size_t more = first < 0xc0 ? 0 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
    uint32_t code = more == 0 ? first : first & (0x3fU >> more);
    for (size_t i = 1; i <= more; i++) {
        code = code << 6 | (text.data[i] & 0x3fU);
    }
    return code;
}

bool escape_is_control(struct slice text)
{
    uint32_t code = code_of(text);
    return code < 0x20 || (code >= 0x7f && code < 0xa0);
}

bool escape_is_unseen(struct slice text)
{
    uint32_t code = code_of(text);
    size_t i = 0;
    while (i < sizeof(unseen) / sizeof(unseen[0]) && unseen[i].last < code) {
        i++;
    }
    return (i < sizeof(unseen) / sizeof(unseen[0]) && unseen[i].first <= code) ||
           escape_is_control(text);
}

void escape_print(struct slice text, char escape[ESCAPE_TEXT])
{
    uint32_t code = code_of(text);
    if (code <= PLANE_0_LAST) {
        (void)snprintf(escape, ESCAPE_TEXT, "\\u%04x", (uint16_t)code);
    } else {
        code -= PLANE_0_LAST + 1;
        (void)snprintf(escape, ESCAPE_TEXT, "\\u%04x\\u%04x",
                       (uint16_t)(SURROGATE_HIGH + (code >> 10)),
                       (uint16_t)(SURROGATE_LOW + (code & 0x3ffU)));
    }
}
