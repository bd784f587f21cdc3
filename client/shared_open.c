/*
 * shared_open: see shared_open.h.
 *
 * Tests: tests/system/test_client_memory.c.
 */
#include "client/shared_open.h"

#include "client/shared_lock.h"
#include "client/walk.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>

/* Takes typecode and count from the layout or the description. */
static bool read_item(struct shared *shared, const struct ipcc_value *map, const char *count)
{
    struct ipcc_value code;
    if (ipcc_map_get(map, "typecode", &code) < 0 || code.kind != IPCC_STR || code.length != 1) {
        return false;
    }
    shared->item = typecode_find(code.as.str[0]);
    shared->count = 1;
    return shared->item != NULL && (count == NULL || map_count(map, count, &shared->count));
}

/* The lock, if it is one that this program's C library has. */
static void read_lock(struct shared *shared, const struct ipcc_value *layout, uint64_t items)
{
    struct ipcc_value lock;
    struct ipcc_value kind;
    uint64_t offset;
    uint64_t size;
    if (ipcc_map_get(layout, "lock", &lock) == 0 && ipcc_map_get(&lock, "kind", &kind) == 0 &&
        ipcc_value_is_str(&kind, "pthread_mutex") && map_count(&lock, "offset", &offset) &&
        map_count(&lock, "size", &size) && size == sizeof(pthread_mutex_t) && offset < items &&
        size <= items - offset && offset % _Alignof(pthread_mutex_t) == 0) {
        shared->lock = (pthread_mutex_t *)(void *)(shared->memory + offset);
    }
}

/* True if so many items stand within the memory, which cannot shrink. */
static bool is_sound(const struct shared *shared, uint64_t offset, int fd)
{
    struct stat status;
    uint64_t bytes;
    return fstat(fd, &status) == 0 && (uint64_t)status.st_size == shared->size &&
           (fcntl(fd, F_GET_SEALS) & F_SEAL_SHRINK) != 0 && offset % sizeof(uint64_t) == 0 &&
           !__builtin_mul_overflow(shared->count, shared->item->size, &bytes) &&
           offset <= shared->size && bytes <= shared->size - offset;
}

/* Maps what an answer [fd, layout] says. False: this cannot be done here. */
static bool map_memory(struct shared *shared, const struct ipcc_reply *reply)
{
    struct ipcc_value descriptor;
    struct ipcc_value layout;
    bool writable;
    uint64_t offset;
    uint64_t size;
    struct ipcc_walk walk = ipcc_walk_of(&reply->value);
    if (!ipcc_walk_next(&walk, &descriptor) || !ipcc_walk_next(&walk, &layout) ||
        !read_item(shared, &layout, "count") || !map_count(&layout, "offset", &offset) ||
        !map_count(&layout, "size", &size) || !map_bool(&layout, "writable", &writable)) {
        return false;
    }
    int fd = ipcc_reply_fd(reply, &descriptor);
    shared->size = size;
    shared->writable = writable;
    if (fd < 0 || !is_sound(shared, offset, fd)) {
        return false;
    }
    int protection = shared->writable ? PROT_READ | PROT_WRITE : PROT_READ;
    void *memory = mmap(NULL, size, protection, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED) {
        return false;
    }
    shared->memory = memory;
    shared->items = shared->memory + offset;
    read_lock(shared, &layout, offset);
    return true;
}

/* What must be known of memory that is not mapped. */
static int describe(struct shared *shared)
{
    const struct typed_call call = {.method = "object.describe"};
    struct ipcc_reply reply;
    int status = handle_call(shared->handle, &call, &reply);
    if (status < 0) {
        return status;
    }
    if (!read_item(shared, &reply.value, shared->methods->indexed ? "size" : NULL)) {
        return wrong_answer("object.describe", "that of a value or array", &reply);
    }
    ipcc_reply_free(&reply);
    return 0;
}

/* Maps the memory; if that cannot be done the calls must do. */
static int attach(struct shared *shared, bool unmapped)
{
    struct ipcc_reply reply;
    if (!unmapped) {
        const struct typed_call call = {.method = shared->methods->map};
        int status = handle_call(shared->handle, &call, &reply);
        bool mapped = status == 0 && map_memory(shared, &reply);
        ipcc_reply_free(&reply);
        if (mapped) {
            return 0;
        }
    }
    return describe(shared);
}

static int open_object(struct ipcc *conn, const char *name, const struct shared_options *options,
                       struct option_map *map, struct handle **handle)
{
    char code[2] = {options->typecode, '\0'};
    option_str(map, "typecode", options->typecode != '\0' ? code : NULL);
    option_value(map, "initial", options->initial);
    int status = options->open != NULL ? option_open(map, options->open) : 0;
    return status < 0 ? status : handle_open(conn, options->methods->open, name, map, handle);
}

int shared_open(struct ipcc *conn, const char *name, const struct shared_options *options,
                struct option_map *map, struct shared **shared)
{
    if (shared == NULL) {
        return error_set(IPCC_ERR_ARGUMENT, "%s needs a place for the handle",
                         options->methods->open);
    }
    struct shared *made = calloc(1, sizeof(*made));
    if (made == NULL) {
        return error_set(IPCC_ERR_NO_MEMORY, "no memory for a handle");
    }
    made->methods = options->methods;
    int status = open_object(conn, name, options, map, &made->handle);
    if (status < 0) {
        free(made);
        return status;
    }
    status = attach(made, options->unmapped);
    if (status < 0) {
        char message[MESSAGE_TEXT];
        message_format(message, "%s", ipcc_last_message());
        (void)shared_close(made);
        return error_set(status, "%s", message);
    }
    *shared = made;
    return 0;
}

int shared_close(struct shared *shared)
{
    if (shared == NULL) {
        return 0;
    }
    if (shared->memory != NULL) {
        (void)shared_unlock(shared); /* a thread that holds it must not be left with the address */
        (void)munmap(shared->memory, shared->size);
    }
    int status = handle_close(shared->handle);
    free(shared);
    return status;
}
