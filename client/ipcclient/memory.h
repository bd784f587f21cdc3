/*
 * ipcclient/memory: values and arrays, numbers in memory that the processes share. Part of
 * ipcclient.h; opening and closing is described in ipcclient/object.h.
 *
 * A handle maps the memory when it is opened. From then on its functions are operations on that
 * memory: they do not talk to the daemon, do not block (but for the lock), and cost nanoseconds.
 * Getting, setting and adding are atomic, among threads, processes, and the daemon's own methods:
 * no addition is lost. What takes more than one of them needs the lock.
 *
 * Where the memory cannot be mapped (no room for a descriptor or a mapping, no right to read) the
 * same functions call the daemon, with the same results; only the lock and the pointer are not to
 * be had then. A caller without the write bit has the memory mapped for reading only, and what
 * would change it is IPCC_ERR_DENIED.
 *
 * The mapping is inherited by the children of fork(2): a handle that was opened before the fork
 * goes on working in the child, where other handles are IPCC_ERR_FORKED, if it is mapped. It also
 * outlives the object and the daemon: whoever has it mapped goes on with that memory, and an object
 * made later under the name has other memory.
 *
 * The functions with _int are for integers (and booleans, 0 and 1), those with _float for floats,
 * else IPCC_ERR_TYPE; those that take a struct ipcc_value for all of them. What does not fit the
 * typecode is IPCC_ERR_RANGE, and nothing is changed. An integer goes into a float, not the other
 * way round.
 */
#ifndef IPCCLIENT_MEMORY_H
#define IPCCLIENT_MEMORY_H

#include "object.h"

IPCC_DECLARATIONS_BEGIN

struct ipcc_shared_value; /* handles; "shared", since struct ipcc_value and ipcc_array() are */
struct ipcc_shared_array; /* something else: any value of a call */

/* The typecodes are those of Python's struct module: the C types signed char, short, int, long,
 * long long are b h i l q, unsigned B H I L Q, float f, double d, bool ?. It must be given for an
 * object that is created, and for an array `size`, or `initial` that says it. */
struct ipcc_shared_value_options {
    struct ipcc_open_options open;
    struct ipcc_value initial; /* a number, for a value that is created; else 0 */
    char typecode;
    bool unmapped; /* work by calls, even where the memory could be mapped */
    uint64_t reserved[2];
};
struct ipcc_shared_array_options {
    struct ipcc_open_options open;
    struct ipcc_value initial; /* an array of numbers, for an array that is created; else all 0 */
    uint64_t size;             /* how many numbers; it never changes */
    char typecode;
    bool unmapped;
    uint64_t reserved[2];
};

int ipcc_shared_value_open(struct ipcc *conn, const char *name,
                           const struct ipcc_shared_value_options *options,
                           struct ipcc_shared_value **value);
/* If the calling thread holds its lock, it is let go of. */
int ipcc_shared_value_close(struct ipcc_shared_value *value);
const char *ipcc_shared_value_name(const struct ipcc_shared_value *value);

/* The result is required. IPCC_ERR_RANGE: _get_int of what is above INT64_MAX (typecodes L, Q). */
int ipcc_shared_value_get(struct ipcc_shared_value *value, struct ipcc_value *number);
int ipcc_shared_value_get_int(struct ipcc_shared_value *value, int64_t *number);
int ipcc_shared_value_get_float(struct ipcc_shared_value *value, double *number);

int ipcc_shared_value_set(struct ipcc_shared_value *value, struct ipcc_value number);
int ipcc_shared_value_set_int(struct ipcc_shared_value *value, int64_t number);
int ipcc_shared_value_set_float(struct ipcc_shared_value *value, double number);

/* Adds, atomically; *sum is what it then was. A boolean is not added to: IPCC_ERR_TYPE. An int64_t
 * *sum of what is above INT64_MAX is 2^64 less. */
int ipcc_shared_value_add(struct ipcc_shared_value *value, struct ipcc_value delta,
                          struct ipcc_value *sum);
int ipcc_shared_value_add_int(struct ipcc_shared_value *value, int64_t delta, int64_t *sum);
int ipcc_shared_value_add_float(struct ipcc_shared_value *value, double delta, double *sum);

