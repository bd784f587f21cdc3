/*
 * complete: what can complete a command line, for the bash completion (tools/ipcctl.bash).
 *
 * The line is walked by the command table, without complaint about what is wrong with it. Names and
 * sessions come from the daemon, if it answers at once; nothing is ever said on standard error.
 */
#include "proto/events.h"
#include "proto/method.h"
#include "tools/ipcctl/arguments.h"
#include "tools/ipcctl/description/claimant.h"
#include "tools/ipcctl/description/listing.h"
#include "tools/ipcctl/description/taken.h"
#include "tools/ipcctl/output.h"
#include "tools/ipcctl/request.h"
#include "tools/ipcctl/command_line/shell_line.h"
#include "tools/ipcctl/terminal/text.h"
#include "tools/ipcctl/command_line/word.h"

#include <inttypes.h>
#include <stdio.h>

enum { PATIENCE_MS = 1000, NAMES_MOST = 1000 };

struct completion {
    struct context *context;
    struct shell_line line;
    const char *prefix; /* what a candidate must begin with: the word being typed, … */
    size_t skipped;     /* … but for so many bytes at its front: "--order=" */
    struct buffer out;
    size_t count;
    /* What the words before it are. */
    const struct command *command;
    const struct area *family;    /* whose first word has been typed */
    size_t position;              /* of the positional word being typed */
    const char *first;            /* the command's first one, if it has been typed */
    enum option_id pending;       /* the option whose value is being typed */
    struct method_signature open; /* of the type that has been typed; no options: of none */
    bool options_ended;
    bool lost; /* there is no such command */
};

/* A candidate, if it fits. */
static void offer(struct completion *completion, const char *candidate)
{
    const char *typed = shell_line_word(&completion->line, completion->line.count - 1);
    if (strncmp(candidate, completion->prefix, strlen(completion->prefix)) != 0) {
        return;
    }
    struct buffer whole = {0};
    (void)buffer_append(&whole, typed, completion->skipped);
    text_put(&whole, candidate);
    (void)buffer_append(&whole, "", 1);
    if (!whole.failed) {
        shell_line_complete(&completion->line, (const char *)whole.data, &completion->out);
        text_put(&completion->out, "\n");
        completion->count++;
    }
    buffer_deinit(&whole);
}

static bool offer_object(void *data, const struct ipcc_value *description)
{
    struct completion *completion = data;
    struct buffer name = {0};
    text_exact(&name, field_text(description, "name"));
    (void)buffer_append(&name, "", 1);
    if (!name.failed) {
        offer(completion, (const char *)name.data);
    }
    buffer_deinit(&name);
    return completion->count < NAMES_MOST;
}

/* A pattern that the names with the prefix match. */
static void put_pattern(struct buffer *out, const char *prefix)
{
    for (; *prefix != '\0'; prefix++) {
        text_put(out, strchr("*?[]\\", *prefix) != NULL ? "\\" : "");
        (void)buffer_append(out, prefix, 1);
    }
    (void)buffer_append(out, "*", 2);
}

static void offer_names(struct completion *completion, const char *type)
{
    struct buffer pattern = {0};
    put_pattern(&pattern, completion->prefix);
    if (!pattern.failed) {
        struct filter filter = {.glob = (const char *)pattern.data, .type = type};
        (void)listing_run(completion->context, &filter,
                          (struct listener){offer_object, completion});
    }
    buffer_deinit(&pattern);
}

static void offer_sessions(struct completion *completion)
{
    struct request request;
    struct ipcc_reply reply;
    request_init(&request, "session.list");
    if (request_try(completion->context, &request, &reply) < 0) {
        return;
    }
    struct ipcc_walk walk = ipcc_walk_of(&reply.value);
    struct ipcc_value session;
    while (ipcc_walk_next(&walk, &session)) {
        struct buffer name = {0};
        claimant_put_session(&name, &session);
        (void)buffer_append(&name, "", 1);
        if (!name.failed && !claimant_own(completion->context, &session)) {
            offer(completion, (const char *)name.data);
        }
        buffer_deinit(&name);
    }
    ipcc_reply_free(&reply);
}

/* The tickets of the queue that is the command's first word. */
static void offer_tickets(struct completion *completion)
{
    struct ipcc_reply reply;
    if (completion->first == NULL ||
        taken_ask(completion->context, completion->first, 0, NAMES_MOST, &reply) < 0) {
        return;
    }
    struct ipcc_walk walk = ipcc_walk_of(&reply.value);
    struct ipcc_value item;
    while (ipcc_walk_next(&walk, &item)) {
        char number[32];
        (void)snprintf(number, sizeof(number), "%" PRId64, field_int(&item, "ticket"));
        offer(completion, number);
    }
    ipcc_reply_free(&reply);
}

static void offer_methods(struct completion *completion)
{
    for (size_t i = 0; i < METHOD_COUNT; i++) {
        offer(completion, methods[i].name);
    }
}

static void offer_types(struct completion *completion)
{
    for (int kind = 0; kind < OBJECT_KINDS; kind++) {
        offer(completion, object_kind_name((enum object_kind)kind));
    }
}

