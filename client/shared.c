/* shared: opening, mapping, and single numbers; see shared.h. */
#include "client/shared.h"

#include <stdlib.h>
#include <errno.h>
#include <sys/mman.h>
#include <sys/stat.h>

/* ---- opening --------------------------------------------------------------------------------- */

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
    struct ipcc_reply reply;
    int status = ipcc_object_describe(shared->handle->conn, shared->handle->name, &reply);
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

/* ---- one number ------------------------------------------------------------------------------ */

struct header shared_number(const struct ipcc_value *value)
{
    switch (value->kind) {
    case IPCC_BOOL:
        return (struct header){.kind = KIND_BOOL, .b = value->as.boolean};
    case IPCC_INT:
        return (struct header){.kind = KIND_INT, .i = value->as.integer};
    case IPCC_UINT:
        return (struct header){.kind = KIND_UINT, .u = value->as.unsigned_integer};
    case IPCC_FLOAT:
        return (struct header){.kind = KIND_FLOAT, .f = value->as.number};
    default:
        return (struct header){.kind = KIND_NIL};
    }
}

static struct ipcc_value value_of(const struct header *number)
{
    switch (number->kind) {
    case KIND_BOOL:
        return ipcc_bool(number->b);
    case KIND_INT:
        return ipcc_int(number->i);
    case KIND_UINT:
        return ipcc_uint(number->u);
    case KIND_FLOAT:
        return ipcc_float(number->f);
    default:
        return ipcc_nil();
    }
}

int shared_refuse(const struct shared *shared, const char *method, int status)
{
    return error_set(status,
                     status == IPCC_ERR_RANGE
                         ? "%s: the number does not fit typecode %c; nothing was changed"
                         : "%s: a number of this kind does not go with typecode %c",
                     method, shared->item->code);
}

int shared_check_writable(const struct shared *shared, const char *method)
{
    if (shared->memory == NULL || shared->writable) {
        return 0;
    }
    return error_set(IPCC_ERR_DENIED, "%s needs the write bit on \"%s\": it is mapped for reading",
                     method, shared->handle->name);
}

/* The call that does it where the memory is not mapped. */
static int call_item(const struct shared *shared, const char *method, int64_t index,
                     const struct header *number, struct header *result)
{
    struct typed_call call = {.method = method};
    unsigned count = 0;
    if (shared->methods->indexed) {
        call.params[count++] = ipcc_int(index);
    }
    if (number != NULL) {
        call.params[count] = value_of(number);
    }
    struct ipcc_reply reply;
    int status = handle_call(shared->handle, &call, &reply);
    if (status < 0 || result == NULL) {
        ipcc_reply_free(&reply);
        return status;
    }
    *result = shared_number(&reply.value);
    if (result->kind == KIND_NIL) {
        return wrong_answer(method, "a number", &reply);
    }
    ipcc_reply_free(&reply);
    return 0;
}

static int no_handle(void)
{
    return error_set(IPCC_ERR_ARGUMENT, "a value or array needs a handle, not NULL");
}

static int no_such_index(const struct shared *shared, const char *method, int64_t index)
{
    return error_set(IPCC_ERR_INDEX, "%s: index %lld is out of range: \"%s\" has %llu items",
                     method, (long long)index, shared->handle->name,
                     (unsigned long long)shared->count);
}

/* The item that an index means, or NULL. */
static void *find(const struct shared *shared, int64_t index)
{
    uint64_t position = (uint64_t)(index < 0 ? index + (int64_t)shared->count : index);
    return position < shared->count ? shared_item(shared, position) : NULL;
}

int shared_get(const struct shared *shared, int64_t index, struct header *number)
{
    if (shared == NULL) {
        return no_handle();
    }
    const char *method = shared->methods->get;
    if (shared->items == NULL) {
        return call_item(shared, method, index, NULL, number);
    }
    const void *item = find(shared, index);
    if (item == NULL) {
        return no_such_index(shared, method, index);
    }
    typecode_decode(shared->item, typecode_load(shared->item, item), number);
    return 0;
}

