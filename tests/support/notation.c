/* notation: text to MessagePack; see notation.h. A recursive descent, one function for each form.
 */
#include "tests/support/notation.h"
#include "tests/support/notation_internal.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct parser {
    const char *at;
};

static bool parse_value(struct parser *parser, msgpack_sbuffer *out);

static void skip_space(struct parser *parser)
{
    while (isspace((unsigned char)*parser->at)) {
        parser->at++;
    }
}

/* Steps over `token`, and the space before it, if it stands here. */
static bool take(struct parser *parser, const char *token)
{
    skip_space(parser);
    size_t len = strlen(token);
    if (strncmp(parser->at, token, len) != 0) {
        return false;
    }
    parser->at += len;
    return true;
}

static size_t word_length(const char *at)
{
    size_t len = 0;
    while (isalnum((unsigned char)at[len]) || at[len] == '_') {
        len++;
    }
    return len;
}

/* Steps over a whole word. */
static bool take_word(struct parser *parser, const char *word)
{
    skip_space(parser);
    size_t len = strlen(word);
    if (word_length(parser->at) != len || memcmp(parser->at, word, len) != 0) {
        return false;
    }
    parser->at += len;
    return true;
}

static msgpack_packer packer_for(msgpack_sbuffer *out)
{
    msgpack_packer packer;
    msgpack_packer_init(&packer, out, msgpack_sbuffer_write);
    return packer;
}

static void append(msgpack_sbuffer *out, const char *data, size_t len)
{
    if (len > 0 && msgpack_sbuffer_write(out, data, len) != 0) {
        abort();
    }
}

static void append_byte(msgpack_sbuffer *out, unsigned char byte)
{
    append(out, (const char *)&byte, 1);
}

/* Two hex digits as a byte, or -1. */
static int hex_byte(const char *at)
{
    if (!isxdigit((unsigned char)at[0]) || !isxdigit((unsigned char)at[1])) {
        return -1;
    }
    char digits[3] = {at[0], at[1], '\0'};
    return (int)strtol(digits, NULL, 16);
}

/* "*1000" after a value; 1 if there is none. */
static size_t parse_repeat(struct parser *parser)
{
    if (!take(parser, "*")) {
        return 1;
    }
    skip_space(parser);
    char *end;
    size_t count = strtoull(parser->at, &end, 10);
    parser->at = end;
    return count;
}

static void repeat(msgpack_sbuffer *out, size_t from, size_t times)
{
    size_t len = out->size - from;
    if (times == 0) {
        out->size = from;
        return;
    }
    if (len == 0) {
        return;
    }
    char *piece = malloc(len);
    if (piece == NULL) {
        abort();
    }
    memcpy(piece, out->data + from, len);
    for (size_t i = 1; i < times; i++) {
        append(out, piece, len);
    }
    free(piece);
}

/* One escaped character, the backslash behind us. */
static bool parse_escape(struct parser *parser, msgpack_sbuffer *out)
{
    char escape = *parser->at;
    if (escape == 'x') {
        int byte = hex_byte(parser->at + 1);
        if (byte < 0) {
            return false;
        }
        append_byte(out, (unsigned char)byte);
        parser->at += 3;
        return true;
    }
    static const char from[] = "nt0\\'";
    static const char to[] = "\n\t\0\\'";
    const char *found = escape == '\0' ? NULL : strchr(from, escape);
    if (found == NULL) {
        return false;
    }
    append_byte(out, (unsigned char)to[found - from]);
    parser->at++;
    return true;
}

/* 'text', the first quote still before us, and what repeats it: its bytes. */
static bool parse_quoted(struct parser *parser, msgpack_sbuffer *out)
{
    if (!take(parser, "'")) {
        return false;
    }
    size_t from = out->size;
    while (*parser->at != '\'') {
        char c = *parser->at;
        if (c == '\0') {
            return false;
        }
        parser->at++;
        if (c != '\\') {
            append_byte(out, (unsigned char)c);
        } else if (!parse_escape(parser, out)) {
            return false;
        }
    }
    parser->at++;
    repeat(out, from, parse_repeat(parser));
    return true;
}

static bool parse_text(struct parser *parser, msgpack_sbuffer *out, bool binary)
{
    msgpack_sbuffer bytes;
    msgpack_sbuffer_init(&bytes);
    bool good = parse_quoted(parser, &bytes);
    if (good) {
        msgpack_packer packer = packer_for(out);
        (void)(binary ? msgpack_pack_bin(&packer, bytes.size)
                      : msgpack_pack_str(&packer, bytes.size));
        append(out, bytes.data, bytes.size);
    }
    msgpack_sbuffer_destroy(&bytes);
    return good;
}

