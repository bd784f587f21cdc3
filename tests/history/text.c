/* text: see text.h. */
#include "tests/history/text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "client/ipcclient.h"

static const char *verb_name(enum verb verb)
{
    return strchr(verb_rows[verb].method, '.') + 1;
}

/* The verb of that name that the type has, or VERBS. */
static enum verb verb_of(enum type type, const char *name)
{
    const char *prefix = type == TYPE_JOINABLE ? "queue" : type_name(type);
    for (unsigned i = 0; i < VERBS; i++) {
        const char *method = verb_rows[i].method;
        size_t length = (size_t)(strchr(method, '.') - method);
        bool fits =
            length == 0 || (strlen(prefix) == length && memcmp(method, prefix, length) == 0);
        if (fits && strcmp(method + length + 1, name) == 0) {
            return (enum verb)i;
        }
    }
    return VERBS;
}

static void append(char text[TEXT_MAX], const char *more)
{
    size_t length = strlen(text);
    (void)snprintf(text + length, TEXT_MAX - length, "%s", more);
}

static void append_value(char text[TEXT_MAX], int64_t value)
{
    char word[32];
    if (value == NO_VALUE) {
        append(text, " none");
        return;
    }
    (void)snprintf(word, sizeof(word), " %" PRId64, value);
    append(text, word);
}

void operation_print(const struct operation *operation, char text[TEXT_MAX])
{
    const struct verb_row *row = &verb_rows[operation->verb];
    (void)snprintf(text, TEXT_MAX, "%s", verb_name((enum verb)operation->verb));
    for (unsigned i = 0; i < row->arguments; i++) {
        append_value(text, operation->arguments[i]);
    }
    if (!is_answered(operation) || is_end(operation)) {
        return;
    }
    append(text, " =");
    if (operation->status != 0) {
        append(text, " ");
        append(text, ipcc_error_name(operation->status));
        return;
    }
    for (unsigned i = 0; i < row->results; i++) {
        append_value(text, operation->results[i]);
    }
    if (row->results == 0) {
        append(text, " ok");
    }
}

/* The options that are flags, and those that are numbers, by name. */
struct option {
    const char *name;
    size_t at;
};
static const struct option flags[] = {
    {"lifo", offsetof(struct object_options, lifo)},
    {"discard", offsetof(struct object_options, discard)},
    {"keep", offsetof(struct object_options, keep)},
    {"recursive", offsetof(struct object_options, recursive)},
    {"anyone", offsetof(struct object_options, anyone)},
    {"bounded", offsetof(struct object_options, bounded)},
    {"durable", offsetof(struct object_options, durable)},
};
static const struct option numbers[] = {
    {"maxsize", offsetof(struct object_options, maxsize)},
    {"value", offsetof(struct object_options, value)},
};
enum {
    FLAGS = sizeof(flags) / sizeof(flags[0]),
    NUMBERS = sizeof(numbers) / sizeof(numbers[0]),
};

void object_print(const struct history *history, char text[TEXT_MAX])
{
    const char *options = (const char *)&history->options;
    (void)snprintf(text, TEXT_MAX, "%s", type_name(history->type));
    for (unsigned i = 0; i < NUMBERS; i++) {
        int64_t number;
        memcpy(&number, options + numbers[i].at, sizeof(number));
        if (number != 0) {
            char word[64];
            (void)snprintf(word, sizeof(word), " %s=%" PRId64, numbers[i].name, number);
            append(text, word);
        }
    }
    for (unsigned i = 0; i < FLAGS; i++) {
        if (*(const bool *)(options + flags[i].at)) {
            append(text, " ");
            append(text, flags[i].name);
        }
    }
}

static void write_time(int64_t time, int64_t origin, FILE *out)
{
    if (time == UNANSWERED) {
        (void)fprintf(out, "%10s ", "?");
    } else {
        (void)fprintf(out, "%10" PRId64 " ", time - origin);
    }
}

int history_write(const struct history *history, int64_t origin, FILE *out)
{
    char text[TEXT_MAX];
    object_print(history, text);
    (void)fprintf(out, "%s\n", text);
    for (unsigned i = 0; i < history->count; i++) {
        struct operation operation = history->operations[i];
        write_time(operation.begin, origin, out);
        write_time(operation.end, origin, out);
        if (operation.verb == KILLED || operation.verb == CRASHED) {
            operation.arguments[0] -= origin;
        }
        operation_print(&operation, text);
        (void)fprintf(out, "%2u %s\n", operation.process, text);
    }
    return fflush(out) == 0 && !ferror(out) ? 0 : -1;
}

static bool read_number(const char *word, int64_t *out)
{
    char *end;
    if (word == NULL || *word == '\0') {
        return false;
    }
    *out = strtoll(word, &end, 10);
    return *end == '\0';
}

static bool read_value(const char *word, int64_t *out)
{
    if (word != NULL && strcmp(word, "none") == 0) {
        *out = NO_VALUE;
        return true;
    }
    return read_number(word, out);
}

