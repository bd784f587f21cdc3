/* arguments: the command line, taken apart; see arguments.h. */
#include "tools/ipcctl/arguments.h"
#include "tools/ipcctl/output.h"
#include "tools/ipcctl/command_line/word.h"

#include <stdio.h>
#include <stdlib.h>

struct parser {
    struct context *context;
    char **argv;
    int argc;
    int at; /* the next word */
    bool options_ended;
};

bool argument_is_option(const char *word)
{
    return word[0] == '-' && word[1] != '\0' && !word_is_number(word + 1) && word[1] != '.';
}

/* Keeps the value of an option. */
static enum status keep(struct parser *parser, enum option_id id, const char *value)
{
    struct context *context = parser->context;
    const struct option *option = &options[id];
    struct given *given = &context->options[id];
    char error[WORD_ERROR_TEXT];
    *given = (struct given){.is = true, .text = value};
    if (id == OPTION_OPTION) {
        context->pairs[context->pair_count++] = (char *)value;
    }
    if (value != NULL &&
        word_check(value, option->kind, option->choices, &given->number, error) < 0) {
        return report_usage(context, "--%s must be %s", option->name, error);
    }
    return STATUS_OK;
}

/* The value of an option that has one: behind "=" or the letter, else the next word. */
static enum status take_value(struct parser *parser, enum option_id id, const char *attached)
{
    const struct option *option = &options[id];
    const char *next = parser->at < parser->argc ? parser->argv[parser->at] : NULL;
    if (attached != NULL || (option->optional && (next == NULL || !word_is_number(next)))) {
        return keep(parser, id, attached);
    }
    if (next == NULL || argument_is_option(next)) {
        return report_usage(parser->context, "--%s needs a value: --%s=%s", option->name,
                            option->name, option->value);
    }
    parser->at++;
    return keep(parser, id, next);
}

/* --name or --name=value; `word` is what follows the dashes. */
static enum status take_long(struct parser *parser, const char *word)
{
    size_t len = strcspn(word, "=");
    const char *attached = word[len] == '=' ? word + len + 1 : NULL;
    enum option_id id = command_option(parser->context->command, word, len);
    if (id == OPTION_NONE) {
        char hint[NEAREST_HINT];
        struct nearest nearest = command_nearest_option(parser->context->command, word, len);
        return report_usage(parser->context, "there is no option --%.*s%s", (int)len, word,
                            nearest_hint(&nearest, "--", "", hint));
    }
    if (options[id].kind != WORD_NONE) {
        return take_value(parser, id, attached);
    }
    if (attached != NULL) {
        return report_usage(parser->context, "--%s has no value", options[id].name);
    }
    return keep(parser, id, NULL);
}

/* -abc: letters of flags, the last one possibly of an option with a value, which may follow. */
static enum status take_letters(struct parser *parser, const char *letters)
{
    enum status status = STATUS_OK;
    for (; *letters != '\0' && status == STATUS_OK; letters++) {
        enum option_id id = command_letter(parser->context->command, *letters);
        if (id == OPTION_NONE) {
            return report_usage(parser->context, "there is no option -%c", *letters);
        }
        if (options[id].kind != WORD_NONE) {
            return take_value(parser, id, letters[1] != '\0' ? letters + 1 : NULL);
        }
        status = keep(parser, id, NULL);
    }
    return status;
}

/* A word that is no option; behind a program all words are its own. */
static void keep_word(struct parser *parser, char *word)
{
    struct context *context = parser->context;
    const struct argument *argument =
        context->command != NULL ? command_argument(context->command, context->count) : NULL;
    parser->options_ended |= argument != NULL && argument->kind == WORD_PROGRAM;
    context->words[context->count++] = word;
}