int shared_set(const struct shared *shared, int64_t index, const struct header *number)
{
    if (shared == NULL) {
        return no_handle();
    }
    const char *method = shared->methods->set;
    if (shared->items == NULL) {
        return call_item(shared, method, index, number, NULL);
    }
    void *item = find(shared, index);
    uint64_t bits;
    if (!shared->writable) {
        return shared_check_writable(shared, method);
    }
    if (item == NULL) {
        return no_such_index(shared, method, index);
    }
    int status = typecode_encode(shared->item, number, &bits);
    if (status < 0) {
        return shared_refuse(shared, method, status);
    }
    typecode_store(shared->item, item, bits);
    return 0;
}

int shared_add(const struct shared *shared, int64_t index, const struct header *delta,
               struct header *sum)
{
    if (shared == NULL) {
        return no_handle();
    }
    const char *method = shared->methods->add;
    if (shared->items == NULL) {
        return call_item(shared, method, index, delta, sum);
    }
    void *item = find(shared, index);
    uint64_t bits;
    if (!shared->writable) {
        return shared_check_writable(shared, method);
    }
    if (item == NULL) {
        return no_such_index(shared, method, index);
    }
    int status = typecode_add(shared->item, item, delta, &bits);
    if (status < 0) {
        return shared_refuse(shared, method, status);
    }
    typecode_decode(shared->item, bits, sum);
    return 0;
}

/* ---- as C types ------------------------------------------------------------------------------ */

/* The functions with _int are for all but floats, those with _float for floats. */
static int check_kind(const struct shared *shared, bool is_float, const char *suffix)
{
    if (shared == NULL) {
        return no_handle();
    }
    if ((shared->item->kind == TYPECODE_FLOAT) != is_float) {
        return error_set(IPCC_ERR_TYPE, "\"%s\" has typecode %c; the functions with %s are for %s",
                         shared->handle->name, shared->item->code, suffix,
                         is_float ? "f and d" : "the others");
    }
    return 0;
}

static int check_int(const struct shared *shared)
{
    return check_kind(shared, false, "_int");
}

static int check_float(const struct shared *shared)
{
    return check_kind(shared, true, "_float");
}

static int no_result(void)
{
    return error_set(IPCC_ERR_ARGUMENT, "getting a number needs a place for it, not NULL");
}

int shared_get_value(const struct shared *shared, int64_t index, struct ipcc_value *number)
{
    struct header got;
    int status = number == NULL ? no_result() : shared_get(shared, index, &got);
    if (status == 0) {
        *number = value_of(&got);
    }
    return status;
}

int shared_get_int(const struct shared *shared, int64_t index, int64_t *number)
{
    struct header got;
    int status = number == NULL ? no_result() : check_int(shared);
    status = status < 0 ? status : shared_get(shared, index, &got);
    if (status < 0) {
        return status;
    }
    if (got.kind == KIND_UINT) {
        return error_set(IPCC_ERR_RANGE, "%s: the number is above INT64_MAX", shared->methods->get);
    }
    *number = got.kind == KIND_BOOL ? got.b : got.i;
    return 0;
}

int shared_get_float(const struct shared *shared, int64_t index, double *number)
{
    struct header got;
    int status = number == NULL ? no_result() : check_float(shared);
    status = status < 0 ? status : shared_get(shared, index, &got);
    if (status == 0) {
        *number = got.f;
    }
    return status;
}

int shared_set_value(const struct shared *shared, int64_t index, struct ipcc_value number)
{
    const struct header header = shared_number(&number);
    return shared_set(shared, index, &header);
}

int shared_set_int(const struct shared *shared, int64_t index, int64_t number)
{
    const struct header header = {.kind = KIND_INT, .i = number};
    int status = check_int(shared);
    return status < 0 ? status : shared_set(shared, index, &header);
}

int shared_set_float(const struct shared *shared, int64_t index, double number)
{
    const struct header header = {.kind = KIND_FLOAT, .f = number};
    int status = check_float(shared);
    return status < 0 ? status : shared_set(shared, index, &header);
}

int shared_add_value(const struct shared *shared, int64_t index, struct ipcc_value delta,
                     struct ipcc_value *sum)
{
    const struct header more = shared_number(&delta);
    struct header result;
    int status = shared_add(shared, index, &more, &result);
    if (status == 0 && sum != NULL) {
        *sum = value_of(&result);
    }
    return status;
}

