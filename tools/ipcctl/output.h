/*
 * output: what goes to standard output, and the sentences that go to standard error.
 *
 * Failures to write are kept in the context and told once, by output_flush.
 */
#pragma once

#include "client/ipcclient.h"
#include "tools/ipcctl/context.h"
#include "tools/ipcctl/terminal/table.h"

/* Writes the bytes of the buffer and empties it. Want of memory in it counts as a failed write. */
void output_buffer(struct context *context, struct buffer *buffer);

/* Writes one line of JSON: the MessagePack value in `record`, which is emptied. */
void output_record(struct context *context, struct buffer *record);

/* Writes one value of several on a line: JSON, or with --raw strings and bytes as they are. */
void output_value(struct context *context, const struct ipcc_value *value);

/* Writes the value that is all that the command shows: as output_value does, but with --raw nothing
 * is added to a string or to bytes, unless a terminal shows them. */
void output_only(struct context *context, const struct ipcc_value *value);

/* Writes `"key": value` on a line, or with --json {"key": ..., "value": ...}. */
void output_pair(struct context *context, const struct ipcc_value *key,
                 const struct ipcc_value *value);

/* Writes a table, cut to the terminal's width if standard output is one, unless it is to be whole.
 * Ends the table. */
void output_table(struct context *context, struct table *table);

/* Sees to it that all has been written. Returns `status`, or STATUS_FAILED if something has not;
 * nothing is said when the reader has gone (EPIPE). */
enum status output_flush(struct context *context, enum status status);

/* The width of the terminal that standard output is, or 0. */
size_t output_width(void);

/* Appends the MessagePack encoding of a value of an answer. */
void value_encode(const struct ipcc_value *value, struct buffer *out);

/* Prints "ipcctl: get jobs: ..." on standard error, with the words of the command as far as they
 * are known; returns `status`. */
enum status report(struct context *context, enum status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Reports, as report does, what is wrong with the command line, and where to find help. Returns
 * STATUS_USAGE. */
enum status report_usage(struct context *context, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The status that an IPCC_ERR_ code means. */
enum status status_of(int error);

/* The word that names the one object that the command is about; false if there is none. */
bool find_subject(const struct context *context, size_t *word, enum word_kind *kind);

/* Why the last call of the client library failed, in the words of the command line, without what
 * the report says anyway. Valid until it is called again. */
const char *call_message(struct context *context, int error);

/* Prints why the last call of the client library failed. Returns the status for its code. */
enum status report_call(struct context *context, int error);

enum status report_memory(struct context *context);
