/*
 * _core_unpack: answers as Python's objects, straight from their bytes, which the library has
 * looked through: they are well formed and not too deep. Nothing of a reply is left in what is made
 * of it.
 */
#include "_core.h"

#include <fcntl.h>

static PyObject *unpack_any(const struct unpack *unpack, const struct ipcc_value *value, bool key);

/* ---- ext types ------------------------------------------------------------------------------- */

/* The header of an ext value. False: it is none. */
struct ext {
    int type;
    const uint8_t *bytes;
    size_t length;
};

static bool read_ext(const struct ipcc_value *value, struct ext *ext)
{
    const uint8_t *at = value->as.data;
    size_t header;
    switch (value->kind == IPCC_RAW ? at[0] : 0) {
    case 0xc7:
        header = 3;
        break;
    case 0xc8:
        header = 4;
        break;
    case 0xc9:
        header = 6;
        break;
    case 0xd4:
    case 0xd5:
    case 0xd6:
    case 0xd7:
    case 0xd8:
        header = 2;
        break;
    default:
        return false;
    }
    *ext = (struct ext){(int8_t)at[header - 1], at + header, value->length - header};
    return true;
}

static bool is_tuple_mark(const struct ipcc_value *value)
{
    struct ext ext;
    return read_ext(value, &ext) && ext.type == EXT_TUPLE && ext.length == 0;
}

/* A descriptor of the reply, as the hook's object, which has a duplicate: the same one can stand in
 * several places. */
static PyObject *unpack_descriptor(const struct unpack *unpack, const struct ipcc_value *value)
{
    int fd = unpack->reply != NULL ? ipcc_reply_fd(unpack->reply, value) : IPCC_ERR_NOT_FOUND;
    if (fd < 0) {
        return raise_last(unpack->hooks, fd);
    }
    fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (fd < 0) {
        return PyErr_SetFromErrno(PyExc_OSError);
    }
    return PyObject_CallFunction(unpack->hooks->decode, "Oii",
                                 unpack->source != NULL ? unpack->source : Py_None, EXT_DESCRIPTOR,
                                 fd);
}

static PyObject *unpack_ext(const struct unpack *unpack, const struct ipcc_value *value)
{
    struct ext ext;
    if (!read_ext(value, &ext)) {
        PyErr_SetString(PyExc_ValueError, "the answer holds what is no MessagePack");
        return NULL;
    }
    if (ext.type == EXT_DESCRIPTOR) {
        return unpack_descriptor(unpack, value);
    }
    return PyObject_CallFunction(unpack->hooks->decode, "Oiy#",
                                 unpack->source != NULL ? unpack->source : Py_None, ext.type,
                                 (const char *)ext.bytes, (Py_ssize_t)ext.length);
}

/* ---- containers ------------------------------------------------------------------------------ */

static bool is_array(const struct ipcc_value *value)
{
    uint8_t first = value->kind == IPCC_RAW ? ((const uint8_t *)value->as.data)[0] : 0;
    return (first & 0xf0) == 0x90 || first == 0xdc || first == 0xdd;
}

static bool is_map(const struct ipcc_value *value)
{
    uint8_t first = value->kind == IPCC_RAW ? ((const uint8_t *)value->as.data)[0] : 0;
    return (first & 0xf0) == 0x80 || first == 0xde || first == 0xdf;
}

/* How many elements an array has. */
static Py_ssize_t array_count(const struct ipcc_value *array)
{
    const uint8_t *at = array->as.data;
    if ((at[0] & 0xf0) == 0x90) {
        return at[0] & 0x0f;
    }
    Py_ssize_t count = at[1] << 8 | at[2];
    return at[0] == 0xdc ? count : count << 16 | at[3] << 8 | at[4];
}

