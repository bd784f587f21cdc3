/* decimal: see decimal.h. Tests: tests/unit/engine/test_encode.c. */
#include "daemon/engine/decimal.h"

#include <string.h>

size_t decimal_write(char text[DECIMAL_MAX], uint64_t number)
{
    char digits[DECIMAL_MAX];
    size_t at = sizeof(digits) - 1;
    digits[at] = '\0';
    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    memcpy(text, digits + at, sizeof(digits) - at);
    return sizeof(digits) - 1 - at;
}

size_t decimal_write_signed(char text[DECIMAL_MAX], int64_t number)
{
    if (number >= 0) {
        return decimal_write(text, (uint64_t)number);
    }
    char digits[DECIMAL_MAX];
    size_t len = decimal_write(digits, -(uint64_t)number);
    text[0] = '-';
    memcpy(text + 1, digits, len + 1);
    return len + 1;
}
