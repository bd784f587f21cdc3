/* wording: what the daemon says, in the words of the command line; see wording.h. */
#include "tools/ipcctl/command_line/wording.h"
#include "tools/ipcctl/terminal/names.h"
#include "tools/ipcctl/terminal/text.h"

#include <stdlib.h>

struct wording {
    struct buffer *out;
    const struct command *command;
    const char *at; /* what is left of the sentence */
    bool in_list;   /* what is left is a list of keys */
};

/* What stands before the key of an option, and what becomes of that. */
static const struct {
    const char *before;
    const char *instead;
} leads[] = {
    {"option ", ""},
    {"with another ", "with another "}, /* an object has other options than were asked for */
};

/* Methods that are named as the way to know more, and the command that shows it. */
static const struct {
    const char *method;
    const char *command;
} ways[] = {
    {"object.describe shows", "'ipcctl describe' shows"},
    {"server.methods lists", "'ipcctl methods' lists"},
    {"session.list lists", "'ipcctl sessions' lists"},
};

static const char behind_unknown[] = " is no option; there are ";

/* The option of the command that the key, with which the text begins, is sent for; NULL: none. */
static const struct option *find_key(const struct command *command, const char *text, size_t *len)
{
    *len = strspn(text, "abcdefghijklmnopqrstuvwxyz_");
    for (size_t i = 0; command != NULL && command->options[i].id != OPTION_NONE; i++) {
        const struct option *option = &options[command->options[i].id];
        if (option->key != NULL && strlen(option->key) == *len &&
            strncmp(option->key, text, *len) == 0) {
            return option;
        }
    }
    return NULL;
}

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

/* "option lease_ms", and keys in a list of them. False if that is not what is next. */
static bool take_option(struct wording *wording)
{
    size_t len;
    for (size_t i = 0; i < sizeof(leads) / sizeof(leads[0]); i++) {
        if (!begins(wording->at, leads[i].before)) {
            continue;
        }
        const char *key = wording->at + strlen(leads[i].before);
        const struct option *option = find_key(wording->command, key, &len);
        if (option != NULL) {
            text_format(wording->out, "%s--%s", leads[i].instead, option->name);
            wording->at = key + len;
            return true;
        }
    }
    const struct option *listed = find_key(wording->command, wording->at, &len);
    if (wording->in_list && listed != NULL) {
        text_format(wording->out, "--%s", listed->name);
        wording->at += len;
        return true;
    }
    return false;
}

/* "object.describe shows …" */
static bool take_way(struct wording *wording)
{
    for (size_t i = 0; wording->command != NULL && i < sizeof(ways) / sizeof(ways[0]); i++) {
        if (begins(wording->at, ways[i].method)) {
            text_put(wording->out, ways[i].command);
            wording->at += strlen(ways[i].method);
            return true;
        }
    }
    return false;
}

/* "user 1000" */
static bool take_owner(struct wording *wording, const char *word,
                       void (*put)(struct buffer *out, int64_t number))
{
    const char *digits = wording->at + strlen(word);
    if (!begins(wording->at, word) || digits[0] < '0' || digits[0] > '9') {
        return false;
    }
    char *end;
    long long number = strtoll(digits, &end, 10);
    text_put(wording->out, word);
    put(wording->out, number);
    wording->at = end;
    return true;
}

/* Takes so many characters as they are. */
static void take(struct wording *wording, size_t len)
{
    (void)buffer_append(wording->out, wording->at, len);
    wording->at += len;
}

/* A quoted text; but `"maxsize" is no option; …` is about an option. */
static void take_quoted(struct wording *wording)
{
    size_t len = 1;
    size_t key;
    while (wording->at[len] != '\0' && wording->at[len] != '"') {
        len += wording->at[len] == '\\' && wording->at[len + 1] != '\0' ? 2 : 1;
    }
    len += wording->at[len] == '"';
    const struct option *option = find_key(wording->command, wording->at + 1, &key);
    wording->in_list = begins(wording->at + len, behind_unknown);
    if (wording->in_list && option != NULL && key + 2 == len) {
        text_format(wording->out, "--%s", option->name);
        wording->at += len;
    } else {
        take(wording, len);
    }
}

void wording_put(struct buffer *out, const struct command *command, const char *sentence)
{
    struct wording wording = {out, command, sentence, false};
    while (*wording.at != '\0') {
        if (*wording.at == '"') {
            take_quoted(&wording);
        } else if (!take_option(&wording) && !take_way(&wording) &&
                   !take_owner(&wording, "user ", names_put_user) &&
                   !take_owner(&wording, "group ", names_put_group)) {
            /* to the next word, or to a quote */
            size_t len = strcspn(wording.at, " \"");
            take(&wording, len + strspn(wording.at + len, " "));
        }
    }
}