static PyObject *unpack_list(const struct unpack *unpack, struct ipcc_walk walk, Py_ssize_t count,
                             bool key)
{
    struct ipcc_value item;
    PyObject *list = PyList_New(count);
    for (Py_ssize_t i = 0; list != NULL && i < count && ipcc_walk_next(&walk, &item); i++) {
        PyObject *object = unpack_any(unpack, &item, key);
        if (object == NULL || PyList_SetItem(list, i, object) < 0) {
            Py_DECREF(list);
            return NULL;
        }
    }
    return list;
}

static PyObject *unpack_tuple(const struct unpack *unpack, struct ipcc_walk walk, Py_ssize_t count,
                              bool key)
{
    struct ipcc_value item;
    PyObject *tuple = PyTuple_New(count);
    for (Py_ssize_t i = 0; tuple != NULL && i < count && ipcc_walk_next(&walk, &item); i++) {
        PyObject *object = unpack_any(unpack, &item, key);
        if (object == NULL || PyTuple_SetItem(tuple, i, object) < 0) {
            Py_DECREF(tuple);
            return NULL;
        }
    }
    return tuple;
}

static PyObject *unpack_array(const struct unpack *unpack, const struct ipcc_value *value, bool key)
{
    struct ipcc_walk walk = ipcc_walk_of(value);
    struct ipcc_walk behind_mark = walk;
    Py_ssize_t count = array_count(value);
    struct ipcc_value first;
    if (key) {
        return unpack_tuple(unpack, walk, count, true);
    }
    if (count > 0 && ipcc_walk_next(&behind_mark, &first) && is_tuple_mark(&first)) {
        return unpack_tuple(unpack, behind_mark, count - 1, false);
    }
    return unpack_list(unpack, walk, count, false);
}

static PyObject *unpack_map(const struct unpack *unpack, const struct ipcc_value *value)
{
    struct ipcc_walk walk = ipcc_walk_of(value);
    struct ipcc_value name;
    struct ipcc_value item;
    PyObject *dict = PyDict_New();
    while (dict != NULL && ipcc_walk_pair(&walk, &name, &item)) {
        PyObject *key = unpack_any(unpack, &name, true);
        PyObject *object = key != NULL ? unpack_any(unpack, &item, false) : NULL;
        int status = object != NULL ? PyDict_SetItem(dict, key, object) : -1;
        Py_XDECREF(key);
        Py_XDECREF(object);
        if (status < 0) {
            Py_DECREF(dict);
            return NULL;
        }
    }
    return dict;
}

/* ---- any ------------------------------------------------------------------------------------- */

static PyObject *unpack_nested(const struct unpack *unpack, const struct ipcc_value *value,
                               bool key)
{
    if (is_array(value)) {
        return unpack_array(unpack, value, key);
    }
    return is_map(value) ? unpack_map(unpack, value) : unpack_ext(unpack, value);
}

static PyObject *unpack_any(const struct unpack *unpack, const struct ipcc_value *value, bool key)
{
    switch (value->kind) {
    case IPCC_BOOL:
        return PyBool_FromLong(value->as.boolean);
    case IPCC_INT:
        return PyLong_FromLongLong(value->as.integer);
    case IPCC_UINT:
        return PyLong_FromUnsignedLongLong(value->as.unsigned_integer);
    case IPCC_FLOAT:
        return PyFloat_FromDouble(value->as.number);
    case IPCC_STR:
        return PyUnicode_DecodeUTF8(value->as.str, (Py_ssize_t)value->length, "surrogateescape");
    case IPCC_BIN:
        return PyBytes_FromStringAndSize(value->as.data, (Py_ssize_t)value->length);
    case IPCC_RAW:
        return unpack_nested(unpack, value, key);
    default:
        Py_RETURN_NONE;
    }
}

/* ---- results --------------------------------------------------------------------------------- */

static PyObject *wrong_form(const char *expected)
{
    PyErr_Format(PyExc_ConnectionError, "the daemon's answer is not %s", expected);
    return NULL;
}

