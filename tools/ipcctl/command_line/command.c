/* command: finding things in the command table; see command.h. The table is in rows/. */
#include "tools/ipcctl/command_line/command.h"

#include <string.h>

/* True if `words` ("dict get") are the first of the `count` words given; *taken is how many. */
static bool names(const char *row, char *const *words, size_t count, size_t *taken)
{
    for (*taken = 0; *row != '\0'; (*taken)++) {
        size_t len = strcspn(row, " ");
        if (*taken == count || strlen(words[*taken]) != len ||
            strncmp(row, words[*taken], len) != 0) {
            return false;
        }
        row += len + (row[len] == ' ');
    }
    return true;
}

const struct command *command_find(char *const *words, size_t count, size_t *taken)
{
    for (const struct area *area = areas; area->title != NULL; area++) {
        for (const struct command *command = area->commands; command->words != NULL; command++) {
            if (names(command->words, words, count, taken)) {
                return command;
            }
        }
    }
    return NULL;
}

bool area_is_family(const struct area *area)
{
    return area->type != NULL && area->commands->words != NULL &&
           strchr(area->commands->words, ' ') != NULL;
}

const struct area *command_family(const char *word)
{
    for (const struct area *area = areas; area->title != NULL; area++) {
        if (area_is_family(area) && strcmp(area->type, word) == 0) {
            return area;
        }
    }
    return NULL;
}

const char *command_last_word(const struct command *command)
{
    const char *space = strrchr(command->words, ' ');
    return space != NULL ? space + 1 : command->words;
}

static bool is_named(enum option_id id, const char *name, size_t len)
{
    return strlen(options[id].name) == len && strncmp(options[id].name, name, len) == 0;
}

enum option_id command_option(const struct command *command, const char *name, size_t len)
{
    for (size_t i = 0; command != NULL && command->options[i].id != OPTION_NONE; i++) {
        if (is_named(command->options[i].id, name, len)) {
            return command->options[i].id;
        }
    }
    for (size_t i = 0; i < global_option_count; i++) {
        if (is_named(global_options[i], name, len)) {
            return global_options[i];
        }
    }
    return OPTION_NONE;
}

enum option_id command_letter(const struct command *command, char letter)
{
    for (size_t i = 0; command != NULL && command->options[i].id != OPTION_NONE; i++) {
        if (options[command->options[i].id].letter == letter) {
            return command->options[i].id;
        }
    }
    for (size_t i = 0; i < global_option_count; i++) {
        if (options[global_options[i]].letter == letter) {
            return global_options[i];
        }
    }
    return OPTION_NONE;
}

/* The words that the commands of an area begin with, or behind the first word of a family. */
static void offer_area(struct nearest *nearest, const struct area *area)
{
    for (const struct command *command = area->commands; command->words != NULL; command++) {
        if (!command->hidden) {
            nearest_offer(nearest, slice_of_string(command_last_word(command)));
        }
    }
}

struct nearest command_nearest(const char *first, const char *word)
{
    struct nearest nearest = nearest_to(slice_of_string(word));
    const struct area *family = first != NULL ? command_family(first) : NULL;
    if (family != NULL) {
        offer_area(&nearest, family);
        return nearest;
    }
    for (const struct area *area = areas; area->title != NULL; area++) {
        if (area_is_family(area)) {
            nearest_offer(&nearest, slice_of_string(area->type));
        } else {
            offer_area(&nearest, area);
        }
    }
    return nearest;
}

struct nearest command_nearest_option(const struct command *command, const char *name, size_t len)
{
    struct nearest nearest = nearest_to((struct slice){(const uint8_t *)name, len});
    for (size_t i = 0; command != NULL && command->options[i].id != OPTION_NONE; i++) {
        nearest_offer(&nearest, slice_of_string(options[command->options[i].id].name));
    }
    for (size_t i = 0; i < global_option_count; i++) {
        nearest_offer(&nearest, slice_of_string(options[global_options[i]].name));
    }
    return nearest;
}

struct nearest command_nearest_type(const char *type)
{
    struct nearest nearest = nearest_to(slice_of_string(type));
    for (int kind = 0; kind < OBJECT_KINDS; kind++) {
        nearest_offer(&nearest, slice_of_string(object_kind_name((enum object_kind)kind)));
    }
    return nearest;
}

const char *command_option_summary(const struct command *command, enum option_id id)
{
    for (size_t i = 0; command != NULL && command->options[i].id != OPTION_NONE; i++) {
        if (command->options[i].id == id && command->options[i].summary != NULL) {
            return command->options[i].summary;
        }
    }
    return options[id].summary;
}

const struct argument *command_argument(const struct command *command, size_t index)
{
    const struct argument *last = NULL;
    for (size_t i = 0; command->arguments[i].name != NULL; i++) {
        last = &command->arguments[i];
        if (i == index) {
            return last;
        }
    }
    return last != NULL && last->presence >= SEVERAL ? last : NULL;
}

const char *word_type(enum word_kind kind)
{
    return kind > WORD_OBJECT && kind <= WORD_OBJECT + OBJECT_KINDS
               ? object_kind_name((enum object_kind)(kind - WORD_OBJECT - 1))
               : NULL;
}

bool word_is_object(enum word_kind kind)
{
    return kind == WORD_NEW || kind == WORD_OBJECT || word_type(kind) != NULL;
}
