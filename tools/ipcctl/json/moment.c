/* moment: points of time; see moment.h. */
#include "tools/ipcctl/json/moment.h"

#include <endian.h>
#include <stdio.h>
#include <time.h>

enum { BILLION = 1000000000 };

/* 0000-01-01T00:00:00Z and the end of 9999. */
static const int64_t first_second = INT64_C(-62167219200);
static const int64_t last_second = INT64_C(253402300799);

static uint32_t read32(const uint8_t *data)
{
    uint32_t word;
    memcpy(&word, data, sizeof(word));
    return be32toh(word);
}

static uint64_t read64(const uint8_t *data)
{
    uint64_t word;
    memcpy(&word, data, sizeof(word));
    return be64toh(word);
}

int moment_decode(struct slice bytes, struct moment *out)
{
    struct moment moment = {0};
    if (bytes.len == 4) {
        moment.seconds = read32(bytes.data);
    } else if (bytes.len == 8) {
        uint64_t both = read64(bytes.data);
        moment.seconds = (int64_t)(both & ((UINT64_C(1) << 34) - 1));
        moment.nanoseconds = (uint32_t)(both >> 34);
    } else if (bytes.len == 12) {
        moment.nanoseconds = read32(bytes.data);
        moment.seconds = (int64_t)read64(bytes.data + 4);
    } else {
        return -1;
    }
    if (moment.nanoseconds >= BILLION) {
        return -1;
    }
    *out = moment;
    return 0;
}

/* The fraction with as few digits as hold it: none, or groups of three. */
static void print_fraction(uint32_t nanoseconds, char text[12])
{
    int digits = 9;
    while (digits > 0 && nanoseconds % 1000 == 0) {
        nanoseconds /= 1000;
        digits -= 3;
    }
    text[0] = '\0';
    if (digits > 0) {
        (void)snprintf(text, 12, ".%0*u", digits, nanoseconds);
    }
}

int moment_print(struct moment moment, char text[MOMENT_TEXT])
{
    if (moment.seconds < first_second || moment.seconds > last_second) {
        return -1;
    }
    time_t seconds = (time_t)moment.seconds;
    struct tm utc;
    if (gmtime_r(&seconds, &utc) == NULL) {
        return -1;
    }
    char fraction[12];
    print_fraction(moment.nanoseconds, fraction);
    int len = snprintf(text, MOMENT_TEXT, "%04u-%02u-%02uT%02u:%02u:%02u%sZ",
                       (unsigned)(utc.tm_year + 1900) % 10000, (unsigned)(utc.tm_mon + 1) % 100,
                       (unsigned)utc.tm_mday % 100, (unsigned)utc.tm_hour % 100,
                       (unsigned)utc.tm_min % 100, (unsigned)utc.tm_sec % 100, fraction);
    return len > 0 && len < MOMENT_TEXT ? 0 : -1;
}

/* Takes `digits` digits from the front of *text. -1 if they are not there or above `most`. */
static int take_number(struct slice *text, unsigned digits, int most)
{
    int number = 0;
    for (unsigned i = 0; i < digits; i++) {
        if (i >= text->len || text->data[i] < '0' || text->data[i] > '9') {
            return -1;
        }
        number = number * 10 + (text->data[i] - '0');
    }
    *text = (struct slice){text->data + digits, text->len - digits};
    return number <= most ? number : -1;
}

/* Takes one character that is in `set`; '\0' if there is none. */
static char take_one(struct slice *text, const char *set)
{
    if (text->len == 0 || text->data[0] == '\0' || strchr(set, text->data[0]) == NULL) {
        return '\0';
    }
    char character = (char)text->data[0];
    *text = (struct slice){text->data + 1, text->len - 1};
    return character;
}

static int take_fraction(struct slice *text, uint32_t *nanoseconds)
{
    *nanoseconds = 0;
    if (take_one(text, ".") == '\0') {
        return 0;
    }
    uint32_t unit = BILLION / 10;
    int digit = take_number(text, 1, 9);
    if (digit < 0) {
        return -1;
    }
    for (; digit >= 0 && unit > 0; unit /= 10) {
        *nanoseconds += unit * (uint32_t)digit;
        digit = take_number(text, 1, 9);
    }
    return digit < 0 ? 0 : -1;
}

/* Z or +HH:MM: the seconds to subtract. */
static int take_offset(struct slice *text, int *seconds)
{
    *seconds = 0;
    char sign = take_one(text, "Zz+-");
    if (sign == '\0' || sign == 'Z' || sign == 'z') {
        return sign == '\0' ? -1 : 0;
    }
    int hours = take_number(text, 2, 23);
    char colon = take_one(text, ":");
    int minutes = take_number(text, 2, 59);
    if (hours < 0 || colon == '\0' || minutes < 0) {
        return -1;
    }
    *seconds = (hours * 60 + minutes) * (sign == '-' ? -60 : 60);
    return 0;
}

/* YYYY-MM-DDTHH:MM:SS. */
static int take_date_time(struct slice *text, struct tm *utc)
{
    static const struct {
        unsigned digits;
        int least;
        int most;
        const char *after;
    } parts[] = {{4, 0, 9999, "-"}, {2, 1, 12, "-"}, {2, 1, 31, "Tt "},
                 {2, 0, 23, ":"},   {2, 0, 59, ":"}, {2, 0, 59, NULL}};
    int numbers[6];
    for (int i = 0; i < 6; i++) {
        numbers[i] = take_number(text, parts[i].digits, parts[i].most);
        if (numbers[i] < parts[i].least ||
            (parts[i].after != NULL && take_one(text, parts[i].after) == '\0')) {
            return -1;
        }
    }
    *utc = (struct tm){.tm_year = numbers[0] - 1900,
                       .tm_mon = numbers[1] - 1,
                       .tm_mday = numbers[2],
                       .tm_hour = numbers[3],
                       .tm_min = numbers[4],
                       .tm_sec = numbers[5]};
    return 0;
}

int moment_parse(struct slice text, struct moment *out)
{
    struct tm utc;
    uint32_t nanoseconds;
    int offset;
    if (take_date_time(&text, &utc) < 0 || take_fraction(&text, &nanoseconds) < 0 ||
        take_offset(&text, &offset) < 0 || text.len > 0) {
        return -1;
    }
    int day = utc.tm_mday;
    int64_t seconds = timegm(&utc);
    if (utc.tm_mday != day) { /* 30 February has become a day of March */
        return -1;
    }
    *out = (struct moment){seconds - offset, nanoseconds};
    return 0;
}
