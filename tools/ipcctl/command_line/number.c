/* number: numbers of the command line; see number.h. */
#include "tools/ipcctl/command_line/number.h"
#include "proto/pack.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

static size_t count_digits(const char *word)
{
    return strspn(word, "0123456789");
}

enum number_fault number_integer(const char *word, int base, int64_t least, int64_t most,
                                 int64_t *number)
{
    const char *digits = word + (word[0] == '-');
    const char *allowed = base == 8 ? "01234567" : "0123456789";
    if (digits[0] == '\0' || digits[strspn(digits, allowed)] != '\0') {
        return NUMBER_MALFORMED;
    }
    errno = 0;
    long long parsed = strtoll(word, NULL, base);
    if (errno != 0 || parsed < least || parsed > most) {
        return NUMBER_OUT_OF_RANGE;
    }
    *number = parsed;
    return NUMBER_FINE;
}

enum number_fault number_time(const char *word, int64_t *milliseconds)
{
    static const struct {
        const char *name;
        double milliseconds;
    } units[] = {{"", 1}, {"ms", 1}, {"s", 1e3}, {"m", 60e3}, {"h", 3600e3}, {"d", 86400e3}};
    size_t len = count_digits(word);
    if (len > 0 && word[len] == '.') {
        len += 1 + count_digits(word + len + 1);
    }
    for (size_t i = 0; len > 0 && i < sizeof(units) / sizeof(units[0]); i++) {
        if (strcmp(word + len, units[i].name) == 0) {
            double time = strtod(word, NULL) * units[i].milliseconds;
            if (time > (double)NUMBER_TIME_MOST) {
                return NUMBER_OUT_OF_RANGE;
            }
            *milliseconds = (int64_t)(time + 0.5);
            return NUMBER_FINE;
        }
    }
    return NUMBER_MALFORMED;
}

/* The length of a point with digits behind it and an exponent, or of one of them; 0: neither is
 * there, or they are malformed. */
static size_t count_fraction(const char *word)
{
    size_t len = 0;
    if (word[0] == '.') {
        size_t digits = count_digits(word + 1);
        if (digits == 0) {
            return 0;
        }
        len = 1 + digits;
    }
    if (word[len] == 'e' || word[len] == 'E') {
        size_t sign = len + 1 + (word[len + 1] == '-' || word[len + 1] == '+');
        size_t digits = count_digits(word + sign);
        len = digits > 0 ? sign + digits : 0;
    }
    return len;
}

static enum number_fault pack_float(const char *word, struct buffer *out)
{
    double number = strtod(word, NULL);
    if (isinf(number)) {
        return NUMBER_OUT_OF_RANGE;
    }
    pack_double(out, number);
    return NUMBER_FINE;
}

static enum number_fault pack_integer(const char *word, struct buffer *out)
{
    errno = 0;
    if (word[0] == '-') {
        long long number = strtoll(word, NULL, 10);
        if (errno == 0) {
            pack_int(out, number);
        }
    } else {
        unsigned long long number = strtoull(word, NULL, 10);
        if (errno == 0) {
            pack_uint(out, number);
        }
    }
    return errno == 0 ? NUMBER_FINE : NUMBER_OUT_OF_RANGE;
}

enum number_fault number_pack(const char *word, struct buffer *out)
{
    size_t sign = word[0] == '-';
    size_t digits = count_digits(word + sign);
    const char *rest = word + sign + digits;
    if (digits > 0 && rest[0] == '\0') {
        return pack_integer(word, out);
    }
    size_t fraction = digits > 0 ? count_fraction(rest) : 0;
    return fraction > 0 && rest[fraction] == '\0' ? pack_float(word, out) : NUMBER_MALFORMED;
}
