/* splitter: cuts a stream of bytes into texts; see splitter.h. */
#include "tools/ipcctl/json/splitter.h"

void splitter_add(struct splitter *splitter, const void *data, size_t len)
{
    if (splitter->start > 0) {
        buffer_consume(&splitter->bytes, splitter->start);
        splitter->at -= splitter->start;
        splitter->start = 0;
    }
    (void)buffer_append(&splitter->bytes, data, len);
}

void splitter_deinit(struct splitter *splitter)
{
    buffer_deinit(&splitter->bytes);
}

/* The text from start to `end`; the next one starts at `next`. */
static bool take(struct splitter *splitter, size_t end, size_t next, struct slice *text)
{
    *text = (struct slice){splitter->bytes.data + splitter->start, end - splitter->start};
    splitter->start = next;
    splitter->at = next;
    splitter->in_scalar = false;
    splitter->in_string = false;
    splitter->escaped = false;
    splitter->depth = 0;
    return true;
}

static bool take_line(struct splitter *splitter, bool ended, struct slice *text)
{
    size_t len = splitter->bytes.len;
    const uint8_t *data = splitter->bytes.data;
    const uint8_t *newline =
        len > splitter->at ? memchr(data + splitter->at, '\n', len - splitter->at) : NULL;
    if (newline != NULL) {
        size_t end = (size_t)(newline - data);
        return take(splitter, end, end + 1, text);
    }
    splitter->at = len;
    return ended && len > splitter->start && take(splitter, len, len, text);
}

static bool is_space(uint8_t byte)
{
    return byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t';
}

/* Looks at a byte within a string. True if the string, and with it the value, ends after it. */
static bool ends_string(struct splitter *splitter, uint8_t byte)
{
    if (splitter->escaped) {
        splitter->escaped = false;
    } else if (byte == '\\') {
        splitter->escaped = true;
    } else if (byte == '"') {
        splitter->in_string = false;
        return splitter->depth == 0;
    }
    return false;
}

/* What a byte does to the value that is being read. */
enum effect { GOES_ON, ENDS_AFTER, ENDS_BEFORE };

static enum effect look_at(struct splitter *splitter, uint8_t byte)
{
    if (splitter->in_string) {
        return ends_string(splitter, byte) ? ENDS_AFTER : GOES_ON;
    }
    bool begins = byte == '"' || byte == '[' || byte == '{';
    if (splitter->in_scalar && (begins || is_space(byte))) {
        return ENDS_BEFORE;
    }
    splitter->in_string = byte == '"';
    if (byte == '[' || byte == '{') {
        splitter->depth++;
    } else if (byte == ']' || byte == '}') {
        splitter->depth -= splitter->depth > 0;
        return splitter->depth == 0 ? ENDS_AFTER : GOES_ON;
    } else if (!begins && splitter->depth == 0) {
        splitter->in_scalar = true;
    }
    return GOES_ON;
}

static bool take_value(struct splitter *splitter, bool ended, struct slice *text)
{
    const struct buffer *bytes = &splitter->bytes;
    while (splitter->at == splitter->start && splitter->at < bytes->len &&
           is_space(bytes->data[splitter->at])) {
        splitter->start = ++splitter->at;
    }
    while (splitter->at < bytes->len) {
        enum effect effect = look_at(splitter, bytes->data[splitter->at]);
        if (effect == ENDS_BEFORE) {
            return take(splitter, splitter->at, splitter->at, text);
        }
        splitter->at++;
        if (effect == ENDS_AFTER) {
            return take(splitter, splitter->at, splitter->at, text);
        }
    }
    return ended && bytes->len > splitter->start && take(splitter, bytes->len, bytes->len, text);
}

bool splitter_take(struct splitter *splitter, bool ended, struct slice *text)
{
    return splitter->split == SPLIT_LINES ? take_line(splitter, ended, text)
                                          : take_value(splitter, ended, text);
}