/* One word of the first line, behind the type. */
static bool read_option(struct object_options *options, char *word)
{
    for (unsigned i = 0; i < FLAGS; i++) {
        if (strcmp(word, flags[i].name) == 0) {
            *(bool *)((char *)options + flags[i].at) = true;
            return true;
        }
    }
    char *value = strchr(word, '=');
    if (value == NULL) {
        return false;
    }
    *value++ = '\0';
    for (unsigned i = 0; i < NUMBERS; i++) {
        int64_t number;
        if (strcmp(word, numbers[i].name) == 0 && read_number(value, &number)) {
            memcpy((char *)options + numbers[i].at, &number, sizeof(number));
            return true;
        }
    }
    return false;
}

static int read_object(struct history *history, char *word, char **rest, char why[TEXT_MAX])
{
    history->type = type_of(word);
    if (history->type == TYPES) {
        (void)snprintf(why, TEXT_MAX, "\"%s\" is no type that there is a model of", word);
        return -1;
    }
    while ((word = strtok_r(NULL, " \t\n", rest)) != NULL) {
        if (!read_option(&history->options, word)) {
            (void)snprintf(why, TEXT_MAX, "\"%s\" is no option", word);
            return -1;
        }
    }
    return 0;
}

/* The error of that name, or 0. */
static int32_t error_of(const char *name)
{
    for (int32_t error = -1; error > -128; error--) {
        if (strcmp(ipcc_error_name(error), name) == 0) {
            return error;
        }
    }
    return 0;
}

/* What stands behind the =. */
static bool read_answer(struct operation *operation, char **rest)
{
    const struct verb_row *row = &verb_rows[operation->verb];
    char *word = strtok_r(NULL, " \t\n", rest);
    if (word == NULL) {
        return false;
    }
    operation->status = error_of(word);
    if (operation->status != 0 || (row->results == 0 && strcmp(word, "ok") == 0)) {
        return true;
    }
    for (unsigned i = 0; i < row->results; i++) {
        if (word == NULL && i > 0) {
            operation->results[i] = NO_VALUE;
        } else if (!read_value(word, &operation->results[i])) {
            return false;
        }
        word = word == NULL ? NULL : strtok_r(NULL, " \t\n", rest);
    }
    return row->results > 0 && word == NULL;
}

/* Begin, end and process, of which the first word has been read. */
static bool read_place(struct operation *operation, const char *word, char **rest)
{
    int64_t process;
    bool good = read_number(word, &operation->begin);
    word = strtok_r(NULL, " \t\n", rest);
    if (word != NULL && strcmp(word, "?") == 0) {
        operation->end = UNANSWERED;
    } else {
        good = good && read_number(word, &operation->end) && operation->end >= operation->begin;
    }
    good = good && read_number(strtok_r(NULL, " \t\n", rest), &process) && process >= 0 &&
           process < PROCESSES_MAX;
    operation->process = good ? (uint8_t)process : 0;
    return good;
}

static bool read_operation(enum type type, struct operation *operation, const char *word,
                           char **rest)
{
    if (!read_place(operation, word, rest) || (word = strtok_r(NULL, " \t\n", rest)) == NULL) {
        return false;
    }
    enum verb verb = verb_of(type, word);
    if (verb == VERBS) {
        return false;
    }
    operation->verb = (uint8_t)verb;
    for (unsigned i = 0; i < verb_rows[verb].arguments; i++) {
        if (!read_value(strtok_r(NULL, " \t\n", rest), &operation->arguments[i])) {
            return false;
        }
    }
    word = strtok_r(NULL, " \t\n", rest);
    if (is_end(operation) || !is_answered(operation)) {
        return word == NULL;
    }
    return word != NULL && strcmp(word, "=") == 0 && read_answer(operation, rest);
}

static int read_line(struct history *history, char *line, char why[TEXT_MAX])
{
    char shown[80];
    (void)snprintf(shown, sizeof(shown), "%.*s", (int)strcspn(line, "\n"), line);
    char *rest;
    char *word = strtok_r(line, " \t\n", &rest);
    if (word == NULL || word[0] == '#') {
        return 0;
    }
    if (history->type == TYPES) {
        return read_object(history, word, &rest, why);
    }
    if (history->count == HISTORY_MAX) {
        (void)snprintf(why, TEXT_MAX, "there are more than %d operations", HISTORY_MAX);
        return -1;
    }
    struct operation *operation = &history->operations[history->count++];
    *operation = (struct operation){0};
    if (!read_operation(history->type, operation, word, &rest)) {
        (void)snprintf(why, TEXT_MAX,
                       "not understood: \"%s\"; it should be: BEGIN END PROCESS OPERATION "
                       "ARGUMENT… = RESULT…",
                       shown);
        return -1;
    }
    return 0;
}

int history_read(struct history *history, FILE *in, char why[TEXT_MAX])
{
    *history = (struct history){.type = TYPES};
    char *line = NULL;
    size_t capacity = 0;
    int status = 0;
    while (status == 0 && getline(&line, &capacity, in) >= 0) {
        status = read_line(history, line, why);
    }
    free(line);
    if (status == 0 && history->type == TYPES) {
        (void)snprintf(why, TEXT_MAX, "there is no line with the object's type");
        status = -1;
    }
    history_sort(history);
    return status;
}