/* The next word, or the option that it is. */
static enum status take_next(struct parser *parser)
{
    struct context *context = parser->context;
    char *word = parser->argv[parser->at++];
    if (parser->options_ended || !argument_is_option(word)) {
        keep_word(parser, word);
        return STATUS_OK;
    }
    if (strcmp(word, "--") == 0) {
        parser->options_ended = true;
        context->literal = context->count;
        return STATUS_OK;
    }
    return word[1] == '-' ? take_long(parser, word + 2) : take_letters(parser, word + 1);
}

/* Turns the words so far into a command if they name one. */
static enum status find_command(struct parser *parser)
{
    struct context *context = parser->context;
    size_t taken;
    char hint[NEAREST_HINT];
    char first[NEAREST_MOST];
    context->command = command_find(context->words, context->count, &taken);
    if (context->command != NULL) {
        context->literal = parser->options_ended ? 0 : SIZE_MAX;
        context->count = 0;
    } else if (context->count > 1) {
        struct nearest nearest = command_nearest(context->words[0], context->words[1]);
        (void)snprintf(first, sizeof(first), "%s ", context->words[0]);
        return report(context, STATUS_USAGE,
                      "there is no command \"%s %s\"%s; see 'ipcctl help %s'", context->words[0],
                      context->words[1], nearest_hint(&nearest, first, "", hint),
                      context->words[0]);
    } else if (command_family(context->words[0]) == NULL) {
        struct nearest nearest = command_nearest(NULL, context->words[0]);
        return report_usage(context, "there is no command \"%s\"%s", context->words[0],
                            nearest_hint(&nearest, "", "", hint));
    }
    return STATUS_OK;
}

static bool wants_help(const struct context *context)
{
    return context->options[OPTION_HELP].is || context->options[OPTION_VERSION].is;
}

static enum status check_words(struct context *context)
{
    for (size_t i = 0; i < context->count; i++) {
        const struct argument *argument = command_argument(context->command, i);
        char error[WORD_ERROR_TEXT];
        if (argument == NULL) {
            return report_usage(context, "\"%s\" is one word too many", context->words[i]);
        }
        bool left_out = argument->kind == WORD_INTEGER && argument->presence == OPTIONAL &&
                        strcmp(context->words[i], "null") == 0;
        if (!left_out &&
            word_check(context->words[i], argument->kind, NULL, &context->numbers[i], error) < 0) {
            return report_usage(context, "%s must be %s", argument->name, error);
        }
    }
    const struct argument *missing = command_argument(context->command, context->count);
    bool enough =
        missing == NULL || missing->presence == OPTIONAL || missing->presence == ANY ||
        (context->count > 0 && missing == command_argument(context->command, context->count - 1));
    return enough ? STATUS_OK : report_usage(context, "the %s is missing", missing->name);
}

static enum status parse_words(struct parser *parser)
{
    struct context *context = parser->context;
    enum status status = STATUS_OK;
    while (parser->at < parser->argc && status == STATUS_OK) {
        status = take_next(parser);
        if (status == STATUS_OK && context->command == NULL && context->count > 0) {
            status = find_command(parser);
        }
    }
    if (status != STATUS_OK || wants_help(context)) {
        return status;
    }
    if (context->command == NULL) {
        return context->count > 0 ? report(context, STATUS_USAGE,
                                           "\"%s\" needs a second word; see 'ipcctl help %s'",
                                           context->words[0], context->words[0])
                                  : report_usage(context, "a command is missing");
    }
    return check_words(context);
}

enum status arguments_parse(struct context *context, int argc, char **argv)
{
    context->words = calloc((size_t)argc + 1, sizeof(char *));
    context->pairs = calloc((size_t)argc + 1, sizeof(char *));
    context->numbers = calloc((size_t)argc + 1, sizeof(int64_t));
    if (context->words == NULL || context->pairs == NULL || context->numbers == NULL) {
        return report_memory(context);
    }
    context->literal = SIZE_MAX;
    struct parser parser = {.context = context, .argv = argv, .argc = argc, .at = 1};
    return parse_words(&parser);
}

void arguments_free(struct context *context)
{
    free(context->words);
    free(context->pairs);
    free(context->numbers);
}