static void pack_ext_bytes(msgpack_sbuffer *out, int8_t type, const char *data, size_t len)
{
    msgpack_packer packer = packer_for(out);
    (void)msgpack_pack_ext(&packer, len, type);
    append(out, data, len);
}

/* "5, 'bytes')" of ext(5, 'bytes'). */
static bool parse_ext(struct parser *parser, msgpack_sbuffer *out)
{
    char *end;
    long type = strtol(parser->at, &end, 10);
    if (end == parser->at || type < -128 || type > 127) {
        return false;
    }
    parser->at = end;
    msgpack_sbuffer bytes;
    msgpack_sbuffer_init(&bytes);
    bool good = take(parser, ",") && parse_quoted(parser, &bytes) && take(parser, ")");
    if (good) {
        pack_ext_bytes(out, (int8_t)type, bytes.data, bytes.size);
    }
    msgpack_sbuffer_destroy(&bytes);
    return good;
}

static bool parse_float32(struct parser *parser, msgpack_sbuffer *out)
{
    char *end;
    float value = strtof(parser->at, &end);
    if (end == parser->at) {
        return false;
    }
    parser->at = end;
    msgpack_packer packer = packer_for(out);
    (void)msgpack_pack_float(&packer, value);
    return take(parser, ")");
}

static bool parse_deep(struct parser *parser, msgpack_sbuffer *out)
{
    char *end;
    long count = strtol(parser->at, &end, 10);
    if (end == parser->at || count < 1) {
        return false;
    }
    parser->at = end;
    msgpack_packer packer = packer_for(out);
    for (long i = 0; i < count; i++) {
        (void)msgpack_pack_array(&packer, i + 1 < count ? 1 : 0);
    }
    return take(parser, ")");
}

/* "cd 00 05>" of <cd 00 05>. */
static bool parse_hex(struct parser *parser, msgpack_sbuffer *out)
{
    while (!take(parser, ">")) {
        int byte = hex_byte(parser->at);
        if (byte < 0) {
            return false;
        }
        append_byte(out, (unsigned char)byte);
        parser->at += 2;
    }
    return true;
}

static bool parse_number(struct parser *parser, msgpack_sbuffer *out)
{
    msgpack_packer packer = packer_for(out);
    bool negative = *parser->at == '-';
    bool hex = strncmp(parser->at + negative, "0x", 2) == 0;
    char *end;
    size_t digits = strspn(parser->at + negative, "0123456789");
    char next = parser->at[(size_t)negative + digits];
    if (digits == 0) {
        return false;
    }
    if (!hex && (next == '.' || next == 'e')) {
        double value = strtod(parser->at, &end);
        (void)msgpack_pack_double(&packer, value);
    } else if (negative) {
        (void)msgpack_pack_int64(&packer, strtoll(parser->at, &end, 0));
    } else {
        (void)msgpack_pack_uint64(&packer, strtoull(parser->at, &end, hex ? 16 : 10));
    }
    parser->at = end;
    return true;
}

static bool pack_pattern(msgpack_sbuffer *out, const char *name, size_t len)
{
    pack_ext_bytes(out, PATTERN_EXT, name, len);
    return true;
}

/* The words that stand for a value: nil, nan, _int. */
static bool parse_word(struct parser *parser, msgpack_sbuffer *out)
{
    msgpack_packer packer = packer_for(out);
    if (take_word(parser, "nil")) {
        return msgpack_pack_nil(&packer) == 0;
    }
    if (take_word(parser, "true")) {
        return msgpack_pack_true(&packer) == 0;
    }
    if (take_word(parser, "false")) {
        return msgpack_pack_false(&packer) == 0;
    }
    if (take_word(parser, "nan")) {
        return msgpack_pack_double(&packer, (double)NAN) == 0;
    }
    if (take_word(parser, "inf")) {
        return msgpack_pack_double(&packer, (double)INFINITY) == 0;
    }
    if (*parser->at == '_') {
        size_t len = word_length(parser->at);
        const char *name = parser->at;
        parser->at += len;
        return pack_pattern(out, name, len);
    }
    return false;
}

