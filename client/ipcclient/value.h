/*
 * ipcclient/value: values as params and in answers, and the replies that answers come in. None of
 * these functions talks to the daemon or blocks. Part of ipcclient.h.
 */
#ifndef IPCCLIENT_VALUE_H
#define IPCCLIENT_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "declarations.h"

IPCC_DECLARATIONS_BEGIN

struct msgpack_object; /* of msgpack-c; see ipcclient/msgpack.h */

/*
 * A value is one MessagePack value. Scalars are in the struct; everything else is pointed at, never
 * owned: as a param it must stay as it is until the function returns (also the asynchronous ones,
 * which copy it); in an answer it lives as long as the reply that it came with.
 *
 * Answers use NIL to BIN, and RAW for what is nested (arrays, maps) and for ext types: look into it
 * with ipcc_walk_of or ipcc_map_get (or ipcc_value_unpack of ipcclient/msgpack.h). An answer's
 * integer is INT whenever it fits, UINT only above INT64_MAX. Params may be of any kind.
 *
 * File descriptors. A value can be an open file, socket, memfd or whatever else has a descriptor,
 * or hold up to 16 of them, anywhere: make it with ipcc_descriptor. The call duplicates the
 * descriptor, so the caller may close his own as soon as the function returns, also an asynchronous
 * one. From then on the daemon keeps it, whatever becomes of the process that sent it. In an answer
 * it is a RAW value (ext type 2) that names a descriptor of the reply: ipcc_reply_fd,
 * ipcc_reply_take_fd.
 *
 * References. A value can refer to an object (ipcc_reference) and then keeps it alive; who gets it
 * has that object open. In an answer it is a RAW value (ext type 1): ipcc_value_reference.
 */
enum ipcc_kind {
    IPCC_NONE = 0, /* no value: an optional param that is left out; what {0} gives */
    IPCC_NIL,
    IPCC_BOOL,
    IPCC_INT,
    IPCC_UINT,
    IPCC_FLOAT,
    IPCC_STR,        /* as.str, length bytes of UTF-8; not NUL-terminated in answers */
    IPCC_BIN,        /* as.data, length bytes */
    IPCC_RAW,        /* as.data, length bytes: exactly one MessagePack value, encoded */
    IPCC_ARRAY,      /* params only: as.values, length elements */
    IPCC_MAP,        /* params only: as.values, length pairs: key, value, key, value, … */
    IPCC_OBJECT,     /* params only: as.object, of msgpack-c; no descriptors within */
    IPCC_DESCRIPTOR, /* params only: as.fd, an open file descriptor */
    IPCC_REFERENCE   /* params only: as.str, length bytes: the name of an object */
};

/* Room for any object's name and a NUL. */
enum { IPCC_NAME_SIZE = 256 };

/* Its layout is fixed, and the same with and without msgpack-c: the kind, the length, and a union
 * of 64 bits. */
struct ipcc_value {
    enum ipcc_kind kind;
    size_t length; /* STR, BIN, RAW, REFERENCE: bytes; ARRAY: elements; MAP: pairs; else 0 */
    union {
        int64_t integer;           /* INT */
        uint64_t unsigned_integer; /* UINT */
        double number;             /* FLOAT */
        bool boolean;              /* BOOL */
        int fd;                    /* DESCRIPTOR */
        const char *str;
        const void *data;
        const struct ipcc_value *values;
        const struct msgpack_object *object; /* OBJECT */
    } as;
};

static inline struct ipcc_value ipcc_none(void)
{
    struct ipcc_value value = {IPCC_NONE, 0, {0}};
    return value;
}

static inline struct ipcc_value ipcc_nil(void)
{
    struct ipcc_value value = {IPCC_NIL, 0, {0}};
    return value;
}

static inline struct ipcc_value ipcc_bool(bool boolean)
{
    struct ipcc_value value = {IPCC_BOOL, 0, {0}};
    value.as.boolean = boolean;
    return value;
}

