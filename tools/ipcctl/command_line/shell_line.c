/* shell_line: a command line that is being typed; see shell_line.h. */
#include "tools/ipcctl/command_line/shell_line.h"

#include <string.h>

void shell_line_deinit(struct shell_line *line)
{
    buffer_deinit(&line->text);
}

const char *shell_line_word(const struct shell_line *line, size_t i)
{
    return (const char *)line->text.data + line->starts[i];
}

static void add(struct shell_line *line, char character)
{
    (void)buffer_append(&line->text, &character, 1);
}

static int begin_word(struct shell_line *line)
{
    if (line->count == SHELL_WORDS) {
        return -1;
    }
    line->starts[line->count++] = line->text.len;
    line->kept = 0;
    return 0;
}

/* The length of the word being typed, so far. */
static size_t typed(const struct shell_line *line)
{
    return line->text.len - line->starts[line->count - 1];
}

/* Within quotes: the character stands for itself, but for the closing quote and a backslash in
 * double quotes. Returns how many characters were used. */
static size_t take_quoted(struct shell_line *line, const char *at)
{
    if (*at == line->quote) {
        line->quote = '\0';
        return 1;
    }
    bool escape =
        line->quote == '"' && *at == '\\' && at[1] != '\0' && strchr("\\\"$`", at[1]) != NULL;
    add(line, escape ? at[1] : *at);
    return escape ? 2 : 1;
}

static size_t take_plain(struct shell_line *line, const char *at, const char *breaks)
{
    if (*at == '\'' || *at == '"') {
        line->quote = *at;
        line->kept = typed(line); /* readline's word begins after the quote */
        return 1;
    }
    if (*at == '\\') {
        if (at[1] != '\0') {
            add(line, at[1]);
        }
        return at[1] != '\0' ? 2 : 1;
    }
    add(line, *at);
    if (strchr(breaks, *at) != NULL) {
        line->kept = typed(line);
    }
    return 1;
}

static bool is_blank(char character)
{
    return character == ' ' || character == '\t' || character == '\n';
}

int shell_line_parse(struct shell_line *line, const char *text, const char *breaks)
{
    *line = (struct shell_line){0};
    text += strspn(text, " \t\n");
    int status = begin_word(line);
    for (const char *at = text; *at != '\0' && status == 0;) {
        if (line->quote != '\0') {
            at += take_quoted(line, at);
        } else if (is_blank(*at)) {
            add(line, '\0');
            at += strspn(at, " \t\n");
            status = begin_word(line);
        } else {
            at += take_plain(line, at, breaks);
        }
    }
    add(line, '\0');
    return line->text.failed ? -1 : status;
}

/* One character of a word, so that the shell takes it as it is. */
static void put_escaped(char quote, char character, struct buffer *out)
{
    const char *special = quote == '\0'  ? " \t\\'\"`$&|;<>()[]{}*?!#~^"
                          : quote == '"' ? "\\\"`$"
                                         : "";
    if (quote == '\'' && character == '\'') {
        (void)buffer_append(out, "'\\''", 4);
        return;
    }
    if (strchr(special, character) != NULL) {
        (void)buffer_append(out, "\\", 1);
    }
    (void)buffer_append(out, &character, 1);
}

void shell_line_complete(const struct shell_line *line, const char *word, struct buffer *out)
{
    for (const char *at = word + line->kept; *at != '\0'; at++) {
        put_escaped(line->quote, *at, out);
    }
}
