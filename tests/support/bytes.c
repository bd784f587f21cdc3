/* bytes: see bytes.h. */
#include "tests/support/bytes.h"

#include "tests/support/unit.h"

#include <ctype.h>
#include <stdlib.h>

static unsigned digit_of(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = strchr(digits, tolower((unsigned char)c));
    assert_true(c != '\0' && at != NULL);
    return (unsigned)(at - digits);
}

void append_hex(struct buffer *out, const char *hex)
{
    while (*hex != '\0') {
        if (*hex == ' ') {
            hex++;
            continue;
        }
        uint8_t byte = (uint8_t)(digit_of(hex[0]) << 4 | digit_of(hex[1]));
        assert_int_equal(buffer_append(out, &byte, 1), 0);
        hex += 2;
    }
}

struct buffer bytes_of_hex(const char *hex)
{
    struct buffer bytes = {0};
    append_hex(&bytes, hex);
    return bytes;
}

uint8_t *exact_copy(const uint8_t *data, size_t len)
{
    uint8_t *copy = malloc(len);
    assert_non_null(copy);
    if (len > 0) {
        memcpy(copy, data, len);
    }
    return copy;
}

static void print_hex(const char *title, struct slice bytes)
{
    print_error("%s (%zu bytes):", title, bytes.len);
    for (size_t i = 0; i < bytes.len; i++) {
        print_error(" %02x", bytes.data[i]);
    }
    print_error("\n");
}

void assert_bytes(struct slice got, struct slice expected)
{
    if (!slice_equal(got, expected)) {
        print_hex("got", got);
        print_hex("expected", expected);
        fail();
    }
}

void assert_hex(struct slice got, const char *expected)
{
    struct buffer bytes = bytes_of_hex(expected);
    assert_bytes(got, buffer_slice(&bytes));
    buffer_deinit(&bytes);
}
