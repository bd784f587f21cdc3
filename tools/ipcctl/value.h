/*
 * value: the values of the command line, one rule for every command that takes them.
 *
 * A word is JSON, or with --text the string itself. "-" is a value that is read from standard
 * input, "@FILE" one that is read from a file: JSON; with --text a string, with --raw (and no
 * --text) bytes, both all that is there. Behind "--" all words are as they are. Standard input is
 * one value at most.
 */
#pragma once

#include "tools/ipcctl/context.h"
#include "proto/buffer.h"

/* Appends the value that a word stands for; `literal`: the word stands behind "--". Reports what is
 * wrong with it: STATUS_USAGE with the word, else with what was read. */
enum status value_pack(struct context *context, const char *word, bool literal, struct buffer *out);

/* Appends the value that positional word `index` stands for, as value_pack does. */
enum status value_pack_word(struct context *context, size_t index, struct buffer *out);

/* Appends the value of an option: JSON, "-" or "@FILE", whatever --text and --raw say. `name` is
 * the option, for messages: "initial". */
enum status value_pack_option(struct context *context, const char *name, const char *word,
                              struct buffer *out);