/*
 * The lock in the memory, for what must happen as one: among all threads and processes that take
 * it, by whichever handle; the daemon's own methods do not. A thread holds it, and lets go of it by
 * the handle by which it took it. Waits `timeout_ms`.
 * *abandoned: the process or thread that held it last died meanwhile, so that what the lock guards
 * may be half done; the lock is held and in order all the same.
 * IPCC_ERR_TIMEOUT; IPCC_ERR_BUSY: this thread holds it already; IPCC_ERR_DENIED: mapped for
 * reading only; IPCC_ERR_SYSTEM: not mapped, or the lock was written over.
 */
int ipcc_shared_value_lock(struct ipcc_shared_value *value, int64_t timeout_ms, bool *abandoned);
/* Lets go of it. IPCC_ERR_NOT_OWNER: this thread does not hold it. Does not block. */
int ipcc_shared_value_unlock(struct ipcc_shared_value *value);

/* What is where, for work on the memory itself. */
struct ipcc_shared_layout {
    char typecode;
    bool writable;   /* else writing through the pointer is a SIGSEGV */
    size_t itemsize; /* bytes of each */
    uint64_t count;
    uint64_t reserved[2];
};
/* The numbers in memory, as an array of their C type that is aligned to 64 bytes; NULL if it is not
 * mapped. They change under the reader: read and write them with atomic operations of their size
 * (__atomic_load_n, …), or under the lock if everybody does. It lives as long as the handle.
 * `layout` may be NULL. Does not block. */
void *ipcc_shared_value_data(const struct ipcc_shared_value *value,
                             struct ipcc_shared_layout *layout);

/* ---- Arrays ---------------------------------------------------------------------------------- */

/* Each function does what that of ipcc_shared_value does, with one of the numbers. A negative index
 * counts from the end. IPCC_ERR_INDEX. */

int ipcc_shared_array_open(struct ipcc *conn, const char *name,
                           const struct ipcc_shared_array_options *options,
                           struct ipcc_shared_array **array);
int ipcc_shared_array_close(struct ipcc_shared_array *array);
const char *ipcc_shared_array_name(const struct ipcc_shared_array *array);

int ipcc_shared_array_get(struct ipcc_shared_array *array, int64_t index,
                          struct ipcc_value *number);
int ipcc_shared_array_get_int(struct ipcc_shared_array *array, int64_t index, int64_t *number);
int ipcc_shared_array_get_float(struct ipcc_shared_array *array, int64_t index, double *number);

int ipcc_shared_array_set(struct ipcc_shared_array *array, int64_t index, struct ipcc_value number);
int ipcc_shared_array_set_int(struct ipcc_shared_array *array, int64_t index, int64_t number);
int ipcc_shared_array_set_float(struct ipcc_shared_array *array, int64_t index, double number);

int ipcc_shared_array_add(struct ipcc_shared_array *array, int64_t index, struct ipcc_value delta,
                          struct ipcc_value *sum);
int ipcc_shared_array_add_int(struct ipcc_shared_array *array, int64_t index, int64_t delta,
                              int64_t *sum);
int ipcc_shared_array_add_float(struct ipcc_shared_array *array, int64_t index, double delta,
                                double *sum);

int ipcc_shared_array_len(struct ipcc_shared_array *array, uint64_t *length);

/* The numbers from start to before stop, by Python's rules (IPCC_OMIT), as an array. */
int ipcc_shared_array_slice(struct ipcc_shared_array *array, int64_t start, int64_t stop,
                            struct ipcc_reply *reply);

/* Sets numbers from start on: an array, of which all must fit (IPCC_ERR_VALUE). If one of them
 * cannot be set (IPCC_ERR_TYPE, _RANGE) none is. */
int ipcc_shared_array_set_slice(struct ipcc_shared_array *array, int64_t start,
                                struct ipcc_value numbers);

/* Copies `count` numbers from start on, as the C type of the typecode, to or from `items`: each of
 * them whole, though not all at one moment. IPCC_ERR_VALUE: there are not so many. */
int ipcc_shared_array_read(struct ipcc_shared_array *array, int64_t start, void *items,
                           size_t count);
int ipcc_shared_array_write(struct ipcc_shared_array *array, int64_t start, const void *items,
                            size_t count);

int ipcc_shared_array_lock(struct ipcc_shared_array *array, int64_t timeout_ms, bool *abandoned);
int ipcc_shared_array_unlock(struct ipcc_shared_array *array);

void *ipcc_shared_array_data(const struct ipcc_shared_array *array,
                             struct ipcc_shared_layout *layout);

IPCC_DECLARATIONS_END

#endif /* IPCCLIENT_MEMORY_H */
