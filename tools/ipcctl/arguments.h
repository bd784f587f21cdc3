/*
 * arguments: the command line, taken apart by the command table.
 *
 * Options may stand anywhere, those that every command has before the command too; "--" ends them,
 * and so does the name of a program (WORD_PROGRAM), whose words are its own. A word like -1 is a
 * number, not an option. Values are given as --name=VALUE, --name VALUE, -nVALUE or -n VALUE; one
 * that may be left out only with "=" or as a next word that begins with a digit.
 */
#pragma once

#include "tools/ipcctl/context.h"

/*
 * Fills in *context, which is zeroed. Its words point into `argv`, its arrays are to be freed with
 * arguments_free. With --help or --version given, nothing else is asked for. Reports what is wrong:
 * STATUS_USAGE.
 */
enum status arguments_parse(struct context *context, int argc, char **argv);
void arguments_free(struct context *context);

/* True if the word is an option, or options, and not a value. */
bool argument_is_option(const char *word);
