/* word: words of the command line; see word.h. */
#include "tools/ipcctl/command_line/word.h"
#include "proto/events.h"
#include "proto/pack.h"
#include "proto/value.h"
#include "tools/ipcctl/json/json.h"
#include "tools/ipcctl/command_line/number.h"
#include "tools/ipcctl/command_line/owner.h"

#include <ctype.h>
#include <stdio.h>

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

/* What a word of a kind must be, for messages. */
struct demand {
    const char *form;  /* NULL: it cannot be wrong by itself */
    const char *range; /* how large it can be, for what is a number and out of range */
};

static const struct demand *demand_of(enum word_kind kind)
{
    static const struct demand demands[] = {
        [WORD_INTEGER] = {"an integer", "from -9223372036854775808 to 9223372036854775807"},
        [WORD_COUNT] = {"a number that is not negative", "from 0 to 9223372036854775807"},
        [WORD_SESSION] = {"a number that is not negative, or HOST:NUMBER",
                          "from 0 to 9223372036854775807"},
        [WORD_TICKET] = {"a number that is not negative", "from 0 to 9223372036854775807"},
        [WORD_STATUS] = {"an exit status from 0 to 255", "from 0 to 255"},
        [WORD_NUMBER] = {"a number like 5, -2.5 or 1e3",
                         "an integer from -9223372036854775808 to 18446744073709551615, or a float "
                         "up to 1.7976931348623157e+308"},
        [WORD_TIME] = {"milliseconds, or a time like 500ms, 5s, 2m, 1h",
                       "at most 1000000000000000 milliseconds, 11574074d"},
        [WORD_MODE] = {"a mode in octal, from 0 to 0777", "a mode in octal, from 0 to 0777"},
        [WORD_GROUP] = {"a group that there is, or a number", NULL},
        [WORD_OWNER] = {"USER, USER:GROUP or :GROUP, each one that there is or a number", NULL},
        [WORD_CHOICE] = {"one of: ", NULL},
        [WORD_EVENTS] = {"names of events with commas between, like put,get", NULL},
    };
    static const struct demand none = {NULL, NULL};
    return kind < sizeof(demands) / sizeof(demands[0]) ? &demands[kind] : &none;
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

static enum number_fault check_number(const char *word)
{
    struct buffer packed = {0};
    enum number_fault fault = number_pack(word, &packed);
    buffer_deinit(&packed);
    return fault;
}

/* The length of "HOST:" at the beginning of a session's name; 0: it is a number. */
static size_t host_length(const char *word)
{
    size_t len = strcspn(word, ":");
    return len > 0 && word[len] == ':' ? len + 1 : 0;
}

static enum number_fault parse(const char *word, enum word_kind kind, const char *choices,
                               int64_t *number)
{
    int64_t gid;
    switch (kind) {
    case WORD_INTEGER:
        return number_integer(word, 10, INT64_MIN, INT64_MAX, number);
    case WORD_SESSION:
        return number_integer(word + host_length(word), 10, 0, INT64_MAX, number);
    case WORD_COUNT:
    case WORD_TICKET:
        return number_integer(word, 10, 0, INT64_MAX, number);
    case WORD_STATUS:
        return number_integer(word, 10, 0, UINT8_MAX, number);
    case WORD_NUMBER:
        return check_number(word);
    case WORD_TIME:
        return number_time(word, number);
    case WORD_MODE:
        return number_integer(word, 8, 0, 0777, number);
    case WORD_GROUP:
        return owner_group(word, number) ? NUMBER_FINE : NUMBER_MALFORMED;
    case WORD_OWNER:
        return owner_parse(word, number, &gid) ? NUMBER_FINE : NUMBER_MALFORMED;
    case WORD_CHOICE:
        return parse_choice(word, choices) < 0 ? NUMBER_MALFORMED : NUMBER_FINE;
    case WORD_EVENTS:
        return parse_events(word) < 0 ? NUMBER_MALFORMED : NUMBER_FINE;
    default:
        return NUMBER_FINE;
    }
}

int word_check(const char *word, enum word_kind kind, const char *choices, int64_t *number,
               char error[WORD_ERROR_TEXT])
{
    const struct demand *demand = demand_of(kind);
    enum number_fault fault = parse(word, kind, choices, number);
    if (fault == NUMBER_FINE) {
        return 0;
    }
    (void)snprintf(error, WORD_ERROR_TEXT, "%s%s, not \"%.64s\"",
                   fault == NUMBER_OUT_OF_RANGE ? demand->range : demand->form,
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
    struct json_error why;
    if (json_read(slice_of_string(word), out, &why) == 0) {
        return 0;
    }
    if (!why.malformed) {
        (void)snprintf(error, WORD_ERROR_TEXT, "%s", why.text);
        return -1;
    }
    const char *hint = "";
    if (word_is_bare(word) || word[0] == '\0') {
        hint = "; strings need quotes of their own ('\"text\"') or --text";
    }
    (void)snprintf(error, WORD_ERROR_TEXT, "\"%.40s\" is not JSON: %s%s", word, why.text, hint);
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
        if (word_check(word, kind, NULL, &number, error) < 0) {
            return -1;
        }
        (void)number_pack(word, out);
        return 0;
    case WORD_INTEGER:
    case WORD_COUNT:
    case WORD_SESSION:
    case WORD_TICKET:
    case WORD_STATUS:
    case WORD_MODE:
    case WORD_TIME:
        if (kind == WORD_INTEGER && strcmp(word, "null") == 0) {
            pack_nil(out);
            return 0;
        }
        if (word_check(word, kind, NULL, &number, error) < 0) {
            return -1;
        }
        if (kind == WORD_SESSION && host_length(word) > 0) {
            pack_string(out, word);
        } else {
            pack_int(out, number);
        }
        return 0;
    default:
        pack_string(out, word);
        return 0;
    }
}
