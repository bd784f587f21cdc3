/*
 * read: JSON as MessagePack; see json.h. jansson parses, and its tree is packed.
 *
 * The forms that JSON lacks are rows of a table: a name, what the member should be, and a function
 * that packs it.
 */
#include "proto/pack.h"
#include "proto/scan.h"
#include "tools/ipcctl/json/base64.h"
#include "tools/ipcctl/json/json.h"
#include "tools/ipcctl/json/forms.h"
#include "tools/ipcctl/json/moment.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

struct reader {
    struct buffer *out;
    unsigned depth; /* containers that are open now */
    struct json_error *error;
};

struct json_form {
    const char *name;
    const char *wanted; /* completes: the member must be … */
    int (*pack)(struct reader *reader, const json_t *member);
};

static int pack_json(struct reader *reader, const json_t *json);

static const char too_deep[] = "more than %d arrays and objects are within each other";

static struct slice string_of(const json_t *json)
{
    return (struct slice){(const uint8_t *)json_string_value(json), json_string_length(json)};
}

__attribute__((format(printf, 2, 3))) static int refuse(struct reader *reader, const char *format,
                                                        ...)
{
    if (reader->error->text[0] == '\0') { /* the first reason is the one */
        va_list arguments;
        va_start(arguments, format);
        (void)vsnprintf(reader->error->text, JSON_ERROR_TEXT, format, arguments);
        va_end(arguments);
    }
    return -1;
}

/* The bytes of a member that is base64. The buffer is to be freed either way. */
static int bytes_of(const json_t *json, struct buffer *bytes)
{
    return json_is_string(json) ? base64_decode(string_of(json), bytes) : -1;
}

static int pack_bin_form(struct reader *reader, const json_t *member)
{
    struct buffer bytes = {0};
    int status = bytes_of(member, &bytes);
    if (status == 0) {
        pack_bin(reader->out, buffer_slice(&bytes));
    }
    buffer_deinit(&bytes);
    return status;
}

static int pack_str_form(struct reader *reader, const json_t *member)
{
    struct buffer bytes = {0};
    int status = bytes_of(member, &bytes);
    if (status == 0) {
        pack_str(reader->out, buffer_slice(&bytes));
    }
    buffer_deinit(&bytes);
    return status;
}

static int pack_ext_form(struct reader *reader, const json_t *member)
{
    const json_t *type = json_array_get(member, 0);
    if (json_array_size(member) != 2 || !json_is_integer(type) ||
        json_integer_value(type) < INT8_MIN || json_integer_value(type) > INT8_MAX) {
        return -1;
    }
    struct buffer bytes = {0};
    int status = bytes_of(json_array_get(member, 1), &bytes);
    if (status == 0) {
        pack_ext(reader->out, (int8_t)json_integer_value(type), buffer_slice(&bytes));
    }
    buffer_deinit(&bytes);
    return status;
}

static int pack_timestamp_form(struct reader *reader, const json_t *member)
{
    struct moment moment;
    if (!json_is_string(member) || moment_parse(string_of(member), &moment) < 0) {
        return -1;
    }
    pack_timestamp(reader->out, moment.seconds, moment.nanoseconds);
    return 0;
}

static int pack_object_form(struct reader *reader, const json_t *member)
{
    if (!json_is_string(member) || json_string_length(member) == 0) {
        return -1;
    }
    pack_ext(reader->out, EXT_REFERENCE, string_of(member));
    return 0;
}

static int pack_uint_form(struct reader *reader, const json_t *member)
{
    const char *text = json_is_string(member) ? json_string_value(member) : "";
    if (text[0] == '\0' || strspn(text, "0123456789") != json_string_length(member)) {
        return -1;
    }
    errno = 0;
    unsigned long long number = strtoull(text, NULL, 10);
    if (errno != 0) {
        return -1;
    }
    pack_uint(reader->out, number);
    return 0;
}

