/* command: see command.h. Tests: tests/unit/engine/test_node.c. */
#include "daemon/engine/command.h"

#include "daemon/engine/decimal.h"

enum { AROUND_MOST = DECIMAL_MAX + 5 }; /* the kind, a length, and the ends of two lines */

/* Writes "$12\r\n"; where it ends. */
static uint8_t *put_length(uint8_t *at, uint8_t kind, size_t number)
{
    *at++ = kind;
    if (number < 10) {
        *at++ = (uint8_t)('0' + number);
    } else if (number < 100) {
        *at++ = (uint8_t)('0' + number / 10);
        *at++ = (uint8_t)('0' + number % 10);
    } else {
        at += decimal_write((char *)at, number);
    }
    *at++ = '\r';
    *at++ = '\n';
    return at;
}

void command_print(struct buffer *out, size_t argc, const struct slice *argv)
{
    size_t size = AROUND_MOST;
    for (size_t i = 0; i < argc; i++) {
        size += argv[i].len + AROUND_MOST;
    }
    if (buffer_reserve(out, size) < 0) {
        return;
    }
    uint8_t *at = put_length(out->data + out->len, '*', argc);
    for (size_t i = 0; i < argc; i++) {
        at = put_length(at, '$', argv[i].len);
        if (argv[i].len > 0) {
            memcpy(at, argv[i].data, argv[i].len);
            at += argv[i].len;
        }
        *at++ = '\r';
        *at++ = '\n';
    }
    out->len = (size_t)(at - out->data);
}
