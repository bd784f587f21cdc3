/*
 * _core_params: the params of a call. Scalars, strs and bytes are given to the library as they
 * stand, without a copy; containers as one buffer of MessagePack. Only a container with file
 * descriptors in it becomes a tree of values, down to where they are, since the library has to know
 * each.
 */
#include "_core.h"

#include <msgpack.h>
#include <stdlib.h>

struct keep {
    struct keep *next;
    msgpack_sbuffer buffer;
};

/* A buffer that lives as long as the params. NULL with an exception. */
static msgpack_sbuffer *keep_buffer(struct params *params)
{
    struct keep *keep = malloc(sizeof(*keep));
    if (keep == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    msgpack_sbuffer_init(&keep->buffer);
    keep->next = params->kept;
    params->kept = keep;
    return &keep->buffer;
}

/* Room for values that lives as long as the params. NULL with an exception. */
static struct ipcc_value *keep_values(struct params *params, size_t count)
{
    msgpack_sbuffer *buffer = keep_buffer(params);
    if (buffer == NULL) {
        return NULL;
    }
    buffer->data = calloc(count + 1, sizeof(struct ipcc_value));
    if (buffer->data == NULL) {
        PyErr_NoMemory();
    }
    return (struct ipcc_value *)(void *)buffer->data;
}

static void keep_free(struct keep *keep)
{
    while (keep != NULL) {
        struct keep *next = keep->next;
        msgpack_sbuffer_destroy(&keep->buffer);
        free(keep);
        keep = next;
    }
}

void params_free(struct params *params)
{
    for (size_t i = 0; i < params->object_count; i++) {
        Py_DECREF(params->objects[i]);
    }
    keep_free(params->kept);
}

/* ---- trees ----------------------------------------------------------------------------------- */

static int tree_add(struct params *params, const struct hooks *hooks, PyObject *object,
                    struct ipcc_value *out);

static int tree_add_encoded(struct params *params, const struct encoded *encoded,
                            struct ipcc_value *out)
{
    if (encoded->type == EXT_DESCRIPTOR) {
        int fd = (int)PyLong_AsLong(encoded->payload);
        *out = ipcc_descriptor(fd);
        return PyErr_Occurred() ? -1 : 0;
    }
    msgpack_sbuffer *buffer = keep_buffer(params);
    if (buffer == NULL || pack_encoded(buffer, encoded) != PACK_DONE) {
        return -1;
    }
    *out = ipcc_raw(buffer->data, buffer->size);
    return 0;
}

static int tree_add_foreign(struct params *params, const struct hooks *hooks, PyObject *object,
                            struct ipcc_value *out)
{
    struct encoded encoded;
    if (pack_encode(hooks, object, false, &encoded) < 0) {
        return -1;
    }
    int status = tree_add_encoded(params, &encoded, out);
    Py_DECREF(encoded.payload);
    return status;
}

static int tree_add_sequence(struct params *params, const struct hooks *hooks, PyObject *sequence,
                             struct ipcc_value *out)
{
    static const char tuple_mark[] = {(char)0xc7, 0, EXT_TUPLE};
    bool tuple = PyTuple_CheckExact(sequence);
    PyObject *items = PySequence_Tuple(sequence); /* the list may change meanwhile */
    size_t count = items != NULL ? (size_t)PyTuple_Size(items) : 0;
    struct ipcc_value *values = items != NULL ? keep_values(params, count + tuple) : NULL;
    int status = values != NULL ? 0 : -1;
    if (status == 0 && tuple) {
        values[0] = ipcc_raw(tuple_mark, sizeof(tuple_mark));
    }
    for (size_t i = 0; status == 0 && i < count; i++) {
        status = tree_add(params, hooks, PyTuple_GetItem(items, (Py_ssize_t)i), &values[i + tuple]);
    }
    Py_XDECREF(items);
    *out = ipcc_array(values, count + tuple);
    return status;
}

static int tree_add_dict(struct params *params, const struct hooks *hooks, PyObject *dict,
                         struct ipcc_value *out)
{
    Py_ssize_t at = 0;
    size_t pairs = 0;
    PyObject *key;
    PyObject *value;
    PyObject *copy = PyDict_Copy(dict);
    size_t count = copy != NULL ? (size_t)PyDict_Size(copy) : 0;
    struct ipcc_value *values = copy != NULL ? keep_values(params, 2 * count) : NULL;
    int status = values != NULL ? 0 : -1;
    while (status == 0 && pairs < count && PyDict_Next(copy, &at, &key, &value)) {
        msgpack_sbuffer *buffer = keep_buffer(params);
        status = buffer != NULL && pack_object(buffer, hooks, key, true) == PACK_DONE ? 0 : -1;
        if (status == 0) {
            values[2 * pairs] = ipcc_raw(buffer->data, buffer->size);
            status = tree_add(params, hooks, value, &values[2 * pairs + 1]);
        }
        pairs++;
    }
    Py_XDECREF(copy);
    *out = ipcc_map(values, pairs);
    return status;
}

static int tree_add(struct params *params, const struct hooks *hooks, PyObject *object,
                    struct ipcc_value *out)
{
    msgpack_sbuffer *buffer = keep_buffer(params);
    enum pack packed = buffer != NULL ? pack_object(buffer, hooks, object, false) : PACK_ERROR;
    switch (packed) {
    case PACK_DONE:
        *out = ipcc_raw(buffer->data, buffer->size);
        return 0;
    case PACK_DESCRIPTOR:
        if (PyList_CheckExact(object) || PyTuple_CheckExact(object) ||
            pack_is_values(hooks, object)) {
            return tree_add_sequence(params, hooks, object, out);
        }
        return PyDict_CheckExact(object) || pack_is_map(hooks, object)
                   ? tree_add_dict(params, hooks, object, out)
                   : tree_add_foreign(params, hooks, object, out);
    case PACK_WHOLE:
    case PACK_ERROR:
    default:
        return -1;
    }
}

/* ---- one param ------------------------------------------------------------------------------- */

/* Lets a value point into a bytes object, which the params hold from now on. */
static int add_bytes(struct params *params, PyObject *owned, struct ipcc_value *out, bool text)
{
    char *bytes;
    Py_ssize_t length;
    if (PyBytes_AsStringAndSize(owned, &bytes, &length) < 0) {
        Py_DECREF(owned);
        return -1;
    }
    params->objects[params->object_count++] = owned;
    *out = text ? ipcc_strn(bytes, (size_t)length) : ipcc_bin(bytes, (size_t)length);
    return 0;
}

static int add_key(struct params *params, const struct hooks *hooks, PyObject *object,
                   struct ipcc_value *out)
{
    msgpack_sbuffer *buffer = keep_buffer(params);
    if (buffer == NULL || pack_object(buffer, hooks, object, true) != PACK_DONE) {
        return -1;
    }
    *out = ipcc_raw(buffer->data, buffer->size);
    return 0;
}

static int add_int(struct params *params, const struct hooks *hooks, PyObject *object,
                   struct ipcc_value *out)
{
    int overflow;
    *out = ipcc_int(PyLong_AsLongLongAndOverflow(object, &overflow));
    return overflow == 0 ? 0 : tree_add(params, hooks, object, out);
}

static int add_value(struct params *params, const struct hooks *hooks, PyObject *object,
                     struct ipcc_value *out)
{
    if (PyLong_CheckExact(object)) {
        return add_int(params, hooks, object, out);
    }
    if (PyUnicode_CheckExact(object)) {
        PyObject *utf8 = PyUnicode_AsUTF8String(object);
        if (utf8 != NULL) {
            return add_bytes(params, utf8, out, true);
        }
        PyErr_Clear();
    }
    if (PyBytes_CheckExact(object)) {
        Py_INCREF(object);
        return add_bytes(params, object, out, false);
    }
    if (object == Py_None || PyBool_Check(object)) {
        *out = object == Py_None ? ipcc_nil() : ipcc_bool(object == Py_True);
        return 0;
    }
    if (PyFloat_CheckExact(object)) {
        *out = ipcc_float(PyFloat_AsDouble(object));
        return 0;
    }
    return tree_add(params, hooks, object, out);
}

int params_add(struct params *params, const struct hooks *hooks, PyObject *object, bool key)
{
    if (params->count == PARAMS_MAX) {
        PyErr_SetString(PyExc_TypeError, "a call has more params than any method takes");
        return -1;
    }
    struct ipcc_value *out = &params->values[params->count];
    bool plain_key = PyUnicode_CheckExact(object) || PyLong_CheckExact(object);
    int status = key && !plain_key ? add_key(params, hooks, object, out)
                                   : add_value(params, hooks, object, out);
    params->count += status == 0;
    return status;
}
