/* rows_fixture: see rows_fixture.h. */
#include "tests/unit/objects/rows_fixture.h"

#include <stdlib.h>

int rows_set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    world_init(&f->world);
    f->world.options.lifetime = LIFETIME_DURABLE;
    registry_init(&f->registry, 7);
    f->now = (struct moment){1000 * NS_PER_MS, UINT64_C(1700000000000000)};
    *state = f;
    return 0;
}

/* All objects go, without a trace in the rows. */
void rows_end_objects(struct fixture *f)
{
    struct object *object = registry_from(&f->registry, 0);
    for (; object != NULL; object = registry_from(&f->registry, object->entry.seq + 1)) {
        object_unready(object);
    }
    registry_deinit(&f->registry);
    user_give_back(f->world.user, RESOURCE_OBJECTS, f->world.user->objects);
    assert_int_equal(f->world.user->bytes, 0);
}

int rows_tear_down(void **state)
{
    struct fixture *f = *state;
    rows_end_objects(f);
    row_map_deinit(&f->rows);
    world_deinit(&f->world);
    free(f);
    return 0;
}

/* An object is in the registry, which has the only reference. */
static void enter(struct fixture *f, struct object *object)
{
    assert_int_equal(registry_add(&f->registry, object), 0);
    assert_int_equal(user_take(f->world.user, RESOURCE_OBJECTS, 1), 0);
    object_unref(object);
}

struct queue *rows_make_queue(struct fixture *f, const struct queue_options *options)
{
    struct queue *queue;
    assert_int_equal(queue_new(&f->world.options, options, &queue), 0);
    enter(f, &queue->object);
    return queue;
}

struct dict *rows_make_dict(struct fixture *f)
{
    struct dict *dict;
    assert_int_equal(dict_new(&f->world.options, &(struct dict_options){.seed = 7}, &dict), 0);
    enter(f, &dict->object);
    return dict;
}

struct list *rows_make_list(struct fixture *f)
{
    struct list *list;
    assert_int_equal(list_new(&f->world.options, &list), 0);
    enter(f, &list->object);
    return list;
}

/* A commit, whose rows are counted anew. */
void rows_save(struct fixture *f)
{
    f->rows.puts = 0;
    f->rows.removes = 0;
    f->rows.bytes = 0;
    row_map_save(&f->rows, &f->registry, f->now);
}

/* The daemon is gone and comes back after so many milliseconds, with a clock that begins anew. */
void rows_restart(struct fixture *f, uint64_t ms)
{
    rows_end_objects(f);
    registry_init(&f->registry, 7);
    f->now.wall_us += ms * 1000;
    f->now.monotonic_ns = 5 * NS_PER_MS;
    assert_int_equal(row_map_load(&f->rows, &f->registry, &f->world.accounts, f->now, NULL), 0);
}

struct object *rows_find(struct fixture *f, const char *name)
{
    struct object *object = registry_find(&f->registry, slice_of_string(name));
    assert_non_null(object);
    return object;
}

void rows_put_number(struct fixture *f, struct queue *queue, uint64_t number,
                     const struct put_options *options)
{
    struct buffer bytes = {0};
    pack_uint(&bytes, number);
    assert_int_equal(
        queue_put(queue, incoming_plain(buffer_slice(&bytes)), options, f->now.monotonic_ns), 0);
    buffer_deinit(&bytes);
}

/* A bin of so many bytes. */
void rows_put_long(struct fixture *f, struct queue *queue, size_t len,
                   const struct put_options *options)
{
    struct buffer bytes = {0};
    uint8_t *data = calloc(1, len);
    pack_bin(&bytes, (struct slice){data, len});
    assert_int_equal(
        queue_put(queue, incoming_plain(buffer_slice(&bytes)), options, f->now.monotonic_ns), 0);
    buffer_deinit(&bytes);
    free(data);
}

uint64_t rows_number_of(struct slice value)
{
    struct header header;
    assert_int_equal(header_read(value.data, value.len, &header), 0);
    return (uint64_t)header.i;
}

/* Takes the next item of a plain queue. */
uint64_t rows_get_number(struct queue *queue)
{
    struct delivery head;
    assert_int_equal(queue_head(queue, &head), 0);
    uint64_t number = rows_number_of(head.value.bytes);
    queue_drop_head(queue);
    return number;
}

void rows_set_pair(struct dict *dict, const char *name, struct slice value)
{
    struct buffer bytes = {0};
    struct dict_key key;
    struct key_fault fault;
    pack_string(&bytes, name);
    assert_int_equal(dict_key_init(&key, dict, buffer_slice(&bytes), &fault, NULL), 0);
    assert_int_equal(dict_set(dict, &key, dict_find(dict, &key), incoming_plain(value), NULL), 0);
    dict_key_deinit(&key);
    buffer_deinit(&bytes);
}

void rows_append(struct list *list, uint32_t position, struct slice value)
{
    assert_int_equal(list_insert(list, position, incoming_plain(value), NULL), 0);
}

/* A value that refers to an object by its name. */
struct incoming rows_reference(struct fixture *f, const char *name, struct origin *origin,
                               struct buffer *bytes)
{
    static const struct credentials root;
    bytes->len = 0;
    pack_ext(bytes, EXT_REFERENCE, slice_of_string(name));
    *origin = (struct origin){.registry = &f->registry, .sender = &root};
    return (struct incoming){.bytes = buffer_slice(bytes), .origin = origin};
}