static bool parse_elements(struct parser *parser, msgpack_sbuffer *out, size_t *count)
{
    if (take(parser, "]")) {
        return true;
    }
    for (;;) {
        if (!parse_value(parser, out)) {
            return false;
        }
        (*count)++;
        if (take(parser, "]")) {
            return true;
        }
        if (!take(parser, ",")) {
            return false;
        }
    }
}

static bool parse_array(struct parser *parser, msgpack_sbuffer *out)
{
    msgpack_sbuffer elements;
    msgpack_sbuffer_init(&elements);
    size_t count = 0;
    bool good = parse_elements(parser, &elements, &count);
    if (good) {
        size_t times = parse_repeat(parser);
        repeat(&elements, 0, times);
        msgpack_packer packer = packer_for(out);
        (void)msgpack_pack_array(&packer, count * times);
        append(out, elements.data, elements.size);
    }
    msgpack_sbuffer_destroy(&elements);
    return good;
}

/* A word before a colon, unless it is one of those that stand for a value. */
static bool is_bare_key(const char *at, size_t len)
{
    static const char *const values[] = {"nil", "true", "false", "nan", "inf"};
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        if (strlen(values[i]) == len && memcmp(at, values[i], len) == 0) {
            return false;
        }
    }
    return len > 0 && isalpha((unsigned char)*at) && at[len] == ':';
}

/* A key may be a bare word; "..." stands for a whole pair. */
static bool parse_pair(struct parser *parser, msgpack_sbuffer *out)
{
    if (take(parser, "...")) {
        append_byte(out, 0xc0);
        return pack_pattern(out, "...", 3);
    }
    skip_space(parser);
    size_t len = word_length(parser->at);
    if (is_bare_key(parser->at, len)) {
        msgpack_packer packer = packer_for(out);
        (void)msgpack_pack_str_with_body(&packer, parser->at, len);
        parser->at += len;
    } else if (!parse_value(parser, out)) {
        return false;
    }
    return take(parser, ":") && parse_value(parser, out);
}

static bool parse_pairs(struct parser *parser, msgpack_sbuffer *out, size_t *count)
{
    if (take(parser, "}")) {
        return true;
    }
    for (;;) {
        if (!parse_pair(parser, out)) {
            return false;
        }
        (*count)++;
        if (take(parser, "}")) {
            return true;
        }
        if (!take(parser, ",")) {
            return false;
        }
    }
}

static bool parse_map(struct parser *parser, msgpack_sbuffer *out)
{
    msgpack_sbuffer pairs;
    msgpack_sbuffer_init(&pairs);
    size_t count = 0;
    bool good = parse_pairs(parser, &pairs, &count);
    if (good) {
        msgpack_packer packer = packer_for(out);
        (void)msgpack_pack_map(&packer, count);
        append(out, pairs.data, pairs.size);
    }
    msgpack_sbuffer_destroy(&pairs);
    return good;
}

static bool parse_bracketed(struct parser *parser, msgpack_sbuffer *out)
{
    if (take(parser, "[")) {
        return parse_array(parser, out);
    }
    if (take(parser, "{")) {
        return parse_map(parser, out);
    }
    if (take(parser, "<")) {
        return parse_hex(parser, out);
    }
    if (take(parser, "ext(")) {
        return parse_ext(parser, out);
    }
    if (take(parser, "f32(")) {
        return parse_float32(parser, out);
    }
    return take(parser, "deep(") && parse_deep(parser, out);
}

static bool parse_value(struct parser *parser, msgpack_sbuffer *out)
{
    skip_space(parser);
    char c = *parser->at;
    if (c == '\'') {
        return parse_text(parser, out, false);
    }
    if (take(parser, "b'")) {
        parser->at--;
        return parse_text(parser, out, true);
    }
    if (take(parser, "...")) {
        return pack_pattern(out, "...", 3);
    }
    if (take(parser, "-inf")) {
        msgpack_packer packer = packer_for(out);
        return msgpack_pack_double(&packer, (double)-INFINITY) == 0;
    }
    if (isdigit((unsigned char)c) || c == '-') {
        return parse_number(parser, out);
    }
    return parse_bracketed(parser, out) || parse_word(parser, out);
}

const char *notation_pack(const char *text, msgpack_sbuffer *out)
{
    struct parser parser = {.at = text};
    for (skip_space(&parser); *parser.at != '\0'; skip_space(&parser)) {
        if (!parse_value(&parser, out)) {
            return parser.at;
        }
    }
    return NULL;
}
