/*
 * rows_fixture: durable objects and their rows in memory, for the tests of what is written and what
 * comes back.
 */
#pragma once

#include "daemon/objects/dict.h"
#include "daemon/objects/list.h"
#include "daemon/objects/queue.h"
#include "tests/unit/objects/row_map.h"
#include "tests/unit/objects/world.h"

#define NS_PER_MS UINT64_C(1000000)

struct fixture {
    struct world world;
    struct registry registry;
    struct row_map rows;
    struct moment now;
};

int rows_set_up(void **state);
int rows_tear_down(void **state);
/* All objects go, without a trace in the rows. */
void rows_end_objects(struct fixture *f);

/* Objects of f->world.options, which are in the registry alone. */
struct queue *rows_make_queue(struct fixture *f, const struct queue_options *options);
struct dict *rows_make_dict(struct fixture *f);
struct list *rows_make_list(struct fixture *f);

/* A commit, whose rows are counted anew. */
void rows_save(struct fixture *f);
/* The daemon is gone and comes back after so many milliseconds, with a clock that begins anew. */
void rows_restart(struct fixture *f, uint64_t ms);
struct object *rows_find(struct fixture *f, const char *name);

/* Puts a number, or a bin of so many bytes. */
void rows_put_number(struct fixture *f, struct queue *queue, uint64_t number,
                     const struct put_options *options);
void rows_put_long(struct fixture *f, struct queue *queue, size_t len,
                   const struct put_options *options);
uint64_t rows_number_of(struct slice value);
/* Takes the next item of a plain queue. */
uint64_t rows_get_number(struct queue *queue);
void rows_set_pair(struct dict *dict, const char *name, struct slice value);
void rows_append(struct list *list, uint32_t position, struct slice value);
/* A value that refers to an object by its name. */
struct incoming rows_reference(struct fixture *f, const char *name, struct origin *origin,
                               struct buffer *bytes);

#define ROWS_TEST(name) cmocka_unit_test_setup_teardown(name, rows_set_up, rows_tear_down)
