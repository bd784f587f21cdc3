/* word: words of the command line; see word.h. */
#include "tools/ipcctl/word.h"
#include "proto/events.h"
#include "proto/pack.h"
#include "proto/value.h"
#include "tools/ipcctl/json.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* 0 with *number set if the whole word is an integer from `least` on. */
static int parse_integer(const char *word, int base, int64_t least, int64_t *number)
{
    char *end;
    errno = 0;
    long long parsed = strtoll(word, &end, base);
    if (end == word || *end != '\0' || errno != 0 || parsed < least ||
        isspace((unsigned char)word[0]) || word[0] == '+') {
        return -1;
    }
    *number = parsed;
    return 0;
}

/* A number, possibly with a fraction, and a unit; in milliseconds, rounded to the nearest. */
static int parse_time(const char *word, int64_t *number)
{
    static const struct {
        const char *name;
        double milliseconds;
    } units[] = {{"", 1}, {"ms", 1}, {"s", 1e3}, {"m", 60e3}, {"h", 3600e3}, {"d", 86400e3}};
    const double most = 1e15; /* some 30,000 years */
    size_t digits = strspn(word, "0123456789.");
    char *end;
    double count = strtod(word, &end);
    if (!word_is_number(word) || end != word + digits) {
        return -1;
    }
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (strcmp(end, units[i].name) == 0 && count * units[i].milliseconds <= most) {
            *number = (int64_t)(count * units[i].milliseconds + 0.5);
            return 0;
        }
    }
    return -1;
}

static int parse_choice(const char *word, const char *choices)
{
    size_t len = strlen(word);
    for (const char *at = choices; *at != '\0';) {
        size_t one = strcspn(at, " ");
        if (one == len && strncmp(at, word, len) == 0) {
            return 0;
        }
        at += one + (at[one] == ' ');
    }
    return -1;
}

bool word_is_number(const char *word)
{
    return isdigit((unsigned char)word[0]) != 0;
}

bool word_is_bare(const char *word)
{
    return (isalpha((unsigned char)word[0]) != 0 || word[0] == '_' || (word[0] & 0x80) != 0) &&
           strcmp(word, "true") != 0 && strcmp(word, "false") != 0 && strcmp(word, "null") != 0;
}

/* What a word of the kind must be, for messages; NULL if it cannot be wrong by itself. */
static const char *wanted(enum word_kind kind)
{
    switch (kind) {
    case WORD_INTEGER:
        return "an integer";
    case WORD_COUNT:
    case WORD_SESSION:
        return "a number that is not negative";
    case WORD_NUMBER:
        return "a number";
    case WORD_TIME:
        return "milliseconds, or a time like 500ms, 5s, 2m, 1h";
    case WORD_MODE:
        return "a mode from 0 to 0777";
    case WORD_CHOICE:
        return "one of: ";
    case WORD_EVENTS:
        return "names of events with commas between, like put,get";
    default:
        return NULL;
    }
}

static int parse_events(const char *word)
{
    for (;;) {
        size_t len = strcspn(word, ",");
        if (event_named((struct slice){(const uint8_t *)word, len}) == EVENT_NAMES) {
            return -1;
        }
        if (word[len] == '\0') {
            return 0;
        }
        word += len + 1;
    }
}

static int parse(const char *word, enum word_kind kind, const char *choices, int64_t *number)
{
    char *end;
    switch (kind) {
    case WORD_INTEGER:
        return parse_integer(word, 10, INT64_MIN, number);
    case WORD_COUNT:
    case WORD_SESSION:
        return parse_integer(word, 10, 0, number);
    case WORD_NUMBER:
        return strtod(word, &end), end != word && *end == '\0' ? 0 : -1;
    case WORD_TIME:
        return parse_time(word, number);
    case WORD_MODE:
        return parse_integer(word, 8, 0, number) == 0 && *number <= 0777 ? 0 : -1;
    case WORD_CHOICE:
        return parse_choice(word, choices);
    case WORD_EVENTS:
        return parse_events(word);
    default:
        return 0;
    }
}

int word_check(const char *word, enum word_kind kind, const char *choices, int64_t *number,
               char error[WORD_ERROR_TEXT])
{
    if (parse(word, kind, choices, number) == 0) {
        return 0;
    }
    (void)snprintf(error, WORD_ERROR_TEXT, "%s%s, not \"%.64s\"", wanted(kind),
                   kind == WORD_CHOICE ? choices : "", word);
    return -1;
}

static int pack_text(const char *word, struct buffer *out, char error[WORD_ERROR_TEXT])
{
    struct slice text = slice_of_string(word);
    if (!value_is_utf8(text)) {
        (void)snprintf(error, WORD_ERROR_TEXT,
                       "a text is not UTF-8; bytes are written {\"$bin\": \"base64\"}");
        return -1;
    }
    pack_str(out, text);
    return 0;
}

static int pack_json_word(const char *word, struct buffer *out, char error[WORD_ERROR_TEXT])
{
    char why[JSON_ERROR_TEXT];
    if (json_read(slice_of_string(word), out, why) == 0) {
        return 0;
    }
    const char *hint = "";
    if (word_is_bare(word) || word[0] == '\0') {
        hint = "; strings need quotes of their own ('\"text\"') or --text";
    }
    (void)snprintf(error, WORD_ERROR_TEXT, "\"%.40s\" is not JSON: %s%s", word, why, hint);
    return -1;
}

int word_pack(const char *word, enum word_kind kind, bool text, struct buffer *out,
              char error[WORD_ERROR_TEXT])
{
    int64_t number = 0;
    switch (kind) {
    case WORD_TEXT:
        return pack_text(word, out, error);
    case WORD_JSON:
        return text ? pack_text(word, out, error) : pack_json_word(word, out, error);
    case WORD_KEY:
        return text || word_is_bare(word) ? pack_text(word, out, error)
                                          : pack_json_word(word, out, error);
    case WORD_NUMBER:
        return pack_json_word(word, out, error);
    case WORD_INTEGER:
    case WORD_COUNT:
    case WORD_SESSION:
    case WORD_MODE:
    case WORD_TIME:
        if (kind == WORD_INTEGER && strcmp(word, "null") == 0) {
            pack_nil(out);
            return 0;
        }
        if (word_check(word, kind, NULL, &number, error) < 0) {
            return -1;
        }
        pack_int(out, number);
        return 0;
    default:
        pack_string(out, word);
        return 0;
    }
}
