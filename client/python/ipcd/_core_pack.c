/*
 * _core_pack: Python's objects as MessagePack.
 *
 * What has exactly the type None, bool, int, float, str, bytes, list, tuple or dict is written
 * here; everything else, subclasses of these included, goes to the hook `encode`, so that it comes
 * back as what it was. A tuple is an array that begins with an empty ext value of type EXT_TUPLE;
 * as a key, where a list cannot stand, it is an array.
 */
#include "_core.h"

#include <msgpack.h>

/* Containers within each other that are written. The message adds two to five, and the daemon takes
 * 32. */
enum { DEPTH_MAX = 24 };

struct packing {
    msgpack_packer to;
    const struct hooks *hooks;
};

static enum pack pack_any(struct packing *packing, PyObject *object, bool key, int depth);
static enum pack pack_values(struct packing *packing, PyObject *list);
static enum pack pack_map(struct packing *packing, PyObject *dict);

/* What msgpack-c returns. */
static enum pack written(int status)
{
    if (status == 0) {
        return PACK_DONE;
    }
    PyErr_NoMemory();
    return PACK_ERROR;
}

/* ---- what MessagePack has not ---------------------------------------------------------------- */

int pack_encode(const struct hooks *hooks, PyObject *object, bool whole, struct encoded *out)
{
    PyObject *pair =
        PyObject_CallFunctionObjArgs(hooks->encode, object, whole ? Py_True : Py_False, NULL);
    if (pair == NULL) {
        return -1;
    }
    bool formed = PyTuple_Check(pair) && PyTuple_Size(pair) == 2;
    out->type = formed ? PyLong_AsLong(PyTuple_GetItem(pair, 0)) : 0;
    out->payload = formed ? PyTuple_GetItem(pair, 1) : NULL;
    formed =
        formed && !PyErr_Occurred() && out->type >= -128 && out->type < 128 &&
        (out->type == EXT_DESCRIPTOR ? PyLong_Check(out->payload) : PyBytes_Check(out->payload));
    if (formed) {
        Py_INCREF(out->payload);
    } else if (!PyErr_Occurred()) {
        PyErr_SetString(PyExc_TypeError, "encode must give an ext type and its bytes");
    }
    Py_DECREF(pair);
    return formed ? 0 : -1;
}

enum pack pack_encoded(struct msgpack_sbuffer *buffer, const struct encoded *encoded)
{
    char *bytes;
    Py_ssize_t length;
    if (encoded->type == EXT_DESCRIPTOR) {
        return PACK_DESCRIPTOR;
    }
    if (PyBytes_AsStringAndSize(encoded->payload, &bytes, &length) < 0) {
        return PACK_ERROR;
    }
    if (encoded->type == 0) {
        return written(msgpack_sbuffer_write(buffer, bytes, (size_t)length));
    }
    if ((size_t)length > UINT32_MAX) {
        PyErr_SetString(PyExc_OverflowError, "a value must be smaller than 4 GiB");
        return PACK_ERROR;
    }
    msgpack_packer to;
    msgpack_packer_init(&to, buffer, msgpack_sbuffer_write);
    int status = msgpack_pack_ext(&to, (size_t)length, (int8_t)encoded->type);
    return written(status == 0 ? msgpack_pack_ext_body(&to, bytes, (size_t)length) : status);
}

static enum pack pack_hooked(struct packing *packing, PyObject *object, bool whole)
{
    struct encoded encoded;
    if (pack_encode(packing->hooks, object, whole, &encoded) < 0) {
        return PACK_ERROR;
    }
    enum pack status = pack_encoded(packing->to.data, &encoded);
    Py_DECREF(encoded.payload);
    return status;
}

static enum pack pack_foreign(struct packing *packing, PyObject *object, bool key)
{
    return key ? PACK_WHOLE : pack_hooked(packing, object, false);
}

/* ---- scalars --------------------------------------------------------------------------------- */

static enum pack pack_int(struct packing *packing, PyObject *object, bool key)
{
    int overflow;
    long long number = PyLong_AsLongLongAndOverflow(object, &overflow);
    if (overflow == 0) {
        return written(msgpack_pack_int64(&packing->to, number));
    }
    unsigned long long large = overflow > 0 ? PyLong_AsUnsignedLongLong(object) : 0;
    if (overflow > 0 && !PyErr_Occurred()) {
        return written(msgpack_pack_uint64(&packing->to, large));
    }
    PyErr_Clear();
    return pack_foreign(packing, object, key);
}