static inline struct ipcc_value ipcc_int(int64_t integer)
{
    struct ipcc_value value = {IPCC_INT, 0, {0}};
    value.as.integer = integer;
    return value;
}

static inline struct ipcc_value ipcc_uint(uint64_t integer)
{
    struct ipcc_value value = {IPCC_UINT, 0, {0}};
    value.as.unsigned_integer = integer;
    return value;
}

static inline struct ipcc_value ipcc_float(double number)
{
    struct ipcc_value value = {IPCC_FLOAT, 0, {0}};
    value.as.number = number;
    return value;
}

static inline struct ipcc_value ipcc_strn(const char *text, size_t length)
{
    struct ipcc_value value = {IPCC_STR, 0, {0}};
    value.length = length;
    value.as.str = text;
    return value;
}

/* A NUL-terminated string; NULL gives nil. */
static inline struct ipcc_value ipcc_str(const char *text)
{
    return text != NULL ? ipcc_strn(text, strlen(text)) : ipcc_nil();
}

static inline struct ipcc_value ipcc_bin(const void *bytes, size_t length)
{
    struct ipcc_value value = {IPCC_BIN, 0, {0}};
    value.length = length;
    value.as.data = bytes;
    return value;
}

/* One encoded MessagePack value, sent byte for byte. Anything else is IPCC_ERR_ARGUMENT, and so is
 * one that names file descriptors (ext type 2), as an answer's can: those indices mean nothing in
 * another message. */
static inline struct ipcc_value ipcc_raw(const void *encoded, size_t length)
{
    struct ipcc_value value = {IPCC_RAW, 0, {0}};
    value.length = length;
    value.as.data = encoded;
    return value;
}

/* An array of `count` values, of any kinds, nested ones too. */
static inline struct ipcc_value ipcc_array(const struct ipcc_value *values, size_t count)
{
    struct ipcc_value value = {IPCC_ARRAY, 0, {0}};
    value.length = count;
    value.as.values = values;
    return value;
}

/* A map of `pairs` pairs; `values` has two times as many: key, value, key, value, … */
static inline struct ipcc_value ipcc_map(const struct ipcc_value *values, size_t pairs)
{
    struct ipcc_value value = {IPCC_MAP, 0, {0}};
    value.length = pairs;
    value.as.values = values;
    return value;
}

/* An open file descriptor, which stays the caller's; at most 16 in one call, the same one counted
 * as often as it stands there. IPCC_ERR_ARGUMENT if it is not open, IPCC_ERR_SYSTEM if it cannot be
 * duplicated (RLIMIT_NOFILE) or the kernel passes no more of this user's. */
static inline struct ipcc_value ipcc_descriptor(int fd)
{
    struct ipcc_value value = {IPCC_DESCRIPTOR, 0, {0}};
    value.as.fd = fd;
    return value;
}

/* A reference to the object of that name: one that is there when the value is stored, otherwise it
 * is a name and no more. NULL is IPCC_ERR_ARGUMENT. */
static inline struct ipcc_value ipcc_reference(const char *name)
{
    struct ipcc_value value = {IPCC_REFERENCE, 0, {0}};
    value.length = name != NULL ? strlen(name) : 0;
    value.as.str = name;
    return value;
}

/* None of the functions in the rest of this section talks to the daemon or blocks. */

/* True if the value is the str `text`. */
bool ipcc_value_is_str(const struct ipcc_value *value, const char *text);

/* Gets a value of an answer as an int64_t. IPCC_ERR_TYPE if it is no integer, IPCC_ERR_RANGE if it
 * is above INT64_MAX. `out` is required. */
int ipcc_value_int(const struct ipcc_value *value, int64_t *out);

/* The same as a uint64_t; IPCC_ERR_RANGE if the integer is below 0. */
int ipcc_value_uint(const struct ipcc_value *value, uint64_t *out);

/* The same for a number, integer or float, as a double. IPCC_ERR_RANGE if it is an integer that no
 * double is equal to, as many above 2^53 are. */
int ipcc_value_double(const struct ipcc_value *value, double *out);

