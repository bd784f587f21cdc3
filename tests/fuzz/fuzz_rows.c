/*
 * fuzz_rows: any bytes as the rows of objects.
 *
 * The input is a run of rows: the object's number and the length of the key, a byte each, the key,
 * the length of the value in two bytes, the lower first, and the value. They are loaded in that
 * order. What comes of it is used: described, given back, time passes, it is saved whole and as
 * what has changed, and emptied. At the end nothing may be charged.
 */
#include <assert.h>
#include <stdlib.h>

#include "daemon/objects/saving.h"
#include "daemon/objects/waits.h"

enum { WALL_US = 1700000000 };

static const struct moment now = {1000000000, WALL_US};

/* The sizes of what is put. */
static int count_put(void *data, struct slice key, struct slice value)
{
    *(uint64_t *)data += key.len + value.len;
    return 0;
}

static int count_remove(void *data, struct slice key)
{
    *(uint64_t *)data += key.len;
    return 0;
}

static int count_remove_all(void *data)
{
    return 0;
}

static struct slice take(struct slice *rest, size_t len)
{
    struct slice bytes = {rest->data, len < rest->len ? len : rest->len};
    *rest = slice_from(*rest, bytes.len);
    return bytes;
}

static size_t take_byte(struct slice *rest)
{
    struct slice byte = take(rest, 1);
    return byte.len == 1 ? byte.data[0] : 0;
}

/* Twice, as the objects' own rows come first. */
static int load(struct row_reader *reader, struct slice rest, bool own)
{
    int status = 0;
    while (rest.len > 0 && status == 0) {
        uint64_t number = take_byte(&rest);
        struct slice key = take(&rest, take_byte(&rest));
        size_t len = take_byte(&rest);
        struct slice value = take(&rest, len | take_byte(&rest) << 8);
        if (own && key.len == 0) {
            status = loading_object(reader, number, value);
        } else if (!own && key.len > 0) {
            status = loading_row(reader, number, key, value);
        }
    }
    return status;
}

static void use(struct object *object)
{
    uint64_t size = 0;
    const struct row_writer out = {
        .put = count_put, .remove = count_remove, .remove_all = count_remove_all, .data = &size};
    struct buffer description = {0};
    int status = object_save(object, ROWS_CHANGED, &out, &now);
    assert(status == 0);
    (void)object->type->describe(object, &description, now.monotonic_ns);
    buffer_deinit(&description);
    if (object->type->give_back_untied != NULL) {
        object->type->give_back_untied(object, now.monotonic_ns);
    }
    for (uint64_t time = now.monotonic_ns; time < TIME_NEVER / 2; time *= 4) {
        object_tick(object, time, NULL);
        if (object->type->pass_on != NULL) {
            object->type->pass_on(object, time);
        }
    }
    status = object_save(object, ROWS_ALL, &out, &now);
    assert(status == 0);
    object_unsaved(object, UNSAVED_ALL);
    status = object_save(object, ROWS_CHANGED, &out, &now);
    assert(status == 0);
    object_clear(object, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct accounts accounts;
    struct registry registry;
    struct slice rows = {data, size};
    accounts_init(&accounts, 0);
    registry_init(&registry, 7);
    struct row_reader reader = {.registry = &registry, .accounts = &accounts, .now = now};
    loading_begin(&reader);
    int status = load(&reader, rows, true);
    status = status < 0 ? status : load(&reader, rows, false);
    int end = loading_end(&reader);
    assert(end == 0 || end == ERR_VALUE);
    assert(status == 0 || status == end);
    assert((end == ERR_VALUE) == (reader.why[0] != '\0'));
    struct object *object = registry_from(&registry, 0);
    for (; object != NULL; object = registry_from(&registry, object->entry.seq + 1)) {
        if (end == 0) {
            use(object);
        }
        object_unready(object);
        user_give_back(object->user, RESOURCE_OBJECTS, 1);
    }
    registry_deinit(&registry);
    assert(accounts.bytes == 0 && accounts.objects == 0);
    accounts_deinit(&accounts);
    return 0;
}
