/*
 * saving: what is done with the rows (rows.h) of any object: to save those that have changed, to
 * put all of them, and to make objects of rows again.
 *
 * A durable object that changes puts itself onto its registry's list of changed objects, there
 * where the change is made (object_join_changed); so does one that is deleted. Whoever saves takes
 * one after the other off it (registry_next_changed), calls object_save for each and
 * registry_save once, all in one commit. An object that an operation in steps works on is passed
 * over until that is over; so that what it has to do with another one (an item that has gone from
 * one queue to the other) is not torn apart, it is to be saved once when the hold begins, if it is
 * on the list (object->is_changed).
 *
 * Loading goes through all rows twice, in the order of number and key: first for the objects' own
 * rows, so that all objects are there, then for all others, since values refer to objects:
 *
 *     loading_begin; loading_object for each row with the empty key, loading_row for each other
 *     one; loading_end.
 *
 * What is loaded is charged whatever the limits say. Objects have nobody who has them open, and are
 * on no list but that of ready ones, if time changes them; what was taken of a queue is so still,
 * by nobody, until its type's give_back_untied (queue_tie before that: it is a session's).
 *
 * A durable object that is made of rows that were put with ROWS_ALL knows nothing of those in a
 * store: with object_unsaved(object, UNSAVED_ALL) it writes all of them anew.
 */
#pragma once

#include "daemon/objects/registry.h"
#include "daemon/objects/rows.h"

/*
 * Puts the rows of an object: all, of an object of whatever type and lifetime; or those of a
 * durable object that differ from what was last written. If it is gone, all its rows are removed.
 * 0; or ERR_MEMORY: what has not been put is still changed, and the object, unless it is gone, is
 * on the list again.
 */
int object_save(struct object *object, enum rows which, const struct row_writer *out,
                const struct moment *now);

/* Puts the own row alone. The same results. */
int object_save_own(const struct object *object, const struct row_writer *out);

/* The same of the registry itself, whose rows have the number 0: which numbers have been given, so
 * that none is used again. ROWS_CHANGED puts nothing as a rule. */
int registry_save(struct registry *registry, enum rows which, const struct row_writer *out);

/* Of a call that is to change a durable object and brings `values` values with `bytes` bytes in
 * all: so many bytes more, at most, are gathered for the disk. `moves`: it may change where all
 * others are (a list's insert in the middle, sort and their like). What a queue writes again
 * because most of a chunk is gone is not counted: less than that has become free. */
uint64_t object_save_cost(const struct object *object, uint64_t values, uint64_t bytes, bool moves);

/* From now on what is done is loading. reader->registry and reader->accounts are set. */
void loading_begin(struct row_reader *reader);
/* A row with the empty key: makes its object, or (number 0) tells the registry. 0, ERR_MEMORY;
 * ERR_VALUE: it is damaged, or a newer program's; reader->why says so. The objects' numbers rise.
 */
int loading_object(struct row_reader *reader, uint64_t number, struct slice value);
/* Any other row. */
int loading_row(struct row_reader *reader, uint64_t number, struct slice key, struct slice value);
/* All rows have been given, or one of the two has failed: loading is over. 0; or what the first
 * that failed has returned; or, if objects are not complete, the same results. What is in the
 * registry then is good for nothing but registry_deinit. */
int loading_end(struct row_reader *reader);