int shared_add_int(const struct shared *shared, int64_t index, int64_t delta, int64_t *sum)
{
    const struct header more = {.kind = KIND_INT, .i = delta};
    struct header result;
    int status = check_int(shared);
    status = status < 0 ? status : shared_add(shared, index, &more, &result);
    if (status == 0 && sum != NULL) {
        *sum = result.i; /* the same bits as result.u */
    }
    return status;
}

int shared_add_float(const struct shared *shared, int64_t index, double delta, double *sum)
{
    const struct header more = {.kind = KIND_FLOAT, .f = delta};
    struct header result;
    int status = check_float(shared);
    status = status < 0 ? status : shared_add(shared, index, &more, &result);
    if (status == 0 && sum != NULL) {
        *sum = result.f;
    }
    return status;
}

/* ---- the lock, the memory -------------------------------------------------------------------- */

/* Why the lock was not taken, from errno's number. */
static int lock_error(const struct shared *shared, int error, int64_t timeout_ms)
{
    const char *method = shared->methods->lock;
    char text[128];
    switch (error) {
    case ETIMEDOUT:
    case EBUSY:
        return error_set(IPCC_ERR_TIMEOUT, "%s: the lock in \"%s\" was held for all of %lld ms",
                         method, shared->handle->name, (long long)timeout_ms);
    case EDEADLK:
        return error_set(IPCC_ERR_BUSY, "%s: this thread holds the lock in \"%s\" already", method,
                         shared->handle->name);
    case EPERM:
        return error_set(IPCC_ERR_NOT_OWNER, "%s: this thread does not hold the lock in \"%s\"",
                         method, shared->handle->name);
    default:
        return error_set(IPCC_ERR_SYSTEM, "%s: the lock in \"%s\" is out of order: %s", method,
                         shared->handle->name, strerror_r(error, text, sizeof(text)));
    }
}

static int check_lock(const struct shared *shared)
{
    if (shared == NULL) {
        return no_handle();
    }
    if (shared->lock == NULL) {
        return error_set(IPCC_ERR_SYSTEM,
                         "%s: the memory of \"%s\" is not mapped here, and its "
                         "lock is in it",
                         shared->methods->lock, shared->handle->name);
    }
    return shared_check_writable(shared, shared->methods->lock);
}

static int wait_for(pthread_mutex_t *lock, int64_t timeout_ms)
{
    int64_t deadline = timeout_ms == 0 ? 0 : deadline_in(timeout_ms);
    if (timeout_ms == 0) {
        return pthread_mutex_trylock(lock);
    }
    if (deadline == NEVER) {
        return pthread_mutex_lock(lock);
    }
    deadline++; /* the clock's part of a millisecond that has begun */
    const struct timespec until = {.tv_sec = deadline / 1000, .tv_nsec = deadline % 1000 * 1000000};
    return pthread_mutex_clocklock(lock, CLOCK_MONOTONIC, &until);
}

int shared_lock(const struct shared *shared, int64_t timeout_ms, bool *abandoned)
{
    int status = check_lock(shared);
    status = status < 0 ? status : timeout_check(timeout_ms);
    if (status < 0) {
        return status;
    }
    int error = wait_for(shared->lock, timeout_ms);
    bool died = error == EOWNERDEAD;
    if (died) {
        error = pthread_mutex_consistent(shared->lock);
    }
    if (error != 0) {
        return lock_error(shared, error, timeout_ms);
    }
    if (abandoned != NULL) {
        *abandoned = died;
    }
    return 0;
}

int shared_unlock(const struct shared *shared)
{
    int status = check_lock(shared);
    if (status < 0) {
        return status;
    }
    int error = pthread_mutex_unlock(shared->lock);
    return error == 0 ? 0 : lock_error(shared, error, 0);
}

void *shared_data(const struct shared *shared, struct ipcc_shared_layout *layout)
{
    if (shared == NULL) {
        return NULL;
    }
    if (layout != NULL) {
        *layout =
            (struct ipcc_shared_layout){.typecode = shared->item->code,
                                        .writable = shared->memory != NULL && shared->writable,
                                        .itemsize = shared->item->size,
                                        .count = shared->count};
    }
    return shared->items;
}
