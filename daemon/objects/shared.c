/* shared: see shared.h. Tests: tests/unit/objects/model_shared.c, tests/unit/methods/test_shared.c.
 */
#include "daemon/objects/shared.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "daemon/objects/bulk.h"
#include "daemon/objects/row_form.h"

_Static_assert(sizeof(pthread_mutex_t) <= SHARED_ITEMS - SHARED_LOCK, "the lock has no room");

enum { ROW_MEMORY = 1 };

enum { CLOSED_AT_ONCE = 1024 * 1024 }; /* bytes: the descriptor of a larger one is left to others */

static void shared_clear(struct object *object, struct pace *pace)
{
    struct shared *shared = shared_of(object);
    mapping_unmap(&shared->mapping, pace);
    descriptor_unref(shared->descriptor);
    shared->descriptor = NULL;
    object_release(object, object->bytes);
}

static uint64_t shared_weight(const struct object *object)
{
    return ((const struct shared *)object)->mapping.size / BULK_FREE_STEP;
}

static size_t describe_item(const struct shared *shared, struct buffer *out)
{
    const struct slice code = {(const uint8_t *)&shared->item->code, 1};
    pack_key_str(out, "typecode", code);
    pack_key_uint(out, "itemsize", shared->item->size);
    return 2;
}

static size_t value_describe(const struct object *object, struct buffer *out, uint64_t now)
{
    return describe_item((const struct shared *)object, out);
}

static size_t array_describe(const struct object *object, struct buffer *out, uint64_t now)
{
    const struct shared *shared = (const struct shared *)object;
    pack_key_uint(out, "size", shared->count);
    return 1 + describe_item(shared, out);
}

static unsigned shared_descriptors(const struct object *object,
                                   struct descriptor *out[OBJECT_DESCRIPTORS])
{
    out[0] = ((const struct shared *)object)->descriptor;
    return 1;
}

/* The lock for clients, in fresh memory. */
static int init_lock(struct shared *shared)
{
    pthread_mutexattr_t attributes;
    void *lock = shared->mapping.memory + SHARED_LOCK;
    int error = pthread_mutexattr_init(&attributes);
    if (error != 0) {
        errno = error;
        return ERR_MEMORY;
    }
    error = pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    if (error == 0) {
        error = pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    }
    if (error == 0) {
        error = pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ERRORCHECK);
    }
    if (error == 0) {
        error = pthread_mutex_init(lock, &attributes);
    }
    (void)pthread_mutexattr_destroy(&attributes);
    errno = error;
    return error == 0 ? 0 : ERR_MEMORY;
}

/* The bytes of a mapping with so many items, in whole pages; saturates. */
static size_t size_for(const struct shared_options *options)
{
    size_t size;
    if (__builtin_mul_overflow(options->count, options->item->size, &size) ||
        __builtin_add_overflow(size, SHARED_ITEMS, &size)) {
        size = SIZE_MAX;
    }
    return mapping_size(size);
}

/* Whoever closes the last descriptor of a large one gives all its pages back. */
static bool is_soon_closed(const struct shared *shared)
{
    return shared->mapping.size <= CLOSED_AT_ONCE;
}

/* The memory, charged before it is taken. */
static int init_memory(struct shared *shared, size_t size)
{
    int status = object_charge(&shared->object, size + descriptor_cost());
    if (status < 0) {
        return status;
    }
    status = mapping_init(&shared->mapping, size);
    if (status < 0) {
        return status;
    }
    status = descriptor_new(shared->object.user, shared->mapping.fd, &shared->descriptor);
    if (status < 0) {
        (void)close(shared->mapping.fd);
        return status;
    }
    shared->descriptor->ours = is_soon_closed(shared);
    return init_lock(shared);
}

int shared_new(const struct object_options *common, const struct shared_options *options,
               struct shared **out)
{
    struct shared *shared = calloc(1, sizeof(*shared));
    if (shared == NULL) {
        return ERR_MEMORY;
    }
    int status = object_init(&shared->object, options->type, common);
    if (status < 0) {
        free(shared);
        return status;
    }
    shared->item = options->item;
    shared->count = options->count;
    status = init_memory(shared, size_for(options));
    if (status < 0) {
        int error = errno;
        object_unref(&shared->object);
        errno = error;
        return status;
    }
    *out = shared;
    return 0;
}

static void shared_save_options(const struct object *object, struct buffer *out)
{
    const struct shared *shared = (const struct shared *)object;
    pack_uint(out, (uint8_t)shared->item->code);
    pack_uint(out, shared->count);
}