static void offer_area(struct completion *completion, const struct area *area)
{
    for (const struct command *command = area->commands; command->words != NULL; command++) {
        if (!command->hidden) {
            offer(completion, command_last_word(command));
        }
    }
}

/* The words that commands begin with; or, after the first one of a family, their second words. */
static void offer_commands(struct completion *completion)
{
    if (completion->family != NULL) {
        offer_area(completion, completion->family);
        return;
    }
    for (const struct area *area = areas; area->title != NULL; area++) {
        if (area_is_family(area)) {
            offer(completion, area->type);
        } else {
            offer_area(completion, area);
        }
    }
}

static void offer_choices(struct completion *completion, const char *choices)
{
    while (*choices != '\0') {
        char word[32];
        size_t len = strcspn(choices, " ");
        (void)snprintf(word, sizeof(word), "%.*s", (int)len, choices);
        offer(completion, word);
        choices += len + (choices[len] == ' ');
    }
}

/* The last of several names with commas between: put,ge. */
static void offer_events(struct completion *completion)
{
    const char *comma = strrchr(completion->prefix, ',');
    if (comma != NULL) {
        completion->skipped += (size_t)(comma + 1 - completion->prefix);
        completion->prefix = comma + 1;
    }
    for (int event = 0; event < EVENT_NAMES; event++) {
        offer(completion, event_name((enum event_name)event));
    }
}

/* The option of the typed type's open that a key (`len` bytes) is, or NULL. */
static const struct method_option *find_key(const struct completion *completion, const char *key,
                                            size_t len)
{
    for (unsigned i = 0; i < completion->open.option_count; i++) {
        const struct method_option *option = completion->open.options[i];
        if (strlen(option->name) == len && strncmp(option->name, key, len) == 0) {
            return option;
        }
    }
    return NULL;
}

static void offer_kind(struct completion *completion, enum word_kind kind, const char *choices);

/* KEY=JSON: the keys, or behind one the values that can be listed. */
static void offer_pairs(struct completion *completion)
{
    const char *equals = strchr(completion->prefix, '=');
    char word[64];
    if (equals == NULL) {
        for (unsigned i = 0; i < completion->open.option_count; i++) {
            (void)snprintf(word, sizeof(word), "%s=", completion->open.options[i]->name);
            offer(completion, word);
        }
        return;
    }
    const struct method_option *option =
        find_key(completion, completion->prefix, (size_t)(equals - completion->prefix));
    completion->skipped += (size_t)(equals + 1 - completion->prefix);
    completion->prefix = equals + 1;
    offer_kind(completion, WORD_JSON, NULL);
    if (option != NULL && option->type == PARAM_BOOL) {
        offer_choices(completion, "true false");
    }
    for (const char *words = option != NULL ? option->words : ""; *words != '\0';) {
        size_t len = strcspn(words, " ");
        (void)snprintf(word, sizeof(word), "\"%.*s\"", (int)len, words);
        offer(completion, word);
        words += len + (words[len] == ' ');
    }
}

static void offer_kind(struct completion *completion, enum word_kind kind, const char *choices)
{
    switch (kind) {
    case WORD_OBJECT:
    case WORD_GLOB:
        offer_names(completion, NULL);
        break;
    case WORD_PROGRAM:
        text_put(&completion->out, "<commands>\n");
        break;
    case WORD_SESSION:
        offer_sessions(completion);
        break;
    case WORD_TICKET:
        offer_tickets(completion);
        break;
    case WORD_COMMAND:
        offer_commands(completion);
        if (completion->family == NULL) {
            offer_methods(completion);
        }
        break;
    case WORD_METHOD:
        offer_methods(completion);
        break;
    case WORD_TYPE:
        offer_types(completion);
        break;
    case WORD_CHOICE:
        offer_choices(completion, choices);
        break;
    case WORD_EVENTS:
        offer_events(completion);
        break;
    case WORD_PAIR:
        offer_pairs(completion);
        break;
    case WORD_JSON:
        if (completion->prefix[0] == '@' && !completion->options_ended) {
            text_put(&completion->out, "<values>\n");
        }
        break;
    case WORD_FILE:
        text_put(&completion->out, "<files>\n");
        break;
    case WORD_OWNER:
        text_put(&completion->out,
                 strchr(completion->prefix, ':') == NULL ? "<users>\n" : "<groups>\n");
        break;
    case WORD_GROUP:
        text_put(&completion->out, "<groups>\n");
        break;
    default:
        if (word_type(kind) != NULL) {
            offer_names(completion, word_type(kind));
        }
        break;
    }
}

/* The words of a choice; those that the typed type has, if it says so. */
static const char *choices_of(const struct completion *completion, enum option_id id)
{
    const char *key = options[id].key;
    const struct method_option *option =
        key != NULL ? find_key(completion, key, strlen(key)) : NULL;
    return option != NULL && options[id].kind == WORD_CHOICE ? option->words : options[id].choices;
}