static PyObject *unpack_first(const struct unpack *unpack, const struct ipcc_value *value)
{
    struct ipcc_value first;
    struct ipcc_walk walk = ipcc_walk_of(value);
    return is_array(value) && ipcc_walk_next(&walk, &first) ? unpack_any(unpack, &first, false)
                                                            : wrong_form("an array");
}

static PyObject *unpack_pair(const struct unpack *unpack, const struct ipcc_value *name,
                             const struct ipcc_value *value)
{
    PyObject *key = unpack_any(unpack, name, true);
    PyObject *object = key != NULL ? unpack_any(unpack, value, false) : NULL;
    PyObject *pair = object != NULL ? PyTuple_Pack(2, key, object) : NULL;
    Py_XDECREF(key);
    Py_XDECREF(object);
    return pair;
}

static PyObject *unpack_one_pair(const struct unpack *unpack, const struct ipcc_value *value)
{
    struct ipcc_value key;
    struct ipcc_value item;
    struct ipcc_walk walk = ipcc_walk_of(value);
    bool found = is_array(value) && ipcc_walk_next(&walk, &key) && ipcc_walk_next(&walk, &item);
    return found ? unpack_pair(unpack, &key, &item) : wrong_form("a pair");
}

static PyObject *unpack_pairs(const struct unpack *unpack, const struct ipcc_value *value)
{
    struct ipcc_value key;
    struct ipcc_value item;
    struct ipcc_walk walk = ipcc_walk_of(value);
    PyObject *list = PyList_New(0);
    while (list != NULL && ipcc_walk_pair(&walk, &key, &item)) {
        PyObject *pair = unpack_pair(unpack, &key, &item);
        int status = pair != NULL ? PyList_Append(list, pair) : -1;
        Py_XDECREF(pair);
        if (status < 0) {
            Py_DECREF(list);
            return NULL;
        }
    }
    return list;
}

static PyObject *unpack_scan(const struct unpack *unpack, const struct ipcc_value *value)
{
    struct ipcc_value cursor;
    struct ipcc_value items;
    if (ipcc_map_get(value, "cursor", &cursor) < 0 || ipcc_map_get(value, "items", &items) < 0) {
        return wrong_form("a map of cursor and items");
    }
    PyObject *number = unpack_any(unpack, &cursor, false);
    PyObject *pairs = number != NULL ? unpack_pairs(unpack, &items) : NULL;
    PyObject *scan = pairs != NULL ? PyTuple_Pack(2, number, pairs) : NULL;
    Py_XDECREF(number);
    Py_XDECREF(pairs);
    return scan;
}

static PyObject *unpack_held(const struct ipcc_value *value)
{
    struct ipcc_acquired acquired;
    if (ipcc_value_acquired(value, &acquired) < 0) {
        return wrong_form("a map of depth and abandoned");
    }
    PyObject *depth = PyLong_FromUnsignedLongLong(acquired.depth);
    PyObject *held =
        depth != NULL ? PyTuple_Pack(2, depth, acquired.abandoned ? Py_True : Py_False) : NULL;
    Py_XDECREF(depth);
    return held;
}

PyObject *unpack_result(const struct unpack *unpack, const struct ipcc_value *value,
                        enum result form)
{
    switch (form) {
    case RESULT_FIRST:
        return unpack_first(unpack, value);
    case RESULT_KEY:
        return unpack_any(unpack, value, true);
    case RESULT_KEYS:
        return is_array(value) ? unpack_list(unpack, ipcc_walk_of(value), array_count(value), true)
                               : wrong_form("an array");
    case RESULT_PAIR:
        return unpack_one_pair(unpack, value);
    case RESULT_PAIRS:
        return unpack_pairs(unpack, value);
    case RESULT_SCAN:
        return unpack_scan(unpack, value);
    case RESULT_HELD:
        return unpack_held(value);
    case RESULT_VALUE:
    default:
        return unpack_any(unpack, value, false);
    }
}