static enum pack pack_str(struct packing *packing, PyObject *object, bool key)
{
    char *text;
    Py_ssize_t length;
    PyObject *utf8 = PyUnicode_AsUTF8String(object);
    if (utf8 == NULL) {
        /* It holds surrogates, which UTF-8 cannot. */
        PyErr_Clear();
        return pack_foreign(packing, object, key);
    }
    int status = PyBytes_AsStringAndSize(utf8, &text, &length);
    if (status == 0) {
        status = msgpack_pack_str(&packing->to, (size_t)length);
        status = status < 0 ? status : msgpack_pack_str_body(&packing->to, text, (size_t)length);
    }
    Py_DECREF(utf8);
    return written(status);
}

static enum pack pack_bytes(struct packing *packing, PyObject *object)
{
    char *bytes;
    Py_ssize_t length;
    if (PyBytes_AsStringAndSize(object, &bytes, &length) < 0) {
        return PACK_ERROR;
    }
    int status = msgpack_pack_bin(&packing->to, (size_t)length);
    return written(status < 0 ? status
                              : msgpack_pack_bin_body(&packing->to, bytes, (size_t)length));
}

/* ---- containers ------------------------------------------------------------------------------ */

static enum pack changed(const char *what)
{
    PyErr_Format(PyExc_RuntimeError, "the %s has changed while it was being sent", what);
    return PACK_ERROR;
}

/* The hook can run any code, so that a list may change, and let go of its items, in between. */
static enum pack pack_list(struct packing *packing, PyObject *list, int depth)
{
    Py_ssize_t count = PyList_Size(list);
    enum pack status = written(msgpack_pack_array(&packing->to, (size_t)count));
    for (Py_ssize_t i = 0; status == PACK_DONE && i < count && i < PyList_Size(list); i++) {
        PyObject *item = PyList_GetItem(list, i);
        Py_INCREF(item);
        status = pack_any(packing, item, false, depth);
        Py_DECREF(item);
    }
    return status == PACK_DONE && PyList_Size(list) != count ? changed("list") : status;
}

static enum pack pack_tuple(struct packing *packing, PyObject *tuple, bool key, int depth)
{
    Py_ssize_t count = PyTuple_Size(tuple);
    int status = msgpack_pack_array(&packing->to, (size_t)count + !key);
    if (status == 0 && !key) {
        status = msgpack_pack_ext(&packing->to, 0, EXT_TUPLE);
    }
    enum pack done = written(status);
    for (Py_ssize_t i = 0; done == PACK_DONE && i < count; i++) {
        done = pack_any(packing, PyTuple_GetItem(tuple, i), key, depth);
    }
    return done;
}

static enum pack pack_dict(struct packing *packing, PyObject *dict, int depth)
{
    Py_ssize_t count = PyDict_Size(dict);
    Py_ssize_t at = 0;
    Py_ssize_t seen = 0;
    PyObject *key;
    PyObject *value;
    enum pack status = written(msgpack_pack_map(&packing->to, (size_t)count));
    while (status == PACK_DONE && PyDict_Size(dict) == count &&
           PyDict_Next(dict, &at, &key, &value)) {
        Py_INCREF(key);
        Py_INCREF(value);
        status = pack_any(packing, key, true, depth);
        status = status == PACK_DONE ? pack_any(packing, value, false, depth) : status;
        Py_DECREF(key);
        Py_DECREF(value);
        seen++;
    }
    return status == PACK_DONE && (seen != count || PyDict_Size(dict) != count) ? changed("dict")
                                                                                : status;
}

/* ---- any ------------------------------------------------------------------------------------- */

static enum pack pack_container(struct packing *packing, PyObject *object, bool key, int depth)
{
    if (depth >= DEPTH_MAX) {
        return PACK_WHOLE;
    }
    if (PyTuple_CheckExact(object)) {
        return pack_tuple(packing, object, key, depth + 1);
    }
    if (key) {
        PyErr_Format(PyExc_TypeError, "unhashable type: '%s'",
                     PyList_CheckExact(object) ? "list" : "dict");
        return PACK_ERROR;
    }
    return PyList_CheckExact(object) ? pack_list(packing, object, depth + 1)
                                     : pack_dict(packing, object, depth + 1);
}