/* The same for true and false. */
int ipcc_value_bool(const struct ipcc_value *value, bool *out);

/* Gets the name of the object that a value of an answer refers to, NUL-terminated; IPCC_NAME_SIZE
 * bytes are room for any. IPCC_ERR_TYPE if it is no reference, IPCC_ERR_RANGE if there is too
 * little room. */
int ipcc_value_reference(const struct ipcc_value *value, char *name, size_t size);

/* Writes a value of an answer as text for people (JSON as far as JSON goes; then b"…" for bin,
 * reference("…"), descriptor(index), ext(type, b"…")), NUL-terminated, cut to fit `size`. 0, or
 * IPCC_ERR_ARGUMENT, IPCC_ERR_NO_MEMORY with an empty text. */
int ipcc_value_print(const struct ipcc_value *value, char *text, size_t size);

/* A position in a RAW array or map. The fields are the library's. */
struct ipcc_walk {
    const uint8_t *at;
    const uint8_t *end;
    size_t left;
    bool in_map;
};

/* A walk through the elements of an array, or the keys and values of a map, alternating. Of any
 * other value it is an empty walk. */
struct ipcc_walk ipcc_walk_of(const struct ipcc_value *container);

/* Steps to the next element. false when there is none left. */
bool ipcc_walk_next(struct ipcc_walk *walk, struct ipcc_value *value);

/* Steps to the next key and value: of a map, or of an array of [key, value] arrays, which is how
 * dict.items and dict.scan answer. false when there is none left. */
bool ipcc_walk_pair(struct ipcc_walk *walk, struct ipcc_value *key, struct ipcc_value *value);

/* Finds the value of a str key in a RAW map. IPCC_ERR_KEY if it is not there, IPCC_ERR_TYPE if
 * `map` is no map. `value` is required. */
int ipcc_map_get(const struct ipcc_value *map, const char *key, struct ipcc_value *value);

/* ---- Replies --------------------------------------------------------------------------------- */

/*
 * The answer to a call. The caller has the struct, the library stores into it, and everything that
 * `value` points at lives until ipcc_reply_free or until the reply is used for another call
 * (free it first: a call does not look at what was in it). After a failed call it is {0} and needs
 * no freeing, with one exception: see ipcc_call. A reply is for one thread at a time.
 *
 * The file descriptors of an answer belong to the reply and are closed with it; all of them have
 * O_CLOEXEC. If there is no room for them in this process (RLIMIT_NOFILE), the call, which has been
 * carried out, is IPCC_ERR_SYSTEM, and they are closed: what was in a queue is then lost.
 */
struct ipcc_reply {
    struct ipcc_value value;
    void *owned;                          /* the library's */
    struct ipcc_descriptors *descriptors; /* the library's */
    uint64_t reserved[1];
};

/* Frees what the reply holds, closing its descriptors, and makes it {0}. NULL and {0} are allowed.
 * Does not block. */
void ipcc_reply_free(struct ipcc_reply *reply);

/* Makes *to a copy of its own, to keep what a callback was given, with duplicates of its
 * descriptors. Does not block. NO_MEMORY, SYSTEM. */
int ipcc_reply_copy(struct ipcc_reply *to, const struct ipcc_reply *from);

/* The file descriptor that a value of this reply names (the reply's own value, or one that was
 * found in it). It is the reply's and is closed with it. The same one can stand in several places.
 * IPCC_ERR_TYPE: the value is no descriptor. IPCC_ERR_NOT_FOUND: the reply has no such one: it was
 * taken, or the value is of another reply. */
int ipcc_reply_fd(const struct ipcc_reply *reply, const struct ipcc_value *value);

/* The descriptor that ipcc_reply_fd gives, from now on the caller's, to be closed by him. Also in a
 * callback. */
int ipcc_reply_take_fd(const struct ipcc_reply *reply, const struct ipcc_value *value);

IPCC_DECLARATIONS_END

#endif /* IPCCLIENT_VALUE_H */
