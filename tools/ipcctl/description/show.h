/*
 * show: the members of descriptions (of objects, of sessions) as text for people.
 */
#pragma once

#include "client/ipcclient.h"
#include "tools/ipcctl/terminal/table.h"

/* Appends a member's value as its key says: owner and group by name and number, mode in octal,
 * created and since as local time, *_ms as a time, bytes also in larger units; "-" if there is
 * none; all else as JSON, strings without quotes. */
void show_field(struct buffer *out, const char *key, const struct ipcc_value *value);

/* A cell with a number of a map, "-" if it is not there. */
void show_number(struct table *table, const struct ipcc_value *map, const char *key);

/* The state of an object in a word or two, "full", "shut down", "held", or "". */
const char *show_state(const struct ipcc_value *description);

/* Appends where an object lives: "redis at 127.0.0.1:7000", or "here": in the daemon itself. */
void show_where(struct buffer *out, const struct ipcc_value *description);

/* True if the value is a timestamp. */
bool show_is_moment(const struct ipcc_value *value);

/* Appends how long ago a moment (a timestamp) is: "3m20s"; "-" if it is none. */
void show_age(struct buffer *out, const struct ipcc_value *moment);