/* An option, unless it is one of another type than the one typed. */
static void offer_option(struct completion *completion, enum option_id id)
{
    char word[64];
    const char *key = options[id].key;
    if (completion->open.option_count > 0 && key != NULL &&
        find_key(completion, key, strlen(key)) == NULL) {
        return;
    }
    (void)snprintf(word, sizeof(word), "--%s%s", options[id].name,
                   options[id].kind != WORD_NONE && !options[id].optional ? "=" : "");
    offer(completion, word);
}

/* Options, or the value of the one that the word begins with: --order=fi. */
static void offer_options(struct completion *completion)
{
    const char *equals = strchr(completion->prefix, '=');
    const struct command *command = completion->command;
    if (equals != NULL) {
        enum option_id id = command_option(command, completion->prefix + 2,
                                           (size_t)(equals - completion->prefix - 2));
        completion->skipped = (size_t)(equals + 1 - completion->prefix);
        completion->prefix = equals + 1;
        offer_kind(completion, options[id].kind, choices_of(completion, id));
        return;
    }
    for (size_t i = 0; command != NULL && command->options[i].id != OPTION_NONE; i++) {
        offer_option(completion, command->options[i].id);
    }
    for (size_t i = 0; i < global_option_count; i++) {
        offer_option(completion, global_options[i]);
    }
}

/* An option that has been typed: what it says about the socket, or that its value comes next. */
static void pass_option(struct completion *completion, const char *word)
{
    const char *name = word + 2;
    size_t len = strcspn(name, "=");
    bool is_long = word[1] == '-';
    enum option_id id = is_long ? command_option(completion->command, name, len)
                                : command_letter(completion->command, word[strlen(word) - 1]);
    const char *value = is_long && name[len] == '=' ? name + len + 1 : NULL;
    if (id == OPTION_SOCKET && value != NULL) {
        completion->context->options[OPTION_SOCKET] = (struct given){.is = true, .text = value};
    }
    completion->pending =
        options[id].kind != WORD_NONE && !options[id].optional && value == NULL ? id : OPTION_NONE;
}

/* A type: its open says which options there are. */
static void pass_type(struct completion *completion, const char *type)
{
    char name[64];
    (void)snprintf(name, sizeof(name), "%s.open", type);
    const struct method *method = method_find(slice_of_string(name));
    if (method != NULL) {
        method_signature(method, &completion->open);
    }
}

/* A positional word that has been typed. */
static void pass_word(struct completion *completion, const char *word)
{
    size_t taken;
    if (completion->command != NULL) {
        const struct argument *argument =
            command_argument(completion->command, completion->position);
        completion->options_ended |= argument != NULL && argument->kind == WORD_PROGRAM;
        if (argument != NULL && argument->kind == WORD_TYPE) {
            pass_type(completion, word);
        }
        completion->first = completion->position == 0 ? word : completion->first;
        completion->position++;
        if (completion->command->run == run_help) {
            completion->family = command_family(word);
        }
        return;
    }
    bool second = completion->family != NULL;
    char *words[] = {(char *)(second ? completion->family->type : word), (char *)word};
    completion->command = command_find(words, second ? 2 : 1, &taken);
    completion->family = second || completion->command != NULL ? NULL : command_family(word);
    completion->lost = completion->command == NULL && completion->family == NULL;
}

static void pass(struct completion *completion, const char *word)
{
    if (completion->pending != OPTION_NONE) {
        if (completion->pending == OPTION_SOCKET) {
            completion->context->options[OPTION_SOCKET] = (struct given){.is = true, .text = word};
        }
        completion->pending = OPTION_NONE;
    } else if (completion->options_ended || !argument_is_option(word)) {
        pass_word(completion, word);
    } else if (strcmp(word, "--") == 0) {
        completion->options_ended = true;
    } else {
        pass_option(completion, word);
    }
}

static void offer_all(struct completion *completion)
{
    const struct argument *argument = NULL;
    if (completion->pending != OPTION_NONE) {
        offer_kind(completion, options[completion->pending].kind,
                   choices_of(completion, completion->pending));
    } else if (!completion->options_ended && completion->prefix[0] == '-') {
        offer_options(completion);
    } else if (completion->command == NULL && !completion->lost) {
        offer_commands(completion);
    } else if (!completion->lost) {
        argument = command_argument(completion->command, completion->position);
    }
    if (argument != NULL) {
        offer_kind(completion, argument->kind, NULL);
    }
}

enum status run_complete(struct context *context)
{
    struct completion completion = {.context = context};
    const char *breaks = context->count > 1 ? context->words[1] : "";
    context->options[OPTION_TIMEOUT] = (struct given){.is = true, .number = PATIENCE_MS};
    if (shell_line_parse(&completion.line, context->words[0], breaks) == 0) {
        size_t last = completion.line.count - 1;
        completion.prefix = shell_line_word(&completion.line, last);
        for (size_t i = 1; i < last; i++) {
            pass(&completion, shell_line_word(&completion.line, i));
        }
        offer_all(&completion);
        output_buffer(context, &completion.out);
    }
    shell_line_deinit(&completion.line);
    return STATUS_OK;
}