/* The descriptor, which only those can find again who take this daemon's place. */
static int shared_save(struct object *object, enum rows which, const struct row_writer *out,
                       const struct moment *now)
{
    struct buffer value = {0};
    struct row_key key;
    row_begin(&value);
    pack_uint(&value, out->descriptor(out->data, shared_of(object)->descriptor));
    int status = row_put(out, row_key(&key, ROW_MEMORY, 0), &value);
    buffer_deinit(&value);
    return status;
}

/* Without its memory, for now. */
static int make(const struct object_options *common, const struct object_type *type,
                struct row *row, struct object **out)
{
    struct shared_options options = {.type = type};
    options.item = typecode_find((char)row_below(row, 128));
    options.count = row_uint(row);
    row->bad = row->bad || options.item == NULL;
    int status = row_close(row, "shared memory");
    if (status < 0) {
        return status;
    }
    struct shared *shared = calloc(1, sizeof(*shared));
    status = shared == NULL ? ERR_MEMORY : object_init(&shared->object, type, common);
    if (status < 0) {
        free(shared);
        return status;
    }
    shared->item = options.item;
    shared->count = options.count;
    *out = &shared->object;
    return 0;
}

static int value_make(const struct object_options *common, struct row *row, struct object **out)
{
    return make(common, &shared_value_type, row, out);
}

static int array_make(const struct object_options *common, struct row *row, struct object **out)
{
    return make(common, &shared_array_type, row, out);
}

/* The memory that there is, with all that clients have in it. */
static int shared_load(struct object *object, struct slice key, struct slice value,
                       struct row_reader *reader)
{
    struct shared *shared = shared_of(object);
    struct row row;
    if (!row_open(&row, value, reader, "shared memory")) {
        return ERR_VALUE;
    }
    struct descriptor *descriptor = row_descriptor(&row);
    int status = row_close(&row, "shared memory");
    if (status < 0 || shared->descriptor != NULL) {
        descriptor_unref(descriptor);
        return ERR_VALUE;
    }
    const struct shared_options options = {.item = shared->item, .count = shared->count};
    size_t size = size_for(&options);
    shared->descriptor = descriptor;
    object_charge_always(object, size + descriptor_cost());
    return mapping_take_over(&shared->mapping, descriptor->fd, size);
}

static int shared_loaded(struct object *object, struct row_reader *reader)
{
    if (shared_of(object)->descriptor == NULL) {
        (void)snprintf(reader->why, sizeof(reader->why), "%s \"%s\" has no memory",
                       object_type_name(object), object->name);
        return ERR_VALUE;
    }
    return 0;
}

const struct object_type shared_value_type = {
    .kind = OBJECT_VALUE,
    .size = sizeof(struct shared),
    .clear = shared_clear,
    .describe = value_describe,
    .descriptors = shared_descriptors,
    .save_options = shared_save_options,
    .make = value_make,
    .save = shared_save,
    .load = shared_load,
    .loaded = shared_loaded,
};

const struct object_type shared_array_type = {
    .kind = OBJECT_ARRAY,
    .size = sizeof(struct shared),
    .clear = shared_clear,
    .describe = array_describe,
    .descriptors = shared_descriptors,
    .weight = shared_weight,
    .save_options = shared_save_options,
    .make = array_make,
    .save = shared_save,
    .load = shared_load,
    .loaded = shared_loaded,
};

int shared_position(const struct shared *shared, int64_t index, uint64_t *position)
{
    /* The count is far below 2^63: it was charged for. */
    int64_t at = index < 0 ? index + (int64_t)shared->count : index;
    if (at < 0 || (uint64_t)at >= shared->count) {
        return ERR_INDEX;
    }
    *position = (uint64_t)at;
    return 0;
}

static void *item_at(const struct shared *shared, uint64_t position)
{
    return shared->mapping.memory + SHARED_ITEMS + position * shared->item->size;
}

uint64_t shared_get(const struct shared *shared, uint64_t position)
{
    return typecode_load(shared->item, item_at(shared, position));
}

void shared_set(struct shared *shared, uint64_t position, uint64_t bits)
{
    typecode_store(shared->item, item_at(shared, position), bits);
}

int shared_add(struct shared *shared, uint64_t position, const struct header *delta, uint64_t *sum)
{
    return typecode_add(shared->item, item_at(shared, position), delta, sum);
}

int shared_descriptor(const struct shared *shared, bool writable, struct user *reader,
                      struct descriptor **out)
{
    if (writable) {
        *out = descriptor_ref(shared->descriptor);
        return 0;
    }
    int fd = mapping_open_read(&shared->mapping);
    if (fd < 0) {
        return fd;
    }
    int status = descriptor_new(reader, fd, out);
    if (status < 0) {
        (void)close(fd);
        return status;
    }
    (*out)->ours = is_soon_closed(shared);
    return 0;
}

size_t shared_lock_size(void)
{
    return sizeof(pthread_mutex_t);
}