static enum pack pack_any(struct packing *packing, PyObject *object, bool key, int depth)
{
    if (PyUnicode_CheckExact(object)) {
        return pack_str(packing, object, key);
    }
    if (PyLong_CheckExact(object)) {
        return pack_int(packing, object, key);
    }
    if (object == Py_None) {
        return written(msgpack_pack_nil(&packing->to));
    }
    if (PyBool_Check(object)) {
        return written(object == Py_True ? msgpack_pack_true(&packing->to)
                                         : msgpack_pack_false(&packing->to));
    }
    if (PyFloat_CheckExact(object)) {
        return written(msgpack_pack_double(&packing->to, PyFloat_AsDouble(object)));
    }
    if (PyBytes_CheckExact(object)) {
        return pack_bytes(packing, object);
    }
    if (PyTuple_CheckExact(object) || PyList_CheckExact(object) || PyDict_CheckExact(object)) {
        return pack_container(packing, object, key, depth);
    }
    if (pack_is_values(packing->hooks, object)) {
        return pack_values(packing, object);
    }
    return pack_is_map(packing->hooks, object) ? pack_map(packing, object)
                                               : pack_foreign(packing, object, key);
}

/* A value of its own: if it cannot be written as it stands, it is pickled as a whole. */
static enum pack pack_value(struct packing *packing, PyObject *object)
{
    msgpack_sbuffer *buffer = packing->to.data;
    size_t start = buffer->size;
    enum pack status = pack_any(packing, object, false, 0);
    if (status == PACK_WHOLE) {
        buffer->size = start;
        status = pack_hooked(packing, object, true);
    }
    return status;
}

static enum pack pack_key(struct packing *packing, PyObject *object)
{
    msgpack_sbuffer *buffer = packing->to.data;
    size_t start = buffer->size;
    enum pack status = pack_any(packing, object, true, 0);
    if (status != PACK_WHOLE) {
        return status;
    }
    /* What is not hashable is not a key, whatever pickle makes of it. */
    if (PyObject_Hash(object) == -1) {
        return PACK_ERROR;
    }
    buffer->size = start;
    return pack_hooked(packing, object, true);
}

/* ---- what belongs to the protocol ------------------------------------------------------------ */

static enum pack pack_values(struct packing *packing, PyObject *list)
{
    Py_ssize_t count = PyList_Size(list);
    enum pack status = written(msgpack_pack_array(&packing->to, (size_t)count));
    for (Py_ssize_t i = 0; status == PACK_DONE && i < count && i < PyList_Size(list); i++) {
        PyObject *item = PyList_GetItem(list, i);
        Py_INCREF(item);
        status = pack_value(packing, item);
        Py_DECREF(item);
    }
    return status == PACK_DONE && PyList_Size(list) != count ? changed("list") : status;
}

static enum pack pack_map(struct packing *packing, PyObject *dict)
{
    Py_ssize_t at = 0;
    PyObject *key;
    PyObject *value;
    PyObject *copy = PyDict_Copy(dict);
    enum pack status = copy != NULL
                           ? written(msgpack_pack_map(&packing->to, (size_t)PyDict_Size(copy)))
                           : PACK_ERROR;
    while (status == PACK_DONE && PyDict_Next(copy, &at, &key, &value)) {
        status = pack_key(packing, key);
        status = status == PACK_DONE ? pack_value(packing, value) : status;
    }
    Py_XDECREF(copy);
    return status;
}

/* ---- entry ----------------------------------------------------------------------------------- */

bool pack_is_values(const struct hooks *hooks, PyObject *object)
{
    return (PyObject *)Py_TYPE(object) == hooks->values;
}

bool pack_is_map(const struct hooks *hooks, PyObject *object)
{
    return (PyObject *)Py_TYPE(object) == hooks->map;
}

enum pack pack_object(struct msgpack_sbuffer *buffer, const struct hooks *hooks, PyObject *object,
                      bool key)
{
    struct packing packing = {.hooks = hooks};
    msgpack_packer_init(&packing.to, buffer, msgpack_sbuffer_write);
    return key ? pack_key(&packing, object) : pack_value(&packing, object);
}