static int pack_float_form(struct reader *reader, const json_t *member)
{
    static const struct {
        const char *name;
        double number;
    } floats[] = {{"nan", (double)NAN}, {"inf", (double)INFINITY}, {"-inf", -(double)INFINITY}};
    for (size_t i = 0; json_is_string(member) && i < sizeof(floats) / sizeof(floats[0]); i++) {
        if (slice_equal(string_of(member), slice_of_string(floats[i].name))) {
            pack_double(reader->out, floats[i].number);
            return 0;
        }
    }
    return -1;
}

/* Enters a container, which the caller leaves with depth--. */
static int enter(struct reader *reader)
{
    if (++reader->depth > SCAN_DEPTH_MAX) {
        return refuse(reader, too_deep, SCAN_DEPTH_MAX);
    }
    return 0;
}

static int pack_map_form(struct reader *reader, const json_t *member)
{
    if (!json_is_array(member) || enter(reader) < 0) {
        return -1;
    }
    pack_map(reader->out, json_array_size(member));
    size_t i;
    const json_t *pair;
    int status = 0;
    json_array_foreach(member, i, pair)
    {
        if (status == 0 && json_array_size(pair) == 2 &&
            pack_json(reader, json_array_get(pair, 0)) == 0) {
            status = pack_json(reader, json_array_get(pair, 1));
        } else {
            status = -1;
        }
    }
    reader->depth--;
    return status;
}

static int pack_fd_form(struct reader *reader, const json_t *member)
{
    (void)reader;
    (void)member;
    return -1;
}

static const struct json_form forms[] = {
    {FORM_BIN, "base64 text", pack_bin_form},
    {FORM_EXT, "[type, base64 text] with a type from -128 to 127", pack_ext_form},
    {FORM_FD, "the open file itself, which no text can be", pack_fd_form},
    {FORM_FLOAT, "\"nan\", \"inf\" or \"-inf\"", pack_float_form},
    {FORM_MAP, "an array of [key, value] pairs", pack_map_form},
    {FORM_OBJECT, "the name of an object", pack_object_form},
    {FORM_STR, "base64 text", pack_str_form},
    {FORM_TIMESTAMP, "a time like \"2026-01-31T12:00:00Z\"", pack_timestamp_form},
    {FORM_UINT, "text of digits, at most \"18446744073709551615\"", pack_uint_form},
};

const struct json_form *json_form_of(struct slice key)
{
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        if (slice_equal(key, slice_of_string(forms[i].name))) {
            return &forms[i];
        }
    }
    return NULL;
}

static int pack_members(struct reader *reader, const json_t *json)
{
    const char *key;
    json_t *member;
    int status = enter(reader);
    pack_map(reader->out, json_object_size(json));
    json_object_foreach((json_t *)json, key, member)
    {
        if (status == 0) {
            pack_string(reader->out, key);
            status = pack_json(reader, member);
        }
    }
    reader->depth--;
    return status;
}

static int pack_json_object(struct reader *reader, const json_t *json)
{
    void *first = json_object_iter((json_t *)json);
    const struct json_form *form = NULL;
    if (json_object_size(json) == 1) {
        form = json_form_of(slice_of_string(json_object_iter_key(first)));
    }
    if (form == NULL) {
        return pack_members(reader, json);
    }
    if (form->pack(reader, json_object_iter_value(first)) < 0) {
        return refuse(reader, "the member of {\"%s\": ...} must be %s", form->name, form->wanted);
    }
    return 0;
}

static int pack_json_array(struct reader *reader, const json_t *json)
{
    size_t i;
    const json_t *element;
    int status = enter(reader);
    pack_array(reader->out, json_array_size(json));
    json_array_foreach(json, i, element)
    {
        if (status == 0) {
            status = pack_json(reader, element);
        }
    }
    reader->depth--;
    return status;
}

static int pack_json(struct reader *reader, const json_t *json)
{
    switch (json_typeof(json)) {
    case JSON_OBJECT:
        return pack_json_object(reader, json);
    case JSON_ARRAY:
        return pack_json_array(reader, json);
    case JSON_STRING:
        pack_str(reader->out, string_of(json));
        break;
    case JSON_INTEGER:
        pack_int(reader->out, json_integer_value(json));
        break;
    case JSON_REAL:
        pack_double(reader->out, json_real_value(json));
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        pack_bool(reader->out, json_is_true(json));
        break;
    case JSON_NULL:
        pack_nil(reader->out);
        break;
    }
    return 0;
}

/* The number that ends where jansson stopped, or before it. */
static struct slice number_before(struct slice text, size_t end)
{
    static const char characters[] = "0123456789+-.eE";
    const size_t count = sizeof(characters) - 1;
    end = end < text.len ? end : text.len;
    size_t start = end;
    while (start > 0 && memchr(characters, text.data[start - 1], count) != NULL) {
        start--;
    }
    return (struct slice){text.data + start, end - start};
}

/* True if the integer, of digits only, fits 64 bits without a sign. */
static bool fits_uint(struct slice digits)
{
    char text[32];
    if (digits.len >= sizeof(text)) {
        return false;
    }
    (void)snprintf(text, sizeof(text), "%.*s", (int)digits.len, (const char *)digits.data);
    errno = 0;
    (void)strtoull(text, NULL, 10);
    return errno == 0;
}

/* A number is too large, or too small. */
static void explain_overflow(struct slice number, char text[JSON_ERROR_TEXT])
{
    int len = number.len > 24 ? 24 : (int)number.len;
    const char *cut = number.len > 24 ? "..." : "";
    const char *digits = (const char *)number.data;
    if (memchr(number.data, '.', number.len) != NULL ||
        memchr(number.data, 'e', number.len) != NULL ||
        memchr(number.data, 'E', number.len) != NULL) {
        (void)snprintf(text, JSON_ERROR_TEXT,
                       "%.*s%s is out of range: a float goes from -1.7976931348623157e+308 to "
                       "1.7976931348623157e+308",
                       len, digits, cut);
    } else if (number.len > 0 && number.data[0] != '-' && fits_uint(number)) {
        (void)snprintf(text, JSON_ERROR_TEXT,
                       "above 9223372036854775807 an integer is written {\"" FORM_UINT
                       "\": \"%.*s\"}",
                       len, digits);
    } else {
        (void)snprintf(text, JSON_ERROR_TEXT,
                       "%.*s%s is out of range: an integer goes from -9223372036854775808 to "
                       "18446744073709551615",
                       len, digits, cut);
    }
}

/* Why jansson refused a text. */
static void explain(struct slice json, const json_error_t *refused, struct json_error *error)
{
    char *text = error->text;
    *error = (struct json_error){.line = refused->line > 0 ? (size_t)refused->line : 0};
    switch (json_error_code(refused)) {
    case json_error_numeric_overflow:
        explain_overflow(number_before(json, (size_t)refused->position), text);
        break;
    case json_error_duplicate_key:
        (void)snprintf(text, JSON_ERROR_TEXT, "an object has the same key twice (%s)",
                       refused->text);
        break;
    case json_error_null_byte_in_key:
        (void)snprintf(text, JSON_ERROR_TEXT,
                       "a key holds \\u0000; such maps are written {\"" FORM_MAP
                       "\": [[key, value], ...]}");
        break;
    case json_error_stack_overflow:
        (void)snprintf(text, JSON_ERROR_TEXT, too_deep, SCAN_DEPTH_MAX);
        break;
    case json_error_invalid_utf8:
        error->malformed = true;
        (void)snprintf(text, JSON_ERROR_TEXT, "the text is not UTF-8");
        break;
    default:
        error->malformed = true;
        (void)snprintf(text, JSON_ERROR_TEXT, "%s", refused->text);
        break;
    }
}

int json_read(struct slice text, struct buffer *out, struct json_error *error)
{
    const size_t flags = JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES;
    json_error_t refused;
    *error = (struct json_error){0};
    json_t *json =
        json_loadb(text.len > 0 ? (const char *)text.data : "", text.len, flags, &refused);
    if (json == NULL) {
        explain(text, &refused, error);
        return -1;
    }
    struct reader reader = {.out = out, .error = error};
    size_t before = out->len;
    int status = pack_json(&reader, json);
    json_decref(json);
    if (status < 0) {
        out->len = before;
    }
    return status;
}
